package build

import (
	"maps"
	"slices"
	"strconv"

	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/intent"
)

// Protocols of an application load balancer's listeners.
const (
	protocolHTTP  = "HTTP"
	protocolHTTPS = "HTTPS"
)

// usage counts what AWS limits for one load balancer.
type usage struct {
	extraCertificates int
	groups            map[string]bool
}

// answers settles what each port does with a request that no rule matches.
func (b *builder) answers(p ports, s settings) {
	for _, n := range slices.Sorted(maps.Keys(p.by)) {
		one := p.by[n]
		if one.redirects {
			one.answer = []model.Action{redirectTo(s.redirect.Settings.SSLRedirectPort)}
			continue
		}
		b.defaultAnswer(one)
		if one.answer == nil {
			one.answer = []model.Action{fixed(404)}
		}
	}
}

// defaultAnswer is the default backend of the member that had it before, else of the first in precedence. One that cannot be made is
// passed over.
func (b *builder) defaultAnswer(one *port) {
	var standing, others []wish
	for _, w := range one.wishes {
		if w.listener.Default == nil {
			continue
		}
		if slices.ContainsFunc(w.before, func(l *intent.Listener) bool {
			return l.Default != nil && !l.Default.Left && l.Protocol == one.protocol
		}) {
			standing = append(standing, w)
		} else {
			others = append(others, w)
		}
	}
	for i, w := range append(slices.Clone(standing), others...) {
		at := routePlace(w.fragment, w.listener.Default)
		if one.answer != nil {
			if one.answeredBy != w.listener.Default {
				b.wrong(at, "DefaultBackendConflict",
					"port %d has the default backend of another member already; only one member of a load balancer can have one a port", one.number)
			}
			continue
		}
		actions, ok := b.actions(w.fragment, w.listener.Default, one)
		if ok && b.reserve(groupNamesOf(actions), at, i < len(standing)) {
			one.answer, one.answeredBy = actions, w.listener.Default
		} else if ok {
			b.left.routes[w.listener.Default] = true
		}
	}
}

func redirectTo(port int) model.Action {
	return model.Action{Type: model.ActionRedirect, Redirect: &model.Redirect{
		Protocol: protocolHTTPS, Host: keepHost, Port: strconv.Itoa(port), Path: keepPath, Query: keepQuery, StatusCode: "HTTP_301",
	}}
}

// listeners are the listeners of the stack.
func (b *builder) listeners(p ports) []model.Listener {
	var out []model.Listener
	for _, n := range slices.Sorted(maps.Keys(p.by)) {
		one := p.by[n]
		l := model.Listener{
			Port: n, Protocol: one.protocol, Certificates: one.certs, DefaultActions: one.answer, Rules: one.rules(),
			Tags: b.tags(strconv.Itoa(n), b.mergeTags(one.members)),
		}
		if len(one.attributes) > 0 {
			l.Attributes = one.attributes
		}
		if one.protocol == protocolHTTPS {
			l.SSLPolicy = or(one.policy, b.in.Defaults.SSLPolicy)
			l.MutualAuth, l.KeepMutualAuth = one.mutual, one.mutual == nil && one.wantsClients()
		}
		out = append(out, l)
	}
	return out
}
