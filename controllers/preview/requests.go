// Package preview says what the operator would do, without doing it.
//
// It owns the run of the loop over a cloud that only pretends; it may import model, apis, the other packages of controllers and
// Kubernetes libraries. Its invariants: it writes nothing, neither to Kubernetes nor to AWS; and what it says comes from the same
// loop that the operator runs, so that the two cannot differ.
package preview

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/headgate/headgate/controllers/gateway"
	"github.com/headgate/headgate/controllers/ingress"
	"github.com/headgate/headgate/controllers/stack"
)

// Settings are the operator's settings that decide what it makes of objects.
type Settings struct {
	Ingress ingress.Settings
	Gateway gateway.Settings
}

// Requests are what the front doors ask of the loop, one for each stack, by owner.
func Requests(ctx context.Context, r client.Reader, set Settings) ([]stack.Request, error) {
	out, err := ingressRequests(ctx, r, set.Ingress)
	if err != nil {
		return nil, err
	}
	more, err := gatewayRequests(ctx, r, set.Gateway)
	if err != nil {
		return nil, err
	}
	out = append(out, more...)
	slices.SortFunc(out, func(a, b stack.Request) int { return strings.Compare(a.Intent.Owner.String(), b.Intent.Owner.String()) })
	return out, nil
}

func ingressRequests(ctx context.Context, r client.Reader, set ingress.Settings) ([]stack.Request, error) {
	keys, err := ingress.Groups(ctx, r, set)
	if err != nil {
		return nil, fmt.Errorf("listing Ingress groups: %w", err)
	}
	var out []stack.Request
	for _, key := range keys {
		group, err := ingress.Load(ctx, r, set, key)
		if err != nil {
			return nil, fmt.Errorf("reading the Ingress group %s: %w", key, err)
		}
		out = append(out, ingress.Request(group, set))
	}
	return out, nil
}

func gatewayRequests(ctx context.Context, r client.Reader, set gateway.Settings) ([]stack.Request, error) {
	keys, err := gateway.Gateways(ctx, r)
	if err != nil {
		return nil, fmt.Errorf("listing Gateways: %w", err)
	}
	var out []stack.Request
	for _, key := range keys {
		if set.WatchNamespace != "" && key.Namespace != set.WatchNamespace {
			continue
		}
		snapshot, err := gateway.Load(ctx, r, set, key)
		if err != nil {
			return nil, fmt.Errorf("reading Gateway %s: %w", key, err)
		}
		verdict := gateway.Judge(snapshot, set, gateway.Owner(set.ClusterName, key))
		out = append(out, verdict.Request())
	}
	return out, nil
}
