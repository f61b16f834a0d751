package outcome

import (
	"slices"
	"time"

	"github.com/headgate/headgate/model"
)

// Lookup is when a stack is looked at again that misses something of which nobody tells but AWS. What was read is kept for up to twelve
// seconds more, so that what has cleared is noticed within half a minute.
const Lookup = 15 * time.Second

// Times after which AWS is asked again for what it refused and nobody changed since: a certificate may be issued by now, a bucket open. What
// that costs more than the refused calls, because other resources are to be made first, is done less often.
const (
	refusedAgain = 25 * time.Second
	dearlyAgain  = 5 * time.Minute
)

// AfterRefusal is when AWS is asked again for what it refused. Dear is how often in a row more was made for that than refused calls.
func AfterRefusal(dear int) time.Duration { return grow(refusedAgain, dearlyAgain, dear+1) }

// MayClear tells whether what a finding is about may pass by what somebody does in AWS, of which no event tells.
func MayClear(f model.Finding) bool {
	return slices.Contains([]string{
		"CertificateNotFound", "WebACLNotFound", "SubnetNotFound", "SubnetsNotUsable", "SecurityGroupNotFound", "PrefixListNotFound",
		"TrustStoreNotFound", model.ReasonNoTargetGroup, "ShieldNotSubscribed", "AddressTypeMismatch", ReasonQuota, ReasonDenied,
	}, f.Reason)
}

// Backoff is the time before the next try after so many failures in a row: first, doubled with each further one, and never more
// than half a minute, unless first is.
func Backoff(first time.Duration, failures int) time.Duration {
	return grow(first, max(first, longest), failures)
}

// grow is a time for the nth try: first, doubled with each further one, and never more than most.
func grow(first, most time.Duration, tries int) time.Duration {
	out := first
	for n := 1; n < tries && out < most; n++ {
		out = min(2*out, most)
	}
	return out
}
