package gateway

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	awsgwv1 "github.com/headgate/headgate/apis/gateway/v1"
)

// serving is an API server that serves the needed kinds, but for one in other versions only.
func serving(but string, versions ...string) meta.RESTMapper {
	known := []schema.GroupVersion{}
	for _, k := range needed() {
		known = append(known, k.GroupVersion())
		for _, v := range versions {
			known = append(known, schema.GroupVersion{Group: k.Group, Version: v})
		}
	}
	out := meta.NewDefaultRESTMapper(known)
	for _, k := range needed() {
		if k.Kind != but {
			out.Add(k, meta.RESTScopeNamespace)
			continue
		}
		for _, v := range versions {
			out.Add(schema.GroupVersionKind{Group: k.Group, Version: v, Kind: k.Kind}, meta.RESTScopeNamespace)
		}
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
		api    meta.RESTMapper
		reason string
		text   string
	}{
		{"a kind is not there", serving("HTTPRoute"), "Pending", "HTTPRoute.gateway.networking.k8s.io is not installed"},
		{"a kind of the incumbent's is not there", serving("TargetGroupConfiguration"), "Pending", "TargetGroupConfiguration.gateway.k8s.aws is not installed"},
		{"an older definition", serving("LoadBalancerConfiguration", "v1beta1"), "UnsupportedVersion",
			"LoadBalancerConfiguration.gateway.k8s.aws serves version v1beta1 and not v1"},
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
	mapper := serving("")
	still, err := welcome(mapper, missing)
	if err != nil || len(still) != 1 || admitted != 0 {
		t.Errorf("%d admitted before they were installed, %v", admitted, err)
	}
	grown, ok := mapper.(*meta.DefaultRESTMapper)
	if !ok {
		t.Fatalf("%T", mapper)
	}
	grown.Add(kind, meta.RESTScopeNamespace)
	if still, err = welcome(mapper, still); err != nil || len(still) != 0 || admitted != 1 {
		t.Errorf("%d admitted, %d wait, %v", admitted, len(still), err)
	}
}
