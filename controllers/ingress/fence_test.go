package ingress

import (
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	elbv2v1beta1 "github.com/headgate/headgate/apis/elbv2/v1beta1"
	"github.com/headgate/headgate/controllers/annotations"
	"github.com/headgate/headgate/model"
)

// TestGroupsOfAClassAreJoinedThroughIt: parameters that say who joins a group are not led around by the annotation.
func TestGroupsOfAClassAreJoinedThroughIt(t *testing.T) {
	selector := &metav1.LabelSelector{MatchLabels: map[string]string{"team": "a"}}
	for _, row := range []struct {
		why      string
		selector *metav1.LabelSelector
		claims   string
		legacy   bool
		group    string
		stands   bool
		members  int
		told     bool
	}{
		{why: "nothing says who joins", group: "platform", members: 1},
		{why: "a selector", selector: selector, group: "platform", told: true},
		{why: "a selector of everybody", selector: &metav1.LabelSelector{}, group: "platform", members: 1},
		{why: "claims of hosts", claims: claimsRequired, group: "platform", told: true},
		{why: "claims that cannot be read", claims: "require", group: "platform", told: true},
		{why: "claims that do not bind", claims: claimsOptional, group: "platform", members: 1},
		{why: "by the annotation of a class", selector: selector, legacy: true, group: "platform", told: true},
		{why: "another group", selector: selector, group: "others", members: 1},
		{why: "a member stays, at what was good", selector: selector, group: "platform", stands: true, members: 1, told: true},
	} {
		params := newParams(elbv2v1beta1.IngressClassParamsSpec{Group: &elbv2v1beta1.IngressGroup{Name: "platform"}, NamespaceSelector: row.selector})
		params.Annotations = map[string]string{annotationHostClaims: row.claims}
		ing := newIngress(annotations.GroupName, row.group)
		if row.legacy {
			ing.Spec.IngressClassName, ing.Annotations[classAnnotation] = nil, settingsIP().legacyClass()
		}
		if row.stands {
			ing.Finalizers = []string{finalizerExplicit + row.group}
		}
		objects := []client.Object{ing, params, newClass("platform", "p"), newClass("alb", ""), newService("web")}
		g := load(t, Explicit(row.group), objects...)
		if len(g.Members) != row.members {
			t.Errorf("%s: %d members, want %d", row.why, len(g.Members), row.members)
		}
		at := Implicit("shop", "web")
		if row.members > 0 {
			at = Explicit(row.group)
		}
		_, findings := intentOf(load(t, at, objects...), settingsIP())
		f, ok := find(findings, annotations.GroupName)
		if ok != row.told || ok && (f.Severity != model.Wrong || !strings.Contains(f.Message, "IngressClassParams p")) {
			t.Errorf("%s: told %v, want %v: %v", row.why, ok, row.told, findings)
		}
	}
}
