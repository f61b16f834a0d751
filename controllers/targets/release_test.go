package targets

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	elbv2v1beta1 "github.com/headgate/headgate/apis/elbv2/v1beta1"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/fault"
)

// made makes a binding one of a stack.
func made(b *elbv2v1beta1.TargetGroupBinding) {
	b.Labels = map[string]string{"ingress.k8s.aws/stack": "shop"}
}

func named(arn string) func(*elbv2v1beta1.TargetGroupBinding) {
	return func(b *elbv2v1beta1.TargetGroupBinding) { b.Spec.TargetGroupARN = arn }
}

func TestTargetGroupThatCannotBe(t *testing.T) {
	t.Parallel()
	const prefix = "arn:aws:elasticloadbalancing:eu-west-1:1:"
	for _, c := range []struct {
		why, arn string
		calls    []string
		says     string
		again    bool
	}{
		{"a placeholder", "<arn-to-targetGroup>", nil, `InvalidTargetGroup: spec.targetGroupARN: "<arn-to-targetGroup>" is no ARN of a target group: set one of the form`, false},
		{"words", "changeme", nil, "InvalidTargetGroup", false},
		{"a load balancer", prefix + "loadbalancer/app/web/1", nil, "InvalidTargetGroup", false},
		{"half an ARN", prefix + "targetgroup/web", nil, "InvalidTargetGroup", false},
		{"another service", "arn:aws:acm:eu-west-1:1:targetgroup/web/1", nil, "InvalidTargetGroup", false},
		{"another region", "arn:aws:elasticloadbalancing:us-east-1:1:targetgroup/web/1", nil,
			"TargetGroupElsewhere: spec.targetGroupARN: target group arn:aws:elasticloadbalancing:us-east-1:1:targetgroup/web/1 is in region us-east-1, and the cluster in eu-west-1: name", false},
		{"another account", "arn:aws:elasticloadbalancing:eu-west-1:2:targetgroup/web/1", nil,
			"is in account 2, and the cluster's load balancers in 1", false},
		{"one that is not there", prefix + "targetgroup/gone/1", []string{"health"}, "TargetGroupNotFound: spec.targetGroupARN: AWS has no target group " + prefix + "targetgroup/gone/1", true},
	} {
		w := newWorld(t, service(), binding("stack", made), binding("web", named(c.arn)))
		w.endpoints("10.0.0.1")
		w.reconcile("stack")
		for range 3 {
			res, calls := w.reconcile("web")
			if !slices.Equal(calls, c.calls) || (res.RequeueAfter >= missingRetry) != c.again {
				t.Errorf("%s: made %v, again in %s", c.why, calls, res.RequeueAfter)
			}
		}
		ready, _ := w.ready("web")
		if len(w.notes.all) != 1 || !strings.Contains(w.notes.all[0], c.says) || ready != "False "+w.notes.all[0] {
			t.Errorf("invariant 8: %s: told %q, Ready is %q, want %q", c.why, w.notes.all, ready, c.says)
		}
		if b := w.binding("web"); c.calls == nil && len(b.Finalizers) > 0 {
			t.Errorf("%s: its deletion waits for us without need: %v", c.why, b.Finalizers)
		}
		if !w.network.has(clientKey("web")) {
			t.Errorf("invariant 3: %s: the network waits for it for ever", c.why)
		}
		w.remove("web")
		if _, there := w.ready("web"); there {
			t.Errorf("%s: nothing can be registered there, and the deletion does not end", c.why)
		}
	}
}

func TestTargetGroupOfAnotherKindOfARNThatAWSRefuses(t *testing.T) {
	t.Parallel()
	w := newWorld(t, service(), binding("web"))
	w.endpoints("10.0.0.1")
	w.aws.fail = func(call string) error {
		if call == "health" {
			return &fault.Error{Class: fault.Invalid, Code: "ValidationError", Action: call, Err: errors.New("not valid")}
		}
		return nil
	}
	w.reconcile("web")
	if len(w.notes.all) != 1 || !strings.Contains(w.notes.all[0], "TargetGroupNotFound: spec.targetGroupARN") {
		t.Errorf("told %q", w.notes.all)
	}
	w.remove("web")
	if _, there := w.ready("web"); there {
		t.Error("the deletion does not end")
	}
}

