package stack_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	elbv2v1beta1 "github.com/headgate/headgate/apis/elbv2/v1beta1"
	"github.com/headgate/headgate/model/plan"
)

// TestTargetsAreRegisteredWhileAPlanGoesOn: a binding is there before the plan is done, and is written once; where that does not go well it is
// made in the end, as ever.
func TestTargetsAreRegisteredWhileAPlanGoesOn(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		why   string
		fails int
	}{{"all goes well", 0}, {"the API server does not answer once", 1}} {
		w := newWorld(t)
		created, left := 0, row.fails
		w.through(interceptor.Funcs{Create: func(ctx context.Context, c client.WithWatch, o client.Object, opts ...client.CreateOption) error {
			if _, ok := o.(*elbv2v1beta1.TargetGroupBinding); ok {
				created++
				if left > 0 {
					left--
					return errors.New("no answer")
				}
			}
			return c.Create(ctx, o, opts...)
		}})
		early := -1
		w.aws.fail = func(c plan.Change) error {
			for end := time.Now().Add(10 * time.Second); c.Op == plan.CreateRule && row.fails == 0 && time.Now().Before(end); time.Sleep(time.Millisecond) {
				if early = len(w.bindings()); early > 0 {
					break
				}
			}
			return nil
		}
		if res := w.run(request(member("a"))); !res.Settled || len(w.bindings()) != 1 {
			t.Errorf("%s: settled %v, bindings %v", row.why, res.Settled, w.bindings())
		}
		if row.fails == 0 && early != 1 || created != 1+row.fails {
			t.Errorf("%s: %d bindings when the rule is made; %d were written", row.why, early, created)
		}
	}
}
