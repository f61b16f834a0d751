package annotations

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/headgate/headgate/model"
)

// Reasons of problems.
const (
	ReasonInvalid   = "InvalidAnnotation"
	ReasonUnserved  = "AnnotationNotServed"
	ReasonUnknown   = "UnknownAnnotation"
	ReasonMisplaced = "MisplacedAnnotation"
)

// Problem is something about one annotation.
type Problem struct {
	// Key with its prefix.
	Key      string
	Severity model.Severity
	Reason   string
	Message  string
}

// Check looks at every annotation of the table's prefix on an object of the place. Keys that are closed are left to the caller,
// who knows what they close; of those, too, the value must have its form. A key that is not known, and most like one that would
// restrict access and is not written, is a [model.Closed] problem: it closes all of the object.
func (t Table) Check(place Place, values map[string]string) []Problem {
	var out []Problem
	for _, full := range slices.Sorted(maps.Keys(values)) {
		key, ours := strings.CutPrefix(full, t.prefix)
		if !ours {
			continue
		}
		if p, bad := t.check(place, key, strings.TrimSpace(values[full])); bad {
			p.Key = full
			if p.Reason == ReasonUnknown && t.meansGuard(place, key, values) {
				p.Severity = model.Closed
				p.Message += " That restricts access: what it concerns answers 503 until it is spelled right, or taken away"
			}
			out = append(out, p)
		}
	}
	return out
}

// meansGuard tells whether a key that is not known was most likely to restrict access.
func (t Table) meansGuard(place Place, key string, values map[string]string) bool {
	near := t.near(key)
	spec, _, known := t.Find(near)
	_, written := values[t.prefix+near]
	return known && !written && spec.On&place != 0 && spec.guards(strings.TrimSpace(values[t.prefix+key]))
}

func (t Table) check(place Place, key, value string) (Problem, bool) {
	spec, _, known := t.Find(key)
	switch {
	case !known:
		return Problem{Severity: model.Warning, Reason: ReasonUnknown, Message: t.unknown(key)}, true
	case spec.Status == Ignored:
		return Problem{}, false
	case spec.On&place == 0:
		return Problem{
			Severity: model.Warning, Reason: ReasonMisplaced,
			Message: "has no effect here: write it on the " + spec.On.String(),
		}, true
	case spec.Status == Unserved && !spec.off(value):
		return Problem{
			Severity: model.Warning, Reason: ReasonUnserved,
			Message: "is not served yet: everything else of this object is",
		}, true
	case spec.Status == Unserved:
		return Problem{}, false
	}
	if value == "" && (spec.Type == List || spec.Type == Map) {
		return Problem{
			Severity: model.Warning, Reason: ReasonInvalid,
			Message: "is empty, which is the same as not writing it: write a value or leave it out",
		}, true
	}
	if err := spec.Parse(value); err != nil {
		return Problem{Severity: model.Wrong, Reason: ReasonInvalid, Message: err.Error()}, true
	}
	if spec.Odd != nil {
		if err := spec.Odd(value); err != nil {
			return Problem{Severity: model.Warning, Reason: ReasonInvalid, Message: err.Error()}, true
		}
	}
	return Problem{}, false
}

func (t Table) unknown(key string) string {
	if near := t.near(key); near != "" {
		return fmt.Sprintf("is no annotation that is known: did you mean %s%s?", t.prefix, near)
	}
	return "is no annotation that is known: leave it out"
}

func (p Place) String() string {
	switch p {
	case OnIngress:
		return "Ingress"
	case OnService:
		return "Service"
	default:
		return "Ingress or Service"
	}
}

func (s Spec) off(value string) bool { return slices.Contains(s.Off, strings.ToLower(value)) }

// Parse says what is wrong with a value, in a form that follows the key: `"x" is not a whole number …`.
func (s Spec) Parse(value string) error {
	switch s.Type {
	case Bool:
		_, err := parseBool(value)
		return err
	case Int:
		return s.parseInt(value)
	case List:
		for _, v := range parseList(value) {
			if err := s.look(v); err != nil {
				return err
			}
		}
		return nil
	case Map:
		if _, err := parseMap(value); err != nil {
			return err
		}
		return s.look(value)
	case JSON, String:
	}
	if len(s.Values) > 0 && !slices.Contains(s.Values, value) {
		return fmt.Errorf("%s is not allowed: write one of %s", quote(value), strings.Join(s.Values, ", "))
	}
	return s.look(value)
}

func (s Spec) parseInt(value string) error {
	n, err := parseInt(value)
	if err == nil && (n < s.Min || n > s.Max) {
		err = fmt.Errorf("%s is out of bounds", quote(value))
	}
	if err != nil {
		return fmt.Errorf("%w: write a number from %d to %d", err, s.Min, s.Max)
	}
	return nil
}

func (s Spec) look(value string) error {
	if s.Check == nil {
		return nil
	}
	return s.Check(value)
}
