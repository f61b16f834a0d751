package vpc_test

import (
	"testing"

	"github.com/headgate/headgate/cloud/sim/account"
	"github.com/headgate/headgate/cloud/sim/contract"
	"github.com/headgate/headgate/cloud/sim/vpc"
)

func TestMain(m *testing.M) { contract.Main(m, demand) }

func demand() contract.Demand {
	return contract.Demand{ID: "EC2", Service: vpc.New(&account.Account{}).Service(),
		Elsewhere: map[string]string{"SecurityGroupLimitExceeded": "2,500 groups take too long to make"},
	}
}

func TestContract(t *testing.T) {
	t.Parallel()
	contract.Play(t, "ec2")
}
