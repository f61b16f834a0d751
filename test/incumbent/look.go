package incumbent

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// look gathers the calls that the incumbent would make on what it finds of a stack.
type look struct {
	*Account

	stack  *Stack
	calls  []string
	tagged map[string]map[string]string
}

// Look says which calls the incumbent would make on what it finds of a stack, in words: nothing, where all is as it would have it.
func (a *Account) Look(ctx context.Context, s *Stack) ([]string, error) {
	l := &look{Account: a, stack: s, tagged: map[string]map[string]string{}}
	for _, step := range []func(context.Context) error{l.security, l.groups, l.balancers, l.bindings} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	slices.Sort(l.calls)
	return l.calls, nil
}

func (l *look) would(format string, args ...any) {
	l.calls = append(l.calls, fmt.Sprintf(format, args...))
}

// tagsOf reads tags, as many at a time as AWS gives.
func (l *look) tagsOf(ctx context.Context, arns []string) error {
	const most = 20
	for some := range slices.Chunk(arns, most) {
		out, err := l.elb.DescribeTags(ctx, &elbv2.DescribeTagsInput{ResourceArns: some})
		if err != nil {
			return failed(err, "reading tags")
		}
		for _, d := range out.TagDescriptions {
			tags := map[string]string{}
			for _, t := range d.Tags {
				tags[*t.Key] = aws.ToString(t.Value)
			}
			l.tagged[*d.ResourceArn] = tags
		}
	}
	return nil
}

// ours tells whether a resource carries the stack's tags, and which resource of it that is.
func (l *look) ours(arn string) (resource string, ok bool) {
	tags := l.tagged[arn]
	return tags[l.stack.Prefix+"/resource"], tags["elbv2.k8s.aws/cluster"] == l.Cluster && tags[l.stack.Prefix+"/stack"] == l.stack.id()
}

// retag compares tags: what is missing or different is added, what is more is removed.
func (l *look) retag(what string, have, want map[string]string) {
	for _, k := range slices.Sorted(maps.Keys(want)) {
		if v, ok := have[k]; !ok || v != want[k] {
			l.would("AddTags %s: %s=%s", what, k, want[k])
		}
	}
	for _, k := range slices.Sorted(maps.Keys(have)) {
		if _, ok := want[k]; !ok {
			l.would("RemoveTags %s: %s", what, k)
		}
	}
}

func (l *look) security(ctx context.Context) error {
	backend, err := l.securityGroup(ctx, map[string]string{"elbv2.k8s.aws/cluster": l.Cluster, "elbv2.k8s.aws/resource": "backend-sg"})
	if err != nil || len(l.stack.Custom) > 0 {
		return err
	}
	if backend == nil {
		l.would("CreateSecurityGroup %s", l.backendName())
	}
	want := l.tags(l.stack, managedID, l.stack.Tags)
	found, err := l.securityGroup(ctx, map[string]string{
		"elbv2.k8s.aws/cluster": l.Cluster, l.stack.Prefix + "/stack": l.stack.id(), l.stack.Prefix + "/resource": managedID,
	})
	if err != nil {
		return err
	}
	if found == nil {
		l.would("CreateSecurityGroup %s", l.securityGroupName(l.stack))
		return nil
	}
	have := map[string]string{}
	for _, t := range found.Tags {
		have[*t.Key] = aws.ToString(t.Value)
	}
	l.retag(managedID, have, want)
	l.permit(managedID, spoken(found.IpPermissions, ""), spoken(l.stack.admitted(), ""))
	return nil
}

// permit compares the permissions of a security group.
func (l *look) permit(what string, have, want []string) {
	for _, p := range want {
		if !slices.Contains(have, p) {
			l.would("AuthorizeSecurityGroupIngress %s: %s", what, p)
		}
	}
	for _, p := range have {
		if !slices.Contains(want, p) {
			l.would("RevokeSecurityGroupIngress %s: %s", what, p)
		}
	}
}

// spoken are permissions in words, those with a description only, where one is given.
func spoken(all []ec2types.IpPermission, mark string) []string {
	var out []string
	for _, p := range all {
		ports := fmt.Sprintf("%s %d-%d ", *p.IpProtocol, aws.ToInt32(p.FromPort), aws.ToInt32(p.ToPort))
		for _, r := range p.IpRanges {
			if mark == "" || aws.ToString(r.Description) == mark {
				out = append(out, ports+*r.CidrIp+" "+aws.ToString(r.Description))
			}
		}
		for _, g := range p.UserIdGroupPairs {
			if mark == "" || aws.ToString(g.Description) == mark {
				out = append(out, ports+*g.GroupId+" "+aws.ToString(g.Description))
			}
		}
		for _, r := range p.Ipv6Ranges {
			out = append(out, ports+*r.CidrIpv6)
		}
	}
	slices.Sort(out)
	return out
}

