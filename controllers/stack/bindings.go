package stack

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	elbv2v1beta1 "github.com/headgate/headgate/apis/elbv2/v1beta1"
	"github.com/headgate/headgate/controllers/outcome"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/plan"
)

// bindingLabels mark the bindings of a stack, as the incumbent labels them.
func bindingLabels(owner model.Owner) map[string]string {
	if namespace, name, ok := strings.Cut(owner.Stack, "/"); ok {
		return map[string]string{owner.Prefix + "/stack-namespace": namespace, owner.Prefix + "/stack-name": name}
	}
	return map[string]string{owner.Prefix + "/stack": owner.Stack}
}

// OwnerOf is the stack that a binding says it was made for, as the stack's tag names it, with the prefix of its labels; ok is false
// for a binding that says nothing. Users can write labels: [Made] tells whether it is so.
func OwnerOf(b client.Object) (prefix, stack string, ok bool) {
	labels := b.GetLabels()
	for _, prefix := range []string{model.PrefixIngress, model.PrefixService, model.PrefixGatewayALB, model.PrefixGatewayNLB} {
		if stack := labels[prefix+"/stack"]; stack != "" {
			return prefix, stack, true
		}
		if name := labels[prefix+"/stack-name"]; name != "" {
			return prefix, labels[prefix+"/stack-namespace"] + "/" + name, true
		}
	}
	return "", "", false
}

// Made tells whether a binding was made for a stack, not by a user: its target group goes with the stack. Stacks, the incumbent's too,
// name a binding like its target group; one that has just the labels was written by hand. Its namespace is known to [Board.Home].
func Made(b *elbv2v1beta1.TargetGroupBinding) bool {
	_, _, ok := OwnerOf(b)
	return ok && b.Name == nameOfTargetGroup(model.ARN(b.Spec.TargetGroupARN))
}

// bind makes one binding for each target group that exists. Those whose target group is not wanted any more go when that is gone, or the
// plan is done: until then their targets may still serve.
func (l *Loop) bind(ctx context.Context, a *attempt) error {
	var have elbv2v1beta1.TargetGroupBindingList
	if err := l.client.List(ctx, &have, client.MatchingLabels(bindingLabels(a.owner))); err != nil {
		return fmt.Errorf("listing the bindings of %s: %w", a.owner, err)
	}
	mine := map[client.ObjectKey]*elbv2v1beta1.TargetGroupBinding{}
	for i := range have.Items {
		mine[client.ObjectKeyFromObject(&have.Items[i])] = &have.Items[i]
	}
	if a.taking != nil {
		theirs, err := l.bindingsOf(ctx, a.taking.from)
		if err != nil {
			return err
		}
		for _, b := range theirs {
			mine[client.ObjectKeyFromObject(b)] = b
		}
	}
	held, err := l.bindAll(ctx, a, mine)
	errs := []error{err}
	done, there := a.applied && a.done(), a.groups()
	for _, b := range mine {
		arn := model.ARN(b.Spec.TargetGroupARN)
		switch {
		case held[arn], l.stands(a, b.Spec.TargetGroupARN), l.reachable(a, arn):
		case !done && !l.outOfReach(a, arn) && (a.observed == nil || there[arn]):
		case a.retains():
			errs = append(errs, l.leave(ctx, a, b))
		case a.req.Policy.Changes == Observe:
		default:
			errs = append(errs, l.retire(ctx, b))
		}
	}
	return errors.Join(errs...)
}

// groups are the target groups that AWS may hold of a stack: all that were seen before the plan, and those that it reached.
func (a *attempt) groups() map[model.ARN]bool {
	out := map[model.ARN]bool{}
	for _, part := range a.seen().Parts() {
		for _, g := range part.TargetGroups {
			out[g.ARN] = true
		}
	}
	for _, arn := range a.outputs.ARNs {
		out[arn] = true
	}
	return out
}

// together is how many bindings are written side by side.
const together = 8

