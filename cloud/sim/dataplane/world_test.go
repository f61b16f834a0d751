package dataplane

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

const (
	groupARN    = "group/one"
	groupTwoARN = "group/two"
)

// world is a data plane under test with one load balancer.
type world struct {
	*Server

	t       testing.TB
	config  Config
	address netip.Addr
}

func newWorld(tb testing.TB, o Options) *world {
	tb.Helper()
	if o.Speed == 0 {
		o.Speed = 500
	}
	w := &world{Server: New(o), t: tb, address: netip.MustParseAddr("127.0.0.1")}
	w.config = Config{
		LoadBalancers: []LoadBalancer{{ARN: "lb", Address: w.address, Attributes: map[string]string{}}},
		TargetGroups:  map[string]TargetGroup{},
	}
	tb.Cleanup(func() {
		if err := w.Close(); err != nil {
			tb.Errorf("closing: %v", err)
		}
	})
	return w
}

// freePort finds a port that nobody listens on. It is free until somebody takes it.
func freePort(tb testing.TB) int {
	tb.Helper()
	var c net.ListenConfig
	l, err := c.Listen(tb.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	defer closeBody(l)
	address, ok := l.Addr().(*net.TCPAddr)
	if !ok {
		tb.Fatal("no TCP address")
	}
	return address.Port
}

// loopback gives the nth loopback address beside the usual one.
func loopback(n int) netip.Addr {
	return netip.AddrFrom4([4]byte{127, 77, byte(n / 256), byte(n % 256)})
}

// listen adds a listener with the rules and applies the configuration. It gives the listener's address.
func (w *world) listen(protocol string, rules ...Rule) string {
	w.t.Helper()
	port := freePort(w.t)
	lb := &w.config.LoadBalancers[0]
	lb.Listeners = append(lb.Listeners, Listener{
		ARN: "listener/" + strconv.Itoa(port), Port: port, Protocol: protocol, Attributes: map[string]string{}, Rules: rules,
	})
	if protocol == "HTTP" {
		w.apply()
	}
	return netip.AddrPortFrom(w.address, uint16(port)).String()
}

func (w *world) listener() *Listener { return &w.config.LoadBalancers[0].Listeners[0] }

func (w *world) apply() {
	w.t.Helper()
	if err := w.update(); err != nil {
		w.t.Fatal(err)
	}
}

// update hands over a copy, because tests go on to change the configuration.
func (w *world) update() error {
	c := Config{LoadBalancers: slices.Clone(w.config.LoadBalancers), TargetGroups: maps.Clone(w.config.TargetGroups)}
	for i := range c.LoadBalancers {
		lb := &c.LoadBalancers[i]
		lb.Attributes = maps.Clone(lb.Attributes)
		lb.Listeners = slices.Clone(lb.Listeners)
		for j := range lb.Listeners {
			lb.Listeners[j].Attributes = maps.Clone(lb.Listeners[j].Attributes)
			lb.Listeners[j].Rules = slices.Clone(lb.Listeners[j].Rules)
		}
	}
	for arn, g := range c.TargetGroups {
		g.Targets = slices.Clone(g.Targets)
		c.TargetGroups[arn] = g
	}
	return w.Update(w.t.Context(), c)
}

// group adds a target group with fast health checks. change may be nil.
func (w *world) group(arn string, change func(*TargetGroup), backends ...string) {
	w.t.Helper()
	g := TargetGroup{
		Settings: elbtypes.TargetGroup{
			TargetGroupArn: aws.String(arn), Protocol: elbtypes.ProtocolEnumHttp, ProtocolVersion: aws.String("HTTP1"),
			HealthCheckProtocol: elbtypes.ProtocolEnumHttp, HealthCheckPort: aws.String("traffic-port"), HealthCheckPath: aws.String("/health"),
			HealthCheckIntervalSeconds: aws.Int32(5), HealthyThresholdCount: aws.Int32(3), UnhealthyThresholdCount: aws.Int32(2),
			Matcher: &elbtypes.Matcher{HttpCode: aws.String("200")},
		},
		Attributes: map[string]string{}, InUse: true,
	}
	for _, b := range backends {
		g.Targets = append(g.Targets, targetAt(w.t, b))
	}
	if change != nil {
		change(&g)
	}
	w.config.TargetGroups[arn] = g
}

func targetAt(tb testing.TB, address string) Target {
	tb.Helper()
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		tb.Fatal(err)
	}
	return Target{ID: at.Addr().String(), Port: int(at.Port()), Zone: "eu-west-1a"}
}

