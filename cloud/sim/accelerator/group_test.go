package accelerator_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	sdk "github.com/aws/aws-sdk-go-v2/service/globalaccelerator"
	gatypes "github.com/aws/aws-sdk-go-v2/service/globalaccelerator/types"
	"github.com/google/go-cmp/cmp"

	"github.com/headgate/headgate/cloud/sim/contract"
)

func (f *fixture) group(listener *string, change ...func(*sdk.CreateEndpointGroupInput)) (*gatypes.EndpointGroup, error) {
	f.Helper()
	in := &sdk.CreateEndpointGroupInput{ListenerArn: listener, EndpointGroupRegion: aws.String("us-west-2")}
	for _, c := range change {
		c(in)
	}
	out, err := f.ga.CreateEndpointGroup(f.Context(), in)
	if err != nil {
		return nil, fmt.Errorf("creating an endpoint group: %w", err)
	}
	return out.EndpointGroup, nil
}

func to(ids ...*string) []gatypes.EndpointConfiguration {
	all := []gatypes.EndpointConfiguration{}
	for _, id := range ids {
		all = append(all, gatypes.EndpointConfiguration{EndpointId: id})
	}
	return all
}

// endpoints gives the endpoints of a group and how they are.
func (f *fixture) endpoints(group *string) []string {
	f.Helper()
	out, err := f.ga.DescribeEndpointGroup(f.Context(), &sdk.DescribeEndpointGroupInput{EndpointGroupArn: group})
	all := []string{}
	for _, e := range contract.Must(f, out, err).EndpointGroup.EndpointDescriptions {
		all = append(all, fmt.Sprintf("%s %d %v %s", *e.EndpointId, *e.Weight, *e.ClientIPPreservationEnabled, e.HealthState))
	}
	return all
}

func TestGroupErrors(t *testing.T) {
	f := start(t)
	_, listener := f.web()
	web := f.active("web")[0]
	young := f.Balancer("young", elbtypes.LoadBalancerTypeEnumApplication)
	rows := []struct {
		why, code string
		change    func(*sdk.CreateEndpointGroupInput)
	}{
		{"a Region is one", "InvalidArgumentException", func(in *sdk.CreateEndpointGroupInput) { in.EndpointGroupRegion = aws.String("here") }},
		{"endpoints are active", "InvalidArgumentException", func(in *sdk.CreateEndpointGroupInput) { in.EndpointConfigurations = to(young) }},
		{"endpoints exist", "InvalidArgumentException", func(in *sdk.CreateEndpointGroupInput) { in.EndpointConfigurations = to(aws.String("eipalloc-none")) }},
		{"in the Region", "InvalidArgumentException", func(in *sdk.CreateEndpointGroupInput) {
			in.EndpointGroupRegion, in.EndpointConfigurations = aws.String("eu-west-1"), to(web)
		}},
		{"once", "InvalidArgumentException", func(in *sdk.CreateEndpointGroupInput) { in.EndpointConfigurations = to(web, web) }},
		{"weights end", "InvalidArgumentException", func(in *sdk.CreateEndpointGroupInput) {
			in.EndpointConfigurations = to(web)
			in.EndpointConfigurations[0].Weight = aws.Int32(256)
		}},
		{"the dial ends", "InvalidArgumentException", func(in *sdk.CreateEndpointGroupInput) { in.TrafficDialPercentage = aws.Float32(101) }},
		{"10 or 30 seconds", "InvalidArgumentException", func(in *sdk.CreateEndpointGroupInput) { in.HealthCheckIntervalSeconds = aws.Int32(20) }},
		{"a threshold", "InvalidArgumentException", func(in *sdk.CreateEndpointGroupInput) { in.ThresholdCount = aws.Int32(0) }},
		{"paths are of HTTP", "InvalidArgumentException", func(in *sdk.CreateEndpointGroupInput) { in.HealthCheckPath = aws.String("/") }},
		{"overrides are of the listener's ports", "InvalidArgumentException", func(in *sdk.CreateEndpointGroupInput) {
			in.PortOverrides = []gatypes.PortOverride{{ListenerPort: aws.Int32(81), EndpointPort: aws.Int32(8081)}}
		}},
		{"a group", "", func(in *sdk.CreateEndpointGroupInput) { in.EndpointConfigurations = to(web) }},
		{"one a Region", "EndpointGroupAlreadyExistsException", func(*sdk.CreateEndpointGroupInput) {}},
		{"a listener that exists", "ListenerNotFoundException", func(in *sdk.CreateEndpointGroupInput) { in.ListenerArn = aws.String(*listener + "0") }},
	}
	for _, row := range rows {
		t.Run(row.why, func(t *testing.T) {
			_, err := f.group(listener, row.change)
			contract.WantCode(t, err, row.code)
		})
	}
}

