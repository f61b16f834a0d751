package corpus

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/validation"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// trial is one file applied to the sandbox.
type trial struct {
	World

	// namespace of objects that name none.
	namespace string
	made      []client.Object
	// users are the routes that stand in for what uses a TargetGroupConfiguration, by its namespace/name.
	users map[string]*unstructured.Unstructured
}

// verdict is what became of one object; an empty one is to be judged later.
type verdict struct {
	verdict Verdict
	detail  string
}

// apply creates the objects, after their namespaces and what strangers have beside their file: what others refer to first, for what
// was told of an object while a file was half there is not taken back. The problem is one of what stands in.
func (t *trial) apply(ctx context.Context, objects []*unstructured.Unstructured) ([]verdict, error) {
	out := make([]verdict, len(objects))
	create := func(r rank) {
		for i, o := range objects {
			if rankOf(o.GetKind()) == r {
				out[i] = t.create(ctx, o)
			}
		}
	}
	create(namespaces)
	problem := t.namespaces(ctx, objects)
	if problem == nil {
		problem = t.standIns(ctx, objects)
	}
	for _, r := range []rank{classes, backends, entrances, routes} {
		create(r)
	}
	return out, problem
}

// rank orders kinds: each refers to those before.
type rank int

const (
	namespaces rank = iota
	classes
	backends
	entrances
	routes
)

func rankOf(kind string) rank {
	switch kind {
	case "Namespace":
		return namespaces
	case "IngressClass", "IngressClassParams", "GatewayClass", "LoadBalancerConfiguration", "TargetGroupConfiguration",
		"ListenerRuleConfiguration", "ReferenceGrant":
		return classes
	case "Ingress", "Gateway", "TargetGroupBinding":
		return entrances
	case "ListenerSet", "HTTPRoute", "GRPCRoute", "TLSRoute", "TCPRoute", "UDPRoute":
		return routes
	}
	return backends
}

// namespaces makes those that the file's objects live in.
func (t *trial) namespaces(ctx context.Context, objects []*unstructured.Unstructured) error {
	names := map[string]bool{t.namespace: true}
	for _, o := range objects {
		if n := o.GetNamespace(); n != "" && len(validation.IsDNS1123Label(n)) == 0 { // else the API server says so of the object
			names[n] = true
		}
	}
	var errs []error
	for n := range names {
		errs = append(errs, t.make(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: n}}))
	}
	return errors.Join(errs...)
}

// make creates what goes with the file. What is there already stays.
func (t *trial) make(ctx context.Context, o client.Object) error {
	if err := t.Client.Create(ctx, o); err != nil {
		if apierrors.IsAlreadyExists(err) {
			return nil
		}
		return fmt.Errorf("making %s: %w", o.GetName(), err)
	}
	t.made = append(t.made, o)
	return nil
}

// create creates an object of the file. No verdict means that it is to be judged later.
func (t *trial) create(ctx context.Context, o *unstructured.Unstructured) verdict {
	mapping, err := t.Client.RESTMapper().RESTMapping(o.GroupVersionKind().GroupKind(), o.GroupVersionKind().Version)
	if err != nil {
		if meta.IsNoMatchError(err) {
			return verdict{Refused, "no such kind: " + o.GetAPIVersion() + " " + o.GetKind()}
		}
		return verdict{Unclear, oneLine(err.Error())}
	}
	if mapping.Scope.Name() == meta.RESTScopeNameNamespace && o.GetNamespace() == "" {
		o.SetNamespace(t.namespace)
	}
	object := o.DeepCopy()
	if err := t.Client.Create(ctx, object); err != nil {
		if apierrors.IsAlreadyExists(err) {
			return verdict{NotForUs, "is there already"}
		}
		return verdict{Refused, oneLine(err.Error())}
	}
	t.made = append(t.made, object)
	if !judged(o.GetKind()) {
		return verdict{NotForUs, notServed(o)}
	}
	return verdict{}
}

// judged tells whether Headgate answers for a kind.
func judged(kind string) bool {
	return slices.Contains([]string{
		"Ingress", "IngressClass", "IngressClassParams", "Gateway", "GatewayClass", "HTTPRoute", "GRPCRoute", "ListenerSet",
		"LoadBalancerConfiguration", "TargetGroupConfiguration", "ListenerRuleConfiguration", "TargetGroupBinding",
	}, kind)
}

// notServed says of a kind of the Gateway API whose it is.
func notServed(o *unstructured.Unstructured) string {
	if o.GroupVersionKind().Group != "gateway.networking.k8s.io" || o.GetKind() == "ReferenceGrant" {
		return ""
	}
	return o.GetKind() + " belongs to a network load balancer"
}

// clean deletes what was made, the last first, and waits until it is gone: the next file may use the same names. A deletion that does
// not end is a row.
func (t *trial) clean(ctx context.Context) []Row {
	var rows []Row
	for _, o := range slices.Backward(t.made) {
		if err := t.Client.Delete(ctx, o); client.IgnoreNotFound(err) != nil {
			rows = append(rows, Row{Object: describe(o), Verdict: Unclear, Detail: "cannot be deleted: " + oneLine(err.Error())})
		}
	}
	deadline := time.Now().Add(2 * t.Patience)
	for _, o := range t.made {
		if !t.gone(ctx, o, deadline) {
			v, detail := t.lingers(ctx, o)
			rows = append(rows, Row{Object: describe(o), Verdict: v, Detail: oneLine(detail)})
		}
	}
	return rows
}

// gone waits until an object is.
func (t *trial) gone(ctx context.Context, o client.Object, deadline time.Time) bool {
	for {
		err := t.Client.Get(ctx, client.ObjectKeyFromObject(o), o)
		if apierrors.IsNotFound(err) || meta.IsNoMatchError(err) {
			return true
		}
		if time.Now().After(deadline) || ctx.Err() != nil {
			return false
		}
		pause(ctx)
	}
}

// lingers says why an object that was deleted is still there. One of ours that says nothing is a defect; a namespace waits for what is
// in it, which has rows of its own.
func (t *trial) lingers(ctx context.Context, o client.Object) (Verdict, string) {
	detail := fmt.Sprintf("a deletion that does not end: finalizers %v", o.GetFinalizers())
	if said := t.said(ctx, o); said != "" {
		return Finding, detail + "; told: " + said
	}
	if ns, ok := o.(*corev1.Namespace); ok {
		reasons := []string{detail}
		for _, c := range ns.Status.Conditions {
			if c.Status == corev1.ConditionTrue {
				reasons = append(reasons, c.Message)
			}
		}
		return Finding, strings.Join(reasons, "; ")
	}
	return Unclear, detail
}

func pause(ctx context.Context) {
	select {
	case <-ctx.Done():
	case <-time.After(100 * time.Millisecond):
	}
}
