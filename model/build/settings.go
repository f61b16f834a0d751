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
	addons                      map[model.Addon]string
	// subnets, groups and redirect are the fragments whose choice counts; nil where nobody chose.
	subnets, subnetTags, groups, redirect *intent.Fragment
	// manageBackend asks for rules on pods' groups where the load balancer's groups are the user's.
	manageBackend bool
	// icmp asks for what path MTU discovery needs, from whoever may connect.
	icmp bool
	// network load balancers do with one zone.
	network bool
}

func (b *builder) settings() settings {
	existing := model.Existing{}
	if b.facts.Existing != nil {
		existing = *b.facts.Existing
	}
	s := settings{name: b.choice("name", existing.Name, (*builder).nameOf)}
	scheme := held{"scheme", existing.Scheme, b.unasked(existing.Scheme, b.defaultScheme())}
	s.scheme = or(b.choice(scheme.field, existing.Scheme, func(b *builder, f *intent.Fragment) string {
		return b.unlessReliedOn(f, scheme, b.schemeOf(f), func(f *intent.Fragment) string { return f.Settings.Scheme })
	}), scheme.unasked)
	address := held{"ipAddressType", existing.IPAddressType, b.unasked(existing.IPAddressType, typeIPv4)}
	s.ipAddressType = or(b.choice(address.field, existing.IPAddressType, func(b *builder, f *intent.Fragment) string {
		return b.unlessReliedOn(f, address, b.addressTypeOf(f, s.scheme), func(f *intent.Fragment) string { return f.Settings.IPAddressType })
	}), address.unasked)
	s.subnets = b.exclusive("subnets", subnetKey(existing.Subnets), (*builder).subnetsOf)
	s.subnetTags = b.exclusive("subnetTags", "", func(_ *builder, f *intent.Fragment) string {
		return selectorKey(f.Settings.SubnetTags)
	})
	s.groups = b.exclusive("securityGroups", "", (*builder).groupsOf)
	s.manageBackend = or(b.choice("manageBackendRules", "", (*builder).manageOf), strconv.FormatBool(b.in.Defaults.ManageBackendRules)) == "true"
	s.icmp = b.choice("icmp", "", func(b *builder, f *intent.Fragment) string { return b.oneOf(f, "icmp", f.Settings.ICMP, "true") }) != ""
	s.redirect = b.exclusive("sslRedirectPort", "", (*builder).redirectOf)
	s.attributes = b.mergeAttributes("attributes", balancerType, func(_ *builder, f *intent.Fragment) (map[string]string, map[string]string) {
		return f.Settings.Attributes, f.Settings.EnforcedAttributes
	})
	s.tags = b.mergeTags(b.fragments)
	s.addons = b.addons(&s)
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

// reader reads a setting of a member; "" where the member does not ask for it.
type reader func(*builder, *intent.Fragment) string

// choice is the value of a setting of which there is one a load balancer; empty where nobody asks for it.
func (b *builder) choice(field, applied string, read reader) string {
	if f := b.exclusive(field, applied, read); f != nil {
		return read(b, f)
	}
	return ""
}

// exclusive finds the member whose value of a setting counts, as [decide] says. Every other value is its owner's mistake.
func (b *builder) exclusive(field, applied string, read reader) *intent.Fragment {
	var claims []claim
	var asking []*intent.Fragment
	for _, f := range b.fragments {
		value := read(b, f)
		if value == "" {
			continue
		}
		one := claim{value: value, asked: true, at: settingPlace(f, field)}
		if before := b.before(f); before != nil {
			one.standing = read(b.past, before) == value
		}
		claims, asking = append(claims, one), append(asking, f)
	}
	won := decide(claims, applied, func(lost, won claim) {
		b.wrong(lost.at, "ConflictingSetting",
			"%q conflicts with %q, which %s asks for and which counts for the whole load balancer; use the same value or a group of your own",
			lost.value, won.value, won.at.object)
	})
	if won < 0 {
		return nil
	}
	return asking[won]
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
				return b.redirectUnlessItCutsOff(f)
			}
		}
	}
	b.wrong(settingPlace(f, "sslRedirectPort"), "InvalidValue", "no member of the load balancer has an HTTPS listener on port %d to redirect to", port)
	return ""
}

// layer is what one member asks for by key, now and when it was last good.
type layer struct {
	at          place
	now, before map[string]string
}

// keysReader reads what a member asks for by key, and what its class enforces.
type keysReader func(b *builder, f *intent.Fragment) (own, enforced map[string]string)

// mergeKeys adds up maps, key by key, as [decide] says: what a class enforces first, then what members ask for. A different value for a
// key that is taken is its owner's mistake, except against a class, which overrides by design.
func (b *builder) mergeKeys(fragments []*intent.Fragment, field string, read keysReader) map[string]string {
	own, enforced := b.layers(fragments, field, read)
	out := map[string]string{}
	for _, k := range keysOf(enforced) {
		out[k] = b.decideKey(k, enforced)
	}
	for _, k := range keysOf(own) {
		fixed, ok := out[k]
		if !ok {
			out[k] = b.decideKey(k, own)
			continue
		}
		for _, l := range own {
			if v, asked := l.now[k]; asked && v != fixed {
				b.report(l.at, model.Warning, "OverriddenByClass", k+"="+v+" gives way to "+k+"="+fixed+", which the class sets")
			}
		}
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

func (b *builder) layers(fragments []*intent.Fragment, field string, read keysReader) (own, enforced []layer) {
	for _, f := range fragments {
		mine, class := layer{at: settingPlace(f, field)}, layer{at: settingPlace(f, field)}
		mine.now, class.now = read(b, f)
		if len(mine.now)+len(class.now) == 0 {
			continue
		}
		if before := b.before(f); before != nil {
			mine.before, class.before = read(b.past, before)
		}
		own, enforced = append(own, mine), append(enforced, class)
	}
	return own, enforced
}

func keysOf(layers []layer) []string {
	all := map[string]bool{}
	for _, l := range layers {
		for k := range l.now {
			all[k] = true
		}
	}
	return slices.Sorted(maps.Keys(all))
}

// decideKey is the value of a key that some layer has.
func (b *builder) decideKey(k string, layers []layer) string {
	claims := make([]claim, len(layers))
	for i, l := range layers {
		value, asked := l.now[k]
		before, had := l.before[k]
		claims[i] = claim{value: value, asked: asked, standing: had && before == value, at: l.at}
	}
	won := decide(claims, "", func(lost, won claim) {
		b.wrong(lost.at, "ConflictingSetting", "%s=%s conflicts with %s=%s, which %s asks for and which counts for the whole load balancer",
			k, lost.value, k, won.value, won.at.object)
	})
	return claims[won].value
}

func (b *builder) mergeTags(fragments []*intent.Fragment) map[string]string {
	return b.mergeKeys(fragments, "tags", func(b *builder, f *intent.Fragment) (map[string]string, map[string]string) {
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
	if len(tags) == 0 {
		return nil
	}
	out := map[string]string{}
	for _, k := range slices.Sorted(maps.Keys(tags)) {
		problem := tagProblem(k, tags[k])
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

func tagProblem(key, value string) string {
	switch {
	case model.IsOwnershipTag(key):
		return "says who owns a resource and cannot be set: leave it out"
	case strings.HasPrefix(key, "aws:"):
		return "begins with aws:, which AWS keeps for itself"
	case key == "" || len(key) > maxTagKey:
		return "has a key that is not 1 to 128 characters long"
	case len(value) > maxTagValue:
		return "has a value of more than 256 characters"
	}
	return ""
}
