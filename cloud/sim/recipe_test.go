package sim_test

import (
	"reflect"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/acm"
	acmtypes "github.com/aws/aws-sdk-go-v2/service/acm/types"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/aws/aws-sdk-go-v2/service/globalaccelerator"
	acceleratortypes "github.com/aws/aws-sdk-go-v2/service/globalaccelerator/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	route53types "github.com/aws/aws-sdk-go-v2/service/route53/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/shield"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/aws-sdk-go-v2/service/vpclattice"
	latticetypes "github.com/aws/aws-sdk-go-v2/service/vpclattice/types"
	"github.com/aws/aws-sdk-go-v2/service/wafv2"
	waftypes "github.com/aws/aws-sdk-go-v2/service/wafv2/types"

	"github.com/headgate/headgate/cloud/sim"
	"github.com/headgate/headgate/cloud/sim/contract"
)

// known stands in a recipe for a text that an earlier answer had in the field of that name.
const known = "known:"

// follow calls the operation of an input with what is known filled in. A service that is not offered is passed over.
func (a *author) follow(f *fixture, offers []sim.Offered, in any) {
	f.Helper()
	for _, o := range offers {
		if !sameShape(o.New(), in) {
			continue
		}
		a.fillIn(reflect.ValueOf(in))
		if !a.call(f.T, o, in) {
			f.Errorf("the recipe of %s does not work", o.Name)
		}
		return
	}
}

// followScripts makes the calls of the contracts of all services that are no quotas. What they need may be gone or taken here, so that some
// of them fail.
func (a *author) followScripts(f *fixture, offers []sim.Offered) {
	f.Helper()
	for _, of := range [][2]string{
		{".", "elb"}, {"accelerator", "accelerator"}, {"cert", "acm"}, {"cognito", "cognito"}, {"iam", "iam"}, {"identity", "sts"}, {"shield", "shield"},
		{"waf", "wafv2"}, {"zones", "route53"}, {"vpc", "ec2"}, {"tagging", "tagging"},
	} {
		dir, name := of[0], of[1]
		scripts := slices.DeleteFunc(contract.Scripts(f, dir+"/testdata/*.calls"), func(s contract.Script) bool {
			return strings.Contains(s.Name, "quotas") || s.Name == "limits"
		})
		f.Follow(name, scripts, func(in, _ any) {
			a.learn(in)
			for _, o := range offers {
				if key := o.Service + o.Name; sameShape(o.New(), in) && len(a.good[key]) < remembered {
					a.good[key] = append(a.good[key], in)
				}
			}
		})
	}
}

func sameShape(a, b any) bool { return reflect.TypeOf(a) == reflect.TypeOf(b) }

// fillIn replaces what is known in a shape.
func (a *author) fillIn(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			a.fillIn(v.Elem())
		}
	case reflect.Slice:
		for i := range v.Len() {
			a.fillIn(v.Index(i))
		}
	case reflect.Struct:
		for f, value := range v.Fields() {
			if f.IsExported() {
				a.fillIn(value)
			}
		}
	case reflect.String:
		if field, ok := strings.CutPrefix(v.String(), known); ok && len(a.learned[field]) > 0 {
			v.SetString(a.learned[field][0])
		}
	default:
	}
}

