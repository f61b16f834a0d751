package model

import (
	"math/rand/v2"
	"reflect"
	"regexp"
	"strings"
	"testing"
)

// near is a rule with at most one thing changed, often in a way that says the same.
func near(r *rand.Rand, rule Rule) Rule {
	out := NormalizeRule(rule)
	switch r.IntN(5) {
	case 0:
		for i := range out.Actions {
			if f := out.Actions[i].Forward; f != nil && len(f.Groups) > 0 {
				f.Groups[0].ARN, f.Groups[0].Weight = ARN(text(r)), r.IntN(3)
			}
		}
	case 1:
		if len(out.Conditions) > 0 {
			out.Conditions[0] = normalizeConditions([]Condition{randomCondition(r)})[0]
		}
	case 2:
		if len(out.Actions) > 0 {
			out.Actions[0] = randomAction(r)
		}
	case 3:
		for i, c := range out.Conditions {
			if hosts, ok := PlainHosts(c); ok {
				out.Conditions[i].Values, out.Conditions[i].Regex = hosts, nil
			}
		}
	}
	return NormalizeRule(out)
}

// TestAlikeAndMarksGoWithTheText holds that rules which are seen to be alike have the same text, that most which have it are seen so, and that
// conditions that match have the same mark.
func TestAlikeAndMarksGoWithTheText(t *testing.T) {
	t.Parallel()
	equal, seen, marked := 0, 0, 0
	for seed := range uint64(20000) {
		r := rand.New(rand.NewPCG(seed, 2))
		a := NormalizeRule(randomRule(r))
		b := near(r, a)
		same, alike := ContentOf(a) == ContentOf(b), Alike(&a, &b)
		if alike && !same {
			t.Fatalf("seed %d: alike, but not the same:\n%s\n%s", seed, encode(a), encode(b))
		}
		if same {
			equal++
		}
		if alike {
			seen++
		}
		if ContentOf(a).Matches(ContentOf(b)) && ConditionsMark(a.Conditions) != ConditionsMark(b.Conditions) {
			t.Fatalf("seed %d: the conditions match, and their marks differ:\n%s\n%s", seed, encode(a), encode(b))
		}
		if ConditionsMark(a.Conditions) != ConditionsMark(b.Conditions) {
			marked++
		}
	}
	if seen < equal/2 || equal < 1000 || marked < 1000 {
		t.Errorf("of %d rules that are the same %d are seen, and %d have other marks: the test shows nothing", equal, seen, marked)
	}
}

// TestWhatIsNormalIsShared compares what is left as it is where it is normal with what is copied and sorted.
func TestWhatIsNormalIsShared(t *testing.T) {
	t.Parallel()
	shared := 0
	for seed := range uint64(5000) {
		r := rand.New(rand.NewPCG(seed, 3))
		rules := []Rule{randomRule(r), randomRule(r)}
		if r.IntN(2) == 0 {
			rules = mapped(rules, NormalizeRule)
		}
		before := encode(rules)
		got, want := normalRules(rules), mapped(rules, NormalizeRule)
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("seed %d: %s, want %s", seed, encode(got), encode(want))
		}
		if encode(rules) != before {
			t.Fatalf("seed %d: the argument was changed", seed)
		}
		if &got[0] == &rules[0] {
			shared++
		}
	}
	if shared < 200 {
		t.Errorf("%d of 5000 are shared", shared)
	}
}

// TestPlainHostIsTheReverse compares reading an expression with writing that of the host again.
func TestPlainHostIsTheReverse(t *testing.T) {
	t.Parallel()
	found := 0
	for seed := range uint64(20000) {
		r := rand.New(rand.NewPCG(seed, 4))
		var host strings.Builder
		for range 1 + r.IntN(4) {
			host.WriteString(some(r, "a", "b", "A", ".", "*.", "*", `\`, `\.`, "-", "1", "é", "É", "+", ".+", "$", "_"))
		}
		regex := HostRegex(host.String())
		if r.IntN(2) == 0 {
			regex = hostRegexStart + host.String() + hostRegexEnd
		}
		if r.IntN(4) == 0 {
			regex = hostRegexStart + hostRegexWildcard + regexp.QuoteMeta(host.String()) + hostRegexEnd
		}
		got, ok := PlainHost(regex)
		if again := HostRegex(got); ok && again != regex {
			t.Fatalf("seed %d: %q is read as %q, which is written as %q", seed, regex, got, again)
		}
		body := strings.TrimSuffix(strings.TrimPrefix(regex, hostRegexStart), hostRegexEnd)
		rest, wild := strings.CutPrefix(body, hostRegexWildcard)
		plain := strings.ReplaceAll(rest, `\`, "")
		if wild {
			plain = "*." + plain
		}
		if want := plain != "*." && plain != "" && HostRegex(plain) == regex; ok != want {
			t.Fatalf("seed %d: %q is read: %v, want %v", seed, regex, ok, want)
		}
		if ok {
			found++
		}
	}
	if found < 1000 {
		t.Errorf("%d of 20000 are read", found)
	}
}
