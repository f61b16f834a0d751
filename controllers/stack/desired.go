package stack

import (
	"context"
	"maps"
	"slices"

	"github.com/headgate/headgate/model"
)

// prepare builds what is desired.
func (l *Loop) prepare(ctx context.Context, a *attempt) error {
	a.heed()
	a.keepTime()
	l.linger(a)
	if err := l.handover(ctx, a); err != nil || a.blocked != "" {
		return err
	}
	l.commons.enter(a)
	a.roster = newRoster(a.req, a.state.good)
	a.roster.linger(a.lingering)
	a.roster.blame(a.req.Findings)
	a.withhold()
	if a.blocked = a.roster.unfounded(); a.blocked != "" {
		return nil
	}
	if err := l.build(ctx, a); err != nil || a.blocked != "" {
		return err
	}
	return a.state.remember(a.roster.keep())
}

// build makes the desired stack. A member that the build finds wrong is served by what it had before, and the rest is built again.
func (l *Loop) build(ctx context.Context, a *attempt) error {
	for {
		if a.roster.needObserved() && a.observed == nil {
			if err := l.observe(ctx, a); err != nil {
				return err
			}
		}
		if a.blocked = a.roster.hollow(a.seen(), a.findings); a.blocked != "" {
			return nil
		}
		in := a.req.Intent
		in.Fragments = a.roster.fragments(a.seen())
		a.fragments = in.Fragments
		in.Before, in.Observed = slices.Collect(maps.Values(a.state.good)), a.seen().Listeners
		if err := l.gather(ctx, a, in); err != nil {
			return err
		}
		a.roster.groups, a.roster.facts = a.facts.SecurityGroups, a.facts
		built := a.state.built.Build(in, a.facts)
		if acted := a.roster.blame(built.Findings); len(acted) > 0 {
			a.findings = merge(a.findings, acted)
			continue
		}
		if len(built.Left) > 0 && a.observed == nil && a.roster.unknown() {
			if err := l.observe(ctx, a); err != nil {
				return err
			}
			continue // who stands is seen in AWS
		}
		a.roster.left = built.Left
		a.findings = merge(a.findings, slices.DeleteFunc(built.Findings, func(f model.Finding) bool { return !a.roster.concerns(f) }))
		a.findings = merge(a.findings, slices.Concat(renames(in.Fragments, a.facts, built.Stack), expiring(in.Fragments, l.opts.Now())))
		a.roster.tally(built.Stack)
		a.blocked, a.hold = built.Blocked, built.Hold
		if a.blocked == "" {
			a.desired, a.hashed = withHeldGroups(built.Stack, a.seen()), nil
		}
		return nil
	}
}
