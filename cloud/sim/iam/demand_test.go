package iam_test

import (
	"testing"

	"github.com/headgate/headgate/cloud/sim/account"
	"github.com/headgate/headgate/cloud/sim/contract"
	"github.com/headgate/headgate/cloud/sim/iam"
)

func TestMain(m *testing.M) { contract.Main(m, demand) }

func demand() contract.Demand {
	return contract.Demand{
		ID: "IAM", Service: iam.New(&account.Account{}).Service(),
		Left: map[string]string{
			"* ConcurrentModification":              "one call runs at a time",
			"CreateServiceLinkedRole NoSuchEntity":  "a service that has no such role is InvalidInput",
			"CreateServiceLinkedRole LimitExceeded": "there are fewer services than roles that an account may have",
			"DeleteServerCertificate LimitExceeded": "what is deleted reaches no limit",
			"DeleteRole LimitExceeded":              "what is deleted reaches no limit",
			"DeleteRolePolicy LimitExceeded":        "what is deleted reaches no limit",
		},
	}
}

func TestContract(t *testing.T) {
	t.Parallel()
	contract.Play(t, "iam")
}
