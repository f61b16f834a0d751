package stack_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/headgate/headgate/controllers/stack"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/fault"
	"github.com/headgate/headgate/model/plan"
)

func newCluster(t *testing.T) (*account, *stack.Cluster, string) {
	t.Helper()
	aws := newAccount()
	c := stack.NewCluster(aws, stack.ClusterOptions{
		Name: "c1", Tags: map[string]string{"team": "x"}, Stacks: func(context.Context) (int, error) { return 0, nil },
	})
	id, err := c.EnsureBackend(t.Context(), "vpc-1")
	if err != nil {
		t.Fatal(err)
	}
	again, err := c.EnsureBackend(t.Context(), "vpc-1")
	if err != nil || again != id || len(aws.writes) != 1 {
		t.Fatalf("the shared group is made once: %s, %s, %v, %v", id, again, aws.writes, err)
	}
	aws.podGroups = map[string]string{"10.0.0.1": "sg-node", "10.0.0.2": "sg-node"}
	return aws, c, id
}

// admits is one binding's need: the group with the ID may reach the port on the address.
func admits(address, id string, port int) stack.Network {
	return stack.Network{Addresses: []string{address}, Permissions: []model.Permission{{
		Protocol: "tcp", FromPort: port, ToPort: port, Source: model.GroupRef{ID: id}, Description: model.PermissionMark,
	}}}
}

func nodeRules(aws *account) []model.Permission {
	for _, g := range aws.stacks[model.Owner{Cluster: "c1"}].SecurityGroups {
		if g.Foreign {
			return g.Ingress
		}
	}
	return nil
}

func TestPodsAdmitTheSharedGroup(t *testing.T) {
	t.Parallel()
	aws, c, id := newCluster(t)
	c.Set("shop/a", admits("10.0.0.1", id, 8080))
	c.Set("shop/b", admits("10.0.0.2", id, 9090))
	if err := c.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	want := []model.Permission{{
		Protocol: "tcp", FromPort: 8080, ToPort: 9090, Source: model.GroupRef{Key: model.ResourceBackendSecurityGroup}, Description: model.PermissionMark,
	}}
	if diff := cmp.Diff(want, nodeRules(aws)); diff != "" {
		t.Errorf("one range for all ports, of the shared group by its key: %s", diff)
	}

	writes := len(aws.writes)
	restarted := stack.NewCluster(aws, stack.ClusterOptions{Name: "c1"})
	restarted.Set("shop/a", admits("10.0.0.1", id, 8080))
	if err := restarted.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := aws.writes[writes:]; len(got) > 0 {
		t.Errorf("invariant 1: before every binding was heard nothing is revoked, and what is admitted already not admitted again: %v", got)
	}
	restarted.Set("shop/b", admits("10.0.0.2", id, 9090))
	restarted.Complete()
	if err := restarted.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, nodeRules(aws)); diff != "" {
		t.Errorf("invariant 1: %s", diff)
	}
	if got := aws.writes[writes:]; len(got) > 0 {
		t.Errorf("invariant 1: a restart wrote %v", got)
	}
	restarted.Drop("shop/b")
	if err := restarted.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := nodeRules(aws); len(got) != 1 || got[0].ToPort != 8080 {
		t.Errorf("what nobody needs is revoked: %v", got)
	}
}

func TestSameRulesAreWrittenOnce(t *testing.T) {
	t.Parallel()
	aws, c, id := newCluster(t)
	c.Complete()
	c.Set("shop/a", admits("10.0.0.1", id, 8080))
	if err := c.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	writes := len(aws.writes)
	// Another operator sees the rule as AWS tells it, and wants it as the binding names it.
	other := stack.NewCluster(aws, stack.ClusterOptions{Name: "c1"})
	other.Complete()
	other.Set("shop/a", admits("10.0.0.1", id, 8080))
	if err := other.Sync(t.Context()); err != nil || len(aws.writes) != writes {
		t.Errorf("invariant 1: wrote %v (%v)", aws.writes[writes:], err)
	}
}

func TestAddressThatAWSDoesNotKnowYet(t *testing.T) {
	t.Parallel()
	aws, c, id := newCluster(t)
	c.Complete()
	c.Set("shop/a", admits("10.0.0.1", id, 8080))
	if err := c.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	delete(aws.podGroups, "10.0.0.1")
	c.Set("shop/a", stack.Network{Addresses: []string{"10.0.0.1"}, Permissions: admits("", id, 9090).Permissions})
	if err := c.Sync(t.Context()); !errors.Is(err, stack.ErrAddresses) {
		t.Errorf("an address without an interface is tried again: %v", err)
	}
	if len(nodeRules(aws)) == 0 {
		t.Error("invariant 4: its rule is revoked although the pod may still be there")
	}
	aws.podGroups["10.0.0.1"] = "sg-node"
	if err := c.Sync(t.Context()); err != nil || nodeRules(aws)[0].FromPort != 9090 {
		t.Errorf("%v, %v", err, nodeRules(aws))
	}
}

