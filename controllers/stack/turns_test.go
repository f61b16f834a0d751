package stack

import (
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/headgate/headgate/model"
)

// TestManyRefusedShareTheRate: of 500 stacks with something that AWS refuses, at an account that takes five writes a second, each gets its turn
// as often as any other, and all of them in about four minutes; few are asked for every half minute.
func TestManyRefusedShareTheRate(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		stacks int
		most   time.Duration
	}{{1, 26 * time.Second}, {50, 30 * time.Second}, {500, 4 * time.Minute}} {
		start := time.Unix(0, 0)
		tries := crowd(row.stacks, start, start.Add(20*time.Minute))
		fewest, worst := tries[0], time.Duration(0)
		for _, at := range tries {
			if len(at) < len(fewest) {
				fewest = at
			}
			for i := range at[1:] {
				worst = max(worst, at[i+1].Sub(at[i]))
			}
		}
		most := slices.MaxFunc(tries, func(a, b []time.Time) int { return len(a) - len(b) })
		if worst > row.most || len(most)-len(fewest) > 2 {
			t.Errorf("%d stacks: one waited %s, want at most %s; tries between %d and %d", row.stacks, worst, row.most, len(fewest), len(most))
		}
	}
}

// crowd plays stacks of which each has a trial 25 seconds after its last, at an account that has room for five calls a second. It returns
// when each was tried.
func crowd(stacks int, now, end time.Time) [][]time.Time {
	turns, tries, due := newTurns(), make([][]time.Time, stacks), make([]time.Time, stacks)
	room, filled := 5.0, now
	for i := range due {
		due[i] = now
	}
	for now.Before(end) {
		i := 0
		for n := range due {
			if due[n].Before(due[i]) {
				i = n
			}
		}
		if due[i].After(now) {
			now = due[i]
		}
		room, filled = min(5, room+5*now.Sub(filled).Seconds()), now
		if after := turns.wait(model.Owner{Stack: strconv.Itoa(i)}, now); after > 0 {
			due[i] = now.Add(after)
			continue
		}
		if room < 1 {
			due[i] = now.Add(turns.failed(model.Owner{Stack: strconv.Itoa(i)}, now))
			continue
		}
		room--
		tries[i] = append(tries[i], now)
		turns.passed()
		due[i] = now.Add(25 * time.Second)
	}
	return tries
}
