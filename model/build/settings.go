package build

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/intent"
)

// Schemes and address types of load balancers (ELBv2 API).
const (
	schemeInternal  = "internal"
	schemePublic    = "internet-facing"
	typeIPv4        = "ipv4"
	typeDualstack   = "dualstack"
	typeWithoutIPv4 = "dualstack-without-public-ipv4"
)

// settings are the settings of the whole load balancer, merged over its members.
type settings struct {
	name, scheme, ipAddressType string
	attributes, tags            map[string]string
	// subnets, groups and redirect are the fragments whose choice counts; nil where nobody chose.
	subnets, subnetTags, groups, redirect *intent.Fragment
	// manageBackend asks for rules on pods' groups where the load balancer's groups are the user's.
	manageBackend bool
}

func (b *builder) settings() settings {
	existing := model.Existing{}
	if b.facts.Existing != nil {
		existing = *b.facts.Existing
	}
	s := settings{
		scheme: b.choice("scheme", existing.Scheme, b.schemeOf),
		name:   b.choice("name", existing.Name, b.nameOf),
	}
	if s.scheme == "" {
		s.scheme = b.unasked(existing.Scheme, b.defaultScheme())
	}
	s.ipAddressType = b.choice("ipAddressType", existing.IPAddressType, func(f *intent.Fragment) string { return b.addressTypeOf(f, s.scheme) })
	if s.ipAddressType == "" {
		s.ipAddressType = b.unasked(existing.IPAddressType, typeIPv4)
	}
	s.subnets = b.exclusive("subnets", subnetKey(existing.Subnets), func(f *intent.Fragment) string { return b.subnetsOf(f) })
	s.subnetTags = b.exclusive("subnetTags", "", func(f *intent.Fragment) string { return selectorKey(f.Settings.SubnetTags) })
	s.groups = b.exclusive("securityGroups", "", func(f *intent.Fragment) string { return strings.Join(f.Settings.SecurityGroups, ",") })
	s.manageBackend = b.choice("manageBackendRules", "", b.manageOf) == "true"
	s.redirect = b.exclusive("sslRedirectPort", "", b.redirectOf)
	s.attributes = b.mergeKeys(b.fragments, "attributes",
		func(f *intent.Fragment) (map[string]string, map[string]string) {
			return f.Settings.Attributes, f.Settings.EnforcedAttributes
		})
	s.tags = b.mergeTags(b.fragments)
	return s
}

// unasked is the value of a setting that nobody asks for: the default, unless a member is wrong and has no good state. What it asked for
// is not known then, and a load balancer is not replaced for want of knowledge.
func (b *builder) unasked(existing, otherwise string) string {
	unknown := slices.ContainsFunc(b.fragments, func(f *intent.Fragment) bool { return f.Yield || len(f.Held) > 0 })
	if unknown && existing != "" {
		return existing
	}
	return otherwise
}

func (b *builder) defaultScheme() string {
	if b.in.Defaults.Scheme == schemePublic {
		return schemePublic
	}
	return schemeInternal
}

// choice is the value of a setting of which there is one a load balancer; empty where nobody asks for it.
func (b *builder) choice(field, applied string, read func(*intent.Fragment) string) string {
	if f := b.exclusive(field, applied, read); f != nil {
		return read(f)
	}
	return ""
}

// exclusive finds the member whose value of a setting counts: the applied value wins while some member asks for it, else the
// first in precedence. Every other value is its owner's mistake. The reader gives "" for a member that does not ask.
func (b *builder) exclusive(field, applied string, read func(*intent.Fragment) string) *intent.Fragment {
	var winner *intent.Fragment
	won := ""
	asked := make([]string, len(b.fragments))
	for i, f := range b.fragments {
		asked[i] = read(f)
		if asked[i] != "" && (winner == nil || asked[i] == applied && won != applied) {
			winner, won = f, asked[i]
		}
	}
	for i, f := range b.fragments {
		if asked[i] != "" && asked[i] != won {
			b.wrong(settingPlace(f, field), "ConflictingSetting",
				"%q conflicts with %q, which %s asks for and which counts for the whole load balancer; use the same value or a group of your own",
				asked[i], won, winner.Member)
		}
	}
	return winner
}

// settingPlace is where a member wrote a setting.
func settingPlace(f *intent.Fragment, field string) place {
	if at := f.Settings.Fields[field]; at != "" {
		return place{f.Member, at}
	}
	return place{f.Member, field}
}

func (b *builder) schemeOf(f *intent.Fragment) string {
	return b.oneOf(f, "scheme", f.Settings.Scheme, schemeInternal, schemePublic)
}

