package targets

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	elbv2v1beta1 "github.com/headgate/headgate/apis/elbv2/v1beta1"
	"github.com/headgate/headgate/model"
)

// quiet lets time pass until the checkpoint is written.
func (w *world) quiet() {
	w.Helper()
	w.now = w.now.Add(restful)
	w.reconcile("web")
	if w.binding("web").Annotations[Checkpoint] == "" {
		w.Fatal("there is no checkpoint although all is quiet")
	}
}

// annotate writes an annotation of a binding.
func (w *world) annotate(name, key, value string) {
	w.Helper()
	b := w.binding(name)
	if b.Annotations == nil {
		b.Annotations = map[string]string{}
	}
	b.Annotations[key] = value
	if err := w.api.Update(w.Context(), b); err != nil {
		w.Fatal(err)
	}
}

// TestTheIncumbentLooksAgainAfterAChange: while its own checkpoint stands it would take all for done, and look at nothing.
func TestTheIncumbentLooksAgainAfterAChange(t *testing.T) {
	t.Parallel()
	w := newWorld(t, service(), binding("web"))
	w.endpoints("10.0.0.1")
	w.reconcile("web")
	w.annotate("web", checkpointBefore, "digest")
	w.annotate("web", checkpointTimeBefore, "1700000000")
	w.reconcile("web")
	w.quiet()
	if got := w.binding("web").Annotations; got[checkpointBefore] != "digest" || got[checkpointTimeBefore] != "1700000000" {
		t.Errorf("nothing changed, and of the incumbent's checkpoint is left %v", got)
	}
	w.endpoints("10.0.0.1", "10.0.0.2")
	w.reconcile("web")
	if got := w.binding("web").Annotations; got[checkpointBefore] != "" || got[checkpointTimeBefore] != "" {
		t.Errorf("targets changed, and the incumbent's checkpoint still says %v", got)
	}
}

func TestKnownTargetsAreNotReadAfterAStart(t *testing.T) {
	t.Parallel()
	one, two := []string{"10.0.0.1:8080"}, []string{"10.0.0.1:8080", "10.0.0.2:8080"}
	for _, c := range []struct {
		why string
		// before happens to the operator that stops, meanwhile while none runs.
		before, meanwhile func(w *world)
		calls, want       []string
	}{
		{why: "nothing happened", calls: nil, want: one},
		{
			why: "endpoints changed meanwhile", meanwhile: func(w *world) { w.endpoints("10.0.0.1", "10.0.0.2") },
			calls: []string{"health", "register"}, want: two,
		},
		{
			why:       "it stopped right after a change that was taken back meanwhile",
			before:    func(w *world) { w.endpoints("10.0.0.1", "10.0.0.2"); w.reconcile("web") },
			meanwhile: func(w *world) { w.endpoints("10.0.0.1") }, calls: []string{"deregister", "health"}, want: one,
		},
		{
			why: "a change failed half way",
			before: func(w *world) {
				w.endpoints("10.0.0.2")
				w.aws.fail = func(call string) error {
					if call == "register" {
						return errors.New("cut")
					}
					return nil
				}
				w.reconcile("web")
				w.aws.fail = nil
			},
			meanwhile: func(w *world) { w.endpoints("10.0.0.1") }, calls: []string{"health", "register"}, want: one,
		},
		{
			why: "the incumbent was at work meanwhile, and left a target behind",
			meanwhile: func(w *world) {
				w.annotate("web", checkpointTimeBefore, "1700000001")
				w.aws.groups[groupARN][model.Target{ID: "10.0.0.9", Port: 8080}] = "healthy"
			},
			calls: []string{"deregister", "health"}, want: one,
		},
		{
			why: "the binding names another group",
			meanwhile: func(w *world) {
				b := w.binding("web")
				b.Spec.TargetGroupARN += "2"
				w.aws.groups[model.ARN(b.Spec.TargetGroupARN)] = map[model.Target]string{}
				if err := w.api.Update(w.Context(), b); err != nil {
					w.Fatal(err)
				}
			},
			calls: []string{"health", "register"}, want: one,
		},
	} {
		w := newWorld(t, service(), binding("web"))
		w.endpoints("10.0.0.1")
		w.reconcile("web")
		w.quiet()
		if c.before != nil {
			c.before(w)
		}
		if c.meanwhile != nil {
			c.meanwhile(w)
		}
		w.restart()
		if _, calls := w.reconcile("web"); !slices.Equal(calls, c.calls) {
			t.Errorf("%s: %v, want %v", c.why, calls, c.calls)
		}
		if diff := cmp.Diff(c.want, w.aws.registered()); diff != "" {
			t.Errorf("invariant 2: %s: %s", c.why, diff)
		}
	}
}

// TestDriftAcrossAStart: what somebody else does while no operator runs is found by the first look.
func TestDriftAcrossAStart(t *testing.T) {
	t.Parallel()
	w := newWorld(t, service(), binding("web"))
	w.endpoints("10.0.0.1")
	w.reconcile("web")
	w.quiet()
	w.aws.groups[groupARN] = map[model.Target]string{}
	w.restart()
	for range 4 {
		res, _ := w.reconcile("web")
		w.now = w.now.Add(res.RequeueAfter)
	}
	if diff := cmp.Diff([]string{"10.0.0.1:8080"}, w.aws.registered()); diff != "" {
		t.Error(diff)
	}
}

