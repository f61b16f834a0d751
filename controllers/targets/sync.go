package targets

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	elbv2v1beta1 "github.com/headgate/headgate/apis/elbv2/v1beta1"
	"github.com/headgate/headgate/model"
)

// problem is a mistake in a binding: nothing is changed for it until it is mended.
type problem struct {
	reason, message string
	// again is when to look whether it is mended, zero where only a change of the binding or its Service can mend it.
	again time.Duration
}

// sync tells the network, registers and deregisters, and looks at the health. It returns when to look again.
func (r *Reconciler) sync(ctx context.Context, b *elbv2v1beta1.TargetGroupBinding) (time.Duration, problem, error) {
	if p, err := r.complete(ctx, b); err != nil || p != (problem{}) {
		r.network.expect(b)
		return 0, p, err
	}
	want, p, err := r.confirmed(ctx, b)
	if err != nil {
		return 0, problem{}, err
	}
	if p != (problem{}) {
		return 0, p, r.keep(ctx, b)
	}
	group, wrong, err := r.group(ctx, b)
	if wrong != (problem{}) {
		r.network.expect(b)
		return 0, wrong, nil
	}
	r.admit(ctx, b, want.with(r.file(client.ObjectKeyFromObject(b)).breaker.held))
	if err != nil {
		return 0, problem{}, err
	}
	if taken, err := r.take(ctx, b, group); err != nil || taken != (problem{}) {
		return 0, taken, err
	}
	if err := r.claim(ctx, b); err != nil {
		return 0, problem{}, err
	}
	r.lane.use(group, r.reach(b))
	after, p, err := r.level(ctx, b, group, want)
	if absent(err) && !r.made(b) {
		r.lane.forget(group)
		return 0, missing(b, group), nil
	}
	if err != nil {
		return 0, problem{}, err
	}
	if roleOf(b).ARN == "" {
		r.learn(group)
	}
	if p == (problem{}) {
		p = r.tooMany(want.targets)
	}
	return after, p, errors.Join(r.spend(ctx, b, p), r.leave(ctx, b))
}

// wish is what shall be registered, and all endpoints that it was chosen from.
type wish struct {
	targets []model.Target
	all     []endpoint
}

// coming is how many endpoints there are that do not go, those included that are not ready yet.
func (w wish) coming() int {
	n := 0
	for _, e := range w.all {
		if !e.terminating {
			n++
		}
	}
	return n
}

// with are the targets that shall be registered, and those that are held.
func (w wish) with(held record) []model.Target {
	out := slices.Clone(w.targets)
	for _, one := range slices.Sorted(maps.Keys(held)) {
		if t, ok := targetOf(one); ok && !slices.Contains(out, t) {
			out = append(out, t)
		}
	}
	return out
}

// admit has the network admit traffic to targets.
func (r *Reconciler) admit(ctx context.Context, b *elbv2v1beta1.TargetGroupBinding, targets []model.Target) {
	r.network.set(b, r.addresses(ctx, b, targets), targets)
}

// keep has the network admit traffic to the targets as they are, where nobody told it yet: those of a binding that cannot be followed now
// stay registered.
func (r *Reconciler) keep(ctx context.Context, b *elbv2v1beta1.TargetGroupBinding) error {
	if b.Spec.Networking == nil || r.network.has(client.ObjectKeyFromObject(b)) {
		return nil
	}
	group, wrong, err := r.group(ctx, b)
	if err != nil {
		return err
	}
	if wrong != (problem{}) {
		r.network.expect(b)
		return nil
	}
	r.lane.use(group, r.reach(b))
	known, _, err := r.lane.registered(ctx, group)
	if err == nil {
		known, err = r.own(ctx, b, known)
	}
	if err != nil && !absent(err) {
		return err
	}
	r.admit(ctx, b, known)
	return nil
}

// level brings the targets of a group in line with what is wanted and looks at their health.
func (r *Reconciler) level(ctx context.Context, b *elbv2v1beta1.TargetGroupBinding, group model.ARN, w wish) (time.Duration, problem, error) {
	l, p, err := r.move(ctx, b, group, w)
	if err != nil {
		return 0, problem{}, err
	}
	key := client.ObjectKeyFromObject(b)
	want := w.targets
	if p != (problem{}) {
		want = w.with(r.file(key).breaker.held)
		r.admit(ctx, b, want)
	}
	r.edit(key, func(f *file) { f.idle = len(want) == 0 })
	r.board.Want(group, r.most(max(len(want), w.coming())))
	after, err := r.look(ctx, key, l)
	if err != nil {
		return after, p, err
	}
	quiet, err := r.settle(ctx, b, group, want)
	return sooner(after, quiet), p, err
}

