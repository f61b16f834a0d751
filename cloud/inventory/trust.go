package inventory

import (
	"context"
	"fmt"
	"strings"

	"github.com/headgate/headgate/model"
)

// trustFacts finds trust stores by ARN or name. What is not there is looked for again after patience.
func (i *Inventory) trustFacts(ctx context.Context, need model.Needs, out *model.Facts) error {
	all, err := i.world.trust.get(ctx, i.since(networkLife), i.now(), i.elb.TrustStores)
	if err == nil && len(named(need, all)) < len(need.TrustStores) {
		all, err = i.world.trust.get(ctx, i.since(patience), i.now(), i.elb.TrustStores)
	}
	if err != nil {
		return fmt.Errorf("looking for trust stores: %w", err)
	}
	out.TrustStores = named(need, all)
	for _, name := range need.TrustStores {
		if out.TrustStores[name] != "" || !strings.HasPrefix(name, "arn:") {
			continue
		}
		there, err := i.elb.HasTrustStore(ctx, model.ARN(name))
		if err != nil {
			return fmt.Errorf("looking for a trust store: %w", err)
		}
		if there {
			out.TrustStores[name] = model.ARN(name)
		}
	}
	return nil
}

// named are the trust stores that are asked for, by what they are asked for by.
func named(need model.Needs, all map[string]model.ARN) map[string]model.ARN {
	arns := map[string]model.ARN{}
	for _, arn := range all {
		arns[string(arn)] = arn
	}
	out := map[string]model.ARN{}
	for _, name := range need.TrustStores {
		if arn, ok := all[name]; ok {
			out[name] = arn
		} else if arn, ok := arns[name]; ok {
			out[name] = arn
		}
	}
	return out
}
