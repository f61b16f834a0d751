package elb

import "maps"

// Checks says of each operation what is checked beside that what is named exists, and where that is known from: SDK (the API model and
// its documentation), guide (the ELB user guides), observed (answers of AWS that others have shown), believed (none of them).
func Checks() map[string]string {
	all := map[string]string{}
	for _, part := range []map[string]string{balancerChecks(), listenerChecks(), groupChecks(), trustChecks(), otherChecks()} {
		maps.Copy(all, part)
	}
	return all
}

func balancerChecks() map[string]string {
	const attributes = "keys by type; values; 20 a call; one bad entry changes nothing; logs need a bucket whose policy, where S3 knows " +
		"it, lets them be written, and a prefix without AWSLogs (SDK, guides; messages observed)"
	return map[string]string{
		"CreateLoadBalancer": "name, type, scheme; two zones at least for an application, one subnet a zone, one VPC, /27 and 8 free addresses, " +
			"internet gateway, IPv6 blocks, static addresses (one that is taken makes it fail), source NAT prefixes; Elastic IP " +
			"addresses that nothing else has; pools of public, or of customer-owned and free addresses; security groups; quotas; tags; the same again gives " +
			"the existing one (SDK, guide; messages observed)",
		"DescribeLoadBalancers": "20 ARNs or names, not both; page size 1-400 (SDK)",
		"DeleteLoadBalancer":    "deletion protection; target of a network load balancer; one that is not there is no error (SDK; messages observed)",
		"SetSubnets": "as at creation; the VPC stays, and a private address in its subnet; no pending capacity reservation; a network one may lose " +
			"zones (SDK; removal believed)",
		"SetSecurityGroups": "at least one, of the VPC, five at most; none for a network load balancer that was made without (SDK, guide; codes believed)",
		"SetIpAddressType": "IPv6 blocks of all subnets; not ipv4 with IPv6 target groups or rules of a network load balancer; no dualstack with " +
			"QUIC, nor with UDP but with source NAT prefixes and IPv6 target groups (SDK, guide)",
		"ModifyIpPools": "one of setting and removing; internet-facing application load balancers; " +
			"a pool of public IPv4 addresses of the Region (SDK; the pool believed)",
		"DescribeLoadBalancerAttributes": "all keys of the type, with defaults (SDK)",
		"ModifyLoadBalancerAttributes":   attributes,
		"DescribeCapacityReservation":    "pending and provisioned by zone, decreases left (SDK; shape observed)",
		"ModifyCapacityReservation": "one of a number and a reset; active load balancers; one change at a time; two decreases a day; no TLS listener; " +
			"least and most units; the region's quota, none by default (SDK, guide; the least believed)",
	}
}

func listenerChecks() map[string]string {
	const listener = "port, protocol by type; one certificate of ACM that is issued or of IAM, with a full name; security policy; ALPN; mutual " +
		"authentication with an active trust store, on two listeners at most; a Cognito client with a secret and the code grant, in a pool with the domain " +
		"(secret observed, the rest believed); QUIC alone; UDP in dual-stack mode; actions; quotas; a taken port; "
	const rule = "conditions: form, characters, lengths, five values and wildcards a rule, one of a kind where AWS allows one, regular expressions; " +
		"actions, and clients of Cognito as for listeners; " +
		"transforms: one of a type, an expression that compiles, groups that it has"
	return map[string]string{
		"CreateListener": listener + "the same again gives the existing one (SDK, guide; messages observed)",
		"ModifyListener": listener + "what is left out stays; rules still fit the protocol; the port of QUIC stays, and that of a registered target " +
			"(SDK, guide; the last believed)",
		"DescribeListeners":            "a load balancer or listener ARNs, not both (SDK)",
		"DeleteListener":               "a registered target's port stays (message observed)",
		"DescribeListenerAttributes":   "all keys of the protocol, with defaults (SDK)",
		"ModifyListenerAttributes":     "keys by protocol; values; header names differ (SDK; name rules believed)",
		"AddListenerCertificates":      "one a call, issued, 25 a load balancer; again is no error (SDK)",
		"RemoveListenerCertificates":   "one a call; the default one stays; one that is not there is no error (SDK; the last believed)",
		"DescribeListenerCertificates": "the default one first (SDK)",
		"CreateRule": "priority 1-50000 and free; 100 rules a load balancer; on network load balancers in dual-stack mode only; " + rule +
			" (SDK, guide)",
		"ModifyRule":          "something to change; not the default rule; transforms or their reset; " + rule + " (SDK, guide)",
		"DescribeRules":       "a listener or rule ARNs, not both; by priority, the default rule last (SDK)",
		"DeleteRule":          "not the default rule (SDK)",
		"SetRulePriorities":   "all or nothing; rules may change places; one listener; not the default rule (SDK; one listener believed)",
		"DescribeSSLPolicies": "names that exist; protocols and ciphers in AWS's order (guide; some of RFC 9151 believed)",
	}
}