// recipes are calls that succeed one after the other, for random calls to begin with.
func recipes(f *fixture) []any {
	f.Helper()
	w := f.Sim.World()
	body, key := contract.Pair(f, "example.com")
	text := aws.String
	forwards := []elbtypes.Action{{Type: elbtypes.ActionTypeEnumForward, TargetGroupArn: text(known + "TargetGroupArn")}}
	return []any{
		&ec2.DescribeVpcsInput{}, &ec2.DescribeSubnetsInput{}, &ec2.DescribeSecurityGroupsInput{}, &ec2.DescribeRouteTablesInput{},
		&ec2.CreateSecurityGroupInput{GroupName: text("a"), Description: text("a"), VpcId: text(w.VPC)},
		&ec2.AuthorizeSecurityGroupIngressInput{GroupId: text(w.NodeSecurityGroup), IpPermissions: []ec2types.IpPermission{{
			IpProtocol: text("tcp"), FromPort: aws.Int32(80), ToPort: aws.Int32(80), IpRanges: []ec2types.IpRange{{CidrIp: text("10.0.0.0/24")}},
		}}},
		&ec2.AllocateAddressInput{},
		&ec2.CreateManagedPrefixListInput{PrefixListName: text("list"), AddressFamily: text("IPv4"), MaxEntries: aws.Int32(3)},
		&ec2.ModifyManagedPrefixListInput{PrefixListId: text(known + "PrefixListId"), MaxEntries: aws.Int32(4)},
		&ec2.CreateVpcInput{CidrBlock: text("10.9.0.0/16")},
		&ec2.CreateSubnetInput{VpcId: text(w.VPC), CidrBlock: text("10.0.200.0/24"), AvailabilityZone: text("us-west-2a")},
		&ec2.RunInstancesInput{MinCount: aws.Int32(1), MaxCount: aws.Int32(1), SubnetId: text(w.PrivateSubnets[0]), ImageId: text("ami-1")},
		&ec2.ModifyInstanceMetadataOptionsInput{InstanceId: text(known + "InstanceId"), HttpTokens: ec2types.HttpTokensStateRequired},
		&ec2.CreateCoipPoolInput{LocalGatewayRouteTableId: text("lgw-rtb-1")},
		&ec2.CreateCoipCidrInput{CoipPoolId: text(known + "PoolId"), Cidr: text("192.0.2.0/28")},
		&ec2.GetCoipPoolUsageInput{PoolId: text(known + "PoolId")},
		&ec2.DeleteCoipCidrInput{CoipPoolId: text(known + "PoolId"), Cidr: text("192.0.2.0/28")},
		&ec2.DeleteCoipPoolInput{CoipPoolId: text(known + "PoolId")},
		&ec2.UpdateSecurityGroupRuleDescriptionsIngressInput{GroupId: text(w.NodeSecurityGroup), IpPermissions: []ec2types.IpPermission{{
			IpProtocol: text("tcp"), FromPort: aws.Int32(80), ToPort: aws.Int32(80), IpRanges: []ec2types.IpRange{{CidrIp: text("10.0.0.0/24"), Description: text("a")}},
		}}},
		&ec2.AuthorizeSecurityGroupEgressInput{GroupId: text(w.NodeSecurityGroup), IpPermissions: []ec2types.IpPermission{{
			IpProtocol: text("tcp"), FromPort: aws.Int32(80), ToPort: aws.Int32(80), IpRanges: []ec2types.IpRange{{CidrIp: text("10.0.0.0/24")}},
		}}},
		&ec2.DetachInternetGatewayInput{InternetGatewayId: text(w.InternetGateway), VpcId: text(w.VPC)},
		&ec2.AttachInternetGatewayInput{InternetGatewayId: text(w.InternetGateway), VpcId: text(w.VPC)},
		&ec2.CreateRouteInput{RouteTableId: text(known + "RouteTableId"), DestinationCidrBlock: text("192.0.2.0/24"), GatewayId: text(w.InternetGateway)},
		&ec2.DeleteRouteInput{RouteTableId: text(known + "RouteTableId"), DestinationCidrBlock: text("192.0.2.0/24")},
		&ec2.CreateNetworkInterfaceInput{SubnetId: text(w.PublicSubnets[0])},
		&ec2.AssociateAddressInput{AllocationId: text(known + "AllocationId"), NetworkInterfaceId: text(known + "NetworkInterfaceId"), AllowReassociation: aws.Bool(true)},
		&ec2.RevokeSecurityGroupEgressInput{GroupId: text(w.NodeSecurityGroup), IpPermissions: []ec2types.IpPermission{{
			IpProtocol: text("tcp"), FromPort: aws.Int32(80), ToPort: aws.Int32(80), IpRanges: []ec2types.IpRange{{CidrIp: text("10.0.0.0/24")}},
		}}},
		&ec2.CreateTagsInput{Resources: []string{w.VPC}, Tags: []ec2types.Tag{{Key: text("a"), Value: text("b")}}},
		&ec2.DeleteTagsInput{Resources: []string{w.VPC}, Tags: []ec2types.Tag{{Key: text("a")}}},
		&ec2.ModifyAvailabilityZoneGroupInput{
			GroupName: text("us-west-2-sim-1"), OptInStatus: ec2types.ModifyAvailabilityZoneOptInStatusOptedIn,
		},
		&acm.ImportCertificateInput{Certificate: body, PrivateKey: key},
		&acm.RequestCertificateInput{DomainName: text("www.example.com"), ValidationMethod: acmtypes.ValidationMethodDns},
		&elb.CreateLoadBalancerInput{Name: text("web"), Subnets: w.PublicSubnets},
		&elb.CreateTargetGroupInput{
			Name: text("web"), Protocol: elbtypes.ProtocolEnumHttp, Port: aws.Int32(80), VpcId: text(w.VPC), TargetType: elbtypes.TargetTypeEnumIp,
		},
		&elb.CreateListenerInput{LoadBalancerArn: text(known + "LoadBalancerArn"), Port: aws.Int32(80), Protocol: elbtypes.ProtocolEnumHttp, DefaultActions: forwards},
		&elb.CreateRuleInput{ListenerArn: text(known + "ListenerArn"), Priority: aws.Int32(5), Conditions: path("/a"), Actions: forwards},
		&elb.RegisterTargetsInput{TargetGroupArn: text(known + "TargetGroupArn"), Targets: []elbtypes.TargetDescription{{Id: text("10.0.128.9")}}},
		&elb.AddTagsInput{ResourceArns: []string{known + "LoadBalancerArn"}, Tags: tags("team", "a")},
		&elb.CreateLoadBalancerInput{Name: text("net"), Type: elbtypes.LoadBalancerTypeEnumNetwork, Subnets: w.PrivateSubnets, Scheme: elbtypes.LoadBalancerSchemeEnumInternal},
		&elb.DescribeRulesInput{ListenerArn: text(known + "ListenerArn")},
		&elb.ModifyRuleInput{RuleArn: text(known + "RuleArn"), Conditions: path("/b")},
		&elb.ModifyListenerInput{ListenerArn: text(known + "ListenerArn"), Port: aws.Int32(81)},
		&elb.SetSubnetsInput{LoadBalancerArn: text(known + "LoadBalancerArn"), Subnets: w.PublicSubnets[:2]},
		&elb.ModifyLoadBalancerAttributesInput{LoadBalancerArn: text(known + "LoadBalancerArn"), Attributes: []elbtypes.LoadBalancerAttribute{
			{Key: text("idle_timeout.timeout_seconds"), Value: text("30")},
		}},
		&elb.ModifyTargetGroupAttributesInput{TargetGroupArn: text(known + "TargetGroupArn"), Attributes: []elbtypes.TargetGroupAttribute{
			{Key: text("deregistration_delay.timeout_seconds"), Value: text("30")},
		}},
		&elb.CreateListenerInput{
			LoadBalancerArn: text(known + "LoadBalancerArn"), Port: aws.Int32(443), Protocol: elbtypes.ProtocolEnumHttps, DefaultActions: fixed("404"),
			Certificates: []elbtypes.Certificate{{CertificateArn: text(known + "CertificateArn")}},
		},
		&wafv2.CreateWebACLInput{
			Name: text("acl"), Scope: waftypes.ScopeRegional, DefaultAction: &waftypes.DefaultAction{Allow: &waftypes.AllowAction{}},
			VisibilityConfig: &waftypes.VisibilityConfig{MetricName: text("m")},
		},
		&wafv2.CreateIPSetInput{Name: text("set"), Scope: waftypes.ScopeRegional, IPAddressVersion: waftypes.IPAddressVersionIpv4, Addresses: []string{"192.0.2.0/24"}},
		&shield.CreateSubscriptionInput{},
		&shield.CreateProtectionInput{Name: text("web"), ResourceArn: text(known + "LoadBalancerArn")},
		&cognitoidentityprovider.CreateUserPoolInput{PoolName: text("pool")},
		&iam.UploadServerCertificateInput{ServerCertificateName: text("web"), CertificateBody: text(string(body)), PrivateKey: text(string(key))},
		&iam.CreateServiceLinkedRoleInput{AWSServiceName: text("elasticloadbalancing.amazonaws.com")},
		&globalaccelerator.CreateAcceleratorInput{Name: text("fast"), IdempotencyToken: text("1")},
		&globalaccelerator.CreateListenerInput{
			AcceleratorArn: text(known + "AcceleratorArn"), IdempotencyToken: text("1"), Protocol: acceleratortypes.ProtocolTcp,
			PortRanges: []acceleratortypes.PortRange{{FromPort: aws.Int32(80), ToPort: aws.Int32(80)}},
		},
		&route53.CreateHostedZoneInput{Name: text("example.com"), CallerReference: text("1")},
		&route53.ChangeResourceRecordSetsInput{HostedZoneId: text(known + "HostedZoneId"), ChangeBatch: &route53types.ChangeBatch{Changes: []route53types.Change{{
			Action: route53types.ChangeActionUpsert, ResourceRecordSet: &route53types.ResourceRecordSet{
				Name: text("a.example.com"), Type: route53types.RRTypeA, TTL: aws.Int64(60), ResourceRecords: []route53types.ResourceRecord{{Value: text("192.0.2.1")}},
			},
		}}}},
		&s3.CreateBucketInput{
			Bucket: text("bucket"), CreateBucketConfiguration: &s3types.CreateBucketConfiguration{LocationConstraint: s3types.BucketLocationConstraintUsWest2},
		},
		&s3.PutObjectInput{Bucket: text("bucket"), Key: text("key"), Body: strings.NewReader("bytes")},
		&s3.GetObjectInput{Bucket: text("bucket"), Key: text("key")}, &s3.HeadObjectInput{Bucket: text("bucket"), Key: text("key")},
		&s3.PutBucketVersioningInput{
			Bucket: text("bucket"), VersioningConfiguration: &s3types.VersioningConfiguration{Status: s3types.BucketVersioningStatusEnabled},
		},
		&s3.GetBucketVersioningInput{Bucket: text("bucket")}, &s3.GetBucketLocationInput{Bucket: text("bucket")}, &s3.HeadBucketInput{Bucket: text("bucket")},
		&s3.PutBucketPolicyInput{Bucket: text("bucket"), Policy: text(
			`{"Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:PutObject","Resource":"arn:aws:s3:::bucket/*"}]}`,
		)},
		&s3.GetBucketPolicyInput{Bucket: text("bucket")}, &s3.DeleteBucketPolicyInput{Bucket: text("bucket")},
		&s3.DeleteObjectInput{Bucket: text("bucket"), Key: text("key")},
		&s3.DeleteObjectsInput{Bucket: text("bucket"), Delete: &s3types.Delete{Objects: []s3types.ObjectIdentifier{{Key: text("key")}}}},
		&route53.UpdateHostedZoneCommentInput{Id: text(known + "HostedZoneId"), Comment: text("c")},
		&route53.GetHostedZoneInput{Id: text(known + "HostedZoneId")},
		&route53.ListHostedZonesByVPCInput{VPCId: text(w.VPC), VPCRegion: route53types.VPCRegionUsWest2},
		&cognitoidentityprovider.CreateUserPoolClientInput{UserPoolId: text(known + "UserPoolId"), ClientName: text("gate")},
		&globalaccelerator.CreateEndpointGroupInput{
			ListenerArn: text(known + "AcceleratorListenerArn"), EndpointGroupRegion: text("us-west-2"), IdempotencyToken: text("1"),
		},
		&vpclattice.CreateServiceNetworkInput{Name: text("net")},
		&vpclattice.ListServiceNetworksInput{}, &vpclattice.ListServicesInput{}, &vpclattice.ListTargetGroupsInput{},
		&vpclattice.CreateServiceInput{Name: text("web")},
		&vpclattice.CreateTargetGroupInput{
			Name: text("web"), Type: latticetypes.TargetGroupTypeIp, Config: &latticetypes.TargetGroupConfig{VpcIdentifier: text(w.VPC)},
		},
		&vpclattice.GetServiceInput{ServiceIdentifier: text(known + "ServiceIdentifier")},
		&vpclattice.GetServiceNetworkInput{ServiceNetworkIdentifier: text(known + "ServiceNetworkIdentifier")},
		&vpclattice.GetTargetGroupInput{TargetGroupIdentifier: text(known + "TargetGroupIdentifier")},
		&vpclattice.ListTargetsInput{TargetGroupIdentifier: text(known + "TargetGroupIdentifier")},
		&vpclattice.CreateListenerInput{
			ServiceIdentifier: text(known + "ServiceIdentifier"), Name: text("http"), Protocol: latticetypes.ListenerProtocolHttp,
			DefaultAction: &latticetypes.RuleActionMemberFixedResponse{Value: latticetypes.FixedResponseAction{StatusCode: aws.Int32(404)}},
		},
		&vpclattice.GetListenerInput{ServiceIdentifier: text(known + "ServiceIdentifier"), ListenerIdentifier: text(known + "ListenerIdentifier")},
		&vpclattice.ListListenersInput{ServiceIdentifier: text(known + "ServiceIdentifier")},
		&vpclattice.CreateRuleInput{
			ServiceIdentifier: text(known + "ServiceIdentifier"), ListenerIdentifier: text(known + "ListenerIdentifier"), Name: text("get"),
			Priority: aws.Int32(1), Match: &latticetypes.RuleMatchMemberHttpMatch{Value: latticetypes.HttpMatch{Method: text("GET")}},
			Action: &latticetypes.RuleActionMemberFixedResponse{Value: latticetypes.FixedResponseAction{StatusCode: aws.Int32(404)}},
		},
		&vpclattice.ListRulesInput{ServiceIdentifier: text(known + "ServiceIdentifier"), ListenerIdentifier: text(known + "ListenerIdentifier")},
		&vpclattice.CreateServiceNetworkServiceAssociationInput{
			ServiceIdentifier: text(known + "ServiceIdentifier"), ServiceNetworkIdentifier: text(known + "ServiceNetworkIdentifier"),
		},
		&vpclattice.CreateServiceNetworkVpcAssociationInput{VpcIdentifier: text(w.VPC), ServiceNetworkIdentifier: text(known + "ServiceNetworkIdentifier")},
		&vpclattice.ListServiceNetworkServiceAssociationsInput{ServiceIdentifier: text(known + "ServiceIdentifier")},
		&vpclattice.ListServiceNetworkVpcAssociationsInput{VpcIdentifier: text(w.VPC)},
		&vpclattice.CreateAccessLogSubscriptionInput{
			ResourceIdentifier: text(known + "ServiceNetworkIdentifier"), DestinationArn: text("arn:aws:s3:::bucket"),
		},
		&vpclattice.PutAuthPolicyInput{ResourceIdentifier: text(known + "ServiceNetworkIdentifier"), Policy: text(`{"Statement":[]}`)},
		&vpclattice.GetAuthPolicyInput{ResourceIdentifier: text(known + "ServiceNetworkIdentifier")},
		&vpclattice.PutResourcePolicyInput{ResourceArn: text(known + "ServiceNetworkIdentifier"), Policy: text(`{"Statement":[]}`)},
		&vpclattice.GetResourcePolicyInput{ResourceArn: text(known + "ServiceNetworkIdentifier")},
		&vpclattice.TagResourceInput{ResourceArn: text(known + "ServiceNetworkIdentifier"), Tags: map[string]string{"a": "1"}},
		&vpclattice.ListTagsForResourceInput{ResourceArn: text(known + "ServiceNetworkIdentifier")},
		&vpclattice.UpdateServiceInput{ServiceIdentifier: text(known + "ServiceIdentifier")},
		&vpclattice.ListAccessLogSubscriptionsInput{ResourceIdentifier: text(known + "ServiceNetworkIdentifier")},
		&vpclattice.GetRuleInput{ServiceIdentifier: text(known + "ServiceIdentifier"), ListenerIdentifier: text(known + "ListenerIdentifier"), RuleIdentifier: text(known + "RuleIdentifier")},
		&vpclattice.UpdateListenerInput{ServiceIdentifier: text(known + "ServiceIdentifier"), ListenerIdentifier: text(known + "ListenerIdentifier"), DefaultAction: &latticetypes.RuleActionMemberFixedResponse{
			Value: latticetypes.FixedResponseAction{StatusCode: aws.Int32(500)},
		}},
		&vpclattice.BatchUpdateRuleInput{ServiceIdentifier: text(known + "ServiceIdentifier"), ListenerIdentifier: text(known + "ListenerIdentifier"), Rules: []latticetypes.RuleUpdate{{RuleIdentifier: text("rule-00000000000000000")}}},
		&vpclattice.UpdateServiceNetworkInput{ServiceNetworkIdentifier: text(known + "ServiceNetworkIdentifier"), AuthType: latticetypes.AuthTypeNone},
		&vpclattice.GetServiceNetworkServiceAssociationInput{
			ServiceNetworkServiceAssociationIdentifier: text(known + "ServiceNetworkServiceAssociationIdentifier"),
		},
		&vpclattice.GetServiceNetworkVpcAssociationInput{ServiceNetworkVpcAssociationIdentifier: text(known + "ServiceNetworkVpcAssociationIdentifier")},
		&vpclattice.GetAccessLogSubscriptionInput{AccessLogSubscriptionIdentifier: text(known + "AccessLogSubscriptionIdentifier")},
		&vpclattice.UpdateAccessLogSubscriptionInput{
			AccessLogSubscriptionIdentifier: text(known + "AccessLogSubscriptionIdentifier"), DestinationArn: text("arn:aws:s3:::other"),
		},
		&vpclattice.DeleteAccessLogSubscriptionInput{AccessLogSubscriptionIdentifier: text(known + "AccessLogSubscriptionIdentifier")},
		&vpclattice.DeleteAuthPolicyInput{ResourceIdentifier: text(known + "ServiceNetworkIdentifier")},
		&vpclattice.DeleteResourcePolicyInput{ResourceArn: text(known + "ServiceNetworkIdentifier")},
		&vpclattice.DeleteListenerInput{ServiceIdentifier: text(known + "ServiceIdentifier"), ListenerIdentifier: text(known + "ListenerIdentifier")},
		&elb.DescribeListenersInput{LoadBalancerArn: text(known + "LoadBalancerArn")},
		&elb.DescribeListenerAttributesInput{ListenerArn: text(known + "ListenerArn")},
		&elb.DescribeTargetHealthInput{TargetGroupArn: text(known + "TargetGroupArn")},
		&elb.ModifyTargetGroupInput{TargetGroupArn: text(known + "TargetGroupArn"), HealthCheckPath: text("/b")},
		&elb.DeregisterTargetsInput{TargetGroupArn: text(known + "TargetGroupArn"), Targets: []elbtypes.TargetDescription{{Id: text("10.0.128.9")}}},
		&s3.ListBucketsInput{}, &s3.ListObjectsV2Input{Bucket: text("bucket")}, &route53.ListHostedZonesInput{}, &route53.ListHostedZonesByNameInput{},
		&sts.AssumeRoleInput{RoleArn: text("arn:aws:iam::111111111111:role/gate"), RoleSessionName: text("test")},
	}
}
