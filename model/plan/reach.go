package plan

import (
	"slices"
	"strings"

	"github.com/headgate/headgate/model"
)

// reach is which requests a rule can match, as far as it is needed to see that two rules have none in common. A nil set
// stands for all.
type reach struct {
	hosts   []string
	paths   []string
	methods []string
}

func reachOf(r model.Rule) reach {
	var out reach
	if hosts, ok := r.Hosts(); ok && !slices.ContainsFunc(hosts, patterned) {
		out.hosts = hosts
	}
	for _, c := range r.Conditions {
		switch {
		case c.Field == model.FieldMethod:
			out.methods = c.Values
		case c.Field == model.FieldPath && len(c.Regex) == 0:
			out.paths = c.Values
		}
	}
	return out
}

// patterned tells whether a host is a pattern beyond a leading "*.".
func patterned(host string) bool { return wild(strings.TrimPrefix(host, "*.")) }

func wild(value string) bool { return strings.ContainsAny(value, "*?") }

// meets tells whether one request may match both. In doubt it may.
func (r reach) meets(o reach) bool {
	return common(r.hosts, o.hosts, hostsMeet) && common(r.paths, o.paths, pathsMeet) && common(r.methods, o.methods, equal)
}

// common tells whether two sets have something in common.
func common(a, b []string, meet func(a, b string) bool) bool {
	if a == nil || b == nil {
		return true
	}
	for _, x := range a {
		for _, y := range b {
			if meet(x, y) {
				return true
			}
		}
	}
	return false
}

func equal(a, b string) bool { return a == b }

// pathsMeet compares path patterns by what comes before their first wildcard: a path that matches both begins with the one and the other.
func pathsMeet(a, b string) bool {
	headA, headB := head(a), head(b)
	switch {
	case headA == a && headB == b:
		return a == b
	case headA == a:
		return strings.HasPrefix(a, headB)
	case headB == b:
		return strings.HasPrefix(b, headA)
	default:
		return strings.HasPrefix(headA, headB) || strings.HasPrefix(headB, headA)
	}
}

func head(pattern string) string {
	if i := strings.IndexAny(pattern, "*?"); i >= 0 {
		return pattern[:i]
	}
	return pattern
}

// hostsMeet compares hosts, each exact or with a leading "*.".
func hostsMeet(a, b string) bool {
	a, b = strings.ToLower(a), strings.ToLower(b)
	restA, wildA := strings.CutPrefix(a, "*")
	restB, wildB := strings.CutPrefix(b, "*")
	switch {
	case wildA && wildB:
		return strings.HasSuffix(restA, restB) || strings.HasSuffix(restB, restA)
	case wildA:
		return strings.HasSuffix(b, restA)
	case wildB:
		return strings.HasSuffix(a, restB)
	default:
		return a == b
	}
}

// covers tells whether every request that r matches is matched by earlier too, as far as equal conditions show it.
func covers(earlier, r model.Rule) bool {
	for _, c := range earlier.Conditions {
		if !slices.ContainsFunc(r.Conditions, func(o model.Condition) bool {
			one := model.ContentOf(model.Rule{Conditions: []model.Condition{c}})
			other := model.ContentOf(model.Rule{Conditions: []model.Condition{o}})
			return one.Conditions == other.Conditions
		}) {
			return false
		}
	}
	return true
}
