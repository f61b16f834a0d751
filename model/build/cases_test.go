package build_test

import (
	"testing"

	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/build"
	"github.com/headgate/headgate/model/intent"
)

// TestCaseOfValues (invariant 8): of two matches that differ by case alone, where AWS looks at none, the owner of the second is told.
func TestCaseOfValues(t *testing.T) {
	header := func(name, value string) intent.Match {
		return intent.Match{Headers: []intent.Header{{Name: name, Values: []string{value}}}}
	}
	query := func(key, value string) intent.Match {
		return intent.Match{Queries: []intent.Query{{Pairs: []model.QueryPair{{Key: key, Value: value}}}}}
	}
	path := func(value string) intent.Match { return intent.Match{Paths: paths(intent.PathExact, value)} }
	at := func(m intent.Match, host string) intent.Match {
		m.Hosts = []string{host}
		return m
	}
	for _, row := range []struct {
		why           string
		first, second intent.Match
		to            string
		order         intent.Order
		told          int
	}{
		{"a header's value", header("x", "Blue"), header("x", "blue"), "b", intent.BySpecificity, 1},
		{"its name counts in no case", header("X", "Blue"), header("x", "blue"), "b", intent.BySpecificity, 1},
		{"a parameter's value", query("q", "Blue"), query("q", "blue"), "b", intent.BySpecificity, 1},
		{"a parameter's key", query("Q", "blue"), query("q", "blue"), "b", intent.BySpecificity, 1},
		{"another value", header("x", "blue"), header("x", "green"), "b", intent.BySpecificity, 0},
		{"the very same match is the specification's to settle", header("x", "blue"), header("x", "blue"), "b", intent.BySpecificity, 0},
		{"the same answer", header("x", "Blue"), header("x", "blue"), "a", intent.BySpecificity, 0},
		{"another host", at(header("x", "Blue"), "a.example.com"), at(header("x", "blue"), "b.example.com"), "b", intent.BySpecificity, 0},
		{"paths have a case", path("/A"), path("/a"), "b", intent.BySpecificity, 0},
		{"conditions annotations are AWS's own", header("x", "Blue"), header("x", "blue"), "b", intent.ByFragment, 0},
	} {
		first, second := route("", "", "a"), route("", "", row.to)
		first.Match, second.Match, second.Field = row.first, row.second, "second"
		in := group(fragment("a", first), fragment("b", second))
		in.Order = row.order
		var memory build.Memory
		for range 2 { // what is remembered tells the same
			got := memory.Build(in, facts()).Findings
			same(t, row.why, "findings", len(got), row.told)
			for _, f := range got {
				same(t, row.why, "finding", []any{f.Reason, f.Severity, f.Object.Name, f.Field, f.Port}, []any{"CaseIgnored", model.Warning, "b", "second", 80})
			}
		}
	}
}

// TestSurplusBackendIsNamed (invariant 8): the first backend that is one too many.
func TestSurplusBackendIsNamed(t *testing.T) {
	r := route("", "", "")
	r.Forward = to("a", "b", "a", "c", "d", "e", "f", "g")
	for i := range r.Forward.Backends {
		r.Forward.Backends[i].Field = string(rune('0' + i))
	}
	got := build.Build(group(fragment("web", r)), facts()).Findings
	same(t, "six groups, of which one has two shares", "findings", len(got), 1)
	same(t, "the sixth", "place", []string{got[0].Reason, got[0].Field}, []string{"TooManyBackends", "6"})
}
