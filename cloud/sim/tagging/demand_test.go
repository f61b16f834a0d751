package tagging_test

import (
	"testing"

	"github.com/headgate/headgate/cloud/sim/account"
	"github.com/headgate/headgate/cloud/sim/contract"
	"github.com/headgate/headgate/cloud/sim/tagging"
)

func TestMain(m *testing.M) { contract.Main(m, demand) }

func demand() contract.Demand {
	return contract.Demand{ID: "Resource Groups Tagging API", Service: tagging.New(&account.Account{}).Service()}
}

func TestContract(t *testing.T) {
	t.Parallel()
	contract.Play(t, "tagging")
}

func TestChecks(t *testing.T) {
	t.Parallel()
	contract.WantChecks(t, tagging.New(&account.Account{}).Service(), tagging.Checks())
}
