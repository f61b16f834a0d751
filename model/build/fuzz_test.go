package build_test

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/build"
	"github.com/headgate/headgate/model/intent"
)

// FuzzMatch holds that every match becomes conditions that AWS takes, or a finding, and that the neighbour's rule stays.
func FuzzMatch(f *testing.F) {
	for _, seed := range [][3]string{
		{"shop.example.com", "/", "Exact"}, {"*.example.com", "/cart", "Prefix"}, {"", "/a*b?", "Exact"}, {"localhost", "/%20", "Prefix"},
		{"*.", "(", "Regex"}, {"a.b1", "^/v[0-9]+$", "Regex"}, {"ä.example.com", "/ä", "Pattern"}, {"*", "//", "Prefix"}, {"a..b", `\`, "Exact"},
	} {
		f.Add(seed[0], seed[1], seed[2], true)
		f.Add(seed[0], seed[1], seed[2], false)
	}
	f.Fuzz(func(t *testing.T, host, path, kind string, anyPort bool) {
		r := route("", "", "x")
		r.Match = intent.Match{
			Hosts: []string{host}, AnyPort: anyPort, Paths: []intent.Path{{Kind: intent.PathKind(kind), Value: path}},
			Headers: []intent.Header{{Name: "X-A", Values: []string{path}}}, Queries: []intent.Query{{Pairs: []model.QueryPair{{Key: host, Value: path}}}},
		}
		got := build.Build(group(fragment("web", r), fragment("other", route("other.example.net", "/", "y"))), facts())
		rules := got.Stack.Listeners[0].Rules
		if last := rules[len(rules)-1]; ruleText(last) != "other.example.net /* → y:80" {
			t.Fatalf("the neighbour's rule is %s", ruleText(last))
		}
		if len(rules) == 1 && len(got.Findings) == 0 {
			t.Fatal("neither a rule nor a finding")
		}
		for _, rule := range rules {
			checkLimits(t, rule)
		}
	})
}

func checkLimits(t *testing.T, rule model.Rule) {
	t.Helper()
	values := 0
	for _, c := range rule.Conditions {
		if len(c.Values) > 0 && len(c.Regex) > 0 {
			t.Errorf("values and expressions in one condition: %v", c)
		}
		for _, v := range append(append([]string{}, c.Values...), c.Regex...) {
			values++
			if v == "" || len(v) > 128 || strings.ContainsFunc(v, func(r rune) bool { return r < 0x20 || r > 0x7e }) {
				t.Errorf("AWS refuses the value %q of %s", v, c.Field)
			}
		}
		for _, v := range c.Regex {
			if _, err := regexp.Compile(v); err != nil {
				t.Errorf("AWS refuses the expression %q: %v", v, err)
			}
		}
		values += len(c.Query)
	}
	if values > 5 {
		t.Errorf("%d values in a rule: %v", values, rule.Conditions)
	}
}

// FuzzBuild holds that no intent makes a build panic, and that the result is its own normal form.
func FuzzBuild(f *testing.F) {
	whole := fragment("web", route("shop.example.com", "/", "front"))
	whole.Listeners = append(whole.Listeners, https(443, intent.Listener{DiscoverHosts: []string{"shop.example.com"}}))
	whole.Settings = intent.Settings{SSLRedirectPort: 443, Subnets: []string{"alpha", "beta"}, Tags: map[string]string{"a": "b"}}
	for _, in := range []intent.Intent{group(), group(whole), group(whole, fragment("b", route("", "", ""), intent.Route{Redirect: &intent.Redirect{}}))} {
		seed, err := json.Marshal(in)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(seed)
	}
	f.Add([]byte(`{"fragments":[{"listeners":[{"port":80,"protocol":"HTTP","default":{}}],"held":[{"port":80,"rule":{"actions":[{"type":"redirect"}]}}]}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var in intent.Intent
		if json.Unmarshal(data, &in) != nil {
			return
		}
		got := build.Build(in, facts())
		same(t, "a stack is normalised", "stack", got.Stack, model.Normalize(got.Stack))
		if len(in.Fragments) > 0 && got.Blocked == "" && got.Stack.LoadBalancer == nil {
			t.Error("neither a load balancer nor a reason why not")
		}
	})
}
