package shield_test

import (
	"testing"

	"github.com/headgate/headgate/cloud/sim/account"
	"github.com/headgate/headgate/cloud/sim/contract"
	"github.com/headgate/headgate/cloud/sim/shield"
)

func TestMain(m *testing.M) { contract.Main(m, demand) }

func demand() contract.Demand {
	return contract.Demand{
		ID: "Shield", Service: shield.New(&account.Account{}, nil).Service(),
		Left: map[string]string{
			"* OptimisticLockException":                  "one call runs at a time",
			"CreateProtection InvalidOperationException": "what AWS means by it is not known",
			"CreateProtection LimitsExceededException":   "1,000 protections need as many load balancers",
		},
		Elsewhere: map[string]string{
			"LimitsExceededException": "1,000 protections need as many load balancers",
		},
	}
}

func TestContract(t *testing.T) {
	t.Parallel()
	contract.Play(t, "shield")
}