// Admitted are the rules on the nodes' group with the incumbent's mark, in words.
func (a *Account) Admitted(ctx context.Context) ([]string, error) {
	found, err := a.securityGroupOf(ctx, a.Nodes)
	if err != nil {
		return nil, err
	}
	return spoken(found.IpPermissions, Mark), nil
}

func (l *look) balancers(ctx context.Context) error {
	out, err := l.elb.DescribeLoadBalancers(ctx, &elbv2.DescribeLoadBalancersInput{})
	if err != nil {
		return failed(err, "reading load balancers")
	}
	var arns []string
	for _, lb := range out.LoadBalancers {
		arns = append(arns, *lb.LoadBalancerArn)
	}
	if err := l.tagsOf(ctx, arns); err != nil {
		return err
	}
	seen := map[string]bool{}
	for _, lb := range out.LoadBalancers {
		id, ok := l.ours(*lb.LoadBalancerArn)
		if !ok {
			continue
		}
		if seen[id] || id != balancerID && (id != frontendID || len(l.stack.Frontend) == 0) {
			l.would("DeleteLoadBalancer %s", *lb.LoadBalancerName)
			continue
		}
		seen[id] = true
		if err := l.balancer(ctx, id, &lb); err != nil {
			return err
		}
	}
	if !seen[balancerID] {
		l.would("CreateLoadBalancer")
	}
	if len(l.stack.Frontend) > 0 && !seen[frontendID] {
		l.would("CreateLoadBalancer of the frontend")
	}
	return nil
}

func (l *look) balancer(ctx context.Context, id string, lb *elbtypes.LoadBalancer) error {
	want := l.stack.Balancer
	kind := elbtypes.LoadBalancerTypeEnumApplication
	if id == frontendID {
		kind, want.Scheme, want.Attributes = elbtypes.LoadBalancerTypeEnumNetwork, elbtypes.LoadBalancerSchemeEnumInternal, nil
	}
	if lb.Type != kind || lb.Scheme != want.Scheme {
		l.would("replace %s: it is %s, %s", id, lb.Type, lb.Scheme)
	}
	if lb.IpAddressType != elbtypes.IpAddressTypeIpv4 {
		l.would("SetIpAddressType %s", id)
	}
	var subnets []string
	for _, z := range lb.AvailabilityZones {
		subnets = append(subnets, *z.SubnetId)
	}
	if sorted(subnets) != sorted(want.Subnets) {
		l.would("SetSubnets %s", id)
	}
	security, err := l.securityIDs(ctx)
	if err != nil {
		return err
	}
	if sorted(lb.SecurityGroups) != sorted(security) {
		l.would("SetSecurityGroups %s", id)
	}
	l.retag(id, l.tagged[*lb.LoadBalancerArn], l.tags(l.stack, id, l.stack.Tags))
	if err := l.attributes(ctx, *lb.LoadBalancerArn, want.Attributes); err != nil {
		return err
	}
	if id == frontendID {
		return l.frontend(ctx, *lb.LoadBalancerArn)
	}
	return l.listeners(ctx, *lb.LoadBalancerArn)
}

func sorted(all []string) string {
	return strings.Join(slices.SortedFunc(slices.Values(all), cmp.Compare), ",")
}

// securityIDs are those that the load balancer shall have.
func (l *look) securityIDs(ctx context.Context) ([]string, error) {
	if len(l.stack.Custom) > 0 {
		return l.stack.Custom, nil
	}
	managed, err := l.securityGroup(ctx, map[string]string{
		"elbv2.k8s.aws/cluster": l.Cluster, l.stack.Prefix + "/stack": l.stack.id(), l.stack.Prefix + "/resource": managedID,
	})
	if err != nil {
		return nil, err
	}
	backend, err := l.securityGroup(ctx, map[string]string{"elbv2.k8s.aws/cluster": l.Cluster, "elbv2.k8s.aws/resource": "backend-sg"})
	return []string{aws.ToString(idOf(managed)), aws.ToString(idOf(backend))}, err
}

// attributes compares those that are annotated, and no others.
func (l *look) attributes(ctx context.Context, arn string, want map[string]string) error {
	if len(want) == 0 {
		return nil
	}
	out, err := l.elb.DescribeLoadBalancerAttributes(ctx, &elbv2.DescribeLoadBalancerAttributesInput{LoadBalancerArn: &arn})
	if err != nil {
		return failed(err, "reading attributes")
	}
	for _, one := range out.Attributes {
		if v, ok := want[*one.Key]; ok && v != aws.ToString(one.Value) {
			l.would("ModifyLoadBalancerAttributes %s=%s", *one.Key, v)
		}
	}
	return nil
}
