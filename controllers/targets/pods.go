package targets

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	toolscache "k8s.io/client-go/tools/cache"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"

	elbv2v1beta1 "github.com/headgate/headgate/apis/elbv2/v1beta1"
)

// Pods watches the pods of those namespaces that need it, and keeps of each what gates need.
type Pods struct {
	// open starts to watch a namespace, and tells of changes.
	open func(ctx context.Context, namespace string, changed func(before, after *corev1.Pod)) (watched, error)
	// news has the bindings that pods wait for.
	news chan event.GenericEvent
	// done is closed when nobody hears news any more.
	done chan struct{}
	// hooks are shared among pods.
	hooks hooks

	mu      sync.Mutex
	watched map[string]watched
}

// watched are the pods of a namespace. Reads before it is filled would find too few.
type watched struct {
	client.Reader

	filled func(context.Context) bool
}

// fillTime is how long a worker waits for that: without the right to watch pods it is never.
const fillTime = 10 * time.Second

// newsBuffer is how many changes of pods may wait for the lane.
const newsBuffer = 1024

// NewPods returns a watch that watches nothing yet.
func NewPods(mgr ctrl.Manager) *Pods {
	p := newPods()
	p.open = func(ctx context.Context, namespace string, changed func(before, after *corev1.Pod)) (watched, error) {
		pods, err := cache.New(mgr.GetConfig(), cache.Options{
			Scheme: mgr.GetScheme(), Mapper: mgr.GetRESTMapper(), DefaultTransform: p.slim,
			DefaultNamespaces: map[string]cache.Config{namespace: {}},
			// They are only read, and many share parts.
			DefaultUnsafeDisableDeepCopy: new(true),
		})
		if err != nil {
			return watched{}, fmt.Errorf("making a cache: %w", err)
		}
		informer, err := pods.GetInformer(ctx, &corev1.Pod{}, cache.BlockUntilSynced(false))
		if err != nil {
			return watched{}, fmt.Errorf("making a cache: %w", err)
		}
		if _, err := informer.AddEventHandler(tell(changed)); err != nil {
			return watched{}, fmt.Errorf("listening to a cache: %w", err)
		}
		// It lives as long as the manager, and the lane runs on the leader.
		if err := mgr.Add(pods); err != nil {
			return watched{}, fmt.Errorf("starting a cache: %w", err)
		}
		return watched{pods, pods.WaitForCacheSync}, nil
	}
	return p
}

func newPods() *Pods {
	return &Pods{news: make(chan event.GenericEvent, newsBuffer), done: make(chan struct{}), watched: map[string]watched{}}
}

// Start waits for the end of the lane: who has news then must not wait to be heard.
func (p *Pods) Start(ctx context.Context) error {
	<-ctx.Done()
	close(p.done)
	return nil
}

// Watches tells whether the pods of a namespace are watched.
func (p *Pods) Watches(namespace string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.watched[namespace].Reader != nil
}

// In are the pods of a namespace, which is watched from then on.
func (p *Pods) In(ctx context.Context, namespace string) (client.Reader, error) {
	pods, err := p.watch(ctx, namespace)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, fillTime)
	defer cancel()
	if !pods.filled(ctx) {
		return nil, errors.New("the pods were not read in time: the operator needs the right to get, list and watch pods")
	}
	return pods, nil
}

func (p *Pods) watch(ctx context.Context, namespace string) (watched, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if known, ok := p.watched[namespace]; ok {
		return known, nil
	}
	opened, err := p.open(ctx, namespace, p.changed)
	if err != nil {
		return watched{}, err
	}
	p.watched[namespace] = opened
	return opened, nil
}

// changed wakes the bindings whose gates a pod has, where something changed that counts.
func (p *Pods) changed(before, after *corev1.Pod) {
	if before != nil && waitsForUs(before) == waitsForUs(after) && before.UID == after.UID && open(before) == open(after) {
		return
	}
	for _, g := range after.Spec.ReadinessGates {
		name, ours := strings.CutPrefix(string(g.ConditionType), GatePrefix)
		if !ours {
			continue
		}
		b := &elbv2v1beta1.TargetGroupBinding{}
		b.Namespace, b.Name = after.Namespace, name
		select {
		case p.news <- event.GenericEvent{Object: b}:
		case <-p.done:
		}
	}
}

// open counts the gates of ours that are open.
func open(pod *corev1.Pod) int {
	n := 0
	for _, g := range pod.Spec.ReadinessGates {
		if strings.HasPrefix(string(g.ConditionType), GatePrefix) && holds(pod, g.ConditionType) {
			n++
		}
	}
	return n
}

// tell passes pods that are added or updated on.
func tell(changed func(before, after *corev1.Pod)) toolscache.ResourceEventHandler {
	return toolscache.ResourceEventHandlerFuncs{
		AddFunc: func(o any) {
			if pod, ok := o.(*corev1.Pod); ok {
				changed(nil, pod)
			}
		},
		UpdateFunc: func(before, after any) {
			old, ok := before.(*corev1.Pod)
			pod, also := after.(*corev1.Pod)
			if ok && also {
				changed(old, pod)
			}
		},
	}
}

// slim drops what gates, and telling how pods end, do not need.
func (p *Pods) slim(object any) (any, error) {
	pod, ok := object.(*corev1.Pod)
	if !ok {
		return object, nil
	}
	slim := &corev1.Pod{}
	slim.Namespace, slim.Name, slim.UID, slim.ResourceVersion = pod.Namespace, pod.Name, pod.UID, pod.ResourceVersion
	if len(pod.Spec.ReadinessGates) == 0 {
		return slim, nil
	}
	slim.Spec.ReadinessGates = pod.Spec.ReadinessGates
	slim.Spec.TerminationGracePeriodSeconds = pod.Spec.TerminationGracePeriodSeconds
	slim.Spec.Containers = p.hooks.slim(endingOf(pod))
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.ContainersReady || hasGate(pod, c.Type) {
			slim.Status.Conditions = append(slim.Status.Conditions, corev1.PodCondition{Type: c.Type, Status: c.Status, Reason: c.Reason})
		}
	}
	return slim, nil
}
