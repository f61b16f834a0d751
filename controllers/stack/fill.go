package stack

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	headgatev1alpha1 "github.com/headgate/headgate/apis/headgate/v1alpha1"
	"github.com/headgate/headgate/controllers/outcome"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/attribute"
)

// fill writes what a run reached into the status. What it could not find out stays as it was.
func (b *Board) fill(object *headgatev1alpha1.LoadBalancer, a *attempt, res Result, next outcome.Outcome) {
	s := &object.Status
	if lb := res.LoadBalancer; lb != nil {
		s.ARN, s.DNSName, s.Scheme, s.Type, s.State = string(lb.ARN), lb.DNSName, lb.Scheme, lb.Type, lb.State
	}
	s.Frontend = frontendStatus(res)
	if len(res.Serving) > 0 || !a.unwanted() { // who was there last is who waits for the end
		fillMembers(s, res.Serving)
	}
	if a.desired.LoadBalancer != nil {
		fillListeners(s, a)
		fillQuotas(s, a)
		b.fillCertificates(object.Name, s, a)
		b.fillTargets(object.Name, s, a)
	}
	now := metav1.NewTime(b.now())
	if res.Outputs.Done > 0 {
		s.LastApplied = &now
	}
	s.PendingPlan = pendingPlan(a, res)
	fillError(s, res, next, now)
	programmed := outcome.Programmed(next)
	programmed.ObservedGeneration = object.Generation
	meta.SetStatusCondition(&s.Conditions, programmed)
	fillReady(object)
	fillApproval(object, res)
}

func fillMembers(s *headgatev1alpha1.LoadBalancerStatus, all []Serving) {
	before := s.Members
	s.Sources, s.Members = nil, nil
	for _, one := range all {
		ref := headgatev1alpha1.ObjectReference{Kind: one.Member.Kind, Namespace: one.Member.Namespace, Name: one.Member.Name}
		s.Sources = append(s.Sources, ref)
		m := headgatev1alpha1.MemberStatus{ObjectReference: ref}
		if i := slices.IndexFunc(before, func(o headgatev1alpha1.MemberStatus) bool { return o.ObjectReference == ref }); i >= 0 {
			m.Conditions = slices.Clone(before[i].Conditions)
		}
		by := outcome.AsWritten
		switch {
		case one.Held:
			by = outcome.LastGood
		case one.Missing:
			by = outcome.InPart
		}
		meta.SetStatusCondition(&m.Conditions, outcome.Member(by, one.Problems))
		s.Members = append(s.Members, m)
	}
}

func fillListeners(s *headgatev1alpha1.LoadBalancerStatus, a *attempt) {
	quota := a.facts.Quotas.WithDefaults().RulesPerLoadBalancer
	used := 0
	var names []string
	s.Listeners = nil
	for _, l := range a.listeners() {
		used += len(l.Rules)
		names = append(names, l.Protocol+":"+strconv.Itoa(l.Port))
		s.Listeners = append(s.Listeners, headgatev1alpha1.ListenerStatus{
			Port: number32(l.Port), Protocol: l.Protocol, Rules: number32(len(l.Rules)),
		})
	}
	s.Rules = &headgatev1alpha1.RuleUsage{Used: number32(used), Quota: number32(quota)}
	s.Summary.Listeners = strings.Join(names, ",")
	s.Summary.Rules = fmt.Sprintf("%d/%d", used, quota)
}

// fillTargets lists the target groups with the health that is known of them.
func (b *Board) fillTargets(name string, s *headgatev1alpha1.LoadBalancerStatus, a *attempt) {
	b.mu.Lock()
	defer b.mu.Unlock()
	before := make(map[string]headgatev1alpha1.TargetGroupStatus, len(s.Targets))
	for _, t := range s.Targets {
		before[t.ARN] = t
	}
	s.Targets = nil
	for _, g := range a.targetGroups() {
		arn := g.ARN
		status := before[string(arn)]
		if known, ok := b.groups[arn]; ok && known.status.ObservedAt != nil {
			status = known.status
		}
		status.Name, status.ARN = nameOfTargetGroup(arn), string(arn)
		if g.Backend.Service != "" { // AWS does not say whose targets it has
			status.Backend = g.Backend.Namespace + "/" + g.Backend.Service + ":" + g.Backend.Port
		}
		b.groups[arn] = shown{loadBalancer: name, status: *status.DeepCopy(), drain: drainOf(g)}
		s.Targets = append(s.Targets, status)
	}
	summarize(s)
}

// drainOf is the deregistration delay that a target group shall have: what is asked for, else AWS's default.
func drainOf(g model.TargetGroup) time.Duration {
	text := g.Attributes[attribute.DeregistrationDelay]
	if text == "" {
		text = attribute.DefaultDeregistrationDelay
	}
	seconds, err := strconv.Atoi(text)
	if err != nil {
		return 0 // AWS will not take it
	}
	return time.Duration(seconds) * time.Second
}

func summarize(s *headgatev1alpha1.LoadBalancerStatus) {
	var healthy, total int32
	for _, t := range s.Targets {
		healthy, total = healthy+t.Healthy, total+t.Total
	}
	s.Summary.Healthy = fmt.Sprintf("%d/%d", healthy, total)
	countTargets(s)
}

// fillError shows what was refused, since when, and when it is tried again.
func fillError(s *headgatev1alpha1.LoadBalancerStatus, res Result, next outcome.Outcome, now metav1.Time) {
	if next.OK() || next.Reason == outcome.ReasonWaiting || res.Held != nil && next.Reason == res.Held.Reason {
		s.LastError = nil
		return
	}
	at := now
	if s.LastError != nil && s.LastError.Code == next.Reason {
		at = s.LastError.At
	}
	retry := metav1.NewTime(now.Add(res.RequeueAfter))
	s.LastError = &headgatev1alpha1.LastError{Code: next.Reason, Message: next.Message, At: at, NextRetry: &retry}
}

func fillReady(object *headgatev1alpha1.LoadBalancer) {
	s := &object.Status
	programmed := metav1.ConditionUnknown
	if c := meta.FindStatusCondition(s.Conditions, headgatev1alpha1.ConditionProgrammed); c != nil {
		programmed = c.Status
	}
	ready := outcome.Ready(s.State, programmed, s.Summary.Healthy)
	ready.ObservedGeneration = object.Generation
	meta.SetStatusCondition(&s.Conditions, ready)
}

// fillApproval says whether the plan is approved, while one waits or an approved one is carried out.
func fillApproval(object *headgatev1alpha1.LoadBalancer, res Result) {
	if res.Held == nil && (object.Spec.ApprovedPlan == "" || res.Settled) || res.Held != nil && res.Held.Given {
		meta.RemoveStatusCondition(&object.Status.Conditions, headgatev1alpha1.ConditionPlanApproved)
		return
	}
	approval := outcome.Approval(res.Held)
	approval.ObservedGeneration = object.Generation
	meta.SetStatusCondition(&object.Status.Conditions, approval)
}
