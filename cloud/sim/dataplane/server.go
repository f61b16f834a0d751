package dataplane

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"hash/maphash"
	"log/slog"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// Defaults of load balancer attributes, in seconds.
const (
	defaultIdle     = 60
	defaultLifetime = 3600
)

// A simulated duration that bounds real work does not shrink below these, because no speed factor makes the machine faster.
const (
	idleFloor    = 5 * time.Second
	probeFloor   = time.Second
	connectFloor = 2 * time.Second
)

// Options are what a [Server] is made with. The zero value works.
type Options struct {
	// PortOffset is added to the port of every listener when it is bound. What requests and targets see is the listener's own port.
	PortOffset int
	// Speed divides every simulated duration. Zero is 1. Timeouts of real work (idle, connect, probe) shrink only down to a few
	// seconds, or not at all if they are shorter.
	Speed float64
	// Now is the clock for cookies and traces.
	Now func() time.Time
	// Dial reaches targets. Nil reaches loopback addresses and refuses all others.
	Dial DialFunc
	// DialHost reaches identity providers. Nil reaches those whose host is an address, through Dial, or localhost.
	DialHost HostDialFunc
	// IdentityRoots are who may vouch for identity providers. Nil believes every certificate.
	IdentityRoots *x509.CertPool
	// AccessLogs is the directory in which the buckets of access logs are. Empty: none are written.
	AccessLogs string
	// Logger gets what nobody else is told. Nil discards.
	Logger *slog.Logger
}

// Server is a data plane at work. Its methods are safe for concurrent use.
type Server struct {
	portOffset int
	speed      float64
	now        func() time.Time
	dial       DialFunc
	log        *slog.Logger
	seal       *seal
	buffers    sync.Pool
	// identity asks identity providers.
	identity   *http.Client
	keyring    keyring
	claims     claimSigner
	accessLogs string
	books      logbooks
	// seed is that of the hashes that spread flows, idleFlow how long a silent flow of datagrams is remembered.
	seed     maphash.Seed
	idleFlow time.Duration
	// secret names the header in which the verdict on a request travels inside the server.
	secret string
	// probes and probes2 carry health checks over HTTP/1.1 and HTTP/2.
	probes, probes2 *http.Transport

	// base gives the context that ends with the server, and with it everything that runs.
	base func() context.Context
	end  context.CancelFunc
	// current is what requests are served by.
	current atomic.Pointer[snapshot]

	update  sync.Mutex // held by Update and Close
	sockets map[netip.AddrPort]*socket
	ports   map[netip.AddrPort]*port

	life   sync.RWMutex // guards closed
	closed bool
	work   sync.WaitGroup
}

// snapshot is a configuration at work. It is replaced as a whole.
type snapshot struct {
	fronts map[netip.AddrPort]*frontend
	// inlets are the listeners of network load balancers.
	inlets map[netip.AddrPort]*inlet
	groups map[string]*group
}

// ErrClosed is what Update gives after Close.
var ErrClosed = errors.New("data plane is closed")

// New makes a server that serves nothing yet.
func New(o Options) *Server {
	s := &Server{
		portOffset: o.PortOffset, speed: o.Speed, now: o.Now, dial: o.Dial, log: o.Logger,
		sockets: map[netip.AddrPort]*socket{}, ports: map[netip.AddrPort]*port{}, seed: maphash.MakeSeed(), accessLogs: o.AccessLogs,
	}
	if s.speed <= 0 {
		s.speed = 1
	}
	if s.now == nil {
		s.now = time.Now
	}
	if s.dial == nil {
		s.dial = DialLoopback
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	s.buffers.New = func() any {
		buffer := make([]byte, 2*bufferSize)
		return &buffer
	}
	s.seal, s.idleFlow = newSeal(), s.atLeast(flowIdle, idleFloor)
	s.claims, s.secret = newClaimSigner(), newSecret()
	s.identity = s.newIdentity(o)
	s.probes, s.probes2 = s.newProbes(versionHTTP1), s.newProbes(versionHTTP2)
	base, end := context.WithCancel(context.Background())
	s.base, s.end = func() context.Context { return base }, end
	s.current.Store(&snapshot{})
	return s
}

// Update replaces the configuration. Requests see the old one or the new one, never a mix. New listeners are bound before it returns, removed
// ones finish what they have begun. An error says what could not be applied; everything else is. Health and connections of unchanged targets stay.
func (s *Server) Update(ctx context.Context, c Config) error {
	s.update.Lock()
	defer s.update.Unlock()
	if !s.enter() {
		return ErrClosed
	}
	defer s.work.Done()
	before := s.current.Load()
	next := &snapshot{fronts: map[netip.AddrPort]*frontend{}, inlets: map[netip.AddrPort]*inlet{}}
	next.groups = s.applyGroups(c, before.groups) //nolint:contextcheck // probes outlive an update
	var errs []error
	for i := range c.LoadBalancers {
		errs = append(errs, s.compileListeners(&c.LoadBalancers[i], before, next)...)
	}
	s.current.Store(next)
	for arn, g := range before.groups {
		if next.groups[arn] == nil {
			g.retire()
		}
	}
	return errors.Join(append(errs, s.applySockets(ctx, next)...)...)
}

// compileListeners adds the listeners of a load balancer to the next configuration.
func (s *Server) compileListeners(lb *LoadBalancer, before, next *snapshot) []error {
	var errs []error
	for i := range lb.Listeners {
		l := &lb.Listeners[i]
		at, err := s.bindAddress(lb, l)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		if isNetwork(elbtypes.ProtocolEnum(l.Protocol)) {
			next.inlets[at], err = s.compileInlet(lb, l, before.inlets[at])
		} else {
			next.fronts[at], err = s.compileListener(lb, l, before.fronts[at])
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("listener %s: %w", l.ARN, err))
		}
	}
	return errs
}

