package cloud

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/fault"
	"github.com/headgate/headgate/model/plan"
)

// target is the ARN of what a change is about.
func (r *run) target(ch plan.Change) (model.ARN, error) {
	if ch.ARN != "" {
		return ch.ARN, nil
	}
	if arn, ok := r.arn(ch.Key); ok {
		return arn, nil
	}
	if ch.SecurityGroup != nil && ch.SecurityGroup.Foreign {
		return model.ARN(ch.SecurityGroup.ID), nil
	}
	return "", unresolved(ch.Key)
}

// listener is the ARN of the listener of a rule's change.
func (r *run) listener(port int) (model.ARN, error) {
	key := model.Key{Kind: model.KindListener, ID: strconv.Itoa(port)}
	if arn, ok := r.arn(key); ok {
		return arn, nil
	}
	return "", unresolved(key)
}

// loadBalancer is the ARN of a load balancer by its key.
func (r *run) loadBalancer(key model.Key) (model.ARN, error) {
	if arn, ok := r.arn(key); ok {
		return arn, nil
	}
	return "", unresolved(key)
}

func unresolved(key model.Key) error {
	return &fault.Error{Class: fault.NotFound, Action: "resolving a reference", Err: fmt.Errorf("%s does not exist", key)}
}

// groupRefs are references with the IDs of what they mean.
func (r *run) groupRefs(ctx context.Context, in []model.GroupRef) ([]model.GroupRef, error) {
	out := make([]model.GroupRef, len(in))
	for n, ref := range in {
		id, err := r.groupID(ctx, ref)
		if err != nil {
			return nil, err
		}
		out[n] = model.GroupRef{ID: id}
	}
	slices.SortFunc(out, func(a, b model.GroupRef) int {
		if a.ID < b.ID {
			return -1
		}
		return 1
	})
	return out, nil
}

func (r *run) groupID(ctx context.Context, ref model.GroupRef) (string, error) {
	if ref.Key == "" {
		return ref.ID, nil
	}
	key := model.Key{Kind: model.KindSecurityGroup, ID: ref.Key}
	if arn, ok := r.arn(key); ok {
		return string(arn), nil
	}
	if ref.Key == model.ResourceBackendSecurityGroup {
		id, err := r.inventory.BackendGroup(ctx)
		if err != nil {
			return "", fmt.Errorf("looking for the shared backend security group: %w", err)
		}
		if id != "" {
			return id, nil
		}
	}
	if ref.ID != "" {
		return ref.ID, nil
	}
	return "", unresolved(key)
}

func (r *run) permissions(ctx context.Context, in []model.Permission) ([]model.Permission, error) {
	out := slices.Clone(in)
	for n := range out {
		if out[n].Source == (model.GroupRef{}) {
			continue
		}
		id, err := r.groupID(ctx, out[n].Source)
		if err != nil {
			return nil, err
		}
		out[n].Source = model.GroupRef{ID: id}
	}
	return out, nil
}

// actions are copies with the ARNs of the target groups that they mean, and without keys.
func (r *run) actions(in []model.Action) ([]model.Action, error) {
	out := slices.Clone(in)
	for n, a := range out {
		if a.Forward == nil {
			continue
		}
		f := *a.Forward
		f.Groups = slices.Clone(f.Groups)
		for m, g := range f.Groups {
			arn := g.ARN
			if arn == "" {
				key := model.Key{Kind: model.KindTargetGroup, ID: g.Key}
				var ok bool
				if arn, ok = r.arn(key); !ok {
					return nil, unresolved(key)
				}
			}
			f.Groups[m] = model.WeightedGroup{ARN: arn, Weight: g.Weight}
		}
		out[n].Forward = &f
	}
	return out, nil
}

func (r *run) rule(in model.Rule) (model.Rule, error) {
	actions, err := r.actions(in.Actions)
	in.Actions = actions
	return in, err
}

// owned are tags with the ownership tags of the resource id: nothing is ever made without them.
func (r *run) owned(tags map[string]string, id string) map[string]string {
	out := maps.Clone(tags)
	if out == nil {
		out = map[string]string{}
	}
	maps.Copy(out, r.ownership(id))
	return out
}

func (r *run) ownership(id string) map[string]string {
	if r.owner.Prefix == "" {
		return map[string]string{model.TagCluster: r.owner.Cluster, model.TagResource: id}
	}
	return r.owner.Tags(id)
}

// ours tells whether tags are those of our resource id.
func (r *run) ours(tags map[string]string, id string) bool {
	for k, v := range r.ownership(id) {
		if got, ok := tags[k]; !ok || got != v {
			return false
		}
	}
	return true
}
