package gateway

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"
	gwv1beta1 "sigs.k8s.io/gateway-api/apis/v1beta1"

	awsgwv1 "github.com/headgate/headgate/apis/gateway/v1"
	"github.com/headgate/headgate/model/intent"
)

// editor edits a cluster at random.
type editor struct {
	*world
	*rand.Rand

	made int
}

func (e *editor) one(list ...string) string { return list[e.IntN(len(list))] }

// put creates or changes an object, or where there is no text deletes it. An object that comes again is another one.
func (e *editor) put(o client.Object, namespace, name, text string) {
	e.Helper()
	o.SetNamespace(namespace)
	o.SetName(name)
	had, ok := o.DeepCopyObject().(client.Object)
	if !ok {
		e.Fatalf("%T is no object", o)
	}
	err := e.api.Get(e.Context(), client.ObjectKeyFromObject(o), had)
	e.must(client.IgnoreNotFound(err))
	if text == "" {
		e.must(client.IgnoreNotFound(e.api.Delete(e.Context(), o)))
		return
	}
	parse(e.T, text, o)
	o.SetNamespace(namespace)
	o.SetName(name)
	if err == nil {
		o.SetUID(had.GetUID())
		o.SetResourceVersion(had.GetResourceVersion())
		o.SetCreationTimestamp(had.GetCreationTimestamp())
		e.must(e.api.Update(e.Context(), o))
		return
	}
	e.made++
	o.SetUID(types.UID(strconv.Itoa(e.made)))
	o.SetCreationTimestamp(metav1.NewTime(time.Unix(int64(e.made%5), 0)))
	e.must(e.api.Create(e.Context(), o))
}

func (e *editor) listeners() string {
	return `[{name: http, port: 80, protocol: HTTP, hostname: ` + e.one(`"*.example.com"`, `"*.example.com"`, "a.example.com") + `, allowedRoutes: {namespaces: ` +
		e.one("{from: All}", "{from: All}", "{from: Same}", "{from: Selector, selector: {matchLabels: {team: a}}}") + `}},
		{name: a, port: 80, protocol: HTTP, hostname: a.b.example.com, allowedRoutes: {namespaces: {from: All}}},
		{name: found, port: 8443, protocol: HTTPS, hostname: "*.example.com", allowedRoutes: {namespaces: {from: All}}},
		{name: tls, port: 443, protocol: HTTPS, allowedRoutes: {namespaces: {from: All}}, tls: {certificateRefs: [{name: cert}]}}]`
}

func (e *editor) route() string {
	filter := e.one("", "", "", "filters: [{type: ExtensionRef, extensionRef: {group: gateway.k8s.aws, kind: ListenerRuleConfiguration, name: login}}],",
		"filters: [{type: RequestMirror, requestMirror: {backendRef: {name: web, port: 80}}}],",
		"filters: [{type: RequestRedirect, requestRedirect: {hostname: other.example.com}}],")
	backends := "backendRefs: [{name: web, port: 80}, {name: " + e.one("web", "api") + ", namespace: " + e.one("app", "infra") + ", port: 80}]"
	if e.IntN(6) == 0 {
		backends = "backendRefs: []"
	}
	return fmt.Sprintf("spec: {parentRefs: [{name: %s, namespace: infra%s}], hostnames: [%s], rules: [{matches: [{path: {value: /%s}}], %s %s}]}",
		e.one("gw", "gw", "gw", "set", "other"), e.one("", "", ", sectionName: tls", ", port: 80"), e.one("a.example.com", `"*.b.example.com"`, ""),
		e.one("", "a", "b"), filter, backends)
}

