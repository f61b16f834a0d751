package intent

import "github.com/headgate/headgate/model"

// None is what is written for a firewall that is to be taken away.
const None = "none"

// Addons are what a member asks of other services for the whole load balancer; the zero value of a field means that it does not ask. Where
// they were written is in [Settings.Fields] by the names of the add-ons.
type Addons struct {
	// WebACL is the ARN of a web ACL of AWS WAF, and WebACLName is its name, which counts where both are there; [None] takes it away.
	WebACL     string `json:"webACL,omitempty"`
	WebACLName string `json:"webACLName,omitempty"`
	// ClassicWebACL is the ID of a web ACL of WAF Classic; [None] takes it away.
	ClassicWebACL string `json:"classicWebACL,omitempty"`
	// Protection by Shield Advanced is "true" or "false".
	Protection string `json:"protection,omitempty"`
	// CapacityUnits to reserve, in digits; 0 gives all back.
	CapacityUnits string `json:"capacityUnits,omitempty"`
	// IPAMPool is the ID of the pool that public addresses come from.
	IPAMPool string `json:"ipamPool,omitempty"`
	// CustomerOwnedPool is the ID of the pool of addresses on an Outpost.
	CustomerOwnedPool string `json:"customerOwnedPool,omitempty"`
}

// FieldCustomerOwnedPool is the name of that setting in [Settings.Fields].
const FieldCustomerOwnedPool = "customerOwnedPool"

// WebACLRef is what names the web ACL of AWS WAF: a name, an ARN, or [None]. It is empty where the member does not ask.
func (a Addons) WebACLRef() string {
	if a.WebACLName != "" {
		return a.WebACLName
	}
	return a.WebACL
}

// Asked are the add-ons that the member asks for, or asks to take away.
func (a Addons) Asked() []model.Addon {
	var out []model.Addon
	for _, one := range model.Addons() {
		if a.of(one) != "" {
			out = append(out, one)
		}
	}
	return out
}

// Asks tells whether the member asks for an add-on, or asks to take it away.
func (a Addons) Asks(one model.Addon) bool { return a.of(one) != "" }

func (a Addons) of(one model.Addon) string {
	return map[model.Addon]string{
		model.AddonWebACL: a.WebACLRef(), model.AddonClassicWebACL: a.ClassicWebACL, model.AddonProtection: a.Protection,
		model.AddonCapacity: a.CapacityUnits, model.AddonIPAMPool: a.IPAMPool,
	}[one]
}

// Firewalls are the web ACLs that the member wants before the load balancer, by what names them.
func (a Addons) Firewalls() map[model.Addon]string {
	out := map[model.Addon]string{}
	for _, one := range []model.Addon{model.AddonWebACL, model.AddonClassicWebACL} {
		if ref := a.of(one); ref != "" && ref != None {
			out[one] = ref
		}
	}
	return out
}

// With asks besides for what is observed of an add-on.
func (a Addons) With(one model.Addon, observed string) Addons {
	switch one {
	case model.AddonWebACL:
		a.WebACL, a.WebACLName = observed, ""
	case model.AddonClassicWebACL:
		a.ClassicWebACL = observed
	case model.AddonProtection:
		a.Protection = "true"
	case model.AddonCapacity:
		a.CapacityUnits = observed
	case model.AddonIPAMPool:
		a.IPAMPool = observed
	}
	return a
}
