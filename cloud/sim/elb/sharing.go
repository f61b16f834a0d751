package elb

import (
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"

	"github.com/headgate/headgate/cloud/sim/wire"
)

func (s *State) sharingOperations() []wire.Operation {
	return []wire.Operation{
		wire.Reads("GetResourcePolicy", s.getResourcePolicy),
		wire.Writes("DeleteSharedTrustStoreAssociation", s.deleteSharedAssociation),
	}
}

// ShareTrustStore gives a trust store the resource policy with which Resource Access Manager would share it; an empty one takes it
// back. It reports false if there is no such trust store.
func (s *State) ShareTrustStore(arn, policy string) bool {
	t, ok := s.stores.Get(arn)
	if ok {
		t.policy = policy
	}
	return ok
}

// AssociateTrustStore makes a load balancer of another account use a shared trust store. It reports false if there is no such trust
// store, or if nobody shares it.
func (s *State) AssociateTrustStore(arn, foreign string) bool {
	t, ok := s.stores.Get(arn)
	if !ok || t.policy == "" {
		return false
	}
	if !slices.Contains(t.associated, foreign) {
		t.associated = append(slices.Clone(t.associated), foreign)
	}
	return true
}

// getResourcePolicy gives the policy of a shared trust store, the only kind of resource that has one.
func (s *State) getResourcePolicy(in *sdk.GetResourcePolicyInput) (*sdk.GetResourcePolicyOutput, error) {
	arn := aws.ToString(in.ResourceArn)
	if arn == "" {
		return nil, invalid("A resource ARN must be specified")
	}
	t, ok := s.stores.Get(arn)
	if !ok || t.policy == "" {
		return nil, wire.Errorf("ResourceNotFound", "The resource policy of '%s' does not exist", arn)
	}
	return &sdk.GetResourcePolicyOutput{Policy: aws.String(t.policy)}, nil
}

// deleteSharedAssociation makes a load balancer of another account stop using a trust store of this one.
func (s *State) deleteSharedAssociation(in *sdk.DeleteSharedTrustStoreAssociationInput) (*sdk.DeleteSharedTrustStoreAssociationOutput, error) {
	t, err := s.trustStore(in.TrustStoreArn)
	if err != nil {
		return nil, err
	}
	arn := aws.ToString(in.ResourceArn)
	const account, fields = 4, 6
	parts := strings.SplitN(arn, ":", fields)
	if len(parts) < fields {
		return nil, invalid("'%s' is not a valid ARN", arn)
	}
	if parts[account] == s.account.ID {
		return nil, wire.Errorf("DeleteAssociationSameAccount", "The association of '%s' is within the account of the trust store", arn)
	}
	if !slices.Contains(t.associated, arn) {
		return nil, wire.Errorf("AssociationNotFound", "The association of '%s' with trust store '%s' was not found", arn, *t.TrustStoreArn)
	}
	t.associated = slices.DeleteFunc(slices.Clone(t.associated), func(held string) bool { return held == arn })
	return &sdk.DeleteSharedTrustStoreAssociationOutput{}, nil
}
