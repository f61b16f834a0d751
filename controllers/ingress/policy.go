package ingress

import (
	networkingv1 "k8s.io/api/networking/v1"

	"github.com/headgate/headgate/controllers/stack"
	"github.com/headgate/headgate/model"
)

// policy is how the changes of a group are made: the strictest of what its members, those that leave it and their classes say. What an
// Ingress says wrong is found with its other annotations.
func (g Group) policy(n *notes) stack.Policy {
	var out stack.Policy
	for _, m := range g.Members {
		own, _ := stack.PolicyOf(m.Ingress.Annotations)
		out = out.With(own).With(m.Class.policy(n))
	}
	for _, l := range g.Leaving {
		own, problems := stack.PolicyOf(l.Ingress.Annotations)
		for _, p := range problems {
			n.add(model.Finding{Object: refOf(l.Ingress), Severity: p.Severity, Reason: p.Reason, Field: p.Key, Message: p.Message})
		}
		out = out.With(own).With(l.Class.policy(n))
	}
	return out
}

// policy is what the class and its parameters say, with what is wrong with that.
func (c *Class) policy(n *notes) stack.Policy {
	var out stack.Policy
	add := func(object model.ObjectRef, values map[string]string) {
		one, problems := stack.PolicyOfClass(values)
		for _, p := range problems {
			n.add(model.Finding{Object: object, Severity: p.Severity, Reason: p.Reason, Field: p.Key, Message: p.Message})
		}
		out = out.With(one)
	}
	if c == nil {
		return out
	}
	out.Unread = c.Missing != ""
	if o := c.object; o != nil {
		add(model.ObjectRef{Group: networkingv1.GroupName, Kind: classKind, Name: o.Name, UID: string(o.UID)}, o.Annotations)
	}
	if c.Params != nil {
		add(paramsRef(c.Params), c.Params.Annotations)
	}
	return out
}

const classKind = "IngressClass"
