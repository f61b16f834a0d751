package ingress

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	elbv2v1beta1 "github.com/headgate/headgate/apis/elbv2/v1beta1"
	"github.com/headgate/headgate/controllers/annotations"
	"github.com/headgate/headgate/controllers/stack"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/intent"
)

// TestWhoIsWrongDoesNotMove: what was good of an Ingress serves in the group that it is in, and nothing would in another one.
func TestWhoIsWrongDoesNotMove(t *testing.T) {
	const typo = "many"
	grouped := func(name string, selected map[string]string) *elbv2v1beta1.IngressClassParams {
		return newParams(elbv2v1beta1.IngressClassParamsSpec{
			Group: &elbv2v1beta1.IngressGroup{Name: name}, NamespaceSelector: &metav1.LabelSelector{MatchLabels: selected},
		})
	}
	reserved := grouped("old", nil)
	reserved.Name = "platform"
	classField := "IngressClassParams p spec.group.name"
	annotation := annotations.IngressPrefix + annotations.GroupName
	for _, row := range []struct {
		why        string
		pairs      []string
		finalizers []string
		objects    []client.Object
		// in is where it is a member, empty for nowhere.
		in GroupKey
		// stays is the field whose finding says that it does not move; empty where it says nothing.
		stays string
	}{
		{why: "to another group", pairs: []string{annotations.GroupName, "new", annotations.GroupOrder, typo}, in: Explicit("old"), stays: annotation},
		{why: "out of the group", pairs: []string{annotations.GroupOrder, typo}, in: Explicit("old"), stays: annotation},
		{
			why: "its class does", pairs: []string{annotations.GroupOrder, typo}, objects: []client.Object{grouped("new", nil)},
			in: Explicit("old"), stays: classField,
		},
		{why: "when it is mended it goes", pairs: []string{annotations.GroupName, "new", annotations.GroupOrder, "1"}, in: Explicit("new")},
		{
			why: "what it has begun it ends", pairs: []string{annotations.GroupName, "new", annotations.GroupOrder, typo},
			finalizers: []string{finalizerExplicit + "old", finalizerExplicit + "new"}, in: Explicit("new"),
		},
		{
			why: "a permission that is withdrawn counts at once", pairs: []string{annotations.GroupOrder, typo},
			objects: []client.Object{grouped("new", map[string]string{"team": "other"})},
		},
		{
			why: "a group that is another class's alone keeps nobody who left the class", pairs: []string{annotations.GroupName, "new", annotations.GroupOrder, typo},
			objects: []client.Object{newParams(elbv2v1beta1.IngressClassParamsSpec{}), reserved}, in: Explicit("new"),
		},
	} {
		ing := newIngress(row.pairs...)
		ing.Finalizers = []string{finalizerExplicit + "old"}
		if row.finalizers != nil {
			ing.Finalizers = row.finalizers
		}
		params := ""
		if len(row.objects) > 0 {
			params = "p"
		}
		movesAs(t, row.why, ing, row.in, row.stays, append(row.objects, newClass("alb", params)))
	}
}

// movesAs wants an Ingress to be a member of one group only, or of none, and told at a field that it does not move.
func movesAs(t *testing.T, why string, ing *networkingv1.Ingress, in GroupKey, stays string, objects []client.Object) {
	t.Helper()
	for _, key := range []GroupKey{Explicit("old"), Explicit("new"), Implicit("shop", "web")} {
		g := load(t, key, append([]client.Object{ing, newService("web")}, objects...)...)
		if member := len(g.Members) == 1; member != (key == in) {
			t.Errorf("%s: member of %s is %v, want it to be in %q", why, key, member, in)
		}
		if leaving := len(g.Leaving) == 1; key == Explicit("old") && leaving != (key != in) {
			t.Errorf("%s: leaving %s is %v", why, key, leaving)
		}
		if key == in && stays != "" {
			_, findings := intentOf(g, settingsIP())
			mustTell(t, findings, refOf(ing), stays, "stays in group old", "mended")
		}
	}
}

