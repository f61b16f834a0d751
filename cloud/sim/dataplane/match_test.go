package dataplane

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strconv"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

func hosts(values ...string) elbtypes.RuleCondition {
	return elbtypes.RuleCondition{Field: aws.String("host-header"), HostHeaderConfig: &elbtypes.HostHeaderConditionConfig{Values: values}}
}

func hostsRegex(values ...string) elbtypes.RuleCondition {
	return elbtypes.RuleCondition{Field: aws.String("host-header"), HostHeaderConfig: &elbtypes.HostHeaderConditionConfig{RegexValues: values}}
}

func paths(values ...string) elbtypes.RuleCondition {
	return elbtypes.RuleCondition{Field: aws.String("path-pattern"), PathPatternConfig: &elbtypes.PathPatternConditionConfig{Values: values}}
}

func pathsRegex(values ...string) elbtypes.RuleCondition {
	return elbtypes.RuleCondition{Field: aws.String("path-pattern"), RegexValues: values}
}

func header(name string, values ...string) elbtypes.RuleCondition {
	return elbtypes.RuleCondition{Field: aws.String("http-header"), HttpHeaderConfig: &elbtypes.HttpHeaderConditionConfig{
		HttpHeaderName: aws.String(name), Values: values,
	}}
}

func headerRegex(name string, values ...string) elbtypes.RuleCondition {
	return elbtypes.RuleCondition{Field: aws.String("http-header"), HttpHeaderConfig: &elbtypes.HttpHeaderConditionConfig{
		HttpHeaderName: aws.String(name), RegexValues: values,
	}}
}

func methods(values ...string) elbtypes.RuleCondition {
	return elbtypes.RuleCondition{
		Field: aws.String("http-request-method"), HttpRequestMethodConfig: &elbtypes.HttpRequestMethodConditionConfig{Values: values},
	}
}

func query(key, value string) elbtypes.RuleCondition {
	pair := elbtypes.QueryStringKeyValuePair{Value: aws.String(value)}
	if key != "" {
		pair.Key = aws.String(key)
	}
	return elbtypes.RuleCondition{
		Field:             aws.String("query-string"),
		QueryStringConfig: &elbtypes.QueryStringConditionConfig{Values: []elbtypes.QueryStringKeyValuePair{pair}},
	}
}

func sources(values ...string) elbtypes.RuleCondition {
	return elbtypes.RuleCondition{Field: aws.String("source-ip"), SourceIpConfig: &elbtypes.SourceIpConditionConfig{Values: values}}
}

// ask describes a request to the rules.
type ask struct {
	method, target, host string
	header               http.Header
	source               string
}

func (a ask) view(tb testing.TB) view {
	tb.Helper()
	if a.method == "" {
		a.method = http.MethodGet
	}
	if a.source == "" {
		a.source = "192.0.2.1"
	}
	r := httptest.NewRequestWithContext(tb.Context(), a.method, "/", http.NoBody)
	r.RequestURI = a.target
	if a.header != nil {
		r.Header = a.header
	}
	return newView(r, a.host, netip.MustParseAddr(a.source))
}