// bindAll makes the bindings of all target groups that exist, and gives those groups. Waiting for the ones before them is noted in the order
// of the groups.
func (l *Loop) bindAll(ctx context.Context, a *attempt, mine map[client.ObjectKey]*elbv2v1beta1.TargetGroupBinding) (map[model.ARN]bool, error) {
	held, made := map[model.ARN]bool{}, a.madeGroups()
	waits, errs := make([]bool, len(a.desired.TargetGroups)), make([]error, len(a.desired.TargetGroups))
	var unbound []string
	var work errgroup.Group
	work.SetLimit(together)
	for i, g := range a.desired.TargetGroups {
		arn := a.outputs.ARNs[model.Key{Kind: model.KindTargetGroup, ID: g.ID}]
		if arn == "" {
			continue
		}
		held[arn] = true
		if g.Backend.Service == "" || a.early[arn] {
			continue
		}
		want, err := binding(a.owner, g, arn, a.facts.BackendSecurityGroup)
		if err != nil {
			errs[i] = err
			continue
		}
		l.markFresh(a, arn, made[g.ID])
		have := mine[client.ObjectKeyFromObject(want)]
		if a.req.Policy.Changes == Observe {
			if have == nil || corrected(want, have) != nil {
				unbound = append(unbound, want.Namespace+"/"+want.Name)
			}
			continue
		}
		if finished := a.applied && a.done(); have != nil && !finished {
			want.Spec.Networking = both(want.Spec.Networking, have.Spec.Networking)
		}
		work.Go(func() error {
			waits[i], errs[i] = l.ensureBinding(ctx, a.owner, want, have)
			return nil
		})
	}
	_ = work.Wait()
	a.leaveUnbound(unbound)
	for i, g := range a.desired.TargetGroups {
		if waits[i] {
			name := nameOfTargetGroup(a.outputs.ARNs[model.Key{Kind: model.KindTargetGroup, ID: g.ID}])
			a.outputs.Waiting = append(a.outputs.Waiting, model.Waiting{
				Key: model.Key{Kind: "TargetGroupBinding", ID: g.Backend.Namespace + "/" + name}, For: "the one before it is gone",
			})
		}
	}
	return held, errors.Join(errs...)
}

// markFresh says of a target group that this run made that it has no targets, once.
func (l *Loop) markFresh(a *attempt, arn model.ARN, made bool) {
	if _, marked := a.early[arn]; made && !marked {
		l.board.MarkFresh(arn)
	}
}

// madeGroups are the IDs of the target groups that this run made.
func (a *attempt) madeGroups() map[string]bool {
	out := map[string]bool{}
	for _, c := range a.plan.Changes {
		if c.Op == plan.CreateTargetGroup {
			out[c.Key.ID] = true
		}
	}
	return out
}

// retire deletes a binding whose target group is gone, unless a user wrote it with a stack's labels.
func (l *Loop) retire(ctx context.Context, b *elbv2v1beta1.TargetGroupBinding) error {
	home := l.board.Home(model.ARN(b.Spec.TargetGroupARN))
	if !Made(b) || home != "" && home != b.Namespace {
		return nil
	}
	if err := l.client.Delete(ctx, b); client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("deleting the binding %s/%s: %w", b.Namespace, b.Name, err)
	}
	return nil
}

// ensureBinding makes a binding, or updates the one that is there. One that is on its way out is waited for, and so is one of a target group of
// the same name: names are taken once.
func (l *Loop) ensureBinding(ctx context.Context, owner model.Owner, want, have *elbv2v1beta1.TargetGroupBinding) (waits bool, err error) {
	if have == nil {
		err := l.client.Create(ctx, want)
		if err == nil {
			return false, nil
		}
		if !apierrors.IsAlreadyExists(err) {
			return false, fmt.Errorf("creating the binding %s/%s: %w", want.Namespace, want.Name, err)
		}
		// The cache may be late, or the name belongs to one that is deleted: of a target group of the same name.
		have = &elbv2v1beta1.TargetGroupBinding{}
		if err := l.opts.Live.Get(ctx, client.ObjectKeyFromObject(want), have); err != nil {
			return false, fmt.Errorf("reading the binding %s/%s: %w", want.Namespace, want.Name, err)
		}
	}
	other := have.Spec.TargetGroupARN != want.Spec.TargetGroupARN
	if other && have.DeletionTimestamp.IsZero() && ofStack(have, owner) {
		return true, l.retire(ctx, have)
	}
	if other || !have.DeletionTimestamp.IsZero() {
		return true, nil
	}
	updated := corrected(want, have)
	if updated == nil {
		return false, nil
	}
	if err := l.client.Patch(ctx, updated, client.MergeFrom(have)); err != nil {
		return false, fmt.Errorf("updating the binding %s/%s: %w", have.Namespace, have.Name, err)
	}
	return false, nil
}

// corrected is a binding as it is wanted, nil where it is so already.
func corrected(want, have *elbv2v1beta1.TargetGroupBinding) *elbv2v1beta1.TargetGroupBinding {
	out := have.DeepCopy()
	out.Spec = want.Spec
	if out.Labels == nil {
		out.Labels = map[string]string{}
	}
	relabel(out.Labels, want.Labels)
	if reflect.DeepEqual(out.Spec, have.Spec) && maps.Equal(out.Labels, have.Labels) {
		return nil
	}
	return out
}

// leaveUnbound tells which bindings are neither made nor changed because the stack is only observed: pods would come and go in its target
// groups with them.
func (a *attempt) leaveUnbound(names []string) {
	if len(names) == 0 || a.held != nil {
		return
	}
	const note = "only shown: headgate.dev/changes is Observe"
	a.held = &outcome.Held{Reason: outcome.ReasonObserved, Note: note, Message: fmt.Sprintf(
		"AWS holds what is asked for, but %d TargetGroupBindings are neither made nor changed, %s among them, so that nobody registers the pods of "+
			"their Services: headgate.dev/changes is Observe", len(names), names[0])}
}

