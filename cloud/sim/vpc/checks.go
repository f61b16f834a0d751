package vpc

import "maps"

// Checks says of each operation what is checked, beside that what is named exists, and where that is known from.
func Checks() map[string]string {
	all := networkChecks()
	maps.Copy(all, groupChecks())
	maps.Copy(all, interfaceChecks())
	maps.Copy(all, poolChecks())
	return all
}

func networkChecks() map[string]string {
	return map[string]string{
		"CreateVpc":             "size of the block (InvalidVpc.Range); comes with main route table and default security group (VPC guide)",
		"DescribeVpcs":          "filters, page size (API reference)",
		"DeleteVpc":             "no subnets, groups, route tables, gateway, active peering (DependencyViolation) (API reference)",
		"ModifyVpcAttribute":    "the VPC exists (API reference)",
		"DescribeVpcAttribute":  "attribute (API reference)",
		"AssociateVpcCidrBlock": "no overlap (CidrConflict) (API reference)",
		"CreateSubnet": "block in the VPC (InvalidSubnet.Range), free (InvalidSubnet.Conflict); zone that is opted into; " +
			"Outpost by its form (API reference)",
		"DescribeSubnets":             "filters, page size; free addresses shrink with every interface and delegated prefix (VPC guide)",
		"AssociateSubnetCidrBlock":    "one IPv6 block of the VPC, /44 to /64 by four, that no other subnet has (VPC guide)",
		"DisassociateSubnetCidrBlock": "no addresses of it in use (DependencyViolation) (API reference)",
		"DescribeVpcEndpoints":        "there are none: filters, identifiers (InvalidVpcEndpointId.NotFound) (API reference)",
		"DeleteSubnet":                "no interfaces (DependencyViolation) (API reference)",
		"ModifySubnetAttribute":       "the subnet exists (API reference)",
		"CreateRouteTable":            "the VPC exists (API reference)",
		"DescribeRouteTables":         "filters, page size 5–100 (API reference)",
		"DeleteRouteTable":            "no associations (DependencyViolation) (API reference)",
		"CreateRoute":                 "destination, target that exists, not there yet (RouteAlreadyExists) (API reference)",
		"DeleteRoute":                 "the route exists (InvalidRoute.NotFound) (error codes)",
		"AssociateRouteTable":         "one table a subnet (Resource.AlreadyAssociated) (error codes)",
		"DisassociateRouteTable":      "the association exists; not the main one (API reference)",
		"CreateInternetGateway":       "tags (API reference)",
		"DescribeInternetGateways":    "filters, page size (API reference)",
		"DeleteInternetGateway":       "not attached (DependencyViolation) (API reference)",
		"AttachInternetGateway":       "one a VPC, one VPC a gateway (Resource.AlreadyAssociated) (error codes)",
		"DetachInternetGateway":       "attached there (Gateway.NotAttached) (error codes)",
		"CreateVpcPeeringConnection": "blocks do not overlap; one a pair of VPCs (VpcPeeringConnectionAlreadyExists); same account and Region; " +
			"waits a week (peering guide)",
		"AcceptVpcPeeringConnection":    "waits to be accepted (InvalidStateTransition) (peering guide)",
		"RejectVpcPeeringConnection":    "waits to be accepted (InvalidStateTransition) (peering guide)",
		"DeleteVpcPeeringConnection":    "active or waiting (InvalidStateTransition) (peering guide)",
		"DescribeVpcPeeringConnections": "filters, page size (API reference)",
		"DescribeAvailabilityZones":     "names and identifiers; the local zone with AllAvailabilityZones or once it is opted into (API reference)",
		"ModifyAvailabilityZoneGroup":   "the group of the local zone; opting in only (API reference)",
		"DescribeRegions":               "only the Region that is simulated (API reference)",
		"DescribeAccountAttributes":     "the quotas that hold here (API reference)",
		"CreateTags":                    "1,000 resources; 50 tags; lengths; aws: (API reference)",
		"DeleteTags":                    "as CreateTags; a value must fit, if one is given (API reference)",
		"DescribeTags":                  "filters, page size (API reference)",
	}
}

