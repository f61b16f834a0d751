package ingress

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/headgate/headgate/controllers/annotations"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/intent"
)

// ReasonSwitchedOff is that of what the operator's flags leave out.
const ReasonSwitchedOff = "SwitchedOff"

// wishOf an add-on: the setting and where it is written. The value is empty where nobody asks, and where it cannot be read.
type wishOf struct {
	addon        model.Addon
	to           *string
	field, value string
	// unread says that something is asked for that cannot be read.
	unread bool
	// flag leaves it out.
	flag string
}

// wishes are what the member asks of other services. What its class says wins.
func (d *draft) wishes(out *intent.Addons) []wishOf {
	spec := d.params().Spec
	all := []wishOf{
		d.firewall(wishOf{addon: model.AddonWebACL, to: &out.WebACLName, flag: "--enable-wafv2"}, annotations.WAFv2Name, spec.WAFv2ACLName),
		d.firewall(wishOf{addon: model.AddonWebACL, to: &out.WebACL, flag: "--enable-wafv2"}, annotations.WAFv2ARN, spec.WAFv2ACLArn),
	}
	if spec.WAFv2ACLName+spec.WAFv2ACLArn != "" {
		all = slices.DeleteFunc(all, func(w wishOf) bool { return !strings.HasPrefix(w.field, paramsKind) })
	}
	classic := annotations.WAFClassic
	if !d.read.Has(classic) {
		classic = annotations.WAFClassicDeprecated
	}
	all = append(all, d.firewall(wishOf{addon: model.AddonClassicWebACL, to: &out.ClassicWebACL, flag: "--enable-waf"}, classic, ""),
		d.protection(out), d.capacity(out), d.pool(out),
	)
	return all
}

func (d *draft) protection(out *intent.Addons) wishOf {
	w := wishOf{addon: model.AddonProtection, to: &out.Protection, field: d.read.Field(annotations.ShieldProtection), flag: "--enable-shield"}
	if v, ok := d.read.Bool(annotations.ShieldProtection); ok {
		w.value = strconv.FormatBool(v)
	}
	return w
}

// firewall reads a web ACL from the class or else from an annotation.
func (d *draft) firewall(w wishOf, key, class string) wishOf {
	w.field, w.value = d.read.Field(key), ""
	if class = strings.TrimSpace(class); class != "" {
		w.field = d.classField("spec." + map[string]string{annotations.WAFv2Name: "wafv2AclName", annotations.WAFv2ARN: "wafv2AclArn"}[key])
		if w.value = class; badFirewall(key, class) {
			w.value, w.unread = "", true
		}
	} else if d.read.Has(key) {
		w.value, w.unread = d.readable(key)
	}
	if annotations.NoFirewall(w.value) && w.value != "" {
		w.value = intent.None
	}
	return w
}

// readable is the value of a key, and whether there is one that cannot be read.
func (d *draft) readable(key string) (value string, unread bool) {
	value, ok := d.read.String(key)
	if !ok {
		return "", d.read.Has(key)
	}
	return value, false
}

func badFirewall(key, value string) bool {
	if key == annotations.WAFv2Name {
		return annotations.CheckWebACLName(value) != nil
	}
	return annotations.CheckWebACL(value) != nil
}

func (d *draft) capacity(out *intent.Addons) wishOf {
	w := wishOf{
		addon: model.AddonCapacity, to: &out.CapacityUnits, field: d.read.Field(annotations.MinimumCapacity), value: d.read.CapacityUnits(),
		flag: "--feature-gates=LBCapacityReservation",
	}
	if c := d.params().Spec.MinimumLoadBalancerCapacity; c != nil {
		w.field, w.value = d.classField("spec.minimumLoadBalancerCapacity.capacityUnits"), ""
		if c.CapacityUnits >= 0 {
			w.value = strconv.Itoa(int(c.CapacityUnits))
		}
	}
	return w
}