// TestWhoMovesStaysWhereItMay: in the group that it leaves, unless who may join that says otherwise now, and with the hosts that its namespace
// may claim.
func TestWhoMovesStaysWhereItMay(t *testing.T) {
	t.Parallel()
	class := func(selected map[string]string, claims string) *elbv2v1beta1.IngressClassParams {
		p := newParams(elbv2v1beta1.IngressClassParamsSpec{
			Group: &elbv2v1beta1.IngressGroup{Name: "old"}, NamespaceSelector: &metav1.LabelSelector{MatchLabels: selected},
		})
		p.Name, p.Annotations = "fence", map[string]string{annotationHostClaims: claims}
		return p
	}
	for _, row := range []struct {
		why     string
		objects []client.Object
		stays   bool
		// hosts of its good routes that are left.
		hosts []string
	}{
		{"a group of everybody", nil, true, []string{"a.example.com", "b.example.com"}},
		{"one that takes its namespace", []client.Object{class(map[string]string{"team": "shop"}, "")}, true, []string{"a.example.com", "b.example.com"}},
		{"one that does not", []client.Object{class(map[string]string{"team": "other"}, "")}, false, nil},
		{"one where it may claim some hosts", []client.Object{class(map[string]string{"team": "shop"}, claimsRequired)}, true, []string{"a.example.com"}},
	} {
		ing := newIngress(annotations.GroupName, "new")
		ing.Finalizers = []string{finalizerExplicit + "old"}
		namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{
			Name: "shop", Labels: map[string]string{"team": "shop"}, Annotations: map[string]string{annotationHosts: "a.example.com"},
		}}
		req := Request(load(t, Explicit("old"), append(row.objects, ing, namespace, newClass("alb", ""))...), settingsIP())
		if len(req.Moving) == 1 != row.stays || len(req.Leaving) == 1 == row.stays {
			t.Errorf("%s: moving %v, leaving %v", row.why, req.Moving, req.Leaving)
			continue
		}
		if !row.stays {
			continue
		}
		good := intent.Fragment{Member: refOf(ing)}
		for _, host := range []string{"a.example.com", "b.example.com"} {
			good.Routes = append(good.Routes, intent.Route{Match: intent.Match{Hosts: []string{host}}})
		}
		var hosts []string
		for _, r := range req.Permit(good).Routes {
			hosts = append(hosts, r.Match.Hosts...)
		}
		if diff := cmp.Diff(row.hosts, hosts); diff != "" {
			t.Errorf("%s: %s", row.why, diff)
		}
	}
}

// TestAddressOfWhoMoves holds invariant 7: it is that of the load balancer that serves it.
func TestAddressOfWhoMoves(t *testing.T) {
	t.Parallel()
	const there, ours = "of-the-other", "lb-1.us-west-2.elb.amazonaws.com"
	member := func(group, shows string) *networkingv1.Ingress {
		ing := newIngress(annotations.GroupName, group)
		ing.Finalizers = []string{finalizerExplicit + "old", finalizerExplicit + "new"}
		if shows != "" {
			ing.Status.LoadBalancer.Ingress = addresses(shows, []int{80})
		}
		return ing
	}
	coming := func(r *stack.Result, who model.ObjectRef) { r.Coming = []model.ObjectRef{who} }
	for _, row := range []struct {
		why    string
		in     *networkingv1.Ingress
		result func(*stack.Result, model.ObjectRef)
		want   string
	}{
		{"another one serves who comes", member("old", there), coming, there},
		{"nobody serves who comes", member("old", ""), coming, ours},
		{"who came is served", member("old", there), func(*stack.Result, model.ObjectRef) {}, ours},
		{"who left is served here, at a new address", member("new", "of-this-before"), func(r *stack.Result, who model.ObjectRef) {
			r.Remaining = []intent.Fragment{{Member: who, Listeners: []intent.Listener{{Port: 80}}}}
		}, ours},
		{"who left is served there", member("new", there), func(*stack.Result, model.ObjectRef) {}, there},
	} {
		loop := &plays{result: active()}
		row.result(&loop.result, refOf(row.in))
		c := newClient(t, row.in, newService("web"), newClass("alb", ""))
		reconcileKey(t, New(c, loop, &told{}, settingsIP()), Explicit("old"))
		if diff := cmp.Diff(addresses(row.want, []int{80}), get(t, c, "web").Status.LoadBalancer.Ingress); diff != "" {
			t.Errorf("%s: %s", row.why, diff)
		}
		if arriving := len(loop.asked[0].Arriving); (arriving == 1) != (len(loop.asked[0].Intent.Fragments) == 1) {
			t.Errorf("%s: %d arrive", row.why, arriving)
		}
	}
}
