package gateway

import (
	"fmt"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/intent"
)

// kindService is the one kind of backend.
const kindService = "Service"

// listener is a listener of a Gateway with the judgement on it.
type listener struct {
	gwv1.Listener

	// of is the object that it is written in, at index.
	of    *parent
	index int
	// lost says that a listener of another object goes before it.
	lost bool
	// unsupported, conflict and refs say why the conditions Accepted, Conflicted and ResolvedRefs are not good; empty when they are.
	unsupported problem
	conflict    problem
	refs        problem
	// doubtful says why the condition Accepted is not good of a listener for which what was good before may stay.
	doubtful problem
	// authorities are those that its clients are verified by; nil where they are not.
	authorities *intent.Authorities
	// badKinds says which kinds of routes are not served.
	badKinds problem
	// kinds that routes may have.
	kinds []gwv1.RouteGroupKind
	// secrets hold its certificates, as far as they may be read; forbidden are the findings on those that may not.
	secrets   []intent.Secret
	forbidden []model.Finding
}

// problem is the reason and message of a condition; the zero value is none.
type problem struct{ reason, message string }

func (p problem) any() bool { return p.reason != "" }

// usable tells whether routes on the listener get traffic.
func (l *listener) usable() bool { return !l.unsupported.any() && !l.conflict.any() }

// valid tells whether it is all right with what is written now.
func (l *listener) valid() bool { return l.usable() && !l.doubtful.any() }

func (l *listener) hostname() string {
	if l.Hostname == nil {
		return ""
	}
	return strings.ToLower(string(*l.Hostname))
}

func (l *listener) field() string { return fmt.Sprintf("spec.listeners[%d]", l.index) }

// judge looks at every listener of a Gateway and its ListenerSets. Of those of one object that conflict none is served (Gateway API,
// GatewaySpec.listeners); what was served before it in order of precedence is not touched by a ListenerSet.
func judge(s *Snapshot, parents []*parent) []*listener {
	var out []*listener
	for _, p := range parents {
		own := s.listenersOf(p)
		for _, l := range own {
			l.judgeProtocol()
			l.judgeKinds()
			l.judgeCertificates(s)
			l.judgeClients(s)
			l.judgeConflicts(out)
		}
		for _, l := range own {
			l.judgeConflicts(own)
		}
		out = append(out, own...)
	}
	return out
}

// listenersOf are the listeners of the Gateway or of a ListenerSet that it takes.
func (s *Snapshot) listenersOf(p *parent) []*listener {
	var out []*listener
	if p.ref.Kind == kindGateway {
		for i, l := range s.Gateway.Spec.Listeners {
			out = append(out, &listener{Listener: l, of: p, index: i})
		}
		return out
	}
	i := slices.IndexFunc(s.Sets, func(set gwv1.ListenerSet) bool { return p.ref.Same(setRef(&set)) })
	if i < 0 || p.refused.any() {
		return nil
	}
	for j, l := range s.Sets[i].Spec.Listeners {
		out = append(out, &listener{Listener: gwv1.Listener(l), of: p, index: j})
	}
	return out
}

func (l *listener) judgeProtocol() {
	switch {
	case l.Protocol != gwv1.HTTPProtocolType && l.Protocol != gwv1.HTTPSProtocolType:
		l.unsupported = problem{string(gwv1.ListenerReasonUnsupportedProtocol), fmt.Sprintf(
			"%s.protocol is %s: an application load balancer serves HTTP and HTTPS", l.field(), l.Protocol)}
	case l.Protocol == gwv1.HTTPSProtocolType && l.TLS != nil && l.TLS.Mode != nil && *l.TLS.Mode != gwv1.TLSModeTerminate:
		l.unsupported = problem{string(gwv1.ListenerReasonUnsupportedValue), fmt.Sprintf(
			"%s.tls.mode is %s: an application load balancer terminates TLS; use Terminate", l.field(), *l.TLS.Mode)}
	}
}

// served are the kinds of routes that a listener can have. AWS forwards calls of gRPC from HTTPS listeners only (ALB guide, "Protocol
// version").
func (l *listener) served() []gwv1.RouteGroupKind {
	group := gwv1.Group(gwv1.GroupName)
	of := func(kind gwv1.Kind) gwv1.RouteGroupKind { return gwv1.RouteGroupKind{Group: &group, Kind: kind} }
	switch {
	case l.unsupported.reason == string(gwv1.ListenerReasonUnsupportedProtocol):
		return []gwv1.RouteGroupKind{}
	case l.Protocol == gwv1.HTTPSProtocolType:
		return []gwv1.RouteGroupKind{of(kindHTTPRoute), of(kindGRPCRoute)}
	}
	return []gwv1.RouteGroupKind{of(kindHTTPRoute)}
}

// judgeKinds keeps the route kinds that are served here.
func (l *listener) judgeKinds() {
	served := l.served()
	l.kinds = served
	if l.AllowedRoutes == nil || len(l.AllowedRoutes.Kinds) == 0 {
		return
	}
	l.kinds = []gwv1.RouteGroupKind{}
	for _, k := range l.AllowedRoutes.Kinds {
		i := slices.IndexFunc(served, func(o gwv1.RouteGroupKind) bool { return o.Kind == k.Kind && (k.Group == nil || *k.Group == *o.Group) })
		switch {
		case i < 0:
			l.badKinds = problem{string(gwv1.ListenerReasonInvalidRouteKinds), l.unservedKind(k, served)}
			l.refs = l.badKinds
		case !l.allowsKind(string(k.Kind)):
			l.kinds = append(l.kinds, served[i])
		}
	}
}

