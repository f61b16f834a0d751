package gateway

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/intent"
)

// withSets is a snapshot with ListenerSets of Gateway infra/gw by "namespace/name", as old as their places, and what the Gateway allows.
func withSets(t *testing.T, listeners, allowed string, sets [][2]string, routes ...string) *Snapshot {
	t.Helper()
	s := snapshotOf(t, listeners, routes...)
	if allowed != "" {
		s.Gateway.Spec.AllowedListeners = &gwv1.AllowedListeners{}
		parse(t, allowed, s.Gateway.Spec.AllowedListeners)
	}
	for _, one := range sets {
		set := gwv1.ListenerSet{}
		set.Namespace, set.Name, _ = strings.Cut(one[0], "/")
		set.Generation = 7
		namespace := gwv1.Namespace("infra")
		set.Spec.ParentRef = gwv1.ParentGatewayReference{Name: "gw", Namespace: &namespace}
		parse(t, one[1], &set.Spec.Listeners)
		s.Sets = append(s.Sets, set)
	}
	return s
}

const (
	everywhere = `{namespaces: {from: All}}`
	main80     = `[{name: main, port: 80, protocol: HTTP, hostname: main.example.com}]`
)

// shownOf is the status of each ListenerSet as "Accepted programmed Programmed; listener=Accepted/ResolvedRefs/Programmed/Conflicted …".
func shownOf(v *Verdict, got reached) []string {
	var out []string
	for i := range v.snapshot.Sets {
		set := v.snapshot.Sets[i].DeepCopy()
		v.setStatus(set, v.parentOf(setRef(set)), got)
		all := words(set.Status.Conditions)
		line := []string{all["Accepted"] + " programmed " + all["Programmed"]}
		for _, l := range set.Status.Listeners {
			c := words(l.Conditions)
			line = append(line, string(l.Name)+"="+strings.Join([]string{c["Accepted"], c["ResolvedRefs"], c["Programmed"], c["Conflicted"]}, " "))
		}
		out = append(out, strings.Join(line, "; "))
	}
	return out
}

const (
	fine = "True/Accepted True/ResolvedRefs True/Programmed False/NoConflicts"
	good = "True/Accepted programmed True/Programmed"
)

