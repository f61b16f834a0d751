package build_test

import (
	"testing"

	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/build"
	"github.com/headgate/headgate/model/intent"
)

// ending are the fragments of a listener for one host within one for any: what ends requests for the host, what any host gets, and others.
func ending(others ...intent.Fragment) intent.Intent {
	end := intent.Route{
		Ports: []int{80}, Match: intent.Match{Hosts: []string{"a.example.com"}, Narrowed: "*"}, Fixed: &intent.Fixed{StatusCode: 404}, Ends: true, Age: 1 << 40,
	}
	in := group(append([]intent.Fragment{fragment("edge", end), fragment("any", route("", "/", "any"))}, others...)...)
	in.Order = intent.BySpecificity
	return in
}

// TestRequestsEndWhereNoRuleTakesThem (invariant 3): what is for a host is not opened to the routes of others by a route that is not served.
func TestRequestsEndWhereNoRuleTakesThem(t *testing.T) {
	const end, wide = "a.example.com → 404", "/* → any:80"
	all := route("a.example.com", "/", "x")
	unreadable, crowded, looped, headed := all, all, all, all
	unreadable.Match.Headers = []intent.Header{{Name: "host", Values: []string{"x"}}}
	crowded.Forward = to("a", "b", "c", "d", "e", "f")
	looped.Forward, looped.Redirect = nil, &intent.Redirect{Host: "a.example.com", StatusCode: 301}
	headed.Match.Headers = []intent.Header{{Name: "x", Values: []string{"1"}}}
	yielding := fragment("web", all)
	yielding.Yield = true
	held := intent.Fragment{Member: member("held"), Held: []intent.HeldRule{{Port: 80, Rule: model.Rule{
		Conditions: []model.Condition{{Field: model.FieldHost, Values: []string{"a.example.com"}}},
		Actions:    []model.Action{{Type: "forward", Forward: &model.Forward{Groups: []model.WeightedGroup{{Key: "held", Weight: 1}}}}},
	}}}}
	for _, row := range []struct {
		why    string
		others []intent.Fragment
		want   []string
	}{
		{"nothing is served there", nil, []string{end, wide}},
		{"a route takes everything", []intent.Fragment{fragment("web", all)}, []string{"a.example.com /* → x:80", wide}},
		{"a route takes some paths", []intent.Fragment{fragment("web", route("a.example.com", "/a", "x"))},
			[]string{"a.example.com /a|/a/* → x:80", end, wide}},
		{"a route takes what has a header", []intent.Fragment{fragment("web", headed)}, []string{"a.example.com 1 /* → x:80", end, wide}},
		{"a route that takes everything is refused for its match", []intent.Fragment{fragment("web", unreadable)}, []string{end, wide}},
		{"a route that takes everything is refused for its backends", []intent.Fragment{fragment("web", crowded)}, []string{end, wide}},
		{"a route that takes everything would redirect to itself", []intent.Fragment{fragment("web", looped)}, []string{end, wide}},
		{"a route that takes everything yields", []intent.Fragment{yielding}, []string{end, wide, "a.example.com /* → x:80"}},
		{"a rule that is held takes everything", []intent.Fragment{held}, []string{"a.example.com → held", wide}},
	} {
		got := rulesOf(build.Build(ending(row.others...), facts()).Stack, 80)
		same(t, row.why, "rules", got, row.want)
	}
}

// TestWhatEndsRequestsHasRoomFirst (invariant 3): at a quota too.
func TestWhatEndsRequestsHasRoomFirst(t *testing.T) {
	const end = "a.example.com → 404"
	paths := func(n string) intent.Fragment { return fragment(n, route("a.example.com", "/"+n, "x")) }
	all := fragment("web", route("a.example.com", "/", "x"))
	for _, row := range []struct {
		why    string
		others []intent.Fragment
		want   []string
	}{
		{"what ends comes before newcomers", []intent.Fragment{paths("1"), paths("2"), paths("3"), paths("4")},
			[]string{"a.example.com /1|/1/* → x:80", "a.example.com /2|/2/* → x:80", "a.example.com /3|/3/* → x:80", end}},
		{"it takes no room where a route that has some takes everything", []intent.Fragment{paths("1"), paths("2"), all, paths("4")},
			[]string{"a.example.com /1|/1/* → x:80", "a.example.com /2|/2/* → x:80", "a.example.com /4|/4/* → x:80", "a.example.com /* → x:80"}},
	} {
		in := ending(row.others...)
		same(t, row.why, "rules", rulesOf(build.Build(in, tight()).Stack, 80), row.want)
	}
	in := ending(paths("1"), paths("2"), all)
	in.Before = in.Fragments
	same(t, "who stands stays where one stands that takes everything", "findings", reasons(build.Build(in, tight())), nil)
	in.Fragments = append(in.Fragments[:4:4], fragment("more", route("a.example.com", "/3", "x"), route("a.example.com", "/4", "x")))
	same(t, "its room is that of what ends when it goes", "rules", rulesOf(build.Build(in, tight()).Stack, 80),
		[]string{"a.example.com /1|/1/* → x:80", "a.example.com /2|/2/* → x:80", end, "/* → any:80"})
}
