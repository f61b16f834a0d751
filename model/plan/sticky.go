package plan

import (
	"fmt"
	"slices"

	"github.com/headgate/headgate/model"
)

// AWS takes sticky targets in a forward to several groups only where that forward is sticky itself (ALB guide, sticky sessions). So the
// targets of a group become sticky after all that forwards to them, and stop being so before.

// attributeSticky is the attribute of a target group that makes its targets sticky.
const attributeSticky = "stickiness.enabled"

const isTrue = "true"

// groupAttributes plans the attributes of a target group that exists.
func (p *planner) groupAttributes(o owned) {
	want, have := o.wantAttributes[attributeSticky] == isTrue, o.haveAttributes[attributeSticky] == isTrue
	if want && !have && !p.front {
		p.sticking = append(p.sticking, o)
		return
	}
	ids := p.attributes(o)
	if have && !want {
		p.calmed[o.key.ID] = ids
	}
}

// calms are the changes before which AWS refuses a forward, since targets of it are sticky.
func (p *planner) calms(f *model.Forward) []int {
	if len(f.Groups) < 2 || f.StickySeconds > 0 {
		return nil
	}
	var out []int
	for _, g := range f.Groups {
		out = append(out, p.calmed[g.Key]...)
	}
	return out
}

// stick makes targets sticky, after every change of what forwarded to them.
func (p *planner) stick() {
	for _, o := range p.sticking {
		o.after = p.frees[o.arn]
		p.attributes(o)
	}
}

// sticks refuses what AWS does of forwards to several groups.
func (w *world) sticks() error {
	if w.LoadBalancer == nil || w.LoadBalancer.Type != "application" {
		return nil
	}
	sticky := map[model.ARN]bool{}
	for _, g := range w.TargetGroups {
		sticky[g.ARN] = g.Attributes[attributeSticky] == isTrue
	}
	for _, l := range w.Listeners {
		for _, r := range append(slices.Clone(l.Rules), model.Rule{Actions: l.DefaultActions}) {
			if i := slices.IndexFunc(r.Actions, func(a model.Action) bool { return a.Forward != nil && loose(a.Forward, sticky) }); i >= 0 {
				return fmt.Errorf("stickiness of a forward to several target groups with sticky targets: %w", errMissing)
			}
		}
	}
	return nil
}

func loose(f *model.Forward, sticky map[model.ARN]bool) bool {
	return len(f.Groups) > 1 && f.StickySeconds == 0 &&
		slices.ContainsFunc(f.Groups, func(g model.WeightedGroup) bool { return sticky[g.ARN] })
}
