package build

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/intent"
)

// Redirects that lead to where they come from. AWS looks at what a redirect says, not at what its rule's transforms leave of the path (guide
// of the incumbent for Gateways, "ReplacePrefixMatch").

// loops are the redirects of a route that would lead to themselves, by port, and whether some of it does not.
type loops struct {
	at    place
	ports map[int]bool
	some  bool
}

// withoutLoops are the rules of a candidate but for those that would redirect to themselves for ever, which are noted. It looks at rules that
// are remembered, too.
func (b *builder) withoutLoops(c *candidate, rules []portRule) []portRule {
	if c.route == nil || c.route.Redirect == nil {
		return rules
	}
	return slices.DeleteFunc(slices.Clone(rules), func(r portRule) bool { return b.looping(c, r.port, r.rule) })
}

// looping tells whether a rule of a route would redirect to itself, and notes it.
func (b *builder) looping(c *candidate, on *port, r model.Rule) bool {
	one := b.loops[c.route]
	if one == nil {
		one = &loops{at: c.place(), ports: map[int]bool{}}
		b.loops[c.route] = one
	}
	loop := redirectsToItself(on, r)
	if loop {
		one.ports[on.number] = true
	}
	one.some = one.some || !loop
	return loop
}

// tellLoops tells the owners of routes which of them lead to themselves. Those of Ingresses are left out in silence, as the incumbent does:
// with them the common action ssl-redirect would answer for ever.
func (b *builder) tellLoops() {
	if b.in.Order != intent.BySpecificity {
		return
	}
	for _, one := range b.loops {
		reason := model.ReasonLoop
		if one.some {
			reason = model.ReasonPartly
		}
		for n := range one.ports {
			b.findings[model.Finding{
				Object: one.at.object, Severity: model.Answered, Reason: reason, Field: one.at.field, Port: n,
				Message: fmt.Sprintf("on port %d it would redirect to itself for ever, and is not served there: what it matches goes to the next "+
					"rule; change the scheme, the host name, the port or the path, or name in the parentRef the listener that it is for", n),
			}] = true
		}
	}
}

// partLoop gives a redirect that changes the path by a transform only, as AWS would see it, a path of its own. It gives a problem where that
// cannot be.
func partLoop(on *port, r *model.Rule) string {
	to := r.Actions[len(r.Actions)-1].Redirect
	i := slices.IndexFunc(r.Transforms, func(t model.Transform) bool { return t.Type == typeRewriteURL })
	if i < 0 || to == nil || to.Path != keepPath || !leadsHome(on, *r) {
		return ""
	}
	head, rest, ok := intent.PartPath(r.Transforms[i].Replace)
	if !ok {
		return "AWS takes a redirect that changes nothing but the prefix of the path for a loop, unless what replaces it begins with a segment of two " +
			"letters or more: redirect to another scheme, host or port too, or use such a segment"
	}
	r.Actions, r.Transforms = slices.Clone(r.Actions), slices.Clone(r.Transforms)
	parted := *to
	parted.Path = head + strings.TrimPrefix(keepPath, "/")
	r.Actions[len(r.Actions)-1].Redirect, r.Transforms[i].Replace = &parted, rest
	return ""
}

// redirectsToItself tells whether a rule redirects what it matches to what it matches.
func redirectsToItself(one *port, r model.Rule) bool {
	to := r.Actions[len(r.Actions)-1].Redirect
	return to != nil && to.Query == keepQuery && leadsHome(one, r) && (to.Path == keepPath || onlyValue(r, model.FieldPath, to.Path)) &&
		!slices.ContainsFunc(r.Transforms, func(t model.Transform) bool { return t.Type == typeRewriteURL })
}

// leadsHome tells whether a redirect keeps scheme, host and port.
func leadsHome(one *port, r model.Rule) bool {
	to := r.Actions[len(r.Actions)-1].Redirect
	return (to.Protocol == keepProtocol || to.Protocol == one.protocol) && (to.Port == keepPort || to.Port == strconv.Itoa(one.number)) &&
		(to.Host == keepHost || onlyValue(r, model.FieldHost, to.Host))
}