func TestConditions(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		why       string
		condition elbtypes.RuleCondition
		ask       ask
		want      bool
	}{
		{"a host is compared without regard to case", hosts("Shop.Example.com"), ask{host: "shop.EXAMPLE.com"}, true},
		{"a port in the Host header counts", hosts("shop.example.com"), ask{host: "shop.example.com:8080"}, false},
		{"a wildcard allows a port", hosts("shop.example.com*"), ask{host: "shop.example.com:8080"}, true},
		{"a star stands for one label", hosts("*.example.com"), ask{host: "a.example.com"}, true},
		{"a star stands for two labels", hosts("*.example.com"), ask{host: "a.b.example.com"}, true},
		{"the dot after a star is needed", hosts("*.example.com"), ask{host: "example.com"}, false},
		{"a question mark is exactly one character", hosts("shop?.example.com"), ask{host: "shop1.example.com"}, true},
		{"a question mark is not nothing", hosts("shop?.example.com"), ask{host: "shop.example.com"}, false},
		{"one value of several is enough", hosts("a.example.com", "b.example.com"), ask{host: "b.example.com"}, true},
		{"an expression is not anchored", hostsRegex("example"), ask{host: "www.example.com"}, true},
		{"an expression on hosts ignores case", hostsRegex("^WWW\\.example\\.com$"), ask{host: "www.Example.com"}, true},
		{"an anchored expression sees the port", hostsRegex("^www\\.example\\.com$"), ask{host: "www.example.com:81"}, false},
		{"a path is compared exactly", paths("/img"), ask{target: "/img"}, true},
		{"a path minds the case", paths("/img"), ask{target: "/IMG"}, false},
		{"a path never sees the query", paths("/img"), ask{target: "/img?x=1"}, true},
		{"a star crosses slashes", paths("/img/*"), ask{target: "/img/a/b.png"}, true},
		{"a slash before the star is needed", paths("/img/*"), ask{target: "/img"}, false},
		{"a star may be empty", paths("/img*"), ask{target: "/img"}, true},
		{"stars in the middle go back when they took too little", paths("/*/b/*.png"), ask{target: "/a/b/b/c.png"}, true},
		{"the end must fit after stars", paths("/*.png"), ask{target: "/a.png.gz"}, false},
		{"encoding stays", paths("/a b"), ask{target: "/a%20b"}, false},
		{"encoding is compared as it is", paths("/a%20b"), ask{target: "/a%20b"}, true},
		{"nothing is normalised", paths("/a/b"), ask{target: "/a//b"}, false},
		{"an absolute target gives its path", paths("/a"), ask{target: "http://example.com/a?b"}, true},
		{"an absolute target without path is the root", paths("/"), ask{target: "http://example.com?x"}, true},
		{"an expression on paths minds the case", pathsRegex("^/API/"), ask{target: "/api/x"}, false},
		{"an expression on paths is not anchored", pathsRegex("/v[0-9]+/"), ask{target: "/api/v12/x"}, true},
		{"a header name ignores case", header("x-version", "v1"), ask{header: http.Header{"X-Version": {"v1"}}}, true},
		{"a header value ignores case", header("X-Version", "V1*"), ask{header: http.Header{"X-Version": {"v1-beta"}}}, true},
		{"each field of a name is tried", header("X-Version", "v2"), ask{header: http.Header{"X-Version": {"v1", "v2"}}}, true},
		{"lists in a field are not split", header("X-Version", "v2"), ask{header: http.Header{"X-Version": {"v1, v2"}}}, false},
		{"an absent header does not match a star", header("X-Version", "*"), ask{}, false},
		{"an expression on headers ignores case", headerRegex("X-Version", "^V[12]$"), ask{header: http.Header{"X-Version": {"v2"}}}, true},
		{"a method is exact", methods("GET"), ask{method: "get"}, false},
		{"a method of several", methods("PUT", "GET"), ask{}, true},
		{"key and value", query("a", "1"), ask{target: "/?b=2&a=1"}, true},
		{"key and value belong together", query("a", "2"), ask{target: "/?b=2&a=1"}, false},
		{"the query ignores case", query("Key", "VALUE"), ask{target: "/?kEY=value"}, true},
		{"without key any key will do", query("", "1"), ask{target: "/?z=1"}, true},
		{"a bare word is a value", query("", "debug"), ask{target: "/?debug"}, true},
		{"a bare word is a key with an empty value", query("debug", "*"), ask{target: "/?debug"}, true},
		{"wildcards in the query", query("a*", "x?z"), ask{target: "/?abc=xyz"}, true},
		{"an escaped star is a star", query("a", `\*`), ask{target: "/?a=*"}, true},
		{"an escaped star is nothing else", query("a", `\*`), ask{target: "/?a=x"}, false},
		{"an escaped question mark", query("a", `x\?`), ask{target: "/?a=x?"}, true},
		{"an escaped backslash before a star", query("a", `\\*`), ask{target: `/?a=\xyz`}, true},
		{"the query is not decoded", query("a", "x y"), ask{target: "/?a=x%20y"}, false},
		{"only the first question mark splits", query("a", "b?c"), ask{target: "/?a=b?c"}, true},
		{"no query matches no value", query("", "*"), ask{target: "/"}, false},
		{"an IPv4 source", sources("192.0.2.0/24"), ask{source: "192.0.2.200"}, true},
		{"a source outside", sources("192.0.2.0/24"), ask{source: "192.0.3.1"}, false},
		{"an IPv6 source", sources("10.0.0.0/8", "2001:db8::/32"), ask{source: "2001:db8::1"}, true},
		{
			"X-Forwarded-For is no source", sources("10.0.0.0/8"),
			ask{header: http.Header{"X-Forwarded-For": {"10.1.1.1"}}}, false,
		},
		{
			"the old place of a single value", elbtypes.RuleCondition{Field: aws.String("path-pattern"), Values: []string{"/old"}},
			ask{target: "/old"}, true,
		},
	} {
		t.Run(row.why, func(t *testing.T) {
			t.Parallel()
			m, err := compileCondition(row.condition)
			if err != nil {
				t.Fatal(err)
			}
			v := row.ask.view(t)
			if got := m.match(&v); got != row.want {
				t.Errorf("match = %t, want %t", got, row.want)
			}
		})
	}
}