func TestMendedBindingIsReady(t *testing.T) {
	t.Parallel()
	w := newWorld(t, service(), binding("web", named("changeme")))
	w.endpoints("10.0.0.1")
	w.reconcile("web")
	b := w.binding("web")
	b.Spec.TargetGroupARN = string(groupARN)
	if err := w.api.Update(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	w.reconcile("web")
	if ready, _ := w.ready("web"); !strings.HasPrefix(ready, "True ") || len(w.aws.registered()) != 1 {
		t.Errorf("Ready is %q, registered %v", ready, w.aws.registered())
	}
}

func TestBindingWrittenWrongLaterTakesItsTargetsAlong(t *testing.T) {
	t.Parallel()
	w := newWorld(t, service(), binding("web"))
	w.endpoints("10.0.0.1")
	w.reconcile("web")
	b := w.binding("web")
	b.Spec.TargetGroupARN = "changeme"
	if err := w.api.Update(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	w.reconcile("web")
	if got := w.aws.registered(); len(got) != 1 {
		t.Errorf("a mistake took the targets out: %v", got)
	}
	w.remove("web")
	if got := w.aws.registered(); len(got) > 0 {
		t.Errorf("registered for ever: %v", got)
	}
}

func TestDeletionThatIsDeniedSaysSo(t *testing.T) {
	t.Parallel()
	for _, call := range []string{"health", "deregister"} {
		w := newWorld(t, service(), binding("web"))
		w.endpoints("10.0.0.1")
		w.reconcile("web")
		w.restart()
		w.aws.fail = func(name string) error {
			if name == call {
				return &fault.Error{Class: fault.Denied, Code: "AccessDenied", Action: "elasticloadbalancing:Do", Err: errors.New("no")}
			}
			return nil
		}
		first, _ := w.remove("web")
		then, _ := w.reconcile("web")
		ready, there := w.ready("web")
		if late := 30 * time.Second; !there || first.RequeueAfter == 0 || first.RequeueAfter > late || then.RequeueAfter != late {
			t.Errorf("%s denied: there %v, again in %s, then in %s", call, there, first.RequeueAfter, then.RequeueAfter)
		}
		for _, says := range []string{"False FailedCleanup: ", "allow it in the IAM policy", "remove the finalizer " + Finalizer} {
			if !strings.Contains(ready, says) || len(w.notes.all) != 1 {
				t.Errorf("invariant 8: %s denied: Ready is %q, told %q, want %q once", call, ready, w.notes.all, says)
			}
		}
		w.aws.fail = nil
		w.reconcile("web")
		if _, there := w.ready("web"); there || len(w.aws.registered()) > 0 {
			t.Errorf("%s allowed: there %v, registered %v", call, there, w.aws.registered())
		}
	}
}

func TestTargetGroupThatGoesWithItsStackIsNoNews(t *testing.T) {
	t.Parallel()
	w := newWorld(t, service(), binding("web", made))
	w.endpoints("10.0.0.1")
	w.reconcile("web")
	delete(w.aws.groups, groupARN)
	for n := range vanishing + 1 {
		if len(w.notes.all) > 0 {
			t.Fatalf("a deletion that takes %d looks is told: %q", n, w.notes.all)
		}
		w.now = w.now.Add(missingRetry)
		w.reconcile("web")
	}
	if len(w.notes.all) != 1 || !strings.Contains(w.notes.all[0], "NotFound") {
		t.Errorf("invariant 8: a group that stays away is told: %q", w.notes.all)
	}
}

func TestDeletedInstanceBindingTakesItsTargetsAlong(t *testing.T) {
	t.Parallel()
	instance := elbv2v1beta1.TargetTypeInstance
	w := newWorld(t, service(), binding("web", func(b *elbv2v1beta1.TargetGroupBinding) {
		b.Spec.TargetType, b.Finalizers = &instance, []string{Finalizer}
	}))
	w.aws.groups[groupARN][model.Target{ID: "i-1", Port: 30080}] = "healthy"
	w.remove("web")
	if got := w.aws.registered(); len(got) > 0 {
		t.Errorf("what the incumbent registered stays for ever: %v", got)
	}
}
