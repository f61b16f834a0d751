package sim_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/vpclattice"
	types "github.com/aws/aws-sdk-go-v2/service/vpclattice/types"
	"github.com/miekg/dns"

	"github.com/headgate/headgate/cloud/sim/contract"
)

// mesh is a service in a service network with a data plane.
type mesh struct {
	*fixture

	client           *http.Client
	api              *vpclattice.Client
	service, network *string
	name             string
}

func startMesh(t *testing.T, service *vpclattice.CreateServiceInput) *mesh {
	t.Helper()
	f, client := startTraffic(t)
	m := &mesh{fixture: f, client: client, api: vpclattice.NewFromConfig(f.Config)}
	made, err := m.api.CreateService(t.Context(), service)
	m.service, m.name = contract.Must(t, made, err).Id, *made.DnsEntry.DomainName
	network, err := m.api.CreateServiceNetwork(t.Context(), &vpclattice.CreateServiceNetworkInput{Name: aws.String("net")})
	m.network = contract.Must(t, network, err).Id
	eventually(t, "ACTIVE", func() string {
		out, err := m.api.GetService(t.Context(), &vpclattice.GetServiceInput{ServiceIdentifier: m.service})
		return string(contract.Must(t, out, err).Status)
	})
	return m
}

// target makes an active group with one target.
func (m *mesh) target(kind types.TargetGroupType, id string, port int32) *string {
	m.Helper()
	config := &types.TargetGroupConfig{VpcIdentifier: aws.String(m.Sim.World().VPC), Port: aws.Int32(80)}
	if kind == types.TargetGroupTypeIp {
		config.HealthCheck = &types.HealthCheckConfig{HealthCheckIntervalSeconds: aws.Int32(5)}
	}
	made, err := m.api.CreateTargetGroup(m.Context(), &vpclattice.CreateTargetGroupInput{
		Name: aws.String(strings.ToLower(string(kind)) + "-group"), Type: kind, Config: config,
	})
	group := contract.Must(m.T, made, err).Id
	eventually(m.T, "", func() string {
		_, err := m.api.RegisterTargets(m.Context(), &vpclattice.RegisterTargetsInput{
			TargetGroupIdentifier: group, Targets: []types.Target{{Id: &id, Port: &port}},
		})
		return contract.APICode(err)
	})
	return group
}

func (m *mesh) listen(protocol types.ListenerProtocol, group *string) {
	m.Helper()
	_, err := m.api.CreateListener(m.Context(), &vpclattice.CreateListenerInput{
		ServiceIdentifier: m.service, Name: aws.String(strings.ToLower(string(protocol))), Protocol: protocol,
		DefaultAction: &types.RuleActionMemberForward{Value: types.ForwardAction{TargetGroups: []types.WeightedTargetGroup{{TargetGroupIdentifier: group}}}},
	})
	contract.WantCode(m.T, err, "")
}

func (m *mesh) associate() *string {
	m.Helper()
	_, err := m.api.CreateServiceNetworkServiceAssociation(m.Context(), &vpclattice.CreateServiceNetworkServiceAssociationInput{
		ServiceIdentifier: m.service, ServiceNetworkIdentifier: m.network,
	})
	contract.WantCode(m.T, err, "")
	joined, err := m.api.CreateServiceNetworkVpcAssociation(m.Context(), &vpclattice.CreateServiceNetworkVpcAssociationInput{
		VpcIdentifier: aws.String(m.Sim.World().VPC), ServiceNetworkIdentifier: m.network,
	})
	return contract.Must(m.T, joined, err).Id
}

func (m *mesh) ask(url string) string {
	m.Helper()
	request, err := http.NewRequestWithContext(m.Context(), http.MethodGet, url, http.NoBody)
	if err != nil {
		m.Fatal(err)
	}
	response, err := m.client.Do(request)
	if err != nil {
		return "no answer"
	}
	body, err := io.ReadAll(response.Body)
	if err != nil || response.Body.Close() != nil {
		m.Fatal(err)
	}
	return fmt.Sprintf("%d %s", response.StatusCode, body)
}

func (m *mesh) health(group *string) string {
	m.Helper()
	out, err := m.api.ListTargets(m.Context(), &vpclattice.ListTargetsInput{TargetGroupIdentifier: group})
	if all := contract.Must(m.T, out, err).Items; len(all) == 1 {
		return string(all[0].Status)
	}
	return ""
}

