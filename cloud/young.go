package cloud

import (
	"maps"
	"sync"
	"time"

	"github.com/headgate/headgate/model"
)

// settling is how long AWS may not know what it made by its ARN everywhere: it is eventually consistent, mostly within seconds.
const settling = time.Minute

// young is what was made a short while ago. That AWS does not find it does not mean that it is gone.
type young struct {
	mu   sync.Mutex
	made map[model.ARN]time.Time
}

func (y *young) add(arn model.ARN, now time.Time) {
	y.mu.Lock()
	defer y.mu.Unlock()
	if y.made == nil {
		y.made = map[model.ARN]time.Time{}
	}
	maps.DeleteFunc(y.made, func(_ model.ARN, at time.Time) bool { return now.Sub(at) > settling })
	y.made[arn] = now
}

func (y *young) has(arn model.ARN, now time.Time) bool {
	y.mu.Lock()
	defer y.mu.Unlock()
	at, ok := y.made[arn]
	return ok && now.Sub(at) <= settling
}
