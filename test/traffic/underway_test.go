package traffic

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/headgate/headgate/cloud/sim"
)

// TestRequestsUnderWayEnd: a target group that is replaced stays until what its targets have begun to answer is answered, here for forty
// seconds. AWS does not say what becomes of a request whose target group is deleted; the simulator ends it with 502.
func TestRequestsUnderWayEnd(t *testing.T) {
	t.Parallel()
	s := newStage(t, sim.Options{RuleDelay: time.Second})
	o := s.newLaneOperator()
	began := time.Now()
	o.opts.Now = func() time.Time { return began.Add(speed * time.Since(began)) }
	o.restart()
	shop := func(service string) string {
		return web([]string{"target-group-attributes: deregistration_delay.timeout_seconds=60"}, []string{host("s.example.com", "Prefix / "+service)}, "")
	}
	o.apply(shop("a"))
	const slowly, clients = 40 * time.Second / speed, 20
	stop := make(chan struct{})
	answers := map[string]int{}
	var mu sync.Mutex
	var askers sync.WaitGroup
	for i := range clients {
		c := s.newClient("")
		askers.Go(func() {
			time.Sleep(slowly * time.Duration(i) / clients) // at any time some request has just begun, and some is about to end
			for {
				select {
				case <-stop:
					return
				default:
				}
				answer := c.ask(ask{to: "GET http://s.example.com/?delay=" + slowly.String()})
				mu.Lock()
				answers[answer]++
				mu.Unlock()
			}
		})
	}
	time.Sleep(slowly)
	o.apply(shop("b"))
	if got, err := s.cloud.Observe(t.Context(), owner(), nil); err != nil || len(got.TargetGroups) != 1 {
		t.Errorf("the one before it is left: %d target groups, %v", len(got.TargetGroups), err)
	}
	time.Sleep(slowly)
	close(stop)
	askers.Wait()
	pods := map[string]int{}
	for answer, n := range answers {
		pod, _, ok := strings.Cut(answer, ": GET s.example.com/")
		if !ok {
			t.Errorf("%d requests met %q", n, answer)
		}
		pods[pod] += n
	}
	if pods["a"] < clients || pods["b"] < clients {
		t.Errorf("the rule did not move under requests: %v", pods)
	}
}
