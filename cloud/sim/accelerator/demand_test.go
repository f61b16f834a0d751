package accelerator_test

import (
	"testing"

	"github.com/headgate/headgate/cloud/sim/accelerator"
	"github.com/headgate/headgate/cloud/sim/account"
	"github.com/headgate/headgate/cloud/sim/contract"
)

func TestMain(m *testing.M) { contract.Main(m, demand) }

func demand() contract.Demand {
	return contract.Demand{
		ID: "Global Accelerator", Service: accelerator.New(&account.Account{}, nil).Service(),
		Left: map[string]string{
			"* AccessDeniedException":                            "what a caller may do is judged by the policy of the simulator",
			"* TransactionInProgressException":                   "one call runs at a time",
			"* ConflictException":                                "addresses of one's own cannot be changed here",
			"* AttachmentNotFoundException":                      "there are no cross-account attachments",
			"ListTagsForResource ListenerNotFoundException":      "only accelerators have tags",
			"ListTagsForResource EndpointGroupNotFoundException": "only accelerators have tags",
			"CreateEndpointGroup AcceleratorNotFoundException":   "the listener has an accelerator",
		},
	}
}

func TestContract(t *testing.T) {
	t.Parallel()
	contract.Play(t, "accelerator")
}
