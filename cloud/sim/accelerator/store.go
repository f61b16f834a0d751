// Package accelerator simulates Global Accelerator: standard accelerators with listeners, endpoint groups and endpoints, and no traffic. It may
// import the SDK's shapes and the simulator's wire, account, table and listing packages. Its invariant: an accelerator that is gone was
// disabled, deployed so, and empty.
package accelerator

import (
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	gatypes "github.com/aws/aws-sdk-go-v2/service/globalaccelerator/types"

	"github.com/headgate/headgate/cloud/sim/account"
	"github.com/headgate/headgate/cloud/sim/listing"
	"github.com/headgate/headgate/cloud/sim/table"
	"github.com/headgate/headgate/cloud/sim/wire"
)

// Resources knows what can be an endpoint.
type Resources interface {
	// Balancer gives the state of a load balancer, as in "active". It reports false if there is none with this ARN.
	Balancer(arn string) (state string, ok bool)
	// Allocated reports whether an address is allocated.
	Allocated(allocation string) bool
	// Runs reports whether an instance runs.
	Runs(instance string) bool
}

// Network holds the accelerators of the account.
type Network struct {
	// Tags are those of accelerators.
	Tags *listing.Tags

	account      *account.Account
	resources    Resources
	accelerators table.Table[*accelerator]
	// tokens holds what each idempotency token made.
	tokens map[string]string
}

type accelerator struct {
	shape      gatypes.Accelerator
	attributes gatypes.AcceleratorAttributes
	// ready is when the last change is everywhere.
	ready     time.Time
	listeners table.Table[*listener]
}

type listener struct {
	shape  gatypes.Listener
	groups table.Table[*group]
}

type group struct{ shape gatypes.EndpointGroup }

// deploying is how long a change takes until it is everywhere: a minute or two, as users tell.
const deploying = time.Minute

// New makes an account without accelerators.
func New(a *account.Account, r Resources) *Network {
	const code = "InvalidArgumentException"
	return &Network{Tags: listing.NewTags(listing.Codes{Invalid: code, TooMany: code}), account: a, resources: r, tokens: map[string]string{}}
}

// Service gives the Global Accelerator API.
func (n *Network) Service() wire.Service {
	return wire.Service{
		Name: "globalaccelerator", Target: "GlobalAccelerator_V20180706", Protocol: wire.JSON{Invalid: "InvalidArgumentException"},
		Operations: wire.Table(slices.Concat(n.acceleratorOperations(), n.listenerOperations(), n.groupOperations(), n.tagOperations())...),
	}
}

// Dump gives everything that the service holds, in the shapes of the API.
func (n *Network) Dump() any {
	type listening struct {
		gatypes.Listener
		EndpointGroups []gatypes.EndpointGroup
	}
	type one struct {
		gatypes.Accelerator
		Attributes gatypes.AcceleratorAttributes
		Listeners  []listening
		Tags       map[string]string
	}
	var all []one
	for arn, a := range n.accelerators.All() {
		shown := one{Accelerator: *n.show(a), Attributes: a.attributes, Tags: n.Tags.Of(arn)}
		for _, l := range a.listeners.All() {
			with := listening{Listener: l.shape}
			for _, g := range l.groups.All() {
				with.EndpointGroups = append(with.EndpointGroups, *n.showGroup(a, g))
			}
			shown.Listeners = append(shown.Listeners, with)
		}
		all = append(all, shown)
	}
	return all
}

func invalid(format string, args ...any) error {
	return wire.Errorf("InvalidArgumentException", format, args...)
}

func limited(number int, what string) error {
	return wire.Errorf("LimitExceededException", "The request would exceed the limit of %d %s.", number, what)
}

// touch begins to deploy a change.
func (n *Network) touch(a *accelerator) {
	a.shape.LastModifiedTime = aws.Time(n.account.Now())
	a.ready = n.account.Now().Add(n.account.Scale(deploying))
}

func (n *Network) deployed(a *accelerator) bool { return !n.account.Now().Before(a.ready) }

func (n *Network) find(arn *string) (*accelerator, error) {
	if !strings.HasPrefix(aws.ToString(arn), "arn:"+n.account.Partition+":globalaccelerator::") {
		return nil, invalid("The ARN '%s' is not valid.", aws.ToString(arn))
	}
	a, ok := n.accelerators.Get(*arn)
	if !ok {
		return nil, wire.Errorf("AcceleratorNotFoundException", "The accelerator %s does not exist.", *arn)
	}
	return a, nil
}

func (n *Network) findListener(arn *string) (*accelerator, *listener, error) {
	of, _, ok := strings.Cut(aws.ToString(arn), "/listener/")
	if !ok {
		return nil, nil, invalid("The listener ARN '%s' is not valid.", aws.ToString(arn))
	}
	if a, exists := n.accelerators.Get(of); exists {
		if l, has := a.listeners.Get(*arn); has {
			return a, l, nil
		}
	}
	return nil, nil, wire.Errorf("ListenerNotFoundException", "The listener %s does not exist.", *arn)
}

// place is an endpoint group with what it belongs to.
type place struct {
	accelerator *accelerator
	listener    *listener
	group       *group
}

func (n *Network) findGroup(arn *string) (place, error) {
	of, _, ok := strings.Cut(aws.ToString(arn), "/endpoint-group/")
	if !ok {
		return place{}, invalid("The endpoint group ARN '%s' is not valid.", aws.ToString(arn))
	}
	if a, l, err := n.findListener(&of); err == nil {
		if g, has := l.groups.Get(*arn); has {
			return place{a, l, g}, nil
		}
	}
	return place{}, wire.Errorf("EndpointGroupNotFoundException", "The endpoint group %s does not exist.", *arn)
}

// made gives what an idempotency token made before.
func (n *Network) made(kind string, token *string) (string, error) {
	const longest = 255
	if text := aws.ToString(token); text == "" || len(text) > longest {
		return "", invalid("An idempotency token of 1 to %d characters must be given.", longest)
	}
	return n.tokens[kind+*token], nil
}

const (
	mostListed    = 100
	defaultListed = 10
)

// cut gives a page of a list.
func cut[T any](all []T, size *int32, token *string) ([]T, *string, error) {
	number := int32(defaultListed)
	if size != nil {
		number = *size
	}
	if number < 1 || number > mostListed {
		return nil, nil, invalid("MaxResults must be between 1 and %d.", mostListed)
	}
	items, next, ok := listing.Page(all, int(number), aws.ToString(token))
	switch {
	case !ok:
		return nil, nil, wire.Errorf("InvalidNextTokenException", "The next token is not valid.")
	case next == "":
		return items, nil, nil
	default:
		return items, &next, nil
	}
}
