package cloud

import (
	"context"
	"errors"
	"slices"

	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/fault"
	"github.com/headgate/headgate/model/plan"
)

var errOperation = errors.New("no such operation")

// remove deletes a resource. One that is gone already is done; one that is still used, as AWS releases things slowly, is waited for, and
// so is one that was made a moment ago and that AWS does not find yet.
func (r *run) remove(ctx context.Context, ch plan.Change, arn model.ARN) error {
	err := r.deletion(ch.Op)(ctx, arn)
	switch fault.Of(err) {
	case "":
	case fault.NotFound:
		if r.inventory.Young(arn) {
			return &waiting{what: "found by AWS", cause: err}
		}
	case fault.InUse:
		if ch.Op == plan.DeleteCertificate && ch.Certificate.Type == model.CertificateImported && r.leftToOthers(ctx, arn) {
			return nil
		}
		return &waiting{what: releaseOf(ch.Op), cause: err}
	default:
		return err
	}
	r.gone(ch.Key, arn)
	switch ch.Op {
	case plan.DeleteSecurityGroup:
		r.inventory.DropSecurityGroup(arn)
	case plan.DeleteLoadBalancer:
		r.inventory.DropLoadBalancer(arn)
	case plan.DeleteTargetGroup:
		r.inventory.DropTargetGroup(arn)
	case plan.DeleteListener:
		r.inventory.DropListener(arn)
	case plan.DeleteCertificate:
		r.inventory.DropCertificateOf(arn)
	case plan.DeleteTrustStore:
		r.inventory.DropTrustStore(arn)
	default:
		r.inventory.DropRule(arn)
	}
	return nil
}

func (r *run) deletion(op plan.Op) func(context.Context, model.ARN) error {
	switch op {
	case plan.DeleteSecurityGroup:
		return r.ec2.DeleteGroup
	case plan.DeleteLoadBalancer:
		return r.elb.DeleteLoadBalancer
	case plan.DeleteTargetGroup:
		return r.elb.DeleteTargetGroup
	case plan.DeleteListener:
		return r.elb.DeleteListener
	case plan.DeleteCertificate:
		return r.acm.Delete
	case plan.DeleteTrustStore:
		return r.elb.DeleteTrustStore
	default:
		return r.elb.DeleteRule
	}
}

// releaseOf says what a deletion that AWS refuses waits for.
func releaseOf(op plan.Op) string {
	if op == plan.DeleteSecurityGroup {
		return "network interfaces released"
	}
	return "unused"
}

// admit adds or removes ingress permissions. AWS does all or nothing, so where some are there already (or gone), what a call that
// was not answered did is read, and the rest is done.
func (r *run) admit(ctx context.Context, ch plan.Change, id model.ARN) error {
	permissions, err := r.permissions(ctx, ch.Permissions)
	if err != nil {
		return err
	}
	do, half := r.ec2.Authorize, fault.Conflict
	if ch.Op == plan.RevokeIngress {
		do, half = r.ec2.Revoke, fault.NotFound
	}
	if err = do(ctx, id, permissions); fault.Of(err) == half {
		err = r.admitRest(ctx, ch.Op, id, permissions)
	}
	if err != nil {
		return err
	}
	r.inventory.ChangeSecurityGroup(id, func(g *model.SecurityGroup) {
		g.Ingress = without(g.Ingress, permissions)
		if ch.Op == plan.AuthorizeIngress {
			g.Ingress = append(g.Ingress, permissions...)
		}
	})
	return nil
}

// admitRest does the part of a change of permissions that is not done yet.
func (r *run) admitRest(ctx context.Context, op plan.Op, id model.ARN, permissions []model.Permission) error {
	found, err := r.ec2.GroupsByID(ctx, []string{string(id)})
	if err != nil {
		return doing("reading what is admitted", err)
	}
	if len(found) == 0 && op == plan.RevokeIngress {
		return nil // the group is gone, and its rules with it
	}
	if len(found) == 0 {
		return unresolved(model.Key{Kind: model.KindSecurityGroup, ID: string(id)})
	}
	have := found[0].Ingress
	missing := without(permissions, have)
	switch {
	case op == plan.AuthorizeIngress && len(missing) > 0:
		return doing("the rest", r.ec2.Authorize(ctx, id, missing))
	case op == plan.RevokeIngress && len(missing) < len(permissions):
		return doing("the rest", r.ec2.Revoke(ctx, id, without(permissions, missing)))
	default:
		return nil
	}
}

// without are the permissions of in that are not among gone.
func without(in, gone []model.Permission) []model.Permission {
	return slices.DeleteFunc(slices.Clone(in), func(p model.Permission) bool {
		return slices.ContainsFunc(gone, func(g model.Permission) bool { return g.Identity() == p.Identity() })
	})
}
