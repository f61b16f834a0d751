package traffic

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/types"
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/headgate/headgate/cloud/elbv2"
	"github.com/headgate/headgate/cloud/sim"
	"github.com/headgate/headgate/cloud/sim/dataplane"
	"github.com/headgate/headgate/controllers/gateway"
	"github.com/headgate/headgate/controllers/manifests"
	"github.com/headgate/headgate/controllers/preview"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/test/shuffle"
)

const (
	routeSets, asksOfASet = 200, 50
	// sampled is how many of the sets are asked over sockets too, each with fewer requests.
	sampled, asksOverSockets = 2, 20
)

// routeCertificate is that of the account.
const routeCertificate = "arn:aws:acm:eu-west-1:123456789012:certificate/wild"

// routeFacts are those of an account with room for many rules.
func routeFacts() model.Facts {
	return model.Facts{
		Region: "eu-west-1", Account: "123456789012", VPC: model.VPC{ID: "vpc-1", CIDRs: []string{"10.0.0.0/16"}}, BackendSecurityGroup: "sg-backend",
		Quotas: model.Quotas{RulesPerLoadBalancer: 2000},
		Subnets: []model.Subnet{
			{ID: "subnet-a", Zone: "eu-west-1a", ZoneType: "availability-zone", CIDR: "10.0.0.0/20", FreeAddresses: 4000, Tags: map[string]string{"kubernetes.io/role/internal-elb": "1"}},
			{ID: "subnet-b", Zone: "eu-west-1b", ZoneType: "availability-zone", CIDR: "10.0.16.0/20", FreeAddresses: 4000, Tags: map[string]string{"kubernetes.io/role/internal-elb": "1"}},
		},
		Certificates: []model.Certificate{{ARN: routeCertificate, Domains: []string{"*.example.com"}}},
	}
}

// TestRandomRoutes holds the rules that are built for random sets of routes against the text of the specification: each request is answered
// as [routeWorld.specified] says, whatever the order in which the routes were read.
func TestRandomRoutes(t *testing.T) {
	t.Parallel()
	count := map[string]int{}
	for seed := range uint64(routeSets) {
		r := rand.New(rand.NewPCG(seed, 6))
		w := newRouteWorld(r)
		built := w.build(t, 0)
		if diff := cmp.Diff(built.text(), w.build(t, seed+1).text()); diff != "" {
			t.Fatalf("set %d: another order of objects gives other rules: %s\n%s", seed, diff, w.manifests(t))
		}
		for range asksOfASet {
			a := w.randomAsk(r)
			want, got := w.specified(a), built.answer(t, a)
			if got != want && !w.excused(a, want, got) {
				t.Fatalf("set %d: %+v is answered %s, the specification says %s\n%s\n%s", seed, a, got, want, built.text(), w.manifests(t))
			}
			kind, _, _ := strings.Cut(want, " ")
			count[fmt.Sprint(kind, a.call)]++
		}
	}
	for _, kind := range []string{"404", "500", "503", "to", "redirect"} {
		if n := count[kind+"true"] + count[kind+"false"]; n < routeSets/2 {
			t.Errorf("%d requests are answered with %s: too few to prove anything", n, kind)
		}
	}
}

// excused tells whether an answer that differs is one that a load balancer gives in its own way to requests that nothing serves: 503 to what a
// route matches that is refused; and on hosts that no HTTPRoute has, what a route for calls gives to what is no call: 464 of a target group, or
// 503 where it has no backend.
func (w *routeWorld) excused(a routeAsk, want, got string) bool {
	l := w.listenerFor(a)
	if want != "404" || got != "464" && got != "503" || l == nil {
		return false
	}
	return got == "503" && w.claimsRefused(l, a) || l.Protocol == gwv1.HTTPSProtocolType && w.claimsNoCall(l, a, got)
}

