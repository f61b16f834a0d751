package model

import (
	"slices"
	"strings"
)

// Addon is a setting of a load balancer that nobody must have. AWS tells of most of them by calls of their own, so they are observed only
// where somebody asks for them or had set them.
type Addon string

// The add-ons. Desired, an add-on that is there with the empty value is to be taken away, and one that is not there is left as it is.
// Observed, the empty value is none.
const (
	// AddonWebACL is the ARN of a web ACL of AWS WAF.
	AddonWebACL Addon = "webACL"
	// AddonClassicWebACL is the ID of a web ACL of AWS WAF Classic, Regional.
	AddonClassicWebACL Addon = "classicWebACL"
	// AddonProtection is the name of a protection of Shield Advanced; desired it is [ProtectionName], and any name will do.
	AddonProtection Addon = "protection"
	// AddonCapacity is how many load balancer capacity units are reserved, in digits.
	AddonCapacity Addon = "capacityUnits"
	// AddonIPAMPool is the ID of the pool that public IPv4 addresses come from.
	AddonIPAMPool Addon = "ipamPool"
)

// Addons are all add-ons, in the order of plans.
func Addons() []Addon {
	return []Addon{AddonWebACL, AddonClassicWebACL, AddonProtection, AddonCapacity, AddonIPAMPool}
}

// Names of protections: the incumbent's, so that either operator knows what the other one made.
const (
	ProtectionName           = "managed by aws-load-balancer-controller"
	olderProtectionName      = "managed by aws-alb-ingress-controller"
	addonKeyKind        Kind = "Addon"
)

// IsOurProtection tells whether a protection of that name was made by an operator, this one or the incumbent. No other is deleted.
func IsOurProtection(name string) bool { return name == ProtectionName || name == olderProtectionName }

// IsARN tells an ARN from a name or an ID.
func IsARN(s string) bool { return strings.HasPrefix(s, "arn:") }

// AddonKeys are add-ons as keys of an observation.
func AddonKeys(addons []Addon) []Key {
	var out []Key
	for _, a := range Addons() {
		if slices.Contains(addons, a) {
			out = append(out, Key{Kind: addonKeyKind, ID: string(a)})
		}
	}
	return out
}

// SplitAddons takes the add-ons out of the keys of an observation. Keys that only name add-ons leave the others nil: all of them.
func SplitAddons(keys []Key) (addons []Addon, others []Key) {
	for _, k := range keys {
		if k.Kind == addonKeyKind {
			addons = append(addons, Addon(k.ID))
		} else {
			others = append(others, k)
		}
	}
	if len(addons) == 0 {
		return nil, keys
	}
	return addons, others
}

// WithAddon is a copy of addons with one set, or taken out where the value is empty: what an observation holds after a change.
func WithAddon(addons map[Addon]string, a Addon, value string) map[Addon]string {
	out := map[Addon]string{}
	for k, v := range addons {
		if k != a && v != "" {
			out[k] = v
		}
	}
	if value != "" {
		out[a] = value
	}
	if len(out) == 0 {
		return nil
	}
	return out
}