func TestReleaseLeavesRulesOfUsersBindings(t *testing.T) {
	t.Parallel()
	aws, c, id := newCluster(t)
	c.Set("shop/made", admits("10.0.0.1", id, 8080))
	c.Set("shop/users", admits("10.0.0.2", "sg-users", 9090))
	if err := c.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	if waits, err := c.Release(t.Context()); err != nil || len(waits) > 0 {
		t.Fatal(waits, err)
	}
	want := []model.Permission{{
		Protocol: "tcp", FromPort: 9090, ToPort: 9090, Source: model.GroupRef{ID: "sg-users"}, Description: model.PermissionMark,
	}}
	if diff := cmp.Diff(want, nodeRules(aws)); diff != "" {
		t.Errorf("invariant 5: %s", diff)
	}
	if got := aws.writes[len(aws.writes)-1]; got != plan.DeleteSecurityGroup {
		t.Errorf("the shared group goes last, but %s did", got)
	}
}

func TestBackendGroupIsOurs(t *testing.T) {
	t.Parallel()
	aws, _, _ := newCluster(t)
	g := aws.stacks[model.Owner{Cluster: "c1"}].SecurityGroups[0]
	want := map[string]string{"team": "x", model.TagCluster: "c1", model.TagResource: model.ResourceBackendSecurityGroup}
	if diff := cmp.Diff(want, g.Tags); diff != "" {
		t.Error(diff)
	}
}

func TestAddressWithoutAGroupHoldsOnlyItsBindingsRules(t *testing.T) {
	t.Parallel()
	aws := newAccount()
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	c := stack.NewCluster(aws, stack.ClusterOptions{Name: "c1", Now: func() time.Time { return now }})
	id, err := c.EnsureBackend(t.Context(), "vpc-1")
	if err != nil {
		t.Fatal(err)
	}
	aws.podGroups = map[string]string{"10.0.0.1": "sg-node", "10.0.0.2": "sg-other"}
	c.Complete()
	c.Set("shop/a", admits("10.0.0.1", id, 8080))
	c.Set("other/x", admits("10.0.0.2", id, 9999))
	if err := c.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	delete(aws.podGroups, "10.0.0.2")
	c.Drop("shop/a")
	c.Set("other/x", admits("10.0.0.2", id, 9999))
	for _, step := range []struct {
		why   string
		after time.Duration
		ports []int
		told  bool
	}{
		{"an interface may be new: nothing is revoked", 0, []int{8080, 9999}, false},
		{"nor a little later", time.Minute, []int{8080, 9999}, false},
		{"a binding that nobody can help keeps its own rules, and those only", 2 * time.Minute, []int{9999}, true},
	} {
		now = now.Add(step.after)
		c.Doubt()
		err := c.Sync(t.Context())
		failed, ok := errors.AsType[*stack.SyncError](err)
		if !ok || !errors.Is(err, stack.ErrAddresses) {
			t.Fatalf("%s: %v", step.why, err)
		}
		if _, told := failed.Bindings["other/x"]; told != step.told || failed.Bindings["shop/a"] != nil {
			t.Errorf("%s: concerned are %v", step.why, failed.Bindings)
		}
		var ports []int
		for _, g := range aws.stacks[model.Owner{Cluster: "c1"}].SecurityGroups {
			for _, p := range g.Ingress {
				ports = append(ports, p.FromPort)
			}
		}
		slices.Sort(ports)
		if diff := cmp.Diff(step.ports, ports); diff != "" {
			t.Errorf("invariant 4: %s: %s", step.why, diff)
		}
	}
}

func TestRulesOfPodsAreVerified(t *testing.T) {
	t.Parallel()
	aws, c, id := newCluster(t)
	c.Complete()
	c.Set("shop/a", admits("10.0.0.1", id, 8080))
	if err := c.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	cluster := model.Owner{Cluster: "c1"}
	drifted := aws.stacks[cluster]
	drifted.SecurityGroups = slices.DeleteFunc(slices.Clone(drifted.SecurityGroups), func(g model.SecurityGroup) bool { return g.Foreign })
	aws.stacks[cluster] = drifted
	c.Doubt()
	if err := c.Sync(t.Context()); err != nil || len(nodeRules(aws)) != 1 {
		t.Errorf("a rule that somebody revoked stays away: %v, %v", nodeRules(aws), err)
	}
	writes, reads := len(aws.writes), aws.reads
	if err := c.Sync(t.Context()); err != nil || len(aws.writes) != writes || aws.reads != reads {
		t.Errorf("invariant 1: what was verified is read again, or written: %v, %v", aws.writes[writes:], err)
	}
}

