package takeover

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	elbv2v1beta1 "github.com/headgate/headgate/apis/elbv2/v1beta1"
	headgatev1alpha1 "github.com/headgate/headgate/apis/headgate/v1alpha1"
	"github.com/headgate/headgate/controllers/targets"
	"github.com/headgate/headgate/test/world"
)

// row is something that the incumbent made.
type row struct {
	name, why string
	// build makes it.
	build func(*scene)
	// steps are taken while the operator is at work.
	steps []step
}

// step is an edit under the operator.
type step struct {
	// do makes it, in the cluster and in the incumbent's model of the stacks.
	do func(*scene)
	// calls that it costs, and what the incumbent would do if it came back then.
	calls, seen map[string]int
	// check looks at more, when it is done.
	check func(*scene)
}

// TestTakeOver starts the operator on what the incumbent made, kills it again and again on its way, and has it work on: nothing is
// written in AWS, and no object that is not the operator's own is written in the cluster. Then something is edited, and edited back: what
// the operator leaves behind is as the incumbent would find its own.
func TestTakeOver(t *testing.T) {
	w := world.Open(t)
	t.Run("cases", func(t *testing.T) {
		for _, r := range rows() {
			t.Run(r.name, func(t *testing.T) {
				t.Parallel()
				t.Log(r.why)
				r.play(t, w)
			})
		}
		t.Run("handover", func(t *testing.T) {
			t.Parallel()
			handover(t, w)
		})
		t.Run("handover-approved", func(t *testing.T) {
			t.Parallel()
			approvedHandover(t, w)
		})
	})
}

func (r row) play(t *testing.T, w *world.World) {
	t.Helper()
	s := newScene(t, w, "takeover-"+r.name)
	r.build(s)
	if calls := s.look(t.Context()); len(calls) > 0 {
		t.Fatalf("the incumbent would change what it has just made:\n%s", list(calls))
	}
	s.plansNothing()
	before := s.objects()
	s.Sim.ResetCalls()
	s.restartOften()
	s.start(nil)
	s.Eventually("the operator has taken over", s.taken)
	calls := s.Sim.Calls()
	t.Logf("%s: mutating calls %d; reads %d, of the last start %d", r.name, calls.Writes, calls.Reads, calls.Reads-s.seen.Reads)
	s.untouched(before)
	for i, one := range r.steps {
		s.Sim.ResetCalls()
		one.do(s)
		s.Eventually(fmt.Sprintf("step %d is done", i+1), func() error {
			if diff := cmp.Diff(one.calls, s.writes()); diff != "" {
				return fmt.Errorf("calls that write (-want +got):\n%s", diff)
			}
			calls := s.look(t.Context())
			if diff := cmp.Diff(one.seen, kinds(calls)); diff != "" {
				return fmt.Errorf("what the incumbent would call (-want +got):\n%s\n%s", diff, list(calls))
			}
			return nil
		})
		if one.check != nil {
			one.check(s)
		}
	}
}

// kinds counts calls by their names; of tags it says of what.
func kinds(calls []string) map[string]int {
	var out map[string]int
	for _, c := range calls {
		words := strings.Fields(c)
		kind := words[0]
		if strings.HasSuffix(kind, "Tags") {
			kind += " " + words[1]
		}
		if out == nil {
			out = map[string]int{}
		}
		out[kind]++
	}
	return out
}

func list(calls []string) string { return "  " + strings.Join(calls, "\n  ") }

// start starts the operator; a blade may cut it off.
func (s *scene) start(b *blade) {
	s.t.Helper()
	s.seen = s.Sim.Calls()
	settings := s.Settings(s.meter)
	settings.Config = s.meter.on(settings.Config)
	if b != nil {
		settings.Transport = b.cut(s.meter, every)
		settings.Config.Wrap(func(next http.RoundTripper) http.RoundTripper { return b.cut(next, writing) })
	}
	s.StartAs(settings)
}

