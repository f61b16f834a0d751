package cloud_test

import (
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/headgate/headgate/cloud/sim/vpc"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/plan"
)

// size is how much an account holds, by kind, whoever owns it.
type size struct{ balancers, groups, listeners, rules, security int }

func (a *account) size(t *testing.T) size {
	t.Helper()
	var out size
	lbs, err := a.elb().DescribeLoadBalancers(t.Context(), &elasticloadbalancingv2.DescribeLoadBalancersInput{})
	if err != nil {
		t.Fatal(err)
	}
	out.balancers = len(lbs.LoadBalancers)
	for _, lb := range lbs.LoadBalancers {
		ls, err := a.elb().DescribeListeners(t.Context(), &elasticloadbalancingv2.DescribeListenersInput{LoadBalancerArn: lb.LoadBalancerArn})
		if err != nil {
			t.Fatal(err)
		}
		out.listeners += len(ls.Listeners)
		for _, l := range ls.Listeners {
			rs, err := a.elb().DescribeRules(t.Context(), &elasticloadbalancingv2.DescribeRulesInput{ListenerArn: l.ListenerArn})
			if err != nil {
				t.Fatal(err)
			}
			out.rules += len(rs.Rules)
		}
	}
	tgs, err := a.elb().DescribeTargetGroups(t.Context(), &elasticloadbalancingv2.DescribeTargetGroupsInput{})
	if err != nil {
		t.Fatal(err)
	}
	out.groups = len(tgs.TargetGroups)
	sgs, err := a.ec2().DescribeSecurityGroups(t.Context(), &ec2.DescribeSecurityGroupsInput{})
	if err != nil {
		t.Fatal(err)
	}
	out.security = len(sgs.SecurityGroups)
	return out
}

// How long a connection stays cut.
const (
	// moment is one call.
	moment = 1
	// outage covers a call, what is read to find out what it did, and all their retries.
	outage = 12
	// death is for ever: the next client is a new one.
	death = 1 << 30
)

// TestEveryCutIsMadeGood cuts the connection at every call of a stack's life, before and after its effect.
func TestEveryCutIsMadeGood(t *testing.T) {
	undisturbed := newAccount(t)
	certificate := undisturbed.certificate(t, "shop.example")
	empty := undisturbed.size(t)
	w := newWire()
	c := undisturbed.client(t, w)
	converge(t, c, shop(certificate))
	want, calls := undisturbed.size(t), total(w)
	for _, cut := range []struct {
		name string
		what verdict
		long int
	}{
		{"moment before", before, moment}, {"moment after", after, moment}, {"outage after", after, outage},
		{"death before", before, death}, {"death after", after, death},
	} {
		for at := 1; at <= calls; at++ {
			t.Run(fmt.Sprintf("%s/call %d", cut.name, at), func(t *testing.T) {
				a := newAccount(t)
				desired := shop(a.certificate(t, "shop.example"))
				a.disturbed(t, desired, at, cut.what, cut.long)
				if got := a.size(t); got != want {
					t.Errorf("the account holds %+v, want %+v as undisturbed", got, want)
				}
				a.disturbed(t, model.Stack{Owner: owner()}, at, cut.what, cut.long)
				if got := a.size(t); got != empty {
					t.Errorf("after the deletion the account holds %+v, want %+v", got, empty)
				}
			})
		}
	}
}

// disturbed converges with a client whose calls are cut from one on, and, when that is for ever, with another.
func (a *account) disturbed(t *testing.T, desired model.Stack, at int, what verdict, long int) {
	t.Helper()
	w, n := newWire(), 0
	w.intercept = func(string) verdict {
		n++
		switch {
		case n == at:
			return what
		case n > at && n-at < long:
			return before
		default:
			return pass
		}
	}
	c := a.client(t, w)
	for range 5 {
		if p, _, err := turn(t.Context(), c, desired); err == nil && p.Empty() {
			break
		}
	}
	w.mu.Lock()
	w.intercept = nil // the connection is back
	w.mu.Unlock()
	if long == death {
		c = a.client(t, nil)
	}
	converge(t, c, desired)
}

func total(w *wire) int {
	n := 0
	for _, counts := range []map[string]int{w.take(true), w.take(false)} {
		for _, count := range counts {
			n += count
		}
	}
	return n
}

// TestCreateThatWasNotAnsweredIsAdopted: the same run of the plan goes on with what the create made.
func TestCreateThatWasNotAnsweredIsAdopted(t *testing.T) {
	for _, op := range []plan.Op{
		plan.CreateSecurityGroup, plan.CreateLoadBalancer, plan.CreateTargetGroup, plan.CreateListener, plan.CreateRule, plan.AuthorizeIngress,
	} {
		t.Run(string(op), func(t *testing.T) {
			a := newAccount(t)
			desired := shop(a.certificate(t, "shop.example"))
			w := newWire()
			cut := false
			w.intercept = func(action string) verdict {
				if action == string(op) && !cut {
					cut = true
					return after
				}
				return pass
			}
			c := a.client(t, w)
			p, out, err := turn(t.Context(), c, desired)
			if err != nil || out.Done != len(p.Changes) {
				t.Fatalf("%d of %d changes done: %v", out.Done, len(p.Changes), err)
			}
			if !cut {
				t.Fatal("the call was never made")
			}
			if left := plan.Diff(desired, observe(t, c), plan.Options{}); !left.Empty() {
				t.Errorf("something is left to do:\n%s", left.Text())
			}
			same(t, "what is kept is not what AWS holds", observe(t, c), observe(t, a.client(t, nil)))
		})
	}
}

