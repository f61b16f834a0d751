package build

import (
	"slices"
	"strings"

	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/intent"
)

// maxDigits of a number of capacity units.
const maxDigits = 9

// zoneOutpost is the type of zone of a subnet on an Outpost.
const zoneOutpost = "outpost"

// addons are the add-ons that the members ask for. One that cannot be served is not among them: what its member wrote is wrong then.
func (b *builder) addons(s *settings) map[model.Addon]string {
	out := map[model.Addon]string{}
	for _, one := range []struct {
		addon model.Addon
		read  reader
	}{
		{model.AddonWebACL, (*builder).webACLOf},
		{model.AddonClassicWebACL, (*builder).classicACLOf},
		{model.AddonProtection, (*builder).protectionOf},
		{model.AddonCapacity, (*builder).capacityOf},
		{model.AddonIPAMPool, func(b *builder, f *intent.Fragment) string { return b.ipamPoolOf(f, s) }},
	} {
		if value := b.choice(string(one.addon), "", one.read); value != "" {
			out[one.addon] = applied(one.addon, value)
		}
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

// applied is a choice in the words of AWS: what takes an add-on away is empty.
func applied(a model.Addon, choice string) string {
	switch {
	case choice == intent.None || a == model.AddonProtection && choice == "false" || a == model.AddonCapacity && choice == "0":
		return ""
	case a == model.AddonProtection:
		return model.ProtectionName
	}
	return choice
}

func (b *builder) webACLOf(f *intent.Fragment) string {
	ref := f.Settings.Addons.WebACLRef()
	if ref == "" || ref == intent.None {
		return ref
	}
	arn := b.facts.WebACLs[ref]
	if arn == "" {
		b.wrong(settingPlace(f, string(model.AddonWebACL)), "WebACLNotFound",
			"there is no web ACL %s for load balancers in this account and region: create it, or name one that is there; nothing new is served without it", ref)
	}
	return string(arn)
}

func (b *builder) classicACLOf(f *intent.Fragment) string {
	id := f.Settings.Addons.ClassicWebACL
	if id == "" || id == intent.None || slices.Contains(b.facts.ClassicWebACLs, id) {
		return id
	}
	b.wrong(settingPlace(f, string(model.AddonClassicWebACL)), "WebACLNotFound",
		"there is no web ACL %s of WAF Classic (Regional) in this account and region: name one that is there, or use one of AWS WAF; "+
			"nothing new is served without it", id)
	return ""
}

func (b *builder) protectionOf(f *intent.Fragment) string {
	v := b.oneOf(f, string(model.AddonProtection), f.Settings.Addons.Protection, "true", "false")
	if v == "true" && !b.facts.ShieldSubscribed {
		b.report(settingPlace(f, string(model.AddonProtection)), model.Warning, "ShieldNotSubscribed",
			"the account does not subscribe to Shield Advanced, so the load balancer is served without its protection: subscribe, or take this away")
		return ""
	}
	return v
}

func (b *builder) capacityOf(f *intent.Fragment) string {
	v := f.Settings.Addons.CapacityUnits
	if strings.Trim(v, "0123456789") != "" || len(v) > maxDigits {
		b.wrong(settingPlace(f, string(model.AddonCapacity)), "InvalidValue", "%q is no number of capacity units: write a whole number, 0 to give all back", v)
		return ""
	}
	if v != "" {
		v = strings.TrimLeft(v[:len(v)-1], "0") + v[len(v)-1:]
	}
	return v
}

func (b *builder) ipamPoolOf(f *intent.Fragment, s *settings) string {
	pool := f.Settings.Addons.IPAMPool
	problem := ""
	switch {
	case pool == "":
	case !isPool(pool, "ipam-pool-"):
		problem = "is no ID of an IPAM pool, which begins with ipam-pool-"
	case s.scheme != schemePublic:
		problem = "is a pool of public addresses, and the load balancer is " + s.scheme + ": make it " + schemePublic + ", or leave the pool out"
	case s.ipAddressType == typeWithoutIPv4:
		problem = "is a pool of public IPv4 addresses, and the load balancer is " + typeWithoutIPv4
	}
	if problem != "" {
		b.wrong(settingPlace(f, string(model.AddonIPAMPool)), "InvalidValue", "%q %s", pool, problem)
		return ""
	}
	return pool
}

// isPool tells whether an ID has the form that AWS demands: a prefix, and letters and digits after it.
func isPool(id, prefix string) bool {
	rest, ok := strings.CutPrefix(id, prefix)
	return ok && rest != "" && only(rest, "")
}

// ownedPool is the pool of addresses on an Outpost. A load balancer that exists keeps what it has: AWS cannot change it.
func (b *builder) ownedPool(s settings, subnets []string) string {
	asked := b.choice(intent.FieldCustomerOwnedPool, "", (*builder).ownedPoolOf)
	have, exists := "", false
	if e := b.facts.Existing; e != nil && e.Scheme == s.scheme {
		have, exists = e.CustomerOwnedPool, true
	}
	switch {
	case asked == "" || asked == have:
		return have
	case !b.onOutpost(subnets):
		b.eachAsking(asked, func(at place) {
			b.wrong(at, "InvalidValue", "the pool %s is for load balancers in one subnet on an Outpost: name that subnet, or leave the pool out", asked)
		})
		return have
	case !exists:
		return asked
	}
	b.eachAsking(asked, func(at place) {
		b.report(at, model.Warning, "PoolNotChanged", "the load balancer exists and stays "+poolText(have)+
			": AWS cannot change it; write what it has, or delete it and make it anew")
	})
	return have
}

func poolText(pool string) string {
	if pool == "" {
		return "without a pool"
	}
	return "with the pool " + pool
}

// eachAsking visits where members ask for a pool on an Outpost.
func (b *builder) eachAsking(pool string, visit func(place)) {
	for _, f := range b.fragments {
		if f.Settings.Addons.CustomerOwnedPool == pool {
			visit(settingPlace(f, intent.FieldCustomerOwnedPool))
		}
	}
}

func (b *builder) ownedPoolOf(f *intent.Fragment) string {
	pool := f.Settings.Addons.CustomerOwnedPool
	if pool == "" || isPool(pool, "ipv4pool-coip-") {
		return pool
	}
	b.wrong(settingPlace(f, intent.FieldCustomerOwnedPool), "InvalidValue",
		"%q is no ID of a pool of addresses on an Outpost, which begins with ipv4pool-coip-", pool)
	return ""
}

func (b *builder) onOutpost(subnets []string) bool {
	return len(subnets) == 1 && slices.ContainsFunc(b.facts.Subnets, func(n model.Subnet) bool {
		return n.ID == subnets[0] && n.ZoneType == zoneOutpost
	})
}
