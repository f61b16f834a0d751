package policy_test

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/headgate/headgate/test/endtoend"
	"github.com/headgate/headgate/test/policy"
)

// TestRights runs the operator with limited rights in AWS: those of config/iam/policy.json, those that the incumbent had, and less.
func TestRights(t *testing.T) {
	s, err := endtoend.Start(t.Context(), os.Stderr, "--feature-gates=EnableCertificateManagement=true")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	shop, err := endtoend.NewShop(t.Context(), s, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := shop.Staff(t.Context()); err != nil {
		t.Fatal(err)
	}
	own, err := policy.Read(filepath.Join(s.Root, "config", "iam", "policy.json"))
	if err != nil {
		t.Fatal(err)
	}
	t.Run("our policy is enough", func(t *testing.T) { enough(t, s, shop, own) })
	t.Run("our policy is not too much", func(t *testing.T) { notTooMuch(t, s, own) })
	t.Run("the incumbent's policy is enough", func(t *testing.T) { likeIncumbent(t, s, shop) })
	t.Run("a right that is missing is named", func(t *testing.T) { named(t, s, shop, own) })
	t.Run("the role in the cluster is enough", func(t *testing.T) { neverForbidden(t, s) })
}

// refusals are the rights that a guard refused.
type refusals struct {
	mu  sync.Mutex
	all map[string]bool
}

func (r *refusals) add(right policy.Right) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.all == nil {
		r.all = map[string]bool{}
	}
	r.all[right.Action] = true
}

func (r *refusals) list() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Sorted(maps.Keys(r.all))
}

// enough opens the shop, takes an Ingress through all its changes, and closes, within our policy.
func enough(t *testing.T, s *endtoend.Stage, shop *endtoend.Shop, own policy.Policy) {
	t.Helper()
	var refused refusals
	s.Gate.Post(endtoend.Within(own, refused.add))
	openAndClose(t, shop, func() { wear(t, s, append(outfits(t, s), certified(t, s)...)) })
	if all := refused.list(); len(all) > 0 {
		t.Errorf("config/iam/policy.json lacks %v", all)
	}
}

// notTooMuch checks that nothing is asked for in vain.
func notTooMuch(t *testing.T, s *endtoend.Stage, own policy.Policy) {
	t.Helper()
	unused := own.Unused(s.Gate.Rights())
	for _, right := range unused {
		if reasons()[right] == "" {
			t.Errorf("nothing needs %q: take it out of config/iam/policy.json, or give a reason here", right)
		}
	}
	for right := range reasons() {
		if !slices.Contains(unused, right) {
			t.Errorf("%q is used: it needs no reason", right)
		}
	}
}

// likeIncumbent does it all again with the rights of a role that was made for the incumbent.
func likeIncumbent(t *testing.T, s *endtoend.Stage, shop *endtoend.Shop) {
	t.Helper()
	var refused refusals
	s.Gate.Post(endtoend.Within(incumbent(), refused.add))
	// What it has read before, it would not ask for.
	if err := s.RestartOperator(t.Context()); err != nil {
		t.Fatal(err)
	}
	openAndClose(t, shop, func() { wear(t, s, outfits(t, s)) })
	if all := refused.list(); !slices.Equal(all, []string{"acm:ListTagsForCertificate", "elasticloadbalancing:DescribeAccountLimits"}) {
		t.Errorf("beyond the incumbent's policy the operator asked for %v", all)
	}
}

// named takes one right away, and looks for it in an event on the objects that cannot be served.
func named(t *testing.T, s *endtoend.Stage, shop *endtoend.Shop, own policy.Policy) {
	t.Helper()
	const right = "elasticloadbalancing:CreateRule"
	for i := range own.Statements {
		one := &own.Statements[i]
		one.Actions = slices.DeleteFunc(slices.Clone(one.Actions), func(action string) bool { return action == right })
	}
	var refused refusals
	s.Gate.Post(endtoend.Within(own, refused.add))
	if err := shop.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	until(t, "a finding that names the right", func(ctx context.Context) error { return told(ctx, s, right) })
	if all := refused.list(); !slices.Equal(all, []string{right}) {
		t.Errorf("refused were %v", all)
	}
	s.Gate.Post(endtoend.Open)
	if err := shop.Vacate(t.Context()); err != nil {
		t.Error(err)
	}
}

// told looks for a warning that names the right, on an Ingress and on the Gateway.
func told(ctx context.Context, s *endtoend.Stage, right string) error {
	var events corev1.EventList
	if err := s.Client.List(ctx, &events); err != nil {
		return err
	}
	missing := map[string]bool{"Ingress": true, "Gateway": true}
	for _, e := range events.Items {
		if e.Type == corev1.EventTypeWarning && strings.Contains(e.Message, right) {
			delete(missing, e.InvolvedObject.Kind)
		}
	}
	if len(missing) > 0 {
		return fmt.Errorf("no warning on: %v", slices.Sorted(maps.Keys(missing)))
	}
	return nil
}

func openAndClose(t *testing.T, shop *endtoend.Shop, meanwhile func()) {
	t.Helper()
	if err := shop.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := shop.Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	meanwhile()
	if err := shop.Vacate(t.Context()); err != nil {
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

// neverForbidden checks that the API server never refused anything to the operator, which has the role of config/rbac.
func neverForbidden(t *testing.T, s *endtoend.Stage) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(s.LogDir(), "controller.log"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(data)) {
		if strings.Contains(strings.ToLower(line), "forbidden") {
			t.Errorf("the role lacks a right: %s", line)
		}
	}
}
