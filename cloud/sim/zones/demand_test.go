package zones_test

import (
	"testing"

	"github.com/headgate/headgate/cloud/sim/account"
	"github.com/headgate/headgate/cloud/sim/contract"
	"github.com/headgate/headgate/cloud/sim/zones"
)

func TestMain(m *testing.M) { contract.Main(m, demand) }

func demand() contract.Demand {
	return contract.Demand{
		ID: "Route 53", Service: zones.New(&account.Account{}, nil, nil).Service(),
		Left: map[string]string{
			"* PriorRequestNotComplete":          "one call runs at a time",
			"* NotAuthorizedException":           "there is one account",
			"* DelegationSetNotReusable":         "there are no reusable delegation sets",
			"* DelegationSetNotAvailable":        "there are no reusable delegation sets",
			"* LimitsExceeded":                   "the number of VPCs of a zone is not bounded here",
			"GetHostedZoneCount InvalidInput":    "it takes no input",
			"DeleteHostedZone InvalidDomainName": "it takes no name",
			"GetChange InvalidInput":             "an identifier in any form may be one of a change",
		},
	}
}

func TestContract(t *testing.T) {
	t.Parallel()
	contract.Play(t, "route53")
}