func ofStack(b *elbv2v1beta1.TargetGroupBinding, owner model.Owner) bool {
	prefix, name, ok := OwnerOf(b)
	return ok && prefix == owner.Prefix && name == owner.Stack
}

// nameOfTargetGroup is the name in a target group's ARN (…:targetgroup/<name>/<id>): bindings are named like it.
func nameOfTargetGroup(arn model.ARN) string {
	parts := strings.Split(string(arn), "/")
	return parts[max(len(parts)-2, 0)]
}

func binding(owner model.Owner, g model.TargetGroup, arn model.ARN, backendGroup string) (*elbv2v1beta1.TargetGroupBinding, error) {
	targetType := elbv2v1beta1.TargetType(g.TargetType)
	family := elbv2v1beta1.TargetGroupIPAddressType(g.IPAddressType)
	protocol := elbv2v1beta1.Protocol(g.Protocol)
	selector, err := nodes(g.Backend.Nodes)
	if err != nil {
		return nil, err
	}
	return &elbv2v1beta1.TargetGroupBinding{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: g.Backend.Namespace, Name: nameOfTargetGroup(arn), Labels: bindingLabels(owner),
		},
		Spec: elbv2v1beta1.TargetGroupBindingSpec{
			TargetGroupARN:      string(arn),
			TargetType:          &targetType,
			TargetGroupProtocol: &protocol,
			IPAddressType:       &family,
			VpcID:               g.VPC,
			NodeSelector:        selector,

			MultiClusterTargetGroup: g.Backend.MultiCluster,
			ServiceRef:              elbv2v1beta1.ServiceReference{Name: g.Backend.Service, Port: portValue(g.Backend.Port)},
			Networking:              networking(g.Backend.Network, backendGroup),
		},
	}, nil
}

// nodes reads a label selector; nil stands for all.
func nodes(text string) (*metav1.LabelSelector, error) {
	if text == "" {
		return nil, nil
	}
	selector, err := metav1.ParseToLabelSelector(text)
	if err != nil {
		return nil, fmt.Errorf("reading the selector of nodes %q: %w", text, err)
	}
	return selector, nil
}

func portValue(s string) intstr.IntOrString {
	if n, err := strconv.ParseInt(s, 10, 32); err == nil {
		return intstr.FromInt32(int32(n))
	}
	return intstr.FromString(s)
}

// both asks pods to admit what either asks for: until a plan is done, the load balancer may come with the security groups that it had.
func both(want, have *elbv2v1beta1.TargetGroupBindingNetworking) *elbv2v1beta1.TargetGroupBindingNetworking {
	if want == nil || have == nil {
		return cmp.Or(want, have)
	}
	out := want.DeepCopy()
	for _, rule := range have.Ingress {
		if !slices.ContainsFunc(out.Ingress, func(r elbv2v1beta1.NetworkingIngressRule) bool { return reflect.DeepEqual(r, rule) }) {
			out.Ingress = append(out.Ingress, rule)
		}
	}
	return out
}

// number32 is a port or a count as the API writes them.
func number32(n int) int32 {
	if n < 0 || n > math.MaxInt32 {
		return math.MaxInt32
	}
	return int32(n)
}

// networking says in the binding's words what the pods must admit.
func networking(permissions []model.Permission, backendGroup string) *elbv2v1beta1.TargetGroupBindingNetworking {
	var rules []elbv2v1beta1.NetworkingIngressRule
	for _, p := range permissions {
		peer := elbv2v1beta1.NetworkingPeer{}
		switch {
		case p.CIDR != "":
			peer.IPBlock = &elbv2v1beta1.IPBlock{CIDR: p.CIDR}
		case p.Source.ID != "":
			peer.SecurityGroup = &elbv2v1beta1.SecurityGroup{GroupID: p.Source.ID}
		case p.Source.Key == model.ResourceBackendSecurityGroup && backendGroup != "":
			peer.SecurityGroup = &elbv2v1beta1.SecurityGroup{GroupID: backendGroup}
		default:
			continue
		}
		protocol := elbv2v1beta1.NetworkingProtocol(strings.ToUpper(p.Protocol))
		port := elbv2v1beta1.NetworkingPort{Protocol: &protocol}
		switch {
		case p.PortName != "":
			port.Port = new(intstr.FromString(p.PortName))
		case p.FromPort == p.ToPort:
			port.Port = new(intstr.FromInt32(number32(p.FromPort)))
		}
		rules = append(rules, elbv2v1beta1.NetworkingIngressRule{
			From: []elbv2v1beta1.NetworkingPeer{peer}, Ports: []elbv2v1beta1.NetworkingPort{port},
		})
	}
	if len(rules) == 0 {
		return nil
	}
	return &elbv2v1beta1.TargetGroupBindingNetworking{Ingress: rules}
}
