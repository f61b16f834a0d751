package sharing

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kube "sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/headgate/headgate/cloud/sim"
)

// provisioning is how long a new load balancer takes to serve in tests of moves.
const provisioning = 2 * time.Minute

// mover is a world in which the Ingress "one" is served by the group of that name.
func mover(t *testing.T) *world {
	t.Helper()
	w := newWorld(t, sim.Options{Provisioning: provisioning})
	made := w.issue()
	w.seal(made, "web")
	w.ask("one", "web", made)
	w.must("one")
	w.clock.Advance(provisioning)
	w.must("one")
	w.wire.all()
	return w
}

// all gives the writes since it was asked last.
func (w *wire) all() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := w.writes
	w.writes = nil
	return out
}

func (w *world) ingress() *networkingv1.Ingress {
	w.Helper()
	ing := &networkingv1.Ingress{}
	if err := w.api.Get(w.Context(), kube.ObjectKey{Namespace: "shop", Name: "one"}, ing); err != nil {
		w.Fatal(err)
	}
	return ing
}

// edit changes the Ingress.
func (w *world) edit(how func(*networkingv1.Ingress)) {
	w.Helper()
	ing := w.ingress()
	how(ing)
	if err := w.api.Update(w.Context(), ing); err != nil {
		w.Fatal(err)
	}
}

// to moves the Ingress to a group.
func to(group string) func(*networkingv1.Ingress) {
	return func(ing *networkingv1.Ingress) { ing.Annotations["alb.ingress.kubernetes.io/group.name"] = group }
}

// answering are the groups, by the addresses of their load balancers that are active and have a rule for the host.
func (w *world) answering() map[string]string {
	w.Helper()
	api, out := elasticloadbalancingv2.NewFromConfig(w.sim.AWSConfig()), map[string]string{}
	w.each(func(group string, l elbtypes.Listener) {
		rules, err := api.DescribeRules(w.Context(), &elasticloadbalancingv2.DescribeRulesInput{ListenerArn: l.ListenerArn})
		if err != nil {
			w.Fatal(err)
		}
		lbs, err := api.DescribeLoadBalancers(w.Context(), &elasticloadbalancingv2.DescribeLoadBalancersInput{LoadBalancerArns: []string{*l.LoadBalancerArn}})
		if err != nil {
			w.Fatal(err)
		}
		lb := lbs.LoadBalancers[0]
		if lb.State.Code == elbtypes.LoadBalancerStateEnumActive && slices.ContainsFunc(rules.Rules, func(r elbtypes.Rule) bool { return !aws.ToBool(r.IsDefault) }) {
			out[strings.ToLower(*lb.DNSName)] = group
		}
	})
	return out
}

// at is the group whose load balancer the Ingress shows, empty where that does not answer.
func (w *world) at() string {
	w.Helper()
	shown := w.ingress().Status.LoadBalancer.Ingress
	if len(shown) != 1 {
		w.Fatalf("shows %v", shown)
	}
	return w.answering()[shown[0].Hostname]
}

// pass lets a time pass in which groups are reconciled, in that order, every step. What the Ingress shows always answers.
func (w *world) pass(d time.Duration, groups ...string) {
	w.Helper()
	for range d / step {
		for _, group := range groups {
			if _, err := w.turn(group); err != nil {
				w.Fatal(err)
			}
			if w.at() == "" {
				w.Fatalf("after a run of %s the Ingress shows %v, and what answers is %v", group, w.ingress().Status.LoadBalancer.Ingress, w.answering())
			}
		}
		w.clock.Advance(step)
	}
}

// left checks where the Ingress is in the end.
func (w *world) left(why, group string) {
	w.Helper()
	finalizers, answering := w.ingress().Finalizers, w.answering()
	if w.at() != group || len(answering) != 1 || !slices.Equal(finalizers, []string{"group.ingress.k8s.aws/" + group}) {
		w.Errorf("%s: shows that of %q, finalizers %v, and %v answer: want only %s", why, w.at(), finalizers, answering, group)
	}
}

