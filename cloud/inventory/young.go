package inventory

import (
	"maps"
	"sync"
	"time"

	"github.com/headgate/headgate/model"
)

// settling is how long AWS may not know what it made by its ARN everywhere: it is eventually consistent, mostly within seconds.
const settling = time.Minute

// young is when resources were made that were made a short while ago.
type young struct {
	mu   sync.Mutex
	made map[model.ARN]time.Time
}

// Made records that a resource of any kind was just made.
func (i *Inventory) Made(arn model.ARN) {
	y, now := &i.young, i.now()
	y.mu.Lock()
	defer y.mu.Unlock()
	if y.made == nil {
		y.made = map[model.ARN]time.Time{}
	}
	maps.DeleteFunc(y.made, func(_ model.ARN, at time.Time) bool { return now.Sub(at) > settling })
	y.made[arn] = now
}

// Young tells what was made a minute ago or less: that AWS does not find it does not mean that it is gone.
func (i *Inventory) Young(arn model.ARN) bool {
	y := &i.young
	y.mu.Lock()
	defer y.mu.Unlock()
	at, ok := y.made[arn]
	return ok && i.now().Sub(at) <= settling
}
