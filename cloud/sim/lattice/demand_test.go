package lattice_test

import (
	"testing"

	"github.com/headgate/headgate/cloud/sim/account"
	"github.com/headgate/headgate/cloud/sim/contract"
	"github.com/headgate/headgate/cloud/sim/lattice"
)

func TestMain(m *testing.M) { contract.Main(m, demand) }

func demand() contract.Demand {
	return contract.Demand{
		ID: "VPC Lattice", Service: lattice.New(&account.Account{}, nil, lattice.Options{}).Service(),
		Left: map[string]string{
			"* AccessDeniedException":                                          "what a caller may do is judged by the policy of the simulator",
			"* InternalServerException":                                        "a fault of AWS itself",
			"CreateServiceNetwork ResourceNotFoundException":                   "it names nothing else",
			"UpdateServiceNetwork ConflictException":                           "a network has no state that stands against it",
			"UpdateService ServiceQuotaExceededException":                      "there is nothing that it could exceed",
			"UpdateTargetGroup ServiceQuotaExceededException":                  "there is nothing that it could exceed",
			"CreateServiceNetworkVpcAssociation ServiceQuotaExceededException": "500 VPCs of a network are more than an account has",
		},
	}
}

func TestContract(t *testing.T) {
	t.Parallel()
	contract.Play(t, "lattice")
}
