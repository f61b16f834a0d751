package incumbent

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"k8s.io/apimachinery/pkg/api/equality"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	elbv2v1beta1 "github.com/headgate/headgate/apis/elbv2/v1beta1"
)

func (a *Account) securityGroupOf(ctx context.Context, id string) (*ec2types.SecurityGroup, error) {
	out, err := a.ec2.DescribeSecurityGroups(ctx, &ec2.DescribeSecurityGroupsInput{GroupIds: []string{id}})
	if err != nil {
		return nil, failed(err, "reading security group %s", id)
	}
	return &out.SecurityGroups[0], nil
}

// groups finds the target groups by their tags, whatever they are called.
func (l *look) groups(ctx context.Context) error {
	var all []elbtypes.TargetGroup
	pages := elbv2.NewDescribeTargetGroupsPaginator(l.elb, &elbv2.DescribeTargetGroupsInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return failed(err, "reading target groups")
		}
		all = append(all, page.TargetGroups...)
	}
	var arns []string
	for _, g := range all {
		arns = append(arns, *g.TargetGroupArn)
	}
	if err := l.tagsOf(ctx, arns); err != nil {
		return err
	}
	for i := range l.stack.Groups {
		l.stack.Groups[i].arn = ""
	}
	for _, have := range all {
		id, ok := l.ours(*have.TargetGroupArn)
		if !ok || l.ofFrontend(id) {
			continue
		}
		want := l.stack.group(id)
		if want == nil || want.arn != "" {
			l.would("DeleteTargetGroup %s", *have.TargetGroupName)
			continue
		}
		want.arn = *have.TargetGroupArn
		if err := l.group(ctx, want, &have); err != nil {
			return err
		}
	}
	for _, g := range l.stack.Groups {
		if g.arn == "" {
			l.would("CreateTargetGroup %s", g.ID)
		}
	}
	return nil
}

func (s *Stack) group(id string) *TargetGroup {
	for i := range s.Groups {
		if s.Groups[i].ID == id {
			return &s.Groups[i]
		}
	}
	return nil
}

func (l *look) ofFrontend(id string) bool {
	for _, port := range l.stack.Frontend {
		if id == frontendResource("tg", port) {
			return true
		}
	}
	return false
}

func (l *look) group(ctx context.Context, want *TargetGroup, have *elbtypes.TargetGroup) error {
	if have.TargetType != want.TargetType || have.Protocol != want.Protocol || aws.ToString(have.ProtocolVersion) != want.Version {
		l.would("replace target group %s", want.ID)
	}
	health := Health{
		Port: aws.ToString(have.HealthCheckPort), Path: aws.ToString(have.HealthCheckPath), Protocol: have.HealthCheckProtocol,
		Interval: aws.ToInt32(have.HealthCheckIntervalSeconds), Timeout: aws.ToInt32(have.HealthCheckTimeoutSeconds),
		Healthy: aws.ToInt32(have.HealthyThresholdCount), Unhealthy: aws.ToInt32(have.UnhealthyThresholdCount),
	}
	if have.Matcher != nil {
		health.Matcher = aws.ToString(have.Matcher.HttpCode)
	}
	if health != want.Health {
		l.would("ModifyTargetGroup %s: %+v, not %+v", want.ID, health, want.Health)
	}
	l.retag(want.ID, l.tagged[*have.TargetGroupArn], l.tags(l.stack, want.ID, want.Tags))
	if len(want.Attributes) == 0 {
		return nil
	}
	out, err := l.elb.DescribeTargetGroupAttributes(ctx, &elbv2.DescribeTargetGroupAttributesInput{TargetGroupArn: have.TargetGroupArn})
	if err != nil {
		return failed(err, "reading attributes")
	}
	for _, one := range out.Attributes {
		if v, ok := want.Attributes[*one.Key]; ok && v != aws.ToString(one.Value) {
			l.would("ModifyTargetGroupAttributes %s: %s=%s", want.ID, *one.Key, v)
		}
	}
	return nil
}

// bindings finds those of the stack by their labels, and tells them by the ARNs of their target groups.
func (l *look) bindings(ctx context.Context) error {
	var list elbv2v1beta1.TargetGroupBindingList
	if err := l.cluster.List(ctx, &list, client.MatchingLabels(l.stack.labels())); err != nil {
		return failed(err, "listing bindings")
	}
	backend, err := l.securityGroup(ctx, map[string]string{"elbv2.k8s.aws/cluster": l.Cluster, "elbv2.k8s.aws/resource": "backend-sg"})
	if err != nil {
		return err
	}
	bound := map[string]bool{}
	for i := range list.Items {
		b := &list.Items[i]
		var want *TargetGroup
		for j := range l.stack.Groups {
			if g := &l.stack.Groups[j]; g.arn == b.Spec.TargetGroupARN {
				want = g
			}
		}
		if want == nil || bound[want.ID] {
			l.would("delete binding %s", b.Name)
			continue
		}
		bound[want.ID] = true
		if spec := l.bindingSpec(l.stack, want, aws.ToString(idOf(backend))); !equality.Semantic.DeepEqual(spec, b.Spec) {
			l.would("patch binding of %s: %s, not %s", want.ID, words(b.Spec), words(spec))
		}
		if !controllerutil.ContainsFinalizer(b, BindingFinalizer) {
			l.would("patch binding of %s: finalizer", want.ID)
		}
	}
	for _, g := range l.stack.Groups {
		if !bound[g.ID] {
			l.would("create the binding of %s", g.ID)
		}
	}
	return nil
}
