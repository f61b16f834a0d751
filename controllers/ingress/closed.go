package ingress

import (
	"cmp"
	"slices"

	"github.com/headgate/headgate/controllers/annotations"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/intent"
)

// findClosed finds what restricts access and is not served: for the whole member, or some of its ports.
func (d *draft) findClosed() {
	d.findSwitchedOff()
	d.findClosedPorts()
	d.findUnreadable()
	d.findIdleAddresses()
}

// findClosedPorts closes everything while it cannot be read on which ports clients shall show certificates.
func (d *draft) findClosedPorts() {
	if !d.read.Has(annotations.MutualAuthentication) {
		return
	}
	_, ok := annotations.Decode[annotations.MutualAuthList](d.read, annotations.MutualAuthentication)
	d.blind = !ok
	d.checkMutual()
	problem := "says which clients are let in and cannot be read"
	if ok {
		problem = "says which clients are let in on a port that is not there"
	}
	if d.blind {
		d.note(model.Closed, ReasonClosed, d.read.Field(annotations.MutualAuthentication),
			problem+": rules on ports whose clients did not show certificates before answer 503 until it is mended")
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
	out := slices.Clone(routes)
	for i, r := range out {
		if d.shut || d.blind || d.demandOf(r).closed {
			out[i] = shut(r)
		}
	}
	return out
}

func shut(r intent.Route) intent.Route {
	r.Kept = cmp.Or(r.Forward, r.Kept)
	r.Forward, r.Redirect, r.Transforms, r.Auth, r.AuthField, r.Fixed = nil, nil, nil, nil, "", unavailable()
	return r
}
