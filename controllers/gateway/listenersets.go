package gateway

import (
	"context"
	"fmt"
	"reflect"
	"slices"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/headgate/headgate/controllers/outcome"
	"github.com/headgate/headgate/model"
)

// Kinds that have listeners.
const (
	kindGateway     = "Gateway"
	kindListenerSet = "ListenerSet"
)

// parent is an object with listeners: the Gateway itself, or a ListenerSet of it.
type parent struct {
	ref        model.ObjectRef
	generation int64
	// refused says why the Gateway takes no listeners of it; empty where it does.
	refused problem
}

// parents are the Gateway and its ListenerSets in order of precedence (Gateway API, ListenerSetSpec.listeners).
func (s *Snapshot) parents() []*parent {
	out := []*parent{{ref: gatewayRef(s.Gateway), generation: s.Gateway.Generation}}
	for i := range s.Sets {
		set := &s.Sets[i]
		p := &parent{ref: setRef(set), generation: set.Generation}
		if !s.admits(set) {
			p.refused = problem{string(gwv1.ListenerSetReasonNotAllowed), fmt.Sprintf(
				"Gateway %s does not allow ListenerSets of this namespace: its owner can allow them in spec.allowedListeners",
				client.ObjectKeyFromObject(s.Gateway))}
		}
		out = append(out, p)
	}
	return out
}

func setRef(l *gwv1.ListenerSet) model.ObjectRef {
	return model.ObjectRef{Group: gwv1.GroupName, Kind: kindListenerSet, Namespace: l.Namespace, Name: l.Name, UID: string(l.UID)}
}

// admits tells whether the Gateway allows a ListenerSet (Gateway API, AllowedListeners): none unless it says so.
func (s *Snapshot) admits(set *gwv1.ListenerSet) bool {
	a := s.Gateway.Spec.AllowedListeners
	if a == nil || a.Namespaces == nil {
		return false
	}
	return s.selects(deref(a.Namespaces.From), a.Namespaces.Selector, [2]string{s.Gateway.Namespace, set.Namespace})
}

// selects tells whether an object admits others by their namespace. The namespaces are its own, and the other's.
func (s *Snapshot) selects(from gwv1.FromNamespaces, selector *metav1.LabelSelector, namespaces [2]string) bool {
	switch from {
	case gwv1.NamespacesFromAll:
		return true
	case gwv1.NamespacesFromSame:
		return namespaces[0] == namespaces[1]
	case gwv1.NamespacesFromSelector:
		chosen, err := metav1.LabelSelectorAsSelector(selector)
		return err == nil && selector != nil && chosen.Matches(labels.Set(s.Namespaces[namespaces[1]].Labels))
	case gwv1.NamespacesFromNone:
	}
	return false
}

// loadSets reads the ListenerSets of the Gateway, by age.
func (s *Snapshot) loadSets(ctx context.Context, r client.Reader) error {
	var list gwv1.ListenerSetList
	if err := listKind(ctx, r, &list); err != nil {
		return err
	}
	s.known = map[types.NamespacedName]bool{}
	for _, set := range list.Items {
		s.known[client.ObjectKeyFromObject(&set)] = true
		if set.DeletionTimestamp.IsZero() && gatewayOfSet(&set) == client.ObjectKeyFromObject(s.Gateway) {
			s.Sets = append(s.Sets, set)
		}
	}
	slices.SortFunc(s.Sets, func(a, b gwv1.ListenerSet) int { return byAge(&a, &b) })
	return nil
}

// gatewayOfSet is the Gateway that a ListenerSet names; of another kind there is none.
func gatewayOfSet(set *gwv1.ListenerSet) types.NamespacedName {
	ref := set.Spec.ParentRef
	if ref.Group != nil && *ref.Group != gwv1.GroupName || ref.Kind != nil && *ref.Kind != kindGateway {
		return types.NamespacedName{}
	}
	out := types.NamespacedName{Namespace: set.Namespace, Name: string(ref.Name)}
	if ref.Namespace != nil {
		out.Namespace = string(*ref.Namespace)
	}
	return out
}

// named is the kind and name of what a parentRef names.
func named(p gwv1.ParentReference, namespace string) (kind string, key types.NamespacedName) {
	if p.Group != nil && *p.Group != gwv1.GroupName {
		return "", key
	}
	kind, key = kindGateway, types.NamespacedName{Namespace: namespace, Name: string(p.Name)}
	if p.Kind != nil {
		kind = string(*p.Kind)
	}
	if p.Namespace != nil {
		key.Namespace = string(*p.Namespace)
	}
	return kind, key
}

// refersTo tells whether a parentRef of a route in a namespace names an object with listeners.
func (p *parent) refersTo(ref gwv1.ParentReference, namespace string) bool {
	kind, key := named(ref, namespace)
	return kind == p.ref.Kind && key.Namespace == p.ref.Namespace && key.Name == p.ref.Name
}

// concerns tells whether a parentRef names the Gateway or a ListenerSet of it.
func (s *Snapshot) concerns(ref gwv1.ParentReference, namespace string) bool {
	kind, key := named(ref, namespace)
	switch kind {
	case kindGateway:
		return key == client.ObjectKeyFromObject(s.Gateway)
	case kindListenerSet:
		return slices.ContainsFunc(s.Sets, func(set gwv1.ListenerSet) bool { return client.ObjectKeyFromObject(&set) == key })
	}
	return false
}

// stale tells whether an entry in a route's status is ours to remove where the route does not ask for it: it is of the Gateway or of a
// ListenerSet of it, or of a ListenerSet that is gone, whose Gateway nobody knows any more.
func (s *Snapshot) stale(p gwv1.RouteParentStatus, namespace string) bool {
	kind, key := named(p.ParentRef, namespace)
	return p.ControllerName == ControllerName && (s.concerns(p.ParentRef, namespace) || kind == kindListenerSet && s.known != nil && !s.known[key])
}