// sooner is the shorter of two times, of which zero is none.
func sooner(a, b time.Duration) time.Duration {
	if a == 0 || b == 0 {
		return max(a, b)
	}
	return min(a, b)
}

// move registers and deregisters what it takes to have the targets that are wanted, but for those that are held.
func (r *Reconciler) move(ctx context.Context, b *elbv2v1beta1.TargetGroupBinding, group model.ARN, w wish) (looking, problem, error) {
	r.restore(b, group, w.targets)
	known, health, err := r.lane.registered(ctx, group)
	if err != nil {
		return looking{}, problem{}, err
	}
	want := r.bounded(w.targets, known)
	delta := diff(want, known)
	if delta.deregister, err = r.spare(ctx, b, group, delta.deregister); err != nil {
		return looking{}, problem{}, err
	}
	held, p, err := r.hold(ctx, b, step{wish: w, known: known, delta: delta})
	if err != nil {
		return looking{}, problem{}, err
	}
	delta.deregister, want = diff(held, delta.deregister).deregister, slices.Concat(want, held)
	if delta.empty() {
		return looking{group: group, health: health}, p, r.note(ctx, b, recordOf(want))
	}
	return looking{group: group, changed: true}, p, r.change(ctx, b, group, step{wish: wish{targets: want}, delta: delta})
}

// change registers and deregisters. Before and after, it is written down where other clusters have targets in the group too.
func (r *Reconciler) change(ctx context.Context, b *elbv2v1beta1.TargetGroupBinding, group model.ARN, s step) error {
	want, delta := s.wish.targets, s.delta
	register, err := r.zoned(ctx, b, delta.register)
	if err != nil {
		return err
	}
	delta.register = register
	if err := errors.Join(r.note(ctx, b, recordOf(want, delta.deregister)), r.unsettle(ctx, b)); err != nil {
		return err
	}
	if err := r.lane.apply(ctx, group, delta); err != nil {
		return err
	}
	return r.note(ctx, b, recordOf(want))
}

// bounded are the targets that fit the bound: those that are registered first, then in order, so that who is in stays in.
func (r *Reconciler) bounded(want, known []model.Target) []model.Target {
	limit := r.opts.MaxTargets
	if limit <= 0 || len(want) <= limit {
		return want
	}
	old := recordOf(known)
	out := old.of(want)
	for _, t := range want {
		if !old[entry(t)] {
			out = append(out, t)
		}
	}
	return out[:limit]
}

// most is how many of so many targets are registered.
func (r *Reconciler) most(targets int) int {
	if r.opts.MaxTargets <= 0 {
		return targets
	}
	return min(targets, r.opts.MaxTargets)
}

// tooMany tells that not all fit.
func (r *Reconciler) tooMany(want []model.Target) problem {
	if r.opts.MaxTargets <= 0 || len(want) <= r.opts.MaxTargets {
		return problem{}
	}
	return problem{reason: "TooManyTargets", message: fmt.Sprintf(
		"%d of %d targets are registered: the operator's flag --max-targets-per-target-group allows no more; raise it, or spread the Service over several",
		r.opts.MaxTargets, len(want))}
}

// confirmed is what shall be registered. An endpoint list that is suddenly empty is read again, past the cache.
func (r *Reconciler) confirmed(ctx context.Context, b *elbv2v1beta1.TargetGroupBinding) (wish, problem, error) {
	want, p, err := r.want(ctx, r.client, b)
	if err != nil || len(want.targets) > 0 || r.file(client.ObjectKeyFromObject(b)).idle {
		return want, p, err
	}
	return r.want(ctx, r.live, b)
}

// want is what shall be registered, as reader knows the endpoints. A Service that is gone has none; a port that a Service does not
// have is a mistake.
func (r *Reconciler) want(ctx context.Context, reader client.Reader, b *elbv2v1beta1.TargetGroupBinding) (wish, problem, error) {
	service := &corev1.Service{}
	key := client.ObjectKey{Namespace: b.Namespace, Name: b.Spec.ServiceRef.Name}
	if err := reader.Get(ctx, key, service); err != nil {
		if client.IgnoreNotFound(err) == nil {
			return wish{}, problem{}, nil
		}
		return wish{}, problem{}, fmt.Errorf("reading Service %s: %w", key, err)
	}
	p, ok := servicePort(service, b)
	if !ok {
		return wish{}, problem{reason: "BackendNotFound", message: fmt.Sprintf(
			"spec.serviceRef.port: Service %s has no port %s; its targets stay as they are: name a port that it has",
			key, b.Spec.ServiceRef.Port.String())}, nil
	}
	if !ofNodes(b) {
		return r.endpointTargets(ctx, reader, b, port{name: p.Name, family: familyOf(b)})
	}
	if p.NodePort == 0 {
		return wish{}, problem{reason: "NoNodePort", message: fmt.Sprintf(
			"spec.serviceRef: port %s of Service %s has no node port, which targets of the type instance need; the targets stay as they are: "+
				"make it a Service of the type NodePort, or use targets of the type ip", b.Spec.ServiceRef.Port.String(), key)}, nil
	}
	nodes, wrong, err := r.nodes(ctx, reader, b, int(p.NodePort))
	return wish{targets: nodes}, wrong, err
}