func groupChecks() map[string]string {
	rules := "all or nothing; ports, protocol, peers, description; blocks without host bits; duplicate (InvalidPermission.Duplicate); 60 rules by direction " +
		"and family, a prefix list counting as its size; groups of the VPC, of a peer of it, or associated with it (API reference, VPC quotas)"
	revoke := "all or nothing (InvalidPermission.NotFound, InvalidSecurityGroupRuleId.NotFound) (API reference)"
	describe := "named by permission or identifier, description (API reference)"
	return map[string]string{
		"CreateSecurityGroup": "name and description: characters, length; unique in a VPC whatever its case (InvalidGroup.Duplicate); " +
			"2,500 a Region (API reference)",
		"DescribeSecurityGroups": "form of identifiers, names, filters, page size (API reference)",
		"DeleteSecurityGroup": "no interface has it, no rule of its VPC refers to it, no association (DependencyViolation); not the " +
			"default one (API reference)",
		"AuthorizeSecurityGroupIngress":              rules,
		"AuthorizeSecurityGroupEgress":               rules,
		"RevokeSecurityGroupIngress":                 revoke,
		"RevokeSecurityGroupEgress":                  revoke,
		"DescribeSecurityGroupRules":                 "identifiers, filters, page size (API reference)",
		"ModifySecurityGroupRules":                   "as authorizing; one peer a rule; quota (API reference)",
		"UpdateSecurityGroupRuleDescriptionsIngress": describe,
		"UpdateSecurityGroupRuleDescriptionsEgress":  describe,
		"DescribeSecurityGroupReferences":            "groups of active peers that refer to a group (API reference)",
		"DescribeStaleSecurityGroups":                "rules whose group over a peering connection is gone, or the connection; page size 5–255 (peering guide)",
		"GetSecurityGroupsForVpc":                    "groups of the VPC and those associated with it; filters (API reference)",
		"AssociateSecurityGroupVpc":                  "not the default group, not there yet (VPC guide)",
		"DisassociateSecurityGroupVpc":               "associated, and no interface there has it (DependencyViolation) (VPC guide)",
		"DescribeSecurityGroupVpcAssociations":       "filters, page size (API reference)",
		"CreateManagedPrefixList": "name, family, size 1–1000, 100 entries a call (PrefixListMaxEntriesExceeded); token; 100 a " +
			"Region (API reference)",
		"ModifyManagedPrefixList": "version (PrefixListVersionMismatch); entries (InvalidPrefixListModification) or size, not both; a size that " +
			"a group has no room for ends in modify-failed (API reference)",
		"DeleteManagedPrefixList":          "while something refers to it the deletion ends in delete-failed (reports of users)",
		"DescribeManagedPrefixLists":       "form of identifiers, filters, page size 1–100 (API reference)",
		"DescribePrefixLists":              "those of AWS, with made-up entries (API reference)",
		"GetManagedPrefixListEntries":      "version, page size 1–100 (API reference)",
		"GetManagedPrefixListAssociations": "groups and route tables; page size 5–255 (API reference)",
	}
}

