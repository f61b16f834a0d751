package crash

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/headgate/headgate/sandbox/binaries"
	"github.com/headgate/headgate/sandbox/process"
	"github.com/headgate/headgate/test/rig"
	"github.com/headgate/headgate/test/world"
)

// TestTwoOperators runs two of them as processes of their own, with leader election as it is: who leads is stopped in the middle of a plan till
// the other one leads, and goes on; then the next one is cut off from the API server in the middle of a plan. Who lost the lease begins no
// call any more, and the end is that of an undisturbed run (invariant 2).
func TestTwoOperators(t *testing.T) {
	t.Parallel()
	undisturbed(t)
	d := newDuel(t)
	for _, phase := range phases {
		switch phase.name {
		case "create":
			o, struck := d.strike(phase.act, func(_ *operator, l *spell) { signal(t, l, syscall.SIGSTOP) })
			stopped := time.Now()
			d.play.reach(phase.name, common.reference[phase.name])
			signal(t, struck, syscall.SIGCONT)
			d.ends(o, struck, stopped)
		case "replace":
			o, struck := d.strike(phase.act, func(o *operator, _ *spell) { o.line.cut() })
			over := d.renewed().Add(leaseTime)
			d.play.reach(phase.name, common.reference[phase.name])
			d.ends(o, struck, over)
		default:
			phase.act(d.play)
			d.play.reach(phase.name, common.reference[phase.name])
		}
	}
	d.play.gone()
}

const (
	// leaseTime is how long the operator's lease holds.
	leaseTime = 15 * time.Second
	// patience is how long anything may take at most.
	patience = 3 * time.Minute
)

// leaseName is what the lease is called.
const leaseName = "aws-load-balancer-controller-leader"

// duel is two operators of one account.
type duel struct {
	t         *testing.T
	play      *play
	operators []*operator
}

