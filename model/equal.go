package model

import (
	"slices"
	"strings"
)

// Content is what a rule does, as comparable text: two rules with equal content answer every request alike. Tags, priority,
// ARN and member are no part of it.
type Content struct {
	// Conditions is the text of the conditions.
	Conditions string
	// Plain is the text of the conditions with hosts of the form of [HostRegex] written as plain values, which is how the
	// incumbent encodes the same match. It equals Conditions where there are none.
	Plain string
	// Answer is the text of actions and transforms.
	Answer string
}

// ContentOf reads the content of a rule.
func ContentOf(r Rule) Content {
	conditions := normalConditions(r.Conditions)
	buffer := make([]byte, 0, textSize)
	text := string(appendConditions(buffer, conditions))
	answer := appendActions(buffer, canonical(r.Actions))
	if len(r.Transforms) == 0 {
		answer = append(answer, null...)
	} else {
		answer = append(answer, encode(r.Transforms)...)
	}
	return Content{Conditions: text, Plain: plainConditions(conditions, text), Answer: string(answer)}
}

// Matches tells whether an observed content has the conditions that c asks for, in c's encoding or in the incumbent's.
func (c Content) Matches(observed Content) bool {
	return c.Conditions == observed.Conditions || c.Plain == observed.Conditions
}

// Equals tells whether an observed content does what c asks for.
func (c Content) Equals(observed Content) bool {
	return c.Answer == observed.Answer && c.Matches(observed)
}

// Alike tells whether two rules in normal form are seen to have equal contents without writing these down. False says nothing.
func Alike(a, b *Rule) bool {
	return slices.EqualFunc(a.Conditions, b.Conditions, SameCondition) && slices.EqualFunc(a.Actions, b.Actions, Action.alike) &&
		slices.Equal(a.Transforms, b.Transforms)
}

// SameCondition tells whether two conditions in normal form are the same.
func SameCondition(a, b Condition) bool {
	return a.Field == b.Field && a.Header == b.Header && slices.Equal(a.Values, b.Values) && slices.Equal(a.Regex, b.Regex) &&
		slices.Equal(a.Query, b.Query)
}

// alike is [Alike] of actions: those that guard are written down.
func (a Action) alike(b Action) bool {
	return a.Type == b.Type && !a.Guards() && !b.Guards() && samePointed(a.Redirect, b.Redirect) && samePointed(a.FixedResponse, b.FixedResponse) &&
		a.Forward.alike(b.Forward)
}

func (f *Forward) alike(o *Forward) bool {
	if f == nil || o == nil {
		return f == o
	}
	return f.StickySeconds == o.StickySeconds && (f.Groups == nil) == (o.Groups == nil) &&
		slices.EqualFunc(f.Groups, o.Groups, func(g, h WeightedGroup) bool {
			lone := len(f.Groups) == 1 && g.Weight != 0 && h.Weight != 0
			return g.Key == h.Key && (g.Key != "" || g.ARN == h.ARN) && (g.Weight == h.Weight || lone)
		})
}

// ConditionsMark is a number that is equal for conditions that [Content.Matches] finds equal, in whichever encoding of hosts. Others mostly
// have another one.
func ConditionsMark(conditions []Condition) uint64 {
	out := uint64(len(conditions))
	for i := range conditions {
		c := &conditions[i]
		sum := markOf(c.Field) + 3*markOf(c.Header)
		for _, v := range c.Values {
			sum += markOfValue(c.Field, v)
		}
		for _, v := range c.Regex {
			sum += markOfValue(c.Field, strings.TrimSuffix(v, hostRegexEnd))
		}
		for _, q := range c.Query {
			sum += markOf(q.Key) ^ 7*markOf(q.Value)
		}
		out += sum * sum
	}
	return out
}

// markOfValue takes letters and digits only of a host: those do not depend on its encoding.
func markOfValue(field, value string) uint64 {
	if field != FieldHost {
		return markOf(value)
	}
	out := uint64(markStart)
	for i := range len(value) {
		if c := value[i]; c >= 'a' && c <= 'z' || c >= '0' && c <= '9' {
			out = (out ^ uint64(c)) * markFactor
		}
	}
	return out
}

// FNV-1a.
const (
	markStart  = 14695981039346656037
	markFactor = 1099511628211
)

func markOf(s string) uint64 {
	out := uint64(markStart)
	for i := range len(s) {
		out = (out ^ uint64(s[i])) * markFactor
	}
	return out
}

func samePointed[T comparable](a, b *T) bool { return a == b || a != nil && b != nil && *a == *b }

// ActionsText is the canonical text of actions. The weight of a lone target group says nothing unless it is 0, and the ARN of
// a group that has a key neither.
func ActionsText(actions []Action) string {
	return string(appendActions(make([]byte, 0, textSize), canonical(actions)))
}

// ActionsEqual tells whether both answer alike.
func ActionsEqual(a, b []Action) bool { return ActionsText(a) == ActionsText(b) }

// Identity is the permission without its description, which is how EC2 tells permissions apart.
func (p Permission) Identity() Permission {
	p.Description = ""
	return p
}

// Hosts are the host names that a rule's host condition names, in plain writing; ok is false where it may match any other
// host: without a host condition, or with expressions or patterns beyond a leading "*.".
func (r Rule) Hosts() (hosts []string, ok bool) {
	for _, c := range r.Conditions {
		if c.Field != FieldHost {
			continue
		}
		if plain, encoded := PlainHosts(c); encoded {
			return plain, true
		}
		return c.Values, len(c.Regex) == 0 && len(c.Values) > 0
	}
	return nil, false
}

func plainConditions(conditions []Condition, text string) string {
	if !slices.ContainsFunc(conditions, func(c Condition) bool { return c.Field == FieldHost && len(c.Regex) > 0 }) {
		return text
	}
	changed := false
	out := mapped(conditions, func(c Condition) Condition {
		if hosts, ok := PlainHosts(c); ok {
			c.Values, c.Regex, changed = hosts, nil, true
		}
		return c
	})
	if !changed {
		return text
	}
	return string(appendConditions(make([]byte, 0, textSize), normalConditions(out)))
}
