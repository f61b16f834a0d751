package inventory

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"golang.org/x/sync/errgroup"

	"github.com/headgate/headgate/model"
)

// allListeners tells whether the observation reads every listener with its rules.
func (o *observation) allListeners() bool {
	return !slices.ContainsFunc(o.stack.Listeners, func(l model.Listener) bool { return !o.wantListener(l) }) && o.wantListeners()
}

// wantListeners tells whether any listener or rule is asked for.
func (o *observation) wantListeners() bool {
	return o.want(model.Key{Kind: model.KindListener}) || o.want(model.Key{Kind: model.KindRule})
}

// wantListener tells whether a listener, or any rule, is asked for.
func (o *observation) wantListener(l model.Listener) bool {
	id := strconv.Itoa(l.Port)
	return o.want(model.Key{Kind: model.KindListener, ID: id}) || o.want(model.Key{Kind: model.KindListener, ID: id + "/udp"}) ||
		o.want(model.Key{Kind: model.KindRule})
}

func (o *observation) observeListeners(ctx context.Context) error {
	if o.stack.LoadBalancer == nil || !o.wantListeners() {
		return nil
	}
	lb := o.stack.LoadBalancer.ARN
	found, err := o.Inventory.listeners.of(lb).get(ctx, o.oldest(), o.now(), func(ctx context.Context) ([]model.Listener, error) {
		return o.elb.Listeners(ctx, lb)
	})
	if err != nil {
		return fmt.Errorf("observing listeners: %w", err)
	}
	o.stack.Listeners = make([]model.Listener, len(found))
	group, reading := errgroup.WithContext(ctx)
	group.SetLimit(readers)
	for n, l := range found {
		o.stack.Listeners[n] = copyListener(l)
		if !o.wantListener(l) {
			continue
		}
		group.Go(func() error { return o.observeListener(reading, &o.stack.Listeners[n]) })
	}
	if err := group.Wait(); err != nil {
		return fmt.Errorf("observing listeners: %w", err)
	}
	return o.observeTags(ctx)
}

func (o *observation) observeListener(ctx context.Context, l *model.Listener) error {
	var err error
	if l.Attributes, err = o.attributesOf(ctx, model.KindListener, l.ARN); err != nil {
		return err
	}
	if l.Protocol == "HTTPS" || l.Protocol == "TLS" {
		more, err := o.Inventory.certificates.of(l.ARN).get(ctx, o.oldest(), o.now(), func(ctx context.Context) ([]model.ARN, error) {
			return o.elb.Certificates(ctx, l.ARN)
		})
		if err != nil {
			return fmt.Errorf("observing certificates: %w", err)
		}
		l.Certificates = append(l.Certificates, more...)
	}
	if l.Protocol != "HTTP" && l.Protocol != "HTTPS" {
		return nil // only an ALB's listeners have rules
	}
	rules, err := o.Inventory.rules.of(l.ARN).get(ctx, o.oldest(), o.now(), func(ctx context.Context) ([]model.Rule, error) {
		return o.elb.Rules(ctx, l.ARN)
	})
	if err != nil {
		return fmt.Errorf("observing rules: %w", err)
	}
	l.Rules = project(rules, copyRule)
	l.Park()
	return nil
}

// observeTags fills the tags of listeners and rules in, reading those that are not known.
func (o *observation) observeTags(ctx context.Context) error {
	var unknown []model.ARN
	each := func(f func(arn model.ARN, tags *map[string]string)) {
		for n := range o.stack.Listeners {
			l := &o.stack.Listeners[n]
			f(l.ARN, &l.Tags)
			for m := range l.Rules {
				f(l.Rules[m].ARN, &l.Rules[m].Tags)
			}
		}
	}
	o.mu.Lock()
	each(func(arn model.ARN, _ *map[string]string) {
		if _, ok := o.tags[arn]; !ok {
			unknown = append(unknown, arn)
		}
	})
	o.mu.Unlock()
	read, err := o.elb.Tags(ctx, unknown)
	if err != nil {
		return fmt.Errorf("observing tags of rules: %w", err)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	maps.Copy(o.tags, read)
	each(func(arn model.ARN, tags *map[string]string) {
		if len(o.tags[arn]) > 0 {
			*tags = maps.Clone(o.tags[arn])
		}
	})
	return nil
}

// copyListener is deep enough that references can be written into the copy.
func copyListener(l model.Listener) model.Listener {
	l.Certificates = slices.Clone(l.Certificates)
	l.DefaultActions = copyActions(l.DefaultActions)
	return l
}

func copyRule(r model.Rule) model.Rule {
	r.Actions = copyActions(r.Actions)
	return r
}

func copyActions(in []model.Action) []model.Action {
	return project(in, func(a model.Action) model.Action {
		if a.Forward != nil {
			f := *a.Forward
			f.Groups = slices.Clone(f.Groups)
			a.Forward = &f
		}
		return a
	})
}
