package dataplane

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/google/go-cmp/cmp"
)

// state is a target's health without the target.
type state struct {
	State       elbtypes.TargetHealthStateEnum
	Reason      elbtypes.TargetHealthReasonEnum
	Description string
}

func (w *world) states(arn string) []state {
	w.t.Helper()
	var all []state
	for _, h := range w.Health(arn) {
		all = append(all, state{h.State, h.Reason, h.Description})
	}
	return all
}

func TestProbesFindWhatIsWrong(t *testing.T) {
	t.Parallel()
	answering := func(handler http.HandlerFunc) func(*testing.T) string {
		return func(t *testing.T) string {
			t.Helper()
			server := quietServer(handler)
			server.Start()
			t.Cleanup(server.Close)
			return server.Listener.Addr().String()
		}
	}
	status := func(code int) func(*testing.T) string {
		return answering(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "/elsewhere")
			w.WriteHeader(code)
		})
	}
	healthy := state{State: elbtypes.TargetHealthStateEnumHealthy}
	mismatch := func(code int) state {
		return state{
			elbtypes.TargetHealthStateEnumUnhealthy, elbtypes.TargetHealthReasonEnumResponseCodeMismatch,
			fmt.Sprintf("Health checks failed with these codes: [%d]", code),
		}
	}
	failed := state{elbtypes.TargetHealthStateEnumUnhealthy, elbtypes.TargetHealthReasonEnumFailedHealthChecks, "Health checks failed"}
	for _, row := range []struct {
		why    string
		target func(*testing.T) string
		change func(*elbtypes.TargetGroup)
		want   state
	}{
		{"200 is well by default", status(200), func(g *elbtypes.TargetGroup) { g.Matcher = nil }, healthy},
		{"another code is not", status(404), nil, mismatch(404)},
		{"the matcher has ranges and lists", status(404), func(g *elbtypes.TargetGroup) { g.Matcher.HttpCode = aws.String("200,301-302, 400-410") }, healthy},
		{"redirects are not followed", status(302), nil, mismatch(302)},
		{
			"nobody listens", func(t *testing.T) string {
				t.Helper()
				return netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), uint16(freePort(t))).String()
			},
			nil, failed,
		},
		{"the address cannot be reached", func(*testing.T) string { return "192.0.2.1:80" }, nil, failed},
		{
			"no answer in time", answering(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }),
			func(g *elbtypes.TargetGroup) {
				g.HealthCheckTimeoutSeconds, g.UnhealthyThresholdCount = aws.Int32(1), aws.Int32(1)
			},
			state{elbtypes.TargetHealthStateEnumUnhealthy, elbtypes.TargetHealthReasonEnumTimeout, "Request timed out"},
		},
		{"TCP only connects", status(500), func(g *elbtypes.TargetGroup) { g.HealthCheckProtocol = elbtypes.ProtocolEnumTcp }, healthy},
		{
			"HTTPS in clear", status(200), func(g *elbtypes.TargetGroup) { g.HealthCheckProtocol = elbtypes.ProtocolEnumHttps },
			failed,
		},
		{"HTTPS with any certificate", func(t *testing.T) string {
			t.Helper()
			server := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
			t.Cleanup(server.Close)
			return server.Listener.Addr().String()
		}, func(g *elbtypes.TargetGroup) { g.HealthCheckProtocol = elbtypes.ProtocolEnumHttps }, healthy},
	} {
		t.Run(row.why, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, Options{})
			w.group(groupARN, func(g *TargetGroup) {
				if row.change != nil {
					row.change(&g.Settings)
				}
			}, row.target(t))
			w.apply()
			w.await(groupARN, row.want.State)
			if diff := cmp.Diff([]state{row.want}, w.states(groupARN)); diff != "" {
				t.Errorf("health (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAProbeLooksLikeALoadBalancers(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	seen := make(chan *http.Request, 100)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case seen <- r:
		default:
		}
	}))
	t.Cleanup(server.Close)
	at, err := netip.ParseAddrPort(server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	w.group(groupARN, func(g *TargetGroup) {
		g.Settings.HealthCheckPath = aws.String("/ready?deep=1")
		g.Settings.HealthCheckPort = aws.String(strconv.Itoa(int(at.Port())))
	}, "127.0.0.1:1")
	w.apply()
	first, second := <-seen, <-seen
	want := map[string]string{
		"request": "GET /ready?deep=1 HTTP/1.1", "host": at.String(), "agent": "ELB-HealthChecker/2.0", "encoding": "",
	}
	got := map[string]string{
		"request": first.Method + " " + first.RequestURI + " " + first.Proto, "host": first.Host, "agent": first.UserAgent(),
		"encoding": first.Header.Get("Accept-Encoding"),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("probe (-want +got):\n%s", diff)
	}
	if !first.Close || first.RemoteAddr == second.RemoteAddr {
		t.Error("two probes share a connection")
	}
}

