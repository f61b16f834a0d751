package sim_test

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"testing"
	"time"

	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/headgate/headgate/cloud/sim"
	"github.com/headgate/headgate/cloud/sim/contract"
	"github.com/headgate/headgate/cloud/sim/fault"
)

// listening is a stream of events that a test reads.
type listening struct {
	t     *testing.T
	lines *bufio.Scanner
}

func (f *fixture) listen() *listening {
	f.Helper()
	r, err := http.NewRequestWithContext(f.Context(), http.MethodGet, f.Sim.URL()+"/_sim/events", http.NoBody)
	if err != nil {
		f.Fatal(err)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = response.Body.Close() })
	return &listening{f.T, bufio.NewScanner(response.Body)}
}

// next gives the next event of a type.
func (l *listening) next(kind string) sim.Event {
	l.t.Helper()
	for l.lines.Scan() {
		var e sim.Event
		if err := json.Unmarshal(l.lines.Bytes(), &e); err != nil {
			l.t.Fatalf("%s: %v", l.lines.Text(), err)
		}
		if e.Type == kind {
			return e
		}
	}
	l.t.Fatalf("no more events: %v", l.lines.Err())
	return sim.Event{}
}

func (l *listening) want(why string, want sim.Event) {
	l.t.Helper()
	if diff := cmp.Diff(want, l.next(want.Type), cmpopts.IgnoreFields(sim.Event{}, "Time")); diff != "" {
		l.t.Errorf("%s: %s", why, diff)
	}
}

func TestEvents(t *testing.T) {
	t.Parallel()
	f := start(t)
	stream := f.listen()
	lb, group := f.balancer("web"), f.group("web")
	called := sim.Event{Type: sim.CallEvent, Service: "elasticloadbalancing", Action: "CreateLoadBalancer", Kind: "write", Status: 200}
	stream.want("a call", called)
	stream.want("a new load balancer", sim.Event{Type: sim.LoadBalancerEvent, ARN: *lb.LoadBalancerArn, To: "provisioning"})
	f.listener(lb, 80, forward(group))
	contract.WantCode(t, f.register(group, address("10.0.1.5", 0)), "")
	stream.want("a new target", sim.Event{Type: sim.TargetEvent, ARN: *group, Target: "10.0.1.5:80", To: "initial", Reason: "Elb.InitialHealthChecking"})
	f.Pass(time.Minute)
	stream.want("its health", sim.Event{Type: sim.TargetEvent, ARN: *group, Target: "10.0.1.5:80", From: "initial", To: "healthy"})
	f.Pass(time.Hour)
	stream.want("the load balancer is there", sim.Event{Type: sim.LoadBalancerEvent, ARN: *lb.LoadBalancerArn, From: "provisioning", To: "active"})
	_, err := f.elb.DeleteLoadBalancer(t.Context(), &elb.DeleteLoadBalancerInput{LoadBalancerArn: lb.LoadBalancerArn})
	contract.WantCode(t, err, "")
	stream.want("it is gone", sim.Event{Type: sim.LoadBalancerEvent, ARN: *lb.LoadBalancerArn, From: "active"})
}

func TestEventsOfCallsThatFail(t *testing.T) {
	t.Parallel()
	f := start(t, disturbed(sim.Disturbances{Faults: []fault.Fault{{Action: "CreateTargetGroup", Nth: 2, Cut: true}}}))
	ctx, leave := context.WithCancel(t.Context())
	events := f.Sim.Events(ctx)
	in := f.groupInput("web", func(in *elb.CreateTargetGroupInput) { in.VpcId = nil })
	_, err := f.elb.CreateTargetGroup(ctx, in)
	code := contract.APICode(err)
	if f.makeGroup("web") == nil {
		t.Error("the connection was not cut")
	}
	f.send(http.MethodPost, "/?Action=Nothing&Version=2015-12-01", "")
	write := sim.Event{Type: sim.CallEvent, Service: "elasticloadbalancing", Action: "CreateTargetGroup", Kind: "write"}
	refused, unknown := write, sim.Event{Type: sim.CallEvent, Action: "POST /", Status: 400, Code: "UnknownOperationException"}
	refused.Status, refused.Code = 400, code
	for _, want := range []sim.Event{refused, write, unknown} {
		if diff := cmp.Diff(want, <-events, cmpopts.IgnoreFields(sim.Event{}, "Time")); diff != "" {
			t.Error(diff)
		}
	}
	leave()
	for range events {
		t.Error("an event after the end")
	}
}

func TestSlowListenersLoseEvents(t *testing.T) {
	t.Parallel()
	f := start(t)
	events := f.Sim.Events(t.Context())
	handler := f.Sim.Handler()
	call := func() { handler.ServeHTTP(discard{}, request(t, "/?Action=DescribeAccountLimits&Version=2015-12-01")) }
	const calls = 5000
	for range calls {
		call()
	}
	seen, lost := 0, 0
	for e := range events {
		if e.Type == sim.LostEvent {
			lost = e.Count
			break
		}
		seen++
		if seen%100 == 0 {
			call()
		}
	}
	if lost == 0 || seen < 4000 {
		t.Errorf("%d events, then %d lost", seen, lost)
	}
}

func request(t *testing.T, target string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, target, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// discard takes an answer and forgets it.
type discard struct{}

func (discard) Header() http.Header         { return http.Header{} }
func (discard) Write(b []byte) (int, error) { return len(b), nil }
func (discard) WriteHeader(int)             {}