func groupChecks() map[string]string {
	const check = "health check: ranges, defaults and protocols by kind, timeout below interval, success codes"
	return map[string]string{
		"CreateTargetGroup": "name; protocol, port, VPC, version, type and address type together; " + check +
			"; quotas; the same again gives the existing one (SDK, guide; messages observed)",
		"ModifyTargetGroup":             check + " (SDK)",
		"DescribeTargetGroups":          "one kind of filter (message observed)",
		"DeleteTargetGroup":             "not in use; one that is not there is no error (SDK; message observed)",
		"DescribeTargetGroupAttributes": "all keys of protocol and type, with defaults (SDK)",
		"ModifyTargetGroupAttributes":   "keys by protocol and type; values; what excludes each other; none for type alb (SDK, guide; messages observed)",
		"RegisterTargets": "addresses of the VPC, or private ones with a zone; running instances of the VPC; load balancers with a listener on the port; " +
			"QUIC server IDs; one bad target registers none; quotas of group, load balancer, zone and target (SDK, guide)",
		"DeregisterTargets":    "identifiers of the group's kind; one that is not there is no error (SDK; the kind believed)",
		"DescribeTargetHealth": "identifiers of the group's kind; states and reasons; anomaly detection when asked for (SDK, guide)",
	}
}

func trustChecks() map[string]string {
	const bundle = "the bundle is there, in PEM, certificates of authorities, 25 of at most 16 KiB"
	return map[string]string{
		"CreateTrustStore":                  "name, taken names; quota; " + bundle + " (SDK, guide)",
		"ModifyTrustStore":                  bundle + "; revocations stay (SDK)",
		"DeleteTrustStore":                  "not in use by a listener, here or in another account (SDK)",
		"DescribeTrustStores":               "names or ARNs, not both (believed)",
		"DescribeTrustStoreAssociations":    "load balancers (SDK's example)",
		"GetTrustStoreCaCertificatesBundle": "a URL in S3's form, which nothing answers (SDK)",
		"AddTrustStoreRevocations": "the list is there, in PEM, at most 50 MiB, no weak signature; 30 files and 500,000 entries; all or none " +
			"(SDK, guide)",
		"RemoveTrustStoreRevocations":       "all or none (SDK; all or none believed)",
		"DescribeTrustStoreRevocations":     "identifiers that exist (SDK)",
		"GetTrustStoreRevocationContent":    "a URL in S3's form, which nothing answers (SDK)",
		"DeleteSharedTrustStoreAssociation": "another account's association, which exists (SDK)",
		"GetResourcePolicy":                 "only shared trust stores have a policy (SDK; without one believed)",
	}
}

func otherChecks() map[string]string {
	return map[string]string{
		"AddTags":               "20 ARNs; keys and values: length, characters, prefix aws:, no key twice; 50 tags a resource; all or none (SDK)",
		"RemoveTags":            "20 ARNs; keys that are not there are no error (SDK)",
		"DescribeTags":          "20 ARNs (SDK)",
		"DescribeAccountLimits": "the quotas that hold here (guide)",
	}
}
