package elb

import (
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/headgate/headgate/cloud/sim/wire"
)

func (s *State) capacityOperations() []wire.Operation {
	return []wire.Operation{
		wire.Reads("DescribeCapacityReservation", s.describeCapacityReservation),
		wire.Writes("ModifyCapacityReservation", s.modifyCapacityReservation),
	}
}

// capacity is what a load balancer has reserved. The zero value is a load balancer that never reserved anything.
type capacity struct {
	// units are load balancer capacity units, over all zones together.
	units int32
	// modified is when it was changed, ready when the change is provisioned.
	modified, ready time.Time
	// decreases are the times of the decreases.
	decreases []time.Time
}

// What AWS allows of reservations (ELB user guides, "Capacity reservations"). The smallest ones are believed.
const (
	capacityProvisioning   = 2 * time.Minute
	capacityDay            = 24 * time.Hour
	decreasesPerDay        = 2
	unitsPerApplication    = 15000
	unitsPerNetworkZone    = 45000
	leastUnits             = 100
	leastUnitsPerZone      = 2750
	capacityNotForGateways = "Capacity reservations are not supported for load balancers of type 'gateway'"
)

func (s *State) describeCapacityReservation(in *sdk.DescribeCapacityReservationInput) (*sdk.DescribeCapacityReservationOutput, error) {
	lb, err := s.balancer(in.LoadBalancerArn)
	if err != nil {
		return nil, err
	}
	return s.showCapacity(lb), nil
}

func (s *State) capacityPending(lb *loadBalancer) bool { return s.now().Before(lb.capacity.ready) }

// showCapacity gives a reservation as it is now, spread evenly over the zones. One that was given back shows only until that is done.
func (s *State) showCapacity(lb *loadBalancer) *sdk.DescribeCapacityReservationOutput {
	out := &sdk.DescribeCapacityReservationOutput{
		CapacityReservationState:  []elbtypes.ZonalCapacityReservationState{},
		DecreaseRequestsRemaining: aws.Int32(decreasesPerDay - s.recentDecreases(lb)),
	}
	c := lb.capacity
	if c.modified.IsZero() {
		return out
	}
	out.LastModifiedTime = aws.Time(c.modified)
	pending := s.capacityPending(lb)
	if c.units == 0 && !pending {
		return out
	}
	out.MinimumLoadBalancerCapacity = &elbtypes.MinimumLoadBalancerCapacity{CapacityUnits: aws.Int32(c.units)}
	for _, z := range lb.AvailabilityZones {
		state := elbtypes.ZonalCapacityReservationState{
			AvailabilityZone: z.ZoneName, State: &elbtypes.CapacityReservationStatus{Code: elbtypes.CapacityReservationStateEnumPending},
		}
		if !pending {
			state.EffectiveCapacityUnits = aws.Float64(float64(c.units) / float64(len(lb.AvailabilityZones)))
			state.State.Code = elbtypes.CapacityReservationStateEnumProvisioned
		}
		out.CapacityReservationState = append(out.CapacityReservationState, state)
	}
	return out
}

func (s *State) recentDecreases(lb *loadBalancer) int32 {
	count, since := int32(0), s.now().Add(-s.account.Scale(capacityDay))
	for _, t := range lb.capacity.decreases {
		if t.After(since) {
			count++
		}
	}
	return count
}

func (s *State) modifyCapacityReservation(in *sdk.ModifyCapacityReservationInput) (*sdk.ModifyCapacityReservationOutput, error) {
	lb, err := s.balancer(in.LoadBalancerArn)
	if err != nil {
		return nil, err
	}
	wanted, err := wantedUnits(in)
	if err != nil {
		return nil, err
	}
	if err := s.checkCapacity(lb, wanted); err != nil {
		return nil, err
	}
	if c := lb.capacity; wanted != c.units {
		if wanted < c.units {
			lb.capacity.decreases = append(lb.capacity.decreases, s.now())
		}
		lb.capacity.units, lb.capacity.modified = wanted, s.now()
		lb.capacity.ready = s.now().Add(s.account.Scale(s.options.Capacity))
	}
	shown := s.showCapacity(lb)
	return &sdk.ModifyCapacityReservationOutput{
		CapacityReservationState: shown.CapacityReservationState, DecreaseRequestsRemaining: shown.DecreaseRequestsRemaining,
		LastModifiedTime: shown.LastModifiedTime, MinimumLoadBalancerCapacity: shown.MinimumLoadBalancerCapacity,
	}, nil
}

// wantedUnits reads how much a call wants to reserve; 0 gives everything back.
func wantedUnits(in *sdk.ModifyCapacityReservationInput) (int32, error) {
	reset, wanted := aws.ToBool(in.ResetCapacityReservation), in.MinimumLoadBalancerCapacity
	switch {
	case reset && wanted != nil:
		return 0, invalid("MinimumLoadBalancerCapacity cannot be specified together with ResetCapacityReservation")
	case reset:
		return 0, nil
	case wanted == nil || wanted.CapacityUnits == nil:
		return 0, invalid("Either MinimumLoadBalancerCapacity or ResetCapacityReservation must be specified")
	case *wanted.CapacityUnits < 1:
		return 0, invalid("The number of capacity units '%d' must be at least 1", *wanted.CapacityUnits)
	default:
		return *wanted.CapacityUnits, nil
	}
}

func notComplete(lb *loadBalancer) *wire.Error {
	e := wire.Errorf("PriorRequestNotComplete", "A prior request for load balancer '%s' has not been completed", *lb.LoadBalancerArn)
	e.Status = http.StatusTooManyRequests
	return e
}

func (s *State) checkCapacity(lb *loadBalancer, wanted int32) error {
	switch {
	case isGateway(lb):
		return wire.Errorf("OperationNotPermitted", capacityNotForGateways)
	case s.now().Before(lb.ready):
		return wire.Errorf("OperationNotPermitted", "The capacity of load balancer '%s' cannot be reserved while it is provisioning", *lb.LoadBalancerArn)
	case s.capacityPending(lb):
		return notComplete(lb)
	case wanted < lb.capacity.units && s.recentDecreases(lb) >= decreasesPerDay:
		return wire.Errorf("CapacityDecreaseRequestLimitExceeded", "You've exceeded the daily capacity decrease limit for this reservation")
	case wanted == 0:
		return nil
	}
	for _, l := range lb.listeners {
		if l.Protocol == elbtypes.ProtocolEnumTls {
			return unfit("Capacity reservations are not supported for network load balancers with TLS listeners")
		}
	}
	return s.checkUnits(lb, wanted)
}

// checkUnits holds the limits of a load balancer and of the region.
func (s *State) checkUnits(lb *loadBalancer, wanted int32) error {
	zones := len(lb.AvailabilityZones)
	least, most := leastUnits, unitsPerApplication
	if isNetwork(lb) {
		least, most = leastUnitsPerZone*zones, unitsPerNetworkZone*zones
	}
	if int(wanted) < least {
		return unfit("At least '%d' capacity units must be reserved for load balancer '%s'", least, *lb.LoadBalancerArn)
	}
	total := int(wanted)
	for _, other := range s.balancers.All() {
		if other != lb && other.Type == lb.Type {
			total += int(other.capacity.units)
		}
	}
	if int(wanted) > most || total > s.options.Quotas.ReservedCapacityUnits {
		return wire.Errorf("CapacityUnitsLimitExceeded", "You've exceeded the capacity units limit")
	}
	return nil
}
