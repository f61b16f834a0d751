package zones

import (
	"cmp"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	dnstypes "github.com/aws/aws-sdk-go-v2/service/route53/types"
)

// policy is how Route 53 chooses among record sets of one name and type.
type policy string

// The policies. A record set with none stands alone.
const (
	simple   policy = ""
	weighted policy = "Weight"
	latency  policy = "Region"
	failover policy = "Failover"
	places   policy = "GeoLocation"
	nearness policy = "GeoProximityLocation"
	many     policy = "MultiValueAnswer"
	ranges   policy = "CidrRoutingConfig"
)

// policiesOf lists the policies that a record set asks for.
func policiesOf(r dnstypes.ResourceRecordSet) []policy {
	var all []policy
	for _, one := range []struct {
		asked bool
		is    policy
	}{
		{r.Weight != nil, weighted}, {r.Region != "", latency}, {r.Failover != "", failover}, {r.GeoLocation != nil, places},
		{r.GeoProximityLocation != nil, nearness}, {r.MultiValueAnswer != nil, many}, {r.CidrRoutingConfig != nil, ranges},
	} {
		if one.asked {
			all = append(all, one.is)
		}
	}
	return all
}

func policyOf(r dnstypes.ResourceRecordSet) policy {
	if all := policiesOf(r); len(all) > 0 {
		return all[0]
	}
	return simple
}

// Limits of a record set (API reference, ResourceRecordSet).
const (
	mostValues        = 400
	longestIdentifier = 128
	longestTTL        = 1<<31 - 1
	mostWeight        = 255
)

// checkChange checks the shape of one change, before anything is looked up.
func checkChange(c dnstypes.Change) error {
	r := c.ResourceRecordSet
	if r == nil || r.Name == nil || r.Type == "" || c.Action == "" {
		return invalid("Invalid request: a change needs an action, and a record set with a name and a type")
	}
	where := fmt.Sprintf("in Change with [Action=%s, Name=%s, Type=%s, SetIdentifier=%s]", c.Action, canonical(*r.Name), r.Type,
		cmp.Or(aws.ToString(r.SetIdentifier), "null"))
	switch {
	case !proper(canonical(*r.Name)):
		return refused("FATAL problem: DomainLabelInvalid (Domain label is empty or too long) encountered with '" + *r.Name + "'")
	case r.TrafficPolicyInstanceId != nil:
		return invalid("Invalid request: traffic policy instances are made by their own operations %s", where)
	case r.HealthCheckId != nil:
		return absent("NoSuchHealthCheck", "The health check %s does not exist.", *r.HealthCheckId)
	}
	if err := checkAnswer(r, where); err != nil {
		return err
	}
	return checkPolicy(r, where)
}

// checkAnswer demands either values or an alias.
func checkAnswer(r *dnstypes.ResourceRecordSet, where string) error {
	const choice = "Invalid request: Expected exactly one of [AliasTarget, all of [TTL, and ResourceRecords], or TrafficPolicyInstanceId], but found "
	values := r.TTL != nil || len(r.ResourceRecords) > 0
	switch {
	case values && r.AliasTarget != nil:
		return invalid(choice+"more than one %s", where)
	case !values && r.AliasTarget == nil:
		return invalid(choice+"none %s", where)
	case values && r.TTL == nil:
		return invalid("Invalid request: Missing field 'TTL' %s", where)
	case values && len(r.ResourceRecords) == 0:
		return invalid("Invalid request: Missing field 'ResourceRecords' %s", where)
	case r.AliasTarget != nil && (aws.ToString(r.AliasTarget.DNSName) == "" || aws.ToString(r.AliasTarget.HostedZoneId) == ""):
		return invalid("Invalid request: Missing field 'DNSName' or 'HostedZoneId' %s", where)
	default:
		return nil
	}
}

// checkPolicy checks what a record set says of its choice among others.
func checkPolicy(r *dnstypes.ResourceRecordSet, where string) error {
	asked := len(policiesOf(*r))
	switch {
	case asked == 0 && r.SetIdentifier != nil:
		return invalid("Invalid request: Missing field 'Weight', 'Region', 'GeoLocation', 'Failover' or 'MultiValueAnswer' %s", where)
	case asked > 1:
		return invalid("Invalid request: Expected at most one routing policy, but found %d %s", asked, where)
	case asked == 1 && (aws.ToString(r.SetIdentifier) == "" || len(*r.SetIdentifier) > longestIdentifier):
		return invalid("Invalid request: Missing field 'SetIdentifier' %s", where)
	case r.Weight != nil && (*r.Weight < 0 || *r.Weight > mostWeight):
		return invalid("Invalid request: the weight must be between 0 and %d %s", mostWeight, where)
	case r.TTL != nil && (*r.TTL < 0 || *r.TTL > longestTTL):
		return invalid("Invalid request: the TTL must be between 0 and %d %s", longestTTL, where)
	case len(r.ResourceRecords) > mostValues:
		return invalid("Invalid request: a record set has up to %d values %s", mostValues, where)
	default:
		return nil
	}
}

