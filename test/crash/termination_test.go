package crash

import (
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	elbv2v1beta1 "github.com/headgate/headgate/apis/elbv2/v1beta1"
	"github.com/headgate/headgate/cloud/sim"
	"github.com/headgate/headgate/cloud/sim/fault"
)

// crowd are Services with bindings to target groups, each of which has some targets.
type crowd struct {
	*play

	elb    *elasticloadbalancingv2.Client
	groups []string
}

// TestTerminationsDoNotWaitForRegistrations (invariant 4): more bindings than there are workers wait for their registrations, which AWS does not
// answer. What terminates meanwhile is deregistered, of a binding that waits itself and of one that found no worker.
func TestTerminationsDoNotWaitForRegistrations(t *testing.T) {
	t.Parallel()
	undisturbed(t)
	c := &crowd{play: newPlay(t, common.World, "crowd")}
	c.elb = elasticloadbalancingv2.NewFromConfig(c.AWS())
	const bindings = 20 // 16 workers
	for i := range bindings {
		c.bind(i)
	}
	c.Start(nil)
	for i := range bindings {
		c.holds(i, 2)
	}
	// In the simulator's time, which runs fast.
	if err := c.Sim.Disturb(sim.Disturbances{Latency: fault.Latency{"elasticloadbalancing:RegisterTargets": 1000 * time.Hour}}); err != nil {
		t.Fatal(err)
	}
	for i := range bindings - 1 {
		c.endpoints(i, address(i, 0), address(i, 1), address(i, 2))
	}
	for _, i := range []int{0, bindings - 1} {
		c.endpoints(i, address(i, 0), "-"+address(i, 1))
		c.holds(i, 1)
	}
}

func address(binding, n int) string { return fmt.Sprintf("10.0.%d.%d", binding, 10+n) }

// bind makes a target group, a Service with two endpoints and a binding of both.
func (c *crowd) bind(i int) {
	c.t.Helper()
	name := fmt.Sprintf("crowd-%d", i)
	made, err := c.elb.CreateTargetGroup(c.t.Context(), &elasticloadbalancingv2.CreateTargetGroupInput{
		Name: &name, Protocol: types.ProtocolEnumHttp, Port: aws.Int32(80), TargetType: types.TargetTypeEnumIp, VpcId: aws.String(c.Sim.World().VPC),
	})
	if err != nil {
		c.t.Fatal(err)
	}
	c.groups = append(c.groups, *made.TargetGroups[0].TargetGroupArn)
	here := metav1.ObjectMeta{Namespace: c.Name, Name: name}
	c.create(
		&corev1.Service{ObjectMeta: here, Spec: corev1.ServiceSpec{Ports: []corev1.ServicePort{{Name: "http", Port: 80}}}},
		&discoveryv1.EndpointSlice{
			ObjectMeta:  metav1.ObjectMeta{Namespace: c.Name, Name: name, Labels: map[string]string{discoveryv1.LabelServiceName: name}},
			AddressType: discoveryv1.AddressTypeIPv4, Ports: []discoveryv1.EndpointPort{{Name: new("http"), Port: new(int32(8080))}},
			Endpoints: []discoveryv1.Endpoint{{Addresses: []string{address(i, 0)}}, {Addresses: []string{address(i, 1)}}},
		},
		&elbv2v1beta1.TargetGroupBinding{ObjectMeta: here, Spec: elbv2v1beta1.TargetGroupBindingSpec{
			TargetGroupARN: c.groups[i], TargetType: new(elbv2v1beta1.TargetTypeIP),
			ServiceRef: elbv2v1beta1.ServiceReference{Name: name, Port: intstr.FromInt32(80)},
		}},
	)
}

func (c *crowd) create(objects ...client.Object) {
	c.t.Helper()
	for _, o := range objects {
		if err := c.World.Client.Create(c.t.Context(), o); err != nil {
			c.t.Fatal(err)
		}
	}
}

// endpoints gives a Service other endpoints; one with a minus terminates.
func (c *crowd) endpoints(i int, addresses ...string) {
	c.t.Helper()
	slice := &discoveryv1.EndpointSlice{}
	if err := c.World.Client.Get(c.t.Context(), client.ObjectKey{Namespace: c.Name, Name: fmt.Sprintf("crowd-%d", i)}, slice); err != nil {
		c.t.Fatal(err)
	}
	slice.Endpoints = nil
	for _, a := range addresses {
		going := a[0] == '-'
		if going {
			a = a[1:]
		}
		slice.Endpoints = append(slice.Endpoints, discoveryv1.Endpoint{
			Addresses:  []string{a},
			Conditions: discoveryv1.EndpointConditions{Ready: new(!going), Serving: new(true), Terminating: new(going)},
		})
	}
	if err := c.World.Client.Update(c.t.Context(), slice); err != nil {
		c.t.Fatal(err)
	}
}

// holds waits until so many targets are registered in a target group.
func (c *crowd) holds(i, want int) {
	c.t.Helper()
	c.Eventually(fmt.Sprintf("target group %d holds %d targets", i, want), func() error {
		out, err := c.elb.DescribeTargetHealth(c.t.Context(), &elasticloadbalancingv2.DescribeTargetHealthInput{TargetGroupArn: &c.groups[i]})
		if err != nil {
			return err
		}
		var here []string
		for _, h := range out.TargetHealthDescriptions {
			if h.TargetHealth.State != types.TargetHealthStateEnumDraining {
				here = append(here, *h.Target.Id)
			}
		}
		if len(here) != want {
			return fmt.Errorf("it has %v", here)
		}
		return nil
	})
}
