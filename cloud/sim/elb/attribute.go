package elb

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/headgate/headgate/cloud/sim/wire"
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

// attribute is one key that a resource has.
type attribute struct {
	key, standard string
	// check refuses values that AWS refuses.
	check func(key, value string) error
}

// defaults gives the standard values of attributes.
func defaults(all []attribute) map[string]string {
	values := make(map[string]string, len(all))
	for _, a := range all {
		values[a.key] = a.standard
	}
	return values
}

func boolean(key, value string) error {
	if value != "true" && value != "false" {
		return invalid("'%s' value '%s' must be one of 'true, false'", key, value)
	}
	return nil
}

// within allows whole numbers of a range.
func within(least, most int) func(key, value string) error {
	return func(key, value string) error {
		if n, ok := number(value); !ok || n < least || n > most {
			return invalid("'%s' value '%s' must be between '%d-%d' inclusive", key, value, least, most)
		}
		return nil
	}
}

// number reads a whole number that is written plainly: no plus sign, no zeros in front.
func number(text string) (int, bool) {
	n, err := strconv.Atoi(text)
	return n, err == nil && strconv.Itoa(n) == text
}

// oneOf allows a list of words.
func oneOf(words ...string) func(key, value string) error {
	return func(key, value string) error {
		if slices.Contains(words, value) {
			return nil
		}
		return invalid("'%s' value '%s' must be one of '%s'", key, value, strings.Join(words, ", "))
	}
}

// either allows a word or a whole number of a range.
func either(word string, least, most int) func(key, value string) error {
	return func(key, value string) error {
		if value == word {
			return nil
		}
		return within(least, most)(key, value)
	}
}

const maxAttribute = 1024

func anyText(key, value string) error {
	if len(value) > maxAttribute {
		return invalid("'%s' value cannot be longer than '%d' characters", key, maxAttribute)
	}
	return nil
}

// headerValue allows what can be the value of a header.
func headerValue(key, value string) error {
	if !printable(value) {
		return invalid("'%s' value '%s' contains invalid characters", key, value)
	}
	return anyText(key, value)
}

// pair is a key and a value of a request.
type pair struct{ key, value *string }

// change gives attributes with those of a request. One bad key or value fails the whole call.
func change(held map[string]string, known []attribute, kind string, pairs []pair) (map[string]string, error) {
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
		a, ok := find(known, key)
		if !ok {
			return nil, invalid("%s attribute key '%s' is not recognized", kind, key)
		}
		if err := a.check(key, value); err != nil {
			return nil, err
		}
		fresh[key] = value
	}
	return fresh, nil
}

func find(known []attribute, key string) (attribute, bool) {
	for _, a := range known {
		if a.key == key {
			return a, true
		}
	}
	return attribute{}, false
}

func showBalancerAttributes(lb *loadBalancer) []elbtypes.LoadBalancerAttribute {
	return view(balancerAttributes(lb), func(a attribute) elbtypes.LoadBalancerAttribute {
		return elbtypes.LoadBalancerAttribute{Key: aws.String(a.key), Value: aws.String(lb.attributes[a.key])}
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
	return view(groupAttributes(g), func(a attribute) elbtypes.TargetGroupAttribute {
		return elbtypes.TargetGroupAttribute{Key: aws.String(a.key), Value: aws.String(g.attributes[a.key])}
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
	return view(listenerAttributes(l), func(a attribute) elbtypes.ListenerAttribute {
		return elbtypes.ListenerAttribute{Key: aws.String(a.key), Value: aws.String(l.attributes[a.key])}
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
