package isolation

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	kube "sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	headgatev1alpha1 "github.com/headgate/headgate/apis/headgate/v1alpha1"
	"github.com/headgate/headgate/cloud"
	"github.com/headgate/headgate/cloud/sim"
	"github.com/headgate/headgate/controllers/ingress"
	"github.com/headgate/headgate/controllers/manifests"
	"github.com/headgate/headgate/controllers/stack"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/test/rig"
)

const (
	cluster = "isolation"
	// group is the name of the group that all members are in.
	group = "shop"
	// step is how far the clock goes on while something waits.
	step = 15 * time.Second
)

func owner() model.Owner { return ingress.Explicit(group).Owner(cluster) }

// world is an account, an API server and an operator, with a group of Ingresses.
type world struct {
	*testing.T

	sim *sim.Simulator
	api kube.Client
	// eye looks at the account; the operator does not know what it reads.
	eye   *cloud.Client
	front *ingress.Reconciler
	last  stack.Result
	fail  error
	clock *rig.Clock
	told  *told
	rand  *rand.Rand
	// members of the group as they are right, and what the account holds for them.
	members []*member
	props   props
	made    int
	// sockets send real requests, nil where there is no data plane.
	sockets *sockets
}

// told are the warnings that objects got.
type told struct {
	mu  sync.Mutex
	all map[string][]string
}

// Eventf takes the warnings.
func (t *told) Eventf(about, _ runtime.Object, kind, reason, _, note string, args ...any) {
	if kind != corev1.EventTypeWarning {
		return
	}
	name := "another object"
	if ing, ok := about.(*networkingv1.Ingress); ok {
		name = ing.Name
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.all[name] = append(t.all[name], reason+": "+fmt.Sprintf(note, args...))
}

func (t *told) forget() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.all = map[string][]string{}
}

func newWorld(t *testing.T, r *rand.Rand, o sim.Options) *world {
	t.Helper()
	w := &world{T: t, clock: rig.NewClock(), told: &told{all: map[string][]string{}}, rand: r}
	o.ClusterName, o.Provisioning, o.RuleDelay = cluster, -1, -1
	if !o.DataPlane {
		o.Now = w.clock.Now
	}
	account, err := sim.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := account.Close(); err != nil {
			t.Error(err)
		}
	})
	w.sim = account
	scheme, err := manifests.Scheme()
	if err != nil {
		t.Fatal(err)
	}
	w.api = fake.NewClientBuilder().WithScheme(scheme).
		WithStatusSubresource(&headgatev1alpha1.LoadBalancer{}, &networkingv1.Ingress{}).Build()
	w.eye = w.newCloud()
	w.props = w.newProps()
	w.clock.Advance(time.Hour) // the trust store is active
	w.restart()
	return w
}

func (w *world) newCloud() *cloud.Client {
	w.Helper()
	config := w.sim.AWSConfig()
	client, err := cloud.New(w.Context(), cloud.Options{
		Cluster: cluster, VPC: w.sim.World().VPC, AWSConfig: &config, Transport: rig.InProcess{To: w.sim.Handler()},
		Now: w.clock.Now, Pace: &rig.Hurry{}, Secrets: w.secret,
	})
	if err != nil {
		w.Fatal(err)
	}
	return client
}

func (w *world) secret(ctx context.Context, ref model.SecretRef) (map[string][]byte, error) {
	found := &corev1.Secret{}
	if err := w.api.Get(ctx, kube.ObjectKey{Namespace: ref.Namespace, Name: ref.Name}, found); err != nil {
		return nil, fmt.Errorf("reading Secret %s: %w", ref, err)
	}
	return found.Data, nil
}

// restart is a new operator over the same account and API server.
func (w *world) restart() {
	w.Helper()
	aws := w.newCloud()
	shared := stack.NewCluster(aws, stack.ClusterOptions{
		Name: cluster, Forget: aws.Forget, Now: w.clock.Now,
		Stacks: func(ctx context.Context) (int, error) { return stack.Count(ctx, w.api, cluster) },
	})
	// There are no pods here: nothing gets healthy, and nothing is lost by not waiting for it.
	loop := stack.New(w.api, aws, shared, stack.Options{Now: w.clock.Now, Forget: aws.Forget, Hold: -1, Retention: -1, Patience: time.Nanosecond})
	w.front = ingress.New(w.api, watched{w, loop}, w.told, ingress.Settings{
		ClusterName: cluster, DefaultTargetType: "ip", BackendSecurityGroup: true,
	})
}

// watched is a loop whose results are seen.
type watched struct {
	*world

	loop *stack.Loop
}

// Asked is what the loop says.
func (l watched) Asked(owner model.Owner) uint64 { return l.loop.Asked(owner) }

// Newer tells the loop.
func (l watched) Newer(owner model.Owner) { l.loop.Newer(owner) }

// Run does what the loop does.
func (l watched) Run(ctx context.Context, req stack.Request) (stack.Result, error) {
	l.last, l.fail = l.loop.Run(ctx, req)
	return l.last, l.fail
}

// lose has the operator forget all that it wrote down, as when it takes over.
func (w *world) lose() {
	w.Helper()
	if err := w.api.DeleteAllOf(w.Context(), &headgatev1alpha1.StackState{}); err != nil {
		w.Fatal(err)
	}
	w.restart()
}

// settle reconciles until there is nothing left to do, and nothing comes of looking again.
func (w *world) settle() error {
	w.Helper()
	key := reconcile.Request{NamespacedName: types.NamespacedName{Name: group}}
	for range 60 {
		w.last, w.fail = stack.Result{Settled: true}, nil
		if _, err := w.front.Reconcile(w.Context(), key); err != nil {
			return fmt.Errorf("reconciling: %w", err)
		}
		if w.fail == nil && (w.last.Settled && w.last.Plan.Empty() || w.last.Blocked != "") {
			return nil
		}
		w.clock.Advance(step)
	}
	return fmt.Errorf("the group does not settle: %w, %v", w.fail, w.last.Outputs.Waiting)
}
