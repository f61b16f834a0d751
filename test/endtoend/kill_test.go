package endtoend_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/headgate/headgate/test/endtoend"
	"github.com/headgate/headgate/test/policy"
)

// samples is how many rounds are played, each with a kill while the shop opens and one while it closes.
const samples = 5

// killed plays rounds in which the operator is killed at a write, and starts again: each ends as the first one does, in which
// nobody dies (invariant 2). That every write is such a point, test/crash shows in process.
func killed(t *testing.T, s *endtoend.Stage, shop *endtoend.Shop) {
	t.Helper()
	start := s.Gate.Writes()
	if err := shop.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	want, err := shop.Settle(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	opening := s.Gate.Writes() - start
	if err := shop.Vacate(t.Context()); err != nil {
		t.Fatal(err)
	}
	closing := s.Gate.Writes() - start - opening
	t.Logf("undisturbed, the shop opens with %d writes and closes with %d", opening, closing)
	for i := range samples {
		when := []endtoend.Verdict{endtoend.CutBefore, endtoend.CutAfter}
		atOpening := &killing{s: s, at: sample(i, opening), when: when[i%2]}
		atClosing := &killing{s: s, at: sample(i, closing), when: when[(i+1)%2]}
		alike := t.Run(fmt.Sprintf("%s opening, %s closing", atOpening, atClosing), func(t *testing.T) {
			atOpening.during(t, shop.Open, func(ctx context.Context) error {
				got, err := s.Holdings(ctx)
				if diff := cmp.Diff(want, got); err == nil && diff != "" {
					err = fmt.Errorf("what the account holds differs (-undisturbed +killed):\n%s", diff)
				}
				return err
			})
			atClosing.during(t, shop.Close, shop.Vacated)
		})
		if !alike {
			return // the next round would start from another beginning
		}
	}
}

// sample spreads the points over the writes. Calls that run side by side vary by a few: the last ones are left out.
func sample(i, writes int) int { return 1 + i*(writes-2)/samples }

// killing is the death of the operator at the nth write.
type killing struct {
	s    *endtoend.Stage
	at   int
	when endtoend.Verdict
}

func (k *killing) String() string {
	if k.when == endtoend.CutBefore {
		return fmt.Sprintf("before write %d", k.at)
	}
	return fmt.Sprintf("after write %d", k.at)
}

// during kills the operator while what act began is done, starts it again, and waits until done says nil.
func (k *killing) during(t *testing.T, act func(context.Context) error, done func(context.Context) error) {
	t.Helper()
	var seen atomic.Int64
	fell := make(chan struct{})
	k.s.Gate.Post(func(call policy.Call, _ []policy.Right) endtoend.Verdict {
		if !call.Writes() || seen.Add(1) != int64(k.at) {
			return endtoend.Pass
		}
		close(fell)
		return k.when
	})
	if err := act(t.Context()); err != nil {
		t.Fatal(err)
	}
	select {
	case <-fell:
	case <-time.After(time.Minute):
		t.Fatalf("there were only %d writes", seen.Load())
	}
	<-k.s.OperatorDone()
	if err := k.s.RestartOperator(t.Context()); err != nil {
		t.Fatal(err)
	}
	until(t, "the undisturbed end", done)
}
