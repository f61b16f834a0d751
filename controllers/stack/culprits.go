package stack

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/headgate/headgate/controllers/outcome"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/intent"
	"github.com/headgate/headgate/model/plan"
)

// culprits are the members that asked for what a change sets, each with the place where it is written.
func (a *attempt) culprits(c plan.Change) []model.Finding {
	var out []model.Finding
	for _, f := range a.fragments {
		if field, asked := asks(f, c); asked && !slices.ContainsFunc(out, func(o model.Finding) bool { return o.Object.Same(f.Member) }) {
			out = append(out, model.Finding{Object: f.Member, Severity: model.Wrong, Reason: outcome.ReasonRefused, Field: field})
		}
	}
	if (c.Op == plan.CreateLoadBalancer || c.Op == plan.CreateListener) && len(out) > 1 {
		return nil // what AWS does not take of so much is not known
	}
	return out
}

// asks tells whether a fragment asks for what a change sets, and where.
func asks(f intent.Fragment, c plan.Change) (field string, asked bool) {
	switch {
	case c.Op == plan.AddTags:
		return asksForTags(f, c)
	case c.Addon != "":
		return settingField(f, string(c.Addon)), f.Settings.Addons.Asks(c.Addon)
	case c.Key.Kind == model.KindLoadBalancer:
		return asksForBalancer(f, c)
	case c.Key.Kind == model.KindTargetGroup:
		return asksForGroup(f, c)
	case c.Key.Kind == model.KindListener:
		return asksForListener(f, c)
	case c.Rule != nil:
		return asksForRule(f, *c.Rule)
	}
	return "", false
}

func settingField(f intent.Fragment, name string) string {
	return cmp.Or(f.Settings.Fields[name], name)
}

// overlaps tells whether some of the values are among those asked for.
func overlaps(asked, values map[string]string) bool {
	for k, v := range asked {
		if have, ok := values[k]; ok && have == v {
			return true
		}
	}
	return false
}

func asksForTags(f intent.Fragment, c plan.Change) (string, bool) {
	switch c.Key.Kind {
	case model.KindTargetGroup:
		s := backendsOf(f)[c.Key.ID]
		if s == nil {
			return "", false
		}
		return cmp.Or(s.Group.Fields["tags"], "tags"), overlaps(s.Group.Tags, c.Tags)
	case model.KindRule:
		return "tags", slices.ContainsFunc(f.Routes, func(r intent.Route) bool { return overlaps(r.Tags, c.Tags) })
	default:
		tags := maps.Clone(f.Settings.Tags)
		if tags == nil {
			tags = map[string]string{}
		}
		maps.Copy(tags, f.Settings.EnforcedTags)
		return settingField(f, "tags"), overlaps(tags, c.Tags)
	}
}

func asksForBalancer(f intent.Fragment, c plan.Change) (string, bool) {
	s, prefix := f.Settings, ""
	if model.IsFrontend(c.Key.ID) {
		if s.Frontend == nil {
			return "", false
		}
		prefix = "frontend."
		s = intent.Settings{
			Attributes: s.Frontend.Attributes, Subnets: s.Frontend.Subnets, SecurityGroups: s.Frontend.SecurityGroups, Scheme: s.Frontend.Scheme,
		}
	}
	for _, one := range []struct {
		name  string
		ops   []plan.Op
		asked bool
	}{
		{"attributes", []plan.Op{plan.ModifyLoadBalancerAttributes}, overlaps(s.Attributes, c.Attributes)},
		{"enforcedAttributes", []plan.Op{plan.ModifyLoadBalancerAttributes}, overlaps(s.EnforcedAttributes, c.Attributes)},
		{"subnets", []plan.Op{plan.SetSubnets, plan.CreateLoadBalancer}, len(s.Subnets) > 0},
		{"subnetTags", []plan.Op{plan.SetSubnets, plan.CreateLoadBalancer}, len(s.SubnetTags) > 0},
		{"securityGroups", []plan.Op{plan.SetSecurityGroups, plan.CreateLoadBalancer}, len(s.SecurityGroups) > 0},
		{"ipAddressType", []plan.Op{plan.SetIPAddressType, plan.CreateLoadBalancer}, s.IPAddressType != ""},
		{"name", []plan.Op{plan.CreateLoadBalancer}, s.Name != ""},
	} {
		if one.asked && slices.Contains(one.ops, c.Op) {
			return settingField(f, prefix+one.name), true
		}
	}
	return "", false
}

func asksForGroup(f intent.Fragment, c plan.Change) (string, bool) {
	s := backendsOf(f)[c.Key.ID]
	if s == nil {
		return "", false
	}
	if c.Op == plan.ModifyTargetGroupAttributes {
		return cmp.Or(s.Group.Fields["attributes"], "attributes"), overlaps(s.Group.Attributes, c.Attributes)
	}
	fields := slices.Sorted(maps.Values(s.Group.Fields))
	return cmp.Or(slices.Concat(fields, []string{""})...), true
}

// asksForListener finds who asked for what is refused of a port: of a port that exists, for what was to change.
func asksForListener(f intent.Fragment, c plan.Change) (string, bool) {
	i := slices.IndexFunc(f.Listeners, func(l intent.Listener) bool { return l.Port == c.Port })
	if i < 0 {
		return "", false
	}
	l := f.Listeners[i]
	named := func(all []model.ARN) bool {
		return slices.ContainsFunc(l.Certificates, func(arn string) bool { return slices.Contains(all, model.ARN(arn)) })
	}
	place := func(name string) string { return cmp.Or(l.Fields[name], l.Field, name) }
	switch {
	case c.Op == plan.ModifyListenerAttributes:
		return place("attributes"), overlaps(l.Attributes, c.Attributes)
	case c.Listener == nil:
		return place("certificates"), named(c.Certificates)
	}
	for _, one := range []struct {
		field, name string
		asked       bool
	}{
		{"sslPolicy", "sslPolicy", l.SSLPolicy != "" && l.SSLPolicy == c.Listener.SSLPolicy},
		{"mutualAuthentication", "mutualAuth", l.MutualAuth != nil && c.Listener.MutualAuth != nil},
		{"default", "default", l.Default != nil && leads(l.Default.Forward, c.Listener.DefaultActions)},
		{"certificate", "certificates", named(c.Listener.Certificates)},
	} {
		if one.asked && (c.Op == plan.CreateListener || changes(c, one.field)) {
			return place(one.name), true
		}
	}
	return "", false
}

// changes tells whether a change is of a field.
func changes(c plan.Change, field string) bool {
	return slices.ContainsFunc(c.Fields, func(f plan.Field) bool { return strings.HasPrefix(f.Name, field) })
}

// asksForRule tells whether a rule is of a route of the fragment.
func asksForRule(f intent.Fragment, rule model.Rule) (string, bool) {
	for _, r := range f.Routes {
		if (rule.Member.Same(f.Member) || r.Source.Name != "" && rule.Member.Same(r.Source)) && leads(r.Forward, rule.Actions) {
			return r.Field, true
		}
	}
	return "", rule.Member.Same(f.Member)
}

// leads tells whether actions forward to one of the backends.
func leads(f *intent.Forward, actions []model.Action) bool {
	if f == nil {
		return false
	}
	for _, a := range actions {
		if a.Forward == nil {
			continue
		}
		for _, g := range a.Forward.Groups {
			if slices.ContainsFunc(f.Backends, func(b intent.Backend) bool {
				return b.Service != nil && b.Service.ID == g.Key || b.TargetGroupARN != "" && b.TargetGroupARN == string(g.ARN)
			}) {
				return true
			}
		}
	}
	return false
}
