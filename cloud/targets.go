package cloud

import (
	"context"
	"strings"

	"github.com/headgate/headgate/cloud/call"
	"github.com/headgate/headgate/cloud/elbv2"
	"github.com/headgate/headgate/model"
)

// Targets is what is done to the targets of one account's target groups. It is safe for concurrent use.
type Targets struct{ elb *elbv2.Client }

// Register puts targets into a group. It is urgent.
func (t *Targets) Register(ctx context.Context, group model.ARN, targets []model.Target) error {
	return doing("adding targets", t.elb.Register(call.WithLane(ctx, call.Register), group, targets))
}

// Deregister takes targets out of a group. Nothing is more urgent.
func (t *Targets) Deregister(ctx context.Context, group model.ARN, targets []model.Target) error {
	return doing("removing targets", t.elb.Deregister(call.WithLane(ctx, call.Deregister), group, targets))
}

// Health is the health of all targets of a group.
func (t *Targets) Health(ctx context.Context, group model.ARN) ([]model.TargetHealth, error) {
	health, err := t.elb.Health(ctx, group)
	return health, doing("asking how targets are", err)
}

// TargetGroup describes the target group of an ARN or a name.
func (t *Targets) TargetGroup(ctx context.Context, name string) (model.TargetGroup, error) {
	read := t.elb.TargetGroupNamed
	if strings.HasPrefix(name, "arn:") {
		read = func(ctx context.Context, arn string) (model.TargetGroup, error) {
			return t.elb.TargetGroup(ctx, model.ARN(arn))
		}
	}
	group, err := read(ctx, name)
	return group, doing("describing a target group", err)
}
