package build_test

import (
	"strings"
	"testing"

	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/build"
	"github.com/headgate/headgate/model/intent"
)

// calls is a route for calls of a service and a method.
func calls(service, method, to string) intent.Route {
	r := route("", "", to)
	r.Match.Paths = []intent.Path{{Kind: intent.PathCall, Value: service, Method: method}}
	return r
}

func callsLike(service, method, to string) intent.Route {
	r := calls(service, method, to)
	r.Match.Paths[0].Kind = intent.PathCallRegex
	return r
}

func TestMatchesOfCalls(t *testing.T) {
	t.Parallel()
	mixed := calls("a.B", "", "x")
	mixed.Match.Calls = true
	for _, row := range []struct {
		why   string
		route intent.Route
		want  string
	}{
		{"a service and a method", calls("a.B", "Get", "x"), "/a.B/Get → x:80"},
		{"all methods of a service", calls("a.B", "", "x"), "/a.B/* → x:80"},
		{"a method of all services", calls("", "Get", "x"), "/*/Get → x:80"},
		{"all calls", calls("", "", "x"), "/* → x:80"},
		{"wildcards have no meaning in names", calls("a*", "", "x"), `^/(?:a\*)/[^/]+$ → x:80`},
		{"expressions of whole names", callsLike(`a\.(B|C)`, "Get.*", "x"), `^/(?:a\.(B|C))/(?:Get.*)$ → x:80`},
		{"which may say so themselves", callsLike(`^a$`, "", "x"), `^/(?:a)/[^/]+$ → x:80`},
		{"but for a dollar that is one", callsLike("", `a\$`, "x"), `^/[^/]+/(?:a\$)$ → x:80`},
		{"only calls", mixed, "application/grpc* /a.B/* → x:80"},
		{"a slash in a name", calls("a/b", "", "x"), ""},
		{"an expression that is none", callsLike("(", "", "x"), ""},
		{"an expression that leaves its part", callsLike(")|(", "", "x"), ""},
		{"an expression that is too long", callsLike(strings.Repeat("a", 128), "", "x"), ""},
	} {
		got := build.Build(group(fragment("web", row.route)), facts())
		rules := strings.Join(rulesOf(got.Stack, 80), "; ")
		same(t, row.why, "rules", rules, row.want)
		if wrong := len(got.Findings) > 0; wrong != (row.want == "") {
			t.Errorf("%s: %v", row.why, reasons(got))
		}
	}
}

// TestPrecedenceOfCalls is the order of GRPCRouteRule.matches.
func TestPrecedenceOfCalls(t *testing.T) {
	t.Parallel()
	with := func(r intent.Route, headers ...string) intent.Route {
		for _, h := range headers {
			r.Match.Headers = append(r.Match.Headers, intent.Header{Name: h, Values: []string{"1"}})
		}
		return r
	}
	at := func(r intent.Route, host string) intent.Route { r.Match.Hosts = []string{host}; return r }
	young, old := calls("a.B", "Get", "young"), calls("a.B", "Get", "old")
	old.Age, young.Age = 10, 20
	for _, row := range []struct {
		why          string
		first, later intent.Route
	}{
		{"an exact host before a wildcard", at(calls("", "", "x"), "a.example.com"), at(calls("a.B", "Get", "y"), "*.example.com")},
		{"a service before a longer method", calls("a.B", "", "x"), calls("", "GetEverything", "y")},
		{"a method before none", calls("a.B", "Get", "x"), with(calls("a.B", "", "y"), "one", "two")},
		{"the longer of two expressions", callsLike("a.*", "", "x"), callsLike(".*", "Get", "y")},
		{"names before expressions", calls("a.B", "", "x"), callsLike(`a\.(B|C)`, "Get", "y")},
		{"an expression before none", callsLike(".*", "", "x"), calls("", "Get", "y")},
		{"more headers", with(calls("", "", "x"), "one", "two"), with(calls("", "", "y"), "one")},
		{"calls before all other requests of a host", calls("", "", "x"), route("", "/a.B/Get", "y")},
		{"the older route", old, young},
	} {
		for _, fragments := range [][]intent.Fragment{
			{fragment("zzz", row.first), fragment("aaa", row.later)}, {fragment("aaa", row.later), fragment("zzz", row.first)},
		} {
			in := group(fragments...)
			in.Order = intent.BySpecificity
			got := answerText(build.Build(in, facts()).Stack.Listeners[0].Rules[0].Actions)
			same(t, row.why, "first rule", got, row.first.Forward.Backends[0].Service.Name+":80")
		}
	}
}

// TestHeldRulesOfCalls: observed rules of a GRPCRoute keep their rank among those of others.
func TestHeldRulesOfCalls(t *testing.T) {
	t.Parallel()
	held := func(conditions ...model.Condition) intent.HeldRule {
		return intent.HeldRule{Port: 80, Rule: model.Rule{ARN: "arn:rule", Priority: 7, Conditions: conditions, Actions: []model.Action{
			{Type: "forward", Forward: &model.Forward{Groups: []model.WeightedGroup{{Key: conditions[0].Values[0] + conditions[0].Header, Weight: 1}}}},
		}}}
	}
	path := func(v string) model.Condition { return model.Condition{Field: "path-pattern", Values: []string{v}} }
	broken := member("broken")
	broken.Kind = "GRPCRoute"
	header := route("", "", "header")
	header.Match.Paths = calls("", "", "").Match.Paths
	header.Match.Headers = []intent.Header{{Name: "a", Values: []string{"1"}}}
	in := group(fragment("one", calls("a.B", "", "service"), calls("", "Get", "method"), header), intent.Fragment{Member: broken, Held: []intent.HeldRule{
		held(path("/*/GetIt")), held(path("/a.B/Get")), held(path("/c/*")),
		held(model.Condition{Field: "http-header", Header: "content-type", Values: []string{"application/grpc*"}}),
	}})
	in.Order = intent.BySpecificity
	var order []string
	for _, r := range build.Build(in, facts()).Stack.Listeners[0].Rules {
		order = append(order, answerText(r.Actions))
	}
	same(t, "by service, method, headers", "order", strings.Join(order, " "),
		"/a.B/Get service:80 /c/* /*/GetIt method:80 header:80 application/grpc*content-type")
}

// TestNobodySignsInForCalls: AWS takes no other action beside a forward to a target group of HTTP2 or GRPC.
func TestNobodySignsInForCalls(t *testing.T) {
	t.Parallel()
	for version, want := range map[string]string{"": "x:80", "HTTP2": "503", "GRPC": "503"} {
		r := calls("", "", "x")
		r.Auth, r.AuthField = &model.Action{Type: model.ActionJWT, JWT: &model.JWT{Issuer: "https://i.example.com", JWKSEndpoint: "https://i.example.com/keys"}}, "auth"
		r.Forward.Backends[0].Service.Group.ProtocolVersion = version
		r.Ports = []int{443}
		in := fragment("web", r)
		in.Listeners = []intent.Listener{{Port: 443, Protocol: "HTTPS", Certificates: []string{certWild}}}
		got := build.Build(group(in), facts())
		same(t, "version "+version, "rules", strings.Join(rulesOf(got.Stack, 443), "; "), "/* → "+want)
		if want == "503" {
			same(t, "version "+version, "findings", reasons(got), []string{"web Closed auth AuthenticationNeedsHTTP1"})
		}
	}
}
