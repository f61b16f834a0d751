package accelerator

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/globalaccelerator"
	gatypes "github.com/aws/aws-sdk-go-v2/service/globalaccelerator/types"

	"github.com/headgate/headgate/cloud/sim/wire"
)

func (n *Network) listenerOperations() []wire.Operation {
	return []wire.Operation{
		wire.Writes("CreateListener", n.createListener), wire.Reads("DescribeListener", n.describeListener),
		wire.Writes("UpdateListener", n.updateListener), wire.Reads("ListListeners", n.listListeners), wire.Writes("DeleteListener", n.deleteListener),
	}
}

// Default quotas (developer guide, "Quotas").
const (
	maxListeners = 10
	maxRanges    = 10
	maxPort      = 65535
)

func (n *Network) createListener(in *sdk.CreateListenerInput) (*sdk.CreateListenerOutput, error) {
	a, err := n.find(in.AcceleratorArn)
	if err != nil {
		return nil, err
	}
	before, err := n.made("listener ", in.IdempotencyToken)
	if err != nil {
		return nil, err
	}
	if l, ok := a.listeners.Get(before); ok {
		return &sdk.CreateListenerOutput{Listener: &l.shape}, nil
	}
	l := &listener{shape: gatypes.Listener{
		ListenerArn: aws.String(*a.shape.AcceleratorArn + "/listener/" + n.account.Hex(8)), Protocol: in.Protocol, PortRanges: in.PortRanges,
		ClientAffinity: in.ClientAffinity,
	}}
	if l.shape.ClientAffinity == "" {
		l.shape.ClientAffinity = gatypes.ClientAffinityNone
	}
	if err := checkPorts(a, &l.shape); err != nil {
		return nil, err
	}
	if a.listeners.Len() >= maxListeners {
		return nil, limited(maxListeners, "listeners of an accelerator")
	}
	a.listeners.Put(*l.shape.ListenerArn, l)
	n.tokens["listener "+*in.IdempotencyToken] = *l.shape.ListenerArn
	n.touch(a)
	return &sdk.CreateListenerOutput{Listener: &l.shape}, nil
}

// checkPorts demands ranges of ports that no other listener of the protocol has.
func checkPorts(a *accelerator, l *gatypes.Listener) error {
	if l.Protocol == "" {
		return invalid("A listener must have a protocol.")
	}
	if len(l.PortRanges) == 0 {
		return invalid("A listener must have a port range.")
	}
	if len(l.PortRanges) > maxRanges {
		return limited(maxRanges, "port ranges of a listener")
	}
	for i, r := range l.PortRanges {
		if from, to := aws.ToInt32(r.FromPort), aws.ToInt32(r.ToPort); from < 1 || to > maxPort || from > to {
			return wire.Errorf("InvalidPortRangeException", "The port range %d to %d is not valid.", from, to)
		}
		if overlap(r, l.PortRanges[:i]) {
			return wire.Errorf("InvalidPortRangeException", "The port ranges of the listener overlap.")
		}
	}
	for arn, other := range a.listeners.All() {
		if arn == *l.ListenerArn || other.shape.Protocol != l.Protocol {
			continue
		}
		for _, r := range l.PortRanges {
			if overlap(r, other.shape.PortRanges) {
				return wire.Errorf("InvalidPortRangeException", "The port range %d to %d is taken by listener %s.", *r.FromPort, *r.ToPort, arn)
			}
		}
	}
	return nil
}

func overlap(r gatypes.PortRange, others []gatypes.PortRange) bool {
	for _, o := range others {
		if *r.FromPort <= *o.ToPort && *o.FromPort <= *r.ToPort {
			return true
		}
	}
	return false
}

func (n *Network) describeListener(in *sdk.DescribeListenerInput) (*sdk.DescribeListenerOutput, error) {
	_, l, err := n.findListener(in.ListenerArn)
	if err != nil {
		return nil, err
	}
	return &sdk.DescribeListenerOutput{Listener: &l.shape}, nil
}

func (n *Network) updateListener(in *sdk.UpdateListenerInput) (*sdk.UpdateListenerOutput, error) {
	a, l, err := n.findListener(in.ListenerArn)
	if err != nil {
		return nil, err
	}
	changed := l.shape
	if in.PortRanges != nil {
		changed.PortRanges = in.PortRanges
	}
	if in.Protocol != "" {
		changed.Protocol = in.Protocol
	}
	if in.ClientAffinity != "" {
		changed.ClientAffinity = in.ClientAffinity
	}
	if err := checkPorts(a, &changed); err != nil {
		return nil, err
	}
	l.shape = changed
	n.touch(a)
	return &sdk.UpdateListenerOutput{Listener: &l.shape}, nil
}

func (n *Network) listListeners(in *sdk.ListListenersInput) (*sdk.ListListenersOutput, error) {
	a, err := n.find(in.AcceleratorArn)
	if err != nil {
		return nil, err
	}
	page, next, err := cut(a.listeners.Values(), in.MaxResults, in.NextToken)
	out := &sdk.ListListenersOutput{NextToken: next, Listeners: []gatypes.Listener{}}
	for _, l := range page {
		out.Listeners = append(out.Listeners, l.shape)
	}
	return out, err
}

func (n *Network) deleteListener(in *sdk.DeleteListenerInput) (*sdk.DeleteListenerOutput, error) {
	a, l, err := n.findListener(in.ListenerArn)
	if err != nil {
		return nil, err
	}
	if l.groups.Len() > 0 {
		return nil, wire.Errorf("AssociatedEndpointGroupFoundException",
			"Cannot delete listener %s because an associated endpoint group was found.", *l.shape.ListenerArn)
	}
	a.listeners.Delete(*l.shape.ListenerArn)
	n.touch(a)
	return &sdk.DeleteListenerOutput{}, nil
}
