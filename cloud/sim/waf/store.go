package waf

import (
	"fmt"
	"regexp"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	waftypes "github.com/aws/aws-sdk-go-v2/service/wafv2/types"

	"github.com/headgate/headgate/cloud/sim/account"
	"github.com/headgate/headgate/cloud/sim/listing"
	"github.com/headgate/headgate/cloud/sim/table"
	"github.com/headgate/headgate/cloud/sim/wire"
)

// Firewall is WAFv2.
type Firewall struct {
	// Tags are those of web ACLs, IP sets, rule groups and regex pattern sets.
	Tags *listing.Tags

	account     *account.Account
	propagation time.Duration
	used        associations
	acls        table.Table[*webACL]
	sets        table.Table[*ipSet]
	groups      table.Table[*ruleGroup]
	patterns    table.Table[*patternSet]
	// logging holds where the logs of web ACLs go, by their ARNs.
	logging map[string]waftypes.LoggingConfiguration
}

// entity is what web ACLs, IP sets, rule groups and regex pattern sets have alike.
type entity struct {
	arn, id, name string
	scope         waftypes.Scope
	lock          string
	created       time.Time
}

func (e *entity) self() *entity { return e }

type webACL struct {
	entity
	shape waftypes.WebACL
}

type ipSet struct {
	entity
	shape waftypes.IPSet
}

type ruleGroup struct {
	entity
	shape waftypes.RuleGroup
}

// Options say how long things take on AWS. Durations are before the account's speed divides them.
type Options struct {
	// Propagation is how long a new web ACL cannot be associated, nor any with a load balancer that is not active yet: seconds to minutes on
	// AWS. Zero: no time at all.
	Propagation time.Duration
}

// New makes an account without web ACLs.
func New(a *account.Account, b Balancers, o Options) *Firewall {
	return &Firewall{
		Tags:    listing.NewTags(listing.Codes{Invalid: "WAFInvalidParameterException", TooMany: "WAFLimitsExceededException"}),
		account: a, propagation: a.Scale(o.Propagation), used: associations{balancers: b, held: map[string]string{}},
		logging: map[string]waftypes.LoggingConfiguration{},
	}
}

// Service gives the WAFv2 API.
func (f *Firewall) Service() wire.Service {
	return wire.Service{
		Name: "wafv2", Target: "AWSWAF_20190729", Protocol: wire.JSON{Invalid: "WAFInvalidParameterException"},
		Operations: wire.Table(slices.Concat(f.aclOperations(), f.setOperations(), f.groupOperations(), f.patternOperations(), f.loggingOperations(),
			f.otherOperations())...),
	}
}

func (f *Firewall) otherOperations() []wire.Operation {
	return []wire.Operation{
		wire.Writes("AssociateWebACL", f.associate),
		wire.Writes("DisassociateWebACL", f.disassociate),
		wire.Reads("GetWebACLForResource", f.getForResource),
		wire.Reads("ListResourcesForWebACL", f.listResources),
		wire.Reads("CheckCapacity", f.checkCapacity),
		wire.Writes("TagResource", f.tagResource),
		wire.Writes("UntagResource", f.untagResource),
		wire.Reads("ListTagsForResource", f.listTags),
	}
}

// Dump gives everything that the firewall holds, in the shapes of the API.
func (f *Firewall) Dump() any {
	var out struct {
		WebACLs      []waftypes.WebACL
		IPSets       []waftypes.IPSet
		RuleGroups   []waftypes.RuleGroup
		RegexSets    []waftypes.RegexPatternSet
		Logging      map[string]waftypes.LoggingConfiguration
		Associations map[string]string
		Tags         map[string]map[string]string
	}
	for _, a := range f.acls.All() {
		out.WebACLs = append(out.WebACLs, a.shape)
	}
	for _, s := range f.sets.All() {
		out.IPSets = append(out.IPSets, s.shape)
	}
	for _, g := range f.groups.All() {
		out.RuleGroups = append(out.RuleGroups, g.shape)
	}
	for _, p := range f.patterns.All() {
		out.RegexSets = append(out.RegexSets, p.shape)
	}
	out.Logging = f.logging
	f.used.sweep()
	out.Associations, out.Tags = f.used.held, f.Tags.Tagged()
	return out
}

func invalid(format string, args ...any) error {
	return wire.Errorf("WAFInvalidParameterException", "Error reason: "+format, args...)
}

func nonexistent() error {
	return wire.Errorf("WAFNonexistentItemException", "AWS WAF couldn't perform the operation because your resource doesn't exist.")
}

func stale() error {
	return wire.Errorf("WAFOptimisticLockException",
		"AWS WAF couldn't save your changes because someone changed the resource after you started to edit it. Reapply your changes.")
}

func limited(format string, args ...any) error {
	return wire.Errorf("WAFLimitsExceededException", "AWS WAF couldn't perform the operation because you exceeded your resource limit: "+format, args...)
}

// Forms of names and descriptions (WAFv2 API reference).
var (
	nameForm        = regexp.MustCompile(`^[\w\-]{1,128}$`)
	descriptionForm = regexp.MustCompile(`^[\w+=:#@/\-,.][\w+=:#@/\-,.\s]+[\w+=:#@/\-,.]$`)
)