// setStatus brings the status of a ListenerSet in line. Conditions of others stay.
func (v *Verdict) setStatus(set *gwv1.ListenerSet, p *parent, r reached) {
	accepted, programmed := v.setConditions(p, r)
	outcome.Set(&set.Status.Conditions, accepted)
	outcome.Set(&set.Status.Conditions, programmed)
	var out []gwv1.ListenerEntryStatus
	for _, l := range v.listeners {
		if l.of != p {
			continue
		}
		var have []metav1.Condition
		for _, old := range set.Status.Listeners {
			if old.Name == l.Name {
				have = old.Conditions
			}
		}
		out = append(out, gwv1.ListenerEntryStatus(v.listenerStatus(have, l, r)))
	}
	set.Status.Listeners = out
}

// setConditions are the conditions of a ListenerSet as a whole.
func (v *Verdict) setConditions(p *parent, r reached) (accepted, programmed metav1.Condition) {
	bad := p.refused
	gateway := v.accepted()
	valid, good := v.listenersOf(p, r)
	switch {
	case bad.any():
	case gateway.Status != metav1.ConditionTrue && gateway.Reason != string(gwv1.GatewayReasonListenersNotValid):
		bad = problem{string(gwv1.ListenerSetReasonParentNotAccepted), "the Gateway is not accepted: see its conditions"}
	case valid == 0:
		bad = problem{string(gwv1.ListenerSetReasonListenersNotValid), "no listener is valid: see their conditions"}
	}
	accepted = condition(string(gwv1.ListenerSetConditionAccepted), string(gwv1.ListenerSetReasonAccepted), bad, p.generation)
	if all := len(v.ofParent(p)); !bad.any() && valid < all {
		accepted.Reason = string(gwv1.ListenerSetReasonListenersNotValid)
		accepted.Message = fmt.Sprintf("%d of %d listeners are not valid: see their conditions", all-valid, all)
	}
	programmed = condition(string(gwv1.ListenerSetConditionProgrammed), string(gwv1.ListenerSetReasonProgrammed), bad, p.generation)
	if bad.any() || good > 0 {
		return accepted, programmed
	}
	programmed.Status, programmed.Reason = metav1.ConditionFalse, "ParentNotProgrammed"
	programmed.Message = "the load balancer of the Gateway does not have the listeners: see its conditions, and theirs"
	if v.programmed(r).Status != metav1.ConditionTrue {
		return accepted, programmed
	}
	programmed.Reason = string(gwv1.ListenerSetReasonInvalid)
	return accepted, programmed
}

// ofParent are the listeners of one object.
func (v *Verdict) ofParent(p *parent) []*listener {
	var out []*listener
	for _, l := range v.listeners {
		if l.of == p {
			out = append(out, l)
		}
	}
	return out
}

// listenersOf counts the listeners of an object that are valid, and those of them that the load balancer has.
func (v *Verdict) listenersOf(p *parent, r reached) (valid, programmed int) {
	for _, l := range v.ofParent(p) {
		if v.translator.serves(l) && !l.brokenRefs() {
			valid++
			if !v.unprogrammed(l, r).any() {
				programmed++
			}
		}
	}
	return valid, programmed
}

// attachedSets counts the ListenerSets that the Gateway accepts (Gateway API, GatewayStatus.attachedListenerSets); nil where there are none
// and never were.
func (v *Verdict) attachedSets(have *int32, r reached) *int32 {
	var out int32
	for _, p := range v.parents {
		if p.ref.Kind != kindListenerSet {
			continue
		}
		if accepted, _ := v.setConditions(p, r); accepted.Status == metav1.ConditionTrue {
			out++
		}
	}
	if out == 0 && have == nil {
		return nil
	}
	return &out
}

// reportSets writes the status of the Gateway's ListenerSets.
func (r *Reconciler) reportSets(ctx context.Context, v *Verdict, got reached) []error {
	var errs []error
	for i := range v.snapshot.Sets {
		set := v.snapshot.Sets[i].DeepCopy()
		p := v.parentOf(setRef(set))
		if p == nil {
			continue
		}
		errs = append(errs, r.update(ctx, set, func() bool {
			old := set.Status.DeepCopy()
			v.setStatus(set, p, got)
			return !reflect.DeepEqual(*old, set.Status)
		}))
	}
	return errs
}

// releaseSets tells the ListenerSets of a Gateway that is gone, as far as they can be written.
func (r *Reconciler) releaseSets(ctx context.Context, v *Verdict) []error {
	var errs []error
	for i := range v.snapshot.Sets {
		set := v.snapshot.Sets[i].DeepCopy()
		p := problem{string(gwv1.ListenerSetReasonParentNotAccepted), "the Gateway is not served any more"}
		errs = append(errs, r.update(ctx, set, func() bool {
			old := set.Status.DeepCopy()
			if meta.FindStatusCondition(set.Status.Conditions, string(gwv1.ListenerSetConditionAccepted)) == nil {
				return false
			}
			for _, kind := range []gwv1.ListenerSetConditionType{gwv1.ListenerSetConditionAccepted, gwv1.ListenerSetConditionProgrammed} {
				outcome.Set(&set.Status.Conditions, condition(string(kind), "", p, set.Generation))
			}
			set.Status.Listeners = nil
			return !reflect.DeepEqual(*old, set.Status)
		}))
	}
	return errs
}

// parentOf is the object with listeners of a name, nil for none.
func (v *Verdict) parentOf(ref model.ObjectRef) *parent {
	for _, p := range v.parents {
		if p.ref.Same(ref) {
			return p
		}
	}
	return nil
}
