package targets

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	discoveryv1 "k8s.io/api/discovery/v1"

	"github.com/headgate/headgate/model"
)

func TestDesired(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		why       string
		endpoints []string
		failOpen  FailOpen
		gated     string
		want      []string
		// coming is how many there are when all are ready.
		coming int
	}{
		{"ready ones", []string{"10.0.0.2", "10.0.0.1"}, LeaveUnready, "", []string{"10.0.0.1", "10.0.0.2"}, 2},
		{"not those that are not ready", []string{"10.0.0.1", "10.0.0.2 unready"}, RegisterUnready, "", []string{"10.0.0.1"}, 2},
		{"one that terminates goes at once, though it serves", []string{"10.0.0.1", "10.0.0.2 terminating"}, LeaveUnready, "", []string{"10.0.0.1"}, 1},
		{"unless it is the last that serves", []string{"10.0.0.1 unready", "10.0.0.2 terminating"}, LeaveUnready, "", []string{"10.0.0.2"}, 1},
		{"it goes before fail-open", []string{"10.0.0.1 unready", "10.0.0.2 terminating"}, RegisterUnready, "", []string{"10.0.0.2"}, 1},
		{"one that terminates and does not serve never", []string{"10.0.0.1 gone"}, RegisterUnready, "", nil, 0},
		{"nothing is ready, fail-open: all", []string{"10.0.0.1 unready", "10.0.0.2 unready", "10.0.0.3 gone"}, RegisterUnready, "", []string{"10.0.0.1", "10.0.0.2"}, 2},
		{"nothing is ready, fail-closed: none", []string{"10.0.0.1 unready"}, LeaveUnready, "", nil, 1},
		{"waits only for our gate", []string{"10.0.0.1 unready", "10.0.0.2"}, LeaveUnready, "10.0.0.1", []string{"10.0.0.1", "10.0.0.2"}, 2},
		{"none", nil, RegisterUnready, "", nil, 0},
	} {
		all := endpoints([]discoveryv1.EndpointSlice{*slice("a", c.endpoints...)}, port{name: "http", family: discoveryv1.AddressTypeIPv4})
		for i := range all {
			all[i].pod = all[i].target.ID
		}
		var got []string
		for _, target := range desired(all, func(e endpoint) bool { return c.gated != "" && e.pod == c.gated }, c.failOpen) {
			got = append(got, target.ID)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: %s", c.why, diff)
		}
		if got := (wish{all: all}).coming(); got != c.coming {
			t.Errorf("%s: %d are or will be ready, want %d", c.why, got, c.coming)
		}
	}
}

func TestEndpointsOfSeveralSlices(t *testing.T) {
	t.Parallel()
	moved := []discoveryv1.EndpointSlice{*slice("a", "10.0.0.1 terminating", "10.0.0.2"), *slice("b", "10.0.0.1", "10.0.0.2 unready")}
	six := *slice("six", "10.0.0.9")
	six.AddressType = discoveryv1.AddressTypeIPv6
	other := *slice("other", "10.0.0.8")
	name := "grpc"
	other.Ports[0].Name = &name
	moved = append(moved, six, other)
	p := port{name: "http", family: discoveryv1.AddressTypeIPv4}
	got := endpoints(moved, p)
	slices.Reverse(moved)
	if diff := cmp.Diff(got, endpoints(moved, p), cmp.AllowUnexported(endpoint{})); diff != "" {
		t.Errorf("invariant 10: the order of slices matters: %s", diff)
	}
	if len(got) != 2 || !got[0].ready || !got[1].ready {
		t.Errorf("while an endpoint moves between slices the better word counts; other ports and families do not: %+v", got)
	}
}

func TestDiff(t *testing.T) {
	t.Parallel()
	target := func(id string, port int) model.Target { return model.Target{ID: id, Port: port} }
	for _, c := range []struct {
		why         string
		want, known []model.Target
		diff        change
	}{
		{"equal", []model.Target{target("a", 1)}, []model.Target{{ID: "a", Port: 1, Zone: "all"}}, change{}},
		{"another port is another target", []model.Target{target("a", 2)}, []model.Target{target("a", 1)},
			change{register: []model.Target{target("a", 2)}, deregister: []model.Target{target("a", 1)}}},
		{"nothing known", []model.Target{target("a", 1)}, nil, change{register: []model.Target{target("a", 1)}}},
		{"what goes keeps its zone: AWS asks for it", nil, []model.Target{{ID: "a", Port: 1, Zone: "all"}},
			change{deregister: []model.Target{{ID: "a", Port: 1, Zone: "all"}}}},
	} {
		if diff := cmp.Diff(c.diff, diff(c.want, c.known), cmp.AllowUnexported(change{})); diff != "" {
			t.Errorf("%s: %s", c.why, diff)
		}
	}
}

func TestNextPoll(t *testing.T) {
	t.Parallel()
	well := []model.TargetHealth{{State: "healthy"}}
	ill := []model.TargetHealth{{State: "healthy"}, {State: "unhealthy"}}
	for _, c := range []struct {
		why     string
		last    time.Duration
		health  []model.TargetHealth
		changed bool
		want    time.Duration
	}{
		{"after a start all is well: no hurry", 0, well, true, 5 * time.Minute},
		{"after a start something is not", 0, ill, true, 10 * time.Second},
		{"something changed", time.Minute, well, true, 10 * time.Second},
		{"something changed while a pod waits", time.Second, ill, true, time.Second},
		{"nothing changed", 4 * time.Second, ill, false, 8 * time.Second},
		{"what is ill is looked at as often as the setting says", time.Minute, ill, false, 15 * time.Second},
		{"what is well every five minutes", 4 * time.Minute, well, false, 5 * time.Minute},
	} {
		if got := (&Reconciler{opts: Options{Poll: pollPending}}).nextPoll(c.last, c.health, c.changed); got != c.want {
			t.Errorf("%s: %s, want %s", c.why, got, c.want)
		}
	}
}
