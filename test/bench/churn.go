package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// churn replaces pods one after the other.
func (p *play) churn(ctx context.Context, row measured) (measured, error) {
	const replacements = 20
	var took []time.Duration
	start := time.Now()
	for i := range replacements {
		began := time.Now()
		if err := p.replace(ctx, i%p.shape.members, podAddress(p.shape.targets()+i)); err != nil {
			return row, err
		}
		at, err := p.until(ctx, began, done("RegisterTargets"))
		if err != nil {
			return row, err
		}
		took = append(took, at.Sub(began))
		if _, err := p.until(ctx, began, done("DeregisterTargets")); err != nil {
			return row, err
		}
	}
	calls, _, err := p.settle(ctx, start)
	reads, writes, _ := count(calls)
	half, most := percentile(took, 50).Milliseconds(), percentile(took, 99).Milliseconds()
	row.got = []float64{float64(half), float64(most), float64(reads) / replacements, float64(writes) / replacements}
	row.here = fmt.Sprintf("%d / %d ms; %.1f + %.1f each", half, most, row.got[2], row.got[3])
	return row, err
}

// busy replaces a pod a second, while rules are edited as fast as the account lets them.
func (p *play) busy(ctx context.Context, row measured) (measured, error) {
	const replacements = 100
	editing, stop := context.WithCancel(ctx)
	edited := make(chan error, 1)
	go func() { edited <- p.keepEditing(editing) }()
	began, took, err := p.replacements(ctx, replacements)
	stop()
	if err := errors.Join(err, <-edited); err != nil {
		return row, err
	}
	calls, _, err := p.settle(ctx, began)
	var rules int
	for _, m := range calls {
		if m.Action == "ModifyRule" && !m.refused {
			rules++
		}
	}
	_, _, refused := count(calls)
	half, most := percentile(took, 50).Milliseconds(), percentile(took, 99).Milliseconds()
	row.here, row.got = fmt.Sprintf("%d / %d ms, beside %d edits of rules; %d refused", half, most, rules, refused), []float64{float64(half), float64(most)}
	return row, err
}

// percentile is the least of the times that so many of a hundred do not exceed.
func percentile(took []time.Duration, of int) time.Duration {
	const all = 100
	sorted := slices.Sorted(slices.Values(took))
	return sorted[(len(sorted)*of-1)/all]
}

// replacements gives how long after each one its RegisterTargets was answered.
func (p *play) replacements(ctx context.Context, n int) (began time.Time, took []time.Duration, err error) {
	const every = time.Second
	began = time.Now()
	for i := range n {
		at := time.Now()
		address := podAddress(p.shape.targets() + i)
		if err := p.replace(ctx, i%p.shape.members, address); err != nil {
			return began, nil, err
		}
		registered, err := p.until(ctx, at, registers(address))
		if err != nil {
			return began, nil, err
		}
		took = append(took, registered.Sub(at))
		time.Sleep(every - time.Since(at))
	}
	return began, took, nil
}

// keepEditing changes the weights of members in turn until it is stopped.
func (p *play) keepEditing(ctx context.Context) error {
	const every = 100 * time.Millisecond
	for i := 0; ; i++ {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(every):
		}
		if err := p.answerOtherwise(ctx, i%p.shape.members, i); err != nil && ctx.Err() == nil {
			return err
		}
	}
}

// answerOtherwise gives the last path of a member a fixed response that tells the nth edit from others.
func (p *play) answerOtherwise(ctx context.Context, member, n int) error {
	in := &networkingv1.Ingress{}
	if err := p.client.Get(ctx, client.ObjectKey{Namespace: p.name, Name: memberName(member)}, in); err != nil {
		return fmt.Errorf("reading a member: %w", err)
	}
	old := in.DeepCopy()
	in.Annotations["alb.ingress.kubernetes.io/actions.told"] = fmt.Sprintf(
		`{"type":"fixed-response","fixedResponseConfig":{"contentType":"text/plain","statusCode":"200","messageBody":"%d"}}`, n)
	if paths := &in.Spec.Rules[0].HTTP.Paths; len(*paths) == p.shape.paths {
		*paths = append(*paths, toldPath())
	}
	if err := p.client.Patch(ctx, in, client.MergeFrom(old)); err != nil {
		return fmt.Errorf("editing a member: %w", err)
	}
	return nil
}

func (p *play) replace(ctx context.Context, member int, address string) error {
	slice := &discoveryv1.EndpointSlice{}
	if err := p.client.Get(ctx, client.ObjectKey{Namespace: p.name, Name: serviceName(member, 0)}, slice); err != nil {
		return fmt.Errorf("reading endpoints: %w", err)
	}
	slice.Endpoints[0].Addresses = []string{address}
	if err := p.client.Update(ctx, slice); err != nil {
		return fmt.Errorf("replacing a pod: %w", err)
	}
	return nil
}
