package policy_test

import "github.com/headgate/headgate/test/policy"

// incumbent is the policy that the AWS Load Balancer Controller publishes: what a role has that was made for it.
func incumbent() policy.Policy {
	const (
		cluster   = "elbv2.k8s.aws/cluster"
		requested = "aws:RequestTag/" + cluster
		tagged    = "aws:ResourceTag/" + cluster
	)
	groups := []string{"arn:aws:ec2:*:*:security-group/*"}
	balancing := []string{
		"arn:aws:elasticloadbalancing:*:*:targetgroup/*/*", "arn:aws:elasticloadbalancing:*:*:loadbalancer/net/*/*",
		"arn:aws:elasticloadbalancing:*:*:loadbalancer/app/*/*",
	}
	all := []string{"*"}
	null := func(keys map[string]string) map[string]policy.Words {
		out := map[string]policy.Words{}
		for k, v := range keys {
			out[k] = policy.Words{v}
		}
		return out
	}
	return policy.Policy{Statements: []policy.Statement{
		{Actions: reads(), Resources: all},
		{Actions: policy.Words{"ec2:AuthorizeSecurityGroupIngress", "ec2:RevokeSecurityGroupIngress"}, Resources: all},
		{Actions: policy.Words{"ec2:CreateSecurityGroup"}, Resources: all},
		{Actions: policy.Words{"ec2:CreateTags"}, Resources: groups, Condition: map[string]map[string]policy.Words{
			"StringEquals": {"ec2:CreateAction": {"CreateSecurityGroup"}}, "Null": null(map[string]string{requested: "false"}),
		}},
		{Actions: policy.Words{"ec2:CreateTags", "ec2:DeleteTags"}, Resources: groups, Condition: map[string]map[string]policy.Words{
			"Null": null(map[string]string{requested: "true", tagged: "false"}),
		}},
		{
			Actions:   policy.Words{"ec2:AuthorizeSecurityGroupIngress", "ec2:DeleteSecurityGroup", "ec2:RevokeSecurityGroupIngress"},
			Resources: all, Condition: map[string]map[string]policy.Words{"Null": null(map[string]string{tagged: "false"})},
		},
		{
			Actions:   policy.Words{"elasticloadbalancing:CreateLoadBalancer", "elasticloadbalancing:CreateTargetGroup"},
			Resources: all, Condition: map[string]map[string]policy.Words{"Null": null(map[string]string{requested: "false"})},
		},
		{Actions: policy.Words{
			"elasticloadbalancing:CreateListener", "elasticloadbalancing:CreateRule", "elasticloadbalancing:DeleteListener",
			"elasticloadbalancing:DeleteRule",
		}, Resources: all},
		{
			Actions:   policy.Words{"elasticloadbalancing:AddTags", "elasticloadbalancing:RemoveTags"},
			Resources: balancing,
			Condition: map[string]map[string]policy.Words{"Null": null(map[string]string{requested: "true", tagged: "false"})},
		},
		{Actions: policy.Words{"elasticloadbalancing:AddTags", "elasticloadbalancing:RemoveTags"}, Resources: policy.Words{
			"arn:aws:elasticloadbalancing:*:*:listener/net/*/*/*", "arn:aws:elasticloadbalancing:*:*:listener/app/*/*/*",
			"arn:aws:elasticloadbalancing:*:*:listener-rule/net/*/*/*", "arn:aws:elasticloadbalancing:*:*:listener-rule/app/*/*/*",
		}},
		{Actions: changes(), Resources: all, Condition: map[string]map[string]policy.Words{"Null": null(map[string]string{tagged: "false"})}},
		{Actions: policy.Words{"elasticloadbalancing:AddTags"}, Resources: balancing, Condition: map[string]map[string]policy.Words{
			"StringEquals": {"elasticloadbalancing:CreateAction": {"CreateTargetGroup", "CreateLoadBalancer"}},
			"Null":         null(map[string]string{requested: "false"}),
		}},
		{
			Actions:   policy.Words{"elasticloadbalancing:DeregisterTargets", "elasticloadbalancing:RegisterTargets"},
			Resources: policy.Words{"arn:aws:elasticloadbalancing:*:*:targetgroup/*/*"},
		},
		{Actions: policy.Words{
			"elasticloadbalancing:AddListenerCertificates", "elasticloadbalancing:ModifyListener", "elasticloadbalancing:ModifyRule",
			"elasticloadbalancing:RemoveListenerCertificates", "elasticloadbalancing:SetRulePriorities", "elasticloadbalancing:SetWebAcl",
		}, Resources: all},
	}}
}

// reads are what may be read, of what Headgate reads at all.
func reads() policy.Words {
	return policy.Words{
		"acm:DescribeCertificate", "acm:ListCertificates",
		"ec2:DescribeAccountAttributes", "ec2:DescribeAddresses", "ec2:DescribeAvailabilityZones", "ec2:DescribeCoipPools",
		"ec2:DescribeInstances", "ec2:DescribeInternetGateways", "ec2:DescribeIpamPools", "ec2:DescribeNetworkInterfaces",
		"ec2:DescribeRouteTables", "ec2:DescribeSecurityGroups", "ec2:DescribeSubnets", "ec2:DescribeTags",
		"ec2:DescribeVpcPeeringConnections", "ec2:DescribeVpcs", "ec2:GetCoipPoolUsage", "ec2:GetSecurityGroupsForVpc",
		"elasticloadbalancing:DescribeCapacityReservation", "elasticloadbalancing:DescribeListenerAttributes",
		"elasticloadbalancing:DescribeListenerCertificates", "elasticloadbalancing:DescribeListeners",
		"elasticloadbalancing:DescribeLoadBalancerAttributes", "elasticloadbalancing:DescribeLoadBalancers",
		"elasticloadbalancing:DescribeRules", "elasticloadbalancing:DescribeSSLPolicies", "elasticloadbalancing:DescribeTags",
		"elasticloadbalancing:DescribeTargetGroupAttributes", "elasticloadbalancing:DescribeTargetGroups",
		"elasticloadbalancing:DescribeTargetHealth", "elasticloadbalancing:DescribeTrustStores",
	}
}

// changes are allowed on what has the tag of a cluster.
func changes() policy.Words {
	return policy.Words{
		"elasticloadbalancing:DeleteLoadBalancer", "elasticloadbalancing:DeleteTargetGroup",
		"elasticloadbalancing:ModifyCapacityReservation", "elasticloadbalancing:ModifyIpPools",
		"elasticloadbalancing:ModifyListenerAttributes", "elasticloadbalancing:ModifyLoadBalancerAttributes",
		"elasticloadbalancing:ModifyTargetGroup", "elasticloadbalancing:ModifyTargetGroupAttributes",
		"elasticloadbalancing:SetIpAddressType", "elasticloadbalancing:SetSecurityGroups", "elasticloadbalancing:SetSubnets",
	}
}
