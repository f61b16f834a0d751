package gateway

import (
	"context"
	"fmt"
	"strings"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"
	gwv1beta1 "sigs.k8s.io/gateway-api/apis/v1beta1"

	awsgwv1 "github.com/headgate/headgate/apis/gateway/v1"
	"github.com/headgate/headgate/controllers/outcome"
)

// With a definition the API server deletes every object of its kind. Nobody asked for these deletions one by one, so nothing in AWS follows
// from them: an object that is gone counts as deleted only while its definition is there and stays.

// composing are the kinds that Gateways are made of, by their names.
func composing() map[string]schema.GroupVersionKind {
	gateway := schema.GroupVersion(gwv1.GroupVersion)
	out := map[string]schema.GroupVersionKind{
		kindGRPCRoute: gateway.WithKind(kindGRPCRoute), kindListenerSet: gateway.WithKind(kindListenerSet),
		kindGrant: schema.GroupVersion(gwv1beta1.GroupVersion).WithKind(kindGrant),

		awsgwv1.KindListenerRuleConfiguration: awsgwv1.GroupVersion().WithKind(awsgwv1.KindListenerRuleConfiguration),
	}
	for _, k := range needed() {
		out[k.Kind] = k
	}
	return out
}

const (
	// kindGrant is the kind of ReferenceGrants.
	kindGrant = "ReferenceGrant"
	// reasonWithheld is that of the event on a Gateway that is left as it is.
	reasonWithheld = "DefinitionIsMissing"
)

// definitionOf is the name of the definition of a kind: its plural, and its group. What apimachinery guesses makes gatewaies of gateways.
func definitionOf(kind schema.GroupVersionKind) string {
	plural := strings.ToLower(kind.Kind) + "s"
	if strings.HasSuffix(kind.Kind, "s") {
		plural = strings.ToLower(kind.Kind) + "es"
	}
	return schema.GroupResource{Group: kind.Group, Resource: plural}.String()
}

// withdrawn tells whether the definition of a kind is not there, or is being deleted. Before the API server deletes the first object of the
// kind it says so there, and nowhere else for certain.
func withdrawn(ctx context.Context, live client.Reader, kind schema.GroupVersionKind) (bool, error) {
	o := &metav1.PartialObjectMetadata{}
	o.SetGroupVersionKind(schema.GroupVersionKind{Group: "apiextensions.k8s.io", Version: "v1", Kind: "CustomResourceDefinition"})
	err := live.Get(ctx, client.ObjectKey{Name: definitionOf(kind)}, o)
	switch {
	case apierrors.IsNotFound(err):
		return true, nil
	case apierrors.IsForbidden(err): // a role from before: a deletion does not wait for a better one
		return false, nil
	case err != nil:
		return false, fmt.Errorf("reading the definition of %s: %w", kind.GroupKind(), err)
	}
	return !o.GetDeletionTimestamp().IsZero(), nil
}

// usher lets objects go with their definitions.
type usher struct {
	client client.Client
	live   client.Reader
}

// out lets an object with a finalizer of ours go that is deleted because its definition is, and tells whether it is one: what was made for it
// stays.
func (u usher) out(ctx context.Context, mark string, o client.Object) (bool, error) {
	if o.GetDeletionTimestamp().IsZero() || !controllerutil.ContainsFinalizer(o, mark) {
		return false, nil
	}
	kind, err := u.client.GroupVersionKindFor(o)
	if err != nil {
		return false, fmt.Errorf("finding the kind of %T: %w", o, err)
	}
	gone, err := withdrawn(ctx, u.live, kind)
	if err != nil || !gone {
		return false, err
	}
	old, _ := o.DeepCopyObject().(client.Object)
	controllerutil.RemoveFinalizer(o, mark)
	if err := u.client.Patch(ctx, o, underLock(old)); client.IgnoreNotFound(err) != nil {
		return true, fmt.Errorf("letting %s %s go: %w", kind.Kind, client.ObjectKeyFromObject(o), err)
	}
	ctrl.LoggerFrom(ctx).Info("an object goes because its definition is deleted, and what AWS holds for it stays",
		"kind", kind.Kind, "name", client.ObjectKeyFromObject(o).String())
	return true, nil
}

// roll remembers what each Gateway was made of.
type roll struct {
	mu sync.Mutex
	// made is it, by Gateway; absent are kinds whose definitions were away since the start.
	made   map[types.NamespacedName]map[configName]bool
	absent map[string]bool
	// told is why Gateways are left as they are, as the log has it.
	told map[types.NamespacedName]string
}

// parts are the objects that a Gateway is made of and that a definition takes with it.
func (s *Snapshot) parts() map[configName]bool {
	out := make(map[configName]bool, len(s.Routes)+len(s.TargetGroups)+len(s.Grants))
	add := func(kind string, o client.Object) { out[configName{client.ObjectKeyFromObject(o), kind}] = true }
	for i := range s.Routes {
		add(s.Routes[i].kind, s.Routes[i].object)
	}
	for i := range s.Sets {
		add(kindListenerSet, &s.Sets[i])
	}
	for i := range s.Grants {
		add(kindGrant, &s.Grants[i])
	}
	for i := range s.TargetGroups {
		add(awsgwv1.KindTargetGroupConfiguration, &s.TargetGroups[i])
	}
	for _, x := range s.Extensions {
		add(awsgwv1.KindListenerRuleConfiguration, x)
	}
	for _, c := range []*awsgwv1.LoadBalancerConfiguration{s.ClassConfig, s.GatewayConfig} {
		if c != nil {
			add(awsgwv1.KindLoadBalancerConfiguration, c)
		}
	}
	return out
}