// claimsNoCall tells whether a GRPCRoute matches a request on a listener to which it gives an answer that no HTTPRoute would.
func (w *routeWorld) claimsNoCall(l *gwv1.Listener, a routeAsk, got string) bool {
	return slices.ContainsFunc(w.calls, func(route gwv1.GRPCRoute) bool {
		host, ok := hostClaim(route.Spec.Hostnames, a.host)
		return ok && attached(l, route.Spec.CommonRouteSpec) && slices.ContainsFunc(callClaims(route, host, a), func(c claim) bool {
			return got == "503" && (refusedCalls(route) || !a.call && c.answer == "503") || got == "464" && !a.call && c.answer != "503"
		})
	})
}

// claimsRefused tells whether an HTTPRoute that is refused matches a request on a listener.
func (w *routeWorld) claimsRefused(l *gwv1.Listener, a routeAsk) bool {
	return slices.ContainsFunc(w.web, func(route gwv1.HTTPRoute) bool {
		host, ok := hostClaim(route.Spec.Hostnames, a.host)
		return ok && attached(l, route.Spec.CommonRouteSpec) && refusedWeb(route) && len(webClaims(route, host, a)) > 0
	})
}

func (w *routeWorld) randomAsk(r *rand.Rand) routeAsk {
	a := routeAsk{
		port: int(oneOf(r, w.listeners...).Port), method: oneOf(r, "GET", "POST"),
		host: oneOf(r, "a.example.com", "a.example.com", "x.b.example.com", "b.example.com", "y.x.b.example.com", "example.com", "a.com", "other.org"),
		path: oneOf(r, "/", "/a", "/a/", "/ab", "/a/b", "/a/b/c", "/p.S/Get", "/p.S/x"), header: map[string]string{}, query: map[string]string{},
	}
	for _, name := range []string{"x", "y"} {
		if chance(r, 60) {
			a.header[name] = oneOf(r, "1", "2")
		}
	}
	if chance(r, 60) {
		a.query["q"] = oneOf(r, "1", "2")
	}
	if a.port == 443 && chance(r, 50) {
		a.call, a.method, a.query = true, "POST", map[string]string{}
		a.path = "/" + oneOf(r, "p.S", "p.T", "p.U") + "/" + oneOf(r, "Get", "Put", "GetAll")
	}
	return a
}

