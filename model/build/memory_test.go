package build_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/build"
	"github.com/headgate/headgate/model/intent"
)

// crowd is a Gateway with n members, each with a route of its own.
func crowd(n int) (intent.Intent, model.Facts) {
	in := group(intent.Fragment{Member: member("edge"), Listeners: []intent.Listener{{Port: 80, Protocol: "HTTP"}}})
	in.Order = intent.BySpecificity
	for i := range n {
		in.Fragments = append(in.Fragments, alone(i))
	}
	f := facts()
	f.Quotas = model.Quotas{RulesPerLoadBalancer: 5000, TargetGroupsPerLoadBalancer: 5000}
	return in, f
}

func alone(i int) intent.Fragment {
	name := "app-" + strconv.Itoa(i)
	r := route(name+".example.com", "/", name)
	return intent.Fragment{Member: member(name), Routes: []intent.Route{r}}
}

// TestMemoryCompilesWhatChanged counts how many routes are compiled for a change.
func TestMemoryCompilesWhatChanged(t *testing.T) {
	t.Parallel()
	const many = 1000
	in, f := crowd(many)
	memory := &build.Memory{}
	for _, step := range []struct {
		why  string
		edit func()
		want int
	}{
		{"nothing is known", func() {}, many},
		{"nothing changed", func() {}, 0},
		{"the fragments are in another list", func() { in.Fragments = slices.Clone(in.Fragments) }, 0},
		{"they come in another order", func() { slices.Reverse(in.Fragments[1:]) }, 0},
		{"one has another host", func() { in.Fragments = replaced(in.Fragments, 7, alone(many+1)) }, 1},
		{"one was written again as it was", func() {
			again := in.Fragments[9]
			again.Routes = slices.Clone(again.Routes)
			in.Fragments = replaced(in.Fragments, 9, again)
		}, 0},
		{"one is new", func() { in.Fragments = slices.Insert(slices.Clone(in.Fragments), 5, alone(many+2)) }, 1},
		{"one went", func() { in.Fragments = slices.Delete(slices.Clone(in.Fragments), 6, 7) }, 0},
		{"they were good so", func() { in.Before = in.Fragments }, 0},
		{"one that was good asks for another path", func() {
			edited := in.Fragments[11]
			edited.Routes = slices.Clone(edited.Routes)
			edited.Routes[0].Match.Paths = []intent.Path{{Kind: intent.PathExact, Value: "/x"}}
			in.Fragments = replaced(in.Fragments, 11, edited)
		}, 1},
		{"subnets have fewer addresses", func() { f.Subnets = slices.Clone(f.Subnets); f.Subnets[0].FreeAddresses-- }, 0},
		{"all have another default", func() { in.Defaults.TargetType = "instance" }, many},
		{"all have another tag", func() { in.Defaults.Tags = map[string]string{"team": "a"} }, many},
		{"a target group by name is there", func() { f.TargetGroups = map[string]model.ARN{"legacy": "arn:tg/new"} }, many},
		{"the port closes", func() { in.Fragments = replaced(in.Fragments, 0, closed(in.Fragments[0])) }, many},
	} {
		step.edit()
		got := memory.Build(in, f)
		if memory.Compiled() != step.want {
			t.Errorf("%s: %d routes were compiled, want %d", step.why, memory.Compiled(), step.want)
		}
		if want := build.Build(in, f); !reflect.DeepEqual(want, got) {
			t.Errorf("%s: -without +with a memory\n%s", step.why, cmp.Diff(want, got))
		}
	}
}

// TestMemoryAllocatesForWhatChanged holds that a change of one of many costs few allocations: none of them for each of the others.
func TestMemoryAllocatesForWhatChanged(t *testing.T) {
	const many = 1000
	in, f := crowd(many)
	in.Before = in.Fragments
	other := in
	other.Fragments = replaced(in.Fragments, 7, alone(many+1))
	memory, turn := &build.Memory{}, 0
	memory.Build(in, f)
	got := testing.AllocsPerRun(10, func() {
		if turn++; turn%2 == 0 {
			memory.Build(in, f)
			return
		}
		memory.Build(other, f)
	})
	if got > many/2 {
		t.Errorf("%.0f allocations for one change among %d routes", got, many)
	}
}