// lost are the parts that a Gateway had and has no more, by kind.
func (l *roll) lost(gateway types.NamespacedName, now map[configName]bool) map[string][]types.NamespacedName {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := map[string][]types.NamespacedName{}
	for part := range l.made[gateway] {
		if !now[part] {
			out[part.kind] = append(out[part.kind], part.NamespacedName)
		}
	}
	return out
}

// call notes what a Gateway is made of; nil forgets it.
func (l *roll) call(gateway types.NamespacedName, now map[configName]bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.told, gateway)
	if now == nil {
		delete(l.made, gateway)
		return
	}
	if l.made == nil {
		l.made = map[types.NamespacedName]map[configName]bool{}
	}
	l.made[gateway] = now
}

// missed notes that the definition of a kind is away, and wasMissed tells whether it ever was.
func (l *roll) missed(kind string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.absent == nil {
		l.absent = map[string]bool{}
	}
	l.absent[kind] = true
}

func (l *roll) wasMissed(kind string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.absent[kind]
}

// withheld says why a Gateway is left as it is for now: it lost objects that nobody deleted. Empty means it can be served as it is read.
func (r *Reconciler) withheld(ctx context.Context, s *Snapshot) (string, error) {
	gateway, now := client.ObjectKeyFromObject(s.Gateway), s.parts()
	lost := r.roll.lost(gateway, now)
	for kind, names := range lost {
		gone, err := withdrawn(ctx, r.live, composing()[kind])
		if err != nil {
			return "", err
		}
		if gone {
			r.roll.missed(kind)
			return fmt.Sprintf("its %ss are gone with their definition, and what AWS holds for them stays: install the definition of %s",
				kind, composing()[kind].GroupKind()), nil
		}
		if back, err := r.stillThere(ctx, kind, names); err != nil || back != "" {
			return back, err
		}
	}
	r.roll.call(gateway, now)
	return "", nil
}

// mostAsked is how many lost objects of a kind are looked for.
const mostAsked = 20

// waits tells whether nothing is done for a Gateway now: it goes with its definition, or is left as it is.
func (r *Reconciler) waits(ctx context.Context, s *Snapshot) (bool, error) {
	if s.Gateway == nil {
		return false, nil
	}
	if gone, err := (usher{r.client, r.live}).out(ctx, Finalizer, s.Gateway); err != nil || gone || !s.Ours {
		return gone, err
	}
	why, err := r.withheld(ctx, s)
	if why != "" {
		r.leaveBe(ctx, s.Gateway, why)
	}
	return why != "", err
}

// goesUnread lets a Gateway go, while the door is shut, that is deleted because its definition is.
func (r *Reconciler) goesUnread(ctx context.Context, key types.NamespacedName) error {
	g := &gwv1.Gateway{}
	if err := r.client.Get(ctx, key, g); err != nil {
		return client.IgnoreNotFound(err)
	}
	_, err := usher{r.client, r.live}.out(ctx, Finalizer, g)
	return err
}

// leaveBe tells, once, that a Gateway is left as it is.
func (r *Reconciler) leaveBe(ctx context.Context, g *gwv1.Gateway, why string) {
	r.voice.Warn("withheld", g, []outcome.Remark{{Reason: reasonWithheld, Text: why}})
	if r.roll.tell(client.ObjectKeyFromObject(g), why) {
		ctrl.LoggerFrom(ctx).Info("a Gateway is left as it is", "gateway", client.ObjectKeyFromObject(g).String(), "why", why)
	}
}

// tell notes what is told of a Gateway, and whether it is new.
func (l *roll) tell(gateway types.NamespacedName, why string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.told == nil {
		l.told = map[types.NamespacedName]string{}
	}
	was := l.told[gateway]
	l.told[gateway] = why
	return was != why
}

// stillThere names an object that the API server has and our copy of it has not: after its definition was away, the copy comes late.
func (r *Reconciler) stillThere(ctx context.Context, kind string, names []types.NamespacedName) (string, error) {
	if !r.roll.wasMissed(kind) {
		return "", nil
	}
	for _, name := range names[:min(len(names), mostAsked)] {
		o := &metav1.PartialObjectMetadata{}
		o.SetGroupVersionKind(composing()[kind])
		switch err := r.live.Get(ctx, name, o); {
		case err == nil && o.GetDeletionTimestamp().IsZero():
			return fmt.Sprintf("%s %s is there again and not read yet", kind, name), nil
		case err != nil && !apierrors.IsNotFound(err):
			return "", fmt.Errorf("reading %s %s: %w", kind, name, err)
		}
	}
	return "", nil
}
