package build

import (
	"fmt"
	"slices"

	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/intent"
)

// Limits of the conditions of one rule (ELB quotas: condition values and wildcards per rule; ELBv2 API: length of a value).
const (
	maxValues    = 5
	maxWildcards = 5
	maxLength    = 128
)

// conditions gives the conditions of the rules that together match what m does: one rule, or several side by side where one cannot
// hold all values, at most limit. A match that AWS cannot express gives a problem instead.
func conditions(m intent.Match, limit int) (rules [][]model.Condition, problem string) {
	dims, problem := dimensions(m)
	if problem != "" {
		return nil, problem
	}
	if len(dims) == 0 {
		dims = []model.Condition{{Field: model.FieldPath, Values: []string{"/*"}}}
	}
	if len(dims) > maxValues {
		return nil, fmt.Sprintf("the match has %d conditions, and AWS takes %d values a rule; match by fewer", len(dims), maxValues)
	}
	for _, sizes := range chunkings(dims) {
		if product(dims, sizes) > limit {
			break
		}
		rules = combine(dims, sizes)
		if !slices.ContainsFunc(rules, tooWild) {
			return rules, ""
		}
	}
	if len(rules) > 0 {
		return nil, fmt.Sprintf("the match has more than %d wildcards (* and ?), and AWS takes no more in a rule; use fewer, or "+
			"a regular expression", maxWildcards)
	}
	return nil, fmt.Sprintf("the match would need more than the %d rules of a load balancer; match by fewer values", limit)
}

// dimensions are the conditions of a match without regard to how many values a rule can have.
func dimensions(m intent.Match) ([]model.Condition, string) {
	var dims []model.Condition
	for _, one := range []func(intent.Match) ([]model.Condition, string){
		hostConditions, pathConditions, callConditions, headerConditions, queryConditions, methodConditions, sourceConditions,
	} {
		more, problem := one(m)
		if problem != "" {
			return nil, problem
		}
		dims = append(dims, more...)
	}
	for i := range dims {
		dims[i] = model.NormalizeRule(model.Rule{Conditions: dims[i : i+1]}).Conditions[0]
	}
	return dims, ""
}

// size counts the values of a condition, all of which count toward the limit.
func size(c model.Condition) int { return len(c.Values) + len(c.Regex) + len(c.Query) }

// chunkings are the ways to cut the conditions' values into pieces that fit into one rule, those with the fewest rules first.
func chunkings(dims []model.Condition) [][]int {
	out := [][]int{nil}
	for _, d := range dims {
		var next [][]int
		for _, head := range out {
			for n := min(size(d), maxValues); n >= 1; n-- {
				next = append(next, append(slices.Clone(head), n))
			}
		}
		out = next
	}
	out = slices.DeleteFunc(out, func(sizes []int) bool {
		total := 0
		for _, n := range sizes {
			total += n
		}
		return total > maxValues
	})
	slices.SortStableFunc(out, func(a, b []int) int { return product(dims, a) - product(dims, b) })
	return out
}

// product is how many rules a chunking makes.
func product(dims []model.Condition, sizes []int) int {
	const enough = 1 << 20
	rules := 1
	for i, d := range dims {
		rules = min(enough, rules*((size(d)+sizes[i]-1)/sizes[i]))
	}
	return rules
}

// combine makes the rules of a chunking.
func combine(dims []model.Condition, sizes []int) [][]model.Condition {
	out := [][]model.Condition{nil}
	for i, d := range dims {
		var next [][]model.Condition
		for _, head := range out {
			for _, piece := range pieces(d, sizes[i]) {
				next = append(next, append(slices.Clone(head), piece))
			}
		}
		out = next
	}
	return out
}

// pieces cuts a condition into such with n values. Its values are all of one sort.
func pieces(c model.Condition, n int) []model.Condition {
	var out []model.Condition
	for v := range slices.Chunk(c.Values, n) {
		out = append(out, model.Condition{Field: c.Field, Header: c.Header, Values: v})
	}
	for v := range slices.Chunk(c.Regex, n) {
		out = append(out, model.Condition{Field: c.Field, Header: c.Header, Regex: v})
	}
	for v := range slices.Chunk(c.Query, n) {
		out = append(out, model.Condition{Field: c.Field, Query: v})
	}
	return out
}

// tooWild tells whether the conditions of one rule have more wildcards than AWS takes.
func tooWild(rule []model.Condition) bool {
	n := 0
	for _, c := range rule {
		for _, v := range c.Values {
			n += wildcards(v)
		}
		for _, q := range c.Query {
			n += wildcards(q.Key) + wildcards(q.Value)
		}
	}
	return n > maxWildcards
}

// wildcards counts the wildcards of a value that are not escaped.
func wildcards(s string) int {
	n := 0
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '*', '?':
			n++
		}
	}
	return n
}
