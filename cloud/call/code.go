package call

import "github.com/headgate/headgate/model/fault"

// prefixOf is the service's prefix in IAM actions, by its SDK name.
func prefixOf(service string) string {
	switch service {
	case "Elastic Load Balancing v2":
		return "elasticloadbalancing"
	case "EC2":
		return "ec2"
	case "ACM":
		return "acm"
	case "Route 53":
		return "route53"
	case "S3":
		return "s3"
	case "STS":
		return "sts"
	case "WAFV2":
		return "wafv2"
	case "WAF Regional":
		return "waf-regional"
	case "Shield":
		return "shield"
	default:
		return service
	}
}

// actionOf is an operation by the name that IAM has for the right to it.
func actionOf(service, operation string) string {
	if operation == "ListObjectsV2" {
		operation = "ListBucket"
	}
	return prefixOf(service) + ":" + operation
}

// classOf is the one place where AWS's codes are read. The codes are those of the ELBv2, EC2, ACM, S3, WAF and Shield API models, and the
// common ones of the Query and JSON protocols that no model lists.
func classOf(code string) fault.Class {
	switch code {
	case "LoadBalancerNotFound", "TargetGroupNotFound", "ListenerNotFound", "RuleNotFound", "CertificateNotFound",
		"SubnetNotFound", "ResourceNotFound", "TrustStoreNotFound", "AssociationNotFound", "AllocationIdNotFound",
		"InvalidGroup.NotFound", "InvalidPermission.NotFound", "InvalidSecurityGroupRuleId.NotFound",
		"InvalidVpcID.NotFound", "InvalidSubnetID.NotFound", "InvalidNetworkInterfaceID.NotFound",
		"InvalidAllocationID.NotFound", "InvalidInstanceID.NotFound", "InvalidPrefixListID.NotFound",
		"ResourceNotFoundException", "WAFNonexistentItemException", "CaCertificatesBundleNotFound", "NoSuchBucket", "NoSuchKey":
		return fault.NotFound
	case "ResourceInUse", "DependencyViolation", "InvalidGroup.InUse", "TrustStoreInUse", "ResourceInUseException",
		"TargetGroupAssociationLimit":
		return fault.InUse
	case "Throttling", "ThrottlingException", "ThrottledException", "RequestThrottled", "RequestThrottledException",
		"RequestLimitExceeded", "TooManyRequestsException", "EC2ThrottledException", "SlowDown",
		"BandwidthLimitExceeded", codeNoRoom:
		return fault.Throttled
	case "AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthFailure", "UnrecognizedClientException",
		"InvalidClientTokenId", "SignatureDoesNotMatch", "ExpiredToken", "ExpiredTokenException", "OptInRequired":
		return fault.Denied
	case "DuplicateLoadBalancerName", "DuplicateTargetGroupName", "DuplicateListener", "DuplicateTrustStoreName",
		"PriorityInUse", "InvalidGroup.Duplicate", "InvalidPermission.Duplicate", "ConflictException",
		"ResourceAlreadyExistsException":
		return fault.Conflict
	case "CapacityReservationPending", "TrustStoreNotReady", "RequestInProgressException", "IncorrectState",
		"HealthUnavailable", "PriorRequestNotComplete", "WAFUnavailableEntityException":
		return fault.Pending
	}
	if class := limitOf(code); class != "" {
		return class
	}
	return refusalOf(code)
}

func limitOf(code string) fault.Class {
	switch code {
	case "TooManyLoadBalancers", "TooManyListeners", "TooManyRules", "TooManyTargetGroups", "TooManyTargets",
		"TooManyCertificates", "TooManyActions", "TooManyTags", "TooManyTrustStores", "TooManyTrustStoreRevocationEntries",
		"TooManyRegistrationsForTargetId", "TooManyUniqueTargetGroupsPerLoadBalancer", "CapacityUnitsLimitExceeded",
		"CapacityDecreaseRequestLimitExceeded", "RulesPerSecurityGroupLimitExceeded", "SecurityGroupLimitExceeded",
		"SecurityGroupsPerInterfaceLimitExceeded", "TagLimitExceeded", "ResourceLimitExceeded", "LimitExceededException",
		"TooManyTagsException", "InsufficientCapacity", "LimitsExceededException", "WAFLimitsExceededException":
		return fault.Quota
	default:
		return ""
	}
}

func refusalOf(code string) fault.Class {
	switch code {
	case "ValidationError", "ValidationException", "InvalidConfigurationRequest", "InvalidSubnet", "InvalidSecurityGroup",
		"InvalidScheme", "InvalidTarget", "InvalidLoadBalancerAction", "IncompatibleProtocols", "OperationNotPermitted",
		"UnsupportedCertificate", "UnsupportedProtocol", "SSLPolicyNotFound", "ALPNPolicyNotFound",
		"AvailabilityZoneNotSupported", "DuplicateTagKeys", "InvalidCaCertificatesBundle", "InvalidParameter",
		"InvalidParameterValue", "InvalidParameterCombination", "InvalidParameterException", "InvalidPermission.Malformed",
		"InvalidGroupId.Malformed", "InvalidArnException", "InvalidTagException", "TagPolicyException", "MissingParameter",
		"MalformedQueryString", "InvalidAction", "CannotDelete", "WAFInvalidParameterException", "WAFInvalidOperationException",
		"WAFFeatureNotIncludedInPricingPlanException", "InvalidResourceException":
		return fault.Invalid
	default:
		return fault.Unknown
	}
}