func TestConditionsThatCannotBeCompiled(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		why       string
		condition elbtypes.RuleCondition
	}{
		{"an unknown field", elbtypes.RuleCondition{Field: aws.String("moon-phase")}},
		{"a host without value", hosts()},
		{"a method without value", methods()},
		{"a source that is no network", sources("example.com")},
		{"a lookahead", pathsRegex("(?=x)")},
		{"a header without a name", header("", "x")},
		{"a query without value", elbtypes.RuleCondition{Field: aws.String("query-string")}},
	} {
		t.Run(row.why, func(t *testing.T) {
			t.Parallel()
			if _, err := compileCondition(row.condition); err == nil {
				t.Fatal("no error")
			}
			r, err := compileRule(Rule{ARN: "rule", Conditions: []elbtypes.RuleCondition{row.condition}, Actions: []elbtypes.Action{fixedAction("200", "open")}})
			if err == nil {
				t.Error("the rule compiled")
			}
			v := ask{target: "/"}.view(t)
			if r.matches(&v) {
				t.Error("a broken condition must not match")
			}
		})
	}
}

func fixedAction(status, body string) elbtypes.Action {
	return elbtypes.Action{Type: elbtypes.ActionTypeEnumFixedResponse, FixedResponseConfig: &elbtypes.FixedResponseActionConfig{
		StatusCode: aws.String(status), MessageBody: aws.String(body),
	}}
}

// compileAll makes an evaluator of rules whose ARNs are their positions.
func compileAll(tb testing.TB, conditions ...[]elbtypes.RuleCondition) *evaluator {
	tb.Helper()
	rules := make([]*rule, 0, len(conditions))
	for i, c := range conditions {
		r, err := compileRule(Rule{ARN: strconv.Itoa(i), Conditions: c, Actions: []elbtypes.Action{fixedAction("200", "")}})
		if err != nil {
			tb.Fatal(err)
		}
		rules = append(rules, r)
	}
	return newEvaluator(rules)
}

