package accelerator

import (
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/globalaccelerator"
	gatypes "github.com/aws/aws-sdk-go-v2/service/globalaccelerator/types"
)

// Weights and the default quota (Global Accelerator API reference; developer guide, "Quotas").
const (
	maxEndpoints  = 10
	defaultWeight = 128
	maxWeight     = 255
)

// exists reports whether there is something that can get traffic: an active load balancer, an address, an instance that runs.
func (n *Network) exists(id string) bool {
	switch {
	case strings.HasPrefix(id, "arn:"):
		state, ok := n.resources.Balancer(id)
		return ok && state == "active" && (strings.Contains(id, ":loadbalancer/app/") || strings.Contains(id, ":loadbalancer/net/"))
	case strings.HasPrefix(id, "eipalloc-"):
		return n.resources.Allocated(id)
	case strings.HasPrefix(id, "i-"):
		return n.resources.Runs(id)
	default:
		return false
	}
}

// preserves gives whether the client's address is kept: application load balancers and instances do, addresses cannot.
func preserves(id string, asked *bool) (bool, error) {
	switch {
	case strings.HasPrefix(id, "eipalloc-"):
		if aws.ToBool(asked) {
			return false, invalid("Client IP address preservation is not supported for the address %s.", id)
		}
		return false, nil
	case strings.HasPrefix(id, "i-"):
		if asked != nil && !*asked {
			return false, invalid("Client IP address preservation cannot be switched off for the instance %s.", id)
		}
		return true, nil
	case asked != nil:
		return *asked, nil
	default:
		return strings.Contains(id, ":loadbalancer/app/"), nil
	}
}

// endpoints adds endpoints to those that a group has. An endpoint may be there twice, with and without the client's address.
func (n *Network) endpoints(
	g *gatypes.EndpointGroup, held []gatypes.EndpointDescription, fresh []gatypes.EndpointConfiguration,
) ([]gatypes.EndpointDescription, error) {
	all := append([]gatypes.EndpointDescription{}, held...)
	for _, c := range fresh {
		id, weight := aws.ToString(c.EndpointId), int32(defaultWeight)
		if *g.EndpointGroupRegion != n.account.Region || !n.exists(id) {
			return nil, invalid("The endpoint '%s' does not exist in Region %s, or is not active.", id, *g.EndpointGroupRegion)
		}
		if c.Weight != nil {
			weight = *c.Weight
		}
		if weight < 0 || weight > maxWeight {
			return nil, invalid("The weight %d must be between 0 and %d.", weight, maxWeight)
		}
		keeps, err := preserves(id, c.ClientIPPreservationEnabled)
		if err != nil {
			return nil, err
		}
		e := gatypes.EndpointDescription{EndpointId: aws.String(id), Weight: aws.Int32(weight), ClientIPPreservationEnabled: aws.Bool(keeps)}
		if slices.ContainsFunc(all, func(o gatypes.EndpointDescription) bool {
			return *o.EndpointId == id && *o.ClientIPPreservationEnabled == keeps
		}) {
			return nil, invalid("The endpoint '%s' is there already.", id)
		}
		all = append(all, e)
	}
	if len(all) > maxEndpoints {
		return nil, limited(maxEndpoints, "endpoints of an endpoint group")
	}
	return all, nil
}

func (n *Network) addEndpoints(in *sdk.AddEndpointsInput) (*sdk.AddEndpointsOutput, error) {
	p, err := n.findGroup(in.EndpointGroupArn)
	if err != nil {
		return nil, err
	}
	if len(in.EndpointConfigurations) == 0 {
		return nil, invalid("There must be endpoints to add.")
	}
	before := len(p.group.shape.EndpointDescriptions)
	all, err := n.endpoints(&p.group.shape, p.group.shape.EndpointDescriptions, in.EndpointConfigurations)
	if err != nil {
		return nil, err
	}
	p.group.shape.EndpointDescriptions = all
	n.touch(p.accelerator)
	added := n.showGroup(p.accelerator, p.group).EndpointDescriptions[before:]
	return &sdk.AddEndpointsOutput{EndpointGroupArn: in.EndpointGroupArn, EndpointDescriptions: added}, nil
}

// removeEndpoints takes endpoints away, all or none.
func (n *Network) removeEndpoints(in *sdk.RemoveEndpointsInput) (*sdk.RemoveEndpointsOutput, error) {
	p, err := n.findGroup(in.EndpointGroupArn)
	if err != nil {
		return nil, err
	}
	if len(in.EndpointIdentifiers) == 0 {
		return nil, invalid("There must be endpoints to remove.")
	}
	left := slices.Clone(p.group.shape.EndpointDescriptions)
	for _, i := range in.EndpointIdentifiers {
		before := len(left)
		left = slices.DeleteFunc(left, func(e gatypes.EndpointDescription) bool {
			return *e.EndpointId == aws.ToString(i.EndpointId) &&
				(i.ClientIPPreservationEnabled == nil || *i.ClientIPPreservationEnabled == *e.ClientIPPreservationEnabled)
		})
		if len(left) == before {
			return nil, invalid("The endpoint '%s' is not in the endpoint group.", aws.ToString(i.EndpointId))
		}
	}
	p.group.shape.EndpointDescriptions = left
	n.touch(p.accelerator)
	return &sdk.RemoveEndpointsOutput{}, nil
}
