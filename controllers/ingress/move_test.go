package ingress

import (
	"testing"

	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	elbv2v1beta1 "github.com/headgate/headgate/apis/elbv2/v1beta1"
	"github.com/headgate/headgate/controllers/annotations"
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
