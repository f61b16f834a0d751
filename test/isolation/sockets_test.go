package isolation

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/headgate/headgate/cloud/sim"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/test/rig"
)

// offset is how far above its port a listener of the data plane is.
const offset = 22000

// TestNeighboursAreAnsweredThroughDamage is [TestNoMemberBreaksAnother] with real requests: a few damages, and a server behind every target
// group that says which one it is.
func TestNeighboursAreAnsweredThroughDamage(t *testing.T) {
	t.Parallel()
	for n := range 4 {
		t.Run(fmt.Sprint("world ", n), func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(given[uint64]("seed"), 1<<32+uint64(n)))
			const speed = 50
			w := newWorld(t, r, sim.Options{DataPlane: true, PortOffset: offset, Speed: speed})
			w.sockets = &sockets{world: w, pods: map[string]string{}}
			w.populate(5)
			if err := w.settle(); err != nil {
				t.Fatal(err)
			}
			const each = 25
			all := damages()
			for range each {
				if w.try(all[r.IntN(len(all))]); t.Failed() {
					return
				}
			}
			if w.sockets.asked == 0 {
				t.Error("nobody was asked")
			}
		})
	}
}

// sockets are servers behind the target groups, and a client of the load balancer.
type sockets struct {
	*world

	// pods are addresses by the target groups they are of.
	pods map[string]string
	base map[ask]string
	// asked is how many answers were compared.
	asked int
}

// start puts a server behind each target group, and takes down what requests to all members meet.
func (s *sockets) start(v *view) {
	if s == nil {
		return
	}
	s.Helper()
	s.serve(v)
	s.base = s.answers(v, nil)
	for _, m := range s.members {
		for a, want := range m.wants {
			if got, ok := s.base[a]; ok && got != want && !fits(want, got) {
				s.Fatalf("%s (%v): %v meets %q, want %q", m.name, m.flavours, a, got, want)
			}
		}
	}
}

// compare holds what requests to members meet, but for some.
func (s *sockets) compare(t *trial, now *view) {
	if s == nil {
		return
	}
	t.Helper()
	except := []*member{t.victim}
	for _, e := range t.edits {
		except = append(except, e.m)
	}
	s.serve(now)
	got := s.answers(now, except)
	for a, answer := range got {
		s.asked++
		if answer != s.base[a] {
			t.fault("requests to a neighbour, %v, meet %q, want %q", a, answer, s.base[a])
		}
	}
}

// serve registers a server with each target group that has none: the endpoints of a cluster are none of this test's business.
func (s *sockets) serve(v *view) {
	s.Helper()
	config := s.sim.AWSConfig()
	config.HTTPClient = &http.Client{Transport: rig.InProcess{To: s.sim.Handler()}}
	api := elasticloadbalancingv2.NewFromConfig(config)
	for _, g := range v.stack.TargetGroups {
		if s.pods[string(g.ARN)] != "" {
			continue
		}
		address := fmt.Sprintf("10.0.%d.%d", 128+len(s.pods)/200, 10+len(s.pods)%200)
		s.pods[string(g.ARN)] = address
		at := s.listen(g, v.groups[string(g.ARN)])
		if err := s.sim.SetAddresses(map[string]*string{address: &at}); err != nil {
			s.Fatal(err)
		}
		if _, err := api.RegisterTargets(s.Context(), &elasticloadbalancingv2.RegisterTargetsInput{
			TargetGroupArn: aws.String(string(g.ARN)), Targets: []elbtypes.TargetDescription{{Id: &address}},
		}); err != nil {
			s.Fatal(err)
		}
	}
	s.sim.Settle(s.Context())
}

// listen is a server that answers by the name of its group.
func (s *sockets) listen(g model.TargetGroup, name string) string {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, name) }))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	if g.Protocol == "HTTPS" {
		server.StartTLS()
	} else {
		server.Start()
	}
	s.Cleanup(server.Close)
	return server.Listener.Addr().String()
}

// answers are what requests to all members meet, but for some. Those that come from an address of the VPC cannot be sent.
func (s *sockets) answers(v *view, except []*member) map[ask]string {
	s.Helper()
	all := s.sim.LoadBalancers()
	if len(all) != 1 {
		s.Fatalf("there are %d load balancers", len(all))
	}
	out := map[ask]string{}
	client := s.client(all[0].Address.String())
	defer client.CloseIdleConnections()
	for _, m := range s.members {
		if slices.Contains(except, m) {
			continue
		}
		for a, want := range m.wants {
			if a.from != "" {
				continue
			}
			out[a] = s.answer(client, a, v)
			if strings.Contains(want, "*") && fits(want, out[a]) {
				out[a] = want // any of them
			}
		}
	}
	return out
}

// client opens connections to the load balancer, whatever the name.
func (s *sockets) client(balancer string) *http.Transport {
	dial := func(ctx context.Context, network, address string) (net.Conn, error) {
		_, port, err := net.SplitHostPort(address)
		if err != nil {
			return nil, err
		}
		number, err := strconv.Atoi(port)
		if err != nil {
			return nil, err
		}
		return (&net.Dialer{Timeout: time.Minute}).DialContext(ctx, network, net.JoinHostPort(balancer, strconv.Itoa(number+offset)))
	}
	return &http.Transport{DialContext: dial, TLSClientConfig: &tls.Config{
		InsecureSkipVerify: true, // whose certificate is shown is not what is looked at here
	}}
}

// answer is what a request meets, in words: the status, and the group that answered or the host that it is sent to.
func (s *sockets) answer(client *http.Transport, a ask, v *view) string {
	s.Helper()
	scheme := "http"
	if slices.ContainsFunc(v.stack.Listeners, func(l model.Listener) bool { return l.Port == a.port && l.Protocol == "HTTPS" }) {
		scheme = "https"
	}
	request, err := http.NewRequestWithContext(s.Context(), http.MethodGet, fmt.Sprintf("%s://%s:%d%s", scheme, a.host, a.port, a.path), nil)
	if err != nil {
		s.Fatal(err)
	}
	request.Host = a.host
	got, err := client.RoundTrip(request)
	var alert tls.AlertError
	var broken *net.OpError
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return "refused"
	case errors.As(err, &alert), errors.As(err, &broken):
		return "no handshake"
	case err != nil:
		return err.Error()
	}
	defer func() { _ = got.Body.Close() }()
	body, err := io.ReadAll(got.Body)
	if err != nil {
		return err.Error()
	}
	to, err := url.Parse(got.Header.Get("Location"))
	if err != nil {
		s.Fatal(err)
	}
	said := to.Hostname()
	if got.StatusCode == http.StatusOK {
		said = string(body)
	}
	return strings.TrimSpace(strconv.Itoa(got.StatusCode) + " " + said)
}

// fits tells whether what a request met is what it shall meet by the rules.
func fits(want, got string) bool {
	status, said, _ := strings.Cut(got, " ")
	_, groups, forwards := strings.Cut(want, "forward ")
	switch {
	case strings.HasPrefix(want, "authenticate-"):
		return got == "302 idp.example.com"
	case strings.HasPrefix(want, "jwt-"):
		return status == "401"
	case forwards:
		return got == "no handshake" || status == "200" && strings.Contains(groups, said)
	case strings.HasPrefix(want, "redirect "):
		return got == "302 "+strings.TrimPrefix(want, "redirect ")
	default:
		return got == strings.TrimPrefix(want, "fixed ")
	}
}
