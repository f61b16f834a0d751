package build_test

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/build"
	"github.com/headgate/headgate/model/intent"
)

func hosts(n int) []string {
	var out []string
	for i := range n {
		out = append(out, fmt.Sprintf("h%d.example.com", i))
	}
	return out
}

func paths(kind intent.PathKind, values ...string) []intent.Path {
	var out []intent.Path
	for _, v := range values {
		out = append(out, intent.Path{Kind: kind, Value: v})
	}
	return out
}

func TestMatches(t *testing.T) {
	long := "/" + strings.Repeat("x", 128)
	for _, row := range []struct {
		why   string
		match intent.Match
		want  []string
	}{
		{"nothing to match is everything", intent.Match{}, []string{"/*"}},
		{"a prefix is whole segments", intent.Match{Paths: paths(intent.PathPrefix, "/a")}, []string{"/a|/a/*"}},
		{"a slash at the end says nothing", intent.Match{Paths: paths(intent.PathPrefix, "/a/")}, []string{"/a|/a/*"}},
		{"the root is everything", intent.Match{Hosts: []string{"a.example.com"}, Paths: paths(intent.PathPrefix, "/")}, []string{"a.example.com /*"}},
		{"exact is verbatim", intent.Match{Paths: paths(intent.PathExact, "/a/")}, []string{"/a/"}},
		{"wildcards have no meaning in an exact path", intent.Match{Paths: paths(intent.PathExact, "/a*b")}, []string{`^/a\*b$`}},
		{"nor in a prefix", intent.Match{Paths: paths(intent.PathPrefix, "/a?")}, []string{`^/a\?(/.*)?$`}},
		{"characters that plain values do not take", intent.Match{Paths: paths(intent.PathExact, "/a%20b")}, []string{`^/a%20b$`}},
		{"a pattern is verbatim", intent.Match{Paths: paths(intent.PathPattern, "/*/x?")}, []string{"/*/x?"}},
		{"plain values become expressions beside one", intent.Match{Paths: append(paths(intent.PathRegex, "^/v[0-9]+"), paths(intent.PathPrefix, "/a")...)},
			[]string{"^/a$|^/a/.*$|^/v[0-9]+"}},
		{"a wildcard host", intent.Match{Hosts: []string{"*.example.com"}}, []string{"*.example.com"}},
		{"a host whatever its port", intent.Match{Hosts: []string{"a.example.com"}, AnyPort: true}, []string{`^a\.example\.com(:[0-9]+)?$`}},
		{"a host that is too long for an expression is plain", intent.Match{Hosts: []string{strings.Repeat("a.", 55) + "example.com"}, AnyPort: true},
			[]string{strings.Repeat("a.", 55) + "example.com"}},
		{"a host without a dot is no plain value", intent.Match{Hosts: []string{"localhost"}}, []string{`^localhost(:[0-9]+)?$`}},
		{"nor one that ends in a digit", intent.Match{Hosts: []string{"a.b1"}}, []string{`^a\.b1(:[0-9]+)?$`}},
		{"any host", intent.Match{Hosts: []string{"*"}}, []string{"/*"}},
		{"patterns of a conditions annotation join the hosts", intent.Match{Hosts: []string{"a.example.com"}, HostPatterns: []string{"b?.example.com"}},
			[]string{"a.example.com|b?.example.com"}},
		{"expressions too", intent.Match{Hosts: []string{"a.example.com"}, HostRegexes: []string{"^b"}}, []string{`^a\.example\.com$|^b`}},
		{"headers are ANDed, values ORed", intent.Match{Headers: []intent.Header{{Name: "X-B", Values: []string{"2", "1"}}, {Name: "X-A", Values: []string{"v"}}}},
			[]string{"v 1|2"}},
		{"wildcards have no meaning in a literal header", intent.Match{Headers: []intent.Header{{Name: "X-A", Values: []string{"a*"}}}}, []string{`^a\*$`}},
		{"but in a pattern", intent.Match{Headers: []intent.Header{{Name: "X-A", Values: []string{"a*"}, Pattern: true}}}, []string{"a*"}},
		{"expressions of headers", intent.Match{Headers: []intent.Header{{Name: "X-A", Regexes: []string{"^a+$"}}}}, []string{"^a+$"}},
		{"query parameters are literal", intent.Match{Queries: []intent.Query{{Pairs: []model.QueryPair{{Key: "q", Value: `a*?\`}}}}}, []string{`q=a\*\?\\`}},
		{"unless they are patterns", intent.Match{Queries: []intent.Query{{Pattern: true, Pairs: []model.QueryPair{{Key: "q", Value: "a*"}}}}}, []string{"q=a*"}},
		{"methods", intent.Match{Methods: []string{"POST", "GET"}}, []string{"GET|POST"}},
		{"source addresses", intent.Match{SourceIPs: []string{"10.1.2.3/8"}}, []string{"10.0.0.0/8"}},
		{"six hosts are two rules", intent.Match{Hosts: hosts(6)},
			[]string{"h0.example.com|h1.example.com|h2.example.com|h3.example.com|h4.example.com", "h5.example.com"}},
		{"as few rules as can be", intent.Match{Hosts: hosts(4), Paths: paths(intent.PathPrefix, "/a")},
			[]string{"h0.example.com|h1.example.com|h2.example.com|h3.example.com /a", "h0.example.com|h1.example.com|h2.example.com|h3.example.com /a/*"}},
		{"wildcards count too", intent.Match{Paths: paths(intent.PathPattern, "/**a", "/**b", "/**c")}, []string{"/**a|/**b", "/**c"}},

		{"six conditions", intent.Match{Headers: []intent.Header{
			{Name: "a", Values: []string{"1"}}, {Name: "b", Values: []string{"1"}}, {Name: "c", Values: []string{"1"}},
			{Name: "d", Values: []string{"1"}}, {Name: "e", Values: []string{"1"}}, {Name: "f", Values: []string{"1"}},
		}}, nil},
		{"more rules than a load balancer has", intent.Match{Hosts: hosts(600)}, nil},
		{"more wildcards than a rule has", intent.Match{Paths: paths(intent.PathPattern, "/******")}, nil},
		{"a path that is too long", intent.Match{Paths: paths(intent.PathExact, long)}, nil},
		{"a path that no request has", intent.Match{Paths: paths(intent.PathExact, "/ä")}, nil},
		{"a path without a slash", intent.Match{Paths: paths(intent.PathPrefix, "a")}, nil},
		{"a pattern with characters that AWS does not take", intent.Match{Paths: paths(intent.PathPattern, "/a%20*")}, nil},
		{"an expression that is none", intent.Match{Paths: paths(intent.PathRegex, "(")}, nil},
		{"an empty expression", intent.Match{HostRegexes: []string{""}}, nil},
		{"a kind of path that there is not", intent.Match{Paths: paths("Fuzzy", "/a")}, nil},
		{"an empty pattern", intent.Match{Paths: paths(intent.PathPattern, "")}, nil},
		{"the pattern that parks target groups", intent.Match{Paths: paths(intent.PathPattern, model.ParkingPath)}, nil},
		{"a wildcard within a host", intent.Match{Hosts: []string{"a.*.com"}}, nil},
		{"a host of a wildcard only", intent.Match{Hosts: []string{"*."}}, nil},
		{"a host that is too long", intent.Match{Hosts: []string{strings.Repeat("a.", 64) + "com"}}, nil},
		{"a host pattern that AWS does not take", intent.Match{HostPatterns: []string{"a_b.com"}}, nil},
		{"the Host header is no header", intent.Match{Headers: []intent.Header{{Name: "host", Values: []string{"a"}}}}, nil},
		{"a header name with a space", intent.Match{Headers: []intent.Header{{Name: "X A", Values: []string{"a"}}}}, nil},
		{"a header without values", intent.Match{Headers: []intent.Header{{Name: "X-A"}}}, nil},
		{"a header of an empty value", intent.Match{Headers: []intent.Header{{Name: "X-A", Values: []string{""}}}}, nil},
		{"a query parameter without value", intent.Match{Queries: []intent.Query{{Pairs: []model.QueryPair{{Key: "a"}}}}}, nil},
		{"no query parameter", intent.Match{Queries: []intent.Query{{}}}, nil},
		{"a method in small letters", intent.Match{Methods: []string{"get"}}, nil},
		{"an address that is no range", intent.Match{SourceIPs: []string{"10.0.0.1"}}, nil},
		{"the range that AWS refuses", intent.Match{SourceIPs: []string{"255.255.255.255/32"}}, nil},
	} {
		t.Run(row.why, func(t *testing.T) {
			r := route("", "", "x")
			r.Match = row.match
			got := build.Build(group(fragment("web", r, route("other.example.com", "/", "y"))), facts())
			var want []string
			for _, w := range row.want {
				want = append(want, w+" → x:80")
			}
			same(t, row.why, "rules", rulesOf(got.Stack, 80), append(want, "other.example.com /* → y:80"))
			if row.want == nil {
				same(t, row.why, "findings", reasons(got), []string{"web Wrong spec.rules[0] InvalidMatch"})
			} else {
				same(t, row.why, "findings", reasons(got), nil)
			}
		})
	}
}

func TestQueryOfRedirects(t *testing.T) {
	for _, row := range []struct {
		why   string
		query *string
		want  string
	}{
		{"a query that nobody speaks of stays", nil, "#{query}"},
		{"an empty one is dropped", new(""), ""},
		{"another one is put in its place", new("a=#{query}"), "a=#{query}"},
	} {
		got := build.Build(group(fragment("web", intent.Route{
			Ports: []int{80}, Match: intent.Match{Paths: paths(intent.PathExact, "/r")},
			Redirect: &intent.Redirect{Path: "/x", Query: row.query, StatusCode: 301},
		})), facts())
		same(t, row.why, "query", got.Stack.Listeners[0].Rules[0].Actions[0].Redirect.Query, row.want)
	}
}

func TestAnswers(t *testing.T) {
	many := to("a", "b", "c", "d", "e", "f")
	weights := to("a", "b", "c")
	weights.Backends[0].Weight, weights.Backends[1].Weight, weights.Backends[2].Weight = 3000, 1000, 1
	node := to("a")
	node.Backends[0].Service.Group.TargetType = "instance"
	mixed := to("a", "b")
	mixed.Backends[0].Service.Group.TargetType = "instance"
	grpc := to("a")
	grpc.Backends[0].Service.Group.ProtocolVersion = "GRPC"
	second := to("a")
	second.Backends[0].Service.Group.ProtocolVersion = "HTTP2"
	for _, row := range []struct {
		why    string
		route  intent.Route
		want   string
		reason string
	}{
		{"backends by weight", intent.Route{Forward: to("a", "b")}, "a:80+b:80", ""},
		{"the same backend twice is one share", intent.Route{Forward: to("a", "a")}, "a:80", ""},
		{"six groups are too many", intent.Route{Forward: many}, "", "Wrong TooManyBackends"},
		{"weights are brought into range", intent.Route{Forward: weights}, "a:80+b:80+c:80", ""},
		{"a target group of the user's own", intent.Route{Forward: &intent.Forward{Backends: []intent.Backend{{TargetGroupARN: "arn:tg/x", Weight: 1}}}}, "arn:tg/x", ""},
		{"by name", intent.Route{Forward: &intent.Forward{Backends: []intent.Backend{{TargetGroupName: "legacy", Weight: 1}}}}, "arn:tg/legacy", ""},
		{"a name that is not there", intent.Route{Forward: &intent.Forward{Backends: []intent.Backend{{TargetGroupName: "gone", Weight: 1}}}}, "503", "Answered TargetGroupNotFound"},
		{"no backend at all", intent.Route{Forward: &intent.Forward{}}, "503", ""},
		{"a backend that says nothing", intent.Route{Forward: &intent.Forward{Backends: []intent.Backend{{Weight: 1}}}}, "503", ""},
		{"nodes are no targets without a node port", intent.Route{Forward: node}, "503", "Answered TargetTypeInstance"},
		{"the other backends serve", intent.Route{Forward: mixed}, "b:80", "Answered TargetTypeInstance"},
		{"gRPC needs HTTPS", intent.Route{Forward: grpc}, "", "Wrong ProtocolMismatch"},
		{"and so does HTTP/2", intent.Route{Forward: second}, "", "Wrong ProtocolMismatch"},
		{"stickiness of more than a week", intent.Route{Forward: &intent.Forward{StickySeconds: 604801}}, "", "Wrong InvalidForward"},
		{"nothing answers", intent.Route{}, "", "Wrong NoAction"},
		{"a redirect", intent.Route{Match: intent.Match{Paths: paths(intent.PathExact, "/r")}, Redirect: &intent.Redirect{Host: "b.example.com", StatusCode: 302}}, "HTTP_302", ""},
		{"a redirect of another code", intent.Route{Redirect: &intent.Redirect{Host: "b", StatusCode: 307}}, "", "Wrong InvalidRedirect"},
		{"a redirect that changes nothing", intent.Route{Redirect: &intent.Redirect{StatusCode: 301}}, "", "Wrong InvalidRedirect"},
		{"a redirect to a scheme that AWS does not know", intent.Route{Redirect: &intent.Redirect{Protocol: "FTP", StatusCode: 301}}, "", "Wrong InvalidRedirect"},
		{"a redirect to a relative path", intent.Route{Redirect: &intent.Redirect{Path: "x", StatusCode: 301}}, "", "Wrong InvalidRedirect"},
		{"a placeholder that AWS does not fill in there", intent.Route{Redirect: &intent.Redirect{Path: "/#{protocol}/x", StatusCode: 301}}, "",
			"Wrong InvalidRedirect"},
		{"a placeholder that there is not", intent.Route{Redirect: &intent.Redirect{Path: "/x", Query: new("#{verb}"), StatusCode: 301}}, "",
			"Wrong InvalidRedirect"},
		{"a redirect to no port", intent.Route{Redirect: &intent.Redirect{Port: "70000", StatusCode: 301}}, "", "Wrong InvalidRedirect"},
		{"a redirect to a long query", intent.Route{Redirect: &intent.Redirect{Path: "/x", Query: new(strings.Repeat("q", 129)), StatusCode: 301}}, "", "Wrong InvalidRedirect"},
		{"a fixed answer", intent.Route{Fixed: &intent.Fixed{StatusCode: 418, Body: "tea"}}, "418", ""},
		{"a fixed 3xx", intent.Route{Fixed: &intent.Fixed{StatusCode: 301}}, "", "Wrong InvalidFixedResponse"},
		{"a fixed answer in PDF", intent.Route{Fixed: &intent.Fixed{StatusCode: 200, ContentType: "application/pdf"}}, "", "Wrong InvalidFixedResponse"},
		{"a fixed book", intent.Route{Fixed: &intent.Fixed{StatusCode: 200, Body: strings.Repeat("b", 1025)}}, "", "Wrong InvalidFixedResponse"},
		{"two transforms of a type", intent.Route{Forward: to("a"), Transforms: []model.Transform{{Type: "url-rewrite", Regex: "a"}, {Type: "url-rewrite", Regex: "b"}}},
			"", "Wrong InvalidMatch"},
		{"a transform of no type", intent.Route{Forward: to("a"), Transforms: []model.Transform{{Type: "x", Regex: "a"}}}, "", "Wrong InvalidMatch"},
		{"a transform without an expression", intent.Route{Forward: to("a"), Transforms: []model.Transform{{Type: "url-rewrite"}}}, "", "Wrong InvalidMatch"},
	} {
		t.Run(row.why, func(t *testing.T) {
			row.route.Ports = []int{80}
			got := build.Build(group(fragment("web", row.route, route("other.example.com", "/", "y"))), facts())
			var want, reason []string
			if row.want != "" {
				want = []string{"/* → " + row.want}
			}
			if row.route.Match.Paths != nil {
				want = []string{row.route.Match.Paths[0].Value + " → " + row.want}
			}
			for _, f := range got.Findings {
				reason = append(reason, string(f.Severity)+" "+f.Reason)
			}
			same(t, row.why, "rules", rulesOf(got.Stack, 80), append(want, "other.example.com /* → y:80"))
			same(t, row.why, "findings", strings.Join(reason, ","), row.reason)
		})
	}
	got := build.Build(group(fragment("web", intent.Route{Ports: []int{80}, Forward: weights})), facts()).Stack.Listeners[0].Rules[0].Actions[0].Forward
	same(t, "what has a weight keeps one", "weights", []int{got.Groups[0].Weight, got.Groups[1].Weight, got.Groups[2].Weight}, []int{999, 333, 1})
}

func TestRedirectFromHTTPSToHTTP(t *testing.T) {
	one := with("web", https(443, intent.Listener{Certificates: []string{certShop}}))
	one.Routes = []intent.Route{{Ports: []int{443}, Redirect: &intent.Redirect{Protocol: "HTTP", StatusCode: 301}}}
	got := build.Build(group(one), facts())
	same(t, "AWS cannot", "findings", reasons(got), []string{"web Wrong  InvalidRedirect"})
}

// The incumbent leaves these rules out too: with them the common ssl-redirect action would answer for ever.
func TestRedirectsThatLeadNowhere(t *testing.T) {
	redirect := intent.Route{Ports: []int{80, 443}, Redirect: &intent.Redirect{Protocol: "HTTPS", Port: "443", StatusCode: 301},
		Match: intent.Match{Paths: paths(intent.PathPrefix, "/")}}
	home := route("shop.example.com", "/", "home")
	home.Ports = []int{80, 443}
	one := fragment("web", redirect, home)
	one.Listeners = append(one.Listeners, https(443, intent.Listener{Certificates: []string{certShop}}))
	got := build.Build(group(one), facts())
	same(t, "what a redirect above answers is never reached", "rules", rulesOf(got.Stack, 80), []string{"/* → HTTP_301"})
	same(t, "a redirect to itself never ends", "rules", rulesOf(got.Stack, 443), []string{"shop.example.com /* → home:80"})

	host := route("shop.example.com", "/a", "x")
	host.Forward, host.Redirect = nil, &intent.Redirect{Host: "shop.example.com", StatusCode: 301, Protocol: "HTTP"}
	other := route("shop.example.com", "/a", "x")
	other.Forward, other.Redirect = nil, &intent.Redirect{Host: "www.example.com", StatusCode: 301}
	got = build.Build(group(fragment("web", host, other, route("shop.example.com", "/a", "x"), route("shop.example.com", "/", "y"))), facts())
	same(t, "to its own host too; and only what the redirect covers goes", "rules", rulesOf(got.Stack, 80),
		[]string{"shop.example.com /a|/a/* → HTTP_301", "shop.example.com /* → y:80"})
}

func TestDuplicateRules(t *testing.T) {
	got := build.Build(group(fragment("web", route("", "/a", "x"), route("", "/a", "x"), route("", "/a", "y"))), facts())
	same(t, "the same rule twice is one", "rules", rulesOf(got.Stack, 80), []string{"/a|/a/* → x:80", "/a|/a/* → y:80"})
}

func TestOrderOfFragments(t *testing.T) {
	last := fragment("aaa", route("z.example.com", "/", "z"))
	last.Yield = true
	got := build.Build(group(last, fragment("one", route("", "/", "a")), fragment("two", route("b.example.com", "/", "b"))), facts())
	same(t, "groups keep the order of members, who yields is last", "rules", rulesOf(got.Stack, 80),
		[]string{"/* → a:80", "b.example.com /* → b:80", "z.example.com /* → z:80"})
}

func TestPrecedenceOfTheGatewayAPI(t *testing.T) {
	exact := func(r intent.Route) intent.Route { r.Match.Paths[0].Kind = intent.PathExact; return r }
	method := route("", "/a", "method")
	method.Match.Methods = []string{"GET"}
	header := route("", "/a", "header")
	header.Match.Headers = []intent.Header{{Name: "a", Values: []string{"1"}}}
	query := route("", "/a", "query")
	query.Match.Queries = []intent.Query{{Pairs: []model.QueryPair{{Key: "a", Value: "1"}}}}
	regex := route("", "/a", "regex")
	regex.Match.Paths[0] = intent.Path{Kind: intent.PathRegex, Value: "^/a"}
	narrowed := func(r intent.Route, from string) intent.Route { r.Match.Narrowed = from; return r }
	young, old := route("", "/a", "young"), route("", "/a", "old")
	old.Age, young.Age = 10, 20
	for _, row := range []struct {
		why          string
		first, later intent.Route
	}{
		{"an exact host before a wildcard", route("a.example.com", "/", "x"), route("*.example.com", "/long", "y")},
		{"a wildcard before any host", route("*.example.com", "/", "x"), route("", "/long", "y")},
		{"the longer wildcard", route("*.a.example.com", "/", "x"), route("*.example.com", "/long", "y")},
		{"a host as it was written before a part of a wildcard", route("*.a.example.com", "/", "x"), narrowed(route("*.a.example.com", "/long", "y"), "*.com")},
		{"a part of a wildcard before a part of any host", narrowed(route("a.example.com", "/", "x"), "*.com"), narrowed(route("a.example.com", "/long", "y"), "*")},
		{"what a part is of counts after the part", narrowed(route("a.example.com", "/", "x"), "*"), route("*.example.com", "/long", "y")},
		{"exact paths before longer prefixes", exact(route("", "/a", "x")), route("", "/a/b/c", "y")},
		{"exact paths before expressions", exact(route("", "/a", "x")), regex},
		{"the longer prefix", route("", "/a/b", "x"), method},
		{"a method before headers", method, header},
		{"headers before query parameters", header, query},
		{"query parameters before none", query, old},
		{"the older route", old, young},
		{"the first in the route", route("", "/a", "x"), route("", "/a", "y")},
	} {
		for _, swapped := range []bool{false, true} {
			fragments := []intent.Fragment{fragment("one", row.first, row.later)}
			if row.why != "the first in the route" {
				fragments = []intent.Fragment{fragment("zzz", row.first), fragment("aaa", row.later)}
				if swapped {
					fragments[0], fragments[1] = fragments[1], fragments[0]
				}
			}
			in := group(fragments...)
			in.Order = intent.BySpecificity
			rules := build.Build(in, facts()).Stack.Listeners[0].Rules
			got := answerText(rules[0].Actions)
			same(t, row.why, "first rule", got, row.first.Forward.Backends[0].Service.Name+":80")
		}
	}
}

func TestRankedRoutesAreSplit(t *testing.T) {
	r := route("", "/a", "x")
	r.Match.Hosts = []string{"*.example.com", "a.example.com"}
	r.Match.Paths = append(r.Match.Paths, intent.Path{Kind: intent.PathExact, Value: "/b"})
	in := group(fragment("web", r))
	in.Order = intent.BySpecificity
	same(t, "hosts and paths rank differently", "rules", rulesOf(build.Build(in, facts()).Stack, 80), []string{
		"a.example.com /b → x:80", "a.example.com /a|/a/* → x:80", "*.example.com /b → x:80", "*.example.com /a|/a/* → x:80",
	})
}

func TestHeldRulesAmongRankedOnes(t *testing.T) {
	held := func(conditions ...model.Condition) intent.HeldRule {
		return intent.HeldRule{Port: 80, Rule: model.Rule{ARN: "arn:rule", Priority: 7, Conditions: conditions, Actions: []model.Action{
			{Type: "forward", Forward: &model.Forward{Groups: []model.WeightedGroup{{Key: "held", Weight: 1}}}},
		}}}
	}
	in := group(fragment("one", route("a.example.com", "/", "root"), route("a.example.com", "/long/path", "long")), intent.Fragment{
		Member: member("broken"), Held: []intent.HeldRule{
			held(model.Condition{Field: "host-header", Regex: []string{model.HostRegex("a.example.com")}},
				model.Condition{Field: "path-pattern", Values: []string{"/mid", "/mid/*"}}),
			held(model.Condition{Field: "host-header", Values: []string{"a.example.com"}}, model.Condition{Field: "path-pattern", Values: []string{"/e"}},
				model.Condition{Field: "http-header", Header: "x", Values: []string{"1"}}, model.Condition{Field: "http-request-method", Values: []string{"GET"}},
				model.Condition{Field: "query-string", Query: []model.QueryPair{{Value: "1"}}}, model.Condition{Field: "source-ip", Values: []string{"10.0.0.0/8"}}),
			held(model.Condition{Field: "path-pattern", Regex: []string{"^/r"}}),
			{Port: 80, Rule: model.Rule{}},
		},
	})
	in.Order = intent.BySpecificity
	got := build.Build(in, facts())
	var order []string
	for _, r := range got.Stack.Listeners[0].Rules {
		order = append(order, answerText(r.Actions))
		same(t, "identity on AWS is observed, not desired", "ARN and priority", string(r.ARN)+strconv.Itoa(r.Priority), "0")
	}
	same(t, "held rules rank by their conditions", "order", strings.Join(order, " "), "held long:80 held root:80 held")
}

func TestTargetGroups(t *testing.T) {
	hc := func(h intent.HealthCheck) func(*intent.Service) {
		return func(s *intent.Service) { s.Group.HealthCheck = h }
	}
	for _, row := range []struct {
		why    string
		change func(*intent.Service)
		field  string
	}{
		{"the interval has a range", hc(intent.HealthCheck{IntervalSeconds: 4}), "healthCheck.intervalSeconds"},
		{"the timeout has a range", hc(intent.HealthCheck{TimeoutSeconds: 121}), "healthCheck.timeoutSeconds"},
		{"the timeout is shorter than the interval", hc(intent.HealthCheck{TimeoutSeconds: 15}), "healthCheck.timeoutSeconds"},
		{"thresholds have a range", hc(intent.HealthCheck{HealthyThreshold: 11}), "healthCheck.healthyThreshold"},
		{"both of them", hc(intent.HealthCheck{UnhealthyThreshold: 1}), "healthCheck.unhealthyThreshold"},
		{"HTTP or HTTPS", hc(intent.HealthCheck{Protocol: "TCP"}), "healthCheck.protocol"},
		{"a path begins with a slash", hc(intent.HealthCheck{Path: "health"}), "healthCheck.path"},
		{"a port is a number by now", hc(intent.HealthCheck{Port: "admin"}), "healthCheck.port"},
		{"HTTP codes", hc(intent.HealthCheck{Matcher: "200,600"}), "healthCheck.matcher"},
		{"ranges go up", hc(intent.HealthCheck{Matcher: "299-200"}), "healthCheck.matcher"},
		{"gRPC codes", func(s *intent.Service) { s.Group.ProtocolVersion, s.Group.HealthCheck.Matcher = "GRPC", "200" }, "healthCheck.matcher"},
		{"IPv6 needs a load balancer that has it", func(s *intent.Service) { s.IPv6 = true }, "spec.rules[0]"},
		{"target types", func(s *intent.Service) { s.Group.TargetType = "lambda" }, "targetType"},
		{"protocols", func(s *intent.Service) { s.Group.Protocol = "TCP" }, "protocol"},
		{"protocol versions", func(s *intent.Service) { s.Group.ProtocolVersion = "HTTP3" }, "protocolVersion"},
		{"the finding names what the user wrote", func(s *intent.Service) {
			s.Group.HealthCheck.Path, s.Group.Fields = "x", map[string]string{"healthCheck.path": "alb.ingress.kubernetes.io/healthcheck-path"}
		}, "alb.ingress.kubernetes.io/healthcheck-path"},
	} {
		t.Run(row.why, func(t *testing.T) {
			r := route("", "/", "x")
			row.change(r.Forward.Backends[0].Service)
			got := build.Build(group(fragment("web", r)), facts())
			var fields []string
			for _, f := range got.Findings {
				fields = append(fields, string(f.Severity)+" "+f.Field)
			}
			same(t, row.why, "findings", fields, []string{"Wrong " + row.field})
			same(t, row.why, "answer", rulesOf(got.Stack, 80), []string{"/* → 503"})
		})
	}
}

func TestTargetGroupIdentity(t *testing.T) {
	one := func(change func(*intent.Service)) model.TargetGroup {
		r := route("", "/", "x")
		change(r.Forward.Backends[0].Service)
		r.Ports = []int{443}
		f := facts()
		for i := range f.Subnets {
			f.Subnets[i].IPv6 = true
		}
		web := fragment("web", r)
		// HTTP2 to targets needs an HTTPS listener.
		web.Listeners = []intent.Listener{{Port: 443, Protocol: "HTTPS", Certificates: []string{"arn:aws:acm:r:1:certificate/a"}}}
		web.Settings.IPAddressType = "dualstack"
		return build.Build(group(web), f).Stack.TargetGroups[0]
	}
	base := one(func(*intent.Service) {})
	dual := one(func(s *intent.Service) { s.IPv6 = true })
	same(t, "the family of the Service", "family", dual.IPAddressType, "ipv6")
	for why, change := range map[string]func(*intent.Service){
		"another protocol": func(s *intent.Service) { s.Group.Protocol = "HTTPS" },
		"another version":  func(s *intent.Service) { s.Group.ProtocolVersion = "HTTP2" },
		"a control port":   func(s *intent.Service) { s.Group.ControlPort = 3000 },
		"another family":   func(s *intent.Service) { s.IPv6 = true },
		"another Service":  func(s *intent.Service) { s.UID = "new" },
	} {
		if got := one(change); got.Name == base.Name {
			t.Errorf("%s cannot stand beside the old group: both are %s", why, got.Name)
		}
	}
	same(t, "what can be modified keeps the name", "name", one(func(s *intent.Service) { s.Group.HealthCheck.Path = "/up" }).Name, base.Name)
	odd := one(func(s *intent.Service) { s.Namespace, s.Name, s.TargetPort = "a-b-c-d-e-f-g", "--", 0 })
	if !regexp.MustCompile(`^k8s-abcdefg-x-[0-9a-f]{10}$`).MatchString(odd.Name) {
		t.Errorf("%s is no name that AWS takes", odd.Name)
	}
	same(t, "a named target port is known by the pods only", "permission", odd.Backend.Network[0].ToPort, 65535)
	health := one(func(s *intent.Service) { s.Group.HealthCheck.Port = "9000" })
	same(t, "health is asked for on its own port", "permissions", []int{health.Backend.Network[0].ToPort, health.Backend.Network[1].ToPort}, []int{8080, 9000})
	same(t, "a group with ports and attributes as its user wrote", "attributes",
		one(func(s *intent.Service) { s.Group.Attributes = map[string]string{"a": "b"} }).Attributes, map[string]string{"a": "b"})
}

func TestManyMembers(t *testing.T) {
	var fragments []intent.Fragment
	for i := range 1000 {
		fragments = append(fragments, fragment(fmt.Sprint("m", i), route(fmt.Sprintf("h%d.example.com", i), "/", fmt.Sprint("s", i))))
	}
	in := group(fragments...)
	in.Order = intent.BySpecificity
	got := build.Build(in, facts())
	same(t, "100 of 1000 members fit, the rest is told", "findings", len(got.Findings), 900)
}
