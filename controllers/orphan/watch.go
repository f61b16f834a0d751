package orphan

import (
	"context"
	"time"

	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/headgate/headgate/model"
)

// every is how often it is looked for orphans, and settled how long one must be one: what is made or deleted now may be wanted by nobody
// for a moment.
const (
	every   = time.Minute
	settled = 5 * time.Minute
)

// Inventory is what is known of AWS. It calls nothing.
type Inventory interface {
	Belongings() []model.Belonging
}

// Watch looks for orphans in what is known of AWS anyway, on the leader.
type Watch struct {
	aws     Inventory
	objects client.Reader
	opts    Options
	// since is when an orphan was seen first; told are those that were told of.
	since map[model.ARN]time.Time
	told  map[model.ARN]bool
}

// Options of a [Watch]. Cluster is needed.
type Options struct {
	// Cluster is the cluster's name, as ownership tags have it.
	Cluster string
	// Count is told how many orphans there are, by their kind, each kind each time.
	Count func(kind model.Kind, orphans int)
	// Now is the clock. Default: the system's.
	Now func() time.Time
}

// New returns a watch that reads the objects of the cluster from a cache.
func New(aws Inventory, objects client.Reader, opts Options) *Watch {
	if opts.Now == nil {
		opts.Now = time.Now
	}
	return &Watch{aws: aws, objects: objects, opts: opts, since: map[model.ARN]time.Time{}, told: map[model.ARN]bool{}}
}

// Start looks until the context is over.
func (w *Watch) Start(ctx context.Context) error {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			if err := w.look(ctx); err != nil {
				ctrl.LoggerFrom(ctx).Error(err, "looking for orphans")
			}
		}
	}
}

// kinds that may be orphans.
func kinds() []model.Kind {
	return []model.Kind{model.KindLoadBalancer, model.KindTargetGroup, model.KindSecurityGroup, model.KindCertificate, model.KindTrustStore}
}

// look counts the orphans, and tells of those that are new.
func (w *Watch) look(ctx context.Context) error {
	known := w.aws.Belongings()
	wanted, err := Look(ctx, w.objects, w.opts.Cluster)
	if err != nil {
		return err
	}
	now, counts, since := w.opts.Now(), map[model.Kind]int{}, map[model.ARN]time.Time{}
	for _, b := range known {
		if wanted.Owners[b.Owner] || wanted.Resources[b.ARN] {
			continue
		}
		at, seen := w.since[b.ARN]
		if !seen {
			at = now
		}
		if since[b.ARN] = at; now.Sub(at) < settled {
			continue
		}
		counts[b.Kind]++
		w.tell(ctx, b)
	}
	w.since = since
	for arn := range w.told {
		if _, still := since[arn]; !still {
			delete(w.told, arn)
		}
	}
	for _, kind := range kinds() {
		w.opts.Count(kind, counts[kind])
	}
	return nil
}

// tell writes a line about an orphan, once.
func (w *Watch) tell(ctx context.Context, b model.Belonging) {
	if w.told[b.ARN] {
		return
	}
	w.told[b.ARN] = true
	ctrl.LoggerFrom(ctx).Info("an orphan: AWS holds it, its tags are ours, and nobody in the cluster wants it; headgate orphans --delete deletes it",
		"kind", b.Kind, "arn", b.ARN, "owner", b.Owner.String())
}
