package targets

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	elbv2v1beta1 "github.com/headgate/headgate/apis/elbv2/v1beta1"
	"github.com/headgate/headgate/model"
)

// Checkpoint is the annotation of a binding that says which targets its group has while nothing changes: a digest of the group and of
// its targets. It is taken away before a change and written when all has been quiet for a while, so that an operator that is started
// again, at whatever moment, either knows the targets from it or reads them.
const Checkpoint = "headgate.dev/checkpoint"

// The incumbent's own checkpoint, and when it was written. While the first is as it was, the incumbent takes all for done, and looks at nothing
// for up to three quarters of an hour.
const (
	checkpointBefore     = "elbv2.k8s.aws/checkpoint"
	checkpointTimeBefore = "elbv2.k8s.aws/checkpoint-timestamp"
)

// restful is how long nothing must change before the checkpoint is written.
const restful = 3 * time.Second

// checkpointOf is the digest for a binding. When the incumbent was at work last belongs to it: what that did since is not known.
func checkpointOf(b *elbv2v1beta1.TargetGroupBinding, group model.ARN, targets []model.Target) string {
	sum := sha256.Sum256([]byte(string(group) + " " + recordOf(targets).String() + " " + b.Annotations[checkpointTimeBefore]))
	return hex.EncodeToString(sum[:16])
}

// restore lets the lane know without a read what is registered in a group: in one that was just made nothing, else what the checkpoint
// says if that is what is wanted. Of a group that other clusters have targets in too a checkpoint tells nothing.
func (r *Reconciler) restore(b *elbv2v1beta1.TargetGroupBinding, group model.ARN, want []model.Target) {
	if r.lane.knows(group) || b.Spec.MultiClusterTargetGroup {
		return
	}
	switch {
	case r.board.TakeFresh(group):
		r.lane.remember(group, nil)
	case r.checkpoint(b) == checkpointOf(b, group, want):
		r.lane.remember(group, want)
	}
}

// checkpoint is the one that a binding has. What was written last counts: a cache would be late.
func (r *Reconciler) checkpoint(b *elbv2v1beta1.TargetGroupBinding) string {
	if wrote := r.file(client.ObjectKeyFromObject(b)).checkpoint; wrote != nil {
		return *wrote
	}
	return b.Annotations[Checkpoint]
}

// settle writes the checkpoint of a group that has had the wanted targets, all of them, for a while. It returns how long that is still to come, zero
// where nothing is left to write.
func (r *Reconciler) settle(ctx context.Context, b *elbv2v1beta1.TargetGroupBinding, group model.ARN, want []model.Target) (time.Duration, error) {
	now := checkpointOf(b, group, want)
	if b.Spec.MultiClusterTargetGroup || r.tooMany(want) != (problem{}) || r.checkpoint(b) == now {
		return 0, nil
	}
	if quiet := r.opts.Now().Sub(r.file(client.ObjectKeyFromObject(b)).poll.changed); quiet < restful {
		return restful - quiet, nil
	}
	if !r.lane.quiet(group) {
		return restful, nil
	}
	return 0, r.mark(ctx, b, now)
}

// unsettle takes the checkpoint away, and the incumbent's: what is registered is about to change, and whoever comes next shall look.
func (r *Reconciler) unsettle(ctx context.Context, b *elbv2v1beta1.TargetGroupBinding) error {
	if r.checkpoint(b) == "" && b.Annotations[checkpointBefore] == "" {
		return nil
	}
	return r.mark(ctx, b, "")
}

// mark writes a checkpoint, or takes it away where it is empty.
func (r *Reconciler) mark(ctx context.Context, b *elbv2v1beta1.TargetGroupBinding, checkpoint string) error {
	marked := b.DeepCopy()
	delete(marked.Annotations, Checkpoint)
	if checkpoint != "" {
		if marked.Annotations == nil {
			marked.Annotations = map[string]string{}
		}
		marked.Annotations[Checkpoint] = checkpoint
	}
	// The cache may be late: the patch says what is meant whatever it is made from.
	old := marked.DeepCopy()
	delete(old.Annotations, Checkpoint)
	if checkpoint == "" {
		if old.Annotations == nil {
			old.Annotations = map[string]string{}
		}
		old.Annotations[Checkpoint] = "?"
		delete(marked.Annotations, checkpointBefore)
		delete(marked.Annotations, checkpointTimeBefore)
	}
	if err := r.client.Patch(ctx, marked, client.MergeFrom(old)); client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("writing the checkpoint: %w", err)
	}
	r.edit(client.ObjectKeyFromObject(b), func(f *file) { f.checkpoint = &checkpoint })
	return nil
}
