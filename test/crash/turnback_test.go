package crash

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	awsgwv1 "github.com/headgate/headgate/apis/gateway/v1"
)

// TestTurnBack takes the replacement of a load balancer back while both answer, over restarts (invariants 4 and 7): the first one is the stack's
// again, under its address, the second one goes, and behind every name that is published there is a load balancer that answers all the while.
func TestTurnBack(t *testing.T) {
	t.Parallel()
	undisturbed(t)
	p := newPlay(t, common.World, "turn-back")
	var ahead atomic.Int64
	begin := func() {
		settings := p.Settings(nil)
		settings.Config, settings.Retention = alone(common.Config(), p.class()), time.Hour
		settings.Now = func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
		p.StartAs(settings)
	}
	begin()
	p.create()
	p.reach("create", common.reference["create"])
	first := p.await("one load balancer is published", func(names []string) bool { return len(names) == 1 })[0]
	for _, scheme := range []string{"internal", "internet-facing"} {
		p.scheme(scheme)
		p.await("it leads that is "+scheme, func(names []string) bool {
			return len(names) > 0 && (names[0] == first) == (scheme == "internet-facing")
		})
		p.Stop()
		begin()
	}
	for _, later := range []time.Duration{time.Hour - 30*time.Second, 2 * time.Hour} {
		p.Stop()
		ahead.Store(int64(later))
		begin()
		p.await("the first one is published in the end", func(names []string) bool { return len(names) == 1 && names[0] == first })
	}
	p.reach("turning back", common.reference["create"])
	p.remove()
	p.gone()
}

// scheme changes the scheme of the Gateway's load balancer.
func (p *play) scheme(to string) {
	p.t.Helper()
	c := &awsgwv1.LoadBalancerConfiguration{}
	if err := p.World.Client.Get(p.t.Context(), types.NamespacedName{Namespace: p.Name, Name: "public"}, c); err != nil {
		p.t.Fatal(err)
	}
	old := c.DeepCopy()
	c.Spec.Scheme = new(awsgwv1.LoadBalancerScheme(to))
	if err := p.World.Client.Patch(p.t.Context(), c, client.MergeFrom(old)); err != nil {
		p.t.Fatal(err)
	}
}

// await waits until the names that are published are those that are waited for. Behind each of them has to be a load balancer that answers.
func (p *play) await(what string, want func(names []string) bool) []string {
	p.t.Helper()
	var out []string
	p.Eventually(what, func() error {
		before, err := p.answering()
		if err != nil {
			return err
		}
		g := &gwv1.Gateway{}
		if err := p.World.Client.Get(p.t.Context(), types.NamespacedName{Namespace: p.Name, Name: "public"}, g); err != nil {
			return err
		}
		after, err := p.answering()
		if err != nil {
			return err
		}
		out = nil
		for _, one := range g.Status.Addresses {
			out = append(out, one.Value)
			if !slices.Contains(before, one.Value) && !slices.Contains(after, one.Value) {
				p.t.Fatalf("%s is published; there answered %v, and %v", one.Value, before, after)
			}
		}
		if !want(out) {
			return fmt.Errorf("published are %v", out)
		}
		return nil
	})
	return out
}

// answering are the names of the load balancers that are active and have a listener.
func (p *play) answering() ([]string, error) {
	api := elasticloadbalancingv2.NewFromConfig(p.AWS())
	all, err := api.DescribeLoadBalancers(p.t.Context(), &elasticloadbalancingv2.DescribeLoadBalancersInput{})
	if err != nil {
		return nil, err
	}
	var out []string
	for _, lb := range all.LoadBalancers {
		if lb.State.Code != elbtypes.LoadBalancerStateEnumActive {
			continue
		}
		listeners, err := api.DescribeListeners(p.t.Context(), &elasticloadbalancingv2.DescribeListenersInput{LoadBalancerArn: lb.LoadBalancerArn})
		if _, gone := errors.AsType[*elbtypes.LoadBalancerNotFoundException](err); gone {
			continue
		}
		if err != nil {
			return nil, err
		}
		if len(listeners.Listeners) > 0 {
			out = append(out, strings.ToLower(aws.ToString(lb.DNSName)))
		}
	}
	return out, nil
}
