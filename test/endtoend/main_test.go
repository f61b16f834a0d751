package endtoend_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/headgate/headgate/sandbox/demo"
	"github.com/headgate/headgate/test/endtoend"
	"github.com/headgate/headgate/test/policy"
)

// TestEndToEnd plays everything in one sandbox, for bringing it up is half of the time. The operator compares with AWS every two
// seconds, and has the rights of config/iam/policy.json and config/rbac alone.
func TestEndToEnd(t *testing.T) {
	hooks := newWebhooks(t)
	s, err := endtoend.Start(t.Context(), os.Stderr, append(hooks.flags(), "--sync-period=2s", "--sweep-delay=1s")...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	own, err := policy.Read(filepath.Join(s.Root, "config", "iam", "policy.json"))
	if err != nil {
		t.Fatal(err)
	}
	t.Run("the demo", func(t *testing.T) { tour(t, s) })
	t.Run("rollouts", func(t *testing.T) { rollouts(t, s, hooks) })
	shop, err := endtoend.NewShop(t.Context(), s, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := shop.Staff(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Run("steady", func(t *testing.T) { steady(t, s, shop) })
	t.Run("kill -9", func(t *testing.T) { killed(t, s, shop) })
	t.Run("rights in AWS", func(t *testing.T) { rights(t, s, own) })
	t.Run("rights in the cluster", func(t *testing.T) { neverForbidden(t, s) })
}

// tour runs what `make demo` runs.
func tour(t *testing.T, s *endtoend.Stage) {
	t.Helper()
	headgate := filepath.Join(t.TempDir(), "headgate")
	if _, err := endtoend.Run(t.Context(), "go", "build", "-C", s.Root, "-o", headgate, "./cmd/headgate"); err != nil {
		t.Fatal(err)
	}
	err := demo.Run(t.Context(), demo.World{
		Client: s.Client, Kubectl: s.Kubectl, Sim: s.Simulator(), PortOffset: s.PortOffset,
		Headgate: func(ctx context.Context, args ...string) (string, error) { return endtoend.Run(ctx, headgate, args...) },
		Examples: filepath.Join(s.Root, "examples", "shop"), Broken: filepath.Join(s.Root, "examples", "broken", "ingress.yaml"), Out: t.Output(),
	}, demo.DeleteAll)
	if err != nil {
		showLog(t, s)
		t.Fatal(err)
	}
}

// until fails the test when check does not come to say nil.
func until(t *testing.T, what string, check func(context.Context) error) {
	t.Helper()
	if err := endtoend.Until(t.Context(), check); err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

func controllerLog(t *testing.T, s *endtoend.Stage) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(s.LogDir(), "controller.log"))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// showLog shows the end of what the operator said.
func showLog(t *testing.T, s *endtoend.Stage) {
	t.Helper()
	const tail = 4 << 10
	log := controllerLog(t, s)
	t.Logf("the operator's log ends with:\n%s", log[max(0, len(log)-tail):])
}

// neverForbidden checks that the operator, which runs with the role of config/rbac, was never refused by the API server.
func neverForbidden(t *testing.T, s *endtoend.Stage) {
	t.Helper()
	for line := range strings.Lines(controllerLog(t, s)) {
		if strings.Contains(strings.ToLower(line), "forbidden") {
			t.Errorf("the role lacks a right: %s", line)
		}
	}
}

// rights checks that all calls so far stay within the policy.
func rights(t *testing.T, s *endtoend.Stage, own policy.Policy) {
	t.Helper()
	seen := s.Gate.Rights()
	if len(seen) == 0 {
		t.Error("no call came through the gate")
	}
	for _, r := range seen {
		if !own.Allows(r) {
			t.Errorf("config/iam/policy.json does not allow %s", r)
		}
	}
	t.Logf("%d calls, %d of them writing, needed %d rights", calls(s), s.Gate.Writes(), len(seen))
}

func calls(s *endtoend.Stage) int {
	total := 0
	for _, n := range s.Gate.Counts() {
		total += n
	}
	return total
}
