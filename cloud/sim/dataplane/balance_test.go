package dataplane

import (
	"net/http"
	"testing"
	"time"

	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// healthyTargets makes targets that are healthy.
func healthyTargets(ids ...string) []*target {
	var all []*target
	for _, id := range ids {
		t := &target{key: targetKey{id, 1}}
		t.set(elbtypes.TargetHealthStateEnumHealthy, "", "")
		all = append(all, t)
	}
	return all
}

func TestSlowStart(t *testing.T) {
	t.Parallel()
	clock := &manualClock{now: time.Unix(1e9, 0)}
	g := &group{server: New(Options{Now: clock.read})}
	s := &groupSettings{algorithm: roundRobin, slowStart: 100 * time.Second}
	g.order = healthyTargets("old", "new")
	g.begin(g.order[1], s)
	share := func() int {
		n := 0
		for range 1100 {
			if g.pick(g.order, s) == g.order[1] {
				n++
			}
		}
		return n
	}
	for _, row := range []struct {
		why         string
		after       time.Duration
		least, most int
	}{
		{"nothing at first", 0, 0, 0},
		{"a tenth of the weight after a tenth of the time", 10 * time.Second, 95, 105},
		{"half of it", 40 * time.Second, 360, 373},
		{"all of it", 50 * time.Second, 549, 551},
	} {
		clock.advance(row.after)
		if got := share(); got < row.least || got > row.most {
			t.Errorf("%s: %d of 1100, want %d to %d", row.why, got, row.least, row.most)
		}
	}
	for _, row := range []struct {
		why  string
		prep func()
		want bool
	}{
		{"beside one that has its full share", func() {}, true},
		{"beside one that starts slowly too", func() { g.order[0].ramp.Store(clock.read().UnixNano()) }, false},
		{"beside one that is ill", func() {
			g.order[0].ramp.Store(0)
			g.order[0].set(elbtypes.TargetHealthStateEnumUnhealthy, "", "")
		}, false},
	} {
		row.prep()
		g.begin(g.order[1], s)
		if got := g.order[1].ramp.Load() != 0; got != row.want {
			t.Errorf("%s: starts slowly is %v, want %v", row.why, got, row.want)
		}
	}
}

func TestAnomaliesAreFoundAndMitigated(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		why                  string
		targets              []string
		mitigate             bool
		anomalous, mitigated bool
	}{
		{"one of three fails", []string{"bad", "b", "c"}, true, true, true},
		{"found, but nothing is done", []string{"bad", "b", "c"}, false, true, false},
		{"two are too few to compare", []string{"bad", "b"}, true, false, false},
		{"all fail alike", []string{"bad", "bad", "bad"}, true, false, false},
	} {
		t.Run(row.why, func(t *testing.T) {
			t.Parallel()
			clock := &manualClock{now: time.Unix(1e9, 0)}
			g := &group{server: New(Options{Now: clock.read, Speed: 1})}
			s := &groupSettings{algorithm: weightedRandom, mitigate: row.mitigate}
			g.order = healthyTargets(row.targets...)
			for range 300 {
				one := g.pick(g.order, s)
				g.count(one, one.key.id == "bad")
			}
			clock.advance(anomalyWindow + time.Second)
			g.count(g.order[1], false)
			found := g.order[0].tally.describe(s)
			if got := found.Result == elbtypes.AnomalyResultEnumAnomalous; got != row.anomalous {
				t.Errorf("found %+v", found)
			}
			if got := found.MitigationInEffect == elbtypes.MitigationInEffectEnumYes; got != row.mitigated {
				t.Errorf("found %+v", found)
			}
			n := 0
			for range 2100 {
				if g.pick(g.order, s) == g.order[0] {
					n++
				}
			}
			if few := n < 150; few != row.mitigated {
				t.Errorf("the first target gets %d of 2100", n)
			}
			for range 3 { // well again
				clock.advance(anomalyWindow + time.Second)
				g.count(g.order[0], false)
			}
			if g.order[0].tally.anomalous.Load() {
				t.Error("it stays anomalous after doing well")
			}
		})
	}
}

func TestRequestsStayInTheirZone(t *testing.T) {
	t.Parallel()
	a, b := newBackend(t, "a", nil), newBackend(t, "b", nil)
	for _, row := range []struct {
		why, cross string
		want       map[string]int
	}{
		{"by default zones do not matter", "use_load_balancer_configuration", map[string]int{"a": 3, "b": 3}},
		{"a zone without targets answers 503", "false", map[string]int{"a": 2, "b": 2, "503": 2}},
	} {
		t.Run(row.why, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, Options{})
			w.config.LoadBalancers[0].Zones = []string{"z1", "z2", "z3"}
			w.group(groupARN, func(g *TargetGroup) {
				g.Attributes["load_balancing.cross_zone.enabled"] = row.cross
				g.Targets[0].Zone, g.Targets[1].Zone = "z1", "z2"
			}, a.address, b.address)
			at := w.listen("HTTP", always(forwardTo(groupARN)))
			w.await(groupARN, elbtypes.TargetHealthStateEnumHealthy)
			got := map[string]int{}
			for range 6 {
				reply := get(t, "http://"+at) // each with a connection of its own
				if reply.StatusCode == http.StatusServiceUnavailable {
					reply.body = "503"
				}
				got[reply.body]++
			}
			for name, n := range row.want {
				if got[name] != n {
					t.Errorf("answers %v, want %v", got, row.want)
				}
			}
		})
	}
}

func TestZonesLeaveDNSAndFailOpen(t *testing.T) {
	t.Parallel()
	a, b := newBackend(t, "a", nil), newBackend(t, "b", nil)
	b.health.Store(http.StatusInternalServerError)
	w := newWorld(t, Options{})
	w.config.LoadBalancers[0].Zones = []string{"z1", "z2"}
	zonal := func(dns string) func(g *TargetGroup) {
		return func(g *TargetGroup) {
			g.Attributes["load_balancing.cross_zone.enabled"] = "false"
			g.Attributes["target_group_health.dns_failover.minimum_healthy_targets.count"] = dns
			g.Targets[0].Zone, g.Targets[1].Zone = "z1", "z2"
		}
	}
	w.group(groupARN, zonal("1"), a.address, b.address)
	at := w.listen("HTTP", always(forwardTo(groupARN)))
	w.awaitThat(groupARN, func(h TargetHealth) bool {
		return h.State == elbtypes.TargetHealthStateEnumHealthy || h.State == elbtypes.TargetHealthStateEnumUnhealthy
	})
	count := func() map[string]int {
		got := map[string]int{}
		for range 4 {
			got[get(t, "http://"+at).body]++
		}
		return got
	}
	if got := count(); got["a"] != 4 {
		t.Errorf("a zone with too few healthy targets is in DNS: %v", got)
	}
	w.group(groupARN, zonal("off"), a.address, b.address)
	w.apply()
	if got := count(); got["a"] != 2 || got["b"] != 2 {
		t.Errorf("without the threshold each zone serves, the ill one openly: %v", got)
	}
}
