package lookup

import (
	"encoding/json"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"

	headgatev1alpha1 "github.com/headgate/headgate/apis/headgate/v1alpha1"
	"github.com/headgate/headgate/cloud/sim"
	"github.com/headgate/headgate/cloud/sim/fault"
	"github.com/headgate/headgate/controllers/outcome"
	"github.com/headgate/headgate/controllers/stack"
	"github.com/headgate/headgate/model/intent"
)

// TestWhatFailedIsDoneWithinHalfAMinuteOfItsEnd (invariant 8): each class of errors is shown by its reason while it lasts, however long, and what
// was to be done is done within half a minute of its end, with nobody's help.
func TestWhatFailedIsDoneWithinHalfAMinuteOfItsEnd(t *testing.T) {
	t.Parallel()
	listener := func(f fault.Fault) sim.Disturbances {
		f.Action = "CreateListener"
		return sim.Disturbances{Faults: []fault.Fault{f}}
	}
	denied := func(action string) sim.Disturbances {
		return sim.Disturbances{Policy: json.RawMessage(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},` +
			`{"Effect":"Deny","Action":"` + action + `","Resource":"*"}]}`)}
	}
	for _, row := range []struct {
		why    string
		while  sim.Disturbances
		reason string
	}{
		{"one permission to write is missing", denied("elasticloadbalancing:CreateListener"), outcome.ReasonDenied},
		{"one permission to read is missing", denied("ec2:DescribeSubnets"), outcome.ReasonDenied},
		{"a quota that nobody could know is reached", listener(fault.Fault{Code: "TooManyListeners", Status: 400}), outcome.ReasonQuota},
		{"too many calls", listener(fault.Fault{Code: "Throttling", Status: 400}), outcome.ReasonThrottled},
		{"AWS fails inside", listener(fault.Fault{Code: "InternalFailure", Status: 500}), outcome.ReasonFailed},
		{"the connection is cut", listener(fault.Fault{Cut: true}), outcome.ReasonFailed},
	} {
		t.Run(row.why, func(t *testing.T) {
			t.Parallel()
			w := newWaiter(t)
			w.settle(asking(func(*intent.Fragment) {}))
			w.now = w.now.Add(2 * time.Hour) // what was read is too old
			w.must(w.account.Disturb(row.while))
			req, after := asking(secondPort), time.Duration(0)
			for start := w.now; w.now.Sub(start) < 3*time.Minute; w.now = w.now.Add(after) {
				res, err := w.loop.Run(w.t.Context(), req)
				if after = res.RequeueAfter; err == nil || after <= 0 || after > 30*time.Second {
					t.Fatalf("%v, and again after %s", err, after)
				}
			}
			if got := w.shown(); got != row.reason {
				t.Errorf("it shows %s, want %s", got, row.reason)
			}
			w.must(w.account.Disturb(sim.Disturbances{}))
			res := stack.Result{RequeueAfter: 0}
			for cleared := w.now.Add(-after); !res.Settled; w.now = w.now.Add(res.RequeueAfter) {
				if late := w.now.Sub(cleared); late > 30*time.Second {
					t.Fatalf("it is over, and %s later it shows %s", late, w.shown())
				}
				var err error
				if res, err = w.loop.Run(w.t.Context(), req); err != nil {
					t.Fatal(err)
				}
			}
			if got := w.shown(); got != outcome.ReasonProgrammed {
				t.Errorf("when all is done it shows %s", got)
			}
		})
	}
}

// shown is why the load balancer is programmed or not.
func (w *waiter) shown() string {
	w.t.Helper()
	var list headgatev1alpha1.LoadBalancerList
	w.must(w.api.List(w.t.Context(), &list))
	if len(list.Items) != 1 {
		w.t.Fatalf("there are %d LoadBalancers", len(list.Items))
	}
	c := meta.FindStatusCondition(list.Items[0].Status.Conditions, headgatev1alpha1.ConditionProgrammed)
	if c == nil {
		return ""
	}
	return c.Reason
}