func replaced(list []intent.Fragment, i int, f intent.Fragment) []intent.Fragment {
	out := slices.Clone(list)
	out[i] = f
	return out
}

// closed asks for certificates of clients in a way that cannot be served.
func closed(f intent.Fragment) intent.Fragment {
	f.Listeners = slices.Clone(f.Listeners)
	f.Listeners[0].MutualAuth = &intent.MutualAuth{Mode: model.MutualVerify, TrustStore: "lost", Whole: true}
	return f
}

// TestMemoryGivesWhatABuildGives holds over random sequences of edits that a build with a memory gives what one without gives.
func TestMemoryGivesWhatABuildGives(t *testing.T) {
	t.Parallel()
	remembered, left, findings := 0, 0, 0
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 11))
		c := &changing{Rand: r, in: group(), facts: facts(), memory: &build.Memory{}}
		c.in.Order = pick(r, intent.ByFragment, intent.BySpecificity)
		c.in.Front = pick(r, "ingress", "gateway")
		if r.IntN(2) == 0 {
			c.facts.Quotas = model.Quotas{RulesPerLoadBalancer: 8, TargetGroupsPerLoadBalancer: 6, ListenersPerLoadBalancer: 2}
		}
		for step := range 25 {
			c.edit()
			was, err := json.Marshal(c.in)
			if err != nil {
				t.Fatal(err)
			}
			got, want := c.memory.Build(c.in, c.facts), build.Build(c.in, c.facts)
			if !reflect.DeepEqual(want, got) {
				t.Fatalf("seed %d step %d: -without +with a memory\n%s", seed, step, cmp.Diff(want, got))
			}
			if now, err := json.Marshal(c.in); err != nil || string(now) != string(was) {
				t.Fatalf("seed %d step %d: the intent was changed: %v", seed, step, err)
			}
			total := 0
			for _, f := range c.in.Fragments {
				total += len(f.Routes)
			}
			remembered += max(0, total-c.memory.Compiled())
			left, findings = left+len(got.Left), findings+len(got.Findings)
		}
	}
	if remembered < 1000 || left < 100 || findings < 1000 {
		t.Errorf("%d routes were remembered, %d had no room, %d findings: the test shows nothing", remembered, left, findings)
	}
}

func pick[T any](r *rand.Rand, list ...T) T { return list[r.IntN(len(list))] }

// changing is an intent under edits. What was given to a build is never changed in place.
type changing struct {
	*rand.Rand

	in     intent.Intent
	facts  model.Facts
	memory *build.Memory
}

func (c *changing) edit() {
	all := slices.Clone(c.in.Fragments)
	for range 1 + c.IntN(2) {
		at := c.IntN(len(all) + 1)
		switch kind := c.IntN(12); {
		case kind < 4 && len(all) < 14 || len(all) == 0:
			all = slices.Insert(all, at, c.fragment())
		case at == len(all):
		case kind < 8:
			all[at] = c.rewritten(all[at])
		case kind == 8:
			all = slices.Delete(all, at, at+1)
		case kind == 9:
			c.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		case kind == 10:
			c.surroundings()
		default:
			c.in.Before = c.before(all)
		}
	}
	c.in.Fragments = all
}

// surroundings change what all share.
func (c *changing) surroundings() {
	switch c.IntN(5) {
	case 0:
		c.in.Defaults.TargetType = pick(c.Rand, "ip", "instance")
	case 1:
		c.in.Defaults.Tags = pick(c.Rand, nil, map[string]string{"team": "a"})
	case 2:
		c.facts.TargetGroups = pick(c.Rand, nil, map[string]model.ARN{"legacy": pick[model.ARN](c.Rand, "arn:tg/1", "arn:tg/2")})
	case 3:
		c.facts.LostCertificates = pick(c.Rand, nil, map[model.ARN]string{certLost: "NOT_FOUND"})
	default:
		c.facts.Existing = pick(c.Rand, nil, &model.Existing{ARN: "arn:lb", Scheme: "internal", IPAddressType: pick(c.Rand, "ipv4", "dualstack")})
	}
}

