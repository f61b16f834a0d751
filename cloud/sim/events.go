package sim

import (
	"cmp"
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	elbsdk "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"

	"github.com/headgate/headgate/cloud/sim/wire"
)

// The types of events.
const (
	// CallEvent is a call that was answered.
	CallEvent = "call"
	// LoadBalancerEvent is a load balancer whose state changed.
	LoadBalancerEvent = "loadbalancer"
	// TargetEvent is a target whose health changed.
	TargetEvent = "target"
	// LostEvent says that the listener was too slow for some events.
	LostEvent = "lost"
)

// Event is something that happened.
type Event struct {
	Type string    `json:"type"`
	Time time.Time `json:"time"`

	// Service, Action, Kind, Status and, of a call that failed, Code are of calls. The status is 0 where the connection was cut.
	Service string `json:"service,omitempty"`
	Action  string `json:"action,omitempty"`
	Kind    string `json:"kind,omitempty"`
	Status  int    `json:"status,omitempty"`
	Code    string `json:"code,omitempty"`

	// ARN is the load balancer or target group, and Target the address, instance or ARN and port. From is empty for what is new, and To
	// for what is gone.
	ARN    string `json:"arn,omitempty"`
	Target string `json:"target,omitempty"`
	From   string `json:"from,omitempty"`
	To     string `json:"to,omitempty"`
	Reason string `json:"reason,omitempty"`

	// Count is how many events were lost.
	Count int `json:"count,omitempty"`
}

// eventBuffer is how many events a listener may be late.
const eventBuffer = 4096

// hub brings events to whoever listens.
type hub struct {
	mu        sync.Mutex
	listeners map[*listener]bool
	// watching says that somebody looks for changes of state.
	watching bool
}

// listener is one that listens, and how many events it has lost.
type listener struct {
	events chan Event
	lost   int
}

func newHub() *hub { return &hub{listeners: map[*listener]bool{}} }

// publish gives an event to all who listen. It never waits.
func (h *hub) publish(e Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for l := range h.listeners {
		l.send(e)
	}
}

func (l *listener) send(e Event) {
	if l.lost > 0 {
		select {
		case l.events <- Event{Type: LostEvent, Time: e.Time, Count: l.lost}:
			l.lost = 0
		default:
		}
	}
	select {
	case l.events <- e:
	default:
		l.lost++
	}
}

// leave takes a listener away.
func (h *hub) leave(l *listener) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.listeners, l)
}

// idle reports whether nobody listens, and then notes that nobody watches.
func (h *hub) idle() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.watching = len(h.listeners) > 0
	return !h.watching
}

// Events gives what happens from now on, until the context ends; then the channel is closed.
func (s *Simulator) Events(ctx context.Context) <-chan Event {
	l := &listener{events: make(chan Event, eventBuffer)}
	first := s.observe()
	s.hub.mu.Lock()
	s.hub.listeners[l] = true
	start := !s.hub.watching
	s.hub.watching = true
	s.hub.mu.Unlock()
	if start {
		s.done.Go(func() { s.watch(first) })
	}
	out := make(chan Event)
	s.done.Go(func() {
		defer close(out)
		defer s.hub.leave(l)
		s.pass(ctx, l.events, out)
	})
	return out
}

// pass gives events on until the context or the simulator ends.
func (s *Simulator) pass(ctx context.Context, from <-chan Event, to chan<- Event) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.stopped:
			return
		case e := <-from:
			select {
			case to <- e:
			case <-ctx.Done():
				return
			case <-s.stopped:
				return
			}
		}
	}
}

// states are the states of load balancers and targets. The key of a load balancer has no target.
type states map[stateKey]stateValue

type stateKey struct{ arn, target string }

type stateValue struct{ state, reason string }

// observe gives the states as they are.
func (s *Simulator) observe() states {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := states{}
	for _, lb := range s.elb.Summaries() {
		all[stateKey{arn: lb.ARN}] = stateValue{state: lb.State}
	}
	service, _ := s.service("elasticloadbalancing")
	for arn := range s.elb.TargetGroups() {
		s.observeTargets(service.Operations["DescribeTargetHealth"], arn, all)
	}
	return all
}

func (s *Simulator) observeTargets(describe wire.Operation, arn string, all states) {
	out, err := describe.Run(&elbsdk.DescribeTargetHealthInput{TargetGroupArn: &arn})
	if err != nil {
		return
	}
	health, ok := out.(*elbsdk.DescribeTargetHealthOutput)
	if !ok {
		return
	}
	for _, t := range health.TargetHealthDescriptions {
		key := stateKey{arn, aws.ToString(t.Target.Id) + ":" + strconv.Itoa(int(aws.ToInt32(t.Target.Port)))}
		all[key] = stateValue{string(t.TargetHealth.State), string(t.TargetHealth.Reason)}
	}
}

// How often states are compared: not more than this, and not so often that it takes more than a tenth of the time.
const (
	shortestLook = 50 * time.Millisecond
	lookShare    = 10
)

// watch compares the states from time to time, while somebody listens.
func (s *Simulator) watch(last states) {
	for !s.hub.idle() {
		began := time.Now()
		now := s.observe()
		s.publishChanges(last, now)
		last = now
		timer := time.NewTimer(max(shortestLook, lookShare*time.Since(began)))
		select {
		case <-s.stopped:
			timer.Stop()
			return
		case <-timer.C:
		}
	}
}

// publishChanges tells what differs, in the order of ARNs and targets.
func (s *Simulator) publishChanges(last, now states) {
	all := maps.Clone(last)
	maps.Copy(all, now)
	keys := slices.SortedFunc(maps.Keys(all), func(a, b stateKey) int {
		return cmp.Or(cmp.Compare(a.arn, b.arn), cmp.Compare(a.target, b.target))
	})
	for _, key := range keys {
		if last[key] != now[key] {
			s.publishChange(key, last[key], now[key])
		}
	}
}

func (s *Simulator) publishChange(key stateKey, was, is stateValue) {
	e := Event{Type: TargetEvent, Time: s.options.Now(), ARN: key.arn, Target: key.target, From: was.state, To: is.state, Reason: is.reason}
	if key.target == "" {
		e.Type = LoadBalancerEvent
	}
	s.hub.publish(e)
}

// streamEvents writes events as they come, one JSON object a line.
func (s *Simulator) streamEvents(w http.ResponseWriter, r *http.Request) {
	events := s.Events(r.Context())
	w.Header().Set("Content-Type", "application/x-ndjson")
	w.WriteHeader(http.StatusOK)
	flush := http.NewResponseController(w)
	out := json.NewEncoder(w)
	if flush.Flush() != nil {
		return
	}
	for e := range events {
		err := out.Encode(e)
		if err != nil || flush.Flush() != nil {
			return
		}
	}
}