// normal gives a record set as Route 53 keeps it.
func normal(r dnstypes.ResourceRecordSet) dnstypes.ResourceRecordSet {
	r.Name = aws.String(canonical(*r.Name))
	if r.AliasTarget != nil {
		a := *r.AliasTarget
		a.DNSName = aws.String(canonical(*a.DNSName))
		r.AliasTarget = &a
	}
	return r
}

// same reports whether a deletion names a record set as it is.
func same(held, named dnstypes.ResourceRecordSet) bool {
	if (held.AliasTarget == nil) != (named.AliasTarget == nil) || policyOf(held) != policyOf(named) {
		return false
	}
	if a, b := held.AliasTarget, named.AliasTarget; a != nil {
		return *a.DNSName == *b.DNSName && *a.HostedZoneId == *b.HostedZoneId && a.EvaluateTargetHealth == b.EvaluateTargetHealth
	}
	return *held.TTL == *named.TTL && aws.ToInt64(held.Weight) == aws.ToInt64(named.Weight) && slices.Equal(values(held), values(named))
}

func values(r dnstypes.ResourceRecordSet) []string {
	all := make([]string, 0, len(r.ResourceRecords))
	for _, one := range r.ResourceRecords {
		all = append(all, aws.ToString(one.Value))
	}
	slices.Sort(all)
	return all
}

// checkValues says what is wrong with the values of a record set.
func checkValues(r dnstypes.ResourceRecordSet) []string {
	var messages []string
	all := values(r)
	for i, v := range all {
		if i > 0 && v == all[i-1] {
			messages = append(messages, fmt.Sprintf("Duplicate Resource Record: '%s'", v))
			continue
		}
		if problem := wrong(r.Type, v); problem != "" {
			messages = append(messages, fmt.Sprintf("Invalid Resource Record: 'FATAL problem: %s encountered with '%s''", problem, v))
		}
	}
	if r.Type == dnstypes.RRTypeCname && len(all) > 1 {
		messages = append(messages, fmt.Sprintf("Invalid Resource Record: 'FATAL problem: a CNAME record has one value, and %s has %d'", *r.Name, len(all)))
	}
	return messages
}

// The forms of values (developer guide, "Supported DNS record types").
var (
	hostForm    = regexp.MustCompile(`^[A-Za-z0-9_*.\\-]+$`)
	mailForm    = regexp.MustCompile(`^\d{1,5} [A-Za-z0-9_.-]+$`)
	serviceForm = regexp.MustCompile(`^\d{1,5} \d{1,5} \d{1,5} [A-Za-z0-9_.-]+$`)
	issuerForm  = regexp.MustCompile(`^\d{1,3} [A-Za-z0-9]+ ".*"$`)
	textForm    = regexp.MustCompile(`^"([^"\\]|\\.)*"( +"([^"\\]|\\.)*")*$`)
	partForm    = regexp.MustCompile(`"([^"\\]|\\.)*"`)
)

// wrong says what is wrong with a value of a type; "" if nothing is.
func wrong(kind dnstypes.RRType, value string) string {
	a, err := netip.ParseAddr(value)
	const fields = 7
	switch kind {
	case dnstypes.RRTypeA:
		return unless(err == nil && a.Is4(), "ARRDATAIllegalIPv4Address (Value is not a valid IPv4 address)")
	case dnstypes.RRTypeAaaa:
		return unless(err == nil && a.Is6() && a.Zone() == "", "AAAARRDATAIllegalIPv6Address (Value is not a valid IPv6 address)")
	case dnstypes.RRTypeCname, dnstypes.RRTypeNs, dnstypes.RRTypePtr:
		return unless(hostForm.MatchString(value) && proper(canonical(value)), "DomainNameInvalid (Value is not a valid domain name)")
	case dnstypes.RRTypeMx:
		return unless(mailForm.MatchString(value), "MXRRDATAInvalid (Value is not a priority and a domain name)")
	case dnstypes.RRTypeSrv:
		return unless(serviceForm.MatchString(value), "SRVRRDATANotFourFields (Value is not priority, weight, port and domain name)")
	case dnstypes.RRTypeCaa:
		return unless(issuerForm.MatchString(value), "CAARRDATAInvalid (Value is not flags, tag and quoted value)")
	case dnstypes.RRTypeTxt, dnstypes.RRTypeSpf:
		return wrongText(value)
	case dnstypes.RRTypeSoa:
		return unless(len(strings.Fields(value)) == fields, "SOARRDATANotSevenFields (Value has not seven fields)")
	default:
		return unless(value != "", "Value is empty")
	}
}

// wrongText checks quoted strings of up to 255 characters, 4,000 in all.
func wrongText(value string) string {
	const longest, longestPart = 4000, 255
	switch {
	case !textForm.MatchString(value):
		return "InvalidCharacterString (Value should be enclosed in quotation marks)"
	case len(value) > longest:
		return "TXTRDATATooLong (Value is too long)"
	case slices.ContainsFunc(partForm.FindAllString(value, -1), func(p string) bool { return len(p) > longestPart+len(`""`) }):
		return "CharacterStringTooLong (Value is too long)"
	default:
		return ""
	}
}

func unless(good bool, problem string) string {
	if good {
		return ""
	}
	return problem
}
