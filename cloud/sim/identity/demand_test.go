package identity_test

import (
	"testing"

	"github.com/headgate/headgate/cloud/sim/account"
	"github.com/headgate/headgate/cloud/sim/contract"
	"github.com/headgate/headgate/cloud/sim/identity"
)

func TestMain(m *testing.M) { contract.Main(m, demand) }

func demand() contract.Demand {
	return contract.Demand{
		ID: "STS", Service: identity.New(&account.Account{}, nil).Service(),
		Left: map[string]string{
			"* RegionDisabledException":                       "the Region is enabled",
			"* PackedPolicyTooLarge":                          "session policies are not looked at",
			"* MalformedPolicyDocument":                       "session policies are not looked at",
			"* ExpiredTokenException":                         "tokens are not looked into",
			"AssumeRoleWithWebIdentity IDPCommunicationError": "tokens are not looked into",
			"AssumeRoleWithWebIdentity IDPRejectedClaim":      "tokens are not looked into",
		},
	}
}

func TestContract(t *testing.T) {
	t.Parallel()
	contract.Play(t, "sts")
}