func interfaceChecks() map[string]string {
	return map[string]string{
		"DescribeNetworkInterfaces": "filters; page size not with identifiers; those of load balancers described as `ELB app/NAME/ID` (API reference)",
		"CreateNetworkInterface": "addresses of the subnet, free; five groups of the VPC (SecurityGroupsPerInterfaceLimitExceeded); /28 " +
			"prefixes; token (API reference)",
		"DeleteNetworkInterface":          "not attached (API reference)",
		"ModifyNetworkInterfaceAttribute": "not of a load balancer (AuthFailure); groups as at creation (API reference)",
		"AssignPrivateIpAddresses": "one of addresses, their number, /28 prefixes, their number; room (InsufficientFreeAddressesInSubnet, " +
			"InsufficientCidrBlocks) (API reference)",
		"UnassignPrivateIpAddresses": "all of them are there, the primary one stays (API reference)",
		"AssignIpv6Addresses":        "in the subnet's IPv6 block and free, or so many; /80 prefixes; 50 an interface (API reference; the code believed)",
		"UnassignIpv6Addresses":      "all of them are there (API reference)",
		"RunInstances": "number, subnet, groups, metadata options; token; instances run at once, only what a load balancer sees " +
			"of them is kept (API reference)",
		"DescribeInstances":             "form of identifiers, filters; page size not with identifiers (API reference)",
		"StartInstances":                "not terminated (IncorrectInstanceState); they run at once (API reference)",
		"StopInstances":                 "not terminated (IncorrectInstanceState), no hibernation; they stand at once (API reference)",
		"AttachNetworkInterface":        "free (InvalidNetworkInterface.InUse), the instance's zone, 15 devices; not of a load balancer (API reference)",
		"DetachNetworkInterface":        "attached (InvalidAttachmentID.NotFound), not the first one; not of a load balancer (API reference)",
		"TerminateInstances":            "all of them exist (API reference)",
		"ModifyInstanceMetadataOptions": "not terminated (IncorrectInstanceState); hops 1–64 (API reference)",
		"AllocateAddress": "five a Region (AddressLimitExceeded); one pool (InvalidParameterCombination); addresses of 203.0.113.0/24, " +
			"or of the pool (API reference)",
		"DescribeAddresses": "allocations, addresses (InvalidAddress.NotFound), filters (API reference)",
		"ReleaseAddress":    "not associated (InvalidIPAddress.InUse) (API reference)",
		"AssociateAddress": "gateway (Gateway.NotAttached); not associated, unless it may be moved (Resource.AlreadyAssociated); not with " +
			"what a load balancer owns (API reference)",
		"DisassociateAddress": "the association exists (InvalidAssociationID.NotFound); not one of a load balancer (AuthFailure) (API reference)",
	}
}

func poolChecks() map[string]string {
	return map[string]string{
		"CreateCoipPool":            "route table of a local gateway, by its form only (API reference)",
		"DeleteCoipPool":            "no addresses (DependencyViolation) (API reference)",
		"CreateCoipCidr":            "no overlap (API reference)",
		"DeleteCoipCidr":            "in the pool, no addresses (API reference)",
		"DescribeCoipPools":         "identifiers (InvalidPoolID.NotFound), filters, page size (API reference)",
		"GetCoipPoolUsage":          "filters, page size (API reference)",
		"CreateIpam":                "one a Region (IPAM quotas); token (API reference)",
		"DeleteIpam":                "no pools, unless it cascades over private ones (API reference)",
		"DescribeIpams":             "filters, page size (API reference)",
		"DescribeIpamScopes":        "filters, page size (API reference)",
		"CreateIpamPool":            "scope (InvalidIpamScopeId.NotFound), family, locale, what is for public scopes only; token (API reference)",
		"DeleteIpamPool":            "no allocations, no CIDRs unless it cascades, no pools from it (API reference)",
		"DescribeIpamPools":         "identifiers (InvalidIpamPoolId.NotFound), filters, page size (API reference)",
		"ProvisionIpamPoolCidr":     "CIDR or size, by size from Amazon's for public pools only; no overlap in the scope; token (API reference)",
		"DeprovisionIpamPoolCidr":   "no allocations (API reference)",
		"GetIpamPoolCidrs":          "filters, page size (API reference)",
		"AllocateIpamPoolCidr":      "in the pool and free, or a size that it allows; token (API reference)",
		"ReleaseIpamPoolAllocation": "identifier and CIDR together; none of a resource (API reference)",
		"GetIpamPoolAllocations":    "filters, page size 1,000–100,000 (API reference)",
	}
}
