package targets

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	elbv2v1beta1 "github.com/headgate/headgate/apis/elbv2/v1beta1"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/fault"
)

// missingRetry is how soon a target group that is not there is looked for again: somebody may make it.
const missingRetry = 30 * time.Second

// group is the target group that a binding names, or what is wrong with the name. What can be told without AWS is told without it.
func (r *Reconciler) group(ctx context.Context, b *elbv2v1beta1.TargetGroupBinding) (model.ARN, problem, error) {
	if b.Spec.TargetGroupARN == "" {
		return r.named(ctx, b)
	}
	group := model.ARN(b.Spec.TargetGroupARN)
	at, ok := placeOf(group)
	if !ok {
		return "", problem{reason: "InvalidTargetGroup", message: fmt.Sprintf(
			"spec.targetGroupARN: %q is no ARN of a target group: set one of the form %s, or set spec.targetGroupName", group, form)}, nil
	}
	if r.made(b) || roleOf(b).ARN != "" {
		return group, problem{}, nil
	}
	if text := r.elsewhere(ctx, at); text != "" {
		return "", problem{reason: "TargetGroupElsewhere", message: fmt.Sprintf(
			"spec.targetGroupARN: target group %s is in %s: name a target group of the cluster's own account and region", group, text)}, nil
	}
	return group, problem{}, nil
}

// named finds a target group by its name.
func (r *Reconciler) named(ctx context.Context, b *elbv2v1beta1.TargetGroupBinding) (model.ARN, problem, error) {
	name := b.Spec.TargetGroupName
	if roleOf(b).ARN != "" {
		return r.namedElsewhere(ctx, b)
	}
	facts, err := r.names.Facts(ctx, model.Needs{TargetGroupNames: []string{name}})
	if err != nil {
		return "", problem{}, fmt.Errorf("finding target group %s: %w", name, err)
	}
	if arn := facts.TargetGroups[name]; arn != "" {
		return arn, problem{}, nil
	}
	return "", unnamed(name), nil
}

func unnamed(name string) problem {
	return problem{reason: "TargetGroupNotFound", again: missingRetry, message: fmt.Sprintf(
		"spec.targetGroupName: there is no target group %q in this account and region: create it, or name one that exists", name)}
}

// namedElsewhere finds a target group of another account by its name, once.
func (r *Reconciler) namedElsewhere(ctx context.Context, b *elbv2v1beta1.TargetGroupBinding) (model.ARN, problem, error) {
	name, key := b.Spec.TargetGroupName, client.ObjectKeyFromObject(b)
	if known := r.file(key).shape; known.Name == name {
		return known.ARN, problem{}, nil
	}
	shape, err := r.reach(b).TargetGroup(ctx, name)
	if fault.Is(err, fault.NotFound) {
		return "", unnamed(name), nil
	}
	if err != nil {
		return "", problem{}, fmt.Errorf("finding target group %s: %w", name, err)
	}
	r.edit(key, func(f *file) { f.shape = shape })
	return shape.ARN, problem{}, nil
}

// place is where a target group is and how it is called, as its ARN says.
type place struct{ region, account, name string }

// form is how the ARN of a target group is written.
const form = "arn:aws:elasticloadbalancing:<region>:<account>:targetgroup/<name>/<id>"

// placeOf reads an ARN of that form, of any partition.
func placeOf(group model.ARN) (place, bool) {
	part := strings.Split(string(group), ":")
	if len(part) != 6 || part[0] != "arn" || !strings.HasPrefix(part[1], "aws") || part[2] != "elasticloadbalancing" {
		return place{}, false
	}
	name := strings.Split(part[5], "/")
	if len(name) != 3 || name[0] != "targetgroup" || name[1] == "" || name[2] == "" || part[3] == "" || part[4] == "" {
		return place{}, false
	}
	return place{region: part[3], account: part[4], name: name[1]}, true
}

// learn takes the account of a target group that AWS let us change for ours.
func (r *Reconciler) learn(group model.ARN) {
	at, ok := placeOf(group)
	if !ok {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.account = at.account
}

// elsewhere names the region or account of a target group that is not ours, as far as these are known: no call of ours reaches it.
func (r *Reconciler) elsewhere(ctx context.Context, at place) string {
	facts, err := r.names.Facts(ctx, model.Needs{})
	if err == nil && facts.Region != "" && facts.Region != at.region {
		return fmt.Sprintf("region %s, and the cluster in %s", at.region, facts.Region)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.account != "" && r.account != at.account {
		return fmt.Sprintf("account %s, and the cluster's load balancers in %s", at.account, r.account)
	}
	return ""
}

// errUnread and errUnchanged mark that it is the targets of a group that could not be read or changed.
var (
	errUnread    = errors.New("reading the targets")
	errUnchanged = errors.New("changing the targets")
)

// absent tells whether an error says that AWS has no such target group for us.
func absent(err error) bool {
	return errors.Is(err, errUnread) && (fault.Is(err, fault.NotFound) || fault.Is(err, fault.Invalid)) ||
		errors.Is(err, errUnchanged) && fault.Is(err, fault.NotFound)
}

// missing is what the owner of a binding is told of a target group that AWS does not have.
func missing(b *elbv2v1beta1.TargetGroupBinding, group model.ARN) problem {
	field := "spec.targetGroupARN"
	if b.Spec.TargetGroupARN == "" {
		field = "spec.targetGroupName"
	}
	return problem{reason: "TargetGroupNotFound", again: missingRetry, message: fmt.Sprintf(
		"%s: AWS has no target group %s in this account and region: create it, or name one that exists", field, group)}
}
