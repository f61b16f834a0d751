package gateway

import (
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
	case f.Member.Same(gatewayRef(v.snapshot.Gateway)):
		return v.admit(f)
	case f.Member.Kind != kindHTTPRoute:
		return f
	}
	out := f
	out.Routes, out.Listeners = nil, nil
	if j := v.routeOf(f.Member); j != nil {
		f.Routes = j.shut(f.Routes)
	}
	for _, l := range v.listeners {
		if !v.translator.serves(l) || !l.allowsKind() || !l.allowsNamespace(v.snapshot, f.Member.Namespace) {
			continue
		}
		port := int(l.Port)
		for _, r := range f.Routes {
			if !slices.Contains(r.Ports, port) {
				continue
			}
			if hosts, ok := intersect(l.hostname(), hostnames(r.Match.Hosts)); ok {
				r.Ports, r.Match.Hosts = []int{port}, hosts
				out.Routes = append(out.Routes, v.translator.permitted(f.Member, l, r))
			}
		}
		for _, have := range f.Listeners {
			if have.Port != port || slices.ContainsFunc(out.Listeners, func(o intent.Listener) bool { return o.Port == port }) {
				continue
			}
			out.Listeners = append(out.Listeners, v.protected(have, l))
		}
	}
	return out
}

// admit gives the Gateway's own fragment, which needs leave for the Secrets of others only, the ranges and security groups that the
// configuration names now.
func (v *Verdict) admit(f intent.Fragment) intent.Fragment {
	f.Listeners = v.snapshot.stillPermitted(f.Member, f.Listeners)
	if v.snapshot.ParameterProblem != "" {
		return f
	}
	now, out := v.translator.config, f
	settings := now.settings()
	out.Settings.SecurityGroups, out.Settings.ManageBackendRules = settings.SecurityGroups, settings.ManageBackendRules
	out.Settings.Fields = map[string]string{}
	maps.Copy(out.Settings.Fields, f.Settings.Fields)
	for _, name := range []string{"securityGroups", "manageBackendRules"} {
		delete(out.Settings.Fields, name)
		if at := settings.Fields[name]; at != "" {
			out.Settings.Fields[name] = at
		}
	}
	wall(&out.Settings, settings)
	out.Listeners = slices.Clone(f.Listeners)
	for i := range out.Listeners {
		out.Listeners[i].InboundCIDRs, out.Listeners[i].PrefixLists = now.spec.SourceRanges, now.spec.SecurityGroupPrefixes
	}
	return out
}

// protected is a port that was good once with what the configuration says of who may connect. While it is not known what that says, what
// it said stays.
func (v *Verdict) protected(have intent.Listener, l *listener) intent.Listener {
	if v.snapshot.ParameterProblem != "" {
		return have
	}
	out := v.translator.port(l)
	out.Certificates, out.DiscoverHosts, out.Field = have.Certificates, have.DiscoverHosts, have.Field
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
		return answering(r, http.StatusInternalServerError)
	}
	r.Forward = &forward
	return r
}
