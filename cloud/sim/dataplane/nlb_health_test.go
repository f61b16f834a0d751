package dataplane

import (
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

const unhealthy = elbtypes.TargetHealthStateEnumUnhealthy

// change alters the first group and applies it.
func (w *world) change(change func(*TargetGroup)) {
	w.t.Helper()
	g := w.config.TargetGroups[groupARN]
	change(&g)
	w.config.TargetGroups[groupARN] = g
	w.apply()
}

// patient lets connections be idle for longer than a test lasts, so that what resets them is something else.
func (w *world) patient() { w.listener().Attributes["tcp.idle_timeout.seconds"] = "600000" }

func TestNLBDeregistration(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ why, terminate, connection, flow string }{
		{"connections finish in their own time", "false", "one 127.0.0.1 c", "one 127.0.0.1 c"},
		{"unless they are to be cut", "true", "reset", "two 127.0.0.1 c"},
	} {
		t.Run(row.why, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, Options{})
			one, two := serveDatagrams(t, "one"), serveDatagrams(t, "two")
			w.flows(groupARN, "TCP_UDP", attribute("deregistration_delay.connection_termination.enabled", row.terminate), one)
			at := w.listen("TCP_UDP", always(forwardTo(groupARN)))
			w.patient()
			w.apply()
			w.await(groupARN, healthy)
			c, flow := talk(t, at), sender(t, netip.Addr{}, at)
			want(t, "before", c.say("a"), "one 127.0.0.1 a")
			want(t, "before", flow.ask("a"), "one 127.0.0.1 a")
			w.change(func(g *TargetGroup) {
				g.Targets = []Target{g.Targets[0], targetAt(t, two)}
				g.Targets[0].Draining = true
			})
			w.awaitThat(groupARN, func(h TargetHealth) bool { return h.State == healthy || h.Target.Draining })
			want(t, "while it drains", c.say("b"), "one 127.0.0.1 b")
			want(t, "while it drains", flow.ask("b"), "one 127.0.0.1 b")
			want(t, "a new connection", talk(t, at).say("b"), "two 127.0.0.1 b")
			w.change(func(g *TargetGroup) { g.Targets = g.Targets[1:] })
			want(t, "after the delay", c.sayUnless(row.connection, "c"), row.connection)
			if row.terminate == "true" {
				w.awaitIdle() // the end of a flow is told to nobody
			}
			want(t, "after the delay", flow.ask("c"), row.flow)
		})
	}
}

// awaitIdle waits until the port remembers no flow of datagrams.
func (w *world) awaitIdle() {
	w.t.Helper()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		n := 0
		for _, p := range w.ports {
			n += p.datagrams.count()
		}
		if n == 0 {
			return
		}
	}
	w.t.Fatal("flows go on")
}

func TestNLBUnhealthyTargets(t *testing.T) {
	t.Parallel()
	const cut, drain = "target_health_state.unhealthy.connection_termination.enabled", "target_health_state.unhealthy.draining_interval_seconds"
	for _, row := range []struct {
		why        string
		attributes map[string]string
		others     bool
		state      elbtypes.TargetHealthStateEnum
		want       string
	}{
		{"connections are cut", nil, true, unhealthy, "reset"},
		{"not where all targets are ill and take everything", nil, false, unhealthy, "one 127.0.0.1 b"},
		{"not where that is switched off", map[string]string{cut: "false"}, true, unhealthy, "one 127.0.0.1 b"},
		{
			"they may last while the target drains", map[string]string{cut: "false", drain: "36000"}, true,
			elbtypes.TargetHealthStateEnumUnhealthyDraining, "one 127.0.0.1 b",
		},
		{"and are cut then", map[string]string{cut: "false", drain: "10"}, true, unhealthy, "reset"},
	} {
		t.Run(row.why, func(t *testing.T) {
			t.Parallel()
			one := &switchable{address: serveLines(t, "one")}
			w := newWorld(t, Options{Dial: behindSwitch(one)})
			w.flows(groupARN, "TCP", func(g *TargetGroup) { g.Attributes = row.attributes }, one.address)
			at := w.listen("TCP", always(forwardTo(groupARN)))
			w.patient()
			w.apply()
			w.await(groupARN, healthy)
			c := talk(t, at)
			want(t, "before", c.say("a"), "one 127.0.0.1 a")
			if row.others {
				w.change(func(g *TargetGroup) { g.Targets = append(g.Targets, targetAt(t, serveLines(t, "two"))) })
				w.await(groupARN, healthy)
			}
			one.down.Store(true)
			w.awaitThat(groupARN, func(h TargetHealth) bool {
				return h.State == row.state || h.Target != w.config.TargetGroups[groupARN].Targets[0]
			})
			want(t, "once the target is ill", c.sayUnless(row.want, "b"), row.want)
			if row.others {
				want(t, "new connections go elsewhere", talk(t, at).say("c"), "two 127.0.0.1 c")
				return
			}
			one.down.Store(false)
			want(t, "and take new ones", talk(t, at).say("c"), "one 127.0.0.1 c")
		})
	}
}

func TestNLBThresholds(t *testing.T) {
	t.Parallel()
	well, ill := (*failure)(nil), &failure{elbtypes.TargetHealthReasonEnumFailedHealthChecks, "Health checks failed"}
	c := newCheck(New(Options{}), &TargetGroup{Settings: elbtypes.TargetGroup{
		Protocol: elbtypes.ProtocolEnumTcp, HealthyThresholdCount: aws.Int32(3), UnhealthyThresholdCount: aws.Int32(2),
	}})
	const initial = elbtypes.TargetHealthStateEnumInitial
	for _, row := range []struct {
		why     string
		results []*failure
		want    elbtypes.TargetHealthStateEnum
	}{
		{"a new target needs as many successes as one that was ill", []*failure{well, well}, initial},
		{"in a row", []*failure{well, well, ill, well, well}, initial},
		{"then it is well", []*failure{well, well, well}, healthy},
		{"or ill", []*failure{well, ill, ill}, unhealthy},
	} {
		h := health{state: initial}
		for _, r := range row.results {
			h.learn(r, c)
		}
		if h.state != row.want {
			t.Errorf("%s: %s, want %s", row.why, h.state, row.want)
		}
	}
}