// applyGroups takes over target groups. Those of before that are still there go on.
func (s *Server) applyGroups(c Config, before map[string]*group) map[string]*group {
	hosts, books := s.probeHosts(c), s.healthBooks(c)
	groups := make(map[string]*group, len(c.TargetGroups))
	for arn, config := range c.TargetGroups {
		g := before[arn]
		if g == nil {
			g = s.newGroup(arn, &config)
		}
		g.apply(&config, surroundings{hosts[arn], books[arn]})
		groups[arn] = g
	}
	return groups
}

// applySockets closes what has no listener any more, then binds what is new.
func (s *Server) applySockets(ctx context.Context, next *snapshot) []error {
	for at, b := range s.sockets {
		if next.fronts[at] == nil {
			delete(s.sockets, at)
			b.close() //nolint:contextcheck // what was begun may end after the update
		}
	}
	s.closePorts(next)
	errs := s.openPorts(ctx, next)
	for at, front := range next.fronts {
		b := s.sockets[at]
		if b == nil {
			var err error
			if b, err = s.bind(ctx, at); err != nil {
				errs = append(errs, fmt.Errorf("listener %s: %w", front.arn, err))
				continue
			}
			s.sockets[at] = b
		}
		b.open(front) //nolint:contextcheck // the same
	}
	return errs
}

// Health gives the health of the targets of a group, in the order of the configuration; nothing for a group that is not known.
func (s *Server) Health(targetGroupARN string) []TargetHealth {
	g := s.current.Load().groups[targetGroupARN]
	if g == nil {
		return nil
	}
	return g.describe()
}

// Close ends everything: listeners, connections, probes. When it returns nothing runs any more.
func (s *Server) Close() error {
	s.update.Lock()
	defer s.update.Unlock()
	s.life.Lock()
	s.closed = true
	s.life.Unlock()
	s.end()
	for at, b := range s.sockets {
		delete(s.sockets, at)
		b.kill()
	}
	for at, p := range s.ports {
		delete(s.ports, at)
		p.close()
	}
	for _, g := range s.current.Swap(&snapshot{}).groups {
		g.retire()
	}
	s.books.close()
	s.work.Wait()
	s.books.close()
	s.probes.CloseIdleConnections()
	s.probes2.CloseIdleConnections()
	s.identity.CloseIdleConnections()
	return nil
}

// enter counts one piece of work in, unless the server is closed. The caller calls work.Done.
func (s *Server) enter() bool {
	s.life.RLock()
	defer s.life.RUnlock()
	if s.closed {
		return false
	}
	s.work.Add(1)
	return true
}

// scaled is a simulated duration in real time.
func (s *Server) scaled(d time.Duration) time.Duration {
	return time.Duration(float64(d) / s.speed)
}

// atLeast scales a duration, but not below a floor. One that is shorter than the floor stays as it is.
func (s *Server) atLeast(d, floor time.Duration) time.Duration {
	return max(s.scaled(d), min(d, floor))
}

func (s *Server) takeBuffer() *[]byte {
	buffer, _ := s.buffers.Get().(*[]byte) // the pool holds nothing else
	return buffer
}
