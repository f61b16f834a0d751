package stack

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"sigs.k8s.io/controller-runtime/pkg/client"

	headgatev1alpha1 "github.com/headgate/headgate/apis/headgate/v1alpha1"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/plan"
)

// commons is what all stacks ask of the imported certificates, which they share. It is known in memory alone, and filled from the
// StackStates of those that have not run since the start.
//
// Nobody's certificate changes under it: a stack says what it may ask for before it observes, so that no other takes that content away; what
// a plan is about to import, renew or delete is claimed in the same moment in which the plan is made; and who observed before somebody
// else's claim was over takes that certificate for one that it knows nothing of.
type commons struct {
	mu sync.Mutex
	// loaded says that the stacks which have not run are known, too.
	loaded  bool
	parties map[string]*party
	// claims are certificates by ARN, and contents by digest.
	claims map[string]claim
	// strangers are certificates that AWS says somebody has of whom nothing is known.
	strangers map[model.ARN]bool
	// now counts the runs that began, by which what happened before is told from what happened after.
	now int
}

// party is what one stack asks for.
type party struct {
	owner model.Owner
	// wants are contents by digest; until it agrees, all that it may ask for.
	wants map[string]bool
	// has are the certificates that its listeners may have.
	has map[model.ARN]bool
	// chosen is the certificate of a content, once the stack is settled.
	chosen map[string]model.ARN
	// agrees says that wants is what its plan is made for, and may be carried out.
	agrees bool
	// began is the count of its run.
	began int
}

// claim is a change of a certificate that somebody makes, or made.
type claim struct {
	by string
	// over is the count at its end, zero until then.
	over int
}

func newCommons() *commons {
	return &commons{parties: map[string]*party{}, claims: map[string]claim{}, strangers: map[model.ARN]bool{}}
}

// load takes what is remembered of stacks that did not run since the start.
func (c *commons) load(ctx context.Context, from client.Reader, cluster string) error {
	c.mu.Lock()
	loaded := c.loaded
	c.mu.Unlock()
	if loaded {
		return nil
	}
	var list headgatev1alpha1.StackStateList
	if err := from.List(ctx, &list); err != nil {
		return fmt.Errorf("reading which stacks share certificates: %w", err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.loaded = true
	for i := range list.Items {
		spec := list.Items[i].Spec
		if _, ran := c.parties[spec.Owner]; ran || !strings.HasPrefix(spec.Owner, cluster+" ") {
			continue
		}
		p := c.party(spec.Owner)
		for _, r := range spec.Resources {
			p.remember(r)
		}
		for _, packed := range spec.Fragments {
			if f, err := unpack(packed); err == nil {
				maps.Copy(p.wants, contentsOf(f))
			}
		}
	}
	return nil
}

func (c *commons) party(name string) *party {
	p, ok := c.parties[name]
	if !ok {
		p = &party{wants: map[string]bool{}, has: map[model.ARN]bool{}, chosen: map[string]model.ARN{}}
		c.parties[name] = p
	}
	return p
}

// remember takes a resource that was applied.
func (p *party) remember(r headgatev1alpha1.AppliedResource) {
	if key, err := model.ParseKey(r.Key); err == nil && key.Kind == model.KindCertificate && r.ARN != "" {
		p.has[model.ARN(r.ARN)] = true
	}
}

// enter begins a run: from here on nobody takes away what the stack may ask for.
func (c *commons) enter(a *attempt) {
	c.mu.Lock()
	defer c.mu.Unlock()
	p := c.party(spell(a.owner))
	c.now++
	p.owner, p.began = a.owner, c.now
	for _, r := range a.state.object.Spec.Resources {
		p.remember(r)
	}
	for _, f := range slices.Concat(a.req.Intent.Fragments, slices.Collect(maps.Values(a.state.good))) {
		maps.Copy(p.wants, contentsOf(f))
	}
}

// leave ends a run and its claims.
func (c *commons) leave(owner model.Owner) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for what, one := range c.claims {
		if one.by == spell(owner) && one.over == 0 {
			c.claims[what] = claim{by: one.by, over: c.now + 1}
		}
	}
	if p := c.parties[spell(owner)]; p != nil {
		p.began = 0
	}
	oldest := c.now + 1
	for _, p := range c.parties {
		if p.began > 0 {
			oldest = min(oldest, p.began)
		}
	}
	maps.DeleteFunc(c.claims, func(_ string, one claim) bool { return one.over > 0 && one.over <= oldest })
}

// drop forgets a stack that is gone.
func (c *commons) drop(owner model.Owner) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.parties, spell(owner))
}

// busy tells whether somebody else changes something, or did since p began.
func (c *commons) busy(what string, p *party) bool {
	one, ok := c.claims[what]
	return ok && one.by != spell(p.owner) && (one.over == 0 || one.over > p.began)
}

// plan makes the plan of a stack with what the others ask for, and claims what it changes of what they share.
func (c *commons) plan(a *attempt, parted map[string]bool, diff func() plan.Plan) plan.Plan {
	c.mu.Lock()
	defer c.mu.Unlock()
	p := c.party(spell(a.owner))
	a.sharing = &plan.Sharing{Certificates: map[model.ARN]plan.Share{}, Pending: map[string]bool{}, Parted: parted}
	a.observed.Certificates = slices.Clone(a.observed.Certificates)
	for _, want := range a.desired.Certificates {
		a.sharing.Pending[want.Digest] = want.Digest != "" && c.busy(want.Digest, p)
	}
	for i, have := range a.observed.Certificates {
		if have.Type != model.CertificateImported {
			continue
		}
		c.hold(p, have, a.observed.Listeners)
		share := c.share(have, p, a.desired)
		if c.busy(string(have.ARN), p) {
			share.Wanted, a.observed.Certificates[i].Digest = true, ""
		}
		a.sharing.Certificates[have.ARN] = share
	}
	out := diff()
	for _, change := range out.Changes {
		if change.Certificate == nil || len(change.Needs) > 0 || change.Certificate.Type != model.CertificateImported {
			continue
		}
		c.claim(string(change.ARN), p)
		if change.Op == plan.ImportCertificate {
			c.claim(change.Certificate.Digest, p)
		}
	}
	return out
}