func TestFirstRuleWins(t *testing.T) {
	t.Parallel()
	type c = []elbtypes.RuleCondition
	e := compileAll(t,
		c{hosts("a.example.com"), paths("/x*")},
		c{paths("/both*")},
		c{hosts("a.example.com", "b.example.com")},
		c{hosts("*.example.com")},
		c{hosts("c.example.com")},
		c{},
	)
	for _, row := range []struct {
		why  string
		ask  ask
		want string
	}{
		{"host and path together", ask{host: "a.example.com", target: "/x1"}, "0"},
		{"a rule without host stands between rules with one", ask{host: "a.example.com", target: "/both"}, "1"},
		{"a rule for several hosts", ask{host: "B.example.com", target: "/"}, "2"},
		{"a wildcard above an exact host wins", ask{host: "c.example.com", target: "/"}, "3"},
		{"an unknown host reaches the rules without host", ask{host: "other.test", target: "/both"}, "1"},
		{"the default takes the rest", ask{host: "other.test", target: "/"}, "5"},
		{"a port makes another host", ask{host: "a.example.com:81", target: "/x1"}, "5"},
	} {
		t.Run(row.why, func(t *testing.T) {
			t.Parallel()
			v := row.ask.view(t)
			if got := e.evaluate(&v).source.ARN; got != row.want {
				t.Errorf("rule %s, want %s", got, row.want)
			}
		})
	}
}

// The index must never change which rule is found: a plain walk over all rules is the reference.
func FuzzIndexedEvaluation(f *testing.F) {
	type c = []elbtypes.RuleCondition
	e := compileAll(f,
		c{hosts("a.test"), paths("/x", "/x/*")}, c{paths("/x*")}, c{hosts("a.test", "b.test")}, c{paths("/y/?")}, c{paths("//z/*", "/")},
		c{hosts("*.test"), paths("/y/*")}, c{pathsRegex("z$")}, c{hosts("b.test"), paths("/x/y/*")}, c{methods("PUT")}, c{},
	)
	for _, host := range []string{"a.test", "b.test", "c.test", "other"} {
		for _, path := range []string{"", "/", "/x", "/xy", "/x/", "/y/1", "/y/12", "//z/1", "/a/z", "*"} {
			f.Add(host, path)
		}
	}
	f.Fuzz(func(t *testing.T, host, path string) {
		v := ask{host: host, target: path}.view(t)
		var want string
		for _, r := range e.rules {
			if (len(r.hosts) == 0 || slices.Contains(r.hosts, v.host)) && r.matches(&v) {
				want = r.source.ARN
				break
			}
		}
		if got := e.evaluate(&v).source.ARN; got != want {
			t.Errorf("%q %q: rule %s, want %s", host, path, got, want)
		}
	})
}

func BenchmarkEvaluate(b *testing.B) {
	type c = []elbtypes.RuleCondition
	var byHost, byPath, mixed []c
	for i := range 100 {
		n := strconv.Itoa(i)
		byHost = append(byHost, c{hosts("team-" + n + ".example.com"), paths("/api/*")})
		byPath = append(byPath, c{hosts("shop.example.com"), paths("/service-"+n, "/service-"+n+"/*")})
		mixed = append(mixed, c{hosts("team-" + strconv.Itoa(i/10) + ".example.com"), paths("/v" + n + "/*"), methods("GET")})
	}
	for _, row := range []struct {
		name  string
		rules []c
		ask   ask
	}{
		{"hosts", byHost, ask{host: "team-99.example.com", target: "/api/x?y=1"}},
		{"paths", byPath, ask{host: "shop.example.com", target: "/service-99/x"}},
		{"mixed", mixed, ask{host: "team-9.example.com", target: "/v99/x"}},
		{"default", byHost, ask{host: "other.example.com", target: "/"}},
	} {
		b.Run(row.name, func(b *testing.B) {
			e := compileAll(b, append(row.rules, c{})...)
			r := httptest.NewRequestWithContext(b.Context(), http.MethodGet, "/", http.NoBody)
			r.RequestURI = row.ask.target
			source := netip.MustParseAddr("192.0.2.1")
			b.ReportAllocs()
			for b.Loop() {
				v := newView(r, row.ask.host, source)
				if e.evaluate(&v) == nil {
					b.Fatal("no rule")
				}
			}
		})
	}
}
