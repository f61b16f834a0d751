package dataplane

import (
	"math/rand/v2"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/build"
	"github.com/headgate/headgate/model/intent"
)

// TestFoldedRulesAnswerAlike: whatever the rules, their folded form (headgate.dev/fold-rules) answers every request as they do.
func TestFoldedRulesAnswerAlike(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 4))
	saved := 0
	for range 300 {
		member := someRoutes(r)
		plain := listenerOf(t, member)
		member.Fold = true
		folded := listenerOf(t, member)
		saved += len(plain.Rules) - len(folded.Rules)
		before, after := evaluatorOf(t, plain.Rules), evaluatorOf(t, folded.Rules)
		for range 60 {
			v := someView(t, r)
			if old, now := answerOf(before, plain.Rules, v), answerOf(after, folded.Rules, v); old != now {
				t.Fatalf("%s %s%s?%s %v from %s: %s, folded %s\n%+v\n%+v",
					v.method, v.host, v.path, v.query, v.header, v.source, old, now, plain.Rules, folded.Rules)
			}
		}
	}
	if saved < 300 {
		t.Errorf("only %d rules were saved: the test proves little", saved)
	}
}

func oneOf[T any](r *rand.Rand, from ...T) T { return from[r.IntN(len(from))] }

// someRoutes is a member with routes over few values, so that neighbours often differ in one.
func someRoutes(r *rand.Rand) intent.Fragment {
	out := intent.Fragment{
		Member: model.ObjectRef{Kind: "Ingress", Namespace: "shop", Name: "web"}, Listeners: []intent.Listener{{Port: 80, Protocol: "HTTP"}},
	}
	m := intent.Match{Hosts: []string{"a.example.com"}, Paths: []intent.Path{{Kind: intent.PathExact, Value: "/x"}}, AnyPort: r.IntN(3) == 0}
	for range 4 + r.IntN(12) {
		what := r.IntN(10)
		if what < 4 && r.IntN(2) == 0 { // AWS takes no rule with all of them
			m.Headers, m.Queries, m.Methods, m.SourceIPs = nil, nil, nil, nil
		} else if what == 3 {
			m.Queries = nil
		}
		switch what {
		case 0:
			m.Headers = []intent.Header{{Name: "Version", Values: []string{oneOf(r, "1", "2")}}}
		case 1:
			m.SourceIPs = nil
			m.Queries = []intent.Query{{Pairs: []model.QueryPair{{Key: "k", Value: oneOf(r, "1", "2")}}}}
		case 2:
			m.Methods = []string{oneOf(r, "GET", "POST")}
		case 3:
			m.SourceIPs = []string{oneOf(r, "127.0.0.1/32", "127.0.0.2/32")}
		case 4:
			m.Headers, m.Queries, m.Methods, m.SourceIPs = nil, nil, nil, nil
		case 5:
			m.Hosts = []string{oneOf(r, "a.example.com", "b.example.com", "*.example.com")}
		default:
			kind := oneOf(r, intent.PathExact, intent.PathExact, intent.PathPrefix, intent.PathPattern, intent.PathRegex)
			m.Paths = []intent.Path{{Kind: kind, Value: oneOf(r, "/", "/x", "/x/y", "/z")}}
		}
		out.Routes = append(out.Routes, intent.Route{
			Ports: []int{80}, Match: m, Fixed: &intent.Fixed{StatusCode: 200, Body: oneOf(r, "one", "one", "two")},
		})
	}
	return out
}

func listenerOf(t *testing.T, member intent.Fragment) model.Listener {
	t.Helper()
	got := build.Build(intent.Intent{
		Owner: model.Owner{Cluster: "demo", Prefix: model.PrefixIngress, Stack: "shop"}, Front: "ingress", Order: intent.ByFragment,
		Defaults: intent.Defaults{Cluster: "demo", Scheme: "internal", TargetType: "ip"}, Fragments: []intent.Fragment{member},
	}, model.Facts{VPC: model.VPC{ID: "vpc-1"}, Subnets: []model.Subnet{
		{ID: "a", Zone: "a", FreeAddresses: 99, Tags: map[string]string{"kubernetes.io/role/internal-elb": "1"}},
		{ID: "b", Zone: "b", FreeAddresses: 99, Tags: map[string]string{"kubernetes.io/role/internal-elb": "1"}},
	}})
	if got.Blocked != "" || len(got.Findings) > 0 {
		t.Fatal(got.Blocked, got.Findings)
	}
	return got.Stack.Listeners[0]
}

func evaluatorOf(t *testing.T, rules []model.Rule) *evaluator {
	t.Helper()
	compiled := make([]*rule, 0, len(rules))
	for i, r := range rules {
		source := Rule{ARN: strconv.Itoa(i), Actions: []elbtypes.Action{{
			Type: elbtypes.ActionTypeEnumFixedResponse, FixedResponseConfig: &elbtypes.FixedResponseActionConfig{StatusCode: aws.String("200")},
		}}}
		total := 0
		for _, c := range r.Conditions {
			source.Conditions = append(source.Conditions, conditionOf(c))
			total += len(c.Values) + len(c.Regex) + len(c.Query)
		}
		if total > 5 {
			t.Fatalf("AWS takes no rule with %d values: %+v", total, r)
		}
		one, err := compileRule(source)
		if err != nil {
			t.Fatal(err)
		}
		compiled = append(compiled, one)
	}
	return newEvaluator(compiled)
}

func conditionOf(c model.Condition) elbtypes.RuleCondition {
	switch c.Field {
	case model.FieldHost:
		return elbtypes.RuleCondition{Field: &c.Field, HostHeaderConfig: &elbtypes.HostHeaderConditionConfig{Values: c.Values, RegexValues: c.Regex}}
	case model.FieldPath:
		return elbtypes.RuleCondition{Field: &c.Field, PathPatternConfig: &elbtypes.PathPatternConditionConfig{Values: c.Values, RegexValues: c.Regex}}
	case model.FieldHeader:
		return header(c.Header, c.Values...)
	case model.FieldMethod:
		return methods(c.Values...)
	case model.FieldSourceIP:
		return sources(c.Values...)
	}
	out := query(c.Query[0].Key, c.Query[0].Value)
	for _, q := range c.Query[1:] {
		out.QueryStringConfig.Values = append(out.QueryStringConfig.Values, elbtypes.QueryStringKeyValuePair{Key: &q.Key, Value: &q.Value})
	}
	return out
}

func someView(t *testing.T, r *rand.Rand) *view {
	t.Helper()
	to := "http://" + oneOf(r, "a.example.com", "b.example.com:8080", "c.example.com", "example.org") + oneOf(r, "/", "/x", "/x/y", "/x/y/z", "/z", "/w") +
		oneOf(r, "", "?k=1", "?k=2")
	request := httptest.NewRequestWithContext(t.Context(), oneOf(r, "GET", "POST"), to, nil)
	request.Header.Set("Version", oneOf(r, "1", "2", "3"))
	v := newView(request, request.Host, netip.MustParseAddr(oneOf(r, "127.0.0.1", "127.0.0.2", "127.0.0.3")))
	return &v
}

// answerOf is what the rules answer.
func answerOf(e *evaluator, rules []model.Rule, v *view) string {
	hit := e.evaluate(v)
	if hit == nil {
		return "default"
	}
	at, err := strconv.Atoi(hit.source.ARN)
	if err != nil {
		return err.Error()
	}
	return rules[at].Actions[0].FixedResponse.Body
}
