package stack

import (
	"time"

	"github.com/headgate/headgate/model"
)

// A plan may take minutes, where there is much to make and AWS throttles. Who mends something meanwhile does not wait for its end: the plan makes
// room between two calls, and what is left of it is planned anew with what was asked for since. A plan that is cut goes on from where it was.

// A plan is carried out for some time in any case, twice as long after each that made room, so that much is done however often somebody asks
// for something else. In a second a load balancer is made with all that its first member needs: where AWS throttles, a plan for fifty that took
// over earlier would have him wait.
const (
	shortest = time.Second
	longest  = 8 * time.Second
)

// Newer tells that something else is asked for of a stack: a run over it makes room for the one that follows, which who calls it asks for.
func (l *Loop) Newer(owner model.Owner) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.asked[owner]++
}

// Asked is for [Request.Asked]: it is to be called before what a stack shall be is read.
func (l *Loop) Asked(owner model.Owner) uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.asked[owner]
}

// newer tells whether the plan that begins now is to make room. One that somebody may have approved does not: the newer one may have to wait, and
// it would be left half done as long.
func (l *Loop) newer(a *attempt, s *slot) func() bool {
	if p := a.req.Policy.Changes; p == Approve || p == ApproveDestructive || a.approved {
		return nil
	}
	begun, least := l.opts.Now(), min(longest, shortest<<min(s.yields, yieldsCounted))
	return func() bool { return l.Asked(a.owner) != a.req.Asked && l.opts.Now().Sub(begun) >= least }
}

// yieldsCounted are as many as lengthen the time.
const yieldsCounted = 3

// yielded counts the plans in a row that made room.
func (s *slot) yielded(outputs model.Outputs) {
	if s.yields++; !outputs.Yielded {
		s.yields = 0
	}
}