func newDuel(t *testing.T) *duel {
	t.Helper()
	w := world.Open(t)
	path, err := binaries.Controller(t.Context(), t.TempDir(), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	d := &duel{t: t, play: newPlay(t, w, "duel")}
	for range 2 {
		o := &operator{path: path, gate: newTollGate(t, d.play.Sim.URL()), line: newLine(t, w.Config().Host)}
		kubeconfig := o.line.kubeconfig(t, w.Kubeconfig())
		var endpoints []string
		for _, service := range []string{"elasticloadbalancing", "ec2", "acm", "sts", "tagging", "wafv2", "wafregional", "shield", "route53"} {
			endpoints = append(endpoints, service+"="+o.gate.server.URL)
		}
		o.args = []string{
			"--kubeconfig=" + kubeconfig, "--cluster-name=" + d.play.Name, "--aws-region=us-west-2", "--aws-vpc-id=" + d.play.Sim.World().VPC,
			"--aws-api-endpoints=" + strings.Join(endpoints, ","), "--default-target-type=ip", "--metrics-bind-addr=0", "--health-probe-bind-addr=0",
			"--webhook-bind-port=0", "--deletion-breaker-percent=100", "--target-group-hold=-1s", "--sweep-delay=1h", "--sync-period=1h",
			"--leader-election-namespace=" + d.play.Name, "--watch-namespace=" + d.play.Name,
		}
		d.operators = append(d.operators, o)
		o.live(t)
	}
	return d
}

// strike acts, and strikes at whoever leads when it has written for the third time since. It returns who that was.
func (d *duel) strike(act func(*play), blow func(*operator, *spell)) (*operator, *spell) {
	d.t.Helper()
	type victim struct {
		*operator
		spell *spell
	}
	struck := make(chan victim, len(d.operators))
	for _, o := range d.operators {
		o.gate.at(3, func() {
			v := victim{o, o.now()}
			blow(v.operator, v.spell)
			struck <- v
		})
	}
	act(d.play)
	select {
	case v := <-struck:
		for _, other := range d.operators {
			other.gate.at(0, nil) // who takes over is spared
		}
		return v.operator, v.spell
	case <-time.After(patience):
		d.t.Fatal("nobody wrote three times")
		return nil, nil
	}
}

// renewed is when the leader wrote the lease last.
func (d *duel) renewed() time.Time {
	d.t.Helper()
	lease := &coordinationv1.Lease{}
	key := types.NamespacedName{Namespace: d.play.Name, Name: leaseName}
	if err := d.play.World.Client.Get(d.t.Context(), key, lease); err != nil {
		d.t.Fatal(err)
	}
	return lease.Spec.RenewTime.Time
}

// ends waits for the end of who lost the lease, and checks that it began no call after that.
func (d *duel) ends(o *operator, struck *spell, lost time.Time) {
	d.t.Helper()
	select {
	case <-struck.over:
	case <-time.After(patience):
		d.t.Fatal("who lost the lease still runs")
	}
	// Calls say in whole seconds when they were signed. One that was begun before may arrive later.
	if struck.last.After(lost.Add(time.Second)) {
		d.t.Errorf("who lost the lease at %s signed a call at %s", lost, struck.last)
	}
	o.line.mend()
}

// operator is one of the two. It is started again when it ends, as by a kubelet.
type operator struct {
	path string
	args []string
	gate *tollGate
	line *line

	mu      sync.Mutex
	current *spell
	closed  bool
}

// spell is one process of an operator.
type spell struct {
	child *process.Process
	// over is closed when it has ended; last is when the last call of it was signed then.
	over chan struct{}
	last time.Time
}

// live keeps the operator running until the test ends.
func (o *operator) live(t *testing.T) {
	t.Helper()
	if err := o.start(t.Context()); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() {
		for err := error(nil); ; err = o.start(context.Background()) {
			if err != nil || o.isClosed() {
				done <- err
				return
			}
			l := o.now()
			<-l.child.Done()
			l.last = o.gate.last()
			close(l.over)
			time.Sleep(time.Second) // a kubelet waits longer
		}
	}()
	t.Cleanup(func() {
		o.mu.Lock()
		o.closed = true
		_ = o.current.child.Kill()
		o.mu.Unlock()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// start begins a spell, unless the test ends.
func (o *operator) start(ctx context.Context) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		return nil
	}
	child, err := process.Start(ctx, process.Spec{Path: o.path, Args: o.args})
	if err == nil {
		o.current = &spell{child: child, over: make(chan struct{})}
	}
	return err
}

func (o *operator) now() *spell {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.current
}

func (o *operator) isClosed() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.closed
}

func signal(t *testing.T, l *spell, s syscall.Signal) {
	t.Helper()
	if err := syscall.Kill(l.child.PID(), s); err != nil {
		t.Errorf("sending %s: %v", s, err)
	}
}

// tollGate stands between an operator and the account, and notes when its calls were signed.
type tollGate struct {
	server *httptest.Server

	mu     sync.Mutex
	signed time.Time
	writes int
	nth    int
	blow   func()
}

func newTollGate(t *testing.T, target string) *tollGate {
	t.Helper()
	to, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	g := &tollGate{}
	on := httputil.NewSingleHostReverseProxy(to)
	on.ErrorHandler = func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) }
	g.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		g.note(r)
		on.ServeHTTP(w, r)
	}))
	t.Cleanup(g.server.Close)
	return g
}

func (g *tollGate) note(r *http.Request) {
	action, err := rig.Action(r)
	if err != nil {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if at, err := time.Parse("20060102T150405Z", r.Header.Get("X-Amz-Date")); err == nil && at.After(g.signed) {
		g.signed = at
	}
	if !rig.IsWrite(action) || g.blow == nil {
		return
	}
	if g.writes++; g.writes == g.nth {
		g.blow()
		g.blow = nil
	}
}

// at has blow called at the nth write from now on, before it takes effect.
func (g *tollGate) at(nth int, blow func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.writes, g.nth, g.blow = 0, nth, blow
}

// last is when the last call was signed.
func (g *tollGate) last() time.Time {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.signed
}
