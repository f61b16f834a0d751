package gateway

import (
	"cmp"
	"maps"
	"net/http"
	"slices"

	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/intent"
)

// permit leaves in a fragment that was good once what the Gateway and the namespaces of its backends still allow: listeners as they
// are now, allowedRoutes, ReferenceGrants, and what the configuration says of who may connect.
func (v *Verdict) permit(f intent.Fragment) intent.Fragment {
	switch {
	case v.translator == nil:
		return f
	case f.Member.Kind == kindListenerSet, f.Member.Same(gatewayRef(v.snapshot.Gateway)):
		return v.admit(f)
	case !isRoute(f.Member.Kind):
		return f
	}
	out := f
	out.Routes, out.Listeners = nil, nil
	j := v.routeOf(f.Member)
	if j != nil {
		f.Routes = j.reguard(j.shut(f.Routes))
	}
	for _, l := range v.listeners {
		if !v.translator.open(l, j, f.Member) {
			continue
		}
		port := int(l.Port)
		for _, r := range f.Routes {
			if slices.Contains(r.Ports, port) {
				out.Routes = append(out.Routes, v.translator.permittedOn(l, f.Member, r)...)
			}
		}
		for _, have := range f.Listeners {
			if have.Port != port || slices.ContainsFunc(out.Listeners, func(o intent.Listener) bool { return o.Port == port }) {
				continue
			}
			out.Listeners = append(out.Listeners, v.certifying(have))
		}
	}
	return out
}

// permittedOn is a route of a member as it may be served on a listener.
func (t *translator) permittedOn(l *listener, member model.ObjectRef, good intent.Route) []intent.Route {
	var out []intent.Route
	for _, p := range isolated(l.placesFor(hostnames(good.Match.Hosts)), t.listeners) {
		r := good
		r.Ports, r.Match.Hosts, r.Match.Calls = []int{int(l.Port)}, p.hosts, isCall(r) && t.mixed(int(l.Port), p.hosts)
		r.Match.Narrowed = cmp.Or(r.Match.Narrowed, p.narrowed)
		out = append(out, t.permitted(member, l, r))
	}
	return out
}

// open tells whether a route may still be served on a listener: its parentRefs of now lead there, and the listener allows it.
func (t *translator) open(l *listener, j *judged, member model.ObjectRef) bool {
	if !t.serves(l) || !l.allowsKind(member.Kind) || !l.allowsNamespace(t.snapshot, member.Namespace) {
		return false
	}
	return j == nil || slices.ContainsFunc(j.route.Spec.ParentRefs, func(p gwv1.ParentReference) bool {
		return l.of.refersTo(p, member.Namespace) && l.named(p)
	})
}

// admit gives the fragment of the Gateway itself or of a ListenerSet, which needs leave for the Secrets of others only, the ranges and
// security groups that the configuration names now, and the Gateway's the bounds between the listeners of now. A port that others have for
// another protocol by now is theirs.
func (v *Verdict) admit(f intent.Fragment) intent.Fragment {
	f.Listeners = v.snapshot.stillPermitted(f.Member, f.Listeners)
	if f.Member.Kind != kindListenerSet {
		f.Routes = v.bounds()
	} else {
		f.Listeners = slices.DeleteFunc(f.Listeners, func(have intent.Listener) bool {
			return slices.ContainsFunc(v.listeners, func(l *listener) bool {
				return v.translator.serves(l) && !l.of.ref.Same(f.Member) && int(l.Port) == have.Port && string(l.Protocol) != have.Protocol
			})
		})
	}
	if v.snapshot.ParameterProblem != "" {
		return f
	}
	now, out := v.translator.config, f
	if f.Member.Kind == kindGateway {
		out.Settings = guarded(f.Settings, now.settings())
	}
	out.Listeners = append(slices.Clone(f.Listeners), v.translator.lent(f)...)
	for i := range f.Listeners {
		out.Listeners[i].InboundCIDRs, out.Listeners[i].PrefixLists = now.spec.SourceRanges, now.spec.SecurityGroupPrefixes
		if m := v.translator.mutualOf(f.Listeners[i]); m != nil {
			out.Listeners[i].MutualAuth = m.Over(v.snapshot.lasting(f.Listeners[i].MutualAuth))
		}
	}
	// Of a listener that is not there any more nothing is verified by what nobody lets it refer to.
	out.Listeners = slices.DeleteFunc(out.Listeners, func(l intent.Listener) bool {
		return l.MutualAuth != nil && !l.MutualAuth.Held && v.snapshot.lasting(l.MutualAuth) == nil
	})
	return out
}

// guarded are settings that were good once with what is said now of who may connect.
func guarded(good, now intent.Settings) intent.Settings {
	out := good
	out.SecurityGroups, out.ManageBackendRules = now.SecurityGroups, now.ManageBackendRules
	out.Fields = map[string]string{}
	maps.Copy(out.Fields, good.Fields)
	for _, name := range []string{"securityGroups", "manageBackendRules"} {
		delete(out.Fields, name)
		if at := now.Fields[name]; at != "" {
			out.Fields[name] = at
		}
	}
	wall(&out, now)
	return out
}

// certifying is a port of a route that was good once as the certificates alone that the route has for it: what else is said of a port is said
// by the Gateway. Fragments of earlier versions say that too; it stays while it is not known what counts now.
func (v *Verdict) certifying(have intent.Listener) intent.Listener {
	if v.snapshot.ParameterProblem != "" {
		return have
	}
	return intent.Listener{
		Port: have.Port, Protocol: have.Protocol, Only: intent.PartCertificates, Certificates: have.Certificates,
		DiscoverHosts: have.DiscoverHosts, Field: have.Field,
	}
}

// lent are the ports of a Gateway or ListenerSet that have the certificates of routes only, where what was good of it has none: ports of now
// that earlier versions had routes ask for.
func (t *translator) lent(good intent.Fragment) []intent.Listener {
	var out []intent.Listener
	for _, l := range t.listeners {
		if !l.of.ref.Same(good.Member) || !t.serves(l) || slices.ContainsFunc(good.Listeners, func(o intent.Listener) bool { return o.Port == int(l.Port) }) {
			continue
		}
		one := t.port(l)
		if t.certify(l, &one); one.Only == intent.PartPort {
			out = append(out, one)
		}
	}
	return out
}

func hostnames(hosts []string) []gwv1.Hostname {
	out := make([]gwv1.Hostname, 0, len(hosts))
	for _, h := range hosts {
		out = append(out, gwv1.Hostname(h))
	}
	return out
}

// permitted is a route of a member with the answers that it may still give on a listener.
func (t *translator) permitted(member model.ObjectRef, l *listener, r intent.Route) intent.Route {
	switch {
	case t.closes(l):
		return answering(r, http.StatusServiceUnavailable)
	case r.Forward == nil:
		return r
	}
	forward := *r.Forward
	forward.Backends = slices.DeleteFunc(slices.Clone(forward.Backends), func(b intent.Backend) bool {
		s := b.Service
		return s != nil && !t.snapshot.permits(member, target{kindService, s.Namespace, s.Name})
	})
	if weights(forward.Backends) < weights(r.Forward.Backends) || weights(forward.Backends) == 0 {
		return answering(r, failure(member.Kind))
	}
	r.Forward = &forward
	return r
}