// TestCreateIsNotTriedAgainBlindly: the SDK's retries would make a rule twice.
func TestCreateIsNotTriedAgainBlindly(t *testing.T) {
	a := newAccount(t)
	desired := shop(a.certificate(t, "shop.example"))
	w := newWire()
	w.intercept = func(action string) verdict {
		if action == string(plan.CreateRule) {
			return before
		}
		return pass
	}
	_, out, err := turn(t.Context(), a.client(t, w), desired)
	if err == nil {
		t.Fatal("the rules were not made, yet there is no error")
	}
	if got, rules := w.take(true)[string(plan.CreateRule)], len(desired.Listeners[1].Rules); got > rules {
		t.Errorf("%d calls for %d rules that were not answered", got, rules)
	}
	if out.ARNs[model.Key{Kind: model.KindListener, ID: "443"}] == "" {
		t.Error("the outputs do not say what was reached")
	}
}

// TestLateDuplicatesAreFound: what a create made that seemed to fail may be listed late, when its owner has another one already. The
// next comparison with AWS finds it, without a restart.
func TestLateDuplicatesAreFound(t *testing.T) {
	a := newAccount(t)
	w := newWire()
	c, desired := fresh(t, a, w)
	want := a.size(t)
	a.late(t, observe(t, c), desired)
	if got := a.size(t); got.groups != want.groups+1 || got.balancers != want.balancers+1 || got.rules != want.rules+1 || got.security != want.security+1 {
		t.Fatalf("the account holds %+v: not everything was made twice", got)
	}
	c.Forget(owner())
	converge(t, c, desired)
	if got := a.size(t); got != want {
		t.Errorf("the account holds %+v, want %+v: what appeared late is ours, and too much", got, want)
	}
	same(t, "what is kept is not what AWS holds", observe(t, c), observe(t, a.client(t, nil)))

	w.take(false)
	c.Forget(owner())
	observe(t, c)
	reads := w.take(false)
	for action, most := range map[string]int{"DescribeLoadBalancers": 1, "DescribeTargetGroups": 1, "DescribeSecurityGroups": 1, "DescribeTags": 2} {
		if reads[action] > most {
			t.Errorf("a comparison makes %d calls of %s, want at most %d", reads[action], action, most)
		}
	}
}

// late makes one thing of each kind a second time, with the ownership tags of the first.
func (a *account) late(t *testing.T, seen, desired model.Stack) {
	t.Helper()
	world := vpc.DefaultWorld()
	sgTags := []ec2types.Tag{}
	for k, v := range desired.SecurityGroups[0].Tags {
		sgTags = append(sgTags, ec2types.Tag{Key: aws.String(k), Value: aws.String(v)})
	}
	_, err := a.ec2().CreateSecurityGroup(t.Context(), &ec2.CreateSecurityGroupInput{
		GroupName: aws.String("k8s-shop-late"), Description: aws.String("late"), VpcId: aws.String(world.VPC),
		TagSpecifications: []ec2types.TagSpecification{{ResourceType: ec2types.ResourceTypeSecurityGroup, Tags: sgTags}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err = a.elb().CreateTargetGroup(t.Context(), &elasticloadbalancingv2.CreateTargetGroupInput{
		Name: aws.String("k8s-shop-late"), TargetType: "ip", Protocol: "HTTP", Port: aws.Int32(80), VpcId: aws.String(world.VPC),
		Tags: elbTags(desired.TargetGroups[0].Tags),
	}); err != nil {
		t.Fatal(err)
	}
	if _, err = a.elb().CreateLoadBalancer(t.Context(), &elasticloadbalancingv2.CreateLoadBalancerInput{
		Name: aws.String("k8s-shop-late"), Subnets: world.PublicSubnets, Scheme: "internet-facing", Type: "application",
		Tags: elbTags(desired.LoadBalancer.Tags), SecurityGroups: []string{world.NodeSecurityGroup},
	}); err != nil {
		t.Fatal(err)
	}
	if _, err = a.elb().CreateRule(t.Context(), &elasticloadbalancingv2.CreateRuleInput{
		ListenerArn: aws.String(string(seen.Listeners[1].ARN)), Priority: aws.Int32(40000),
		Conditions: []elbtypes.RuleCondition{{Field: aws.String("host-header"), RegexValues: []string{`^closed\.example(:[0-9]+)?$`}}},
		Actions: []elbtypes.Action{{Type: "fixed-response", FixedResponseConfig: &elbtypes.FixedResponseActionConfig{
			StatusCode: aws.String("503"), ContentType: aws.String("text/plain"),
		}}},
	}); err != nil {
		t.Fatal(err)
	}
}

func elbTags(tags map[string]string) []elbtypes.Tag {
	var out []elbtypes.Tag
	for k, v := range tags {
		out = append(out, elbtypes.Tag{Key: aws.String(k), Value: aws.String(v)})
	}
	return out
}
