package elb

import (
	"maps"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/headgate/headgate/cloud/sim/wire"
	"github.com/headgate/headgate/model/attribute"
)

func (s *State) attributeOperations() []wire.Operation {
	return []wire.Operation{
		wire.Reads("DescribeLoadBalancerAttributes", s.describeBalancerAttributes),
		wire.Writes("ModifyLoadBalancerAttributes", s.modifyBalancerAttributes),
		wire.Reads("DescribeTargetGroupAttributes", s.describeGroupAttributes),
		wire.Writes("ModifyTargetGroupAttributes", s.modifyGroupAttributes),
		wire.Reads("DescribeListenerAttributes", s.describeListenerAttributes),
		wire.Writes("ModifyListenerAttributes", s.modifyListenerAttributes),
	}
}

// pair is a key and a value of a request.
type pair struct{ key, value *string }

// change gives attributes with those of a request. One bad key or value fails the whole call.
func change(held map[string]string, known []attribute.Attribute, kind string, pairs []pair) (map[string]string, error) {
	if len(pairs) == 0 {
		return nil, invalid("At least one attribute must be specified")
	}
	fresh := maps.Clone(held)
	seen := map[string]bool{}
	for _, p := range pairs {
		key, value := aws.ToString(p.key), aws.ToString(p.value)
		if seen[key] {
			return nil, invalid("%s attribute key '%s' was specified multiple times", kind, key)
		}
		seen[key] = true
		a, ok := attribute.Find(known, key)
		if !ok {
			return nil, invalid("%s attribute key '%s' is not recognized", kind, key)
		}
		if problem := a.Check(value); problem != "" {
			return nil, invalid("'%s' value '%s' %s", key, value, problem)
		}
		fresh[key] = value
	}
	return fresh, nil
}

func showBalancerAttributes(lb *loadBalancer) []elbtypes.LoadBalancerAttribute {
	return view(balancerAttributes(lb), func(a attribute.Attribute) elbtypes.LoadBalancerAttribute {
		return elbtypes.LoadBalancerAttribute{Key: aws.String(a.Key), Value: aws.String(lb.attributes[a.Key])}
	})
}

func (s *State) describeBalancerAttributes(in *sdk.DescribeLoadBalancerAttributesInput) (*sdk.DescribeLoadBalancerAttributesOutput, error) {
	lb, err := s.balancer(in.LoadBalancerArn)
	if err != nil {
		return nil, err
	}
	return &sdk.DescribeLoadBalancerAttributesOutput{Attributes: showBalancerAttributes(lb)}, nil
}

const attributesPerCall = 20

func (s *State) modifyBalancerAttributes(in *sdk.ModifyLoadBalancerAttributesInput) (*sdk.ModifyLoadBalancerAttributesOutput, error) {
	lb, err := s.balancer(in.LoadBalancerArn)
	if err != nil {
		return nil, err
	}
	if len(in.Attributes) > attributesPerCall {
		return nil, invalid("1 validation error detected: Value at 'attributes' failed to satisfy constraint: "+
			"Member must have length less than or equal to %d", attributesPerCall)
	}
	pairs := view(in.Attributes, func(a elbtypes.LoadBalancerAttribute) pair { return pair{a.Key, a.Value} })
	fresh, err := change(lb.attributes, balancerAttributes(lb), "Load balancer", pairs)
	if err != nil {
		return nil, err
	}
	if err := checkBalancerAttributes(lb.attributes, fresh); err != nil {
		return nil, err
	}
	if err := s.checkLogs(lb, fresh); err != nil {
		return nil, err
	}
	lb.attributes = fresh
	return &sdk.ModifyLoadBalancerAttributesOutput{Attributes: showBalancerAttributes(lb)}, nil
}

func showGroupAttributes(g *targetGroup) []elbtypes.TargetGroupAttribute {
	return view(groupAttributes(g), func(a attribute.Attribute) elbtypes.TargetGroupAttribute {
		return elbtypes.TargetGroupAttribute{Key: aws.String(a.Key), Value: aws.String(g.attributes[a.Key])}
	})
}

func (s *State) describeGroupAttributes(in *sdk.DescribeTargetGroupAttributesInput) (*sdk.DescribeTargetGroupAttributesOutput, error) {
	g, err := s.group(in.TargetGroupArn)
	if err != nil {
		return nil, err
	}
	return &sdk.DescribeTargetGroupAttributesOutput{Attributes: showGroupAttributes(g)}, nil
}

func (s *State) modifyGroupAttributes(in *sdk.ModifyTargetGroupAttributesInput) (*sdk.ModifyTargetGroupAttributesOutput, error) {
	g, err := s.group(in.TargetGroupArn)
	if err != nil {
		return nil, err
	}
	if g.TargetType == elbtypes.TargetTypeEnumAlb {
		return nil, unfit("The attributes of target groups with target type 'alb' cannot be modified")
	}
	pairs := view(in.Attributes, func(a elbtypes.TargetGroupAttribute) pair { return pair{a.Key, a.Value} })
	fresh, err := change(g.attributes, groupAttributes(g), "Target group", pairs)
	if err != nil {
		return nil, err
	}
	s.dropDrained(g)
	if err := checkGroupAttributes(g, fresh); err != nil {
		return nil, err
	}
	if err := s.checkStickyForwards(g, fresh); err != nil {
		return nil, err
	}
	g.attributes = fresh
	return &sdk.ModifyTargetGroupAttributesOutput{Attributes: showGroupAttributes(g)}, nil
}

func showListenerAttributes(l *listener) []elbtypes.ListenerAttribute {
	return view(listenerAttributes(l), func(a attribute.Attribute) elbtypes.ListenerAttribute {
		return elbtypes.ListenerAttribute{Key: aws.String(a.Key), Value: aws.String(l.attributes[a.Key])}
	})
}

func (s *State) describeListenerAttributes(in *sdk.DescribeListenerAttributesInput) (*sdk.DescribeListenerAttributesOutput, error) {
	l, err := s.listener(in.ListenerArn)
	if err != nil {
		return nil, err
	}
	return &sdk.DescribeListenerAttributesOutput{Attributes: showListenerAttributes(l)}, nil
}

func (s *State) modifyListenerAttributes(in *sdk.ModifyListenerAttributesInput) (*sdk.ModifyListenerAttributesOutput, error) {
	l, err := s.listener(in.ListenerArn)
	if err != nil {
		return nil, err
	}
	pairs := view(in.Attributes, func(a elbtypes.ListenerAttribute) pair { return pair{a.Key, a.Value} })
	fresh, err := change(l.attributes, listenerAttributes(l), "Listener", pairs)
	if err != nil {
		return nil, err
	}
	if err := checkRenames(fresh); err != nil {
		return nil, err
	}
	l.attributes = fresh
	return &sdk.ModifyListenerAttributesOutput{Attributes: showListenerAttributes(l)}, nil
}
