package gateway

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	awsgwv1 "github.com/headgate/headgate/apis/gateway/v1"
	"github.com/headgate/headgate/controllers/stack"
	"github.com/headgate/headgate/model"
)

// said is the status of a configuration: its conditions as "status/reason generation", and the incumbent's fields.
func (w *world) said(name string) map[string]string {
	w.Helper()
	out := map[string]string{}
	o := w.configs()[name]
	for _, c := range *conditionsOf(o) {
		out[c.Type] = fmt.Sprintf("%s/%s %d", c.Status, c.Reason, c.ObservedGeneration)
	}
	number := func(key string, n *int64) {
		if n != nil {
			out[key] = strconv.FormatInt(*n, 10)
		}
	}
	switch o := o.(type) {
	case *awsgwv1.LoadBalancerConfiguration:
		number("gateway", o.Status.ObservedGatewayConfigurationGeneration)
		number("class", o.Status.ObservedGatewayClassConfigurationGeneration)
	case *awsgwv1.TargetGroupConfiguration:
		number("gateway", o.Status.ObservedGatewayConfigurationGeneration)
		number("class", o.Status.ObservedGatewayClassConfigurationGeneration)
	case *awsgwv1.ListenerRuleConfiguration:
		number("looked at", o.Status.ObservedGeneration)
		if o.Status.Accepted != nil {
			out["accepted"] = strconv.FormatBool(*o.Status.Accepted)
		}
	}
	return out
}

// message is that of a condition of a configuration.
func (w *world) message(name, kind string) string {
	w.Helper()
	c := meta.FindStatusCondition(*conditionsOf(w.configs()[name]), kind)
	if c == nil {
		w.Fatalf("%s has no condition %s", name, kind)
	}
	return c.Message
}

// edit writes a configuration anew.
func (w *world) edit(name string, change func(o client.Object)) {
	w.Helper()
	o := w.configs()[name]
	change(o)
	w.must(w.api.Update(w.Context(), o))
}

