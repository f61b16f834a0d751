package sim

import (
	"encoding/binary"
	"hash/fnv"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/headgate/headgate/cloud/sim/fault"
	"github.com/headgate/headgate/cloud/sim/shape"
	"github.com/headgate/headgate/cloud/sim/wire"
)

// Consistency is how long calls do not see what other calls did. Each thing gets a delay of its own, between half of it and all of it.
type Consistency struct {
	// Lists is the delay until a created thing is in lists, and in describes by filter; and until GetResources of the tagging API sees a
	// change of tags. A describe that names the thing finds it at once.
	Lists fault.Duration `json:"lists,omitempty"`
	// Names is the delay until a created thing is found by its ARN or identifier. Until then calls that name it fail as if it were not there.
	Names fault.Duration `json:"names,omitempty"`
}

// visibility knows what is not yet visible.
type visibility struct {
	rules Consistency
	seed  uint64
	// listed and named are when things can be seen, by ARN and identifier.
	listed, named map[string]time.Time
}

func newVisibility(rules Consistency, seed uint64) *visibility {
	return &visibility{rules: rules, seed: seed, listed: map[string]time.Time{}, named: map[string]time.Time{}}
}

func (v *visibility) on() bool { return v.rules != Consistency{} }

// delay gives a thing its share of a delay, always the same for the same thing and seed.
func (v *visibility) delay(whole fault.Duration, id string) time.Duration {
	h := fnv.New64a()
	var seed [8]byte
	binary.BigEndian.PutUint64(seed[:], v.seed)
	_, _ = h.Write(seed[:])    // never fails
	_, _ = h.Write([]byte(id)) // never fails
	const half = 1 << 10
	return time.Duration(whole) / (2 * half) * time.Duration(half+h.Sum64()%half)
}

// missing gives the error for a call that names what cannot be found yet; nil without one.
func (s *Simulator) missing(service string, in any) error {
	v := s.disturber.visibility
	if v.rules.Names == 0 {
		return nil
	}
	for _, text := range shape.Texts(in) {
		if at, ok := v.named[text]; ok && s.account.Now().Before(at) {
			if err := notFound(service, text); err != nil {
				return err
			}
		}
	}
	return nil
}

// notFound gives the error of a service for a thing that it does not know; nil where it has none that is known here.
func notFound(service, id string) error {
	for _, one := range []struct{ service, part, code, message string }{
		{"elasticloadbalancing", ":loadbalancer/", "LoadBalancerNotFound", "One or more load balancers not found"},
		{"elasticloadbalancing", ":targetgroup/", "TargetGroupNotFound", "One or more target groups not found"},
		{"elasticloadbalancing", ":listener/", "ListenerNotFound", "One or more listeners not found"},
		{"elasticloadbalancing", ":listener-rule/", "RuleNotFound", "One or more rules not found"},
		{"elasticloadbalancing", ":certificate/", "CertificateNotFound", "Certificate ARN '" + id + "' is not valid"},
		{"elasticloadbalancing", "sg-", "InvalidSecurityGroup", "One or more security groups are invalid"},
		{"acm", ":certificate/", "ResourceNotFoundException", "Could not find certificate " + id + "."},
		{"ec2", "sg-", "InvalidGroup.NotFound", "The security group '" + id + "' does not exist"},
		{"ec2", "subnet-", "InvalidSubnetID.NotFound", "The subnet ID '" + id + "' does not exist"},
		{"ec2", "eni-", "InvalidNetworkInterfaceID.NotFound", "The networkInterface ID '" + id + "' does not exist"},
	} {
		if one.service == service && (strings.HasPrefix(id, one.part) || strings.HasPrefix(one.part, ":") && strings.Contains(id, one.part)) {
			return wire.Errorf(one.code, "%s", one.message)
		}
	}
	return nil
}

// made remembers what a call created.
func (s *Simulator) made(o wire.Operation, out any) {
	v, now := s.disturber.visibility, s.account.Now()
	if !v.on() || !makes(o.Name) {
		return
	}
	for _, t := range shape.Things(out) {
		for _, id := range t.IDs {
			if _, known := v.listed[id]; known {
				continue
			}
			v.listed[id] = now.Add(s.account.Scale(v.delay(v.rules.Lists, t.IDs[0])))
			v.named[id] = now.Add(s.account.Scale(v.delay(v.rules.Names, t.IDs[0])))
		}
	}
}

// filter takes out of a list what is not yet in lists. What the call names stays.
func (s *Simulator) filter(in, out any) {
	v, now := s.disturber.visibility, s.account.Now()
	if v.rules.Lists == 0 {
		return
	}
	hidden := func(id string) bool { return now.Before(v.listed[id]) }
	var named map[string]bool
	shape.Keep(out, func(t shape.Thing) bool {
		if !slices.ContainsFunc(t.IDs, hidden) {
			return true
		}
		if named == nil {
			named = map[string]bool{}
			for _, text := range shape.Texts(in) {
				named[text] = true
			}
		}
		return named[t.Name] && t.Name != "" || slices.ContainsFunc(t.IDs, func(id string) bool { return named[id] })
	})
}

// resourcesOf gives the ARNs of what an input names and an output has.
func (s *Simulator) resourcesOf(in, out any) []string {
	all := map[string]bool{}
	add := func(text string) {
		if arn := s.asARN(text); arn != "" {
			all[arn] = true
		}
	}
	for _, text := range shape.Texts(in) {
		add(text)
	}
	for _, t := range shape.Things(out) {
		for _, id := range t.IDs {
			add(id)
		}
	}
	return slices.Sorted(maps.Keys(all))
}

// tagsNow gives the tags of what a call names, to be held by the tagging API if the call changes them.
func (s *Simulator) tagsNow(o wire.Operation, in any) map[string]map[string]string {
	now := map[string]map[string]string{}
	if s.disturber.visibility.rules.Lists == 0 || o.Kind == wire.Read {
		return nil
	}
	for _, arn := range s.resourcesOf(in, nil) {
		now[arn] = s.tags.TagsOf(arn)
	}
	return now
}

// holdTags lets the tagging API show what was before a call.
func (s *Simulator) holdTags(before map[string]map[string]string, in, out any) {
	v, now := s.disturber.visibility, s.account.Now()
	if v.rules.Lists == 0 {
		return
	}
	for _, arn := range s.resourcesOf(in, out) {
		if tags := s.tags.TagsOf(arn); !maps.Equal(tags, before[arn]) {
			s.tags.Hold(arn, before[arn], now.Add(s.account.Scale(v.delay(v.rules.Lists, arn))))
		}
	}
}
