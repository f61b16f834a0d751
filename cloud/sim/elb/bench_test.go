package elb_test

import (
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/headgate/headgate/cloud/sim/elb"
)

const manyBalancers, groupsOfEach, targetsOfEach = 2000, 5, 10

// crowded holds 2,000 load balancers with 10,000 target groups and 100,000 targets.
func crowded(b *testing.B) (w *world, balancers, groups []*string) {
	b.Helper()
	w = newWorld(b, func(o *elb.Options) {
		o.Quotas.ApplicationLoadBalancers, o.Quotas.TargetGroups = manyBalancers+1, manyBalancers*groupsOfEach+1
	})
	for i := range manyBalancers {
		lb := w.balancer(fmt.Sprint("lb", i))
		var own []*string
		for j := range groupsOfEach {
			group := w.group(fmt.Sprint("g", i, "x", j))
			var all []elbtypes.TargetDescription
			for k := range targetsOfEach {
				all = append(all, address(k, 8080))
			}
			w.register(group, all...)
			own = append(own, group)
		}
		w.listener(lb, forward(own...))
		balancers, groups = append(balancers, lb), append(groups, own...)
	}
	return w, balancers, groups
}

// BenchmarkCrowded measures calls while much is held: none of them may take longer for that but a list, by its page.
func BenchmarkCrowded(b *testing.B) {
	w, balancers, groups := crowded(b)
	in := w.groupInput("more")
	for _, row := range []struct {
		name string
		call func(i int) error
	}{
		{"DescribeLoadBalancers/page", func(int) error {
			return ask(w, w.api.DescribeLoadBalancers, &sdk.DescribeLoadBalancersInput{PageSize: aws.Int32(100)})
		}},
		{"DescribeLoadBalancers/name", func(i int) error {
			return ask(w, w.api.DescribeLoadBalancers, &sdk.DescribeLoadBalancersInput{Names: []string{fmt.Sprint("lb", i%manyBalancers)}})
		}},
		{"DescribeTargetGroups/page", func(int) error {
			return ask(w, w.api.DescribeTargetGroups, &sdk.DescribeTargetGroupsInput{PageSize: aws.Int32(100)})
		}},
		{"DescribeTargetGroups/balancer", func(i int) error {
			return ask(w, w.api.DescribeTargetGroups, &sdk.DescribeTargetGroupsInput{LoadBalancerArn: balancers[i%len(balancers)]})
		}},
		{"DescribeTargetHealth", func(i int) error {
			return ask(w, w.api.DescribeTargetHealth, &sdk.DescribeTargetHealthInput{TargetGroupArn: groups[i%len(groups)]})
		}},
		{"RegisterTargets", func(i int) error {
			return ask(w, w.api.RegisterTargets, &sdk.RegisterTargetsInput{TargetGroupArn: groups[i%len(groups)], Targets: []elbtypes.TargetDescription{address(50, 8080)}})
		}},
		{"DeregisterTargets", func(i int) error {
			return ask(w, w.api.DeregisterTargets, &sdk.DeregisterTargetsInput{TargetGroupArn: groups[i%len(groups)], Targets: []elbtypes.TargetDescription{address(50, 8080)}})
		}},
		{"CreateTargetGroup/again", func(int) error { return ask(w, w.api.CreateTargetGroup, in) }},
	} {
		b.Run(row.name, func(b *testing.B) {
			for i := range b.N {
				if err := row.call(i); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
