package build

import (
	"slices"
	"strconv"
	"strings"

	"github.com/headgate/headgate/model/intent"
)

// groupsOf are the security groups that a member names. They would stand in place of the managed one, and so lift the ranges that others
// were promised: a newcomer that asks for that is refused.
func (b *builder) groupsOf(f *intent.Fragment) string {
	value := groupNames(f)
	if value == "" || b.stood(value, groupNames) {
		return value
	}
	for _, other := range b.standingBeside(f) {
		before := b.before(other)
		if len(before.Settings.SecurityGroups) == 0 && slices.ContainsFunc(before.Listeners, restricted) {
			b.wrong(settingPlace(f, "securityGroups"), "ConflictingSetting",
				"security groups of one's own would lift the source ranges of %s, which shares the load balancer; "+
					"agree with its owner, or use a group of your own", other.Member)
			return ""
		}
	}
	return value
}

func groupNames(f *intent.Fragment) string { return strings.Join(f.Settings.SecurityGroups, ",") }

func restricted(l intent.Listener) bool { return len(l.InboundCIDRs)+len(l.PrefixLists) > 0 }

// redirectUnlessItCutsOff is the port that a member redirects plain HTTP to. A newcomer is refused where a neighbour that was there serves
// HTTP and nothing on that port: all its requests would end in a 404.
func (b *builder) redirectUnlessItCutsOff(f *intent.Fragment) string {
	port := f.Settings.SSLRedirectPort
	value := strconv.Itoa(port)
	if b.stood(value, func(f *intent.Fragment) string { return strconv.Itoa(f.Settings.SSLRedirectPort) }) {
		return value
	}
	for _, other := range b.standingBeside(f) {
		before := b.before(other)
		plain := slices.ContainsFunc(before.Listeners, func(l intent.Listener) bool { return l.Protocol == protocolHTTP && l.Port != port })
		listens := slices.ContainsFunc(other.Listeners, func(l intent.Listener) bool { return l.Port == port })
		if plain && !listens {
			b.wrong(settingPlace(f, "sslRedirectPort"), "ConflictingSetting",
				"the redirect would end what %s serves by plain HTTP, for it has no listener on port %d; agree with its owner, or use a group of your own",
				other.Member, port)
			return ""
		}
	}
	return value
}

// held is what a load balancer has of a setting: what is applied, and what holds where nobody asks.
type held struct{ field, applied, unasked string }

// unlessReliedOn is the value that a member asks for. It is refused where a neighbour that was there asks for nothing, and so stands on what
// holds then, unless somebody had chosen another value before: that one's choice it is.
func (b *builder) unlessReliedOn(f *intent.Fragment, h held, value string, read func(*intent.Fragment) string) string {
	if value == "" || value == h.applied || value == h.unasked || b.stood(value, read) || b.in.Group == "" {
		return value
	}
	if slices.ContainsFunc(b.in.Before, func(o intent.Fragment) bool { return !slices.Contains([]string{"", h.unasked}, read(&o)) }) {
		return value
	}
	for _, other := range b.standingBeside(f) {
		if read(other) == "" {
			b.wrong(settingPlace(f, h.field), "ConflictingSetting",
				"%q would count for the whole load balancer, which is %q, and %s, which shares it and names none, relies on that; "+
					"have its owner write the same value, or use a group of your own", value, h.unasked, other.Member)
			return ""
		}
	}
	return value
}

// stood tells whether the value counted already: a member of now asked for it when it was last good. Where nothing is known of what was,
// everything may have stood.
func (b *builder) stood(value string, read func(*intent.Fragment) string) bool {
	return b.past == nil || slices.ContainsFunc(b.fragments, func(f *intent.Fragment) bool {
		before := b.before(f)
		return before != nil && read(before) == value
	})
}

// standingBeside are the other members that were good before.
func (b *builder) standingBeside(f *intent.Fragment) []*intent.Fragment {
	var out []*intent.Fragment
	for _, other := range b.fragments {
		if !other.Member.Same(f.Member) && b.before(other) != nil {
			out = append(out, other)
		}
	}
	return out
}
