package stack

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	headgatev1alpha1 "github.com/headgate/headgate/apis/headgate/v1alpha1"
	"github.com/headgate/headgate/controllers/outcome"
	"github.com/headgate/headgate/model"
)

// labelStack marks LoadBalancer objects with the StackState of their stack.
const labelStack = "headgate.dev/stack"

// healthAge is how old the health in a LoadBalancer may become before it is written again although nothing changed.
const healthAge = 5 * time.Minute

// Board shows stacks to users as LoadBalancer objects, and writes only what changed.
type Board struct {
	client client.Client
	now    func() time.Time

	mu     sync.Mutex
	groups map[model.ARN]shown
}

// shown is a target group with where it is shown.
type shown struct {
	loadBalancer string
	status       headgatev1alpha1.TargetGroupStatus
}

// NewBoard returns an empty board.
func NewBoard(c client.Client, now func() time.Time) *Board {
	return &Board{client: c, now: now, groups: map[model.ARN]shown{}}
}

// show brings the LoadBalancer object of a stack in line with what a run reached.
func (b *Board) show(ctx context.Context, a *attempt, res Result, next outcome.Outcome) error {
	owner := a.req.Intent.Owner
	name := nameOf(a, res)
	if err := b.removeOthers(ctx, owner, name); err != nil || name == "" {
		return err
	}
	object, err := b.object(ctx, owner, name)
	if err != nil {
		return err
	}
	before := object.DeepCopy()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.fill(object, a, res, next)
	return b.patch(ctx, before, object)
}

func nameOf(a *attempt, res Result) string {
	switch {
	case res.LoadBalancer != nil:
		return res.LoadBalancer.Name
	case a.desired.LoadBalancer != nil:
		return a.desired.LoadBalancer.Name
	}
	return ""
}

// object gets the LoadBalancer, and creates it where there is none.
func (b *Board) object(ctx context.Context, owner model.Owner, name string) (*headgatev1alpha1.LoadBalancer, error) {
	object := &headgatev1alpha1.LoadBalancer{}
	err := b.client.Get(ctx, client.ObjectKey{Name: name}, object)
	if err == nil {
		return object, nil
	}
	if !apierrors.IsNotFound(err) {
		return nil, fmt.Errorf("reading LoadBalancer %s: %w", name, err)
	}
	object = &headgatev1alpha1.LoadBalancer{ObjectMeta: metav1.ObjectMeta{
		Name: name, Labels: map[string]string{labelStack: StateName(owner)},
	}}
	if err := b.client.Create(ctx, object); err != nil && !apierrors.IsAlreadyExists(err) {
		return nil, fmt.Errorf("creating LoadBalancer %s: %w", name, err)
	}
	return object, nil
}

// removeOthers deletes the objects of load balancers that the stack had before.
func (b *Board) removeOthers(ctx context.Context, owner model.Owner, keep string) error {
	var list headgatev1alpha1.LoadBalancerList
	if err := b.client.List(ctx, &list, client.MatchingLabels{labelStack: StateName(owner)}); err != nil {
		return fmt.Errorf("listing LoadBalancers: %w", err)
	}
	for i := range list.Items {
		if list.Items[i].Name == keep {
			continue
		}
		if err := b.client.Delete(ctx, &list.Items[i]); client.IgnoreNotFound(err) != nil {
			return fmt.Errorf("deleting LoadBalancer %s: %w", list.Items[i].Name, err)
		}
	}
	return nil
}

func (b *Board) patch(ctx context.Context, before, after *headgatev1alpha1.LoadBalancer) error {
	if reflect.DeepEqual(before.Status, after.Status) {
		return nil
	}
	if err := b.client.Status().Patch(ctx, after, client.MergeFrom(before)); client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("writing the status of LoadBalancer %s: %w", after.Name, err)
	}
	return nil
}

func (b *Board) fill(object *headgatev1alpha1.LoadBalancer, a *attempt, res Result, next outcome.Outcome) {
	s := &object.Status
	if lb := res.LoadBalancer; lb != nil {
		s.ARN, s.DNSName, s.Scheme, s.Type, s.State = string(lb.ARN), lb.DNSName, lb.Scheme, lb.Type, lb.State
	}
	s.Sources, s.Members = nil, nil
	for _, serving := range res.Serving {
		ref := headgatev1alpha1.ObjectReference{
			Kind: serving.Member.Kind, Namespace: serving.Member.Namespace, Name: serving.Member.Name,
		}
		s.Sources = append(s.Sources, ref)
		s.Members = append(s.Members, b.member(before(object, ref), ref, serving))
	}
	b.fillListeners(s, a)
	b.fillTargets(object.Name, s, a)
	if res.Settled && len(res.Plan.Changes) > 0 {
		now := metav1.NewTime(b.now())
		s.LastApplied = &now
	}
	s.PendingPlan = nil
	if !res.Settled && !res.Plan.Empty() {
		s.PendingPlan = &headgatev1alpha1.PendingPlan{
			Hash: res.Plan.Hash(), Summary: res.Plan.Summary(), Text: cut(res.Plan.String()),
		}
	}
	b.fillError(s, res, next)
	b.fillConditions(object, a, res, next)
}

const planText = 8 << 10

func cut(s string) string {
	if len(s) <= planText {
		return s
	}
	return s[:planText] + "\n…"
}

func before(object *headgatev1alpha1.LoadBalancer, ref headgatev1alpha1.ObjectReference) []metav1.Condition {
	for _, m := range object.Status.Members {
		if m.ObjectReference == ref {
			return m.Conditions
		}
	}
	return nil
}

