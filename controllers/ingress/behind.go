package ingress

import (
	"fmt"
	"reflect"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/headgate/headgate/controllers/annotations"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/intent"
)

// behind says who must sign in to a route. The action of a rule has one guard: where several Services answer and one asks for sign-in,
// all must ask for the same, or nobody is let through.
func (d *draft) behind(r intent.Route) demand {
	if r.Forward == nil || len(r.Forward.Backends) == 0 {
		return d.signIn(d.read)
	}
	backends, all := r.Forward.Backends, []demand(nil)
	for _, b := range backends {
		all = append(all, d.asked(d.serviceOf(b)))
	}
	if len(all) == 1 {
		return all[0]
	}
	own := d.signIn(d.read)
	asks := func(q demand) bool { return (q.guard != nil || q.unreadable()) && !q.same(own) }
	if i := slices.IndexFunc(all, func(q demand) bool { return asks(q) && q.unreadable() }); i >= 0 {
		return all[i]
	}
	i := slices.IndexFunc(all, asks)
	if i < 0 {
		return own
	}
	if j := slices.IndexFunc(all, func(q demand) bool { return !q.same(all[i]) }); j >= 0 {
		return demand{field: all[i].field, reason: ReasonClosed, closed: true, problem: fmt.Sprintf(
			"of %s: %s answers the same requests and does not ask for the same sign-in, so the rules that lead to both answer 503: "+
				"write auth-type and its provider on the Ingress, or the same on each Service of the action", nameOf(backends[i]), nameOf(backends[j]))}
	}
	return all[i]
}

// same tells whether two demands let the same users through.
func (q demand) same(as demand) bool {
	return q.problem == as.problem && reflect.DeepEqual(q.guard, as.guard)
}

// asked says who must sign in to what one Service answers; nil is a backend that has none, or whose Service is not there.
func (d *draft) asked(object *corev1.Service) demand {
	if object == nil {
		return d.signIn(d.read)
	}
	of := "of Service " + object.Name + ": "
	for _, p := range d.table.Check(annotations.OnService, object.Annotations) {
		if p.Severity == model.Closed {
			return demand{field: p.Key, reason: p.Reason, problem: of + p.Message, closed: true}
		}
	}
	out := d.signIn(d.table.Reader(object.Annotations).Over(d.read))
	if out.problem != "" && d.table.Reader(object.Annotations).Has(annotations.AuthType) {
		out.problem = of + out.problem
	}
	return out
}

func (d *draft) serviceOf(b intent.Backend) *corev1.Service {
	if b.Service == nil {
		return nil
	}
	return d.services[types.NamespacedName{Namespace: b.Service.Namespace, Name: b.Service.Name}]
}

// nameOf is what users know a backend by.
func nameOf(b intent.Backend) string {
	switch {
	case b.Service != nil:
		return "Service " + b.Service.Name
	case b.TargetGroupName != "":
		return "target group " + b.TargetGroupName
	}
	return "target group " + b.TargetGroupARN
}
