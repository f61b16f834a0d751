package zones

// Checks says of each operation what is checked, and where that is known from.
func Checks() map[string]string {
	return map[string]string{
		"CreateHostedZone": "caller reference, never used before, also by a deleted zone (HostedZoneAlreadyExists); domain name; a private zone needs a " +
			"VPC of the Region that sees no zone of that name (InvalidVPCId, ConflictingDomainExists); no reusable delegation sets; 500 (API reference, " +
			"developer guide)",
		"GetHostedZone":                 "the zone exists (NoSuchHostedZone); name servers of a public one, VPCs of a private one (API reference)",
		"GetHostedZoneCount":            "nothing (API reference)",
		"UpdateHostedZoneComment":       "256 characters (API reference)",
		"DeleteHostedZone":              "no records but the NS and SOA of its name (HostedZoneNotEmpty) (API reference)",
		"ListHostedZones":               "marker; pages of 100 at most (API reference)",
		"ListHostedZonesByName":         "order by reversed labels; an ID needs a name; pages of 100 at most (API reference)",
		"ListHostedZonesByVPC":          "the VPC exists (InvalidVPCId); page size, token (API reference)",
		"AssociateVPCWithHostedZone":    "a private zone (PublicZoneVPCAssociation); a VPC that sees no zone of that name (API reference)",
		"DisassociateVPCFromHostedZone": "the association exists and is not the last one (VPCAssociationNotFound, LastVPCAssociation) (API reference)",
		"ChangeResourceRecordSets": "all or nothing, with all that is wrong in one InvalidChangeBatch; what a change must have (InvalidInput); names " +
			"in the " +
			"zone; CREATE of what is there, DELETE of what is not, or is different; SOA and NS stay; CNAME alone, never at the apex; forms of values; " +
			"routing policies of one kind; aliases to records of the zone, or to load balancers by their own zone; 1,000 values and 32,000 " +
			"characters, UPSERT twice; " +
			"10,000 records (API reference, developer guide, messages as users report them)",
		"ListResourceRecordSets": "order by reversed labels, type and identifier; start; pages of 300 at most (API reference)",
		"GetChange":              "the change exists (NoSuchChange); PENDING for a minute, then INSYNC (API reference, developer guide)",
		"ChangeTagsForResource":  "a zone; 10 a call, 50 a zone (API reference)",
		"ListTagsForResource":    "a zone; there are no health checks (NoSuchHealthCheck) (API reference)",
		"ListTagsForResources":   "10 zones (API reference)",
	}
}
