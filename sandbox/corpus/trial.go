package corpus

import (
	"context"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
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
}

// prepare makes the namespaces that the file's objects live in, and stands in for what strangers have beside their file: the
// classes and the Services that it names.
func (t *trial) prepare(ctx context.Context, objects []*unstructured.Unstructured) error {
	has := map[string]bool{}
	for _, o := range objects {
		has[o.GetKind()+" "+o.GetName()] = true
		has[describe(t.placed(o))] = true
	}
	namespaces := map[string]bool{t.namespace: true}
	for _, o := range objects {
		if n := o.GetNamespace(); n != "" && !has["Namespace "+n] {
			namespaces[n] = true
		}
	}
	for n := range namespaces {
		if len(validation.IsDNS1123Label(n)) > 0 {
			continue // The API server says so of the objects.
		}
		if err := t.make(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: n}}); err != nil {
			return err
		}
	}
	if !has["IngressClass alb"] {
		class := &networkingv1.IngressClass{ObjectMeta: metav1.ObjectMeta{Name: "alb"}}
		class.Spec.Controller = "ingress.k8s.aws/alb"
		if err := t.make(ctx, class); err != nil {
			return err
		}
	}
	return t.standIns(ctx, objects, has)
}

// placed is the object in the namespace that it will be in.
func (t *trial) placed(o *unstructured.Unstructured) *unstructured.Unstructured {
	if o.GetNamespace() != "" {
		return o
	}
	o = o.DeepCopy()
	o.SetNamespace(t.namespace)
	return o
}

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

// apply creates an object. No verdict means that it is to be judged later.
func (t *trial) apply(ctx context.Context, o *unstructured.Unstructured) (Verdict, string) {
	mapping, err := t.Client.RESTMapper().RESTMapping(o.GroupVersionKind().GroupKind(), o.GroupVersionKind().Version)
	if err != nil {
		if meta.IsNoMatchError(err) {
			return Refused, "no such kind: " + o.GetAPIVersion() + " " + o.GetKind()
		}
		return Unclear, oneLine(err.Error())
	}
	if mapping.Scope.Name() == meta.RESTScopeNameNamespace && o.GetNamespace() == "" {
		o.SetNamespace(t.namespace)
	}
	object := o.DeepCopy()
	if err := t.Client.Create(ctx, object); err != nil {
		if apierrors.IsAlreadyExists(err) {
			return NotForUs, "is there already"
		}
		return Refused, oneLine(err.Error())
	}
	t.made = append(t.made, object)
	if !judged(o.GetKind()) {
		return NotForUs, ""
	}
	return "", ""
}

// judged tells whether Headgate answers for a kind.
func judged(kind string) bool {
	return slices.Contains([]string{
		"Ingress", "IngressClass", "IngressClassParams", "Gateway", "GatewayClass", "HTTPRoute",
		"LoadBalancerConfiguration", "TargetGroupConfiguration", "ListenerRuleConfiguration", "TargetGroupBinding",
	}, kind)
}

// clean deletes what was made, the last first, and waits until the namespaces are gone: the next file may use the same names.
func (t *trial) clean(ctx context.Context) error {
	for _, o := range slices.Backward(t.made) {
		if err := t.Client.Delete(ctx, o); client.IgnoreNotFound(err) != nil {
			return fmt.Errorf("deleting %s: %w", o.GetName(), err)
		}
	}
	deadline := time.Now().Add(4 * t.Patience)
	for _, o := range t.made {
		for {
			err := t.Client.Get(ctx, client.ObjectKeyFromObject(o), o)
			if apierrors.IsNotFound(err) || meta.IsNoMatchError(err) {
				break
			}
			if time.Now().After(deadline) {
				return fmt.Errorf("%T %s/%s is not gone: finalizers %v (%w)", o, o.GetNamespace(), o.GetName(), o.GetFinalizers(), errLingers)
			}
			pause(ctx)
		}
	}
	return nil
}

func pause(ctx context.Context) {
	select {
	case <-ctx.Done():
	case <-time.After(100 * time.Millisecond):
	}
}