func TestConfigurationsTellWhatBecameOfThem(t *testing.T) {
	t.Parallel()
	w := newWorld(t, furnished(t)...)
	w.edit("infra/own", func(o client.Object) {
		*conditionsOf(o) = []metav1.Condition{{Type: "example.com/Foreign", Status: metav1.ConditionTrue, Reason: "Theirs"}}
		w.must(w.api.Status().Update(t.Context(), o))
	})
	w.settle()
	const good, held = "True/Accepted 1", "True/Programmed 1"
	for name, want := range map[string]map[string]string{
		"infra/own":     {"Accepted": good, "Programmed": held, "gateway": "1", "example.com/Foreign": "True/Theirs 0"},
		"infra/class":   {"Accepted": good, "Programmed": held, "class": "1"},
		"infra/default": {"Accepted": good, "Programmed": held, "gateway": "1"},
		"app/web":       {"Accepted": good, "Programmed": held, "gateway": "1"},
		"app/login":     {"Accepted": good, "Programmed": held, "looked at": "1", "accepted": "true"},
		"infra/idle":    {"Accepted": "Unknown/NotInUse 1", "Programmed": "False/NotInUse 1"},
	} {
		if diff := cmp.Diff(want, w.said(name)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// What nothing uses any more says so, and no generation that AWS holds: once, and what was said before comes again with its next use.
func TestConfigurationsThatNothingUses(t *testing.T) {
	t.Parallel()
	w := newWorld(t, furnished(t)...)
	w.keep()
	if diff := cmp.Diff(map[string]string{}, w.said("infra/idle")); diff != "" {
		t.Errorf("nobody knows who uses it before every Gateway was looked at: %s", diff)
	}
	w.edit("infra/own", func(o client.Object) {
		*conditionsOf(o) = []metav1.Condition{{Type: "example.com/Foreign", Status: metav1.ConditionTrue, Reason: "Theirs"}}
		w.must(w.api.Status().Update(t.Context(), o))
	})
	w.settle()
	served := w.said("infra/own")
	gateway := w.gateway()
	w.must(w.api.Delete(t.Context(), gateway))
	w.settle()
	idle := map[string]string{"Accepted": "Unknown/NotInUse 1", "Programmed": "False/NotInUse 1"}
	for name, how := range map[string]string{
		"infra/own": "spec.infrastructure.parametersRef", "infra/class": "of a GatewayClass", "infra/default": "spec.defaultTargetGroupConfiguration",
		"app/web": "the Service in spec.targetReference", "app/login": "type ExtensionRef",
	} {
		got := w.said(name)
		delete(got, "example.com/Foreign")
		if diff := cmp.Diff(idle, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		for _, kind := range []string{configAccepted, configProgrammed} {
			if text := w.message(name, kind); !strings.Contains(text, "no Gateway") || !strings.Contains(text, how) {
				t.Errorf("%s: the message of %s does not say how it is used: %s", name, kind, text)
			}
		}
	}
	version := w.configs()["infra/own"].GetResourceVersion()
	w.settle()
	if w.configs()["infra/own"].GetResourceVersion() != version {
		t.Error("invariant 1: it is said again and again")
	}
	gateway.ResourceVersion, gateway.Finalizers = "", nil
	w.must(w.api.Create(t.Context(), gateway))
	w.settle()
	if diff := cmp.Diff(served, w.said("infra/own")); diff != "" {
		t.Errorf("it is used again: %s", diff)
	}
}

// A mistake is told on the configuration that it is in, and what AWS holds meanwhile is the generation before.
func TestMistakesInConfigurations(t *testing.T) {
	t.Parallel()
	gateway := model.ObjectRef{Group: gwv1.GroupName, Kind: kindGateway, Namespace: "infra", Name: "gw"}
	route := model.ObjectRef{Group: gwv1.GroupName, Kind: kindHTTPRoute, Namespace: "app", Name: "r"}
	for _, c := range []struct {
		why, name string
		change    func(o client.Object)
		find      model.Finding
		held      []stack.Serving
		want      map[string]string
		text      string
	}{
		{"the build refuses a setting", "infra/own", nil,
			model.Finding{Object: gateway, Severity: model.Wrong, Field: "LoadBalancerConfiguration infra/own spec.scheme", Message: "no such scheme"},
			[]stack.Serving{{Member: gateway, Held: true}},
			map[string]string{"Accepted": "False/Invalid 2", "Programmed": "False/Pending 2", "gateway": "1"}, "spec.scheme: no such scheme"},
		{"the build refuses a setting of a target group", "app/web", nil,
			model.Finding{Object: route, Severity: model.Wrong, Field: "TargetGroupConfiguration app/web spec.defaultConfiguration.targetType", Message: "no such type"},
			[]stack.Serving{{Member: route, Held: true}},
			map[string]string{"Accepted": "False/Invalid 2", "Programmed": "False/Pending 2", "gateway": "1"}, "spec.defaultConfiguration.targetType: no such type"},
		{"an action cannot be read", "app/login", func(o client.Object) {
			x, _ := o.(*awsgwv1.ListenerRuleConfiguration)
			x.Spec.Actions = []awsgwv1.Action{{Type: awsgwv1.ActionTypeFixedResponse}}
		}, model.Finding{}, nil, map[string]string{
			"Accepted": "False/Invalid 2", "Programmed": "False/Pending 2", "looked at": "2", "accepted": "false",
		}, "spec.actions[0]: the action fixed-response has no configuration"},
		{"the build refuses what a rule's configuration asks for", "app/login", nil,
			model.Finding{Object: route, Severity: model.Closed, Field: "spec.rules[0].filters[0]", Message: "no listener has TLS"}, nil,
			map[string]string{"Accepted": "False/Invalid 2", "Programmed": "False/Pending 2", "looked at": "2", "accepted": "false"},
			"HTTPRoute app/r spec.rules[0].filters[0]: no listener has TLS"},
		{"what changes nothing is told, and the rest is served", "infra/own", func(o client.Object) {
			x, _ := o.(*awsgwv1.LoadBalancerConfiguration)
			x.Spec.DisableSecurityGroup = new(bool)
			*x.Spec.DisableSecurityGroup = true
		}, model.Finding{}, nil, map[string]string{"Accepted": "True/Accepted 2", "Programmed": "True/Programmed 2", "gateway": "2"}, "spec.disableSecurityGroup: is for network load balancers"},
		{"a mistake elsewhere keeps a good configuration from AWS", "infra/own", nil,
			model.Finding{Object: gateway, Severity: model.Wrong, Field: "spec.listeners[0]", Message: "no"}, []stack.Serving{{Member: gateway, Held: true}},
			map[string]string{"Accepted": "True/Accepted 2", "Programmed": "False/Pending 2", "gateway": "1"}, ""},
		{"a mistake in another configuration is that one's", "infra/own", nil,
			model.Finding{Object: gateway, Severity: model.Wrong, Field: "LoadBalancerConfiguration infra/class spec.scheme", Message: "no such scheme"}, nil,
			map[string]string{"Accepted": "True/Accepted 2", "Programmed": "True/Programmed 2", "gateway": "2"}, ""},
	} {
		w := newWorld(t, furnished(t)...)
		w.settle()
		w.edit(c.name, func(o client.Object) {
			o.SetGeneration(2)
			if c.change != nil {
				c.change(o)
			}
		})
		w.clouds.serving = c.held
		if c.find.Message != "" {
			w.clouds.finds = []model.Finding{c.find}
		}
		w.settle()
		if diff := cmp.Diff(c.want, w.said(c.name)); diff != "" {
			t.Errorf("%s: %s", c.why, diff)
		}
		if got := w.message(c.name, configAccepted); !strings.Contains(got, c.text) || c.text == "" && got != "" {
			t.Errorf("%s: message %q, want %q", c.why, got, c.text)
		}
		if c.held != nil && !strings.Contains(w.message(c.name, configProgrammed), "infra/gw") {
			t.Errorf("%s: who waits is not named: %s", c.why, w.message(c.name, configProgrammed))
		}
	}
}

// While AWS cannot be asked, what is known stays; what is new is judged, and not called programmed.
func TestConfigurationsWhileAWSFails(t *testing.T) {
	t.Parallel()
	w := newWorld(t, furnished(t)...)
	w.settle()
	before := w.configs()["infra/own"].GetResourceVersion()
	w.clouds.err = errors.New("AWS is down")
	w.settle()
	if w.configs()["infra/own"].GetResourceVersion() != before {
		t.Error("an outage is written to configurations")
	}
	w.op.uses = newLedger() // a new process, that has not seen AWS yet
	w.settle()
	if diff := cmp.Diff(map[string]string{"Accepted": "True/Accepted 1", "Programmed": "True/Programmed 1", "gateway": "1"}, w.said("infra/own")); diff != "" {
		t.Errorf("after a start: %s", diff)
	}
	w.edit("infra/own", func(o client.Object) { o.SetGeneration(2) })
	w.settle()
	if diff := cmp.Diff(map[string]string{"Accepted": "True/Accepted 2", "Programmed": "False/Pending 2", "gateway": "1"}, w.said("infra/own")); diff != "" {
		t.Errorf("edited meanwhile: %s", diff)
	}
}

// Definitions of the incumbent have no conditions: what the API server drops is not written again and again.
func TestConditionsThatAreDropped(t *testing.T) {
	t.Parallel()
	w := newWorld(t, furnished(t)...)
	inner, ok := w.api.(client.WithWatch)
	if !ok {
		t.Fatalf("%T", w.api)
	}
	patches := 0
	w.op.client = interceptor.NewClient(inner, interceptor.Funcs{
		SubResourcePatch: func(ctx context.Context, c client.Client, _ string, o client.Object, patch client.Patch, opts ...client.SubResourcePatchOption) error {
			patches++
			err := c.Status().Patch(ctx, o, patch, opts...)
			*conditionsOf(o) = nil
			return errors.Join(err, c.Status().Update(ctx, o))
		},
	})
	k := w.op.keepers()[0]
	w.reconcile()
	for _, name := range []string{"own", "idle"} {
		before := patches
		for range 5 {
			if _, err := k.Reconcile(t.Context(), reconcile.Request{NamespacedName: types.NamespacedName{Namespace: "infra", Name: name}}); err != nil {
				t.Fatal(err)
			}
		}
		if got := patches - before; got != 1 {
			t.Errorf("%s: %d writes, want one", name, got)
		}
	}
	if diff := cmp.Diff(map[string]string{"gateway": "1"}, w.said("infra/own")); diff != "" {
		t.Error(diff)
	}
}

func TestStatusOverSeveralGateways(t *testing.T) {
	t.Parallel()
	at := func(name string, judged, applied int64, wrong ...string) standing {
		return standing{gateway: types.NamespacedName{Namespace: "n", Name: name}, judged: judged, applied: applied, wrong: wrong, byGateway: true}
	}
	for _, c := range []struct {
		why        string
		all        []standing
		accepted   string
		programmed string
		applied    int64
	}{
		{"all hold it", []standing{at("a", 3, 3), at("b", 3, 3)}, "True/Accepted ", "True/Programmed ", 3},
		{"one holds an earlier one", []standing{at("a", 3, 3), at("b", 3, 2)}, "True/Accepted ",
			"False/Pending AWS does not hold all of it yet for these Gateways: n/b", 2},
		{"of one it is not known", []standing{at("a", 3, 3), at("b", 3, 0)}, "True/Accepted ",
			"False/Pending AWS does not hold all of it yet for these Gateways: n/b", 0},
		{"two find the same mistake, one another", []standing{at("a", 3, 2, "x: no"), at("b", 3, 2, "x: no", "a: no")}, "False/Invalid a: no; x: no",
			"False/Pending AWS does not hold all of it yet for these Gateways: n/a; n/b", 2},
	} {
		o := &awsgwv1.LoadBalancerConfiguration{ObjectMeta: metav1.ObjectMeta{Generation: 3}}
		setStatus(o, c.all)
		for kind, want := range map[string]string{configAccepted: c.accepted, configProgrammed: c.programmed} {
			got := meta.FindStatusCondition(o.Status.Conditions, kind)
			if text := fmt.Sprintf("%s/%s %s", got.Status, got.Reason, got.Message); text != want || got.ObservedGeneration != 3 {
				t.Errorf("%s: %s is %q of generation %d, want %q", c.why, kind, text, got.ObservedGeneration, want)
			}
		}
		if got := deref(o.Status.ObservedGatewayConfigurationGeneration); got != c.applied {
			t.Errorf("%s: generation %d, want %d", c.why, got, c.applied)
		}
	}
	if got := brief(strings.Split(strings.Repeat("x ", 25), " ")); !strings.HasSuffix(got, "; and 6 more") {
		t.Error(got)
	}
}
