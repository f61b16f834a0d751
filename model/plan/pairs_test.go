package plan

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/headgate/headgate/model"
)

// contents are numbered contents as rules have them: few, so that they meet; some with another encoding of their hosts.
func contents(r *rand.Rand, most int) []numbered {
	out := make([]numbered, r.IntN(most))
	for i := range out {
		n := r.IntN(most)
		out[i] = numbered{conditions: n, plain: n, answer: r.IntN(3)}
		if r.IntN(3) == 0 {
			out[i].plain = r.IntN(most)
		}
	}
	return out
}

// edited is a list with a few changes.
func edited(r *rand.Rand, list []numbered) []numbered {
	out := slices.Clone(list)
	for range r.IntN(3) {
		more := contents(r, 8)
		at := r.IntN(len(out) + 1)
		out = slices.Insert(out, at, more[:min(len(more), 1)]...)
		if at < len(out) && r.IntN(2) == 0 {
			out = slices.Delete(out, at, at+1)
		}
	}
	return out
}

// TestPairsAreTheHeaviest compares what is found when the equal ends are left alone with what is found when every pair is looked at.
func TestPairsAreTheHeaviest(t *testing.T) {
	t.Parallel()
	for seed := range uint64(5000) {
		r := rand.New(rand.NewPCG(seed, 7))
		want := contents(r, 12)
		have := edited(r, want)
		got, best := inOrder(want, have), heaviest(want, have)
		last, pairs, bestPairs := -1, 0, 0
		for i, j := range got.haveOf {
			if j >= 0 && (j <= last || !want[i].matches(have[j]) || got.same[i] != want[i].equals(have[j])) {
				t.Fatalf("seed %d: %v of %v and %v is no matching in order", seed, got, want, have)
			}
			if j >= 0 {
				last, pairs = j, pairs+1
			}
			if best.haveOf[i] >= 0 {
				bestPairs++
			}
		}
		if count(got.same) != count(best.same) || pairs != bestPairs {
			t.Fatalf("seed %d: %v, but %v is heavier, of %v and %v", seed, got, best, want, have)
		}
	}
}

// TestPairsByContent compares pairs that are looked up with those that are looked for one by one.
func TestPairsByContent(t *testing.T) {
	t.Parallel()
	slowly := func(want, have []numbered) matching {
		out, taken := newMatching(len(want)), make([]bool, len(have))
		for _, fits := range []func(w, h numbered) bool{
			func(w, h numbered) bool { return w.conditions == h.conditions && w.answer == h.answer }, numbered.equals,
		} {
			for i, w := range want {
				for j, h := range have {
					if out.haveOf[i] < 0 && !taken[j] && fits(w, h) {
						out.haveOf[i], out.same[i], taken[j] = j, true, true
					}
				}
			}
		}
		return out
	}
	for seed := range uint64(5000) {
		r := rand.New(rand.NewPCG(seed, 8))
		want := contents(r, 12)
		have := edited(r, want)
		r.Shuffle(len(have), func(i, j int) { have[i], have[j] = have[j], have[i] })
		if d := cmp.Diff(slowly(want, have), byContent(want, have), cmp.AllowUnexported(matching{})); d != "" {
			t.Fatalf("seed %d (-want +got):\n%s", seed, d)
		}
	}
}

// TestRulesArePairedAsTheirTextsAre compares what is paired before anything is written down with what is found among the texts of all:
// as many of each sort, the same order, and the very same pairs where no two rules of a list match the same.
func TestRulesArePairedAsTheirTextsAre(t *testing.T) {
	t.Parallel()
	differ := 0
	for seed := range uint64(3000) {
		r := rand.New(rand.NewPCG(seed, 9))
		want := some(r, 12)
		have := slices.Clone(want)
		for range r.IntN(4) {
			at := r.IntN(len(have) + 1)
			have = slices.Insert(have, at, some(r, 3)...)
			if n := len(have); n > 0 {
				from := r.IntN(n)
				have = slices.Delete(have, from, from+1)
			}
		}
		if r.IntN(4) == 0 {
			r.Shuffle(len(have), func(i, j int) { have[i], have[j] = have[j], have[i] })
		}
		got, whole := matchRules(want, have), match(contentsOf(want), contentsOf(have))
		if got.ordered != whole.ordered || count(got.same) != count(whole.same) || pairsOf(got) != pairsOf(whole) {
			t.Fatalf("seed %d: %+v, want %+v", seed, got, whole)
		}
		if !unique(want) || !unique(have) {
			continue
		}
		if d := cmp.Diff(whole, got, cmp.AllowUnexported(matching{})); d != "" {
			t.Fatalf("seed %d (-want +got):\n%s", seed, d)
		}
		if len(want) > 3 && count(got.same) < len(want) {
			differ++
		}
	}
	if differ < 100 {
		t.Errorf("%d pairs of lists without twins differ: the test shows nothing", differ)
	}
}

// some are rules of few hosts and answers, some in the incumbent's encoding.
func some(r *rand.Rand, most int) []model.Rule {
	out := make([]model.Rule, r.IntN(most))
	for i := range out {
		host := string(rune('a'+r.IntN(20))) + ".org"
		c := model.Condition{Field: model.FieldHost, Regex: []string{model.HostRegex(host)}}
		if r.IntN(6) == 0 {
			c = model.Condition{Field: model.FieldHost, Values: []string{host}}
		}
		answer := model.Action{Type: model.ActionForward, Forward: &model.Forward{Groups: []model.WeightedGroup{{Key: host, Weight: 1}}}}
		if r.IntN(4) == 0 {
			answer = model.Action{Type: model.ActionFixedResponse, FixedResponse: &model.FixedResponse{StatusCode: "503"}}
		}
		out[i] = model.Rule{Conditions: []model.Condition{c}, Actions: []model.Action{answer}}
	}
	return out
}

// unique tells whether no two rules match the same, in whichever encoding.
func unique(rules []model.Rule) bool {
	seen := map[string]bool{}
	for _, c := range contentsOf(rules) {
		if seen[c.Plain] {
			return false
		}
		seen[c.Plain] = true
	}
	return true
}

func pairsOf(m matching) int {
	n := 0
	for _, j := range m.haveOf {
		if j >= 0 {
			n++
		}
	}
	return n
}