// edit changes one thing.
func (e *editor) edit() {
	e.Helper()
	namespace := e.one("app", "infra")
	switch gone := e.IntN(4) == 0; e.IntN(14) {
	default:
		e.put(&gwv1.HTTPRoute{}, namespace, e.one("r", "s", "t"), e.unless(gone, e.route()))
	case 0:
		e.put(&gwv1.GRPCRoute{}, namespace, "calls", e.unless(gone, "spec: {parentRefs: [{name: gw, namespace: infra}], hostnames: ["+
			e.one("a.example.com", "c.example.com")+"], rules: [{backendRefs: [{name: web, port: 80}]}]}"))
	case 1, 2:
		e.put(&corev1.Service{}, namespace, e.one("web", "api"), e.unless(gone, "spec: {ports: [{port: "+e.one("80", "80", "81")+", targetPort: "+
			e.one("8080", "named")+"}]}"))
	case 3:
		e.put(&gwv1beta1.ReferenceGrant{}, namespace, "grant", e.unless(gone, "spec: {from: [{group: gateway.networking.k8s.io, kind: "+
			e.one("HTTPRoute", "GRPCRoute")+", namespace: "+e.one("app", "infra")+"}], to: [{group: '', kind: Service}]}"))
	case 4:
		e.put(&corev1.Namespace{}, "", namespace, "metadata: {labels: {team: "+e.one("a", "b")+"}}")
	case 5:
		e.put(&gwv1.Gateway{}, "infra", "gw", "spec: {gatewayClassName: alb, allowedListeners: {namespaces: {from: "+e.one("Same", "None")+
			"}}, listeners: "+e.listeners()+"}")
	case 6:
		e.put(&awsgwv1.TargetGroupConfiguration{}, namespace, "web", e.unless(gone, "spec: {targetReference: {name: "+e.one("web", "api")+
			"}, defaultConfiguration: {protocolVersion: "+e.one("HTTP1", "HTTP2", "GRPC")+", targetGroupName: x}}"))
	case 7:
		e.put(&awsgwv1.ListenerRuleConfiguration{}, namespace, "login", e.unless(gone, "spec: {tags: {v: "+e.one("one", "two")+"}}"))
	case 8:
		e.put(&gwv1.ListenerSet{}, "infra", "set", e.unless(gone, "spec: {parentRef: {name: gw}, listeners: [{name: more, port: 8080, protocol: HTTP}]}"))
	case 9:
		e.put(&gwv1.GatewayClass{}, "", "alb", e.unless(gone, "spec: {controllerName: gateway.k8s.aws/alb}"))
	}
}

func (e *editor) unless(gone bool, text string) string {
	if gone {
		return ""
	}
	return text
}

// said is all that a verdict says.
type said struct {
	Intent   intent.Intent
	Findings any
	Uses     map[configName]bool
	Statuses []gwv1.RouteStatus
	Gateway  gwv1.GatewayStatus
	// Permits are what is left of fragments that were good once.
	Permits []intent.Fragment
}

func says(v *Verdict, good []intent.Fragment) said {
	out := said{Intent: v.Intent, Findings: v.Request().Findings, Uses: v.uses()}
	for _, j := range v.routes {
		status := &gwv1.RouteStatus{}
		v.routeStatus(j, status, reached{})
		for i := range status.Parents {
			undated(status.Parents[i].Conditions)
		}
		out.Statuses = append(out.Statuses, *status)
	}
	if v.translator != nil {
		g := v.snapshot.Gateway.DeepCopy()
		v.gatewayStatus(g, reached{})
		undated(g.Status.Conditions)
		for i := range g.Status.Listeners {
			undated(g.Status.Listeners[i].Conditions)
		}
		out.Gateway = g.Status
	}
	for _, f := range good {
		out.Permits = append(out.Permits, v.permit(f))
	}
	return out
}

func undated(conditions []metav1.Condition) {
	for i := range conditions {
		conditions[i].LastTransitionTime = metav1.Time{}
	}
}

