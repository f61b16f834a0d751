package cognito_test

import (
	"testing"

	"github.com/headgate/headgate/cloud/sim/account"
	"github.com/headgate/headgate/cloud/sim/cognito"
	"github.com/headgate/headgate/cloud/sim/contract"
)

func TestMain(m *testing.M) { contract.Main(m, demand) }

func demand() contract.Demand {
	return contract.Demand{
		ID: "Cognito Identity Provider", Service: cognito.New(&account.Account{}).Service(),
		Left: map[string]string{
			"* NotAuthorizedException":                         "what a caller may do is judged by the policy of the simulator, which answers AccessDeniedException",
			"* OperationNotEnabledException":                   "no pool here is of a Region that lacks something",
			"* ConcurrentModificationException":                "one call runs at a time",
			"* FeatureUnavailableInTierException":              "every feature is in every tier",
			"* TierChangeNotAllowedException":                  "every tier can be had",
			"* UserPoolTaggingException":                       "bad tags are InvalidParameterException",
			"* InvalidEmailRoleAccessPolicyException":          "no messages are sent",
			"* InvalidSmsRoleAccessPolicyException":            "no messages are sent",
			"* InvalidSmsRoleTrustRelationshipException":       "no messages are sent",
			"* UserImportInProgressException":                  "there are no users",
			"CreateUserPoolDomain LimitExceededException":      "there are no more domains than pools",
			"DescribeUserPoolDomain ResourceNotFoundException": "a domain that is not there is an empty description",
		},
	}
}

func TestContract(t *testing.T) {
	t.Parallel()
	contract.Play(t, "cognito")
}
