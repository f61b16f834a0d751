package ingress

import (
	"context"
	"maps"
	"reflect"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	headgatev1alpha1 "github.com/headgate/headgate/apis/headgate/v1alpha1"
	"github.com/headgate/headgate/controllers/annotations"
	"github.com/headgate/headgate/controllers/stack"
	"github.com/headgate/headgate/model"
)

// serviceChanged passes what an intent reads of a Service. Services have no generation.
func serviceChanged() predicate.Predicate {
	return predicate.Funcs{UpdateFunc: func(e event.UpdateEvent) bool {
		before, ok := e.ObjectOld.(*corev1.Service)
		after, ok2 := e.ObjectNew.(*corev1.Service)
		if !ok || !ok2 {
			return true
		}
		return before.UID != after.UID || before.Spec.Type != after.Spec.Type ||
			!reflect.DeepEqual(before.Spec.Ports, after.Spec.Ports) ||
			!reflect.DeepEqual(before.Spec.IPFamilies, after.Spec.IPFamilies) ||
			!maps.Equal(ours(before.Annotations), ours(after.Annotations))
	}}
}

// ours are the annotations of the prefix that is ours.
func ours(all map[string]string) map[string]string {
	out := maps.Clone(all)
	maps.DeleteFunc(out, func(k, _ string) bool { return !strings.HasPrefix(k, annotations.IngressPrefix) })
	return out
}

func (r *Reconciler) ofIngress(ctx context.Context, o client.Object) []reconcile.Request {
	ing, ok := o.(*networkingv1.Ingress)
	if !ok || r.set.WatchNamespace != "" && ing.Namespace != r.set.WatchNamespace {
		return nil
	}
	return r.concern(ctx, []*networkingv1.Ingress{ing})
}

func (r *Reconciler) ofClass(ctx context.Context, o client.Object) []reconcile.Request {
	return r.requests(ctx, func(ing *networkingv1.Ingress) bool {
		// A class may have become the default, or have ceased to be: then all without a class are concerned.
		return ing.Spec.IngressClassName == nil || *ing.Spec.IngressClassName == o.GetName()
	})
}

func (r *Reconciler) ofParams(ctx context.Context, o client.Object) []reconcile.Request {
	var classes networkingv1.IngressClassList
	if err := r.client.List(ctx, &classes); err != nil {
		ctrl.LoggerFrom(ctx).Error(err, "listing IngressClasses")
		return nil
	}
	names := map[string]bool{}
	for _, c := range classes.Items {
		if p := c.Spec.Parameters; p != nil && p.Kind == paramsKind && p.Name == o.GetName() {
			names[c.Name] = true
		}
	}
	return r.requests(ctx, func(ing *networkingv1.Ingress) bool {
		return ing.Spec.IngressClassName == nil || names[*ing.Spec.IngressClassName]
	})
}

func (r *Reconciler) ofService(ctx context.Context, o client.Object) []reconcile.Request {
	return r.requests(ctx, func(ing *networkingv1.Ingress) bool {
		return ing.Namespace == o.GetNamespace() && slices.Contains(servicesOf(ing), o.GetName())
	})
}

// deleted passes only what is gone.
func deleted() predicate.Predicate {
	return predicate.Funcs{
		CreateFunc:  func(event.CreateEvent) bool { return false },
		UpdateFunc:  func(event.UpdateEvent) bool { return false },
		GenericFunc: func(event.GenericEvent) bool { return false },
	}
}

// written passes LoadBalancers that users wrote to, whose targets are waited for and healthy by now, or that are gone.
func written() predicate.Predicate {
	never := deleted()
	return predicate.Funcs{
		CreateFunc:  never.Create,
		UpdateFunc:  stack.Concerns,
		DeleteFunc:  never.Delete,
		GenericFunc: never.Generic,
	}
}

// ofLoadBalancer are the groups of the Ingresses that are shown on the object.
func (r *Reconciler) ofLoadBalancer(ctx context.Context, o client.Object) []reconcile.Request {
	lb, ok := o.(*headgatev1alpha1.LoadBalancer)
	if !ok {
		return nil
	}
	return r.requests(ctx, func(ing *networkingv1.Ingress) bool {
		return slices.Contains(lb.Status.Sources, headgatev1alpha1.ObjectReference{
			Kind: ingressKind, Namespace: ing.Namespace, Name: ing.Name,
		})
	})
}

// ofBinding is the group that a binding was made for: one that was deleted by hand is made again.
func (r *Reconciler) ofBinding(_ context.Context, o client.Object) []reconcile.Request {
	prefix, name, ok := stack.OwnerOf(o)
	if !ok || prefix != model.PrefixIngress {
		return nil
	}
	key := Explicit(name)
	if namespace, ingress, alone := strings.Cut(name, "/"); alone {
		key = Implicit(namespace, ingress)
	}
	return []reconcile.Request{{NamespacedName: key.NamespacedName()}}
}

func (r *Reconciler) ofNamespace(ctx context.Context, o client.Object) []reconcile.Request {
	return r.requests(ctx, func(ing *networkingv1.Ingress) bool { return ing.Namespace == o.GetName() })
}

// requests are the groups of the Ingresses that match.
func (r *Reconciler) requests(ctx context.Context, match func(*networkingv1.Ingress) bool) []reconcile.Request {
	var list networkingv1.IngressList
	// They are only looked at: a Service may change often, and there may be many of both.
	if err := r.client.List(ctx, &list, client.InNamespace(r.set.WatchNamespace), client.UnsafeDisableDeepCopy); err != nil {
		ctrl.LoggerFrom(ctx).Error(err, "listing Ingresses")
		return nil
	}
	var concerned []*networkingv1.Ingress
	for i := range list.Items {
		if match(&list.Items[i]) {
			concerned = append(concerned, &list.Items[i])
		}
	}
	return r.concern(ctx, concerned)
}

// concern are the groups of Ingresses, which may be gone.
func (r *Reconciler) concern(ctx context.Context, ingresses []*networkingv1.Ingress) []reconcile.Request {
	if len(ingresses) == 0 {
		return nil
	}
	c, err := newCatalog(ctx, r.client, r.set)
	if err != nil {
		ctrl.LoggerFrom(ctx).Error(err, "reading classes")
		return nil
	}
	return c.requests(ctx, ingresses)
}

func (c *catalog) requests(ctx context.Context, ingresses []*networkingv1.Ingress) []reconcile.Request {
	seen := map[GroupKey]bool{}
	var out []reconcile.Request
	for _, ing := range ingresses {
		p, err := c.place(ing)
		if err != nil {
			ctrl.LoggerFrom(ctx).Error(err, "finding the group of an Ingress", "ingress", client.ObjectKeyFromObject(ing))
		}
		for _, key := range p.keys() {
			if !seen[key] {
				seen[key] = true
				out = append(out, reconcile.Request{NamespacedName: key.NamespacedName()})
			}
		}
	}
	return out
}