// endpointTargets are the addresses of pods that shall be registered.
func (r *Reconciler) endpointTargets(ctx context.Context, reader client.Reader, b *elbv2v1beta1.TargetGroupBinding, p port) (wish, problem, error) {
	all, err := listed(ctx, reader, b, p)
	if err != nil {
		return wish{}, problem{}, err
	}
	gated, err := r.gating(ctx, b, all)
	if err != nil {
		return wish{}, problem{}, err
	}
	return wish{targets: desired(all, gated, r.opts.FailOpen), all: all}, problem{}, nil
}

// listed are the endpoints of the port of a binding's Service.
func listed(ctx context.Context, reader client.Reader, b *elbv2v1beta1.TargetGroupBinding, p port) ([]endpoint, error) {
	var list discoveryv1.EndpointSliceList
	err := reader.List(ctx, &list, client.InNamespace(b.Namespace), client.MatchingLabels{discoveryv1.LabelServiceName: b.Spec.ServiceRef.Name})
	if err != nil {
		return nil, fmt.Errorf("listing the endpoints of Service %s/%s: %w", b.Namespace, b.Spec.ServiceRef.Name, err)
	}
	return endpoints(list.Items, p), nil
}

// servicePort finds the Service port that the binding names.
func servicePort(s *corev1.Service, b *elbv2v1beta1.TargetGroupBinding) (corev1.ServicePort, bool) {
	want := b.Spec.ServiceRef.Port
	for _, p := range s.Spec.Ports {
		if want.StrVal != "" && p.Name == want.StrVal || want.StrVal == "" && p.Port == want.IntVal {
			return p, true
		}
	}
	return corev1.ServicePort{}, false
}

// familyOf is the address family of a binding's targets.
func familyOf(b *elbv2v1beta1.TargetGroupBinding) discoveryv1.AddressType {
	if t := b.Spec.IPAddressType; t != nil && *t == elbv2v1beta1.TargetGroupIPAddressTypeIPv6 {
		return discoveryv1.AddressTypeIPv6
	}
	return discoveryv1.AddressTypeIPv4
}

// zoned marks addresses outside the target group's VPC: AWS takes them only with the zone "all" (ELBv2 API, TargetDescription).
func (r *Reconciler) zoned(ctx context.Context, b *elbv2v1beta1.TargetGroupBinding, targets []model.Target) ([]model.Target, error) {
	if len(targets) == 0 || ofNodes(b) {
		return targets, nil
	}
	facts, err := r.names.Facts(ctx, model.Needs{})
	if err != nil {
		return nil, fmt.Errorf("reading the ranges of the VPC: %w", err)
	}
	vpc, err := r.vpcOf(ctx, b)
	if err != nil {
		return nil, err
	}
	out := slices.Clone(targets)
	away := vpc != "" && facts.VPC.ID != "" && vpc != facts.VPC.ID
	for i := range out {
		if away || !within(out[i].ID, facts.VPC.CIDRs) {
			out[i].Zone = "all"
		}
	}
	return out, nil
}

// vpcOf is the VPC of a binding's target group.
func (r *Reconciler) vpcOf(ctx context.Context, b *elbv2v1beta1.TargetGroupBinding) (string, error) {
	if b.Spec.VpcID != "" || r.made(b) {
		return b.Spec.VpcID, nil
	}
	group, _, err := r.group(ctx, b)
	if err != nil {
		return "", err
	}
	shape, err := r.shape(ctx, b, group)
	return shape.VPC, err
}

// within tells whether an address is in one of the ranges. Of what cannot be read, and without any, AWS shall judge.
func within(address string, ranges []string) bool {
	ip, err := netip.ParseAddr(address)
	if err != nil || len(ranges) == 0 {
		return true
	}
	return slices.ContainsFunc(ranges, func(text string) bool {
		prefix, err := netip.ParsePrefix(text)
		return err != nil || prefix.Contains(ip)
	})
}