// restartOften kills the operator at more and more requests, and starts it again with what it remembers.
func (s *scene) restartOften() {
	s.t.Helper()
	for n := range 12 {
		b := newBlade(n + n*n/4)
		s.start(b)
		s.Eventually("the operator comes to its end, or to where it has taken over", func() error {
			select {
			case <-b.fell:
				return nil
			default:
				return s.taken()
			}
		})
		s.Kill()
	}
}

var errOpen = errors.New("the operator is not done")

// taken tells whether the stacks are programmed, and the network of pods was looked at since the start.
func (s *scene) taken() error {
	if s.Sim.Calls().Of("DescribeSecurityGroups") == s.seen.Of("DescribeSecurityGroups") {
		return fmt.Errorf("the groups of pods were not read: %w", errOpen)
	}
	return s.programmed()
}

// programmed tells whether every stack is as it shall be, with all its members.
func (s *scene) programmed() error {
	var all headgatev1alpha1.LoadBalancerList
	if err := s.World.Client.List(context.Background(), &all); err != nil {
		return fmt.Errorf("listing LoadBalancers: %w", err)
	}
	names := map[string]bool{}
	for _, lb := range s.Sim.LoadBalancers() {
		names[lb.Name] = lb.Type == "application"
	}
	done := 0
	for i := range all.Items {
		one := &all.Items[i]
		if names[one.Name] && meta.IsStatusConditionTrue(one.Status.Conditions, headgatev1alpha1.ConditionProgrammed) {
			done++
		}
	}
	if done < len(s.stacks) {
		return fmt.Errorf("%d of %d stacks are programmed: %w", done, len(s.stacks), errOpen)
	}
	return nil
}

// objects are the objects of the namespace that the incumbent wrote, by kind and name: all of each, but for what the operator may note on
// it in its own name.
func (s *scene) objects() map[string]string {
	s.t.Helper()
	out := map[string]string{}
	for kind, all := range map[string]client.ObjectList{
		"Ingress": &networkingv1.IngressList{}, "TargetGroupBinding": &elbv2v1beta1.TargetGroupBindingList{},
		"Gateway": &gwv1.GatewayList{}, "HTTPRoute": &gwv1.HTTPRouteList{},
		"Pod": &corev1.PodList{}, "ConfigMap": &corev1.ConfigMapList{}, "Service": &corev1.ServiceList{},
	} {
		s.must(s.World.Client.List(s.t.Context(), all, client.InNamespace(s.Name)))
		s.must(meta.EachListItem(all, func(o runtime.Object) error {
			one, err := meta.Accessor(o)
			if err != nil {
				return fmt.Errorf("reading a list: %w", err)
			}
			one.SetManagedFields(nil)
			one.SetResourceVersion("")
			switch o := o.(type) {
			case *gwv1.Gateway:
				o.Status = gwv1.GatewayStatus{} // its words are the operator's own
			case *gwv1.HTTPRoute:
				o.Status = gwv1.HTTPRouteStatus{}
			}
			notes := one.GetAnnotations()
			delete(notes, targets.Checkpoint)
			one.SetAnnotations(notes)
			text, err := json.Marshal(o)
			out[kind+" "+one.GetName()] = string(text)
			return err
		}))
	}
	return out
}

// untouched says what the operator wrote that it had no reason to.
func (s *scene) untouched(before map[string]string) {
	s.t.Helper()
	if writes := s.writes(); len(writes) > 0 {
		s.t.Errorf("taking over wrote in AWS: %v", writes)
	}
	if diff := cmp.Diff(before, s.objects()); diff != "" {
		s.t.Errorf("taking over wrote objects:\n%s", diff)
	}
	if others := s.meter.others(); len(others) > 0 {
		slices.Sort(others)
		s.t.Errorf("taking over wrote in the cluster:\n%s", list(slices.Compact(others)))
	}
	if calls := s.look(s.t.Context()); len(calls) > 0 {
		s.t.Errorf("after a switch and back the incumbent would call:\n%s", list(calls))
	}
}
