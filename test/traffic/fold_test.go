package traffic

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// foldPairs is how many configurations are folded and unfolded under requests.
const foldPairs = 6

// TestFoldingUnderRequests holds invariant 4 where folding is switched on and off: every answer stays what it was, all the while.
func TestFoldingUnderRequests(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(7, 7))
	s := newStage(t, delayed())
	rules := func() int {
		seen, err := s.cloud.Observe(t.Context(), owner(), nil)
		if err != nil {
			t.Fatal(err)
		}
		return len(seen.Listeners[0].Rules)
	}
	fewer := 0
	for n := range foldPairs {
		text := configuration(r)
		folded := strings.Replace(text, "  annotations:\n", "  annotations:\n    headgate.dev/fold-rules: 'true'\n", 1)
		s.apply(text)
		s.register(owner(), nil)
		before, many := s.rest(all()), rules()
		for _, to := range []string{folded, text} {
			wrong, sent := s.change(func() { s.apply(to) })
			if len(wrong) > 0 || sent == 0 {
				t.Fatalf("pair %d: of %d requests wrong are %q\n%s\nby the plan\n%s", n, sent, wrong, to, s.plans)
			}
			if diff := cmp.Diff(before, s.rest(all())); diff != "" {
				t.Fatalf("pair %d: folding changes answers: -before +after\n%s\n%s", n, diff, to)
			}
			if to == folded && rules() < many {
				fewer++
			}
		}
	}
	if fewer == 0 {
		t.Error("nothing was folded: the test proves nothing")
	}
}
