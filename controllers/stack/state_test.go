package stack_test

import (
	"context"
	"errors"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	headgatev1alpha1 "github.com/headgate/headgate/apis/headgate/v1alpha1"
	"github.com/headgate/headgate/controllers/stack"
	"github.com/headgate/headgate/model/plan"
)

func TestFragmentsAreWrittenBeforeThePlanThatUsesThem(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.aws.fail = func(plan.Change) error {
		if got := w.stored(); len(got) != 1 || got[0] != "Ingress/shop/a" {
			t.Errorf("AWS is called while %v is written", got)
		}
		return nil
	}
	// The shared security group is made before: it holds nothing of a member.
	req := request(member("a"))
	req.Intent.Defaults.BackendSecurityGroup = false
	w.settle(req)
}

func TestNoWriteNoPlan(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	down := true
	w.through(interceptor.Funcs{Create: func(ctx context.Context, c client.WithWatch, o client.Object, opts ...client.CreateOption) error {
		if _, ok := o.(*headgatev1alpha1.StackState); ok && down {
			return errors.New("the API server is away")
		}
		return c.Create(ctx, o, opts...)
	}})
	req := request(member("a"))
	req.Intent.Defaults.BackendSecurityGroup = false
	if _, err := w.loop.Run(t.Context(), req); err == nil || len(w.aws.writes) > 0 {
		t.Errorf("error %v; what cannot be remembered is not done, but %v was", err, w.aws.writes)
	}
	down = false
	w.settle(req)
}

func TestConflictIsTriedAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.settle(request(member("a")))
	conflicts := 0
	w.through(interceptor.Funcs{Patch: func(ctx context.Context, c client.WithWatch, o client.Object, p client.Patch, opts ...client.PatchOption) error {
		if _, ok := o.(*headgatev1alpha1.StackState); ok && conflicts < 2 {
			conflicts++
			return apierrors.NewConflict(schema.GroupResource{Resource: "stackstates"}, o.GetName(), errors.New("newer"))
		}
		return c.Patch(ctx, o, p, opts...)
	}})
	if res := w.run(request(member("a"), member("b"))); !res.Settled || conflicts != 2 {
		t.Errorf("a conflict is no failure: %d conflicts, %+v", conflicts, res)
	}
	if s := w.page().Status; s.LastError != nil {
		t.Errorf("%+v", s.LastError)
	}
	w.restart()
	w.quiet("what was remembered is what is", func() { w.run(request(member("a"), member("b"))) })
}

func TestLateCacheDoesNotMatter(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.through(interceptor.Funcs{Get: func(ctx context.Context, c client.WithWatch, key client.ObjectKey, o client.Object, opts ...client.GetOption) error {
		if _, ok := o.(*headgatev1alpha1.StackState); ok {
			return apierrors.NewNotFound(schema.GroupResource{Resource: "stackstates"}, key.Name)
		}
		return c.Get(ctx, key, o, opts...)
	}})
	w.settle(request(member("a")))
	w.quiet("the cache does not know the state yet", func() { w.run(request(member("a"))) })
	w.settle(request(member("a"), member("b")))
}

func TestStateName(t *testing.T) {
	t.Parallel()
	seen := map[string]string{}
	for _, s := range []string{"shop", "Shop", "shop/web", "shop-web", "a/" + string(make([]byte, 300))} {
		o := owner()
		o.Stack = s
		name := stack.StateName(o)
		if other, ok := seen[name]; ok {
			t.Errorf("%q and %q have the same name", s, other)
		}
		seen[name] = s
		if len(name) > 63 {
			t.Errorf("%q is no label value: it has %d characters", name, len(name))
		}
	}
}
