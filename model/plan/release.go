package plan

import (
	"slices"

	"github.com/headgate/headgate/model"
)

// Release is the plan that lets go of what an owner holds: nothing is changed but the tags by which it was ours. Without them nobody here
// looks at it again. Listeners and rules are their load balancer's, and keep their tags; so do certificates that others have, too, and those
// that nothing has, which whoever sees them next deletes.
func Release(observed model.Stack, sharing *Sharing) Plan {
	p := Plan{Owner: observed.Owner}
	ours := []string{model.TagCluster, model.TagResource, observed.Owner.StackTag(), observed.Owner.ResourceTag()}
	slices.Sort(ours)
	drop := func(key model.Key, arn model.ARN, tags map[string]string) {
		c := Change{ID: len(p.Changes) + 1, Op: RemoveTags, Action: Update, Key: key, ARN: arn, Why: "it stays, and is ours no more"}
		for _, tag := range slices.Compact(slices.Clone(ours)) {
			if value, ok := tags[tag]; ok {
				c.TagKeys, c.Fields = append(c.TagKeys, tag), append(c.Fields, Field{Name: "tag " + tag, Old: value})
			}
		}
		if len(c.TagKeys) > 0 {
			p.Changes = append(p.Changes, c)
		}
	}
	for _, lb := range observed.Balancers() {
		drop(loadBalancerKey(lb), lb.ARN, lb.Tags)
	}
	for _, part := range observed.Parts() {
		for _, g := range part.TargetGroups {
			drop(targetGroupKey(g.ID), g.ARN, g.Tags)
		}
	}
	for _, g := range observed.SecurityGroups {
		if !g.Foreign {
			drop(securityGroupKey(g.ID), g.ARN, g.Tags)
		}
	}
	for _, t := range observed.TrustStores {
		drop(t.Key(), t.ARN, t.Tags)
	}
	for _, c := range observed.Certificates {
		if sharing.Free(c.ARN) && (c.Type != model.CertificateImported || worn(observed, c.ARN)) {
			drop(c.Key(), c.ARN, c.Tags)
		}
	}
	return p
}

// worn tells whether a listener of an observation has a certificate.
func worn(observed model.Stack, arn model.ARN) bool {
	return slices.ContainsFunc(observed.Parts(), func(part model.Stack) bool {
		return slices.ContainsFunc(part.Listeners, func(l model.Listener) bool { return slices.Contains(l.Certificates, arn) })
	})
}
