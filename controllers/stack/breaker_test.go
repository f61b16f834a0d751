package stack

import (
	"strconv"
	"testing"
	"time"

	"github.com/headgate/headgate/model"
)

// TestBreakerCountsEachOnce: a fifth of what there was goes, whether the objects of what was deleted linger or not.
func TestBreakerCountsEachOnce(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		all     int
		lingers bool
		gone    int
	}{{24, false, 4}, {24, true, 4}, {100, false, 20}, {100, true, 20}, {500, true, 100}} {
		b := newBreaker(BreakerOptions{}, time.Now)
		var all []model.ARN
		for i := range row.all {
			all = append(all, model.ARN(strconv.Itoa(i)))
		}
		gone := 0
		for ; gone < row.all; gone++ {
			there := all
			if !row.lingers {
				there = all[gone:]
			}
			owner, doomed := model.Owner{Stack: strconv.Itoa(gone)}, all[gone:gone+1]
			if open, _ := b.ask(owner, doomed, there); open {
				break
			}
			b.begin(owner, doomed)
		}
		if gone != row.gone {
			t.Errorf("invariant 5: %d of %d were deleted before it opened, want %d (lingers: %v)", gone, row.all, row.gone, row.lingers)
		}
	}
}
