package stack

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	elbv2v1beta1 "github.com/headgate/headgate/apis/elbv2/v1beta1"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/plan"
)

// A load balancer goes from one stack to another in two steps, so that nobody can take what was not given. The giver's own run notes in its
// memory to whom it gives, and from then on changes nothing. The taker, which has no load balancer, reads that note under the giver's lock,
// sees what the giver holds as its own, and plans as ever: what fits is tagged anew, the rest is replaced, make before break. Whatever cuts
// it short, the note stays, and what carries the giver's tags is still to be taken.

// handoverRetry is how soon a run looks again that waits for the other side.
const handoverRetry = 3 * time.Second

// taking is what a run knows of a stack whose load balancer it takes.
type taking struct {
	from model.Owner
	// seen is what the giver holds still.
	seen model.Stack
}

// handover settles whose the load balancer is before anything is built. Where a.blocked is set, nothing may be changed.
func (l *Loop) handover(ctx context.Context, a *attempt) error {
	if err := l.give(ctx, a); err != nil || a.given {
		return err
	}
	return l.take(ctx, a)
}

// give has a stack keep still that gives its load balancer away.
func (l *Loop) give(ctx context.Context, a *attempt) error {
	spec := &a.state.object.Spec
	if a.req.GiveTo == nil && spec.GivenTo == "" || spec.Taking {
		return nil
	}
	if spec.GivenTo == "" {
		spec.GivenTo = spell(*a.req.GiveTo)
		if err := a.state.save(ctx, l.client); err != nil {
			return err
		}
	}
	same := a.req.GiveTo != nil && spec.GivenTo == spell(*a.req.GiveTo)
	if same && !a.unwanted() {
		if taken, err := l.taken(ctx, a); err != nil {
			return err
		} else if taken {
			l.commons.drop(a.owner) // it has no share in certificates any more
		}
		l.stand(a, "its load balancer is given to "+named(spec.GivenTo)+", and until it is taken its rules stay as they are")
		return nil
	}
	l.opts.Forget(a.owner)
	seen, err := l.cloud.Observe(ctx, a.owner, nil)
	if err != nil {
		return fmt.Errorf("looking for what %s has left: %w", a.owner, err)
	}
	if same {
		l.part(a, seen)
		return nil
	}
	return l.keepIt(ctx, a, seen)
}

// taken tells whether the load balancer of a stack is all its taker's.
func (l *Loop) taken(ctx context.Context, a *attempt) (bool, error) {
	taker, _ := unspell(a.state.object.Spec.GivenTo)
	theirs, err := recall(ctx, l.opts.Live, taker)
	return err == nil && !theirs.object.Spec.Taking && theirs.object.Spec.TakenFrom == spell(a.owner), err
}

// part is the end of a stack that gives its load balancer away: nothing of it is deleted before it was taken.
func (l *Loop) part(a *attempt, seen model.Stack) {
	if seen.LoadBalancer != nil || len(seen.TargetGroups)+len(seen.SecurityGroups) > 0 {
		l.stand(a, "its load balancer is given to "+named(a.state.object.Spec.GivenTo)+", which has not taken it yet: wait until it has, "+
			"or remove the annotation headgate.dev/release-to to have it deleted")
	}
}

// keepIt has a stack served again that does not give its load balancer any more, unless the taker has begun. Where that is done, it gets
// another one.
func (l *Loop) keepIt(ctx context.Context, a *attempt, seen model.Stack) error {
	spec := &a.state.object.Spec
	taker, _ := unspell(spec.GivenTo)
	theirs, err := recall(ctx, l.opts.Live, taker)
	if err != nil {
		return err
	}
	begun := theirs.object.Spec.Taking && theirs.object.Spec.TakenFrom == spell(a.owner)
	if begun || seen.LoadBalancer != nil && tagged(seen.LoadBalancer.Tags, taker) {
		l.stand(a, named(spec.GivenTo)+" is taking its load balancer")
		return nil
	}
	spec.GivenTo = ""
	a.state.doubt()
	if seen.LoadBalancer == nil {
		spec.LoadBalancer = nil
	}
	return a.state.save(ctx, l.client)
}

// stand ends a run that changes nothing.
func (l *Loop) stand(a *attempt, why string) {
	a.given, a.blocked = true, why
	if a.verify {
		l.sweep.verified(a.owner)
	}
}

// tagged tells whether tags say that a resource is owner's.
func tagged(tags map[string]string, owner model.Owner) bool {
	_, ok := owner.Owns(tags)
	return ok
}

