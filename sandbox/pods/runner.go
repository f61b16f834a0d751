// Package pods stands in for the scheduler and the kubelets of a cluster. It makes Node objects, binds pods to
// them, gives pods addresses of the VPC and everything of a status that others wait for, and runs each
// container as an echo server in this process.
//
// It may import Kubernetes clients and package echo, never the AWS SDK or the simulator: what a network must
// know comes out through Network. Its invariant: a pod says Ready only when its ports answer, and is deleted
// only when they no longer do.
package pods

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	listers "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/util/workqueue"
)

const (
	workers = 16
	// DefaultLinger is how long a pod that says nothing else still answers after its deletion.
	DefaultLinger = 2 * time.Second
)

// Network is told where pods really are.
type Network interface {
	// Reach changes where targets such as "10.0.130.7:8080" are reached: at a loopback address, or (nil)
	// nowhere.
	Reach(ctx context.Context, targets map[string]*string) error
	// Attach says which addresses the pods of a node have now.
	Attach(ctx context.Context, node Node, addresses []netip.Addr) error
}

// Options of a Runner.
type Options struct {
	Config *rest.Config
	Nodes  []Node
	// Network may be nil: then nobody is told.
	Network Network
	// Kubelet is what the log server serves with; without it `kubectl logs` does not work.
	Kubelet Kubelet
	// Speed divides how long deleted pods go on answering; 0 is 1.
	Speed float64
	// Logger gets what goes wrong; nil discards.
	Logger *slog.Logger
}

// Runner runs the pods of a cluster.
type Runner struct {
	client   kubernetes.Interface
	network  Network
	speed    float64
	log      *slog.Logger
	nodes    map[string]*node
	order    []*node
	queue    workqueue.TypedRateLimitingInterface[types.NamespacedName]
	pods     listers.PodLister
	services listers.ServiceLister
	machines listers.NodeLister
	kubelet  *kubeletServer

	stop context.CancelFunc
	done sync.WaitGroup

	choosing sync.Mutex
	chosen   map[types.UID]string // nodes of pods that the pod lister does not show bound yet

	mu      sync.Mutex
	running map[types.NamespacedName]*pod
}

// Start makes the nodes and begins to run pods. It returns when the nodes are ready and the pods that exist
// are known.
func Start(ctx context.Context, options Options) (*Runner, error) {
	client, err := kubernetes.NewForConfig(options.Config)
	if err != nil {
		return nil, fmt.Errorf("making a client: %w", err)
	}
	r := newRunner(client, options)
	if options.Kubelet.Certificate != "" {
		if r.kubelet, err = startKubelet(ctx, options.Kubelet, r.logsOf); err != nil {
			return nil, err
		}
	}
	if err := r.start(ctx); err != nil {
		return nil, errors.Join(err, r.Stop(ctx))
	}
	return r, nil
}

func newRunner(client kubernetes.Interface, options Options) *Runner {
	r := &Runner{
		client: client, network: options.Network, speed: max(options.Speed, 1), log: options.Logger,
		nodes: map[string]*node{}, chosen: map[types.UID]string{}, running: map[types.NamespacedName]*pod{},
		queue: workqueue.NewTypedRateLimitingQueue(workqueue.NewTypedItemExponentialFailureRateLimiter[types.NamespacedName](
			firstRetry, lastRetry)),
		stop: func() {},
	}
	if r.network == nil {
		r.network = nobody{}
	}
	if r.log == nil {
		r.log = slog.New(slog.DiscardHandler)
	}
	for _, described := range options.Nodes {
		n := newNode(described)
		r.nodes[described.Name] = n
		r.order = append(r.order, n)
	}
	return r
}

// Bounds of the wait before something that failed is tried again.
const (
	firstRetry = 50 * time.Millisecond
	lastRetry  = 5 * time.Second
)

