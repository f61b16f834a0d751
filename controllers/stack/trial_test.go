package stack_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/headgate/headgate/controllers/stack"
	"github.com/headgate/headgate/model/fault"
	"github.com/headgate/headgate/model/intent"
	"github.com/headgate/headgate/model/plan"
)

// counted is a new operator whose writes in the cluster are counted.
func (w *world) counted() *int {
	writes := 0
	w.through(interceptor.Funcs{
		Create: func(ctx context.Context, c client.WithWatch, o client.Object, opts ...client.CreateOption) error {
			writes++
			return c.Create(ctx, o, opts...)
		},
		Update: func(ctx context.Context, c client.WithWatch, o client.Object, opts ...client.UpdateOption) error {
			writes++
			return c.Update(ctx, o, opts...)
		},
		Patch: func(ctx context.Context, c client.WithWatch, o client.Object, p client.Patch, opts ...client.PatchOption) error {
			writes++
			return c.Patch(ctx, o, p, opts...)
		},
		Delete: func(ctx context.Context, c client.WithWatch, o client.Object, opts ...client.DeleteOption) error {
			writes++
			return c.Delete(ctx, o, opts...)
		},
		SubResourcePatch: func(ctx context.Context, c client.Client, sub string, o client.Object, p client.Patch, opts ...client.SubResourcePatchOption) error {
			writes++
			return c.SubResource(sub).Patch(ctx, o, p, opts...)
		},
		SubResourceUpdate: func(ctx context.Context, c client.Client, sub string, o client.Object, opts ...client.SubResourceUpdateOption) error {
			writes++
			return c.SubResource(sub).Update(ctx, o, opts...)
		},
	})
	return &writes
}

// TestSteadyRefusalWritesNothing (invariant 1): while AWS goes on to refuse, nothing is written in the cluster, over a restart either.
func TestSteadyRefusalWritesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.settle(request(member("a"), member("b")))
	asked := w.refuses(fault.Invalid, toGone)
	req := request(member("a", astray), member("b"))
	w.settle(req)
	writes, before := w.counted(), *asked
	for range 10 {
		w.isRefused(w.due(req), "spec.rules[0]")
	}
	if *writes > 0 || *asked != before+10 {
		t.Errorf("%d writes in the cluster, asked %d times; want none, ten", *writes, *asked-before)
	}
}

// TestRefusalInOtherWords: what AWS says now is told, once.
func TestRefusalInOtherWords(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.settle(request(member("a"), member("b")))
	w.refuses(fault.Invalid, toGone)
	req := request(member("a", astray), member("b"))
	w.settle(req)
	w.aws.fail = func(c plan.Change) error {
		if !toGone(c) {
			return nil
		}
		return &plan.ChangeError{Change: c, Err: &fault.Error{Class: fault.Invalid, Code: "Refused", Err: errors.New("not in this VPC")}}
	}
	w.due(req)
	if res := w.run(req); len(res.Findings) != 1 || !strings.Contains(res.Findings[0].Message, "not in this VPC") {
		t.Errorf("invariant 8: %+v", res.Findings)
	}
}

// TestRefusedOneAfterTheOther: of a member of which AWS refuses two things, the second is found when the first has cleared, and then it is
// that which AWS is asked for; what it takes is not done and undone all the time.
func TestRefusedOneAfterTheOther(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.settle(request(member("a"), member("b")))
	w.refuses(fault.Invalid, func(c plan.Change) bool { return toGone(c) || boosted(c) })
	req := request(member("a", astray, boost), member("b"))
	w.settle(req)
	w.refuses(fault.Invalid, toGone)
	for range 3 {
		w.due(req)
	}
	writes := len(w.aws.writes)
	if w.due(req); len(w.aws.writes) > writes {
		t.Errorf("it is that which is refused that AWS is asked for: it took %v", w.aws.writes[writes:])
	}
	if diff := cmp.Diff([]string{serveA, serveB}, w.answers()); diff != "" {
		t.Errorf("invariant 3: %s", diff)
	}
	w.aws.fail = nil
	if res := w.due(req); len(res.Findings) > 0 {
		t.Errorf("all is well now: %+v", res.Findings)
	}
}