const maxDescription = 256

// checkScope refuses the scope of CloudFront outside of its region.
func (f *Firewall) checkScope(scope waftypes.Scope) error {
	if scope == waftypes.ScopeRegional || scope == waftypes.ScopeCloudfront && f.account.Region == "us-east-1" {
		return nil
	}
	return invalid("The scope is not valid., field: SCOPE_VALUE, parameter: %s", scope)
}

// draft is what a call says of an entity that it makes.
type draft struct {
	kind              string
	scope             waftypes.Scope
	name, description *string
	tags              []waftypes.Tag
}

// begin checks a draft and gives the entity, which is not kept yet, with its tags.
func (f *Firewall) begin(d draft) (entity, map[string]string, error) {
	name := aws.ToString(d.name)
	if err := f.checkScope(d.scope); err != nil {
		return entity{}, nil, err
	}
	if !nameForm.MatchString(name) {
		return entity{}, nil, invalid("The name '%s' must have 1 to 128 letters, digits, hyphens and underscores", name)
	}
	if err := checkDescription(d.description); err != nil {
		return entity{}, nil, err
	}
	if d.tags != nil && len(d.tags) == 0 {
		return entity{}, nil, invalid("The list of tags is empty, field: TAGS")
	}
	tags, err := listing.Read(f.Tags, d.tags, tagParts)
	if err != nil {
		return entity{}, nil, fmt.Errorf("reading tags: %w", err)
	}
	where := map[waftypes.Scope]string{waftypes.ScopeRegional: "regional/", waftypes.ScopeCloudfront: "global/"}[d.scope]
	e := entity{id: f.account.UUID(), lock: f.account.UUID(), name: name, scope: d.scope, created: f.account.Now()}
	e.arn = f.account.ARN("wafv2", where+d.kind+"/"+name+"/"+e.id)
	return e, tags, nil
}

func checkDescription(text *string) error {
	if text != nil && (len(*text) > maxDescription || !descriptionForm.MatchString(*text)) {
		return invalid("The description '%s' has forbidden characters or more than %d", *text, maxDescription)
	}
	return nil
}

// roomFor refuses one entity more than the quota, and a second one with a name in its scope.
func roomFor[T interface{ self() *entity }](t *table.Table[T], e entity) error {
	number := 0
	for _, other := range t.All() {
		if other.self().scope != e.scope {
			continue
		}
		if other.self().name == e.name {
			return wire.Errorf("WAFDuplicateItemException",
				"AWS WAF couldn't perform the operation because some resource in your request is a duplicate of an existing one.")
		}
		number++
	}
	if number >= maxEntities {
		return limited("%d of a kind in a Region", maxEntities)
	}
	return nil
}

// maxEntities is the default quota of web ACLs, of IP sets and of rule groups in a Region (WAF developer guide, "AWS WAF quotas").
const maxEntities = 100

// address is how a call names an entity: by name, ID and scope, or by ARN where the call knows one.
type address struct {
	arn, name, id *string
	scope         waftypes.Scope
}

// find gives the entity that a call names.
func find[T interface{ self() *entity }](f *Firewall, t *table.Table[T], a address) (T, error) {
	var none T
	if a.arn != nil && a.name == nil && a.id == nil {
		if found, ok := t.Get(*a.arn); ok {
			return found, nil
		}
		return none, nonexistent()
	}
	if a.name == nil || a.id == nil || a.arn != nil {
		return none, invalid("An entity is named either by its ARN or by its name, ID and scope")
	}
	if err := f.checkScope(a.scope); err != nil {
		return none, err
	}
	for _, one := range t.All() {
		if e := one.self(); e.name == *a.name && e.id == *a.id && e.scope == a.scope {
			return one, nil
		}
	}
	return none, nonexistent()
}

// change finds an entity for a caller who read it last with the given lock token.
func change[T interface{ self() *entity }](f *Firewall, t *table.Table[T], a address, lock *string) (T, error) {
	found, err := find(f, t, a)
	if err == nil && found.self().lock != aws.ToString(lock) {
		err = stale()
	}
	return found, err
}

const mostListed = 100

// list gives a page of the entities of a scope.
func list[T interface{ self() *entity }](f *Firewall, t *table.Table[T], scope waftypes.Scope, limit *int32, marker *string) ([]T, *string, error) {
	if err := f.checkScope(scope); err != nil {
		return nil, nil, err
	}
	size := int(aws.ToInt32(limit))
	if limit == nil {
		size = mostListed
	}
	if size < 1 || size > mostListed {
		return nil, nil, invalid("The limit must be between 1 and %d", mostListed)
	}
	all := slices.DeleteFunc(t.Values(), func(one T) bool { return one.self().scope != scope })
	page, next, ok := listing.Page(all, size, aws.ToString(marker))
	if !ok {
		return nil, nil, invalid("The next marker is not valid")
	}
	if next == "" {
		return page, nil, nil
	}
	return page, &next, nil
}
