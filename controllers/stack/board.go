package stack

import (
	"context"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	headgatev1alpha1 "github.com/headgate/headgate/apis/headgate/v1alpha1"
	"github.com/headgate/headgate/controllers/outcome"
	"github.com/headgate/headgate/model"
)

// labelStack marks LoadBalancer objects with the StackState of their stack.
const labelStack = "headgate.dev/stack"

// healthAge is how old the health in a LoadBalancer may become before it is written again although nothing changed.
const healthAge = 5 * time.Minute

// Board shows stacks to users as LoadBalancer objects, and writes only what changed. Nobody else writes their status, so what was
// written last is kept: a cache would be late, and a list that is written from a late read takes back what is new in it.
type Board struct {
	client client.Client
	now    func() time.Time

	// mu guards the maps, and is never held over a call.
	mu     sync.Mutex
	groups map[model.ARN]shown
	pages  map[string]*page
	// fresh are target groups that were just made and have no targets.
	fresh map[model.ARN]bool
	// wanted is how many targets a group shall have, awaited who waits until they are healthy.
	wanted  map[model.ARN]int
	awaited map[model.ARN]vigil
	// wake has somebody look at the health of a group.
	wake func(model.ARN)
	// certificates by the name of their load balancer.
	certificates map[string][]headgatev1alpha1.CertificateStatus
}

// page is one LoadBalancer object, written by one caller at a time.
type page struct {
	sync.Mutex

	// written says that status is what was written last, to the object with the UID and the label.
	written bool
	uid     types.UID
	label   string
	status  headgatev1alpha1.LoadBalancerStatus
}

// vigil is who waits for the targets of a group, and since when.
type vigil struct {
	owner model.Owner
	since time.Time
}

// shown is a target group with where it is shown.
type shown struct {
	loadBalancer string
	status       headgatev1alpha1.TargetGroupStatus
	// drain is how long AWS lets deregistered targets answer, zero where that is not known.
	drain time.Duration
}

// NewBoard returns an empty board.
func NewBoard(c client.Client, now func() time.Time) *Board {
	return &Board{
		client: c, now: now, groups: map[model.ARN]shown{}, pages: map[string]*page{}, fresh: map[model.ARN]bool{},
		certificates: map[string][]headgatev1alpha1.CertificateStatus{}, wanted: map[model.ARN]int{}, awaited: map[model.ARN]vigil{},
		wake: func(model.ARN) {},
	}
}

// show brings the LoadBalancer object of a stack in line with what a run reached.
func (b *Board) show(ctx context.Context, a *attempt, res Result, next outcome.Outcome) error {
	name, err := b.tidy(ctx, a, res)
	if err != nil || name == "" {
		return err
	}
	p := b.page(name)
	p.Lock()
	defer p.Unlock()
	object, err := b.read(ctx, name, p)
	if apierrors.IsNotFound(err) {
		object, err = b.create(ctx, name, StateName(a.owner))
	}
	if err == nil && object.Labels[labelStack] != StateName(a.owner) {
		err = b.relabel(ctx, object, StateName(a.owner))
	}
	if err != nil {
		return err
	}
	before := object.DeepCopy()
	b.fill(object, a, res, next)
	if err := b.write(ctx, p, before, object); err != nil || !res.Settled {
		return err
	}
	return b.spend(ctx, object)
}

// tidy gives the name of the object to show the stack on, empty where there is none, and deletes those of load balancers that the
// stack had before.
func (b *Board) tidy(ctx context.Context, a *attempt, res Result) (string, error) {
	var list headgatev1alpha1.LoadBalancerList
	if err := b.client.List(ctx, &list, client.MatchingLabels{labelStack: StateName(a.owner)}); err != nil {
		return "", fmt.Errorf("listing LoadBalancers: %w", err)
	}
	name := ""
	switch {
	case res.Gone:
	case res.LoadBalancer != nil:
		name = res.LoadBalancer.Name
	case a.desired.LoadBalancer != nil:
		name = a.desired.LoadBalancer.Name
	case len(list.Items) > 0:
		// Nothing is known but that the stack is not gone.
		return list.Items[0].Name, nil
	default:
		return "", nil
	}
	for i := range list.Items {
		old := &list.Items[i]
		if old.Name == name {
			continue
		}
		if err := b.remove(ctx, old); err != nil {
			return "", err
		}
	}
	return name, nil
}

// remove deletes an object, and forgets it before: who shows health meanwhile does not make it again.
func (b *Board) remove(ctx context.Context, old *headgatev1alpha1.LoadBalancer) error {
	p := b.page(old.Name)
	p.Lock()
	defer p.Unlock()
	p.written = false
	if err := b.client.Delete(ctx, old); client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("deleting LoadBalancer %s: %w", old.Name, err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.pages, old.Name)
	delete(b.certificates, old.Name)
	return nil
}

func (b *Board) page(name string) *page {
	b.mu.Lock()
	defer b.mu.Unlock()
	p, ok := b.pages[name]
	if !ok {
		p = &page{}
		b.pages[name] = p
	}
	return p
}

