package sim_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	dnstypes "github.com/aws/aws-sdk-go-v2/service/route53/types"
	"github.com/miekg/dns"

	"github.com/headgate/headgate/cloud/sim"
	"github.com/headgate/headgate/cloud/sim/contract"
)

// dig asks the simulator's DNS server and gives the code of its answer and the records.
func (f *fixture) dig(network, name string, kind uint16) string {
	f.Helper()
	client := &dns.Client{Net: network}
	reply, _, err := client.Exchange(new(dns.Msg).SetQuestion(name, kind), f.Sim.DNSAddr())
	if err != nil {
		f.Fatal(err)
	}
	all := []string{dns.RcodeToString[reply.Rcode]}
	for _, r := range reply.Answer {
		all = append(all, strings.Join(strings.Fields(r.String()), " "))
	}
	return strings.Join(all, "; ")
}

func TestZonesAnswer(t *testing.T) {
	t.Parallel()
	f := start(t, func(o *sim.Options) { o.DNS = "127.0.0.1:0" })
	lb := f.balancer("web")
	api := route53.NewFromConfig(f.Config)
	zone, err := api.CreateHostedZone(t.Context(), &route53.CreateHostedZoneInput{Name: aws.String("example.com"), CallerReference: aws.String("one")})
	id := contract.Must(t, zone, err).HostedZone.Id
	plain := func(name string, kind dnstypes.RRType, value string) dnstypes.ResourceRecordSet {
		return dnstypes.ResourceRecordSet{Name: &name, Type: kind, TTL: aws.Int64(30), ResourceRecords: []dnstypes.ResourceRecord{{Value: &value}}}
	}
	alias := dnstypes.ResourceRecordSet{Name: aws.String("shop.example.com"), Type: dnstypes.RRTypeA, AliasTarget: &dnstypes.AliasTarget{
		DNSName: lb.DNSName, HostedZoneId: lb.CanonicalHostedZoneId,
	}}
	var changes []dnstypes.Change
	for _, r := range []dnstypes.ResourceRecordSet{
		plain("a.example.com", dnstypes.RRTypeA, "192.0.2.7"), plain("a.example.com", dnstypes.RRTypeAaaa, "2001:db8::7"),
		plain("www.example.com", dnstypes.RRTypeCname, "shop.example.com"), plain("out.example.com", dnstypes.RRTypeCname, "example.net"),
		plain("*.wild.example.com", dnstypes.RRTypeA, "192.0.2.8"), alias,
	} {
		changes = append(changes, dnstypes.Change{Action: dnstypes.ChangeActionCreate, ResourceRecordSet: &r})
	}
	_, err = api.ChangeResourceRecordSets(t.Context(), &route53.ChangeResourceRecordSetsInput{
		HostedZoneId: id, ChangeBatch: &dnstypes.ChangeBatch{Changes: changes},
	})
	contract.WantCode(t, err, "")
	own := f.Sim.LoadBalancers()[0].Address
	for _, row := range []struct {
		name string
		kind uint16
		want string
	}{
		{"a.example.com.", dns.TypeA, "NOERROR; a.example.com. 30 IN A 192.0.2.7"},
		{"A.Example.com.", dns.TypeAAAA, "NOERROR; A.Example.com. 30 IN AAAA 2001:db8::7"},
		{"a.example.com.", dns.TypeTXT, "NOERROR"},
		{"shop.example.com.", dns.TypeA, fmt.Sprintf("NOERROR; shop.example.com. 60 IN A %s", own)},
		{"www.example.com.", dns.TypeA, fmt.Sprintf("NOERROR; www.example.com. 30 IN CNAME shop.example.com.; shop.example.com. 60 IN A %s", own)},
		{"www.example.com.", dns.TypeCNAME, "NOERROR; www.example.com. 30 IN CNAME shop.example.com."},
		{"out.example.com.", dns.TypeA, "NOERROR; out.example.com. 30 IN CNAME example.net."},
		{"x.wild.example.com.", dns.TypeA, "NOERROR; x.wild.example.com. 30 IN A 192.0.2.8"},
		{"none.example.com.", dns.TypeA, "NXDOMAIN"},
		{"example.net.", dns.TypeA, "REFUSED"},
		{"none.us-west-2.elb.amazonaws.com.", dns.TypeA, "NXDOMAIN"},
	} {
		for _, network := range []string{"udp", "tcp"} {
			if got := f.dig(network, row.name, row.kind); got != row.want {
				t.Errorf("%s %s over %s: %s, want %s", row.name, dns.TypeToString[row.kind], network, got, row.want)
			}
		}
	}
}