func (d *draft) pool(out *intent.Addons) wishOf {
	w := wishOf{addon: model.AddonIPAMPool, to: &out.IPAMPool, field: d.read.Field(annotations.IPAMPool)}
	w.value, _ = d.readable(annotations.IPAMPool)
	if c := d.params().Spec.IPAMConfiguration; c != nil && c.IPv4IPAMPoolID != nil && *c.IPv4IPAMPoolID != "" {
		w.field, w.value = d.classField("spec.ipamConfiguration.ipv4IPAMPoolId"), ""
		if annotations.CheckIPAMPool(*c.IPv4IPAMPoolID) == nil {
			w.value = *c.IPv4IPAMPoolID
		}
	}
	return w
}

// addons are the settings of what the member asks of other services.
func (d *draft) addons(out *intent.Settings) {
	for _, w := range d.wishes(&out.Addons) {
		if w.value == "" || slices.Contains(d.set.Without, w.addon) {
			continue
		}
		*w.to = w.value
		out.Fields[string(w.addon)] = cmp.Or(out.Fields[string(w.addon)], w.field)
	}
	if v, ok := d.read.String(annotations.CustomerOwnedPool); ok && v != "" {
		out.Addons.CustomerOwnedPool, out.Fields[intent.FieldCustomerOwnedPool] = v, d.read.Field(annotations.CustomerOwnedPool)
	}
}

// findSwitchedOff finds what the operator's flags leave out. A firewall that is asked for and left out closes.
func (d *draft) findSwitchedOff() {
	for _, w := range d.wishes(&intent.Addons{}) {
		if w.value == "" || !slices.Contains(d.set.Without, w.addon) {
			continue
		}
		wall := w.addon == model.AddonWebACL || w.addon == model.AddonClassicWebACL
		switch {
		case wall && w.value == intent.None:
		case wall:
			d.shut = true
			d.note(model.Closed, ReasonSwitchedOff, w.field, "is a firewall, and "+w.flag+
				" of the operator leaves it out: the rules answer 503; switch it on, or take this away to serve them openly")
		default:
			d.note(model.Warning, ReasonSwitchedOff, w.field, w.flag+" of the operator leaves it out: everything else is served")
		}
	}
}

// checkClassAddons finds what is wrong with what the class asks of other services.
func (d *draft) checkClassAddons() {
	spec := d.params().Spec
	d.checkField("spec.wafv2AclArn", annotations.CheckWebACL(strings.TrimSpace(spec.WAFv2ACLArn)))
	d.checkField("spec.wafv2AclName", annotations.CheckWebACLName(strings.TrimSpace(spec.WAFv2ACLName)))
	if c := spec.MinimumLoadBalancerCapacity; c != nil && c.CapacityUnits < 0 {
		d.checkField("spec.minimumLoadBalancerCapacity.capacityUnits", errCapacity)
	}
	if c := spec.IPAMConfiguration; c != nil && c.IPv4IPAMPoolID != nil && *c.IPv4IPAMPoolID != "" {
		d.checkField("spec.ipamConfiguration.ipv4IPAMPoolId", annotations.CheckIPAMPool(*c.IPv4IPAMPoolID))
	}
}

// wall puts before a fragment that was good once the firewalls that the member names now. It reports whether those are known: of one that
// cannot be read the good one serves as long.
func (d *draft) wall(f intent.Fragment) (intent.Fragment, bool) {
	known := true
	for _, w := range d.wishes(&intent.Addons{}) {
		if w.unread && f.Settings.Addons.Firewalls()[w.addon] == "" {
			known = false
		}
	}
	out, now := f, d.who.settings
	for a := range now.Addons.Firewalls() {
		if a == model.AddonWebACL {
			out.Settings.Addons.WebACL, out.Settings.Addons.WebACLName = now.Addons.WebACL, now.Addons.WebACLName
		} else {
			out.Settings.Addons.ClassicWebACL = now.Addons.ClassicWebACL
		}
		fields := maps.Clone(out.Settings.Fields)
		if fields == nil {
			fields = map[string]string{}
		}
		fields[string(a)] = now.Fields[string(a)]
		out.Settings.Fields = fields
	}
	return out, known
}
