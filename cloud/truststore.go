package cloud

import (
	"context"
	"errors"
	"fmt"

	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/fault"
	"github.com/headgate/headgate/model/material"
	"github.com/headgate/headgate/model/plan"
)

// Authorities reads the certificates in a ConfigMap that a plan refers to, in PEM. A ConfigMap that is not there is an error of the class
// NotFound.
type Authorities func(ctx context.Context, ref model.ConfigMapRef) (string, error)

var errNoAuthorities = errors.New("this client reads no ConfigMaps")

// trust makes a change of what trust stores are made of, or makes a trust store.
func (r *run) trust(ctx context.Context, ch plan.Change) error {
	want := *ch.TrustStore
	switch ch.Op {
	case plan.PutBundle:
		content, err := r.bundle(ctx, want)
		if err != nil {
			return err
		}
		if err := r.s3.Put(ctx, want.Bundle, content); err != nil {
			r.inventory.ForgetAll(model.KindTrustStore)
			return doing("authorities of clients", err)
		}
		r.inventory.PutBundle(want.Bundle)
		return nil
	case plan.DeleteBundle:
		if err := r.s3.Delete(ctx, want.Bundle); err != nil && fault.Of(err) != fault.NotFound {
			return doing("authorities of clients", err)
		}
		r.inventory.DropBundle(want.Bundle)
		return nil
	default:
		return r.createTrustStore(ctx, ch, want)
	}
}

// bundle is what an object is made of: read now, and just what the plan was made for.
func (r *run) bundle(ctx context.Context, want model.TrustStore) ([]byte, error) {
	if r.authorities == nil {
		return nil, &fault.Error{Class: fault.Invalid, Action: "reading ConfigMaps", Err: errNoAuthorities}
	}
	texts := make([]string, 0, len(want.ConfigMaps))
	for _, ref := range want.ConfigMaps {
		text, err := r.authorities(ctx, ref)
		if err != nil {
			return nil, fmt.Errorf("reading ConfigMap %s: %w", ref, err)
		}
		texts = append(texts, text)
	}
	found, err := material.Authorities(texts...)
	if err == nil && found.Digest != want.Digest {
		err = errChanged
	}
	if err != nil {
		return nil, &fault.Error{Class: fault.Conflict, Action: "reading the ConfigMaps of " + want.ID, Err: err}
	}
	return found.PEM, nil
}

func (r *run) createTrustStore(ctx context.Context, ch plan.Change, want model.TrustStore) error {
	want.Tags = r.owned(want.Tags, ch.Key.ID)
	got, err := r.elb.CreateTrustStore(ctx, want)
	if err != nil {
		r.inventory.ForgetAll(model.KindTrustStore)
	}
	if err != nil && doubtful(err) {
		got, err = r.findTrustStore(ctx, ch, want, err)
	}
	if err != nil {
		return storeQuota(err)
	}
	got.Tags = want.Tags
	r.inventory.PutTrustStore(got)
	r.made(ch.Key, got.ARN)
	return nil
}

// findTrustStore finds what a create made that failed with cause: by its name, which AWS gives once.
func (r *run) findTrustStore(ctx context.Context, ch plan.Change, want model.TrustStore, cause error) (model.TrustStore, error) {
	got, err := r.elb.TrustStoreNamed(ctx, want.Name)
	if err != nil {
		return model.TrustStore{}, unfound(cause, err)
	}
	tags, err := r.elb.Tags(ctx, []model.ARN{got.ARN})
	switch {
	case err != nil:
		return model.TrustStore{}, unfound(cause, err)
	case !r.ours(tags[got.ARN], ch.Key.ID):
		return model.TrustStore{}, taken(ch, got.ARN)
	case !sameOwnership(want.Tags, tags[got.ARN]):
		return model.TrustStore{}, cause // it is ours, and of another bundle: the next plan modifies it
	}
	return got, nil
}

// storeQuota says what to do where AWS takes no more trust stores.
func storeQuota(err error) error {
	if fault.Of(err) != fault.Quota {
		return err
	}
	return doing("the account has all the trust stores that AWS lets it have (20 unless raised): have Gateways verify by one "+
		"mutualAuthentication.trustStore, delete trust stores that nobody uses, or have the quota raised", err)
}

// modifyTrustStore makes a trust store anew of another object.
func (r *run) modifyTrustStore(ctx context.Context, ch plan.Change, arn model.ARN) error {
	return doing("authorities of clients", r.elb.ModifyTrustStore(ctx, arn, ch.TrustStore.Bundle))
}

// trusting is how clients show certificates, with the trust store by ARN.
func (r *run) trusting(m *model.MutualAuth) (*model.MutualAuth, error) {
	if m == nil {
		return nil, nil
	}
	key, ours := model.TrustStoreKey(m.TrustStore)
	if !ours {
		return m, nil
	}
	arn, ok := r.arn(key)
	if !ok {
		return nil, unresolved(key)
	}
	out := *m
	out.TrustStore = arn
	return &out, nil
}