func (r *Runner) start(ctx context.Context) error {
	if err := r.publishNodes(ctx); err != nil {
		return err
	}
	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	r.stop = stop
	factory := informers.NewSharedInformerFactory(r.client, 0)
	pods, services, machines := factory.Core().V1().Pods(), factory.Core().V1().Services(), factory.Core().V1().Nodes()
	r.pods, r.services, r.machines = pods.Lister(), services.Lister(), machines.Lister()
	if _, err := pods.Informer().AddEventHandler(handler(r.enqueue)); err != nil {
		return fmt.Errorf("watching pods: %w", err)
	}
	if _, err := services.Informer().AddEventHandler(handler(r.enqueueSelected)); err != nil {
		return fmt.Errorf("watching services: %w", err)
	}
	if _, err := machines.Informer().AddEventHandler(uncordoned(r.enqueueUnbound)); err != nil {
		return fmt.Errorf("watching nodes: %w", err)
	}
	factory.Start(background.Done())
	r.done.Go(func() { <-background.Done(); factory.Shutdown() })
	for kind, synced := range factory.WaitForCacheSync(ctx.Done()) {
		if !synced {
			return fmt.Errorf("waiting for the list of %s: %w", kind, context.Cause(ctx))
		}
	}
	for range workers {
		r.done.Go(func() { r.work(background) })
	}
	return nil
}

// Stop ends all echo servers and the log server. Nodes and pods stay in the API server as they are.
func (r *Runner) Stop(ctx context.Context) error {
	r.stop()
	r.queue.ShutDown()
	r.done.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	var failures []error
	for key, p := range r.running {
		failures = append(failures, p.close(ctx))
		delete(r.running, key)
	}
	if r.kubelet != nil {
		failures = append(failures, r.kubelet.close())
	}
	return errors.Join(failures...)
}

// handler calls changed with every object that is new, changed or gone.
func handler(changed func(object any)) cache.ResourceEventHandler {
	return cache.ResourceEventHandlerFuncs{
		AddFunc:    changed,
		UpdateFunc: func(_, object any) { changed(object) },
		DeleteFunc: func(object any) {
			if gone, ok := object.(cache.DeletedFinalStateUnknown); ok {
				object = gone.Obj
			}
			changed(object)
		},
	}
}

func (r *Runner) enqueue(object any) {
	if p, ok := object.(*corev1.Pod); ok {
		if p.Spec.NodeName != "" || p.DeletionTimestamp != nil {
			r.unchoose(p.UID)
		}
		r.queue.Add(types.NamespacedName{Namespace: p.Namespace, Name: p.Name})
	}
}

// enqueueSelected looks at the pods of a service again: it may name a port that they do not serve yet.
func (r *Runner) enqueueSelected(object any) {
	service, ok := object.(*corev1.Service)
	if !ok || len(service.Spec.Selector) == 0 {
		return
	}
	selected, err := r.pods.Pods(service.Namespace).List(labels.SelectorFromSet(service.Spec.Selector))
	if err != nil {
		r.log.Error("listing the pods of a service", "service", service.Name, "error", err)
		return
	}
	for _, p := range selected {
		r.enqueue(p)
	}
}

// uncordoned calls freed when a node takes pods again.
func uncordoned(freed func()) cache.ResourceEventHandler {
	return cache.ResourceEventHandlerFuncs{UpdateFunc: func(before, after any) {
		old, ok := before.(*corev1.Node)
		now, also := after.(*corev1.Node)
		if ok && also && old.Spec.Unschedulable && !now.Spec.Unschedulable {
			freed()
		}
	}}
}

// enqueueUnbound looks again at the pods that no node was there for.
func (r *Runner) enqueueUnbound() {
	all, err := r.pods.List(labels.Everything())
	if err != nil {
		r.log.Error("listing the pods that wait for a node", "error", err)
		return
	}
	for _, p := range all {
		if p.Spec.NodeName == "" {
			r.enqueue(p)
		}
	}
}

func (r *Runner) work(ctx context.Context) {
	for {
		key, shutdown := r.queue.Get()
		if shutdown {
			return
		}
		r.workOn(ctx, key)
	}
}

func (r *Runner) workOn(ctx context.Context, key types.NamespacedName) {
	defer r.queue.Done(key)
	again, err := r.sync(ctx, key)
	switch {
	case ctx.Err() != nil:
	case err != nil:
		r.log.Debug("running a pod", "pod", key.String(), "error", err)
		r.queue.AddRateLimited(key)
	case again > 0:
		r.queue.Forget(key)
		r.queue.AddAfter(key, again)
	default:
		r.queue.Forget(key)
	}
}

// nobody is the network of a runner that has none.
type nobody struct{}

func (nobody) Reach(context.Context, map[string]*string) error  { return nil }
func (nobody) Attach(context.Context, Node, []netip.Addr) error { return nil }