// read gets the object, with the status that was written last where it is still the same one. The page is locked.
func (b *Board) read(ctx context.Context, name string, p *page) (*headgatev1alpha1.LoadBalancer, error) {
	object := &headgatev1alpha1.LoadBalancer{}
	if err := b.client.Get(ctx, client.ObjectKey{Name: name}, object); err != nil {
		return nil, fmt.Errorf("reading LoadBalancer %s: %w", name, err)
	}
	if p.written && p.uid == object.UID {
		p.status.DeepCopyInto(&object.Status)
	}
	return object, nil
}

func (b *Board) create(ctx context.Context, name, label string) (*headgatev1alpha1.LoadBalancer, error) {
	object := &headgatev1alpha1.LoadBalancer{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{labelStack: label}}}
	if err := b.client.Create(ctx, object); err != nil {
		return nil, fmt.Errorf("creating LoadBalancer %s: %w", name, err)
	}
	return object, nil
}

// relabel makes the object of a load balancer that another stack had this one's.
func (b *Board) relabel(ctx context.Context, object *headgatev1alpha1.LoadBalancer, label string) error {
	before, status := object.DeepCopy(), object.Status
	if object.Labels == nil {
		object.Labels = map[string]string{}
	}
	object.Labels[labelStack] = label
	if err := b.client.Patch(ctx, object, client.MergeFrom(before)); err != nil {
		return fmt.Errorf("labelling LoadBalancer %s: %w", object.Name, err)
	}
	object.Status = status
	return nil
}

// write writes the status where it changed. The page is locked.
func (b *Board) write(ctx context.Context, p *page, before, after *headgatev1alpha1.LoadBalancer) error {
	if reflect.DeepEqual(before.Status, after.Status) {
		return nil
	}
	wrote := after.DeepCopy()
	if err := b.client.Status().Patch(ctx, after, client.MergeFrom(before)); err != nil {
		p.written = false
		return fmt.Errorf("writing the status of LoadBalancer %s: %w", after.Name, err)
	}
	p.written, p.uid, p.label = true, wrote.UID, wrote.Labels[labelStack]
	wrote.Status.DeepCopyInto(&p.status)
	return nil
}

// Health takes what AWS says of the targets of a group, and shows it when it changed or is old.
func (b *Board) Health(ctx context.Context, arn model.ARN, health []model.TargetHealth) error {
	name, changed := b.note(arn, health)
	if name == "" || !changed {
		return nil
	}
	p := b.page(name)
	p.Lock()
	defer p.Unlock()
	object, err := b.read(ctx, name, p)
	missing := apierrors.IsNotFound(err)
	if missing && !p.written {
		return nil
	}
	if missing {
		// Somebody deleted it, and its stack, which rests, would notice at its next run only. Or the cache is late.
		if object, err = b.create(ctx, name, p.label); apierrors.IsAlreadyExists(err) {
			return nil
		}
	}
	if err != nil {
		return err
	}
	before := object.DeepCopy()
	if missing {
		p.status.DeepCopyInto(&object.Status)
	}
	b.refresh(&object.Status)
	fillReady(object)
	return b.write(ctx, p, before, object)
}

// note keeps the health of a group, and says where it is shown and whether it is to be written.
func (b *Board) note(arn model.ARN, health []model.TargetHealth) (name string, changed bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := metav1.NewTime(b.now())
	entry := b.groups[arn]
	old := entry.status
	entry.status.States, entry.status.Healthy, entry.status.Total = nil, 0, 0
	for _, h := range health {
		if entry.status.States == nil {
			entry.status.States = map[string]int32{}
		}
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
		return "", false
	}
	entry.status.ObservedAt = &now
	b.groups[arn] = entry
	return entry.loadBalancer, true
}

// refresh puts the health that is known into the target groups of a status.
func (b *Board) refresh(s *headgatev1alpha1.LoadBalancerStatus) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i, t := range s.Targets {
		if now, ok := b.groups[model.ARN(t.ARN)]; ok {
			now.status.DeepCopyInto(&s.Targets[i])
			s.Targets[i].Name, s.Targets[i].ARN, s.Targets[i].Backend = t.Name, t.ARN, t.Backend
		}
	}
	summarize(s)
}

// Home is the namespace of the Service that a stack made a target group for: its binding is there. Empty where that is not known, as
// before a stack ran.
func (b *Board) Home(arn model.ARN) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	namespace, _, _ := strings.Cut(b.groups[arn].status.Backend, "/")
	return namespace
}

// Drain is how long the targets of a group that a stack made may answer after they were deregistered, zero where that is not known.
func (b *Board) Drain(arn model.ARN) time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.groups[arn].drain
}

// MarkFresh says of a target group that it was just made.
func (b *Board) MarkFresh(arn model.ARN) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.fresh[arn] = true
}

// TakeFresh tells, once, whether a target group was just made: nobody needs to read which targets it has.
func (b *Board) TakeFresh(arn model.ARN) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	fresh := b.fresh[arn]
	delete(b.fresh, arn)
	return fresh
}

// Drop forgets a target group.
func (b *Board) Drop(arn model.ARN) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.fresh, arn)
	delete(b.groups, arn)
	delete(b.wanted, arn)
	delete(b.awaited, arn)
}
