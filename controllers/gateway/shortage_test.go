package gateway

import (
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	awsgwv1 "github.com/headgate/headgate/apis/gateway/v1"
)

// catalogue is an API server that serves kinds, by version of their group, with the verbs that they take.
type catalogue map[string][]metav1.APIResource

func (c catalogue) ServerGroups() (*metav1.APIGroupList, error) {
	out := &metav1.APIGroupList{}
	for version := range c {
		parsed, err := schema.ParseGroupVersion(version)
		if err != nil {
			return nil, err
		}
		out.Groups = append(out.Groups, metav1.APIGroup{Name: parsed.Group, Versions: []metav1.GroupVersionForDiscovery{{Version: parsed.Version}}})
	}
	return out, nil
}

func (c catalogue) ServerResourcesForGroupVersion(version string) (*metav1.APIResourceList, error) {
	if c[version] == nil {
		return nil, apierrors.NewNotFound(schema.GroupResource{}, version)
	}
	return &metav1.APIResourceList{APIResources: c[version]}, nil
}

func (c catalogue) add(kind schema.GroupVersionKind, verbs ...string) {
	version := kind.GroupVersion().String()
	name := strings.ToLower(kind.Kind) + "s"
	c[version] = append(c[version], metav1.APIResource{Kind: kind.Kind, Name: name, Verbs: verbs},
		metav1.APIResource{Kind: kind.Kind, Name: name + "/status", Verbs: []string{"get"}})
}

// serving is an API server that serves the needed kinds, but for one in other versions only.
func serving(but string, versions ...string) catalogue {
	out := catalogue{}
	for _, k := range needed() {
		if k.Kind != but {
			out.add(k, "create", "get")
			continue
		}
		for _, v := range versions {
			out.add(schema.GroupVersionKind{Group: k.Group, Version: v, Kind: k.Kind}, "create", "get")
		}
	}
	return out
}

// withdrawing is an API server that takes a kind away.
func withdrawing(kind string) catalogue {
	out := catalogue{}
	for _, k := range needed() {
		verbs := []string{"create", "get"}
		if k.Kind == kind {
			verbs = []string{"get", "delete"}
		}
		out.add(k, verbs...)
	}
	return out
}

func TestClassesTellOfShortages(t *testing.T) {
	t.Parallel()
	if short, err := FindShortage(serving("")); short != nil || err != nil {
		t.Fatalf("all is there: %v, %v", short, err)
	}
	for _, c := range []struct {
		why    string
		api    Catalogue
		reason string
		text   string
	}{
		{"a kind is not there", serving("HTTPRoute"), "Pending", "HTTPRoute.gateway.networking.k8s.io is not installed"},
		{"a kind of the incumbent's is not there", serving("TargetGroupConfiguration"), "Pending", "TargetGroupConfiguration.gateway.k8s.aws is not installed"},
		{"an older definition", serving("LoadBalancerConfiguration", "v1beta1"), "UnsupportedVersion",
			"LoadBalancerConfiguration.gateway.k8s.aws serves version v1beta1 and not v1"},
		{"a definition is being deleted", withdrawing("HTTPRoute"), "Pending", "HTTPRoute.gateway.networking.k8s.io is being deleted"},
		{"versions are told in their order", serving("Gateway", "v2", "v1beta1"), "UnsupportedVersion", "serves version v1beta1, v2 and not v1"},
	} {
		foreign := &gwv1.GatewayClass{ObjectMeta: metav1.ObjectMeta{Name: "foreign"}, Spec: gwv1.GatewayClassSpec{ControllerName: "example.com/x"}}
		w := newWorld(t, append(shop(t), foreign)...)
		short, err := FindShortage(c.api)
		if short == nil || err != nil {
			t.Fatalf("%s: %v", c.why, err)
		}
		w.must(short.Tell(t.Context(), w.api, w.api))
		class := &gwv1.GatewayClass{}
		w.must(w.api.Get(t.Context(), client.ObjectKey{Name: "alb"}, class))
		got := meta.FindStatusCondition(class.Status.Conditions, "Accepted")
		if got == nil || got.Status != metav1.ConditionFalse || got.Reason != c.reason || !strings.Contains(got.Message, c.text) || got.ObservedGeneration != 1 {
			t.Errorf("%s: %+v", c.why, got)
		}
		before := class.ResourceVersion
		w.must(short.Tell(t.Context(), w.api, w.api))
		w.must(w.api.Get(t.Context(), client.ObjectKey{Name: "alb"}, class))
		if class.ResourceVersion != before {
			t.Errorf("%s: invariant 1: it is written again", c.why)
		}
		w.must(w.api.Get(t.Context(), client.ObjectKeyFromObject(foreign), foreign))
		if len(foreign.Status.Conditions) > 0 {
			t.Errorf("%s: the class of another controller was written", c.why)
		}
		if words(w.judgeClass().Status.Conditions)["Accepted"] != "True/Accepted" {
			t.Errorf("%s: a class stays refused although all is there", c.why)
		}
	}
}

func TestGuestsAreAdmittedWhenTheyCome(t *testing.T) {
	t.Parallel()
	kind := awsgwv1.GroupVersion().WithKind(awsgwv1.KindListenerRuleConfiguration)
	admitted := 0
	missing := []guest{{kind, func() error { admitted++; return nil }}}
	mapper := meta.NewDefaultRESTMapper([]schema.GroupVersion{kind.GroupVersion()})
	still, err := welcome(mapper, missing)
	if err != nil || len(still) != 1 || admitted != 0 {
		t.Errorf("%d admitted before they were installed, %v", admitted, err)
	}
	mapper.Add(kind, meta.RESTScopeNamespace)
	if still, err = welcome(mapper, still); err != nil || len(still) != 0 || admitted != 1 {
		t.Errorf("%d admitted, %d wait, %v", admitted, len(still), err)
	}
}
