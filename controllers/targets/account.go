package targets

import (
	"context"
	"fmt"

	"sigs.k8s.io/controller-runtime/pkg/client"

	elbv2v1beta1 "github.com/headgate/headgate/apis/elbv2/v1beta1"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/fault"
)

// Groups describes target groups.
type Groups interface {
	// TargetGroup is the one of an ARN or a name; an error of the class NotFound where there is none.
	TargetGroup(ctx context.Context, name string) (model.TargetGroup, error)
}

// Account is an AWS account as the lane sees it.
type Account interface {
	Cloud
	Groups
}

// roleOf is the role that a binding's target group is reached by, the zero value for the operator's own.
func roleOf(b *elbv2v1beta1.TargetGroupBinding) model.Role {
	return model.Role{ARN: b.Spec.IamRoleArnToAssume, ExternalID: b.Spec.AssumeRoleExternalID}
}

// reach is the account that a binding's target group is in.
func (r *Reconciler) reach(b *elbv2v1beta1.TargetGroupBinding) Account {
	if role := roleOf(b); role.ARN != "" {
		return r.opts.As(role)
	}
	return r.home
}

// complete fills in what a binding leaves to AWS, and compares what it says with its target group. That takes one read for each new
// generation of a binding that a user wrote; a target group that is not there is told elsewhere.
func (r *Reconciler) complete(ctx context.Context, b *elbv2v1beta1.TargetGroupBinding) (problem, error) {
	if r.made(b) || !r.undescribed(b) {
		return problem{}, nil
	}
	group, wrong, err := r.group(ctx, b)
	if err != nil || wrong != (problem{}) {
		return wrong, err
	}
	shape, err := r.shape(ctx, b, group)
	if fault.Is(err, fault.NotFound) || fault.Is(err, fault.Invalid) {
		return problem{}, nil
	}
	if err != nil {
		return problem{}, err
	}
	if p := mismatch(b, shape); p != (problem{}) {
		return p, nil
	}
	if b.Spec.TargetType == nil {
		b.Spec.TargetType = new(elbv2v1beta1.TargetType(shape.TargetType))
	}
	if b.Spec.IPAddressType == nil {
		b.Spec.IPAddressType = new(elbv2v1beta1.TargetGroupIPAddressType(shape.IPAddressType))
	}
	return problem{}, nil
}

// undescribed tells whether what AWS has must be known: the binding is new or changed, or leaves the type of
// its targets to it.
func (r *Reconciler) undescribed(b *elbv2v1beta1.TargetGroupBinding) bool {
	done := b.Status.ObservedGeneration
	return done == nil || *done != b.Generation || b.Spec.TargetType == nil
}

// shape is a target group as AWS describes it. What it says cannot be changed, so that it is read once.
func (r *Reconciler) shape(ctx context.Context, b *elbv2v1beta1.TargetGroupBinding, group model.ARN) (model.TargetGroup, error) {
	key := client.ObjectKeyFromObject(b)
	if known := r.file(key).shape; known.ARN == group {
		return known, nil
	}
	shape, err := r.reach(b).TargetGroup(ctx, string(group))
	if err != nil {
		return model.TargetGroup{}, fmt.Errorf("describing target group %s: %w", group, err)
	}
	shape.ARN = group
	r.edit(key, func(f *file) { f.shape = shape })
	return shape, nil
}

// mismatch is what a binding says of its target group that is not so.
func mismatch(b *elbv2v1beta1.TargetGroupBinding, shape model.TargetGroup) problem {
	for _, c := range []struct{ field, says, has string }{
		{"targetType", text(b.Spec.TargetType), shape.TargetType},
		{"ipAddressType", text(b.Spec.IPAddressType), shape.IPAddressType},
		{"vpcID", b.Spec.VpcID, shape.VPC},
		{"targetGroupProtocol", text(b.Spec.TargetGroupProtocol), shape.Protocol},
	} {
		if c.says != "" && c.has != "" && c.says != c.has {
			return problem{reason: "TargetGroupMismatch", message: fmt.Sprintf(
				"spec.%s: it says %s, and AWS has %s for target group %s: no target is changed; make the binding anew with what AWS has, "+
					"or with another target group",
				c.field, c.says, c.has, shape.ARN)}
		}
	}
	return problem{}
}

func text[S ~string](s *S) string {
	if s == nil {
		return ""
	}
	return string(*s)
}

// refused names what cannot be as a binding is written; registering anything then would be half the job. The CRD refuses most of it
// already.
func (r *Reconciler) refused(b *elbv2v1beta1.TargetGroupBinding) string {
	protocol := text(b.Spec.TargetGroupProtocol)
	switch {
	case b.Spec.TargetGroupARN == "" && b.Spec.TargetGroupName == "":
		return "spec.targetGroupARN or spec.targetGroupName is needed: set one"
	case ofNodes(b) && b.Spec.IamRoleArnToAssume != "":
		return "spec.iamRoleArnToAssume: instances can be targets in their own account only: use targets of the type ip"
	case ofNodes(b) && (protocol == "QUIC" || protocol == "TCP_QUIC"):
		return "spec.targetGroupProtocol: QUIC needs targets of the type ip"
	case b.Spec.TargetType != nil && !ofNodes(b) && b.Spec.NodeSelector != nil:
		return "spec.nodeSelector chooses among nodes, and the targets are of the type ip: leave it out"
	case b.Spec.IamRoleArnToAssume != "" && r.opts.As == nil:
		return "spec.iamRoleArnToAssume: this operator reaches no other account: leave it out"
	case b.Spec.AssumeRoleExternalID != "" && b.Spec.IamRoleArnToAssume == "":
		return "spec.assumeRoleExternalId goes with spec.iamRoleArnToAssume: set both or none"
	}
	return ""
}
