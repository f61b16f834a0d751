package listing

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/headgate/headgate/cloud/sim/wire"
)

// Limits of tags, the same in nearly every service (AWS general reference, "Tag naming limits").
const (
	mostTags  = 50
	mostKey   = 128
	mostValue = 256
)

// Codes are the error codes of a service for tags.
type Codes struct {
	// Invalid is for a tag that AWS refuses, TooMany for more tags than a resource may have.
	Invalid, TooMany string
}

// Tags holds the tags of a service's resources by ARN: of all resources that exist, also of those without tags.
type Tags struct {
	codes Codes
	held  map[string]map[string]string
}

// NewTags makes tags without resources.
func NewTags(c Codes) *Tags { return &Tags{codes: c, held: map[string]map[string]string{}} }

// Put gives a resource the tags that it was made with.
func (t *Tags) Put(arn string, tags map[string]string) {
	if tags == nil {
		tags = map[string]string{}
	}
	t.held[arn] = tags
}

// Drop forgets a resource.
func (t *Tags) Drop(arn string) { delete(t.held, arn) }

// Has reports whether a resource exists.
func (t *Tags) Has(arn string) bool { return t.held[arn] != nil }

// Of gives the tags of a resource.
func (t *Tags) Of(arn string) map[string]string { return maps.Clone(t.held[arn]) }

// Tagged gives the resources that have tags.
func (t *Tags) Tagged() map[string]map[string]string {
	all := map[string]map[string]string{}
	for arn, tags := range t.held {
		if len(tags) > 0 {
			all[arn] = maps.Clone(tags)
		}
	}
	return all
}

// Tag gives a resource more tags. It reports false if there is no such resource.
func (t *Tags) Tag(arn string, fresh map[string]string) (bool, error) {
	if !t.Has(arn) {
		return false, nil
	}
	merged := t.Of(arn)
	for k, v := range fresh {
		if err := t.check(k, v); err != nil {
			return true, err
		}
		merged[k] = v
	}
	if err := t.checkNumber(merged); err != nil {
		return true, err
	}
	t.held[arn] = merged
	return true, nil
}

// Untag takes tags from a resource. It reports false if there is no such resource.
func (t *Tags) Untag(arn string, keys []string) bool {
	for _, k := range keys {
		delete(t.held[arn], k)
	}
	return t.Has(arn)
}

// CheckKeys refuses keys that no tag can have, as calls that take tags away do. A key that is not there is none of them.
func (t *Tags) CheckKeys(keys []string) error {
	for _, k := range keys {
		if err := t.check(k, ""); err != nil {
			return err
		}
	}
	return nil
}

// allowed are the characters of keys and values.
var allowed = regexp.MustCompile(`^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$`)

func (t *Tags) check(key, value string) error {
	switch {
	case key == "" || len([]rune(key)) > mostKey || len([]rune(value)) > mostValue || !allowed.MatchString(key) || !allowed.MatchString(value):
		return wire.Errorf(t.codes.Invalid, "The tag '%s' is not valid: a key has 1 to %d characters and a value up to %d.", key, mostKey, mostValue)
	case strings.HasPrefix(strings.ToLower(key), "aws:"):
		return wire.Errorf(t.codes.Invalid, "The tag key '%s' begins with aws:, which is reserved.", key)
	default:
		return nil
	}
}

func (t *Tags) checkNumber(tags map[string]string) error {
	if len(tags) > mostTags {
		return wire.Errorf(t.codes.TooMany, "A resource can have at most %d tags.", mostTags)
	}
	return nil
}

// Read checks the tags of a call: each is well formed, and no key comes twice. The function takes a tag of the SDK apart.
func Read[T any](t *Tags, in []T, parts func(T) (key, value *string)) (map[string]string, error) {
	all := make(map[string]string, len(in))
	for _, one := range in {
		k, v := parts(one)
		key, value := text(k), text(v)
		if err := t.check(key, value); err != nil {
			return nil, err
		}
		if _, twice := all[key]; twice {
			return nil, wire.Errorf(t.codes.Invalid, "The tag key '%s' was specified more than once.", key)
		}
		all[key] = value
	}
	return all, t.checkNumber(all)
}

// Write gives the tags of a resource sorted by key. The function makes a tag of the SDK.
func Write[T any](t *Tags, arn string, one func(key, value *string) T) []T {
	all := []T{}
	tags := t.held[arn]
	for _, k := range slices.Sorted(maps.Keys(tags)) {
		all = append(all, one(new(k), new(tags[k])))
	}
	return all
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
