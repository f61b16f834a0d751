package accelerator

// Checks says of each operation what is checked, and where that is known from.
func Checks() map[string]string {
	return map[string]string{
		"CreateAccelerator": "name; no addresses of one's own; token: the same accelerator again; 20; IN_PROGRESS for a minute after each change, " +
			"then DEPLOYED (API reference; the minute as users tell)",
		"DescribeAccelerator": "the accelerator exists (API reference)",
		"UpdateAccelerator":   "as at creation (API reference)",
		"ListAccelerators":    "page size 1–100, 10 unless given; token (InvalidNextTokenException) (API reference)",
		"DeleteAccelerator": "disabled, and that DEPLOYED (AcceleratorNotDisabledException); no listeners (AssociatedListenerFoundException) " +
			"(API reference, reports of users)",
		"DescribeAcceleratorAttributes": "the accelerator exists (API reference)",
		"UpdateAcceleratorAttributes":   "flow logs need a bucket and a prefix (API reference)",
		"CreateListener":                "port ranges, 10, free for the protocol (InvalidPortRangeException); token; 10 an accelerator (API reference)",
		"DescribeListener":              "the listener exists (API reference)",
		"UpdateListener":                "as at creation (API reference)",
		"ListListeners":                 "page size, token (API reference)",
		"DeleteListener":                "no endpoint groups (AssociatedEndpointGroupFoundException) (API reference)",
		"CreateEndpointGroup": "one a Region (EndpointGroupAlreadyExistsException); health check, dial, overrides of ports of the listener; endpoints that " +
			"exist in the Region and are active, 10; weight; client addresses by kind of endpoint; token (API reference)",
		"DescribeEndpointGroup": "health: INITIAL, HEALTHY once deployed, UNHEALTHY when the endpoint is gone (API reference; no probes)",
		"UpdateEndpointGroup":   "as at creation; what is not given stays (API reference)",
		"ListEndpointGroups":    "page size, token (API reference)",
		"DeleteEndpointGroup":   "the group exists (API reference)",
		"AddEndpoints":          "as at creation; not there yet with the same choice of client addresses (API reference)",
		"RemoveEndpoints":       "all of them are there (API reference)",
		"TagResource":           "an accelerator; 50 tags (API reference)",
		"UntagResource":         "an accelerator; a key that is not there is no error (API reference)",
		"ListTagsForResource":   "an accelerator (API reference)",
	}
}
