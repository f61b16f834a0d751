package build_test

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"

	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/build"
	"github.com/headgate/headgate/model/intent"
)

// blocks are ranges that cannot be joined: each second /24.
func blocks(n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprintf("10.%d.%d.0/24", i/100, i%100*2)
	}
	return out
}

// halves are ranges of which each two make up one.
func halves(n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprintf("10.%d.%d.%d/25", i/200, i/2%100*2, i%2*128)
	}
	return out
}

func TestSourcesFindRoom(t *testing.T) {
	listen := func(port int, sources ...string) intent.Listener {
		return intent.Listener{Port: port, Protocol: "HTTP", InboundCIDRs: sources}
	}
	listed := listen(80, blocks(30)...)
	listed.PrefixLists = []string{"pl-big"}
	for _, row := range []struct {
		why       string
		listeners []intent.Listener
		edit      func(*model.Facts)
		groups    int
		rules     int
	}{
		{why: "what fits stays as it was written", listeners: []intent.Listener{listen(80, halves(60)...)}, groups: 1, rules: 60},
		{why: "halves are joined where there are too many", listeners: []intent.Listener{listen(80, halves(62)...)}, groups: 1, rules: 31},
		{why: "ports in a row share rules where there are too many",
			listeners: []intent.Listener{listen(80, blocks(40)...), listen(81, blocks(40)...)}, groups: 1, rules: 40},
		{why: "what cannot be said shorter is spread", listeners: []intent.Listener{listen(80, blocks(100)...)}, groups: 2, rules: 100},
		{why: "a prefix list counts as its entries", listeners: []intent.Listener{listed}, groups: 2, rules: 31},
		{why: "one whose size is not known counts as one", listeners: []intent.Listener{listed},
			edit: func(f *model.Facts) { f.PrefixLists = nil }, groups: 1, rules: 31},
		{why: "a group in use shows that the quota is higher", listeners: []intent.Listener{listen(80, blocks(100)...)},
			edit: func(f *model.Facts) { f.Existing = &model.Existing{Scheme: "internal", GroupRules: 120} }, groups: 1, rules: 100},
	} {
		t.Run(row.why, func(t *testing.T) {
			f := facts()
			f.PrefixLists = map[string]model.PrefixList{"pl-big": {MaxEntries: 55}}
			if row.edit != nil {
				row.edit(&f)
			}
			got := build.Build(group(with("web", row.listeners...)), f)
			rules := 0
			for _, g := range got.Stack.SecurityGroups {
				rules += len(g.Ingress)
			}
			same(t, row.why, "groups", len(got.Stack.SecurityGroups), row.groups)
			same(t, row.why, "groups of the load balancer, with the shared one", len(got.Stack.LoadBalancer.SecurityGroups), row.groups+1)
			same(t, row.why, "rules", rules, row.rules)
			same(t, row.why, "findings", len(got.Findings), 0)
			for _, probe := range []string{"10.0.0.7", "10.0.10.200"} {
				same(t, row.why, probe, admitted(got.Stack, 80, probe), covers(row.listeners[0].InboundCIDRs, probe))
			}
		})
	}
}

func admitted(s model.Stack, port int, address string) bool {
	var ranges []string
	for _, g := range s.SecurityGroups {
		for _, p := range g.Ingress {
			if p.FromPort <= port && port <= p.ToPort && p.CIDR != "" {
				ranges = append(ranges, p.CIDR)
			}
		}
	}
	return covers(ranges, address)
}

func covers(ranges []string, address string) bool {
	return slices.ContainsFunc(ranges, func(r string) bool { return netip.MustParsePrefix(r).Contains(netip.MustParseAddr(address)) })
}

// TestSourcesWithoutRoomAreRefused holds that a port is admitted whole or not at all, and that who was there keeps the room.
func TestSourcesWithoutRoomAreRefused(t *testing.T) {
	old := with("old", intent.Listener{Port: 8080, Protocol: "HTTP", InboundCIDRs: blocks(200)})
	newcomer := with("new", intent.Listener{Port: 80, Protocol: "HTTP", InboundCIDRs: blocks(300)})
	in := group(newcomer, old)
	in.Before = []intent.Fragment{old}
	got := build.Build(in, facts())
	if len(got.Findings) != 1 || got.Findings[0].Object != newcomer.Member || got.Findings[0].Reason != "QuotaExceeded" ||
		got.Findings[0].Severity != model.Wrong {
		t.Errorf("findings %+v", got.Findings)
	}
	same(t, "refused", "port 80 of the newcomer", admitted(got.Stack, 80, "10.0.0.7"), false)
	same(t, "stays", "port 8080 of who was there", admitted(got.Stack, 8080, "10.0.0.7"), true)
}

// TestOneRangeMoreMovesFew holds that an edit of many ranges does not shuffle them among the groups.
func TestOneRangeMoreMovesFew(t *testing.T) {
	at := func(n int) map[string]string {
		got := build.Build(group(with("web", intent.Listener{Port: 80, Protocol: "HTTP", InboundCIDRs: blocks(n)})), facts())
		out := map[string]string{}
		for _, g := range got.Stack.SecurityGroups {
			for _, p := range g.Ingress {
				out[p.CIDR] = g.ID
			}
		}
		return out
	}
	before, after := at(150), at(151)
	moved := 0
	for cidr, id := range before {
		if after[cidr] != id {
			moved++
		}
	}
	if len(after) != 151 || moved > 3 {
		t.Errorf("%d of %d ranges moved", moved, len(before))
	}
}
