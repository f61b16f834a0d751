package build_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/build"
	"github.com/headgate/headgate/model/intent"
)

func TestNoMembersMeansNothing(t *testing.T) {
	in := group()
	got := build.Build(in, facts())
	same(t, "deleting is no branch", "result", got, build.Result{Stack: model.Stack{Owner: in.Owner}})
}

func TestBuildMakesAWholeStack(t *testing.T) {
	one := fragment("web", route("shop.example.com", "/", "front"))
	one.Settings.Tags = map[string]string{"team": "web", "env": "user"}
	one.Routes[0].Tags = map[string]string{"team": "web"}
	in := group(one)
	in.Defaults.Tags = map[string]string{"env": "prod"}
	got := build.Build(in, facts())
	same(t, "a plain Ingress is right", "findings", got.Findings, nil2())

	owned := func(id string, extra ...string) map[string]string {
		tags := map[string]string{
			"elbv2.k8s.aws/cluster": "demo", "ingress.k8s.aws/stack": "shop", "ingress.k8s.aws/resource": id, "env": "prod",
		}
		for i := 0; i < len(extra); i += 2 {
			tags[extra[i]] = extra[i+1]
		}
		return tags
	}
	lb := *got.Stack.LoadBalancer
	same(t, "names of generated load balancers follow the incumbent's pattern", "name prefix", lb.Name[:9], "k8s-shop-")
	same(t, "and end in ten hex digits", "name length", len(lb.Name), len("k8s-shop-")+10)
	lb.Name = ""
	same(t, "defaults of the incumbent", "load balancer", lb, model.LoadBalancer{
		ID: "LoadBalancer", Type: "application", Scheme: "internal", IPAddressType: "ipv4", Subnets: []string{"subnet-a", "subnet-b"}, VPC: "vpc-1",
		SecurityGroups: []model.GroupRef{{Key: "ManagedLBSecurityGroup"}, {Key: "backend-sg"}}, Tags: owned("LoadBalancer", "team", "web"),
	})

	sg := got.Stack.SecurityGroups[0]
	same(t, "an IPv4 load balancer admits IPv4", "permissions", sg.Ingress,
		[]model.Permission{{Protocol: "tcp", FromPort: 80, ToPort: 80, CIDR: "0.0.0.0/0"}})
	same(t, "as the incumbent writes it", "description", sg.Description, "[k8s] Managed SecurityGroup for LoadBalancer")

	tg := got.Stack.TargetGroups[0]
	same(t, "pattern and hash of a target group's name", "name", tg.Name[:len("k8s-shop-front-")], "k8s-shop-front-")
	tg.Name = ""
	same(t, "defaults of an Ingress", "target group", tg, model.TargetGroup{
		ID: "shop/web-front:80", TargetType: "ip", Protocol: "HTTP", ProtocolVersion: "HTTP1", Port: 8080, VPC: "vpc-1", IPAddressType: "ipv4",
		HealthCheck: model.HealthCheck{
			Protocol: "HTTP", Port: "traffic-port", Path: "/", IntervalSeconds: 15, TimeoutSeconds: 5, HealthyThreshold: 2, UnhealthyThreshold: 2, Matcher: "200",
		},
		Tags: owned("shop/web-front:80"),
		Backend: model.Backend{Namespace: "shop", Service: "front", Port: "80", Network: []model.Permission{
			{Protocol: "tcp", FromPort: 8080, ToPort: 8080, Source: model.GroupRef{Key: "backend-sg"}},
		}},
	})

	l := got.Stack.Listeners[0]
	rule := l.Rules[0]
	same(t, "the host and every path", "rule", ruleText(rule), "shop.example.com /* → front:80")
	same(t, "a rule knows who asked for it", "member", rule.Member, member("web"))
	same(t, "its tag carries content, not priority", "tags", rule.Tags, owned(model.RuleID(80, rule), "team", "web"))
	l.Rules = nil
	same(t, "what no rule matches is not found", "listener", l, model.Listener{
		Port: 80, Protocol: "HTTP", Tags: owned("80", "team", "web"), DefaultActions: []model.Action{
			{Type: "fixed-response", FixedResponse: &model.FixedResponse{StatusCode: "404", ContentType: "text/plain"}},
		},
	})
}

func nil2() []model.Finding { return []model.Finding{} }

