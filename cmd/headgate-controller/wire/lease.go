package wire

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/util/uuid"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
)

// The times of the lease, the incumbent's: for how long it holds, for how long the leader tries to renew it, and how often.
const (
	leaseTime     = 15 * time.Second
	renewDeadline = 10 * time.Second
	renewPeriod   = 2 * time.Second
	// leaseMargin is what a call ends before the lease does.
	leaseMargin = time.Second
)

// term is for how long the leader may act, from what it last wrote into the lease. Until it writes for the first time nothing is bound: it
// does not lead, and reads at most.
type term struct {
	now func() time.Time

	mu      sync.Mutex
	leads   bool
	renewed time.Time
}

// left is for how long calls may begin, and may last.
func (t *term) left() (begin, last time.Duration, bounded bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	since := t.now().Sub(t.renewed)
	return renewDeadline - since, leaseTime - leaseMargin - since, t.leads
}

// took notes what was written into the lease: others count from a moment that is not before at.
func (t *term) took(mine bool, at time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.leads, t.renewed = true, at
	if !mine {
		t.renewed = time.Time{} // given back: nothing may begin any more
	}
}

var errOver = errors.New("the lease could not be renewed: somebody else may lead by now, and nothing is written")

// guard carries calls to the API server, but for writes once the term is over: what who led before says of a load balancer would stand over
// what is true. For the same reason a write that hangs ends before the lease does.
func (t *term) guard(next http.RoundTripper) http.RoundTripper { return guarded{next, t} }

type guarded struct {
	next http.RoundTripper
	term *term
}

// RoundTrip makes a call.
func (g guarded) RoundTrip(r *http.Request) (*http.Response, error) {
	begin, last, bounded := g.term.left()
	switch {
	case !bounded || r.Method == http.MethodGet:
		return g.next.RoundTrip(r) //nolint:wrapcheck // client-go compares errors: a wrapped io.EOF is not tried again
	case begin <= 0:
		return nil, errOver
	}
	ctx, cancel := context.WithTimeout(r.Context(), last)
	answer, err := g.next.RoundTrip(r.WithContext(ctx))
	if err != nil {
		cancel()
		return nil, err //nolint:wrapcheck // as above
	}
	answer.Body = limited{answer.Body, cancel}
	return answer, nil
}

// limited is an answer that is read within the time of its call.
type limited struct {
	io.ReadCloser

	cancel context.CancelFunc
}

// Close ends the call.
func (l limited) Close() error {
	defer l.cancel()
	return l.ReadCloser.Close() //nolint:wrapcheck // the caller knows what it reads
}

// lease is a lock that tells the term of its renewals.
type lease struct {
	resourcelock.Interface

	term *term
}

// Create makes the lease.
func (l lease) Create(ctx context.Context, record resourcelock.LeaderElectionRecord) error {
	return l.write(record, func() error { return l.Interface.Create(ctx, record) })
}

// Update renews the lease, or gives it back.
func (l lease) Update(ctx context.Context, record resourcelock.LeaderElectionRecord) error {
	return l.write(record, func() error { return l.Interface.Update(ctx, record) })
}

func (l lease) write(record resourcelock.LeaderElectionRecord, do func() error) error {
	begun := l.term.now()
	err := do()
	if err == nil {
		l.term.took(record.HolderIdentity == l.Identity(), begun)
	}
	return err
}

const namespaceFile = "/var/run/secrets/kubernetes.io/serviceaccount/namespace"

var errNamespace = errors.New("outside a cluster --leader-election-namespace must say where the lease is")

// lease is the lock of the leader, nil where none is needed.
func (s Settings) lease(access *rest.Config, t *term) (resourcelock.Interface, error) {
	if !s.LeaderElection {
		return nil, nil
	}
	namespace := s.LeaderNamespace
	if namespace == "" {
		text, err := os.ReadFile(namespaceFile)
		if err != nil {
			return nil, errNamespace
		}
		namespace = strings.TrimSpace(string(text))
	}
	host, err := os.Hostname()
	if err != nil {
		return nil, fmt.Errorf("naming the lease's holder: %w", err)
	}
	who := resourcelock.ResourceLockConfig{Identity: host + "_" + string(uuid.NewUUID())}
	access = rest.AddUserAgent(rest.CopyConfig(access), "leader-election")
	lock, err := resourcelock.NewFromKubeconfig(resourcelock.LeasesResourceLock, namespace, s.LeaderID, who, access, renewDeadline)
	if err != nil {
		return nil, fmt.Errorf("making the lease: %w", err)
	}
	return lease{Interface: lock, term: t}, nil
}
