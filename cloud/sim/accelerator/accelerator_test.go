package accelerator_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	sdk "github.com/aws/aws-sdk-go-v2/service/globalaccelerator"
	gatypes "github.com/aws/aws-sdk-go-v2/service/globalaccelerator/types"
	"github.com/aws/aws-sdk-go-v2/service/resourcegroupstaggingapi"
	"github.com/google/go-cmp/cmp"

	"github.com/headgate/headgate/cloud/sim/accelerator"
	"github.com/headgate/headgate/cloud/sim/account"
	"github.com/headgate/headgate/cloud/sim/contract"
)

type fixture struct {
	*contract.Fixture

	ga *sdk.Client
}

func start(t *testing.T) *fixture {
	t.Helper()
	f := contract.Start(t)
	return &fixture{f, sdk.NewFromConfig(f.Config)}
}

func (f *fixture) accelerator(name string, change ...func(*sdk.CreateAcceleratorInput)) *gatypes.Accelerator {
	f.Helper()
	in := &sdk.CreateAcceleratorInput{Name: &name}
	for _, c := range change {
		c(in)
	}
	out, err := f.ga.CreateAccelerator(f.Context(), in)
	return contract.Must(f, out, err).Accelerator
}

func ports(from, to int32) gatypes.PortRange { return gatypes.PortRange{FromPort: &from, ToPort: &to} }

func (f *fixture) listener(of *string, protocol gatypes.Protocol, ranges ...gatypes.PortRange) (*gatypes.Listener, error) {
	f.Helper()
	out, err := f.ga.CreateListener(f.Context(), &sdk.CreateListenerInput{AcceleratorArn: of, Protocol: protocol, PortRanges: ranges})
	if err != nil {
		return nil, fmt.Errorf("creating a listener: %w", err)
	}
	return out.Listener, nil
}

// web makes an accelerator with a listener and gives both ARNs.
func (f *fixture) web() (*string, *string) {
	f.Helper()
	a := f.accelerator("web")
	l, err := f.listener(a.AcceleratorArn, gatypes.ProtocolTcp, ports(80, 80), ports(443, 443))
	contract.WantCode(f, err, "")
	return a.AcceleratorArn, l.ListenerArn
}

func (f *fixture) status(arn *string) gatypes.AcceleratorStatus {
	f.Helper()
	out, err := f.ga.DescribeAccelerator(f.Context(), &sdk.DescribeAcceleratorInput{AcceleratorArn: arn})
	return contract.Must(f, out, err).Accelerator.Status
}

func TestChecks(t *testing.T) {
	t.Parallel()
	contract.WantChecks(t, accelerator.New(&account.Account{}, nil).Service(), accelerator.Checks())
}

func TestLife(t *testing.T) {
	t.Parallel()
	f := start(t)
	arn, listener := f.web()
	remove := func() string {
		_, err := f.ga.DeleteAccelerator(t.Context(), &sdk.DeleteAcceleratorInput{AcceleratorArn: arn})
		return contract.APICode(err)
	}
	update := func(enabled bool) {
		_, err := f.ga.UpdateAccelerator(t.Context(), &sdk.UpdateAcceleratorInput{AcceleratorArn: arn, Enabled: &enabled})
		contract.WantCode(t, err, "")
	}
	statuses := []gatypes.AcceleratorStatus{f.status(arn)}
	f.Pass(time.Minute)
	statuses = append(statuses, f.status(arn))
	codes := []string{remove()}
	update(false)
	statuses = append(statuses, f.status(arn))
	codes = append(codes, remove())
	f.Pass(time.Minute)
	codes = append(codes, remove())
	_, err := f.ga.DeleteListener(t.Context(), &sdk.DeleteListenerInput{ListenerArn: listener})
	contract.WantCode(t, err, "")
	f.Pass(time.Minute)
	codes = append(codes, remove(), remove())
	if diff := cmp.Diff([]gatypes.AcceleratorStatus{"IN_PROGRESS", "DEPLOYED", "IN_PROGRESS"}, statuses); diff != "" {
		t.Error(diff)
	}
	want := []string{"AcceleratorNotDisabledException", "AcceleratorNotDisabledException", "AssociatedListenerFoundException", "", "AcceleratorNotFoundException"}
	if diff := cmp.Diff(want, codes); diff != "" {
		t.Error(diff)
	}
}