func (b *builder) addressTypeOf(f *intent.Fragment, scheme string) string {
	v := b.oneOf(f, "ipAddressType", f.Settings.IPAddressType, typeIPv4, typeDualstack, typeWithoutIPv4)
	if v == typeWithoutIPv4 && scheme != schemePublic {
		b.wrong(settingPlace(f, "ipAddressType"), "InvalidValue", "%s needs the scheme %s, and the load balancer is %s", v, schemePublic, scheme)
		return ""
	}
	return v
}

func (b *builder) manageOf(f *intent.Fragment) string {
	return b.oneOf(f, "manageBackendRules", f.Settings.ManageBackendRules, "true", "false")
}

func (b *builder) oneOf(f *intent.Fragment, field, value string, allowed ...string) string {
	if value == "" || slices.Contains(allowed, value) {
		return value
	}
	b.wrong(settingPlace(f, field), "InvalidValue", "%q is none of %s", value, strings.Join(allowed, ", "))
	return ""
}

func (b *builder) nameOf(f *intent.Fragment) string {
	name := f.Settings.Name
	if problem := nameProblem(name); problem != "" {
		b.wrong(settingPlace(f, "name"), "InvalidValue", "the load balancer name %q %s", name, problem)
		return ""
	}
	return name
}

func (b *builder) redirectOf(f *intent.Fragment) string {
	port := f.Settings.SSLRedirectPort
	if port == 0 {
		return ""
	}
	for _, other := range b.fragments {
		for _, l := range other.Listeners {
			if l.Port == port && l.Protocol == protocolHTTPS {
				return strconv.Itoa(port)
			}
		}
	}
	b.wrong(settingPlace(f, "sslRedirectPort"), "InvalidValue", "no member of the load balancer has an HTTPS listener on port %d to redirect to", port)
	return ""
}

// mergeKeys adds up maps, key by key: what a class enforces first, then by precedence. A different value for a key that is taken is
// its owner's mistake, except against a class, which overrides by design.
func (b *builder) mergeKeys(
	fragments []*intent.Fragment, field string, read func(*intent.Fragment) (own, enforced map[string]string),
) map[string]string {
	out, owner, fixed := map[string]string{}, map[string]model.ObjectRef{}, map[string]bool{}
	merge := func(f *intent.Fragment, add map[string]string, enforce bool) {
		for _, k := range slices.Sorted(maps.Keys(add)) {
			old, taken := out[k]
			switch {
			case !taken:
				out[k], owner[k], fixed[k] = add[k], f.Member, enforce
			case old != add[k] && (enforce || !fixed[k]):
				b.wrong(settingPlace(f, field), "ConflictingSetting",
					"%s=%s conflicts with %s=%s, which %s asks for and which counts for the whole load balancer", k, add[k], k, old, owner[k])
			case old != add[k]:
				b.report(settingPlace(f, field), model.Warning, "OverriddenByClass", k+"="+add[k]+" gives way to "+k+"="+old+", which the class sets")
			}
		}
	}
	for _, f := range fragments {
		_, enforced := read(f)
		merge(f, enforced, true)
	}
	for _, f := range fragments {
		own, _ := read(f)
		merge(f, own, false)
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

func (b *builder) mergeTags(fragments []*intent.Fragment) map[string]string {
	return b.mergeKeys(fragments, "tags", func(f *intent.Fragment) (map[string]string, map[string]string) {
		at := settingPlace(f, "tags")
		return b.usableTags(f.Settings.Tags, at), b.usableTags(f.Settings.EnforcedTags, at)
	})
}

// Limits of tags (ELBv2 API, Tag): 50 a resource, of which three are those of ownership.
const (
	maxTagKey   = 128
	maxTagValue = 256
	maxTags     = 47
)

// usableTags leaves out the tags that a user may not set.
func (b *builder) usableTags(tags map[string]string, at place) map[string]string {
	out := map[string]string{}
	for _, k := range slices.Sorted(maps.Keys(tags)) {
		problem := b.tagProblem(k, tags[k])
		if problem == "" && len(out) == maxTags {
			problem = "is beyond the " + strconv.Itoa(maxTags) + " tags that AWS leaves for users"
		}
		if problem != "" {
			b.wrong(at, "InvalidTag", "the tag %q %s", k, problem)
			continue
		}
		out[k] = tags[k]
	}
	return out
}

func (b *builder) tagProblem(key, value string) string {
	owner := b.in.Owner
	switch {
	case key == model.TagCluster || key == model.TagResource || key == owner.StackTag() || key == owner.ResourceTag():
		return "marks what the operator owns and cannot be set"
	case strings.HasPrefix(key, "aws:"):
		return "begins with aws:, which AWS keeps for itself"
	case key == "" || len(key) > maxTagKey:
		return "has a key that is not 1 to 128 characters long"
	case len(value) > maxTagValue:
		return "has a value of more than 256 characters"
	}
	return ""
}