func TestNLBProbes(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		why, protocol, path string
		secure              bool
		reason              elbtypes.TargetHealthReasonEnum
	}{
		{"TCP connects", "TCP", "", false, ""},
		{"HTTP asks", "HTTP", "/fine", false, ""},
		{"HTTPS asks, whatever the certificate", "HTTPS", "/fine", true, ""},
		{"redirects are fine where the matcher says so", "HTTP", "/moved", false, ""},
		{"other codes are not", "HTTP", "/broken", false, elbtypes.TargetHealthReasonEnumResponseCodeMismatch},
		{"no answer", "HTTPS", "/fine", false, elbtypes.TargetHealthReasonEnumFailedHealthChecks},
	} {
		t.Run(row.why, func(t *testing.T) {
			t.Parallel()
			hosts := make(chan string, 1000)
			server := quietServer(func(w http.ResponseWriter, r *http.Request) {
				select {
				case hosts <- r.Host + " " + r.UserAgent():
				default:
				}
				w.WriteHeader(map[string]int{"/moved": 302, "/broken": 500}[r.URL.Path] + map[string]int{"/fine": 200}[r.URL.Path])
			})
			if row.secure {
				server.StartTLS()
			} else {
				server.Start()
			}
			t.Cleanup(server.Close)
			w := newWorld(t, Options{})
			w.flows(groupARN, "TCP", func(g *TargetGroup) {
				g.Settings.HealthCheckProtocol = elbtypes.ProtocolEnum(row.protocol)
				if row.path != "" {
					g.Settings.HealthCheckPath, g.Settings.Matcher = aws.String(row.path), &elbtypes.Matcher{HttpCode: aws.String("200-399")}
				}
			}, server.Listener.Addr().String())
			at := w.listen("TCP", always(forwardTo(groupARN)))
			w.apply()
			state := unhealthy
			if row.reason == "" {
				state = healthy
			}
			w.awaitThat(groupARN, func(h TargetHealth) bool { return h.State == state && h.Reason == row.reason })
			if row.path != "" && row.reason == "" {
				want(t, "it asks for the listener", <-hosts, at+" ELB-HealthChecker/2.0")
			}
		})
	}
}

func TestNLBFailsOpen(t *testing.T) {
	t.Parallel()
	one, two := &switchable{address: serveLines(t, "one")}, &switchable{address: serveLines(t, "two")}
	w := newWorld(t, Options{Dial: behindSwitch(one, two)})
	w.flows(groupARN, "TCP", nil, one.address, two.address)
	at := w.listen("TCP", always(forwardTo(groupARN)))
	one.down.Store(true)
	two.down.Store(true)
	w.apply()
	w.await(groupARN, unhealthy)
	w.change(func(g *TargetGroup) { g.Settings.HealthCheckIntervalSeconds = aws.Int32(30000) }) // so that they stay ill
	one.down.Store(false)
	two.down.Store(false)
	names := map[string]bool{}
	for range 40 {
		names[talk(t, at).say("a")] = true
	}
	delete(names, "reset") // a probe may have been under way
	if len(names) != 2 {
		t.Errorf("served by %v", names)
	}
}

func TestNLBZones(t *testing.T) {
	t.Parallel()
	one, two := &switchable{address: serveLines(t, "one")}, &switchable{address: serveLines(t, "two")}
	w := newWorld(t, Options{Dial: behindSwitch(one, two)})
	w.config.LoadBalancers[0].Zones = []string{"a", "b", "c"}
	w.flows(groupARN, "TCP", func(g *TargetGroup) {
		g.Attributes = map[string]string{
			"load_balancing.cross_zone.enabled": "false", "target_group_health.dns_failover.minimum_healthy_targets.count": "1",
		}
		g.Targets[0].Zone, g.Targets[1].Zone = "a", "b"
	}, one.address, two.address)
	at := w.listen("TCP", always(forwardTo(groupARN)))
	w.apply()
	w.await(groupARN, healthy)
	served := func() string {
		names := map[string]bool{}
		for range 10 {
			names[talk(t, at).say("a")] = true
		}
		var all []string
		for _, name := range []string{"one 127.0.0.1 a", "two 127.0.0.1 a", "reset"} {
			if names[name] {
				all = append(all, strings.Fields(name)[0])
			}
		}
		return strings.Join(all, " ")
	}
	want(t, "a zone without targets is not in DNS", served(), "one two")
	one.down.Store(true)
	w.awaitThat(groupARN, func(h TargetHealth) bool {
		return h.State == map[string]elbtypes.TargetHealthStateEnum{"a": unhealthy, "b": healthy}[h.Target.Zone]
	})
	want(t, "nor is one without healthy targets", served(), "two")
	two.down.Store(true)
	w.await(groupARN, unhealthy)
	w.change(func(g *TargetGroup) { g.Settings.HealthCheckIntervalSeconds = aws.Int32(30000) }) // so that they stay ill
	one.down.Store(false)
	two.down.Store(false)
	want(t, "where all are ill, zones with targets", served(), "one two")
	w.change(func(g *TargetGroup) {
		g.Targets = []Target{g.Targets[1]}
		g.Targets[0].Zone = everywhere
	})
	want(t, "a target may serve all zones", served(), "two")
}