func TestAccelerators(t *testing.T) {
	t.Parallel()
	f := start(t)
	token := func(in *sdk.CreateAcceleratorInput) { in.IdempotencyToken = aws.String("once") }
	first, again := f.accelerator("web", token), f.accelerator("web", token)
	if *first.AcceleratorArn != *again.AcceleratorArn || !*first.Enabled || len(first.IpSets) != 1 || len(first.IpSets[0].IpAddresses) != 2 || first.DualStackDnsName != nil {
		t.Errorf("accelerator: %+v", first)
	}
	second := f.accelerator("both", func(in *sdk.CreateAcceleratorInput) { in.IpAddressType = gatypes.IpAddressTypeDualStack })
	if len(second.IpSets) != 2 || second.DualStackDnsName == nil || second.IpSets[0].IpAddresses[0] == first.IpSets[0].IpAddresses[0] {
		t.Errorf("dual stack: %+v", second)
	}
	changed, err := f.ga.UpdateAccelerator(t.Context(), &sdk.UpdateAcceleratorInput{
		AcceleratorArn: first.AcceleratorArn, Name: aws.String("renamed"), IpAddressType: gatypes.IpAddressTypeDualStack,
	})
	if got := contract.Must(t, changed, err).Accelerator; *got.Name != "renamed" || len(got.IpSets) != 2 || got.IpSets[0].IpAddresses[0] != first.IpSets[0].IpAddresses[0] {
		t.Errorf("after the update: %+v", got)
	}
	for i := range 18 {
		f.accelerator(fmt.Sprint("a", i))
	}
	_, err = f.ga.CreateAccelerator(t.Context(), &sdk.CreateAcceleratorInput{Name: aws.String("more")})
	contract.WantCode(t, err, "LimitExceededException")
	number := 0
	pages := sdk.NewListAcceleratorsPaginator(f.ga, &sdk.ListAcceleratorsInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		number += len(contract.Must(t, page, err).Accelerators)
	}
	if number != 20 {
		t.Errorf("%d accelerators", number)
	}
	_, err = f.ga.ListAccelerators(t.Context(), &sdk.ListAcceleratorsInput{NextToken: aws.String("?")})
	contract.WantCode(t, err, "InvalidNextTokenException")
}

func TestAcceleratorErrors(t *testing.T) {
	f := start(t)
	rows := []struct {
		why, code string
		in        sdk.CreateAcceleratorInput
	}{
		{"a name does not end with a hyphen", "InvalidArgumentException", sdk.CreateAcceleratorInput{Name: aws.String("web-")}},
		{"addresses are brought before", "InvalidArgumentException", sdk.CreateAcceleratorInput{Name: aws.String("a"), IpAddresses: []string{"192.0.2.1"}}},
		{"tags are not aws:", "InvalidArgumentException", sdk.CreateAcceleratorInput{
			Name: aws.String("a"), Tags: []gatypes.Tag{{Key: aws.String("aws:a"), Value: aws.String("")}},
		}},
	}
	for _, row := range rows {
		t.Run(row.why, func(t *testing.T) {
			_, err := f.ga.CreateAccelerator(t.Context(), &row.in)
			contract.WantCode(t, err, row.code)
		})
	}
	for code, arn := range map[string]string{
		"InvalidArgumentException": "web", "AcceleratorNotFoundException": "arn:aws:globalaccelerator::123456789012:accelerator/none",
	} {
		_, err := f.ga.DescribeAccelerator(t.Context(), &sdk.DescribeAcceleratorInput{AcceleratorArn: &arn})
		contract.WantCode(t, err, code)
		_, err = f.ga.ListListeners(t.Context(), &sdk.ListListenersInput{AcceleratorArn: &arn})
		contract.WantCode(t, err, code)
		_, err = f.ga.ListTagsForResource(t.Context(), &sdk.ListTagsForResourceInput{ResourceArn: &arn})
		contract.WantCode(t, err, code)
	}
}