func TestCheckpointsAreWrittenOnceAllIsQuiet(t *testing.T) {
	t.Parallel()
	w := newWorld(t, service(), binding("web"))
	w.endpoints("10.0.0.1")
	w.reconcile("web")
	w.quiet()
	version := w.binding("web").ResourceVersion
	w.reconcile("web")
	if now := w.binding("web").ResourceVersion; now != version {
		t.Errorf("invariant 1: a checkpoint that says it already is written again")
	}
	for i := range 30 {
		w.endpoints(fmt.Sprintf("10.0.1.%d", i))
		w.reconcile("web")
		w.now = w.now.Add(time.Second)
		if got := w.binding("web").Annotations[Checkpoint]; got != "" {
			t.Fatalf("change %d: while targets change the checkpoint is %q", i, got)
		}
	}
	w.quiet()
}

// TestGroupsThatChangeAllTheTimeAreLookedAt: each change would put the look off.
func TestGroupsThatChangeAllTheTimeAreLookedAt(t *testing.T) {
	t.Parallel()
	w := newWorld(t, service(), binding("web"))
	reads := 0
	for i := range 60 {
		w.endpoints(fmt.Sprintf("10.0.1.%d", i))
		_, calls := w.reconcile("web")
		if slices.Contains(calls, "health") {
			reads++
		}
		w.now = w.now.Add(time.Second)
	}
	if reads < 4 || reads > 7 {
		t.Errorf("%d reads in 60 changes, a second each, want one in about ten", reads)
	}
}

func TestAGroupThatWasJustMadeIsNotRead(t *testing.T) {
	t.Parallel()
	w := newWorld(t, service(), binding("web", made))
	w.board.MarkFresh(groupARN)
	w.endpoints("10.0.0.1")
	if _, calls := w.reconcile("web"); !slices.Equal(calls, []string{"register"}) {
		t.Errorf("the first targets of a new group: %v", calls)
	}
	if w.board.TakeFresh(groupARN) {
		t.Error("a group stays new for ever")
	}
}

func TestSharedGroupsHaveNoCheckpoint(t *testing.T) {
	t.Parallel()
	w := newWorld(t, service(), binding("web", func(b *elbv2v1beta1.TargetGroupBinding) { b.Spec.MultiClusterTargetGroup = true }))
	w.endpoints("10.0.0.1")
	w.reconcile("web")
	w.now = w.now.Add(restful)
	w.reconcile("web")
	if got := w.binding("web").Annotations[Checkpoint]; got != "" {
		t.Errorf("other clusters have targets in it too, and its checkpoint is %q", got)
	}
}

// TestLooksShareABudget: what is only shown never takes more than its share of the account's reads.
func TestLooksShareABudget(t *testing.T) {
	t.Parallel()
	const groups = 100
	objects := []client.Object{service()}
	for i := range groups {
		objects = append(objects, binding(fmt.Sprintf("b%d", i), func(b *elbv2v1beta1.TargetGroupBinding) {
			b.Spec.TargetGroupARN = fmt.Sprintf("%s%d", groupARN, i)
			b.Spec.ServiceRef.Port = intstr.FromInt32(80)
		}))
	}
	w := newWorld(t, objects...)
	for i := range groups {
		arn := model.ARN(fmt.Sprintf("%s%d", groupARN, i))
		w.aws.groups[arn] = map[model.Target]string{}
		w.board.MarkFresh(arn)
	}
	w.endpoints("10.0.0.1")
	due := map[string]time.Time{}
	for i := range groups {
		res, _ := w.reconcile(fmt.Sprintf("b%d", i))
		due[fmt.Sprintf("b%d", i)] = w.now.Add(res.RequeueAfter)
	}
	reads := 0
	for range 60 {
		w.now = w.now.Add(time.Second)
		for name, at := range due {
			if w.now.Before(at) {
				continue
			}
			res, calls := w.reconcile(name)
			due[name] = w.now.Add(res.RequeueAfter)
			reads += len(calls)
		}
	}
	if reads < 40 || reads > 65 {
		t.Errorf("%d reads in a minute for %d groups that changed, want about one a second", reads, groups)
	}
}

func TestTimeUntilTargetsServe(t *testing.T) {
	t.Parallel()
	w := newWorld(t, service(), binding("web"))
	var took []time.Duration
	w.opts.InService = func(d time.Duration) { took = append(took, d) }
	w.endpoints("10.0.0.1")
	w.reconcile("web")
	w.now = w.now.Add(4 * time.Second)
	w.endpoints("10.0.0.1", "10.0.0.2")
	for range 20 {
		res, _ := w.reconcile("web")
		w.now = w.now.Add(max(res.RequeueAfter, time.Second))
		if w.now.Sub(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)) > 30*time.Second {
			w.becomes("healthy")
		}
	}
	if len(took) != 1 || took[0] < 30*time.Second || took[0] > time.Minute {
		t.Errorf("measured %v, want once, from the first change on until all were seen healthy", took)
	}
}