func (c *commons) claim(what string, p *party) {
	if what != "" {
		c.claims[what] = claim{by: spell(p.owner)}
	}
}

// hold notes a certificate that a listener has; one that was chosen and holds something else now is chosen no more.
func (c *commons) hold(p *party, have model.OwnCertificate, listeners []model.Listener) {
	on := slices.ContainsFunc(listeners, func(l model.Listener) bool { return slices.Contains(l.Certificates, have.ARN) })
	if on && !p.has[have.ARN] {
		p.has[have.ARN] = true
		delete(c.strangers, have.ARN) // this is who it was
	}
	maps.DeleteFunc(p.chosen, func(digest string, arn model.ARN) bool { return arn == have.ARN && digest != have.Digest })
}

// share is what the others ask of a certificate, as far as it matters to a stack.
func (c *commons) share(have model.OwnCertificate, asking *party, desired model.Stack) plan.Share {
	out := plan.Share{Wanted: c.strangers[have.ARN]}
	agreed := map[string]bool{}
	for _, want := range desired.Certificates {
		agreed[want.Digest] = true
	}
	for _, name := range slices.Sorted(maps.Keys(c.parties)) {
		p := c.parties[name]
		if p == asking {
			continue
		}
		out.Wanted = out.Wanted || p.mayTake(have) || p.has[have.ARN] && !p.agrees
		if !p.has[have.ARN] {
			continue
		}
		out.Users = append(out.Users, p.owner)
		maps.DeleteFunc(agreed, func(digest string, _ bool) bool { return !p.wants[digest] })
	}
	out.Agreed = slices.Sorted(maps.Keys(agreed))
	return out
}

// mayTake tells whether a stack asks for what a certificate holds, and has no other with that.
func (p *party) mayTake(have model.OwnCertificate) bool {
	chosen, ok := p.chosen[have.Digest]
	return p.wants[have.Digest] && (!ok || chosen == have.ARN)
}

// agree says that what is desired is asked for from now on, and nothing else: its plan is about to be carried out.
func (c *commons) agree(a *attempt) {
	c.mu.Lock()
	defer c.mu.Unlock()
	p := c.party(spell(a.owner))
	p.wants, p.agrees = map[string]bool{}, true
	for _, want := range a.desired.Certificates {
		p.wants[want.Digest] = true
	}
	for _, have := range a.seen().Certificates { // what a listener keeps as it is
		if asked(a.desired, have.ARN) {
			p.wants[have.Digest] = true
		}
	}
	delete(p.wants, "")
}

// refused takes the renewals that were not made, because somebody has the certificate of whom nothing is known.
func (c *commons) refused(a *attempt) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, change := range a.plan.Changes {
		waits := func(w model.Waiting) bool { return w.Key == change.Key && w.For == plan.StateAgreed }
		if change.Op == plan.ImportCertificate && change.ARN != "" && slices.ContainsFunc(a.outputs.Waiting, waits) && len(change.Needs) == 0 {
			c.strangers[change.ARN] = true
		}
	}
}

// settled says that a stack has what it asks for, and nothing else. What it gave up meanwhile and nobody has any more is returned: it is
// for this stack to delete.
func (c *commons) settled(a *attempt) []model.Key {
	c.mu.Lock()
	defer c.mu.Unlock()
	p := c.party(spell(a.owner))
	has, chosen := map[model.ARN]bool{}, map[string]model.ARN{}
	for _, want := range a.desired.Certificates {
		if arn := a.outputs.ARNs[want.Key()]; want.Type == model.CertificateImported && arn != "" {
			has[arn], chosen[want.Digest] = true, arn
		}
	}
	var out []model.Key
	for _, have := range a.seen().Certificates {
		switch {
		case have.Type != model.CertificateImported || has[have.ARN]:
		case asked(a.desired, have.ARN):
			has[have.ARN] = true
		case p.has[have.ARN] && !deletes(a.plan, have.ARN):
			if share := c.share(have, p, a.desired); !share.Wanted && len(share.Users) == 0 {
				has[have.ARN] = true
				out = append(out, have.Key())
			}
		}
	}
	p.has, p.chosen = has, chosen
	return out
}

// looks are the certificates that a stack may have, for an observation to look at.
func (c *commons) looks(owner model.Owner) []model.Key {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []model.Key
	for _, arn := range slices.Sorted(maps.Keys(c.party(spell(owner)).has)) {
		out = append(out, model.Key{Kind: model.KindCertificate, ID: string(arn)})
	}
	return out
}

// asked tells whether a wanted listener names a certificate by ARN.
func asked(desired model.Stack, arn model.ARN) bool {
	return slices.ContainsFunc(desired.Listeners, func(l model.Listener) bool { return slices.Contains(l.Certificates, arn) })
}

func deletes(p plan.Plan, arn model.ARN) bool {
	return slices.ContainsFunc(p.Changes, func(c plan.Change) bool { return c.Op == plan.DeleteCertificate && c.ARN == arn })
}
