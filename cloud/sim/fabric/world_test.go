package fabric

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	types "github.com/aws/aws-sdk-go-v2/service/vpclattice/types"

	"github.com/headgate/headgate/cloud/sim/dataplane"
)

// world is a fabric with the data plane that has its targets.
type world struct {
	*testing.T

	fabric *Server
	plane  *dataplane.Server
	groups map[string]dataplane.TargetGroup
	at     netip.AddrPort
}

const (
	name    = "web-1.7d67968.vpc-lattice-svcs.us-west-2.on.aws"
	domain  = "web.example.com"
	service = "arn:aws:vpc-lattice:us-west-2:1:service/svc-1"
	network = "arn:aws:vpc-lattice:us-west-2:1:servicenetwork/sn-1"
)

// worlds counts those that were started.
var worlds atomic.Int32

func start(t *testing.T) *world {
	t.Helper()
	// An address of its own: on 127.0.0.1 a connection of another test may take the port before it is bound again.
	own := netip.AddrFrom4([4]byte{127, 78, byte(os.Getpid()), byte(1 + worlds.Add(1)%250)})
	free, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", netip.AddrPortFrom(own, 0).String())
	if err != nil {
		t.Fatal(err)
	}
	at := netip.MustParseAddrPort(free.Addr().String())
	if err := free.Close(); err != nil {
		t.Fatal(err)
	}
	w := &world{T: t, plane: dataplane.New(dataplane.Options{Speed: 100}), groups: map[string]dataplane.TargetGroup{}, at: at}
	w.fabric = New(Options{Groups: w.plane, Speed: 100})
	t.Cleanup(func() {
		if err := w.fabric.Close(); err != nil {
			t.Error(err)
		}
		if err := w.plane.Close(); err != nil {
			t.Error(err)
		}
	})
	return w
}

// group makes a target group of a protocol version whose only target is a server. Its health is not checked.
func (w *world) group(arn, version string, server *httptest.Server) {
	w.Helper()
	at := netip.MustParseAddrPort(server.Listener.Addr().String())
	protocol := elbtypes.ProtocolEnumHttp
	if server.TLS != nil {
		protocol = elbtypes.ProtocolEnumHttps
	}
	w.groups[arn] = dataplane.TargetGroup{
		Settings: elbtypes.TargetGroup{Protocol: protocol, ProtocolVersion: &version, HealthCheckEnabled: aws.Bool(false)}, InUse: true,
		Lattice: &dataplane.LatticeGroup{CheckVersion: "HTTP1"}, Targets: []dataplane.Target{{ID: at.Addr().String(), Port: int(at.Port())}},
	}
	w.fill()
}

func (w *world) fill() {
	w.Helper()
	if err := w.plane.Update(w.Context(), dataplane.Config{TargetGroups: w.groups}); err != nil {
		w.Fatal(err)
	}
}

// target serves a group by answering its name and what else is asked for.
func (w *world) target(arn string, handle http.HandlerFunc) {
	w.Helper()
	server := httptest.NewServer(handle)
	w.Cleanup(server.Close)
	w.group(arn, "HTTP1", server)
}

func says(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, text) }
}

// listen opens an entrance to one service with a listener of a protocol.
func (w *world) listen(protocol types.ListenerProtocol, change func(*Entrance, *Service), rules ...Rule) {
	w.Helper()
	s := &Service{
		ARN: service, Name: name, Domain: domain, Managed: certificate(w.T, name), Certificate: certificate(w.T, domain),
		Listeners: []Listener{{Port: int(w.at.Port()), Protocol: protocol, Rules: rules}},
	}
	e := Entrance{Address: w.at.Addr(), VPC: "vpc-1", VPCARN: "arn:aws:ec2:us-west-2:1:vpc/vpc-1", Owner: "1", NetworkARN: network, Services: []*Service{s}}
	if change != nil {
		change(&e, s)
	}
	w.update(e)
}

func (w *world) update(all ...Entrance) {
	w.Helper()
	if err := w.fabric.Update(w.Context(), Config{Entrances: all}); err != nil {
		w.Fatal(err)
	}
}

// certificate makes one that signed itself.
func certificate(t *testing.T, name string) *tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, DNSNames: []string{name}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func forward(groups ...string) types.RuleAction {
	var all []types.WeightedTargetGroup
	for _, text := range groups {
		arn, weight, _ := strings.Cut(text, "=")
		var share int32 = 100
		if n, err := strconv.ParseInt(weight, 10, 32); err == nil {
			share = int32(n)
		}
		all = append(all, types.WeightedTargetGroup{TargetGroupIdentifier: &arn, Weight: &share})
	}
	return &types.RuleActionMemberForward{Value: types.ForwardAction{TargetGroups: all}}
}

func fixed(status int32) types.RuleAction {
	return &types.RuleActionMemberFixedResponse{Value: types.FixedResponseAction{StatusCode: &status}}
}

// client connects to the entrance, whatever the host.
func (w *world) client(change func(*http.Transport)) *http.Client {
	transport := &http.Transport{
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, w.at.String())
		},
		TLSClientConfig:   &tls.Config{InsecureSkipVerify: true},
		ForceAttemptHTTP2: true,
	}
	if change != nil {
		change(transport)
	}
	w.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

// ask gives status and body of a request: "GET http://host/path" and header lines.
func (w *world) ask(client *http.Client, request string) string {
	w.Helper()
	lines := strings.Split(request, "\n")
	method, url, _ := strings.Cut(lines[0], " ")
	r, err := http.NewRequestWithContext(w.Context(), method, url, http.NoBody)
	if err != nil {
		w.Fatal(err)
	}
	for _, line := range lines[1:] {
		key, value, _ := strings.Cut(line, ": ")
		r.Header.Add(key, value)
	}
	response, err := client.Do(r)
	if err != nil {
		return "no answer"
	}
	body, err := io.ReadAll(response.Body)
	if err != nil {
		w.Fatal(err)
	}
	_ = response.Body.Close()
	return strings.TrimSpace(fmt.Sprintf("%d %s", response.StatusCode, body))
}

// raw says something on a connection of its own and gives the first line of the answer.
func (w *world) raw(text string) string {
	w.Helper()
	c, err := (&net.Dialer{}).DialContext(w.Context(), "tcp", w.at.String())
	if err != nil {
		return "refused"
	}
	defer c.Close()
	if _, err := io.WriteString(c, text); err != nil {
		w.Fatal(err)
	}
	line, err := bufio.NewReader(c).ReadString('\n')
	if err != nil {
		return "no answer"
	}
	return strings.TrimSpace(line)
}