func TestThresholds(t *testing.T) {
	t.Parallel()
	well, ill := (*failure)(nil), &failure{elbtypes.TargetHealthReasonEnumTimeout, "Request timed out"}
	const (
		initial   = elbtypes.TargetHealthStateEnumInitial
		healthy   = elbtypes.TargetHealthStateEnumHealthy
		unhealthy = elbtypes.TargetHealthStateEnumUnhealthy
	)
	c := check{healthyAfter: 3, unhealthyAfter: 2}
	for _, row := range []struct {
		why     string
		start   elbtypes.TargetHealthStateEnum
		results []*failure
		want    elbtypes.TargetHealthStateEnum
	}{
		{"a new target needs one success", initial, []*failure{well}, healthy},
		{"one failure leaves it new", initial, []*failure{ill}, initial},
		{"also after a failure one success is enough", initial, []*failure{ill, well}, healthy},
		{"a new target can turn out ill", initial, []*failure{ill, ill}, unhealthy},
		{"one failure is forgiven", healthy, []*failure{ill, well, ill, well}, healthy},
		{"failures in a row are not", healthy, []*failure{well, ill, ill}, unhealthy},
		{"an ill target needs several successes", unhealthy, []*failure{ill, well, well}, unhealthy},
		{"in a row", unhealthy, []*failure{well, well, ill, well, well}, unhealthy},
		{"then it is well", unhealthy, []*failure{well, well, well}, healthy},
	} {
		t.Run(row.why, func(t *testing.T) {
			t.Parallel()
			h := health{state: row.start}
			for _, r := range row.results {
				h.learn(r, c)
			}
			if h.state != row.want {
				t.Errorf("state %s, want %s", h.state, row.want)
			}
		})
	}
}

func TestOnlyHealthyTargetsGetRequestsUnlessAllAreIll(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	one, two := newBackend(t, "one", nil), newBackend(t, "two", nil)
	two.health.Store(http.StatusServiceUnavailable)
	w.group(groupARN, nil, one.address, two.address)
	at := w.listen("HTTP", always(forwardTo(groupARN)))
	w.awaitThat(groupARN, func(h TargetHealth) bool { return h.State != elbtypes.TargetHealthStateEnumInitial })
	for range 4 {
		if got := get(t, "http://"+at).body; got != "one" {
			t.Fatalf("%q answered, which is ill", got)
		}
	}
	one.health.Store(http.StatusServiceUnavailable)
	w.await(groupARN, elbtypes.TargetHealthStateEnumUnhealthy)
	seen := map[string]bool{}
	for range 4 {
		seen[get(t, "http://"+at).body] = true
	}
	if len(seen) != 2 {
		t.Errorf("all are ill, so all get requests; answered: %v", seen)
	}
	two.health.Store(http.StatusOK)
	w.awaitThat(groupARN, func(h TargetHealth) bool {
		return (h.State == elbtypes.TargetHealthStateEnumHealthy) == (targetAt(t, two.address).Port == h.Target.Port)
	})
	if got := get(t, "http://"+at).body; got != "two" {
		t.Errorf("%q answered, only the other is well again", got)
	}
}

func TestStatesThatNeedNoProbe(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	b := newBackend(t, "one", nil)
	w.group(groupARN, func(g *TargetGroup) { g.InUse = false }, b.address)
	w.group(groupTwoARN, func(g *TargetGroup) { g.Settings.HealthCheckEnabled = aws.Bool(false) }, b.address)
	w.group("group/draining", func(g *TargetGroup) { g.Targets[0].Draining = true }, b.address)
	w.apply()
	for arn, want := range map[string]state{
		groupARN: {
			elbtypes.TargetHealthStateEnumUnused, elbtypes.TargetHealthReasonEnumNotInUse,
			"Target group is not configured to receive traffic from the load balancer",
		},
		groupTwoARN: {
			elbtypes.TargetHealthStateEnumUnavailable, elbtypes.TargetHealthReasonEnumHealthCheckDisabled, "Health checks are disabled",
		},
		"group/draining": {
			elbtypes.TargetHealthStateEnumDraining, elbtypes.TargetHealthReasonEnumDeregistrationInProgress, "Target deregistration is in progress",
		},
	} {
		if diff := cmp.Diff([]state{want}, w.states(arn)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", arn, diff)
		}
	}
	if n := w.planned(groupARN, groupTwoARN, "group/draining"); n != 0 {
		t.Errorf("%d probes are planned", n)
	}
	w.group(groupARN, nil, b.address)
	w.apply()
	w.await(groupARN, elbtypes.TargetHealthStateEnumHealthy)
	w.group(groupARN, func(g *TargetGroup) { g.InUse = false }, b.address)
	w.apply()
	if n := w.planned(groupARN); n != 0 {
		t.Errorf("a group that is no longer in use has %d probes planned", n)
	}
	if w.Health("group/unknown") != nil {
		t.Error("health of a group that is not there")
	}
}