func TestGatewayHealthDefaults(t *testing.T) {
	in := group(fragment("web", route("", "/", "front")))
	in.Front, in.Group, in.Namespace, in.Name = "gateway", "", "platform-team", "public"
	got := build.Build(in, facts())
	h := got.Stack.TargetGroups[0].HealthCheck
	same(t, "thresholds of the incumbent for Gateways", "thresholds", []int{h.HealthyThreshold, h.UnhealthyThreshold}, []int{3, 3})
	same(t, "matcher of the incumbent for Gateways", "matcher", h.Matcher, "200-399")
	same(t, "an owner that is one object is named by namespace and name", "name",
		got.Stack.LoadBalancer.Name[:len("k8s-platform-public-")], "k8s-platform-public-")
}

func TestGRPCHealthDefaults(t *testing.T) {
	one := fragment("web", route("", "/", "front"))
	one.Listeners = []intent.Listener{{Port: 443, Protocol: "HTTPS", Certificates: []string{certShop}}}
	one.Routes[0].Ports = []int{443}
	one.Routes[0].Forward.Backends[0].Service.Group.ProtocolVersion = "GRPC"
	h := build.Build(group(one), facts()).Stack.TargetGroups[0].HealthCheck
	same(t, "what AWS does for gRPC", "health check", []string{h.Path, h.Matcher}, []string{"/AWS.ALB/healthcheck", "12"})
}

// Invariant 10: the order of what has none does not matter.
func TestShuffledFactsGiveTheSameStack(t *testing.T) {
	one := fragment("web", route("shop.example.com", "/", "front"))
	one.Listeners = append(one.Listeners, intent.Listener{
		Port: 443, Protocol: "HTTPS", DiscoverHosts: []string{"shop.example.com", "example.org"}, InboundCIDRs: []string{"10.0.0.0/8", "192.168.0.0/16"},
	})
	want := build.Build(group(one), facts())
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(seed, 1))
		f := facts()
		rng.Shuffle(len(f.Subnets), func(i, j int) { f.Subnets[i], f.Subnets[j] = f.Subnets[j], f.Subnets[i] })
		rng.Shuffle(len(f.Certificates), func(i, j int) { f.Certificates[i], f.Certificates[j] = f.Certificates[j], f.Certificates[i] })
		two := fragment("web", one.Routes...)
		two.Listeners = slices.Clone(one.Listeners)
		two.Listeners[1].DiscoverHosts = []string{"example.org", "shop.example.com"}
		two.Listeners[1].InboundCIDRs = []string{"192.168.0.0/16", "10.0.0.0/8"}
		slices.Reverse(two.Listeners)
		same(t, fmt.Sprint("seed ", seed), "result", build.Build(group(two), f), want)
	}
}

// Invariant 10, for routes that are ranked: the order of routes and their objects does not matter.
func TestShuffledRoutesGiveTheSameStack(t *testing.T) {
	make4 := func() []intent.Fragment {
		out := []intent.Fragment{{Member: member("gateway"), Listeners: []intent.Listener{{Port: 80, Protocol: "HTTP"}}}}
		for i, host := range []string{"a.example.com", "a.example.com", "*.example.com", "*.example.com", "", "b.a.example.com"} {
			r := route(host, "/x", fmt.Sprint("s", i))
			r.Age = int64(10 - i/2) // two of a host are of one age
			out = append(out, intent.Fragment{Member: member(fmt.Sprint("r", i)), Routes: []intent.Route{r, route(host, "/", "all")}})
		}
		return out
	}
	in := group(make4()...)
	in.Order = intent.BySpecificity
	want := build.Build(in, facts())
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(seed, 2))
		fragments := make4()
		rng.Shuffle(len(fragments), func(i, j int) { fragments[i], fragments[j] = fragments[j], fragments[i] })
		in.Fragments = fragments
		same(t, fmt.Sprint("seed ", seed), "result", build.Build(in, facts()), want)
	}
}

func TestExistingName(t *testing.T) {
	one := fragment("web", route("", "/", "front"))
	one.Settings.Name = "chosen"
	f := facts()
	f.Existing = &model.Existing{Name: "older", Scheme: "internal", Subnets: []string{"subnet-x", "subnet-y"}}
	got := build.Build(group(one), f).Stack.LoadBalancer
	same(t, "the name is read at creation only", "name", got.Name, "older")
	same(t, "and still is a user's", "given", got.NameGiven, true)
	f.Existing.Scheme = "internet-facing"
	same(t, "another scheme is another load balancer", "name", build.Build(group(one), f).Stack.LoadBalancer.Name, "chosen")
}