func (b *Board) member(have []metav1.Condition, ref headgatev1alpha1.ObjectReference, s Serving) headgatev1alpha1.MemberStatus {
	conditions := slices.Clone(have)
	meta.SetStatusCondition(&conditions, outcome.Member(s.Held, s.Problems))
	return headgatev1alpha1.MemberStatus{ObjectReference: ref, Conditions: conditions}
}

func (b *Board) fillListeners(s *headgatev1alpha1.LoadBalancerStatus, a *attempt) {
	if a.desired.LoadBalancer == nil {
		return
	}
	quota := a.facts.Quotas.WithDefaults().RulesPerLoadBalancer
	used := 0
	var names []string
	s.Listeners = nil
	for _, l := range a.desired.Listeners {
		used += len(l.Rules)
		names = append(names, l.Protocol+":"+strconv.Itoa(l.Port))
		s.Listeners = append(s.Listeners, headgatev1alpha1.ListenerStatus{
			Port: int32(l.Port), Protocol: l.Protocol, Rules: int32(len(l.Rules)), //nolint:gosec // ports and counts fit
		})
	}
	s.Rules = &headgatev1alpha1.RuleUsage{Used: int32(used), Quota: int32(quota)} //nolint:gosec // counts fit
	s.Summary.Listeners = strings.Join(names, ",")
	s.Summary.Rules = fmt.Sprintf("%d/%d", used, quota)
}

// fillTargets lists the target groups with the health that is known of them.
func (b *Board) fillTargets(name string, s *headgatev1alpha1.LoadBalancerStatus, a *attempt) {
	known := map[string]headgatev1alpha1.TargetGroupStatus{}
	for _, t := range s.Targets {
		known[t.ARN] = t
	}
	s.Targets = nil
	for _, g := range a.desired.TargetGroups {
		arn := a.outputs.ARNs[model.Key{Kind: model.KindTargetGroup, ID: g.ID}]
		if arn == "" {
			continue
		}
		status := known[string(arn)]
		if shown, ok := b.groups[arn]; ok {
			status = shown.status
		}
		status.Name, status.ARN = nameOfTargetGroup(arn), string(arn)
		status.Backend = g.Backend.Namespace + "/" + g.Backend.Service + ":" + g.Backend.Port
		b.groups[arn] = shown{loadBalancer: name, status: status}
		s.Targets = append(s.Targets, status)
	}
	summarize(s)
}

func summarize(s *headgatev1alpha1.LoadBalancerStatus) {
	var healthy, total int32
	for _, t := range s.Targets {
		healthy, total = healthy+t.Healthy, total+t.Total
	}
	s.Summary.Healthy = fmt.Sprintf("%d/%d", healthy, total)
}

func (b *Board) fillError(s *headgatev1alpha1.LoadBalancerStatus, res Result, next outcome.Outcome) {
	if next.OK() || next.Reason == outcome.ReasonWaiting {
		s.LastError = nil
		return
	}
	at := metav1.NewTime(b.now())
	if s.LastError != nil && s.LastError.Code == next.Reason {
		at = s.LastError.At
	}
	retry := metav1.NewTime(b.now().Add(res.RequeueAfter))
	s.LastError = &headgatev1alpha1.LastError{Code: next.Reason, Message: next.Message, At: at, NextRetry: &retry}
}

func (b *Board) fillConditions(object *headgatev1alpha1.LoadBalancer, a *attempt, res Result, next outcome.Outcome) {
	programmed := outcome.Programmed(next, a.blocked)
	programmed.ObservedGeneration = object.Generation
	meta.SetStatusCondition(&object.Status.Conditions, programmed)
	b.fillReady(object)
}

func (b *Board) fillReady(object *headgatev1alpha1.LoadBalancer) {
	s := &object.Status
	ready := outcome.Ready(s.State, meta.IsStatusConditionTrue(s.Conditions, headgatev1alpha1.ConditionProgrammed), s.Summary.Healthy)
	ready.ObservedGeneration = object.Generation
	meta.SetStatusCondition(&s.Conditions, ready)
}

// Health takes what AWS says of the targets of a group, and shows it when it changed.
func (b *Board) Health(ctx context.Context, arn model.ARN, health []model.TargetHealth) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := metav1.NewTime(b.now())
	entry := b.groups[arn]
	old := entry.status
	entry.status.States, entry.status.Healthy, entry.status.Total = map[string]int32{}, 0, 0
	for _, h := range health {
		entry.status.States[h.State]++
		if h.State == "draining" {
			continue
		}
		entry.status.Total++
		if h.State == "healthy" {
			entry.status.Healthy++
		}
	}
	fresh := old.ObservedAt != nil && now.Sub(old.ObservedAt.Time) < healthAge
	if fresh && reflect.DeepEqual(old.States, entry.status.States) {
		return nil
	}
	entry.status.ObservedAt = &now
	b.groups[arn] = entry
	if entry.loadBalancer == "" {
		return nil
	}
	return b.showHealth(ctx, entry)
}

func (b *Board) showHealth(ctx context.Context, entry shown) error {
	object := &headgatev1alpha1.LoadBalancer{}
	if err := b.client.Get(ctx, client.ObjectKey{Name: entry.loadBalancer}, object); err != nil {
		return client.IgnoreNotFound(err)
	}
	old := object.DeepCopy()
	for i, t := range object.Status.Targets {
		if now, ok := b.groups[model.ARN(t.ARN)]; ok {
			object.Status.Targets[i] = now.status
		}
	}
	summarize(&object.Status)
	b.fillReady(object)
	return b.patch(ctx, old, object)
}

// Drop forgets a target group.
func (b *Board) Drop(arn model.ARN) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.groups, arn)
}