// planned counts the targets that will be probed.
func (w *world) planned(arns ...string) int {
	n := 0
	for _, arn := range arns {
		g := w.current.Load().groups[arn]
		g.mu.Lock()
		for _, t := range g.order {
			if t.timer != nil {
				n++
			}
		}
		g.mu.Unlock()
	}
	return n
}

func TestANewTargetSaysThatItIsRegistering(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{Speed: 0.001})
	w.group(groupARN, nil, "127.0.0.1:1")
	w.apply()
	want := []state{{
		elbtypes.TargetHealthStateEnumInitial, elbtypes.TargetHealthReasonEnumRegistrationInProgress, "Target registration is in progress",
	}}
	if diff := cmp.Diff(want, w.states(groupARN)); diff != "" {
		t.Errorf("health (-want +got):\n%s", diff)
	}
}

func TestHealthOutlivesUpdates(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{Speed: 50})
	one, two := newBackend(t, "one", nil), newBackend(t, "two", nil)
	w.group(groupARN, nil, one.address)
	w.apply()
	w.await(groupARN, elbtypes.TargetHealthStateEnumHealthy)
	w.group(groupARN, nil, two.address, one.address)
	w.apply()
	all := w.Health(groupARN)
	want := map[int]elbtypes.TargetHealthStateEnum{
		targetAt(t, one.address).Port: elbtypes.TargetHealthStateEnumHealthy, targetAt(t, two.address).Port: elbtypes.TargetHealthStateEnumInitial,
	}
	got := map[int]elbtypes.TargetHealthStateEnum{}
	for _, h := range all {
		got[h.Target.Port] = h.State
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("right after the update (-want +got):\n%s", diff)
	}
	w.group(groupARN, func(g *TargetGroup) { g.Targets[0].Draining = true }, one.address)
	w.apply()
	w.group(groupARN, nil, one.address)
	w.apply()
	if got := w.Health(groupARN)[0].State; got != elbtypes.TargetHealthStateEnumInitial {
		t.Errorf("a target that was registered again is %s", got)
	}
}

func TestTargetsAreReachedThroughTheDialler(t *testing.T) {
	t.Parallel()
	b := newBackend(t, "one", nil)
	w := newWorld(t, Options{Dial: func(ctx context.Context, network string, target netip.AddrPort) (net.Conn, error) {
		if target != netip.MustParseAddrPort("10.0.1.15:8080") {
			return nil, &net.AddrError{Err: "no such pod", Addr: target.String()}
		}
		var d net.Dialer
		return d.DialContext(ctx, network, b.address)
	}})
	w.group(groupARN, nil, "10.0.1.15:8080")
	w.group(groupTwoARN, func(g *TargetGroup) {
		g.Targets[0] = Target{ID: "i-0123456789abcdef0", Port: 8080, Address: netip.MustParseAddr("10.0.1.15")}
	}, "10.0.1.15:8080")
	at := w.listen("HTTP", always(weighted(1, 1, false)))
	w.await(groupARN, elbtypes.TargetHealthStateEnumHealthy)
	w.await(groupTwoARN, elbtypes.TargetHealthStateEnumHealthy)
	for range 2 {
		if got := get(t, "http://"+at).body; got != "one" {
			t.Errorf("got %q", got)
		}
	}
}

func TestSpeedDoesNotShortenRealWorkTooFar(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{Speed: 100})
	for _, row := range []struct {
		why                 string
		given, floor, wants time.Duration
	}{
		{"scaled where there is room", 1000 * time.Second, time.Second, 10 * time.Second},
		{"down to the floor", 60 * time.Second, 5 * time.Second, 5 * time.Second},
		{"what is shorter than the floor stays", 2 * time.Second, 5 * time.Second, 2 * time.Second},
	} {
		if got := w.atLeast(row.given, row.floor); got != row.wants {
			t.Errorf("%s: %s, want %s", row.why, got, row.wants)
		}
	}
}
