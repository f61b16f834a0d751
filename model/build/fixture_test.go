package build_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/build"
	"github.com/headgate/headgate/model/intent"
)

// certLost is one that ACM does not have.
const certLost = "arn:aws:acm:eu-west-1:1:certificate/lost"

const certShop, certWild, certOther = "arn:aws:acm:eu-west-1:1:certificate/b", "arn:aws:acm:eu-west-1:1:certificate/a", "arn:aws:acm:eu-west-1:1:certificate/c"

func facts() model.Facts {
	subnet := func(id, zone string, tags ...string) model.Subnet {
		s := model.Subnet{ID: id, Zone: zone, ZoneType: "availability-zone", CIDR: "10.0.0.0/24", FreeAddresses: 200, Tags: map[string]string{}}
		for _, t := range tags {
			k, v, _ := strings.Cut(t, "=")
			s.Tags[k] = v
		}
		s.Public = s.Tags["kubernetes.io/role/elb"] != ""
		return s
	}
	return model.Facts{
		VPC: model.VPC{ID: "vpc-1", CIDRs: []string{"10.0.0.0/16"}},
		Subnets: []model.Subnet{
			subnet("subnet-a", "1a", "kubernetes.io/role/internal-elb=1", "Name=alpha", "tier=back"),
			subnet("subnet-b", "1b", "kubernetes.io/role/internal-elb=1", "Name=beta", "tier=back"),
			subnet("subnet-c", "1a", "kubernetes.io/role/elb=1", "tier=front"),
			subnet("subnet-d", "1b", "kubernetes.io/role/elb=1", "tier=front"),
		},
		Certificates: []model.Certificate{
			{ARN: certShop, Domains: []string{"shop.example.com"}},
			{ARN: certWild, Domains: []string{"*.example.com"}},
			{ARN: certOther, Domains: []string{"*.example.org", "example.org"}},
		},
		SecurityGroups: map[string][]string{"web": {"sg-1"}, "twice": {"sg-2", "sg-3"}},
		TargetGroups:   map[string]model.ARN{"legacy": "arn:tg/legacy"},
	}
}

func member(name string) model.ObjectRef {
	return model.ObjectRef{Group: "networking.k8s.io", Kind: "Ingress", Namespace: "shop", Name: name}
}

func service(name string) *intent.Service {
	return &intent.Service{
		ID: "shop/web-" + name + ":80", NameKey: "group", Namespace: "shop", Name: name, UID: "uid-" + name, Port: "80", TargetPort: 8080,
	}
}

func to(names ...string) *intent.Forward {
	f := &intent.Forward{}
	for _, n := range names {
		f.Backends = append(f.Backends, intent.Backend{Service: service(n), Weight: 1})
	}
	return f
}

func route(host, path, backend string) intent.Route {
	r := intent.Route{Ports: []int{80}, Forward: to(backend), Field: "spec.rules[0]"}
	if host != "" {
		r.Match.Hosts = []string{host}
	}
	if path != "" {
		r.Match.Paths = []intent.Path{{Kind: intent.PathPrefix, Value: path}}
	}
	return r
}

// fragment is a member with an HTTP listener on port 80.
func fragment(name string, routes ...intent.Route) intent.Fragment {
	return intent.Fragment{Member: member(name), Listeners: []intent.Listener{{Port: 80, Protocol: "HTTP"}}, Routes: routes}
}

func group(fragments ...intent.Fragment) intent.Intent {
	return intent.Intent{
		Owner: model.Owner{Cluster: "demo", Prefix: model.PrefixIngress, Stack: "shop"}, Front: "ingress", Group: "shop", Order: intent.ByFragment,
		Defaults: intent.Defaults{
			Cluster: "demo", Scheme: "internal", TargetType: "ip", SSLPolicy: "policy-default", BackendSecurityGroup: true,
		},
		Fragments: fragments,
	}
}

// reasons are the findings in short: "name severity field Reason".
func reasons(r build.Result) []string {
	var out []string
	for _, f := range r.Findings {
		out = append(out, f.Object.Name+" "+string(f.Severity)+" "+f.Field+" "+f.Reason)
	}
	return out
}

// conditionsOf are the rules of a port in short: conditions, then the answer.
func rulesOf(s model.Stack, port int) []string {
	var out []string
	for _, l := range s.Listeners {
		if l.Port != port {
			continue
		}
		for _, r := range l.Rules {
			out = append(out, ruleText(r))
		}
	}
	return out
}

func ruleText(r model.Rule) string {
	var parts []string
	for _, c := range r.Conditions {
		values := slices.Concat(c.Values, c.Regex)
		for _, q := range c.Query {
			values = append(values, q.Key+"="+q.Value)
		}
		parts = append(parts, strings.Join(values, "|"))
	}
	return strings.Join(parts, " ") + " → " + answerText(r.Actions)
}

func answerText(actions []model.Action) string {
	a := actions[len(actions)-1]
	switch {
	case a.Forward != nil:
		var keys []string
		for _, g := range a.Forward.Groups {
			keys = append(keys, strings.TrimPrefix(g.Key, "shop/web-")+string(g.ARN))
		}
		return strings.Join(keys, "+")
	case a.Redirect != nil:
		return a.Redirect.StatusCode
	default:
		return a.FixedResponse.StatusCode
	}
}

func same[T any](t *testing.T, why, what string, got, want T) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (%s): -want +got\n%s", what, why, diff)
	}
}