func TestAttributesAndTags(t *testing.T) {
	t.Parallel()
	f := start(t)
	arn := f.accelerator("web").AcceleratorArn
	logs := &sdk.UpdateAcceleratorAttributesInput{AcceleratorArn: arn, FlowLogsEnabled: aws.Bool(true)}
	_, err := f.ga.UpdateAcceleratorAttributes(t.Context(), logs)
	contract.WantCode(t, err, "InvalidArgumentException")
	logs.FlowLogsS3Bucket, logs.FlowLogsS3Prefix = aws.String("bucket"), aws.String("prefix")
	_, err = f.ga.UpdateAcceleratorAttributes(t.Context(), logs)
	contract.WantCode(t, err, "")
	out, err := f.ga.DescribeAcceleratorAttributes(t.Context(), &sdk.DescribeAcceleratorAttributesInput{AcceleratorArn: arn})
	if got := contract.Must(t, out, err).AcceleratorAttributes; !*got.FlowLogsEnabled || *got.FlowLogsS3Bucket != "bucket" {
		t.Errorf("attributes: %+v", got)
	}
	_, err = f.ga.TagResource(t.Context(), &sdk.TagResourceInput{ResourceArn: arn, Tags: []gatypes.Tag{
		{Key: aws.String("a"), Value: aws.String("1")}, {Key: aws.String("b"), Value: aws.String("2")},
	}})
	contract.WantCode(t, err, "")
	_, err = f.ga.UntagResource(t.Context(), &sdk.UntagResourceInput{ResourceArn: arn, TagKeys: []string{"a"}})
	contract.WantCode(t, err, "")
	tags, err := f.ga.ListTagsForResource(t.Context(), &sdk.ListTagsForResourceInput{ResourceArn: arn})
	if got := contract.Must(t, tags, err).Tags; len(got) != 1 || *got[0].Key != "b" {
		t.Errorf("tags: %+v", got)
	}
	found, err := resourcegroupstaggingapi.NewFromConfig(f.Config).GetResources(t.Context(), &resourcegroupstaggingapi.GetResourcesInput{
		ResourceTypeFilters: []string{"globalaccelerator:accelerator"},
	})
	if got := contract.Must(t, found, err).ResourceTagMappingList; len(got) != 1 || *got[0].ResourceARN != *arn {
		t.Errorf("tagged: %+v", got)
	}
}

func TestListeners(t *testing.T) {
	f := start(t)
	arn, listener := f.web()
	rows := []struct {
		why, code string
		protocol  gatypes.Protocol
		ranges    []gatypes.PortRange
	}{
		{"a port is taken", "InvalidPortRangeException", gatypes.ProtocolTcp, []gatypes.PortRange{ports(400, 500)}},
		{"for another protocol it is free", "", gatypes.ProtocolUdp, []gatypes.PortRange{ports(400, 500)}},
		{"ranges overlap", "InvalidPortRangeException", gatypes.ProtocolTcp, []gatypes.PortRange{ports(1000, 1010), ports(1010, 1020)}},
		{"a range goes up", "InvalidPortRangeException", gatypes.ProtocolTcp, []gatypes.PortRange{ports(2, 1)}},
		{"a range", "InvalidArgumentException", gatypes.ProtocolTcp, []gatypes.PortRange{}},
	}
	for _, row := range rows {
		t.Run(row.why, func(t *testing.T) {
			_, err := f.listener(arn, row.protocol, row.ranges...)
			contract.WantCode(t, err, row.code)
		})
	}
	changed, err := f.ga.UpdateListener(t.Context(), &sdk.UpdateListenerInput{
		ListenerArn: listener, PortRanges: []gatypes.PortRange{ports(80, 81)}, ClientAffinity: gatypes.ClientAffinitySourceIp,
	})
	contract.WantCode(t, err, "")
	read, err := f.ga.DescribeListener(t.Context(), &sdk.DescribeListenerInput{ListenerArn: listener})
	if got := contract.Must(t, read, err).Listener; *got.PortRanges[0].ToPort != 81 || got.ClientAffinity != changed.Listener.ClientAffinity {
		t.Errorf("listener: %+v", got)
	}
	_, err = f.ga.UpdateListener(t.Context(), &sdk.UpdateListenerInput{ListenerArn: listener, Protocol: gatypes.ProtocolUdp, PortRanges: []gatypes.PortRange{ports(450, 450)}})
	contract.WantCode(t, err, "InvalidPortRangeException")
	for i := range int32(8) {
		_, err := f.listener(arn, gatypes.ProtocolTcp, ports(9000+i, 9000+i))
		contract.WantCode(t, err, "")
	}
	_, err = f.listener(arn, gatypes.ProtocolTcp, ports(9100, 9100))
	contract.WantCode(t, err, "LimitExceededException")
	list, err := f.ga.ListListeners(t.Context(), &sdk.ListListenersInput{AcceleratorArn: arn, MaxResults: aws.Int32(3)})
	if got := contract.Must(t, list, err); len(got.Listeners) != 3 || got.NextToken == nil {
		t.Errorf("%d listeners", len(got.Listeners))
	}
	_, err = f.ga.DescribeListener(t.Context(), &sdk.DescribeListenerInput{ListenerArn: aws.String(*listener + "0")})
	contract.WantCode(t, err, "ListenerNotFoundException")
}

// active makes load balancers and lets them become active.
func (f *fixture) active(names ...string) []*string {
	f.Helper()
	var all []*string
	for _, n := range names {
		all = append(all, f.Balancer(n, elbtypes.LoadBalancerTypeEnumApplication))
	}
	f.Pass(time.Hour)
	return all
}