// TestMemoryJudgesAlike edits clusters at random: what is judged with a memory is what is judged without, after each edit.
func TestMemoryJudgesAlike(t *testing.T) {
	t.Parallel()
	remembered := 0
	for seed := range uint64(5) {
		e := &editor{world: newWorld(t), Rand: rand.New(rand.NewPCG(seed, 3))}
		e.put(&gwv1.GatewayClass{}, "", "alb", "spec: {controllerName: gateway.k8s.aws/alb}")
		e.put(&gwv1.Gateway{}, "infra", "gw", "spec: {gatewayClassName: alb, listeners: "+e.listeners()+"}")
		key, m := types.NamespacedName{Namespace: "infra", Name: "gw"}, &Memory{}
		var good []intent.Fragment
		for range 100 {
			e.edit()
			if e.IntN(3) == 0 {
				e.edit() // two at once
			}
			with, err := Load(t.Context(), e.api, e.op.set, key)
			e.must(err)
			without, err := Load(t.Context(), e.api, e.op.set, key)
			e.must(err)
			got, want := m.Judge(with, e.op.set, Owner("c", key)), Judge(without, e.op.set, Owner("c", key))
			if d := cmp.Diff(says(want, good), says(got, good), cmp.AllowUnexported(configName{})); d != "" {
				t.Fatalf("seed %d (-without memory +with it):\n%s", seed, d)
			}
			remembered += len(got.routes) - m.judged
			good = want.Intent.Fragments
		}
	}
	if remembered < 300 {
		t.Errorf("%d judgements were remembered: that proves little", remembered)
	}
}

// TestOneChangedRouteIsJudged counts: of many routes a change has judged those that it concerns.
func TestOneChangedRouteIsJudged(t *testing.T) {
	t.Parallel()
	for _, many := range []int{10, 300} {
		e := &editor{world: newWorld(t, shop(t)...), Rand: rand.New(rand.NewPCG(1, 1))}
		plain := func(path string) string {
			return "spec: {parentRefs: [{name: gw, namespace: infra}], rules: [{matches: [{path: {value: /" + path + "}}], backendRefs: [{name: web, port: 80}]}]}"
		}
		for i := range many - 1 { // and the shop's own
			e.put(&gwv1.HTTPRoute{}, "app", "r"+strconv.Itoa(i), plain(strconv.Itoa(i)))
		}
		e.put(&gwv1.HTTPRoute{}, "app", "api", "spec: {parentRefs: [{name: gw, namespace: infra}], rules: [{backendRefs: [{name: api, port: 80}]}]}")
		key, m := types.NamespacedName{Namespace: "infra", Name: "gw"}, &Memory{}
		for _, step := range []struct {
			why    string
			change func()
			judged int
		}{
			{"all are new", func() {}, many + 1},
			{"nothing changed", func() {}, 0},
			{"one changed", func() { e.put(&gwv1.HTTPRoute{}, "app", "r3", plain("x")) }, 1},
			{"one came", func() { e.put(&gwv1.HTTPRoute{}, "app", "new", plain("y")) }, 1},
			{"one went", func() { e.put(&gwv1.HTTPRoute{}, "app", "new", "") }, 0},
			{"a Service came that one route names", func() { e.put(&corev1.Service{}, "app", "api", "spec: {ports: [{port: 80}]}") }, 1},
			{"the status of the Gateway was written", func() {
				g := e.gateway()
				g.Status.Conditions = []metav1.Condition{{Type: "Accepted", Status: metav1.ConditionTrue}}
				e.must(e.api.Status().Update(t.Context(), g))
			}, 0},
			{"the labels of a namespace, which all stand on", func() {
				e.put(&corev1.Namespace{}, "", "app", "metadata: {labels: {team: b}}")
			}, many + 1},
		} {
			step.change()
			s, err := Load(t.Context(), e.api, e.op.set, key)
			e.must(err)
			m.Judge(s, e.op.set, Owner("c", key))
			if m.judged != step.judged {
				t.Errorf("%d routes, %s: %d were judged, want %d", many, step.why, m.judged, step.judged)
			}
		}
	}
}