// take has a stack see as its own what another one gives it, until all of that is its own.
func (l *Loop) take(ctx context.Context, a *attempt) error {
	from, wanted := l.source(a)
	if !wanted {
		return nil
	}
	giver := l.slot(from)
	if from == a.owner || !giver.TryLock() {
		a.awaits, a.blocked = true, "waits to take the load balancer of "+named(spell(from))
		return nil
	}
	a.lent = giver
	if err := l.recall(ctx, from, giver); err != nil {
		return err
	}
	spec := &a.state.object.Spec
	if given := giver.state.object.Spec.GivenTo == spell(a.owner); !given && spec.Taking {
		spec.Taking = false // it was let go when nothing was left to take
		return nil
	} else if !given {
		a.awaits, a.blocked = true, fmt.Sprintf("%s does not give its load balancer away: the annotation headgate.dev/release-to of all its objects "+
			"must name %s", named(spell(from)), named(spell(a.owner)))
		return nil
	}
	a.taking = &taking{from: from}
	if err := l.observe(ctx, a); err != nil {
		return err
	}
	if !spec.Taking {
		a.blocked = a.untakable()
	}
	return nil
}

// source is whose load balancer a stack is to take, where it has none of its own or has not taken all of it.
func (l *Loop) source(a *attempt) (from model.Owner, wanted bool) {
	spec := a.state.object.Spec
	if spec.Taking {
		return unspell(spec.TakenFrom)
	}
	if a.req.Adopt == nil || a.unwanted() {
		return from, false
	}
	if spec.LoadBalancer == nil {
		return *a.req.Adopt, true
	}
	if spec.TakenFrom != spell(*a.req.Adopt) {
		a.findings = append(slices.Clone(a.findings), model.Finding{
			Object: a.req.Intent.Fragments[0].Member, Severity: model.Warning, Reason: "NothingTaken", Field: "headgate.dev/adopt",
			Message: "there is a load balancer already, so that of " + named(spell(*a.req.Adopt)) + " is not taken: remove the annotation, " +
				"or make a new object that takes it",
		})
	}
	return from, false
}

// untakable says why what the giver holds cannot be taken; empty where it can.
func (a *attempt) untakable() string {
	whose := named(spell(a.taking.from))
	switch seen := a.taking.seen; {
	case seen.Frontend != nil || len(seen.Leftovers) > 0:
		return "the load balancer of " + whose + " has another one in front of it, or is being replaced: it cannot be taken as it is"
	case seen.LoadBalancer != nil && a.observed.LoadBalancer.ARN != seen.LoadBalancer.ARN:
		return "there is a load balancer already, so that of " + whose + " cannot be taken"
	case a.observed.LoadBalancer == nil:
		return whose + " has no load balancer to take: remove the annotation headgate.dev/adopt to have a new one"
	}
	return ""
}

// join adds to what a stack holds what it takes: all but certificates, which the giver deletes in its end where nobody else has them.
func (l *Loop) join(ctx context.Context, a *attempt, seen *model.Stack) error {
	theirs, err := l.cloud.Observe(ctx, a.taking.from, nil)
	if err != nil {
		return fmt.Errorf("observing %s, which gives its load balancer: %w", a.taking.from, err)
	}
	a.taking.seen = theirs
	if theirs.LoadBalancer != nil && seen.LoadBalancer == nil {
		seen.LoadBalancer, seen.Listeners, seen.Tagless = theirs.LoadBalancer, theirs.Listeners, theirs.Tagless
	}
	seen.TargetGroups = joined(seen.TargetGroups, theirs.TargetGroups, func(g model.TargetGroup) model.ARN { return g.ARN })
	seen.SecurityGroups = joined(seen.SecurityGroups, theirs.SecurityGroups, func(g model.SecurityGroup) model.ARN { return g.ARN })
	return nil
}

func joined[T any](mine, theirs []T, arn func(T) model.ARN) []T {
	out := slices.Clone(mine)
	for _, one := range theirs {
		if !slices.ContainsFunc(mine, func(m T) bool { return arn(m) == arn(one) }) {
			out = append(out, one)
		}
	}
	return out
}

// claimed gives the target groups that are taken the resource IDs that they have here.
func (l *Loop) claimed(ctx context.Context, a *attempt) error {
	if a.taking == nil {
		return nil
	}
	bindings, err := l.bindingsOf(ctx, a.taking.from)
	if err != nil {
		return err
	}
	a.observed.TargetGroups = matched(a.desired.TargetGroups, a.observed.TargetGroups, bindings)
	return nil
}

