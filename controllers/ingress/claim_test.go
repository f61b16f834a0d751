package ingress

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	elbv2v1beta1 "github.com/headgate/headgate/apis/elbv2/v1beta1"
	"github.com/headgate/headgate/model"
)

// claiming is the class alb with a mode of claims, and a namespace that may claim hosts.
func claiming(mode, hosts string) []client.Object {
	params := newParams(elbv2v1beta1.IngressClassParamsSpec{})
	params.Annotations = map[string]string{annotationHostClaims: mode}
	return []client.Object{
		params, newClass("alb", "p"), newService("web"),
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "shop", Annotations: map[string]string{annotationHosts: hosts}}},
	}
}

func TestHostsThatANamespaceMayClaim(t *testing.T) {
	t.Parallel()
	const condition = `[{"field":"host-header","hostHeaderConfig":{`
	plain := func() *networkingv1.Ingress { return newIngress() }
	for _, row := range []struct {
		why, mode, hosts string
		ing              *networkingv1.Ingress
		// want is the field that is wrong, empty for none.
		want string
	}{
		{"without the switch the behaviour is the incumbent's", "", "b.example.com", plain(), ""},
		{"optional claims bind nobody", "Optional", "b.example.com", plain(), ""},
		{"a host that is claimed", "Required", "b.example.com, A.example.com", plain(), ""},
		{"a host below a name", "Required", "*.example.com", plain(), ""},
		{"a host of somebody else", "Required", "b.example.com", plain(), "spec.rules[0].http.paths[0]"},
		{"a namespace without claims has no host", "Required", "", plain(), "spec.rules[0].http.paths[0]"},
		{"a name is not below itself, and ends at a dot", "Required", "*.a.example.com,*ample.com", plain(), "spec.rules[0].http.paths[0]"},
		{"a condition adds hosts", "Required", "a.example.com", newIngress("conditions.web", condition+`"values":["b.example.com"]}}]`), "spec.rules[0].http.paths[0]"},
		{"a pattern within the claim", "Required", "*.example.com", newIngress("conditions.web", condition+`"values":["x*.example.com"]}}]`), ""},
		{"of an expression nobody knows what it matches", "Required", "*.example.com", newIngress("conditions.web", condition+`"regexValues":["b"]}}]`), "spec.rules[0].http.paths[0]"},
		{"a rule without a host is for all of them", "Required", "a.example.com", with(func(ing *networkingv1.Ingress) { ing.Spec.Rules[0].Host = "" }), "spec.rules[0].http.paths[0]"},
		{"a star claims all of them", "Required", "*", with(func(ing *networkingv1.Ingress) { ing.Spec.Rules[0].Host = "" }), ""},
		{"a default backend is for all hosts", "Required", "a.example.com", with(func(ing *networkingv1.Ingress) {
			b := backendTo("web", "80")
			ing.Spec.DefaultBackend = &b
		}), "spec.defaultBackend"},
		{"a certificate for a host of somebody else", "Required", "a.example.com", with(func(ing *networkingv1.Ingress) {
			ing.Spec.TLS = []networkingv1.IngressTLS{{Hosts: []string{"b.example.com"}}}
		}), "spec.tls[0].hosts"},
	} {
		t.Run(row.why, func(t *testing.T) {
			t.Parallel()
			g := load(t, Implicit("shop", "web"), append(claiming(row.mode, row.hosts), row.ing)...)
			got := ""
			for _, f := range Request(g, settingsIP()).Findings {
				if f.Severity == model.Wrong && f.Reason == ReasonHost {
					got = f.Field
				}
			}
			if got != row.want {
				t.Errorf("wrong is %q, want %q", got, row.want)
			}
		})
	}
}

func with(edit func(*networkingv1.Ingress)) *networkingv1.Ingress {
	ing := newIngress()
	edit(ing)
	return ing
}

func TestHostsThatWereTakenAwayAreNotPermitted(t *testing.T) {
	t.Parallel()
	two := with(func(ing *networkingv1.Ingress) {
		ing.Spec.Rules = append(ing.Spec.Rules, ruleOf("b.example.com", pathTo("/", networkingv1.PathTypePrefix, "web", "80")))
	})
	before := Request(load(t, Implicit("shop", "web"), append(claiming("Required", "*.example.com"), two.DeepCopy())...), settingsIP())
	now := Request(load(t, Implicit("shop", "web"), append(claiming("Required", "b.example.com"), two)...), settingsIP())
	left := now.Permit(before.Intent.Fragments[0]).Routes
	if len(left) != 1 || left[0].Match.Hosts[0] != "b.example.com" {
		t.Errorf("what is left is %+v, want the host that is still claimed", left)
	}
}

func TestClaimsThatCannotBeReadTakeNobodyNew(t *testing.T) {
	t.Parallel()
	g := load(t, Implicit("shop", "web"), append(claiming("required!", "*"), newIngress())...)
	if len(g.Members) != 0 || len(g.Refused) != 1 || g.Refused[0].Finding.Reason != ReasonParams {
		t.Errorf("members %d, refused %+v", len(g.Members), g.Refused)
	}
}
