package model

import "slices"

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
