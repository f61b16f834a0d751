package plan

import (
	"slices"

	"github.com/headgate/headgate/model"
)

// targetGroups creates and modifies target groups; what is obsolete is deleted at the end of the plan.
func (p *planner) targetGroups() {
	var names []string
	for i := range p.want.TargetGroups {
		if have, ok := p.current[p.want.TargetGroups[i].ID]; ok {
			p.modifyTargetGroup(&p.want.TargetGroups[i], have)
			continue
		}
		want := p.want.TargetGroups[i]
		want.ARN, want.LoadBalancers = "", nil
		want.Name = freeName(want.Name, func(n string) bool {
			return !slices.Contains(names, n) &&
				!slices.ContainsFunc(p.have.TargetGroups, func(g model.TargetGroup) bool { return g.Name == n })
		})
		names = append(names, want.Name)
		p.createTargetGroup(want)
	}
}

func (p *planner) createTargetGroup(want model.TargetGroup) {
	c := Change{Op: CreateTargetGroup, Action: Create, Key: targetGroupKey(want.ID), TargetGroup: &want}
	c.Fields = []Field{
		{Name: "name", New: want.Name}, {Name: "protocol", New: want.Protocol}, {Name: "targetType", New: want.TargetType},
	}
	if i := slices.IndexFunc(p.obsolete, func(g model.TargetGroup) bool { return g.ID == want.ID }); i >= 0 {
		old := p.obsolete[i]
		c.Action = Replace
		c.Fields = append([]Field{{Name: "name", Old: old.Name, New: want.Name}}, immutables(&want, &old)...)
		c.Why = "AWS cannot change these of a target group"
		if len(c.Fields) == 1 {
			c.Why = "its load balancer is replaced, and a target group is of one load balancer only"
		}
		if old.Behind != nil {
			c.Why = "it leads elsewhere, and a target group leads to one load balancer only"
		}
	}
	id := p.create(c)
	p.attributes(owned{
		key: c.Key, wantAttributes: want.Attributes, haveAttributes: TargetGroupDefaults(want),
		op: ModifyTargetGroupAttributes, maker: id,
	})
}

func (p *planner) modifyTargetGroup(want, have *model.TargetGroup) {
	key := targetGroupKey(want.ID)
	if f := healthFields(&want.HealthCheck, &have.HealthCheck); len(f) > 0 {
		next := *want
		next.ARN, next.Name, next.LoadBalancers = have.ARN, have.Name, nil
		p.add(Change{Op: ModifyTargetGroup, Action: Update, Key: key, ARN: have.ARN, TargetGroup: &next, Fields: f})
	}
	o := owned{
		key: key, arn: have.ARN, wantTags: want.Tags, haveTags: have.Tags,
		wantAttributes: want.Attributes, haveAttributes: have.Attributes, defaults: func() map[string]string { return TargetGroupDefaults(*want) },
		op: ModifyTargetGroupAttributes,
	}
	p.groupAttributes(o)
	p.tags(o)
}

// healthFields compares what is asked for of a health check.
func healthFields(want, have *model.HealthCheck) fields {
	var f fields
	f.asked("healthCheck.protocol", have.Protocol, want.Protocol)
	f.asked("healthCheck.port", have.Port, want.Port)
	f.asked("healthCheck.path", have.Path, want.Path)
	f.askedNumber("healthCheck.intervalSeconds", have.IntervalSeconds, want.IntervalSeconds)
	f.askedNumber("healthCheck.timeoutSeconds", have.TimeoutSeconds, want.TimeoutSeconds)
	f.askedNumber("healthCheck.healthyThreshold", have.HealthyThreshold, want.HealthyThreshold)
	f.askedNumber("healthCheck.unhealthyThreshold", have.UnhealthyThreshold, want.UnhealthyThreshold)
	f.asked("healthCheck.matcher", have.Matcher, want.Matcher)
	return f
}

// deleteTargetGroups deletes obsolete groups after everything that used them. What another load balancer still uses is left.
func (p *planner) deleteTargetGroups() {
	for _, g := range p.obsolete {
		if slices.ContainsFunc(g.LoadBalancers, p.outside) {
			continue
		}
		why := ""
		if _, wanted := p.makes[targetGroupKey(g.ID)]; wanted || p.currentARN(g.ID) != "" {
			why = "replaced by another one"
		}
		id := p.add(Change{
			Op: DeleteTargetGroup, Action: Delete, Key: targetGroupKey(g.ID), ARN: g.ARN, TargetGroup: &g,
			Fields: []Field{{Name: "name", Old: g.Name}}, Why: why, After: slices.Clone(p.frees[g.ARN]), Needs: p.releases(g),
		})
		p.releaseBehind(g, id)
	}
}

// outside tells whether a load balancer is one that this plan neither keeps nor deletes.
func (p *planner) outside(arn model.ARN) bool {
	return !p.doomed[arn] && arn != p.keepARN()
}
