package ingress

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	elbv2v1beta1 "github.com/headgate/headgate/apis/elbv2/v1beta1"
	"github.com/headgate/headgate/controllers/annotations"
	"github.com/headgate/headgate/model"
)

// TestMistakeOfAClassHoldsItsMembers: what is wrong with a class is a mistake of who wrote the class, no permission that was withdrawn.
func TestMistakeOfAClassHoldsItsMembers(t *testing.T) {
	resembles := newParams(elbv2v1beta1.IngressClassParamsSpec{NamespaceSelector: &metav1.LabelSelector{
		MatchExpressions: []metav1.LabelSelectorRequirement{{Key: "a", Operator: "Resembles"}},
	}})
	byDefault, second := newClass("alb", ""), newClass("alb2", "")
	byDefault.Annotations = map[string]string{defaultAnnotation: "true"}
	second.Annotations = byDefault.Annotations
	rows := []struct {
		name    string
		classes []client.Object
		// nameless Ingresses take the default class.
		nameless bool
		field    string
		says     []string
		// refused says that a new Ingress is known to be ours, and told.
		refused bool
		why     string
	}{
		{
			name: "selector", classes: []client.Object{newClass("alb", "p"), resembles}, refused: true,
			field: "IngressClassParams p spec.namespaceSelector.matchExpressions", says: []string{"Resembles", "nobody new"},
			why: "nobody knows whom it selects: those who stand stay, nobody joins",
		},
		{
			name: "gone", field: "spec.ingressClassName", says: []string{"class alb does not exist", "create it", "delete the Ingress"},
			why: "whoever deletes a class by mistake takes no load balancer with it; of a new Ingress nobody knows whose it is",
		},
		{
			name: "two defaults", classes: []client.Object{byDefault, second}, nameless: true, refused: true,
			field: "spec.ingressClassName", says: []string{"alb2"}, why: "a second default is a mistake as well",
		},
		{
			name: "the default class is gone", nameless: true,
			field: "spec.ingressClassName", says: []string{"no class is the default", "delete the Ingress"}, why: "as with a class that is named",
		},
		{
			name: "the default class is an ordinary one", classes: []client.Object{newClass("alb", "")}, nameless: true,
			field: "spec.ingressClassName", says: []string{"no class is the default", "write the class", "mark one"},
			why: "whoever takes the mark away by mistake takes no load balancer with it",
		},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			known, fresh := named("known", annotations.GroupName, "g"), named("fresh", annotations.GroupName, "g")
			known.Finalizers = []string{finalizerExplicit + "g"}
			for _, ing := range []*networkingv1.Ingress{known, fresh} {
				if row.nameless {
					ing.Spec.IngressClassName = nil
				}
			}
			g := load(t, Explicit("g"), append([]client.Object{known, fresh}, row.classes...)...)
			if diff := cmp.Diff([]string{"known"}, members(g)); diff != "" || len(g.Leaving) > 0 || len(g.Refused) == 1 != row.refused {
				t.Fatalf("%s: members %s, leaving %v, refused %v", row.why, diff, leavers(g), g.Refused)
			}
			_, findings := intentOf(g, settingsIP())
			mustTell(t, findings, refOf(known), row.field, row.says...)
			if row.refused {
				mustTell(t, findings, refOf(fresh), row.field)
			}
			if row.name == "selector" {
				mustTell(t, findings, paramsRef(resembles), "spec.namespaceSelector.matchExpressions", "Resembles")
			}
		})
	}
}

// mustTell wants one finding about an object that is wrong, at a field.
func mustTell(t *testing.T, findings []model.Finding, object model.ObjectRef, field string, says ...string) {
	t.Helper()
	for _, f := range findings {
		if !f.Object.Same(object) || f.Field != field || f.Severity != model.Wrong {
			continue
		}
		for _, s := range says {
			if !strings.Contains(f.Message, s) {
				t.Errorf("%q does not say %q", f.Message, s)
			}
		}
		return
	}
	t.Errorf("%s is not told of %s: %v", object, field, findings)
}

// TestTheBrokenClassDoesNotMoveItsMembers: the group is the one that the member is in, also while it has not left another one yet.
func TestTheBrokenClassDoesNotMoveItsMembers(t *testing.T) {
	ing := newIngress(annotations.GroupName, "new")
	ing.Finalizers = []string{finalizerExplicit + "old", finalizerExplicit + "new"}
	if g := load(t, Explicit("new"), ing); len(g.Members) != 1 || len(g.Leaving) != 0 {
		t.Errorf("%+v: it was on its way to the new group", g)
	}
	if g := load(t, Explicit("old"), ing); len(g.Members) != 0 || len(g.Leaving) != 1 {
		t.Errorf("%+v: it leaves the old one", g)
	}
}

// TestAnIngressOfAClassThatIsGoneCanBeDeleted: what it had is cleaned up all the same.
func TestAnIngressOfAClassThatIsGoneCanBeDeleted(t *testing.T) {
	ing := newIngress()
	ing.Finalizers = []string{finalizerImplicit}
	ing.DeletionTimestamp = &metav1.Time{}
	ing.DeletionTimestamp.Time = ing.DeletionTimestamp.AddDate(2000, 0, 0)
	g := load(t, Implicit("shop", "web"), ing)
	if len(g.Members) != 0 || len(g.Leaving) != 1 {
		t.Errorf("%+v: a deletion waits for no class", g)
	}
}
