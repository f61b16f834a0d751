package ingress

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/headgate/headgate/controllers/annotations"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/intent"
)

const closedMessage = "restricts access in a way that is not served yet: the rules that it concerns answer 503; take it away to serve them openly"

// findClosed finds what restricts access and is not served: for the whole member, or some of its ports.
func (d *draft) findClosed() {
	if d.read.Asks(annotations.JWTValidation) {
		d.shut = true
		d.note(model.Closed, ReasonClosed, d.read.Field(annotations.JWTValidation), closedMessage)
	}
	d.findSwitchedOff()
	d.findClosedPorts()
	d.findUnreadable()
}

// findClosedPorts finds the ports whose clients shall show a certificate: all, where it cannot be read which.
func (d *draft) findClosedPorts() {
	if !d.read.Has(annotations.MutualAuthentication) {
		return
	}
	list, ok := annotations.Decode[annotations.MutualAuthList](d.read, annotations.MutualAuthentication)
	d.shutPorts = list.Ports()
	d.shut = d.shut || !ok
	if len(d.shutPorts) > 0 || !ok {
		d.note(model.Closed, ReasonClosed, d.read.Field(annotations.MutualAuthentication), closedMessage)
	}
}

// findUnreadable tells what becomes of rules while it cannot be read who may connect. With security groups of the user's own nobody
// asks for it.
func (d *draft) findUnreadable() {
	if len(d.who.settings.SecurityGroups) > 0 {
		return
	}
	const message = "says who may connect and cannot be read: rules that admit others answer 503 until it is mended"
	if d.who.badCIDRs() {
		d.note(model.Closed, ReasonClosed, d.cidrField(), message)
	}
	if d.who.badLists() {
		d.note(model.Closed, ReasonClosed, d.listField(), message)
	}
}

// close makes the routes answer 503 whose access shall be restricted in a way that is not served. It finds nothing.
func (d *draft) close(routes []intent.Route) []intent.Route {
	out := make([]intent.Route, 0, len(routes))
	for _, r := range routes {
		if d.shut || d.asksAuth(r) != nil {
			out = append(out, shut(r))
			continue
		}
		var open, closed []int
		for _, p := range r.Ports {
			if d.shutsPort(p) {
				closed = append(closed, p)
			} else {
				open = append(open, p)
			}
		}
		if len(open) > 0 {
			part := r
			part.Ports = open
			out = append(out, part)
		}
		if len(closed) > 0 {
			part := shut(r)
			part.Ports = closed
			out = append(out, part)
		}
	}
	return out
}

func shut(r intent.Route) intent.Route {
	r.Forward, r.Redirect, r.Transforms, r.Fixed = nil, nil, nil, unavailable()
	return r
}

// shutsPort tells whether a port is closed: one that shall ask for certificates, and, while some shall, one that the member does not
// name any more. What was served on that may be what they are to protect.
func (d *draft) shutsPort(p int) bool {
	return slices.Contains(d.shutPorts, p) || len(d.shutPorts) > 0 && !slices.Contains(d.numbers(), p)
}

// told are the routes, after their owner was told why some of them will be closed.
func (d *draft) told(routes []intent.Route) []intent.Route {
	for _, r := range routes {
		if why := d.asksAuth(r); why != nil {
			d.notes.add(*why)
		}
	}
	return routes
}

// asksAuth tells why a route may only be served to users who have logged in, nil where it is not so. Where it forwards to one
// Service, what that says comes first.
func (d *draft) asksAuth(r intent.Route) *model.Finding {
	read, of := d.read, ""
	if object := d.onlyService(r); object != nil {
		of = "of Service " + object.Name + ": "
		for _, p := range d.table.Check(annotations.OnService, object.Annotations) {
			if p.Severity == model.Closed {
				return d.closes(p.Reason, p.Key, of+p.Message)
			}
		}
		own := d.table.Reader(object.Annotations)
		read = own.Over(d.read)
		if !own.Has(annotations.AuthType) && !own.Has(annotations.AuthCognito) && !own.Has(annotations.AuthOIDC) {
			of = ""
		}
	}
	keys := []string{annotations.AuthCognito, annotations.AuthOIDC}
	if read.Has(annotations.AuthType) {
		keys = []string{annotations.AuthType}
	}
	for _, key := range keys {
		if read.Asks(key) {
			return d.closes(ReasonClosed, read.Field(key), of+closedMessage)
		}
	}
	return nil
}

// onlyService is the Service that a route forwards to, nil where there are several or none.
func (d *draft) onlyService(r intent.Route) *corev1.Service {
	if r.Forward == nil || len(r.Forward.Backends) != 1 || r.Forward.Backends[0].Service == nil {
		return nil
	}
	s := r.Forward.Backends[0].Service
	return d.services[types.NamespacedName{Namespace: s.Namespace, Name: s.Name}]
}

func (d *draft) closes(reason, field, message string) *model.Finding {
	return &model.Finding{Object: d.object, Severity: model.Closed, Reason: reason, Field: field, Message: message}
}
