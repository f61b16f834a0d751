package cloud

import (
	"context"

	"github.com/headgate/headgate/cloud/elbv2"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/credential"
	"github.com/headgate/headgate/model/fault"
)

// withSecret gives a call the secret that its actions need: read now, and just the one that the plan was made for.
func (r *run) withSecret(ctx context.Context, actions []model.Action) (context.Context, error) {
	guard := model.GuardOf(actions)
	if guard == nil || guard.OIDC == nil || guard.OIDC.KeepSecret {
		return ctx, nil
	}
	ref := guard.OIDC.Secret
	data, err := r.secret(ctx, ref)
	if err != nil {
		return ctx, err
	}
	found, err := credential.Read(data)
	if err == nil && (found.ID != guard.OIDC.ClientID || found.Digest(r.cluster, ref) != guard.OIDC.Digest) {
		err = errChanged
	}
	if err != nil {
		return ctx, &fault.Error{Class: fault.Conflict, Action: "reading Secret " + ref.String(), Err: err}
	}
	return elbv2.WithSecret(ctx, found.Secret()), nil
}
