package cloud

import (
	"context"

	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/fault"
	"github.com/headgate/headgate/model/plan"
)

// addon gives a load balancer an add-on, or takes it away.
func (r *run) addon(ctx context.Context, ch plan.Change, lb model.ARN) error {
	value, err := r.setAddon(ctx, ch, lb)
	switch {
	case err == nil:
		r.inventory.PutAddon(lb, ch.Addon, value)
		return nil
	case ch.Value == "" && fault.Of(err) == fault.NotFound:
		// The load balancer is gone, and what hung on it too.
		r.inventory.PutAddon(lb, ch.Addon, "")
		return nil
	}
	r.inventory.DropAddon(lb, ch.Addon)
	if fault.Of(err) == fault.Pending {
		return &waiting{what: readyFor(ch.Addon), cause: err}
	}
	return err
}

// readyFor says what an add-on that AWS does not take yet waits for.
func readyFor(a model.Addon) string {
	if a == model.AddonCapacity {
		return "the capacity that was asked for before is provisioned"
	}
	return "AWS WAF knows the load balancer and the web ACL"
}

// setAddon makes the call, and gives what the add-on is then.
func (r *run) setAddon(ctx context.Context, ch plan.Change, lb model.ARN) (value string, err error) {
	value = ch.Value
	switch {
	case ch.Addon == model.AddonCapacity:
		err = r.elb.SetCapacity(ctx, lb, value)
	case ch.Addon == model.AddonIPAMPool:
		err = r.elb.SetIPPool(ctx, lb, value)
	case ch.Addon == model.AddonProtection && value == "":
		value, err = r.unprotect(ctx, lb)
	case ch.Addon == model.AddonProtection:
		value, err = r.protect(ctx, lb, value)
	case ch.Addon == model.AddonClassicWebACL && value == "":
		err = r.protectors.Classic.Disassociate(ctx, lb)
	case ch.Addon == model.AddonClassicWebACL:
		err = r.protectors.Classic.Associate(ctx, lb, value)
	case ch.Addon == model.AddonWebACL && value == "":
		err = r.protectors.WAF.Disassociate(ctx, lb)
	case ch.Addon == model.AddonWebACL:
		err = r.protectors.WAF.Associate(ctx, lb, value)
	default:
		err = &fault.Error{Class: fault.Invalid, Action: string(ch.Op), Err: errOperation}
	}
	return value, doing(string(ch.Addon), err)
}

// protect makes a protection, unless there is one: by whatever name, also one that a call made that was not answered.
func (r *run) protect(ctx context.Context, lb model.ARN, name string) (string, error) {
	err := r.protectors.Shield.Protect(ctx, lb, name)
	if err == nil || !doubtful(err) {
		return name, doing("Shield", err)
	}
	have, lookErr := r.protectors.Shield.Of(ctx, lb)
	if lookErr != nil || have.ID == "" {
		return "", unfound(err, lookErr)
	}
	return have.Name, nil
}

// unprotect deletes the protection that an operator made, and leaves any other one.
func (r *run) unprotect(ctx context.Context, lb model.ARN) (string, error) {
	have, err := r.protectors.Shield.Of(ctx, lb)
	if err != nil || !model.IsOurProtection(have.Name) {
		return have.Name, doing("Shield", err)
	}
	return "", doing("Shield", r.protectors.Shield.Unprotect(ctx, have))
}