// before are good fragments: those of now, some as they were, some gone, in any order.
func (c *changing) before(now []intent.Fragment) []intent.Fragment {
	out := slices.DeleteFunc(slices.Clone(now), func(intent.Fragment) bool { return c.IntN(4) == 0 })
	for i := range out {
		if c.IntN(3) == 0 {
			out[i] = c.rewritten(out[i])
		}
	}
	c.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	return out
}

func (c *changing) fragment() intent.Fragment {
	return c.rewritten(intent.Fragment{Member: member(fmt.Sprintf("m%d", c.IntN(12)))})
}

// rewritten is what a member writes instead.
func (c *changing) rewritten(f intent.Fragment) intent.Fragment {
	f.Yield, f.Fold, f.Held = c.IntN(8) == 0, c.IntN(4) == 0, nil
	f.Settings = intent.Settings{}
	if c.IntN(4) == 0 {
		f.Settings = intent.Settings{Scheme: pick(c.Rand, "internal", "internet-facing", "odd"), Tags: map[string]string{"aws:x": "1", "b": pick(c.Rand, "1", "2")}}
	}
	f.Listeners = []intent.Listener{{Port: 80, Protocol: "HTTP"}}
	switch c.IntN(4) {
	case 0:
		f.Listeners = append(f.Listeners, https(443, intent.Listener{Certificates: []string{pick(c.Rand, certShop, certLost)}}))
	case 1:
		f.Listeners = append(f.Listeners, intent.Listener{Port: pick(c.Rand, 80, 8080, 9090), Protocol: "HTTP", InboundCIDRs: []string{"10.0.0.0/8"}})
	case 2:
		f = closed(f)
		f.Listeners[0].MutualAuth.Whole = c.IntN(6) == 0
	}
	if c.IntN(3) == 0 {
		answer := c.route(f.Member.Name)
		f.Listeners[0].Default = &answer
	}
	f.Routes = nil
	for range c.IntN(4) {
		f.Routes = append(f.Routes, c.route(f.Member.Name))
	}
	if c.IntN(8) == 0 {
		f.Held = []intent.HeldRule{{Port: 80, Rule: model.Rule{
			ARN: "arn:rule", Conditions: []model.Condition{{Field: model.FieldHost, Values: []string{"held.example.com"}}},
			Actions: []model.Action{{Type: model.ActionFixedResponse, FixedResponse: &model.FixedResponse{StatusCode: "503"}}},
		}}}
	}
	return f
}

func (c *changing) route(name string) intent.Route {
	host := pick(c.Rand, name, "shared", "*", "*.wild", "_") + pick(c.Rand, ".example.com", ".example.org")
	r := route(host, pick(c.Rand, "/", "/a", "/a/b", "no"), pick(c.Rand, name, "shared"))
	r.Ports, r.Field = pick(c.Rand, []int{80}, []int{443, 80}, []int{8080, 80, 80}), "spec.rules["+strconv.Itoa(c.IntN(3))+"]"
	s := r.Forward.Backends[0].Service
	s.NodePort, s.Group.ProtocolVersion = pick(c.Rand, 0, 30080), pick(c.Rand, "", "", "GRPC", "odd")
	if c.IntN(3) == 0 {
		r.Match.Hosts = append(r.Match.Hosts, "more.example.com")
	}
	switch c.IntN(8) {
	case 0:
		r.Forward.Backends, r.Forward.Whole = append(r.Forward.Backends, intent.Backend{TargetGroupName: "legacy", Weight: 1}), 500
	case 1:
		r.Forward, r.Kept, r.Fixed = nil, r.Forward, &intent.Fixed{StatusCode: 503}
	case 2:
		r.Forward, r.Redirect = nil, &intent.Redirect{Host: "elsewhere.example.com", StatusCode: 301}
	case 3:
		r.Auth = &model.Action{Type: model.ActionOIDC, OIDC: &model.OIDC{Issuer: "https://sign.in", ClientID: "x"}}
	case 4:
		r.Match.Methods, r.Tags = []string{"GET"}, map[string]string{"route": host}
	}
	return r
}
