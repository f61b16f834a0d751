package gateway

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/source"
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"
	gwv1beta1 "sigs.k8s.io/gateway-api/apis/v1beta1"

	awsgwv1 "github.com/headgate/headgate/apis/gateway/v1"
)

// watcher is a controller that can be given more to watch.
type watcher interface {
	Watch(what source.Source) error
}

// guest is a kind that Gateways are served without where it is not installed, with what is to be done once it is.
type guest struct {
	kind  schema.GroupVersionKind
	admit func() error
}

func (r *Reconciler) guests(mgr ctrl.Manager, c watcher) []guest {
	of := func(kind schema.GroupVersionKind, object client.Object, whom handler.MapFunc) guest {
		return guest{kind, func() error {
			return c.Watch(source.Kind(mgr.GetCache(), object, r.heard(whom),
				predicate.Predicate(predicate.GenerationChangedPredicate{})))
		}}
	}
	out := []guest{
		of(schema.GroupVersion(gwv1.GroupVersion).WithKind(kindListenerSet), &gwv1.ListenerSet{}, gatewaysOfSet),
		of(schema.GroupVersion(gwv1.GroupVersion).WithKind(kindGRPCRoute), &gwv1.GRPCRoute{}, r.gatewaysOfRoute),
		of(schema.GroupVersion(gwv1beta1.GroupVersion).WithKind(kindGrant), &gwv1beta1.ReferenceGrant{}, r.allGateways),
		of(schema.GroupVersion(gwv1.GroupVersion).WithKind("BackendTLSPolicy"), &gwv1.BackendTLSPolicy{}, r.allGateways),
		of(awsgwv1.GroupVersion().WithKind(awsgwv1.KindListenerRuleConfiguration), &awsgwv1.ListenerRuleConfiguration{}, r.allGateways),
	}
	for _, k := range r.keepers() {
		out = append(out, guest{awsgwv1.GroupVersion().WithKind(k.kind), func() error { return k.setup(mgr) }})
	}
	return out
}

// hasKind tells whether the API server has a kind. Where it cannot be asked, it is asked again.
func hasKind(mapper meta.RESTMapper, kind schema.GroupVersionKind) bool {
	_, err := mapper.RESTMapping(kind.GroupKind(), kind.Version)
	return err == nil
}

// hasSets tells whether ListenerSets are installed.
func hasSets(mapper meta.RESTMapper) bool {
	return hasKind(mapper, schema.GroupVersionKind{Group: gwv1.GroupName, Version: "v1", Kind: kindListenerSet})
}

// await watches the kinds that are there, and the others as soon as they are installed.
func (r *Reconciler) await(mgr ctrl.Manager, c watcher) error {
	var missing []guest
	for _, g := range r.guests(mgr, c) {
		if !hasKind(mgr.GetRESTMapper(), g.kind) {
			missing = append(missing, g)
			ctrl.Log.Info("a kind is not served until it is installed", "missing", g.kind.String())
		} else if err := g.admit(); err != nil {
			return fmt.Errorf("watching %s: %w", g.kind, err)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	err := mgr.Add(manager.RunnableFunc(func(ctx context.Context) error {
		return Arrive(ctx, r.set.Arrivals, func() (bool, error) {
			var err error
			missing, err = welcome(mgr.GetRESTMapper(), missing)
			return len(missing) == 0, err
		})
	}))
	if err != nil {
		return fmt.Errorf("waiting for kinds: %w", err)
	}
	return nil
}

// welcome admits those of the kinds that are installed by now, and gives the others.
func welcome(mapper meta.RESTMapper, missing []guest) ([]guest, error) {
	var still []guest
	for _, g := range missing {
		if !hasKind(mapper, g.kind) {
			still = append(still, g)
			continue
		}
		ctrl.Log.Info("a kind is installed, and served from now on", "kind", g.kind.String())
		if err := g.admit(); err != nil {
			return still, fmt.Errorf("watching %s: %w", g.kind, err)
		}
	}
	return still, nil
}

// usualPause is how often it is looked whether kinds are installed where nobody says it.
const usualPause = 10 * time.Second

// Arrive looks again and again, every so often, until look says that all is there, or ctx ends. Zero means every ten seconds.
func Arrive(ctx context.Context, every time.Duration, look func() (bool, error)) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(cmp.Or(every, usualPause)):
		}
		if done, err := look(); done || err != nil {
			return err
		}
	}
}
