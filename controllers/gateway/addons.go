package gateway

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/intent"
)

// reasonSwitchedOff is that of what the operator's flags leave out.
const reasonSwitchedOff = "SwitchedOff"

// addons are what the configuration asks of other services.
func (c config) addons() intent.Addons {
	var out intent.Addons
	if w := c.spec.WAFv2; w != nil {
		if out.WebACL = w.WebACL; w.WebACL == "" || strings.EqualFold(w.WebACL, intent.None) {
			out.WebACL = intent.None
		}
	}
	if s := c.spec.ShieldConfiguration; s != nil {
		out.Protection = strconv.FormatBool(s.Enabled)
	}
	if m := c.spec.MinimumLoadBalancerCapacity; m != nil {
		out.CapacityUnits = strconv.Itoa(int(m.CapacityUnits))
	}
	setText(&out.IPAMPool, c.spec.IPv4IPAMPoolID)
	setText(&out.CustomerOwnedPool, c.spec.CustomerOwnedIpv4Pool)
	if c.leavesOut(model.AddonWebACL) {
		out.WebACL = ""
	}
	if c.leavesOut(model.AddonProtection) {
		out.Protection = ""
	}
	if c.leavesOut(model.AddonCapacity) {
		out.CapacityUnits = ""
	}
	return out
}

// leavesOut tells whether the operator's flags switch an add-on off.
func (c config) leavesOut(a model.Addon) bool { return slices.Contains(c.without, a) }

// walledOff tells whether a firewall is asked for that flags switch off: nothing may be served.
func (c config) walledOff() bool {
	w := c.spec.WAFv2
	return w != nil && w.WebACL != "" && !strings.EqualFold(w.WebACL, intent.None) && c.leavesOut(model.AddonWebACL)
}

// switchedOff finds what a configuration asks for and flags leave out.
func (c config) switchedOff(p part) []model.Finding {
	var out []model.Finding
	for _, w := range []struct {
		asked       bool
		addon       model.Addon
		field, flag string
	}{
		{p.spec.WAFv2 != nil && c.walledOff(), model.AddonWebACL, "spec.wafV2", "--enable-wafv2"},
		{p.spec.ShieldConfiguration != nil && p.spec.ShieldConfiguration.Enabled, model.AddonProtection, "spec.shieldConfiguration", "--enable-shield"},
		{
			p.spec.MinimumLoadBalancerCapacity != nil, model.AddonCapacity, "spec.minimumLoadBalancerCapacity",
			"--feature-gates=LBCapacityReservation",
		},
	} {
		if !w.asked || !c.leavesOut(w.addon) {
			continue
		}
		f := model.Finding{
			Object: p.object, Severity: model.Warning, Reason: reasonSwitchedOff, Field: w.field,
			Message: w.flag + " of the operator leaves it out: everything else is served",
		}
		if w.addon == model.AddonWebACL {
			f.Severity = model.Closed
			f.Message = "is a firewall, and " + w.flag + " of the operator leaves it out: all routes answer 503; switch it on, or remove this to open them"
		}
		out = append(out, f)
	}
	return out
}

// wall puts before settings that were good once the firewall that the configuration names now.
func wall(good *intent.Settings, now intent.Settings) {
	if len(now.Addons.Firewalls()) == 0 {
		return
	}
	fields := maps.Clone(good.Fields)
	if fields == nil {
		fields = map[string]string{}
	}
	fields[string(model.AddonWebACL)] = now.Fields[string(model.AddonWebACL)]
	good.Addons.WebACL, good.Addons.WebACLName, good.Fields = now.Addons.WebACL, now.Addons.WebACLName, fields
}