func TestRulesThatFailConcernTheirBindings(t *testing.T) {
	t.Parallel()
	aws, c, id := newCluster(t)
	aws.podGroups["10.0.0.3"] = "sg-denied"
	c.Complete()
	c.Set("shop/a", admits("10.0.0.1", id, 8080))
	if err := c.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	aws.fail = func(plan.Change) error { return denied() }
	c.Set("shop/b", admits("10.0.0.3", id, 9090))
	err := c.Sync(t.Context())
	failed, ok := errors.AsType[*stack.SyncError](err)
	if !ok || !fault.Is(failed.Bindings["shop/b"], fault.Denied) || len(failed.Bindings) != 1 {
		t.Errorf("the rules of b alone cannot be made: %v", err)
	}
	aws.fail = nil
	c.Drop("shop/b")
	reads := aws.reads
	if err := c.Sync(t.Context()); err != nil || aws.reads == reads {
		t.Errorf("a demand that was met once is met again after a failure, unseen: %v", err)
	}
	aws.down = true
	c.Set("shop/a", admits("10.0.0.1", id, 8081))
	if failed, ok := errors.AsType[*stack.SyncError](c.Sync(t.Context())); !ok || failed.Bindings["shop/a"] == nil {
		t.Error("AWS is away, and nobody is concerned")
	}
}

// TestRulesOutliveTheirNeed holds that a rule is not revoked while targets that leave may need it.
func TestRulesOutliveTheirNeed(t *testing.T) {
	t.Parallel()
	aws, _, id := newCluster(t)
	now := time.Unix(1_700_000_000, 0)
	c := stack.NewCluster(aws, stack.ClusterOptions{Name: "c1", Linger: 5 * time.Minute, Now: func() time.Time { return now }})
	c.Complete()
	c.Set("shop/a", admits("10.0.0.1", id, 8080))
	c.Set("shop/b", admits("10.0.0.2", id, 9090))
	ports := func(step string, want ...int) {
		t.Helper()
		if err := c.Sync(t.Context()); err != nil {
			t.Fatal(err)
		}
		var got []int
		for _, p := range nodeRules(aws) {
			got = append(got, p.FromPort, p.ToPort)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", step, diff)
		}
	}
	ports("one range for both", 8080, 9090)
	c.Drop("shop/b")
	ports("the range stays beside what is asked for", 8080, 8080, 8080, 9090)
	if rest := c.Rest(); rest != 5*time.Minute {
		t.Errorf("it is looked at again in %s", rest)
	}
	now = now.Add(4 * time.Minute)
	ports("not yet", 8080, 8080, 8080, 9090)
	c.Set("shop/b", admits("10.0.0.2", id, 9000))
	ports("what a greater range covers needs no time", 8080, 9000, 8080, 9090)
	now = now.Add(time.Minute)
	ports("the time is over", 8080, 9000)
	if rest := c.Rest(); rest != 0 {
		t.Errorf("nothing lingers, and it is looked at again in %s", rest)
	}
	c.Set("shop/b", admits("10.0.0.2", id, 9090))
	ports("a range that grew needs no time", 8080, 9090)
}

// TestUsersGroupIsNeitherMadeNorDeleted holds that a shared group of the user's is only referred to.
func TestUsersGroupIsNeitherMadeNorDeleted(t *testing.T) {
	t.Parallel()
	aws := newAccount()
	c := stack.NewCluster(aws, stack.ClusterOptions{Name: "c1", Backend: "sg-mine", Stacks: func(context.Context) (int, error) { return 0, nil }})
	if id, err := c.EnsureBackend(t.Context(), "vpc-1"); id != "sg-mine" || err != nil {
		t.Fatalf("the shared group is %q (%v)", id, err)
	}
	aws.podGroups = map[string]string{"10.0.0.1": "sg-node"}
	c.Complete()
	c.Set("shop/a", admits("10.0.0.1", "sg-mine", 8080))
	if err := c.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := nodeRules(aws); len(got) != 1 || got[0].Source.Key != model.ResourceBackendSecurityGroup {
		t.Errorf("pods admit it as the shared one: %+v", got)
	}
	if _, err := c.Release(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := nodeRules(aws); len(got) != 0 || len(aws.writes) != 2 {
		t.Errorf("the last stack leaves %+v, after %v", got, aws.writes)
	}
}