func TestListenerSetsOfAGateway(t *testing.T) {
	t.Parallel()
	one := func(name, port, protocol, host string) string {
		return "[{name: " + name + ", port: " + port + ", protocol: " + protocol + ", hostname: " + host + "}]"
	}
	notAllowed := "False/NotAllowed programmed False/NotAllowed"
	noneValid := "False/ListenersNotValid programmed False/ListenersNotValid"
	lost := func(reason string) string {
		return "False/" + reason + " True/ResolvedRefs False/" + reason + " True/" + reason
	}
	for _, c := range []struct {
		why, listeners, allowed string
		sets                    [][2]string
		want                    []string
		attached                int32
	}{
		{"nothing is allowed unless the Gateway says so", main80, "", [][2]string{{"infra/s", one("a", "80", "HTTP", "a.com")}}, []string{notAllowed}, 0},
		{"none is allowed", main80, `{namespaces: {from: None}}`, [][2]string{{"infra/s", one("a", "80", "HTTP", "a.com")}}, []string{notAllowed}, 0},
		{"the Gateway's namespace", main80, `{namespaces: {from: Same}}`,
			[][2]string{{"infra/s", one("a", "80", "HTTP", "a.com")}, {"app/s", one("b", "80", "HTTP", "b.com")}}, []string{good + "; a=" + fine, notAllowed}, 1},
		{"namespaces by label", main80, `{namespaces: {from: Selector, selector: {matchLabels: {team: a}}}}`,
			[][2]string{{"infra/s", one("a", "80", "HTTP", "a.com")}, {"app/s", one("b", "80", "HTTP", "b.com")}}, []string{notAllowed, good + "; b=" + fine}, 1},
		{"a selector is needed to select", main80, `{namespaces: {from: Selector}}`, [][2]string{{"app/s", one("b", "80", "HTTP", "b.com")}},
			[]string{notAllowed}, 0},
		{"the Gateway's own host name goes before, and the rest of the ListenerSet is served", main80, everywhere,
			[][2]string{{"infra/s", `[{name: a, port: 80, protocol: HTTP, hostname: main.example.com}, {name: b, port: 80, protocol: HTTP, hostname: b.com}]`}},
			[]string{"True/ListenersNotValid programmed True/Programmed; a=" + lost("HostnameConflict") + "; b=" + fine}, 1},
		{"nothing of it is left", main80, everywhere, [][2]string{{"infra/s", one("a", "80", "HTTP", "main.example.com")}},
			[]string{noneValid + "; a=" + lost("HostnameConflict")}, 0},
		{"the older one goes before", main80, everywhere,
			[][2]string{{"app/old", one("a", "80", "HTTP", "a.com")}, {"app/new", one("b", "80", "HTTP", "a.com")}},
			[]string{good + "; a=" + fine, noneValid + "; b=" + lost("HostnameConflict")}, 1},
		{"a port speaks the protocol of who goes before", main80, everywhere, [][2]string{{"infra/s", one("a", "80", "HTTPS", "a.com")}},
			[]string{noneValid + "; a=" + lost("ProtocolConflict")}, 0},
		{"so does one whose protocol is not served at all", main80, everywhere,
			[][2]string{{"infra/s", `[{name: a, port: 80, protocol: TCP}, {name: b, port: 80, protocol: HTTP, hostname: b.com}]`}},
			[]string{"True/ListenersNotValid programmed True/Programmed; a=" + lost("ProtocolConflict") + "; b=" + fine}, 1},
		{"one that lost takes nothing away from those after it", main80, everywhere,
			[][2]string{{"app/old", one("a", "80", "HTTPS", "a.com")}, {"app/new", one("b", "80", "HTTP", "a.com")}},
			[]string{noneValid + "; a=" + lost("ProtocolConflict"), good + "; b=" + fine}, 1},
		{"within one, neither wins, and the Gateway does not notice", main80, everywhere,
			[][2]string{{"infra/s", `[{name: a, port: 81, protocol: HTTP}, {name: b, port: 81, protocol: HTTPS}]`}},
			[]string{noneValid + "; a=False/ProtocolConflict True/ResolvedRefs False/Invalid True/ProtocolConflict; b=" +
				"False/ProtocolConflict True/ResolvedRefs False/Invalid True/ProtocolConflict"}, 0},
		{"a protocol that is not served, with kinds for it", main80, everywhere,
			[][2]string{{"infra/s", `[{name: a, port: 81, protocol: TLS, allowedRoutes: {kinds: [{kind: HTTPRoute}]}}]`}},
			[]string{noneValid + "; a=False/UnsupportedProtocol False/InvalidRouteKinds False/Invalid False/NoConflicts"}, 0},
		{"a Secret that nobody permits it", main80, everywhere,
			[][2]string{{"app/s", `[{name: a, port: 443, protocol: HTTPS, tls: {certificateRefs: [{name: tls, namespace: infra}]}}]`}},
			[]string{noneValid + "; a=True/Accepted False/RefNotPermitted False/Invalid False/NoConflicts"}, 0},
	} {
		v := verdictOf(withSets(t, c.listeners, c.allowed, c.sets))
		if diff := cmp.Diff(c.want, shownOf(v, up(80, 81, 443))); diff != "" {
			t.Errorf("%s: %s", c.why, diff)
		}
		g := v.snapshot.Gateway
		v.gatewayStatus(g, up(80, 81, 443))
		if got := words(g.Status.Listeners[0].Conditions); len(g.Status.Listeners) != 1 || got["Programmed"] != "True/Programmed" {
			t.Errorf("%s: the Gateway has the listeners %+v", c.why, g.Status.Listeners)
		}
		if deref(g.Status.AttachedListenerSets) != c.attached {
			t.Errorf("%s: %d are attached, want %d", c.why, deref(g.Status.AttachedListenerSets), c.attached)
		}
	}
}

func TestListenerSetOfAGatewayThatIsNotWell(t *testing.T) {
	t.Parallel()
	set := [][2]string{{"app/s", `[{name: a, port: 80, protocol: HTTP, hostname: a.com}]`}}
	provisioning := up(80)
	provisioning.LoadBalancer.State = "provisioning"
	for _, c := range []struct {
		why, parameters string
		got             reached
		want            string
	}{
		{"all is well", "", up(80), good},
		{"the Gateway's parameters are lost", "gone", up(80), "False/ParentNotAccepted programmed False/ParentNotAccepted"},
		{"there is no load balancer yet", "", reached{}, "True/Accepted programmed False/ParentNotProgrammed"},
		{"it does not listen there", "", up(), "True/Accepted programmed False/Invalid"},
	} {
		s := withSets(t, main80, everywhere, set)
		s.ParameterProblem = c.parameters
		got, _, _ := strings.Cut(shownOf(verdictOf(s), c.got)[0], ";")
		if got != c.want {
			t.Errorf("%s: %s, want %s", c.why, got, c.want)
		}
	}
}

