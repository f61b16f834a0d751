package stack

import (
	"cmp"
	"slices"

	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/intent"
)

// addons are those to look at: that somebody asks for now, or asked for when it was good, and that we set. Of a stack that goes, only what
// AWS would keep of it counts.
func (a *attempt) addons() []model.Addon {
	var out []model.Addon
	for _, set := range a.state.before() {
		out = append(out, set.Addons...)
	}
	if a.unwanted() {
		return slices.DeleteFunc(out, func(one model.Addon) bool { return one != model.AddonProtection })
	}
	for _, f := range a.req.Intent.Fragments {
		out = append(out, f.Settings.Addons.Asked()...)
	}
	for _, f := range a.state.good {
		out = append(out, f.Settings.Addons.Asked()...)
	}
	return out
}

func addonsOf(names []string) []model.Addon {
	var out []model.Addon
	for _, n := range names {
		out = append(out, model.Addon(n))
	}
	return out
}

func addonNames(addons []model.Addon) []string {
	var out []string
	for _, a := range addons {
		out = append(out, string(a))
	}
	return out
}

// needsOfAddons are the firewalls that are looked for, and whether there is Shield.
func needsOfAddons(need *model.Needs, a intent.Addons) {
	walls := a.Firewalls()
	if ref := walls[model.AddonWebACL]; ref != "" {
		need.WebACLs = append(need.WebACLs, ref)
	}
	if id := walls[model.AddonClassicWebACL]; id != "" {
		need.ClassicWebACLs = append(need.ClassicWebACLs, id)
	}
	need.Shield = need.Shield || a.Protection == "true"
}

// wall puts into the settings of a member whose settings are wrong the firewall that it asks for. Where there is none such, the one that
// is observed stays. It reports whether there is one: with none nothing of the member may be served, nor of anybody where the load balancer
// is the member's.
func (r *roster) wall(held *intent.Fragment, asked intent.Settings, lb *model.LoadBalancer) bool {
	ok := r.walled(&held.Settings.Addons, asked.Addons.Firewalls(), lb)
	r.exposed = r.exposed || !ok && held.Member.Same(r.req.Anchor)
	return ok
}

func (r *roster) walled(kept *intent.Addons, walls map[model.Addon]string, lb *model.LoadBalancer) bool {
	for _, one := range []model.Addon{model.AddonWebACL, model.AddonClassicWebACL} {
		ref := walls[one]
		switch {
		case ref == "":
			continue
		case one == model.AddonWebACL && r.facts.WebACLs[ref] != "":
			kept.WebACL = string(r.facts.WebACLs[ref])
		case one == model.AddonClassicWebACL && slices.Contains(r.facts.ClassicWebACLs, ref):
			kept.ClassicWebACL = ref
		case lb != nil && lb.Addons[one] != "":
			*kept = kept.With(one, lb.Addons[one])
		default:
			return false
		}
	}
	return true
}

// keepAddons keeps the add-ons that only a member asked for of whom this is not known now: as a wish of the one at index i.
func keepAddons(all []intent.Fragment, i int, lb *model.LoadBalancer) {
	for one, value := range lb.Addons {
		asked := slices.ContainsFunc(all, func(f intent.Fragment) bool { return slices.Contains(f.Settings.Addons.Asked(), one) })
		if !asked && (one != model.AddonProtection || model.IsOurProtection(value)) {
			all[i].Settings.Addons = all[i].Settings.Addons.With(one, value)
		}
	}
}

// closeAll has every member answer 503, who is held among them.
func closeAll(all []intent.Fragment) {
	for i := range all {
		f := &all[i]
		f.Routes, f.Held, f.Listeners = slices.Clone(f.Routes), slices.Clone(f.Held), slices.Clone(f.Listeners)
		for n := range f.Routes {
			unavailable(&f.Routes[n])
		}
		for n := range f.Held {
			f.Held[n].Rule = closed(f.Held[n].Rule)
		}
		for n, l := range f.Listeners {
			if l.Default != nil {
				answer := *l.Default
				unavailable(&answer)
				f.Listeners[n].Default = &answer
			}
		}
	}
}

// unavailable makes a route answer 503.
func unavailable(r *intent.Route) {
	r.Kept = cmp.Or(r.Forward, r.Kept)
	r.Forward, r.Redirect, r.Transforms, r.Auth = nil, nil, nil, nil
	r.Fixed = &intent.Fixed{StatusCode: 503, ContentType: "text/plain"}
}
