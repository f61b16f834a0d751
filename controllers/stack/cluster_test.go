package stack_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/headgate/headgate/controllers/stack"
	"github.com/headgate/headgate/model"
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
