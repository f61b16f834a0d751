package cloud_test

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/headgate/headgate/cloud"
	"github.com/headgate/headgate/cloud/sim"
	"github.com/headgate/headgate/cloud/sim/vpc"
	"github.com/headgate/headgate/model"
)

func TestSecurityGroupChosenByTags(t *testing.T) {
	a := newAccount(t)
	world := vpc.DefaultWorld()
	second := a.securityGroup(t, "second")
	a.tag(t, second, "kubernetes.io/cluster/"+cluster, "owned")
	a.tag(t, second, "for", "load-balancers")
	groups := []string{world.NodeSecurityGroup, second}
	if _, err := a.sim.AddNetworkInterface(sim.Interface{Subnet: world.PrivateSubnets[0], Addresses: []string{"10.0.128.20"}, SecurityGroups: groups}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		why  string
		tags map[string]string
		want string
	}{
		{"two have the cluster's tag: nobody can say which", nil, ""},
		{"one of them has the other tag too", map[string]string{"for": "load-balancers"}, second},
		{"none has this value", map[string]string{"for": "nodes"}, ""},
	} {
		cfg := a.config()
		client, err := cloud.New(t.Context(), cloud.Options{Cluster: cluster, VPC: world.VPC, AWSConfig: &cfg, TargetGroupTags: c.tags})
		if err != nil {
			t.Fatal(err)
		}
		got := facts(t, client, model.Needs{Owner: model.Owner{Cluster: cluster}, PodIPs: []string{"10.0.128.20"}}).PodGroups["10.0.128.20"]
		if got != c.want {
			t.Errorf("%s: %q, want %q", c.why, got, c.want)
		}
	}
}

func TestSecurityGroupsOfPods(t *testing.T) {
	a := newAccount(t)
	world := vpc.DefaultWorld()
	other := a.securityGroup(t, "other")
	third := a.securityGroup(t, "third")
	tests := []struct {
		ip     string
		groups []string
		want   string
		why    string
	}{
		{"10.0.128.10", []string{world.NodeSecurityGroup}, world.NodeSecurityGroup, "its only one"},
		{"10.0.128.11", []string{other}, other, "its only one, tagged or not"},
		{"10.0.128.12", []string{other, world.NodeSecurityGroup}, world.NodeSecurityGroup, "the one with the cluster's tag"},
		{"10.0.128.13", []string{other, third}, "", "none has the tag: nobody can say which"},
		{"10.0.128.14", nil, "", "no interface has the address"},
	}
	var ips []string
	want := map[string]string{}
	for _, tt := range tests {
		ips = append(ips, tt.ip)
		if tt.want != "" {
			want[tt.ip] = tt.want
		}
		if tt.groups == nil {
			continue
		}
		if _, err := a.sim.AddNetworkInterface(sim.Interface{Subnet: world.PrivateSubnets[0], Addresses: []string{tt.ip}, SecurityGroups: tt.groups}); err != nil {
			t.Fatal(err)
		}
	}
	w := newWire()
	c := a.client(t, w)
	need := model.Needs{Owner: model.Owner{Cluster: cluster}, PodIPs: ips}
	if diff := cmp.Diff(want, facts(t, c, need).PodGroups); diff != "" {
		t.Errorf("groups of addresses (-want +got):\n%s", diff)
	}
	if n := w.take(false)["DescribeNetworkInterfaces"]; n != 2 {
		t.Errorf("%d calls for five addresses, want 1, and 1 for the prefixes that the last may be in", n)
	}
	need.PodIPs = ips[:4]
	facts(t, c, need)
	if reads := w.take(false); len(reads) > 0 {
		t.Errorf("addresses that are known are read again: %v", reads)
	}
}

// TestSecurityGroupsOfPodsInPrefixes: with prefix delegation the addresses of pods are not on the list of their interfaces, which
// has the prefix instead.
func TestSecurityGroupsOfPodsInPrefixes(t *testing.T) {
	a := newAccount(t)
	world := vpc.DefaultWorld()
	other := a.securityGroup(t, "other")
	for ip, group := range map[string]string{"10.0.128.10": world.NodeSecurityGroup, "10.0.128.11": other} {
		if _, err := a.sim.AddNetworkInterface(sim.Interface{
			ID: "eni-" + strings.ReplaceAll(ip, ".", "-"), Subnet: world.PrivateSubnets[0], Addresses: []string{ip}, SecurityGroups: []string{group},
		}); err != nil {
			t.Fatal(err)
		}
	}
	w := newWire()
	c := a.client(t, delegating{wire: w, sets: map[string]string{
		"eni-10-0-128-10": "<ipv4PrefixSet><item><ipv4Prefix>10.0.128.64/28</ipv4Prefix></item></ipv4PrefixSet>",
		"eni-10-0-128-11": "<ipv6PrefixSet><item><ipv6Prefix>2600:1f13:1:2:3::/80</ipv6Prefix></item></ipv6PrefixSet>" +
			"<ipv4PrefixSet><item><ipv4Prefix>10.0.128.80/28</ipv4Prefix></item></ipv4PrefixSet>",
	}})
	need := model.Needs{Owner: model.Owner{Cluster: cluster}, PodIPs: []string{
		"10.0.128.10", "10.0.128.70", "10.0.128.79", "10.0.128.80", "10.0.128.96", "192.168.0.1", "2600:1f13:1:2:3::4",
	}}
	want := map[string]string{
		"10.0.128.10": world.NodeSecurityGroup, "10.0.128.70": world.NodeSecurityGroup, "10.0.128.79": world.NodeSecurityGroup,
		"10.0.128.80": other, "2600:1f13:1:2:3::4": other,
	}
	if diff := cmp.Diff(want, facts(t, c, need).PodGroups); diff != "" {
		t.Errorf("groups of addresses (-want +got):\n%s", diff)
	}
	w.take(false)
	need.PodIPs = []string{"10.0.128.71", "10.0.128.10"}
	facts(t, c, need)
	if diff := cmp.Diff(map[string]int{"DescribeNetworkInterfaces": 1}, w.take(false)); diff != "" {
		t.Errorf("one more pod in a prefix that is known (-want +got):\n%s", diff)
	}
}

// delegating is a transport that gives interfaces prefixes, which the simulator does not know, and the VPC a block of IPv6.
type delegating struct {
	*wire

	// sets are elements of the answer, by interface.
	sets map[string]string
}

func (d delegating) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	if bytes.Contains(body, []byte("ipv6-addresses.ipv6-address")) { // no interface has one of its own
		return reply(r, http.StatusOK, "<DescribeNetworkInterfacesResponse><networkInterfaceSet/></DescribeNetworkInterfacesResponse>"), nil
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	answer, err := d.wire.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return nil, err
	}
	for id, set := range d.sets {
		tag := "<networkInterfaceId>" + id + "</networkInterfaceId>"
		text = bytes.ReplaceAll(text, []byte(tag), []byte(tag+set))
	}
	const block = "<cidrBlockAssociationSet>"
	text = bytes.ReplaceAll(text, []byte(block), []byte("<ipv6CidrBlockAssociationSet><item><ipv6CidrBlock>2600:1f13:1::/56</ipv6CidrBlock>"+
		"<ipv6CidrBlockState><state>associated</state></ipv6CidrBlockState></item></ipv6CidrBlockAssociationSet>"+block))
	answer.Body, answer.ContentLength = io.NopCloser(bytes.NewReader(text)), int64(len(text))
	answer.Header.Del("Content-Length")
	return answer, nil
}
