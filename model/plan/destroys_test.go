package plan_test

import (
	"testing"

	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/plan"
)

// holding is a stack with a load balancer that has one rule for each host.
func holding(hosts ...string) model.Stack {
	s := model.Stack{
		Owner:        model.Owner{Cluster: "c", Prefix: "p", Stack: "s"},
		LoadBalancer: &model.LoadBalancer{ID: "LoadBalancer", ARN: "arn:lb", Name: "lb", Type: "application", Scheme: "internal", State: "active"},
	}
	l := model.Listener{Port: 80, Protocol: "HTTP", ARN: "arn:listener", DefaultActions: responds("404")}
	for i, host := range hosts {
		l.Rules = append(l.Rules, model.Rule{
			Priority: 100 * (i + 1), ARN: model.ARN("arn:rule:" + host), Actions: responds("200"),
			Conditions: []model.Condition{{Field: model.FieldHost, Values: []string{host}}},
		})
	}
	s.Listeners = []model.Listener{l}
	return s
}

func responds(code string) []model.Action {
	return []model.Action{{Type: "fixed-response", FixedResponse: &model.FixedResponse{StatusCode: code}}}
}

func TestDestroys(t *testing.T) {
	t.Parallel()
	public := holding("a")
	public.LoadBalancer.Scheme = "internet-facing"
	closed := holding("a")
	closed.Listeners = nil
	for _, row := range []struct {
		why               string
		desired, observed model.Stack
		want              bool
	}{
		{"nothing to do", holding("a"), holding("a"), false},
		{"a rule more", holding("a", "b"), holding("a"), false},
		{"a rule less", holding("a"), holding("a", "b"), true},
		{"a listener less", closed, holding("a"), true},
		{"another load balancer", public, holding("a"), true},
		{"everything goes", model.Stack{Owner: holding().Owner}, holding("a"), true},
		{"everything is made", holding("a"), model.Stack{Owner: holding().Owner}, false},
	} {
		p := plan.Diff(row.desired, row.observed, plan.Options{})
		if got := plan.Destroys(p, row.desired, row.observed, plan.Options{}); got != row.want {
			t.Errorf("%s: %v, want %v: %s", row.why, got, row.want, p)
		}
	}
}

// What is deleted is approved by what it is, not by how it was last seen: a load balancer that has come up meanwhile is the same one.
func TestHashOfADeletionIsThatOfItsARNs(t *testing.T) {
	t.Parallel()
	none, seen, other := model.Stack{Owner: holding().Owner}, holding("a"), holding("a")
	before := plan.Diff(none, seen, plan.Options{}).Hash()
	seen.LoadBalancer.State, seen.LoadBalancer.Attributes = "provisioning", map[string]string{"idle_timeout.timeout_seconds": "60"}
	if got := plan.Diff(none, seen, plan.Options{}).Hash(); got != before {
		t.Errorf("the same deletion has the hashes %s and %s", before, got)
	}
	other.LoadBalancer.ARN = "arn:another"
	if got := plan.Diff(none, other, plan.Options{}).Hash(); got == before {
		t.Error("the deletion of another load balancer has the same hash")
	}
}

func TestRoutineIsOnlyRenewal(t *testing.T) {
	t.Parallel()
	p := plan.Plan{Changes: []plan.Change{
		{ID: 1, Op: plan.ImportCertificate, Action: plan.Create},
		{ID: 2, Op: plan.ImportCertificate, Action: plan.Update, ARN: "arn:c"},
		{ID: 3, Op: plan.ImportCertificate, Action: plan.Update, ARN: "arn:d", After: []int{1}},
		{ID: 4, Op: plan.DeleteRule, Action: plan.Delete, ARN: "arn:r"},
	}}
	if got := p.Routine().Changes; len(got) != 1 || got[0].ID != 2 {
		t.Errorf("%+v", got)
	}
}
