package inventory

import "github.com/headgate/headgate/model"

// defaults are the quotas of a region that AWS begins with (ELB user guide, "Quotas").
func defaults() map[string]int {
	return map[string]int{model.QuotaBalancers: 50, model.QuotaNetworkBalancers: 50, model.QuotaTargetGroups: 3000}
}

// Usage is how much of the region's quotas the account uses, whoever made it, as far as that is known: nothing is called. Where AWS did not
// tell a quota its default stands for it; where more is used than that, the account's is higher.
func (i *Inventory) Usage() []model.QuotaUse {
	known, _ := i.world.quotas.peek()
	var out []model.QuotaUse
	add := func(name string, used int) {
		limit := known.region[name]
		if limit == 0 {
			limit = defaults()[name]
		}
		out = append(out, model.QuotaUse{Name: name, Used: used, Limit: max(limit, used)})
	}
	if all, ok := i.balancers.peek(); ok {
		of := map[string]int{}
		for _, lb := range all {
			of[lb.Type]++
		}
		add(model.QuotaBalancers, of["application"])
		add(model.QuotaNetworkBalancers, of["network"])
	}
	if all, ok := i.groups.peek(); ok {
		add(model.QuotaTargetGroups, len(all))
	}
	return out
}
