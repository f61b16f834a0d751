package policy

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// condition is one operator on one key.
type condition struct {
	operator string
	// each is "", ForAnyValue or ForAllValues.
	each string
	// ifExists lets a call without the key pass.
	ifExists bool
	key      string
	values   []string
}

// How operators compare a value of the call with one of the policy. Those with Not are the opposite of another one.
func operators() map[string]func(got, want string) bool {
	equal := func(got, want string) bool { return got == want }
	return map[string]func(got, want string) bool{
		"StringEquals": equal, "StringEqualsIgnoreCase": strings.EqualFold, "StringLike": wild, "Bool": strings.EqualFold,
		"ArnEquals": wild, "ArnLike": wild,
	}
}

// positive gives the operator whose opposite an operator is.
func positive(operator string) (string, bool) {
	for _, kind := range []string{"String", "Arn"} {
		if rest, ok := strings.CutPrefix(operator, kind+"Not"); ok {
			return kind + rest, true
		}
	}
	return operator, false
}

func parseConditions(from map[string]map[string]texts) ([]condition, error) {
	var all []condition
	for _, name := range slices.Sorted(maps.Keys(from)) {
		each, operator, qualified := strings.Cut(name, ":")
		if !qualified {
			each, operator = "", name
		}
		operator, ifExists := strings.CutSuffix(operator, "IfExists")
		base, _ := positive(operator)
		if _, known := operators()[base]; !known && operator != "Null" || !slices.Contains([]string{"", "ForAnyValue", "ForAllValues"}, each) {
			return nil, fmt.Errorf("operator %s is not evaluated: %w", name, errPolicy)
		}
		for _, key := range slices.Sorted(maps.Keys(from[name])) {
			values := from[name][key]
			if slices.ContainsFunc(values, func(v string) bool { return strings.Contains(v, "${") }) {
				return nil, fmt.Errorf("the condition on %s has a variable, which is not evaluated: %w", key, errPolicy)
			}
			all = append(all, condition{operator, each, ifExists, strings.ToLower(key), values})
		}
	}
	return all, nil
}

// holds evaluates the condition on the keys of a call.
func (c condition) holds(keys map[string][]string) bool {
	got, present := keys[c.key]
	if c.operator == "Null" {
		return slices.Contains(c.values, strconv.FormatBool(!present))
	}
	base, negated := positive(c.operator)
	compare := operators()[base]
	matches := func(value string) bool {
		return slices.ContainsFunc(c.values, func(want string) bool { return compare(value, want) }) != negated
	}
	switch {
	case !present:
		return c.ifExists || negated || c.each == "ForAllValues"
	case c.each == "ForAllValues", negated && c.each == "":
		return !slices.ContainsFunc(got, func(v string) bool { return !matches(v) })
	default:
		return slices.ContainsFunc(got, matches)
	}
}

// wild compares a text with a pattern with * and ?, both of which also stand for slashes and colons.
func wild(text, pattern string) bool {
	t, p, star, mark := 0, 0, -1, 0
	for t < len(text) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, t
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == text[t]):
			p++
			t++
		case star >= 0:
			mark++
			p, t = star+1, mark
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}
