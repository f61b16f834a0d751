package zones

import (
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	dnstypes "github.com/aws/aws-sdk-go-v2/service/route53/types"
)

// Answer is what a hosted zone says of a name.
type Answer struct {
	// Held says that the name is in a zone, Exists that it has records, or names below it that have.
	Held, Exists bool
	// Kind, Values and TTL are those of the records: of the kind that was asked for, or CNAME.
	Kind   string
	Values []string
	TTL    int64
	// Alias is the name that is meant instead, without its period; empty where there are values.
	Alias string
}

// Lookup answers a question for records of a kind, as A or AAAA, by the zone that is nearest to the name, a private one first: the resolver
// of a VPC sees it so. Of record sets with a routing policy the first one by its identifier answers that has a weight.
func (s *Zones) Lookup(name, kind string) Answer {
	name = canonical(name)
	z := s.nearest(name)
	if z == nil {
		return Answer{}
	}
	owner, ok := z.owner(name)
	answer := Answer{Held: true, Exists: ok}
	for _, r := range z.sorted() {
		wanted := string(r.Type) == kind || r.Type == dnstypes.RRTypeCname
		if *r.Name != owner || !wanted || r.Weight != nil && *r.Weight == 0 {
			continue
		}
		answer.Kind, answer.TTL = string(r.Type), aws.ToInt64(r.TTL)
		if r.AliasTarget != nil {
			answer.Alias = bare(*r.AliasTarget.DNSName)
			return answer
		}
		for _, one := range r.ResourceRecords {
			answer.Values = append(answer.Values, aws.ToString(one.Value))
		}
		return answer
	}
	return answer
}

// nearest gives the zone with the longest name that a name is in.
func (s *Zones) nearest(name string) *zone {
	var best *zone
	for _, z := range s.zones.All() {
		own := *z.shape.Name
		if !within(name, own) {
			continue
		}
		if best == nil || len(own) > len(*best.shape.Name) || own == *best.shape.Name && z.private() && !best.private() {
			best = z
		}
	}
	return best
}

// owner gives the name whose records answer for a name: its own, or a wildcard's. False means that there is no such name.
func (z *zone) owner(name string) (string, bool) {
	const wildcard = `\052.`
	for at := name; ; {
		if slices.ContainsFunc(z.sorted(), func(r dnstypes.ResourceRecordSet) bool { return within(*r.Name, at) }) {
			return at, at == name || strings.HasPrefix(at, wildcard)
		}
		_, parent, _ := strings.Cut(strings.TrimPrefix(at, wildcard), ".")
		if !within(parent, *z.shape.Name) {
			return name, false
		}
		at = wildcard + parent
	}
}