// TestRefusedForEachItself: of several members of whom AWS refuses something, one is done as soon as AWS takes it, whatever the others ask
// for in the same call.
func TestRefusedForEachItself(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.settle(request(member("a"), member("b")))
	bad := map[string]bool{"a.one": true, "b.two": true}
	w.aws.fail = func(c plan.Change) error {
		left := maps.Clone(c.Attributes)
		maps.DeleteFunc(left, func(k, _ string) bool { return !bad[k] })
		if len(left) == 0 {
			return nil
		}
		c.Attributes = left
		return &plan.ChangeError{Change: c, Err: &fault.Error{Class: fault.Invalid, Code: "Refused", Err: errors.New("no such value")}}
	}
	asks := func(key string) func(*intent.Fragment) {
		return func(f *intent.Fragment) { f.Settings.Attributes = map[string]string{key: "true"} }
	}
	req := request(member("a", asks("a.one")), member("b", asks("b.two")))
	if res := w.settle(req); len(res.Findings) != 2 {
		t.Fatalf("findings: %+v", res.Findings)
	}
	delete(bad, "a.one")
	w.due(req)
	res := w.run(req)
	if len(res.Findings) != 1 || !res.Findings[0].Object.Same(ref("b")) {
		t.Errorf("invariant 3: AWS takes what a asks for: %+v", res.Findings)
	}
	if got := w.aws.stacks[owner()].LoadBalancer.Attributes; got["a.one"] != "true" || got["b.two"] != "" {
		t.Errorf("AWS holds %v", got)
	}
}

// TestTrialThatCostsMore: where other resources are to be made first, AWS is asked less and less often, though every five minutes.
func TestTrialThatCostsMore(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.settle(request(member("a"), member("b")))
	w.refuses(fault.Invalid, toNew)
	req := request(member("a", renamed), member("b"))
	w.settle(req)
	var pauses []time.Duration
	for start := w.now; w.now.Sub(start) < 30*time.Minute; {
		writes := len(w.aws.writes)
		res := w.settle(req)
		if len(w.aws.writes) > writes {
			pauses = append(pauses, res.RequeueAfter)
		}
		w.now = w.now.Add(max(res.RequeueAfter, time.Second))
	}
	if len(pauses) < 5 || len(pauses) > 12 || slices.Max(pauses) > 5*time.Minute {
		t.Errorf("in half an hour what is to be made first is made %d times: %v", len(pauses), pauses)
	}
	if diff := cmp.Diff([]string{"shop/a-svc:80", "shop/b-svc:80"}, w.groups()); diff != "" {
		t.Errorf("invariant 2: what was made for a trial is left: %s", diff)
	}
}

// TestMissedIsLookedForAgain: what the account lacks is looked for again within half a minute, with what is kept read anew.
func TestMissedIsLookedForAgain(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		why    string
		req    stack.Request
		before func(*account)
		mend   func(*account)
	}{
		{"no subnets", request(member("a")), func(a *account) { a.noSubnets = true }, func(a *account) { a.noSubnets = false }},
		{"no security group of that name", request(member("a"), member("b", wears)), func(*account) {},
			func(a *account) { a.groups = map[string][]string{"front": {"sg-1"}} }},
	} {
		t.Run(row.why, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			row.before(w.aws)
			res := w.run(row.req)
			if w.aws.missed {
				t.Error("the first look trusts what is kept")
			}
			if res.RequeueAfter > 15*time.Second {
				t.Errorf("it is looked for again after %s", res.RequeueAfter)
			}
			w.run(row.req)
			if !w.aws.missed {
				t.Error("what is kept for long is not read anew")
			}
			row.mend(w.aws)
			if res := w.settle(row.req); len(res.Findings) > 0 {
				t.Errorf("findings: %+v", res.Findings)
			}
			if w.run(row.req); w.aws.missed {
				t.Error("all is there, and is read anew again and again")
			}
		})
	}
}

// wears asks for a security group by its name.
func wears(f *intent.Fragment) {
	f.Settings.SecurityGroups = []string{"front"}
	f.Settings.Fields = map[string]string{"securityGroups": "security-groups"}
}

func toNew(c plan.Change) bool {
	return c.Rule != nil && c.Action != plan.Delete && !strings.HasPrefix(c.Key.ID, "parked:") && c.Rule.Actions[0].Forward != nil && c.Rule.Actions[0].Forward.Groups[0].Key == "shop/a-new:80"
}