func TestGroupLife(t *testing.T) {
	t.Parallel()
	f := start(t)
	arn, listener := f.web()
	web := f.active("web")[0]
	made, err := f.group(listener, func(in *sdk.CreateEndpointGroupInput) { in.EndpointConfigurations = to(web) })
	contract.WantCode(t, err, "")
	group := made.EndpointGroupArn
	if *made.HealthCheckPort != 80 || made.HealthCheckProtocol != gatypes.HealthCheckProtocolTcp || *made.HealthCheckIntervalSeconds != 30 ||
		*made.ThresholdCount != 3 || *made.TrafficDialPercentage != 100 || f.status(arn) != gatypes.AcceleratorStatusInProgress {
		t.Errorf("defaults: %+v", made)
	}
	health := f.endpoints(group)
	f.Pass(time.Minute)
	health = append(health, f.endpoints(group)...)
	f.DeleteBalancer(web)
	health = append(health, f.endpoints(group)...)
	if diff := cmp.Diff([]string{*web + " 128 true INITIAL", *web + " 128 true HEALTHY", *web + " 128 true UNHEALTHY"}, health); diff != "" {
		t.Error(diff)
	}
	changed, err := f.ga.UpdateEndpointGroup(t.Context(), &sdk.UpdateEndpointGroupInput{
		EndpointGroupArn: group, EndpointConfigurations: []gatypes.EndpointConfiguration{}, HealthCheckProtocol: gatypes.HealthCheckProtocolHttp,
		TrafficDialPercentage: aws.Float32(10),
	})
	if got := contract.Must(t, changed, err).EndpointGroup; len(got.EndpointDescriptions) != 0 || *got.HealthCheckPath != "/" || *got.TrafficDialPercentage != 10 ||
		*got.ThresholdCount != 3 {
		t.Errorf("after the update: %+v", got)
	}
	listed, err := f.ga.ListEndpointGroups(t.Context(), &sdk.ListEndpointGroupsInput{ListenerArn: listener})
	if n := len(contract.Must(t, listed, err).EndpointGroups); n != 1 {
		t.Errorf("%d groups", n)
	}
	_, err = f.ga.DeleteListener(t.Context(), &sdk.DeleteListenerInput{ListenerArn: listener})
	contract.WantCode(t, err, "AssociatedEndpointGroupFoundException")
	for _, code := range []string{"", "EndpointGroupNotFoundException"} {
		_, err = f.ga.DeleteEndpointGroup(t.Context(), &sdk.DeleteEndpointGroupInput{EndpointGroupArn: group})
		contract.WantCode(t, err, code)
	}
}

func TestEndpoints(t *testing.T) {
	t.Parallel()
	f := start(t)
	_, listener := f.web()
	balancers := f.active("one", "two")
	made, err := ec2.NewFromConfig(f.Config).AllocateAddress(t.Context(), &ec2.AllocateAddressInput{})
	address := contract.Must(t, made, err).AllocationId
	group, err := f.group(listener)
	contract.WantCode(t, err, "")
	add := func(all ...gatypes.EndpointConfiguration) string {
		_, err := f.ga.AddEndpoints(t.Context(), &sdk.AddEndpointsInput{EndpointGroupArn: group.EndpointGroupArn, EndpointConfigurations: all})
		return contract.APICode(err)
	}
	remove := func(all ...gatypes.EndpointIdentifier) string {
		_, err := f.ga.RemoveEndpoints(t.Context(), &sdk.RemoveEndpointsInput{EndpointGroupArn: group.EndpointGroupArn, EndpointIdentifiers: all})
		return contract.APICode(err)
	}
	one := gatypes.EndpointConfiguration{EndpointId: balancers[0], Weight: aws.Int32(1)}
	open := one
	open.ClientIPPreservationEnabled = aws.Bool(false)
	codes := []string{
		add(one), add(one), add(open), add(to(address)...), add(gatypes.EndpointConfiguration{EndpointId: address, ClientIPPreservationEnabled: aws.Bool(true)}),
		remove(gatypes.EndpointIdentifier{EndpointId: balancers[0], ClientIPPreservationEnabled: aws.Bool(true)}),
		remove(gatypes.EndpointIdentifier{EndpointId: balancers[1]}),
	}
	const refused = "InvalidArgumentException"
	if diff := cmp.Diff([]string{"", refused, "", "", refused, "", refused}, codes); diff != "" {
		t.Error(diff)
	}
	f.Pass(time.Minute)
	if diff := cmp.Diff([]string{*balancers[0] + " 1 false HEALTHY", *address + " 128 false HEALTHY"}, f.endpoints(group.EndpointGroupArn)); diff != "" {
		t.Error(diff)
	}
}