// matched gives observed target groups the resource IDs of those that are wanted for the same port of the same Service, so that they are
// kept: their targets are healthy.
func matched(wanted, observed []model.TargetGroup, bindings map[model.ARN]*elbv2v1beta1.TargetGroupBinding) []model.TargetGroup {
	out := slices.Clone(observed)
	for _, want := range wanted {
		if slices.ContainsFunc(out, func(g model.TargetGroup) bool { return g.ID == want.ID }) {
			continue
		}
		i := slices.IndexFunc(out, func(g model.TargetGroup) bool {
			b := bindings[g.ARN]
			return b != nil && b.Namespace == want.Backend.Namespace && b.Spec.ServiceRef.Name == want.Backend.Service &&
				b.Spec.ServiceRef.Port == portValue(want.Backend.Port) &&
				!slices.ContainsFunc(wanted, func(w model.TargetGroup) bool { return w.ID == g.ID })
		})
		if i >= 0 {
			out[i].ID = want.ID
		}
	}
	return out
}

// released adds to what was set before the tags of the giver, on all that it holds: nobody asks for them any more.
func (t *taking) released(before map[model.Key]plan.Applied, observed model.Stack) map[model.Key]plan.Applied {
	out := maps.Clone(before)
	release := func(key model.Key) {
		one := out[key]
		one.Tags = maps.Clone(one.Tags)
		if one.Tags == nil {
			one.Tags = map[string]string{}
		}
		one.Tags[t.from.StackTag()], one.Tags[t.from.ResourceTag()] = "", ""
		out[key] = one
	}
	release(model.Key{Kind: model.KindLoadBalancer, ID: model.ResourceLoadBalancer})
	for _, g := range observed.TargetGroups {
		release(model.Key{Kind: model.KindTargetGroup, ID: g.ID})
	}
	for _, g := range observed.SecurityGroups {
		release(model.Key{Kind: model.KindSecurityGroup, ID: g.ID})
	}
	return out
}

// inTurn has tags removed after others were added: in no moment is a resource nobody's.
func inTurn(p plan.Plan) {
	for i := range p.Changes {
		c := &p.Changes[i]
		if c.Op != plan.RemoveTags {
			continue
		}
		for _, o := range p.Changes {
			if o.Op == plan.AddTags && o.ARN == c.ARN {
				c.After = append(slices.Clone(c.After), o.ID)
			}
		}
	}
}

// bindingsOf are the bindings of a stack, by their target groups.
func (l *Loop) bindingsOf(ctx context.Context, owner model.Owner) (map[model.ARN]*elbv2v1beta1.TargetGroupBinding, error) {
	var list elbv2v1beta1.TargetGroupBindingList
	if err := l.client.List(ctx, &list, client.MatchingLabels(bindingLabels(owner))); err != nil {
		return nil, fmt.Errorf("listing the bindings of %s: %w", owner, err)
	}
	out := map[model.ARN]*elbv2v1beta1.TargetGroupBinding{}
	for i := range list.Items {
		out[model.ARN(list.Items[i].Spec.TargetGroupARN)] = &list.Items[i]
	}
	return out, nil
}

// relabel makes labels those of one stack alone.
func relabel(labels, own map[string]string) {
	for _, prefix := range []string{model.PrefixIngress, model.PrefixService, model.PrefixGatewayALB, model.PrefixGatewayNLB} {
		for _, key := range []string{"/stack", "/stack-name", "/stack-namespace"} {
			delete(labels, prefix+key)
		}
	}
	maps.Copy(labels, own)
}

// release gives the giver's lock back.
func (a *attempt) release() {
	if a.lent != nil {
		a.lent.Unlock()
	}
}

// unspell reads what [spell] wrote.
func unspell(text string) (model.Owner, bool) {
	cluster, rest, _ := strings.Cut(text, " ")
	prefix, stack, ok := strings.Cut(rest, ":")
	return model.Owner{Cluster: cluster, Prefix: prefix, Stack: stack}, ok
}

// named is an owner as its user knows it.
func named(spelt string) string {
	owner, _ := unspell(spelt)
	switch {
	case owner.Prefix == model.PrefixGatewayALB:
		return "Gateway " + owner.Stack
	case strings.Contains(owner.Stack, "/"):
		return "Ingress " + owner.Stack
	}
	return "the group of Ingresses " + owner.Stack
}
