package vpc

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/headgate/headgate/cloud/sim/wire"
)

func (n *Network) lifecycleOperations() []wire.Operation {
	return []wire.Operation{wire.Writes("StartInstances", n.startInstances), wire.Writes("StopInstances", n.stopInstances)}
}

// Codes of the states on the way (API reference, InstanceState).
const (
	statePending  = 0
	stateStopping = 64
	stateStopped  = 80
)

func instanceState(code int32, name ec2types.InstanceStateName) *ec2types.InstanceState {
	return &ec2types.InstanceState{Code: aws.Int32(code), Name: name}
}

// turn brings instances into a state, all of them or none. They tell of the state on the way, and are in the new one at once; what is in it
// already stays.
func (n *Network) turn(ids []string, through, to *ec2types.InstanceState) ([]ec2types.InstanceStateChange, error) {
	if len(ids) == 0 {
		return nil, missing("InstanceId")
	}
	for _, id := range ids {
		i, ok := n.instances.Get(id)
		switch {
		case malformedID(id, "i"):
			return nil, wire.Errorf("InvalidInstanceID.Malformed", "Invalid id: \"%s\"", id)
		case !ok:
			return nil, notFound(id)
		case i.State.Name == ec2types.InstanceStateNameTerminated:
			return nil, wire.Errorf("IncorrectInstanceState", "The instance '%s' is not in a state from which it can be started or stopped.", id)
		}
	}
	var changes []ec2types.InstanceStateChange
	for _, id := range ids {
		i, _ := n.instances.Get(id)
		fresh, seen := *i, through
		if i.State.Name == to.Name {
			seen = to
		}
		fresh.State = to
		n.instances.Put(id, &fresh)
		changes = append(changes, ec2types.InstanceStateChange{InstanceId: aws.String(id), PreviousState: i.State, CurrentState: seen})
	}
	return changes, nil
}

func (n *Network) startInstances(in *sdk.StartInstancesInput) (*sdk.StartInstancesOutput, error) {
	changes, err := n.turn(in.InstanceIds, instanceState(statePending, ec2types.InstanceStateNamePending),
		instanceState(stateRunning, ec2types.InstanceStateNameRunning))
	return &sdk.StartInstancesOutput{StartingInstances: changes}, err
}

func (n *Network) stopInstances(in *sdk.StopInstancesInput) (*sdk.StopInstancesOutput, error) {
	if aws.ToBool(in.Hibernate) {
		return nil, wire.Errorf("UnsupportedHibernationConfiguration", "The instances were not made for hibernation.")
	}
	changes, err := n.turn(in.InstanceIds, instanceState(stateStopping, ec2types.InstanceStateNameStopping),
		instanceState(stateStopped, ec2types.InstanceStateNameStopped))
	return &sdk.StopInstancesOutput{StoppingInstances: changes}, err
}
