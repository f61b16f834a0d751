package waf_test

import (
	"testing"

	"github.com/headgate/headgate/cloud/sim/account"
	"github.com/headgate/headgate/cloud/sim/contract"
	"github.com/headgate/headgate/cloud/sim/waf"
)

func TestMain(m *testing.M) { contract.Main(m, demand, classicDemand) }

func demand() contract.Demand {
	return contract.Demand{
		ID: "WAFV2", Service: waf.New(&account.Account{}, nil, waf.Options{}).Service(),
		Left: map[string]string{
			"* WAFInvalidOperationException":                                    "AWS does not say when it answers so",
			"* WAFTagOperationException":                                        "AWS does not say when it answers so",
			"* WAFInvalidResourceException":                                     "AWS does not say when it answers so",
			"* WAFExpiredManagedRuleGroupVersionException":                      "managed rule groups have no versions here",
			"* WAFConfigurationWarningException":                                "AWS does not say when it answers so",
			"* WAFFeatureNotIncludedInPricingPlanException":                     "there are no pricing plans",
			"* WAFUnavailableEntityException":                                   "the simulator lets web ACLs be used at once",
			"CreateWebACL WAFOptimisticLockException":                           "what is made has no token before",
			"CreateIPSet WAFOptimisticLockException":                            "what is made has no token before",
			"CreateRuleGroup WAFOptimisticLockException":                        "what is made has no token before",
			"CreateRegexPatternSet WAFOptimisticLockException":                  "what is made has no token before",
			"UpdateIPSet WAFDuplicateItemException":                             "the name stays",
			"UpdateRuleGroup WAFDuplicateItemException":                         "the name stays",
			"UpdateWebACL WAFDuplicateItemException":                            "the name stays",
			"UpdateRegexPatternSet WAFDuplicateItemException":                   "the name stays",
			"AssociateWebACL WAFLimitsExceededException":                        "the number of load balancers of a web ACL is not bounded",
			"CreateRuleGroup WAFSubscriptionNotFoundException":                  "a rule group runs no other one",
			"UpdateRuleGroup WAFSubscriptionNotFoundException":                  "a rule group runs no other one",
			"PutLoggingConfiguration WAFLimitsExceededException":                "a web ACL has one configuration",
			"PutLoggingConfiguration WAFLogDestinationPermissionIssueException": "nothing is written",
			"PutLoggingConfiguration WAFOptimisticLockException":                "there is no token",
			"PutLoggingConfiguration WAFServiceLinkedRoleErrorException":        "nothing is written",
			"DeleteLoggingConfiguration WAFOptimisticLockException":             "there is no token",
			"UpdateIPSet WAFLimitsExceededException":                            "10,000 addresses are counted as at creation",
		},
		Elsewhere: map[string]string{
			"WAFUnavailableEntityException": "the simulator lets web ACLs be used at once",
		},
	}
}

func classicDemand() contract.Demand {
	return contract.Demand{
		ID: "WAF Regional", Service: waf.NewClassic(&account.Account{}, nil).Service(),
		Left: map[string]string{
			"* WAFInvalidAccountException":                        "AWS does not say when it answers so",
			"* WAFTagOperationException":                          "AWS does not say when it answers so",
			"* WAFBadRequestException":                            "AWS does not say when it answers so",
			"* WAFUnavailableEntityException":                     "the simulator lets web ACLs be used at once",
			"CreateWebACL WAFDisallowedNameException":             "AWS does not say when it answers so",
			"DeleteWebACL WAFNonEmptyEntityException":             "web ACLs have no rules here",
			"UpdateWebACL WAFInvalidOperationException":           "AWS does not say when it answers so",
			"UpdateWebACL WAFLimitsExceededException":             "web ACLs have no rules here",
			"UpdateWebACL WAFNonexistentContainerException":       "web ACLs have no rules here",
			"UpdateWebACL WAFReferencedItemException":             "web ACLs have no rules here",
			"UpdateWebACL WAFSubscriptionNotFoundException":       "web ACLs have no rules here",
			"ListResourcesForWebACL WAFInvalidParameterException": "what is no web ACL is WAFNonexistentItemException",
		},
	}
}

func TestContract(t *testing.T) {
	t.Parallel()
	contract.Play(t, "wafv2")
}
