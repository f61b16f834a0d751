package lattice

// Checks says of each operation what is checked, and where that is known from.
func Checks() map[string]string {
	const there = "form of the identifier (ValidationException), it exists (ResourceNotFoundException) (API reference)"
	const paged = "page size 1–100, token (API reference)"
	return map[string]string{
		"CreateServiceNetwork": "name, free (ConflictException); client token; 50 (ServiceQuotaExceededException, 402) (API reference, user guide)",
		"GetServiceNetwork":    there, "UpdateServiceNetwork": "an auth type (API reference)",
		"DeleteServiceNetwork": "no associations, also none on their way out (API reference, reports of users)", "ListServiceNetworks": paged,
		"CreateService": "name, free; form of custom domain, certificate that is there; client token; CREATE_IN_PROGRESS for half a minute (a guess); " +
			"2,000 (API reference, user guide)",
		"GetService":     there,
		"UpdateService":  "auth type, certificate of a service with a custom domain (API reference)",
		"DeleteService":  "no associations, not while it is made; again while it goes is no error; all that it has goes (API reference)",
		"ListServices":   paged,
		"CreateListener": "name and port free; TLS_PASSTHROUGH needs a custom domain and groups of TCP; action; client token; 2 (API reference, user guide)",
		"GetListener":    there, "UpdateListener": "the action (API reference)", "DeleteListener": "rules go too (API reference)", "ListListeners": paged,
		"CreateRule": "name and priority 1–100, free; match: method, path, 5 headers; forward to 1–10 groups that no other service uses, or 404 or " +
			"500; client token; " +
			"10 (API reference, user guide)",
		"GetRule": there, "UpdateRule": "as at creation; of a default rule the action only (API reference)",
		"BatchUpdateRule": "5 rules; each alone in the lists of the answer; rules may change places (API reference)",
		"DeleteRule":      "not the default rule (API reference)", "ListRules": "by priority, the default rule last; page size, token (API reference)",
		"CreateTargetGroup": "name, free; by type: VPC (ResourceNotFoundException), protocol, version, port, addresses, health check with " +
			"ranges and defaults; client token; 500 (API reference)",
		"GetTargetGroup": there, "UpdateTargetGroup": "the health check, of a group that is ACTIVE and can have one (API reference)",
		"DeleteTargetGroup": "ACTIVE, not in use, without targets, also draining ones (API reference, reports of users)",
		"ListTargetGroups":  "VPC, type; page size, token (API reference)",
		"RegisterTargets": "an ACTIVE group; 100 a call, 1,000; each target by type, alone in the lists of the answer (API " +
			"reference; codes of failures are guesses)",
		"DeregisterTargets": "100 a call; targets that are there; DRAINING for a minute where the group is in use (API reference)",
		"ListTargets": "20 in a filter; UNUSED, INITIAL, HEALTHY and UNHEALTHY by probes of the data plane (without one HEALTHY after " +
			"an interval), UNAVAILABLE without checks, DRAINING (API reference; reason codes but TargetGroupNotInUse are guesses)",
		"CreateServiceNetworkServiceAssociation": "not associated, nor on its way out; custom domain alone in the network; client token; 500 (API reference)",
		"GetServiceNetworkServiceAssociation":    there,
		"DeleteServiceNetworkServiceAssociation": "not while CREATE_IN_PROGRESS (ConflictException) (API reference)",
		"ListServiceNetworkServiceAssociations":  "a service or a network; page size, token (API reference)",
		"CreateServiceNetworkVpcAssociation":     "a VPC of no network; 5 security groups of the VPC; client token (API reference, user guide)",
		"GetServiceNetworkVpcAssociation":        there,
		"UpdateServiceNetworkVpcAssociation":     "ACTIVE; 1–5 security groups; then UPDATE_IN_PROGRESS (API reference)",
		"DeleteServiceNetworkVpcAssociation":     "not while CREATE_IN_PROGRESS or UPDATE_IN_PROGRESS (API reference)",
		"ListServiceNetworkVpcAssociations":      "a VPC or a network; page size, token (API reference)",
		"CreateAccessLogSubscription":            "bucket, log group or delivery stream, one of each for a resource; client token (API reference)",
		"GetAccessLogSubscription":               there, "UpdateAccessLogSubscription": "the destination as at creation (API reference)",
		"DeleteAccessLogSubscription": there, "ListAccessLogSubscriptions": "the resource; page size, token (API reference)",
		"PutAuthPolicy": "JSON of 10,000 characters without newlines; Inactive while the resource's auth type is NONE (API reference)",
		"GetAuthPolicy": there, "DeleteAuthPolicy": there, "PutResourcePolicy": "as PutAuthPolicy; it is not applied (API reference)",
		"GetResourcePolicy": there, "DeleteResourcePolicy": there, "TagResource": "50 tags (API reference)", "UntagResource": there,
		"ListTagsForResource": there,
	}
}