// TestRoutesOfListenerSets: each parentRef is judged by itself, and the status has the parents that the route names and no other.
func TestRoutesOfListenerSets(t *testing.T) {
	t.Parallel()
	const ofSet = `{kind: ListenerSet, name: s, namespace: app`
	for _, c := range []struct {
		why, namespace, parents, allowed string
		// want is the reason for each parent, empty for accepted; hosts are those that are served.
		want, hosts []string
	}{
		{"the Gateway alone leads to none of the ListenerSet", "infra", `{name: gw}`, "", []string{""}, []string{"main.example.com"}},
		{"the ListenerSet alone leads to none of the Gateway", "app", ofSet + `}`, "", []string{""}, []string{"a.com"}},
		{"both", "app", `{name: gw, namespace: infra}, ` + ofSet + `}`, "All", []string{"", ""}, []string{"main.example.com", "a.com"}},
		{"a section of the one is none of the other", "app", `{name: gw, namespace: infra, sectionName: a}, ` + ofSet + `, sectionName: a}`, "All",
			[]string{"NoMatchingParent", ""}, []string{"a.com"}},
		{"Same means the namespace of the ListenerSet", "infra", ofSet + `}`, "", []string{"NotAllowedByListeners"}, nil},
	} {
		route := `{metadata: {namespace: ` + c.namespace + `, name: r}, spec: {parentRefs: [` + c.parents + `], rules: [{backendRefs: [{name: web, port: 80}]}]}}`
		listeners := main80
		if c.allowed != "" {
			listeners = `[{name: main, port: 80, protocol: HTTP, hostname: main.example.com, allowedRoutes: {namespaces: {from: ` + c.allowed + `}}}]`
		}
		v := verdictOf(withSets(t, listeners, everywhere, [][2]string{{"app/s", `[{name: a, port: 80, protocol: HTTP, hostname: a.com}]`}}, route))
		status := v.routes[0].route.DeepCopy()
		v.routeStatus(v.routes[0], &status.Status.RouteStatus, up(80))
		var got []string
		for i, p := range status.Status.Parents {
			accepted := meta.FindStatusCondition(p.Conditions, "Accepted")
			got = append(got, strings.TrimPrefix(accepted.Reason, "Accepted"))
			if !cmp.Equal(p.ParentRef, status.Spec.ParentRefs[i]) {
				t.Errorf("%s: parent %d is %+v", c.why, i, p.ParentRef)
			}
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: %s", c.why, diff)
		}
		var hosts []string
		for _, r := range v.routes[0].fragment.Routes {
			hosts = append(hosts, r.Match.Hosts...)
		}
		if diff := cmp.Diff(c.hosts, hosts); diff != "" {
			t.Errorf("%s: served are: %s", c.why, diff)
		}
	}
}

func TestRoutesOfAListenerSetThatIsNotTaken(t *testing.T) {
	t.Parallel()
	route := `{metadata: {namespace: app, name: r}, spec: {parentRefs: [{kind: ListenerSet, name: s}], rules: [{backendRefs: [{name: web, port: 80}]}]}}`
	v := verdictOf(withSets(t, main80, "", [][2]string{{"app/s", `[{name: a, port: 80, protocol: HTTP, hostname: a.com}]`}}, route))
	if got := v.routes[0].attachments[0].refused.reason; got != "NoMatchingParent" || len(v.routes[0].fragment.Routes) > 0 {
		t.Errorf("refused for %q, with %d routes", got, len(v.routes[0].fragment.Routes))
	}
}

// TestGoodListenerSetYieldsToTheGateway: what a ListenerSet had when it was good is not kept against those before it, nor without leave.
func TestGoodListenerSetYieldsToTheGateway(t *testing.T) {
	t.Parallel()
	s := withSets(t, `[{name: main, port: 8080, protocol: HTTPS, hostname: main.example.com}]`, everywhere, [][2]string{{"app/s", `[{name: a, port: 80, protocol: HTTP}]`}})
	member := setRef(&s.Sets[0])
	secretOf := func(namespace string) []intent.Secret {
		return []intent.Secret{{Ref: model.SecretRef{Namespace: namespace, Name: "tls"}}}
	}
	got := verdictOf(s).permit(intent.Fragment{Member: member, Listeners: []intent.Listener{
		{Port: 8080, Protocol: "HTTP"}, {Port: 80, Protocol: "HTTP"}, {Port: 443, Protocol: "HTTPS", Secrets: secretOf("app")},
		{Port: 444, Protocol: "HTTPS", Secrets: secretOf("infra")},
	}})
	var ports []int
	for _, l := range got.Listeners {
		ports = append(ports, l.Port)
	}
	if diff := cmp.Diff([]int{80, 443}, ports); diff != "" {
		t.Error(diff)
	}
}

