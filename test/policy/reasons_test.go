package policy_test

// reasons says why config/iam/policy.json holds what these tests do not use, by statement and action.
func reasons() map[string]string {
	const forBalancer = "Elastic Load Balancing looks it up for the caller while it makes a load balancer"
	out := map[string]string{
		"MakeTheServiceLinkedRoleOfElasticLoadBalancing iam:CreateServiceLinkedRole": "the first load balancer of an account makes the role",
		"Read ec2:DescribeAccountAttributes":                                         forBalancer,
		"Read ec2:DescribeAvailabilityZones":                                         "a sandbox has no Local Zones, whose names do not tell their types",
		"Read ec2:DescribeInternetGateways":                                          forBalancer,
		"Read ec2:DescribeManagedPrefixLists":                                        "a sandbox has no prefix lists",
		"Read elasticloadbalancing:DescribeCapacityReservation":                      "the wardrobe reserves no capacity; package cloud tests it",
		"ChangeOwn elasticloadbalancing:ModifyCapacityReservation":                   "the wardrobe reserves no capacity; package cloud tests it",
		"ChangeOwn elasticloadbalancing:ModifyIpPools":                               "a sandbox has no address pools; package cloud tests it",
		"ChangeOwn elasticloadbalancing:SetIpAddressType":                            "a sandbox has no IPv6 blocks, which dual stack needs",
		"ProtectLoadBalancers elasticloadbalancing:SetWebAcl":                        "AWS WAF asks for it beside its own right",
	}
	const unverified = "the shop verifies no clients; package cloud tests it, and what its calls need"
	out["Read elasticloadbalancing:DescribeTrustStores"] = unverified
	for statement, actions := range map[string][]string{
		"CreateTrustStoresThatAreMarkedAsOurs": {"elasticloadbalancing:CreateTrustStore"},
		"TagTrustStoresWhileCreating":          {"elasticloadbalancing:AddTags"},
		"ChangeTrustStoresThatAreOurs": {
			"elasticloadbalancing:AddTags", "elasticloadbalancing:DeleteTrustStore", "elasticloadbalancing:ModifyTrustStore", "elasticloadbalancing:RemoveTags",
		},
		"KeepAuthoritiesOfTrustStores": {"s3:DeleteObject", "s3:GetObject", "s3:PutObject"},
		"FindAuthoritiesOfTrustStores": {"s3:ListBucket"},
	} {
		for _, action := range actions {
			out[statement+" "+action] = unverified
		}
	}
	for _, action := range []string{"GetCertificate", "IssueCertificate", "ListPermissions"} {
		out["HavePrivateAuthoritiesIssueCertificates acm-pca:"+action] = "ACM asks the authority for the caller"
	}
	for _, action := range []string{
		"shield:CreateProtection", "shield:DeleteProtection", "shield:DescribeProtection", "shield:GetSubscriptionState",
		"waf-regional:AssociateWebACL", "waf-regional:DisassociateWebACL", "waf-regional:GetWebACL", "waf-regional:GetWebACLForResource",
		"wafv2:AssociateWebACL", "wafv2:DisassociateWebACL", "wafv2:GetWebACL", "wafv2:GetWebACLForResource", "wafv2:ListWebACLs",
	} {
		out["ProtectLoadBalancers "+action] = "a sandbox has neither web ACLs nor a subscription to Shield; package cloud tests it"
	}
	return out
}