func (l *listener) unservedKind(k gwv1.RouteGroupKind, served []gwv1.RouteGroupKind) string {
	var names []string
	for _, s := range served {
		names = append(names, string(s.Kind))
	}
	out := fmt.Sprintf("%s.allowedRoutes.kinds names %s: served are %s", l.field(), k.Kind, strings.Join(names, " and "))
	switch {
	case len(served) == 0:
		return fmt.Sprintf("%s.allowedRoutes.kinds names %s: none is served by the protocol %s", l.field(), k.Kind, l.Protocol)
	case k.Kind == kindGRPCRoute:
		return out + "; an application load balancer takes gRPC by HTTPS only: use a listener of the protocol HTTPS"
	}
	return out
}

// judgeConflicts settles a listener against others, of its own object or of those that go before. What lost already takes nothing away. One
// that is not served in any case conflicts with those that go before only, by its protocol.
func (l *listener) judgeConflicts(all []*listener) {
	for _, o := range all {
		if o == l || o.Port != l.Port || o.unsupported.any() || l.lost || o.lost || o.of != l.of && o.conflict.any() {
			continue
		}
		if l.unsupported.any() && (o.of == l.of || o.Protocol == l.Protocol) {
			continue
		}
		who, outcome := "listener "+string(o.Name), "so neither is served"
		if o.of != l.of {
			who, outcome = "another listener of the Gateway", "which goes before this one"
		}
		switch {
		case o.Protocol != l.Protocol:
			l.lost = o.of != l.of
			l.conflict = problem{string(gwv1.ListenerReasonProtocolConflict), fmt.Sprintf(
				"port %d is %s here and %s for %s, %s: use one protocol for a port", l.Port, l.Protocol, o.Protocol, who, outcome)}
			return
		case o.hostname() == l.hostname():
			l.lost = o.of != l.of
			l.conflict = problem{string(gwv1.ListenerReasonHostnameConflict), fmt.Sprintf(
				"%s has port %d and host name %q too, %s: choose another for one of the two", who, l.Port, l.hostname(), outcome)}
		}
	}
}

// overlaps is the name of a listener whose host names a browser may ask for over the same TLS connection; empty without one.
func (l *listener) overlaps(all []*listener) string {
	for _, o := range all {
		if o == l || o.Port != l.Port || l.Protocol != gwv1.HTTPSProtocolType || !l.usable() || !o.usable() {
			continue
		}
		if l.hostname() == "" || o.hostname() == "" || covers(l.hostname(), o.hostname()) || covers(o.hostname(), l.hostname()) {
			if o.of != l.of {
				return "of another object"
			}
			return string(o.Name)
		}
	}
	return ""
}

// exact tells whether a listener is for one host name.
func (l *listener) exact() bool { return l.hostname() != "" && !strings.HasPrefix(l.hostname(), "*") }

// allowsNamespace tells whether routes of a namespace may attach (Gateway API, AllowedRoutes.namespaces).
func (l *listener) allowsNamespace(s *Snapshot, namespace string) bool {
	from := gwv1.NamespacesFromSame
	var selector *metav1.LabelSelector
	if l.AllowedRoutes != nil && l.AllowedRoutes.Namespaces != nil {
		if f := l.AllowedRoutes.Namespaces.From; f != nil {
			from = *f
		}
		selector = l.AllowedRoutes.Namespaces.Selector
	}
	return s.selects(from, selector, [2]string{l.of.ref.Namespace, namespace})
}

func (l *listener) allowsKind(kind string) bool {
	return slices.ContainsFunc(l.kinds, func(k gwv1.RouteGroupKind) bool { return string(k.Kind) == kind })
}

// named tells whether a parentRef's section name and port are the listener's.
func (l *listener) named(p gwv1.ParentReference) bool {
	return (p.SectionName == nil || *p.SectionName == l.Name) && (p.Port == nil || *p.Port == l.Port)
}

// intersect gives the host names for which a route is served on a listener, and whether there are any. No host names means any.
func intersect(listener string, route []gwv1.Hostname) ([]string, bool) {
	if len(route) == 0 {
		if listener == "" {
			return nil, true
		}
		return []string{listener}, true
	}
	var out []string
	for _, h := range route {
		host := strings.ToLower(string(h))
		switch {
		case listener == "", host == listener, covers(listener, host):
			out = append(out, host)
		case covers(host, listener):
			out = append(out, listener)
		}
	}
	slices.Sort(out)
	out = slices.Compact(out)
	return out, len(out) > 0
}

// covers tells whether wildcard "*.example.com" matches host: one or more labels before the suffix.
func covers(wildcard, host string) bool {
	suffix, ok := strings.CutPrefix(wildcard, "*")
	return ok && strings.HasSuffix(host, suffix) && len(host) > len(suffix)
}
