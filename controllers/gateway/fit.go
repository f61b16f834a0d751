package gateway

import (
	"net/http"
	"slices"

	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/intent"
)

// Each parentRef of a route is judged by itself. What AWS cannot do on listeners of one protocol keeps the whole route off these, and is told
// in the status of the parents that lead there; where it keeps the route off all of its listeners, the route is wrong.

// unfit notes that listeners of a protocol cannot serve the route. The status has room for the first reason.
func (j *judged) unfit(protocol gwv1.ProtocolType, field, why string) {
	if _, known := j.unfits[protocol]; known {
		return
	}
	if j.unfits == nil {
		j.unfits = map[gwv1.ProtocolType]model.Finding{}
	}
	j.unfits[protocol] = model.Finding{
		Object: j.fragment.Member, Severity: model.Answered, Reason: string(gwv1.RouteReasonUnsupportedValue), Field: field, Message: why,
	}
}

// fits tells whether a listener can serve the route.
func (j *judged) fits(p place) bool {
	_, bad := j.unfits[p.listener.Protocol]
	return !bad
}

// fit takes the route off the listeners that cannot serve it.
func (j *judged) fit() {
	misfits := func(p place) bool { return !j.fits(p) }
	switch {
	case !slices.ContainsFunc(j.places, misfits):
		return
	case !slices.ContainsFunc(j.places, j.fits):
		for _, protocol := range []gwv1.ProtocolType{gwv1.HTTPProtocolType, gwv1.HTTPSProtocolType} {
			if f, bad := j.unfits[protocol]; bad && j.leadsTo(protocol) {
				j.refuse(f.Field, "%s", f.Message)
			}
		}
		return
	}
	var ports []int
	for _, p := range j.places {
		if misfits(p) {
			ports = append(ports, int(p.listener.Port))
		}
	}
	j.places = slices.DeleteFunc(j.places, misfits)
	j.fragment.Routes, j.openRoutes = j.without(j.fragment.Routes, ports), j.without(j.openRoutes, ports)
	for i := range j.attachments {
		j.detach(&j.attachments[i])
	}
}

func (j *judged) leadsTo(protocol gwv1.ProtocolType) bool {
	return slices.ContainsFunc(j.places, func(p place) bool { return p.listener.Protocol == protocol })
}

// without leaves out what is on ports of listeners that cannot serve the route. What restricts access there closes: nobody else's rule may
// take its requests.
func (j *judged) without(routes []intent.Route, ports []int) []intent.Route {
	var out []intent.Route
	for _, r := range routes {
		if overlap(r.Ports, ports) {
			shut := slices.ContainsFunc(j.shutRoutes, func(s intent.Route) bool { return s.Field == r.Field })
			if r.Auth == nil && !shut {
				continue
			}
			r = answering(r, http.StatusServiceUnavailable)
		}
		out = append(out, r)
	}
	return out
}

// detach takes listeners that cannot serve the route from a parentRef: one that leads to no other does not accept it.
func (j *judged) detach(a *attachment) {
	var found []model.Finding
	a.places = slices.DeleteFunc(slices.Clone(a.places), func(p place) bool {
		f, bad := j.unfits[p.listener.Protocol]
		if bad && !slices.Contains(found, f) {
			found = append(found, f)
		}
		return bad
	})
	switch {
	case len(found) == 0:
	case len(a.places) == 0:
		a.refused = problem{found[0].Reason, found[0].Text()}
	default:
		for _, f := range found {
			f.Message += "; the whole route is served on the other listeners of the parentRef only"
			a.partly = append(a.partly, f.Text())
			j.findings = append(j.findings, f)
		}
	}
}
