package cert_test

import (
	"testing"

	"github.com/headgate/headgate/cloud/sim/account"
	"github.com/headgate/headgate/cloud/sim/cert"
	"github.com/headgate/headgate/cloud/sim/contract"
)

func TestMain(m *testing.M) { contract.Main(m, demand) }

func demand() contract.Demand {
	return contract.Demand{
		ID: "ACM", Service: cert.New(&account.Account{}).Service(),
		Left: map[string]string{
			"* TagPolicyException":                                "there are no tag policies",
			"UpdateCertificateOptions LimitExceededException":     "a change of options adds nothing",
			"* AccessDeniedException":                             "what a caller may do is judged by the policy of the simulator",
			"* ConflictException":                                 "one call runs at a time",
			"AddTagsToCertificate InvalidParameterException":      "a list of tags in the wrong form is InvalidTagException or TooManyTagsException",
			"RemoveTagsFromCertificate InvalidParameterException": "a list of tags in the wrong form is InvalidTagException or TooManyTagsException",
			"RequestCertificate InvalidParameterException":        "what is wrong with a request is ValidationException",
		},
	}
}

func TestContract(t *testing.T) {
	t.Parallel()
	contract.Play(t, "acm")
}