// request is one as a client sends it.
func (a routeAsk) request(t *testing.T) *http.Request {
	t.Helper()
	scheme, query := "http", url.Values{}
	if a.port == 443 {
		scheme = "https"
	}
	for k, v := range a.query {
		query.Set(k, v)
	}
	at := url.URL{Scheme: scheme, Host: a.host, Path: a.path, RawQuery: query.Encode()}
	out, err := http.NewRequestWithContext(t.Context(), a.method, at.String(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for k, v := range a.header {
		out.Header.Set(k, v)
	}
	if a.call {
		out.Header.Set("Content-Type", "application/grpc")
		out.Header.Set("TE", "trailers")
	}
	out.RequestURI = at.RequestURI()
	return out
}

// builtRoutes are the listeners that were built, with their rules compiled.
type builtRoutes struct {
	listeners map[int]model.Listener
	routers   map[int]*dataplane.Router
}

// build runs the operator over a world, whose objects are listed in an order that a seed says; 0 is as they are.
func (w *routeWorld) build(t *testing.T, seed uint64) builtRoutes {
	t.Helper()
	set, err := manifests.New()
	if err != nil {
		t.Fatal(err)
	}
	set.Add("common", []byte(common()))
	set.Add("world", []byte(strings.ReplaceAll(w.manifests(t), "CERTIFICATE", routeCertificate)))
	for _, p := range set.Problems {
		t.Fatal(p)
	}
	from := preview.Source{Reader: set, Scheme: set.Scheme()}
	if seed > 0 {
		from.Reader = shuffle.Reader{Reader: set, Seed: seed}
	}
	account := preview.NewAccount(routeFacts())
	out := builtRoutes{listeners: map[int]model.Listener{}, routers: map[int]*dataplane.Router{}}
	if _, err := preview.Run(t.Context(), from, account, settings()); err != nil {
		t.Fatal(err)
	}
	for _, s := range account.Stacks() {
		for _, l := range s.Listeners {
			out.add(t, l)
		}
	}
	return out
}

func (b builtRoutes) add(t *testing.T, l model.Listener) {
	t.Helper()
	var rules []dataplane.Rule
	for i, r := range l.Rules {
		rules = append(rules, dataplane.Rule{ARN: strconv.Itoa(i), Conditions: elbv2.WriteConditions(r.Conditions), Actions: []elbtypes.Action{
			{Type: elbtypes.ActionTypeEnumFixedResponse, FixedResponseConfig: &elbtypes.FixedResponseActionConfig{StatusCode: new("200")}},
		}})
	}
	router, err := dataplane.NewRouter(dataplane.Listener{Port: l.Port, Protocol: l.Protocol, Rules: rules})
	if err != nil {
		t.Fatal(err)
	}
	b.listeners[l.Port], b.routers[l.Port] = l, router
}

// answer is what a request gets, in the words of [routeWorld.specified].
func (b builtRoutes) answer(t *testing.T, a routeAsk) string {
	t.Helper()
	l := b.listeners[a.port]
	if b.routers[a.port] == nil {
		return "no listener"
	}
	rule, ok := b.routers[a.port].Rule(a.request(t), netip.MustParseAddr("127.0.0.1"))
	if !ok {
		return answerOf(l.DefaultActions)
	}
	var i int
	if _, err := fmt.Sscan(rule.ARN, &i); err != nil {
		t.Fatal(err)
	}
	answer := l.Rules[i].Actions
	if last := answer[len(answer)-1]; last.Forward != nil && !a.call && strings.Contains(last.Forward.Groups[0].Key, ":GRPCRoute-") {
		return "464"
	}
	return answerOf(answer)
}

func answerOf(actions []model.Action) string {
	switch last := actions[len(actions)-1]; {
	case last.Redirect != nil:
		return "redirect " + last.Redirect.Host
	case last.FixedResponse != nil:
		return last.FixedResponse.StatusCode
	default:
		var names []string
		for _, g := range last.Forward.Groups {
			if g.Weight > 0 {
				names = append(names, serviceOf(model.TargetGroup{ID: g.Key}))
			}
		}
		return "to " + strings.Join(names, " ")
	}
}

// text is the rules in words, in their order.
func (b builtRoutes) text() string {
	var out strings.Builder
	for _, port := range []int{80, 443} {
		for _, r := range b.listeners[port].Rules {
			fmt.Fprintln(&out, port, r.Conditions, answerOf(r.Actions), r.Transforms)
		}
	}
	return out.String()
}

// TestRandomRoutesOverSockets holds a sample of the same over connections, with pods behind. Calls go through a client of theirs elsewhere.
func TestRandomRoutesOverSockets(t *testing.T) {
	t.Parallel()
	asked := 0
	for seed := range uint64(sampled) {
		// A stage for each set: where one follows another, its target groups are parked until pods are behind them.
		s := newStage(t, sim.Options{})
		client := s.newClient("")
		r := rand.New(rand.NewPCG(seed, 60))
		w := newRouteWorld(r)
		built := w.build(t, 0)
		s.apply(w.manifests(t))
		s.register(gateway.Owner(cluster, types.NamespacedName{Namespace: "shop", Name: "edge"}), nil)
		for range asksOverSockets {
			a := w.randomAsk(r)
			want := w.specified(a)
			// The certificate is good for one level of names.
			if a.call || a.port == 443 && a.host != "a.example.com" || built.answer(t, a) != want {
				continue
			}
			asked++
			if got := client.routed(t, a); !strings.Contains(want+" ", got+" ") {
				t.Errorf("set %d: %+v is answered %q, the specification says %q\n%s", seed, a, got, want, w.manifests(t))
			}
		}
	}
	if asked < asksOverSockets/2 {
		t.Errorf("%d requests were sent: too few to prove anything", asked)
	}
}

// routed is what a request gets: a pod, a status or the host of a redirect.
func (c *client) routed(t *testing.T, a routeAsk) string {
	t.Helper()
	request := a.request(t)
	request.RequestURI = ""
	response, err := c.http.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	var got seen
	if err := json.NewDecoder(response.Body).Decode(&got); err == nil && got.Pod != "" {
		return " " + got.Pod
	}
	if at, err := response.Location(); err == nil {
		return at.Hostname()
	}
	return strconv.Itoa(response.StatusCode)
}
