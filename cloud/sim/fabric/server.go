package fabric

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net/netip"
	"reflect"
	"sync"
	"sync/atomic"
	"time"

	"github.com/headgate/headgate/cloud/sim/dataplane"
)

// Groups gives a target of a target group for each request.
type Groups interface {
	// Choose reports false where a group has no target that takes requests.
	Choose(targetGroupARN string) (*dataplane.Seat, bool)
}

// Options are what a [Server] is made with.
type Options struct {
	Groups Groups
	// PortOffset is added to the port of every listener when it is bound.
	PortOffset int
	// Speed divides every simulated duration, but none below a few seconds. Zero is 1.
	Speed float64
	// Logger gets what nobody else is told. Nil discards.
	Logger *slog.Logger
}

// Server is a fabric at work. Its methods are safe for concurrent use.
type Server struct {
	options Options
	// idle and life are how long a connection on which nothing moves lasts, and the longest one; patience is how long a target may be silent.
	idle, life, patience time.Duration
	base                 func() context.Context
	end                  context.CancelFunc
	current              atomic.Pointer[map[netip.AddrPort]*place]

	mu      sync.Mutex // guards what follows
	config  Config
	sockets map[netip.AddrPort]*socket
	closed  bool
	// work counts goroutines, but those that wait for a lock of the server.
	work sync.WaitGroup
}

// Times of VPC Lattice (user guide): a connection on which nothing moves, and the longest one.
const (
	idle = time.Minute
	life = 10 * time.Minute
	// handshake bounds how long a client may take to say whom it wants.
	handshake = 10 * time.Second
	// floor is below what no time that bounds real work shrinks.
	floor = 5 * time.Second
)

var (
	errPort   = errors.New("port is out of range")
	errClosed = errors.New("fabric is closed")
)

// New makes a server that serves nothing yet.
func New(o Options) *Server {
	if o.Speed <= 0 {
		o.Speed = 1
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	base, end := context.WithCancel(context.Background())
	s := &Server{
		options: o, idle: scaled(idle, o.Speed), life: scaled(life, o.Speed), patience: scaled(idle, o.Speed),
		base: func() context.Context { return base }, end: end, sockets: map[netip.AddrPort]*socket{},
	}
	s.current.Store(&map[netip.AddrPort]*place{})
	return s
}

// scaled is a simulated duration in real time.
func scaled(d time.Duration, speed float64) time.Duration {
	return max(time.Duration(float64(d)/speed), floor)
}

// Update replaces the configuration. New ports are bound before it returns; an error says which could not be, everything else is applied.
// Connections of listeners that are gone are closed.
func (s *Server) Update(ctx context.Context, c Config) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return errClosed
	}
	if reflect.DeepEqual(c, s.config) {
		return nil
	}
	places, err := s.compile(c)
	s.current.Store(&places)
	s.config = c
	errs := []error{err}
	for at, b := range s.sockets {
		if places[at] == nil {
			delete(s.sockets, at)
			b.close()
		}
	}
	for at := range places {
		if s.sockets[at] != nil {
			continue
		}
		b, err := s.bind(ctx, at)
		if err != nil {
			s.config = Config{} // to be tried again
			errs = append(errs, err)
			continue
		}
		s.sockets[at] = b
	}
	return errors.Join(errs...)
}

// compile gives the ports of all entrances.
func (s *Server) compile(c Config) (map[netip.AddrPort]*place, error) {
	all := map[netip.AddrPort]*place{}
	var errs []error
	for i := range c.Entrances {
		e := &c.Entrances[i]
		for _, service := range e.Services {
			for j := range service.Listeners {
				l := &service.Listeners[j]
				at, err := s.bindAddress(e, l.Port)
				if err != nil {
					errs = append(errs, err)
					continue
				}
				if all[at] == nil {
					all[at] = &place{plain: map[string]*front{}, secure: map[string]*front{}}
				}
				all[at].add(newFront(e, service, l))
			}
		}
	}
	return all, errors.Join(errs...)
}

func (s *Server) bindAddress(e *Entrance, port int) (netip.AddrPort, error) {
	bound := port + s.options.PortOffset
	if bound < 1 || bound > math.MaxUint16 || !e.Address.IsValid() {
		return netip.AddrPort{}, fmt.Errorf("%s:%d of service network %s: %w", e.Address, bound, e.NetworkARN, errPort)
	}
	return netip.AddrPortFrom(e.Address, uint16(bound)), nil
}

// place gives what is behind an address now.
func (s *Server) place(at netip.AddrPort) *place { return (*s.current.Load())[at] }

// Close ends everything. When it returns nothing runs any more.
func (s *Server) Close() error {
	s.mu.Lock()
	s.closed = true
	s.end()
	for at, b := range s.sockets {
		delete(s.sockets, at)
		b.close()
	}
	s.mu.Unlock()
	s.work.Wait()
	return nil
}
