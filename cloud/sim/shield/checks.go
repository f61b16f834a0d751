package shield

// Checks says of each operation what is checked, and where that is known from.
func Checks() map[string]string {
	return map[string]string{
		"GetSubscriptionState": "INACTIVE until there is a subscription (API reference)",
		"DescribeSubscription": "there is a subscription (API reference)",
		"CreateSubscription":   "there is none yet (ResourceAlreadyExistsException) (API reference)",
		"UpdateSubscription":   "the renewal changes in the last 30 days of the year only (LockedSubscriptionException) (API reference)",
		"CreateProtection": "a subscription; name; an application load balancer or an allocated address that exists (InvalidResourceException); " +
			"one a resource (ResourceAlreadyExistsException); 1,000 of a type (API reference)",
		"DescribeProtection":  "either an ID or the ARN of a resource (API reference)",
		"ListProtections":     "a subscription; filters of one value; page size; token (InvalidPaginationTokenException) (API reference)",
		"DeleteProtection":    "by ID; a protection outlives its resource (API reference; the latter is not documented)",
		"TagResource":         "a protection; 50 tags (API reference)",
		"UntagResource":       "a key that is not there is no error (API reference)",
		"ListTagsForResource": "a protection (API reference)",
	}
}