// await waits until every target of a group has a state.
func (w *world) await(arn string, state elbtypes.TargetHealthStateEnum) {
	w.t.Helper()
	w.awaitThat(arn, func(h TargetHealth) bool { return h.State == state })
}

func (w *world) awaitThat(arn string, good func(TargetHealth) bool) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), 20*time.Second)
	defer cancel()
	for {
		all := w.Health(arn)
		fine := len(all) > 0
		for _, h := range all {
			fine = fine && good(h)
		}
		if fine {
			return
		}
		select {
		case <-ctx.Done():
			w.t.Fatalf("targets of %s stay at %+v", arn, all)
		case <-time.After(time.Millisecond):
		}
	}
}

// backend is an HTTP server that names itself and counts its requests.
type backend struct {
	address string
	probes  atomic.Int64
	served  atomic.Int64
	// health is the status of probes.
	health atomic.Int64
}

// newBackend runs a backend. Without a handler it answers with its name.
func newBackend(tb testing.TB, name string, handler http.HandlerFunc) *backend {
	tb.Helper()
	b := &backend{}
	b.health.Store(http.StatusOK)
	server := quietServer(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/health" {
			b.probes.Add(1)
			w.WriteHeader(int(b.health.Load()))
			return
		}
		b.served.Add(1)
		if handler != nil {
			handler(w, r)
			return
		}
		fmt.Fprint(w, name)
	})
	server.Start()
	tb.Cleanup(server.Close)
	b.address = server.Listener.Addr().String()
	return b
}

// quietServer is a server that is not started yet and logs nothing.
func quietServer(handler http.HandlerFunc) *httptest.Server {
	server := httptest.NewUnstartedServer(handler)
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	return server
}

func forwardTo(arns ...string) elbtypes.Action {
	c := &elbtypes.ForwardActionConfig{}
	for _, arn := range arns {
		c.TargetGroups = append(c.TargetGroups, elbtypes.TargetGroupTuple{TargetGroupArn: aws.String(arn), Weight: aws.Int32(1)})
	}
	return elbtypes.Action{Type: elbtypes.ActionTypeEnumForward, ForwardConfig: c}
}

// always is a rule without conditions.
func always(actions ...elbtypes.Action) Rule {
	return Rule{ARN: "rule/default", Actions: actions}
}

// reply is a response that was read whole.
type reply struct {
	*http.Response

	body string
}

// client follows no redirects, and trusts every certificate.
func client(tb testing.TB, protocols ...string) *http.Client {
	tb.Helper()
	transport := &http.Transport{
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true, NextProtos: protocols}, DisableCompression: true, Protocols: new(http.Protocols),
	}
	transport.Protocols.SetHTTP1(true)
	for _, p := range protocols {
		if p == "h2" {
			transport.Protocols.SetHTTP2(true)
		}
	}
	tb.Cleanup(transport.CloseIdleConnections)
	return &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// send makes a request; change may be nil.
func send(tb testing.TB, c *http.Client, url string, change func(*http.Request)) reply {
	tb.Helper()
	r, err := http.NewRequestWithContext(tb.Context(), http.MethodGet, url, http.NoBody)
	if err != nil {
		tb.Fatal(err)
	}
	if change != nil {
		change(r)
	}
	res, err := c.Do(r)
	if err != nil {
		tb.Fatal(err)
	}
	defer closeBody(res.Body)
	body, err := io.ReadAll(res.Body)
	if err != nil {
		tb.Fatal(err)
	}
	return reply{res, string(body)}
}

// try makes a request whose answer does not matter.
func try(c *http.Client, r *http.Request) error {
	res, err := c.Do(r)
	if err != nil {
		return fmt.Errorf("asking: %w", err)
	}
	defer closeBody(res.Body)
	return nil
}

func get(tb testing.TB, url string) reply {
	tb.Helper()
	return send(tb, client(tb), url, nil)
}

// manualClock is a clock that a test moves.
type manualClock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *manualClock) read() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *manualClock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}