// TestMoveMakesBeforeItDeletes: a group that an Ingress leaves serves it until the other one does, whoever is reconciled first and whenever the
// operator is restarted, and clients have the time to hear of the new address.
func TestMoveMakesBeforeItDeletes(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		why    string
		groups []string
		// upset is done to the operator every step.
		upset func(*world)
	}{
		{"the group that it leaves comes first", []string{"one", "two"}, func(*world) {}},
		{"the group that it goes to comes first", []string{"two", "one"}, func(*world) {}},
		{"the operator is restarted again and again", []string{"one", "two"}, (*world).restart},
	} {
		t.Run(row.why, func(t *testing.T) {
			t.Parallel()
			w := mover(t)
			w.edit(to("two"))
			w.pass(3*time.Minute, "one")
			if got := w.wire.all(); len(got) > 0 {
				t.Fatalf("nobody looked at the new group yet: wrote %v", got)
			}
			for range 30 {
				row.upset(w)
				w.pass(step, row.groups...)
				if at := w.at(); at == "two" {
					break
				}
			}
			if got := w.wire.all(); w.at() != "two" || slices.ContainsFunc(got, isDeletion) {
				t.Fatalf("shows that of %q; before that, wrote %v: want no deletion", w.at(), got)
			}
			w.pass(time.Minute, row.groups...)
			if got := w.wire.all(); len(got) > 0 || len(w.answering()) != 2 {
				t.Errorf("clients know the old address: wrote %v, and %v answer", got, w.answering())
			}
			w.pass(3*time.Minute, row.groups...)
			w.left("in the end", "two")
		})
	}
}

func isDeletion(action string) bool {
	return strings.HasPrefix(action, "Delete") || strings.HasPrefix(action, "Deregister") || strings.HasPrefix(action, "Remove")
}

// TestMoveThatIsNotCarriedOutTakesNothing: a plan that waits for approval, of the new group, as somebody else in it asks for.
func TestMoveThatIsNotCarriedOutTakesNothing(t *testing.T) {
	t.Parallel()
	w := mover(t)
	w.ask("two", "web")
	ing := &networkingv1.Ingress{}
	if err := w.api.Get(t.Context(), kube.ObjectKey{Namespace: "shop", Name: "two"}, ing); err != nil {
		t.Fatal(err)
	}
	ing.Annotations["headgate.dev/changes"] = "Approve"
	if err := w.api.Update(t.Context(), ing); err != nil {
		t.Fatal(err)
	}
	w.edit(to("two"))
	w.pass(10*time.Minute, "one", "two")
	if got := w.wire.all(); len(got) > 0 || w.at() != "one" {
		t.Errorf("wrote %v, and shows that of %q", got, w.at())
	}
}

// TestMoveThatIsGivenUp: back before it was served, deleted, and taken out of our hands.
func TestMoveThatIsGivenUp(t *testing.T) {
	t.Parallel()
	groups := []string{"one", "two"}
	t.Run("back", func(t *testing.T) {
		t.Parallel()
		w := mover(t)
		w.edit(to("two"))
		w.pass(time.Minute, groups...)
		w.edit(to("one"))
		w.pass(6*time.Minute, groups...)
		w.left("back", "one")
	})
	t.Run("back after it was served", func(t *testing.T) {
		t.Parallel()
		w := mover(t)
		w.edit(to("two"))
		w.pass(provisioning+time.Minute, groups...)
		if at := w.at(); at != "two" {
			t.Fatalf("shows that of %q", at)
		}
		w.edit(to("one"))
		w.pass(6*time.Minute, groups...)
		w.left("back", "one")
	})
	t.Run("deleted", func(t *testing.T) {
		t.Parallel()
		w := mover(t)
		w.edit(to("two"))
		w.pass(time.Minute, groups...)
		w.remove("one")
		w.must(groups...)
		err := w.api.Get(w.Context(), kube.ObjectKey{Namespace: "shop", Name: "one"}, &networkingv1.Ingress{})
		if kube.IgnoreNotFound(err) != nil || err == nil || len(w.listeners()) > 0 {
			t.Errorf("%v, and %v stay: a deletion waits for nobody", err, w.listeners())
		}
	})
	t.Run("another controller's", func(t *testing.T) {
		t.Parallel()
		w := mover(t)
		w.edit(to("two"))
		w.pass(time.Minute, groups...)
		theirs := &networkingv1.IngressClass{ObjectMeta: metav1.ObjectMeta{Name: "nginx"}, Spec: networkingv1.IngressClassSpec{Controller: "k8s.io/ingress-nginx"}}
		if err := w.api.Create(w.Context(), theirs); err != nil {
			t.Fatal(err)
		}
		w.edit(func(ing *networkingv1.Ingress) { ing.Spec.IngressClassName = &theirs.Name })
		w.must(groups...)
		if ing := w.ingress(); len(w.listeners()) > 0 || len(ing.Finalizers)+len(ing.Status.LoadBalancer.Ingress) > 0 {
			t.Errorf("%v stay, finalizers %v, shows %v: who takes it out of our hands waits for nobody",
				w.listeners(), ing.Finalizers, ing.Status.LoadBalancer.Ingress)
		}
	})
}