// TestListenerSetInTheCluster: its status is written, once; a route of it reaches its Gateway and is served there; and what was written of
// it leaves the route with it.
func TestListenerSetInTheCluster(t *testing.T) {
	t.Parallel()
	set := &gwv1.ListenerSet{}
	parse(t, `{metadata: {namespace: app, name: s, generation: 1}, spec: {parentRef: {name: gw, namespace: infra},
		listeners: [{name: a, port: 80, protocol: HTTP, hostname: a.com}]}}`, set)
	route := &gwv1.HTTPRoute{}
	parse(t, `{metadata: {namespace: app, name: ofset, generation: 1}, spec: {parentRefs: [{kind: ListenerSet, name: s}, {kind: ListenerSet, name: gone}],
		rules: [{backendRefs: [{name: web, port: 80}]}]}}`, route)
	objects := shop(t)
	gateway, ok := objects[1].(*gwv1.Gateway)
	if !ok {
		t.Fatal("the shop has no Gateway")
	}
	parse(t, `{namespaces: {from: All}}`, &gateway.Spec.AllowedListeners)
	w := newWorld(t, append(objects, set, route)...)
	if got := requests(gatewaysOfSet(t.Context(), set)); cmp.Diff([]string{"infra/gw"}, got) != "" {
		t.Errorf("it wakes %v", got)
	}
	if got := requests(w.op.gatewaysOfRoute(t.Context(), route)); cmp.Diff([]string{"infra/gw"}, got) != "" {
		t.Errorf("its route wakes %v", got)
	}
	w.reconcile()
	w.get(set)
	w.get(route)
	written := set.ResourceVersion
	if words(set.Status.Conditions)["Accepted"] != "True/Accepted" || len(set.Status.Listeners) != 1 || set.Status.Listeners[0].AttachedRoutes != 1 {
		t.Errorf("the ListenerSet says %+v", set.Status)
	}
	if len(route.Status.Parents) != 1 || route.Status.Parents[0].ParentRef.Name != "s" {
		t.Errorf("the route has the parents %+v", route.Status.Parents)
	}
	w.reconcile()
	if w.get(set); set.ResourceVersion != written {
		t.Error("the status of the ListenerSet is written again")
	}
	if err := w.api.Delete(t.Context(), set); err != nil {
		t.Fatal(err)
	}
	w.reconcile()
	if w.get(route); len(route.Status.Parents) != 0 {
		t.Errorf("the route still has the parents %+v", route.Status.Parents)
	}
}

// TestClassPromisesListenerSetsWhereTheyAreInstalled: without their definition the class is served without them, and looked at again.
func TestClassPromisesListenerSetsWhereTheyAreInstalled(t *testing.T) {
	t.Parallel()
	w := newWorld(t, shop(t)...)
	promised := func() bool {
		return slices.ContainsFunc(w.judgeClass().Status.SupportedFeatures, func(f gwv1.SupportedFeature) bool { return f.Name == "ListenerSet" })
	}
	all := w.class.client
	w.class.client = bare{all}
	if promised() {
		t.Error("ListenerSets are promised without being installed")
	}
	if res, err := w.class.Reconcile(t.Context(), reconcile.Request{NamespacedName: types.NamespacedName{Name: "alb"}}); err != nil || res.RequeueAfter == 0 {
		t.Errorf("nobody looks whether they come: %v, %v", res, err)
	}
	w.class.client = all
	if !promised() {
		t.Error("ListenerSets are not promised")
	}
}

// bare is a client of an API server that knows no kinds.
type bare struct{ client.Client }

func (bare) RESTMapper() meta.RESTMapper { return meta.NewDefaultRESTMapper(nil) }

// get reads an object again.
func (w *world) get(o client.Object) {
	w.Helper()
	w.must(w.api.Get(w.Context(), client.ObjectKeyFromObject(o), o))
}