func TestMeshTraffic(t *testing.T) {
	t.Parallel()
	m := startMesh(t, &vpclattice.CreateServiceInput{Name: aws.String("web")})
	pod := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, "pod ", r.Header.Get("X-Amzn-Lattice-Network"))
	}))
	t.Cleanup(pod.Close)
	actual := strings.TrimPrefix(pod.URL, "http://")
	group := m.target(types.TargetGroupTypeIp, "10.0.1.15", 8080)
	if got := m.health(group); got != "UNUSED" {
		t.Errorf("a target that nobody uses is %s", got)
	}
	m.listen(types.ListenerProtocolHttp, group)
	url := "http://" + m.name + ":20080/"
	if got := m.ask(url); got != "no answer" {
		t.Errorf("without an association: %s", got)
	}
	join := m.associate()
	eventually(t, "503 ", func() string { return m.ask(url) })
	eventually(t, "UNHEALTHY", func() string { return m.health(group) })
	if err := m.Sim.SetAddresses(map[string]*string{"10.0.1.15:8080": &actual}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "HEALTHY", func() string { return m.health(group) })
	want := "200 pod SourceVpcArn=arn:aws:ec2:us-west-2:123456789012:vpc/" + m.Sim.World().VPC
	eventually(t, want, func() string { return m.ask(url) })

	shown := m.Sim.ServiceNetworks()
	if len(shown) != 1 || len(shown[0].Services) != 1 || shown[0].Services[0].DNSName != m.name || fmt.Sprint(shown[0].Services[0].Ports) != "[80]" {
		t.Errorf("listed as %+v", shown)
	}
	_, err := m.api.DeleteServiceNetworkVpcAssociation(t.Context(), &vpclattice.DeleteServiceNetworkVpcAssociationInput{ServiceNetworkVpcAssociationIdentifier: join})
	contract.WantCode(t, err, "")
	eventually(t, "no answer", func() string { return m.ask(url) })
}

// TestMeshNames asks the DNS server as dig would.
func TestMeshNames(t *testing.T) {
	t.Parallel()
	m := startMesh(t, &vpclattice.CreateServiceInput{Name: aws.String("web")})
	ask := func(name string, kind uint16) string {
		answer, err := dns.ExchangeContext(t.Context(), new(dns.Msg).SetQuestion(dns.Fqdn(name), kind), m.Sim.DNSAddr())
		if err != nil {
			t.Fatal(err)
		}
		text := []string{dns.RcodeToString[answer.Rcode]}
		for _, r := range answer.Answer {
			if a, ok := r.(*dns.A); ok {
				text = append(text, a.A.String())
			}
		}
		return strings.Join(text, " ")
	}
	for _, row := range [][2]string{{m.name, "NOERROR"}, {"x." + m.name, "NXDOMAIN"}, {"example.com", "REFUSED"}} {
		if got := ask(row[0], dns.TypeA); got != row[1] {
			t.Errorf("%s: %s, want %s", row[0], got, row[1])
		}
	}
	m.associate()
	eventually(t, "NOERROR "+m.Sim.ServiceNetworks()[0].Address.String(), func() string { return ask(strings.ToUpper(m.name), dns.TypeA) })
	if got := ask(m.name, dns.TypeAAAA); got != "NOERROR" {
		t.Errorf("IPv6: %s", got)
	}
}

// TestMeshToBalancer goes through TLS of the owner's certificate to a target of the type ALB.
func TestMeshToBalancer(t *testing.T) {
	t.Parallel()
	m := startMesh(t, &vpclattice.CreateServiceInput{Name: aws.String("web"), CustomDomainName: aws.String("web.example.com")})
	cert := m.certificate("web.example.com")
	_, err := m.api.UpdateService(t.Context(), &vpclattice.UpdateServiceInput{ServiceIdentifier: m.service, CertificateArn: cert})
	contract.WantCode(t, err, "")
	lb := m.balancer("web")
	m.listener(lb, 80, fixed("203"))
	group := m.target(types.TargetGroupTypeAlb, *lb.LoadBalancerArn, 80)
	m.listen(types.ListenerProtocolHttps, group)
	m.associate()
	at := m.Sim.ServiceNetworks()[0].Address.String() + ":20443"
	served := ""
	m.client.Transport = &http.Transport{
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, at)
		},
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true, VerifyConnection: func(s tls.ConnectionState) error {
			served = s.PeerCertificates[0].DNSNames[0]
			return nil
		}},
	}
	eventually(t, "203 ", func() string { return m.ask("https://web.example.com/") })
	if served != "web.example.com" {
		t.Errorf("served as %s", served)
	}
	if got := m.health(group); got != "UNAVAILABLE" {
		t.Errorf("a load balancer is %s", got)
	}
}
