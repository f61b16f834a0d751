package gateway

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	awsgwv1 "github.com/headgate/headgate/apis/gateway/v1"
	"github.com/headgate/headgate/controllers/outcome"
)

// Shortage is a kind without which no Gateway is served, and that the API server does not serve.
type Shortage struct {
	kind schema.GroupVersionKind
	// versions are others that it is served in, sorted.
	versions []string
}

// needed are the kinds without which no Gateway is served.
func needed() []schema.GroupVersionKind {
	gateway := schema.GroupVersion(gwv1.GroupVersion)
	return []schema.GroupVersionKind{
		gateway.WithKind("GatewayClass"), gateway.WithKind(kindGateway), gateway.WithKind(kindHTTPRoute),
		awsgwv1.GroupVersion().WithKind(awsgwv1.KindLoadBalancerConfiguration),
		awsgwv1.GroupVersion().WithKind(awsgwv1.KindTargetGroupConfiguration),
	}
}

// FindShortage is the first of the needed kinds that the API server does not serve; nil where it serves all.
func FindShortage(mapper meta.RESTMapper) (*Shortage, error) {
	for _, kind := range needed() {
		_, err := mapper.RESTMapping(kind.GroupKind(), kind.Version)
		switch {
		case err == nil:
			continue
		case !meta.IsNoMatchError(err):
			return nil, fmt.Errorf("asking the API server for %s: %w", kind, err)
		}
		out := &Shortage{kind: kind}
		others, err := mapper.RESTMappings(kind.GroupKind())
		if err != nil && !meta.IsNoMatchError(err) {
			return nil, fmt.Errorf("asking the API server for versions of %s: %w", kind.GroupKind(), err)
		}
		for _, o := range others {
			out.versions = append(out.versions, o.GroupVersionKind.Version)
		}
		slices.Sort(out.versions)
		out.versions = slices.Compact(out.versions)
		return out, nil
	}
	return nil, nil
}

// String says what is missing and how to mend it.
func (s Shortage) String() string {
	if len(s.versions) == 0 {
		return fmt.Sprintf("no Gateway is served: the definition of %s is not installed; install it, and Gateways are served without a restart",
			s.kind.GroupKind())
	}
	return fmt.Sprintf("no Gateway is served: the definition of %s serves version %s and not %s; install one that does, and Gateways are served "+
		"without a restart", s.kind.GroupKind(), strings.Join(s.versions, ", "), s.kind.Version)
}

// Tell writes on the classes of this controller that their Gateways are not served, where it is not written there. Where classes cannot be
// read because they are what is missing, there is nothing to write on.
func (s Shortage) Tell(ctx context.Context, live client.Reader, c client.Client) error {
	var list gwv1.GatewayClassList
	if err := listKind(ctx, live, &list); err != nil {
		return err
	}
	p := problem{string(gwv1.GatewayClassReasonPending), s.String()}
	if len(s.versions) > 0 {
		p.reason = string(gwv1.GatewayClassReasonUnsupportedVersion)
	}
	var errs []error
	for i := range list.Items {
		class := &list.Items[i]
		old := class.DeepCopy()
		outcome.Set(&class.Status.Conditions, condition(string(gwv1.GatewayClassConditionStatusAccepted), "", p, class.Generation))
		if class.Spec.ControllerName != ControllerName || reflect.DeepEqual(old.Status, class.Status) {
			continue
		}
		if err := c.Status().Patch(ctx, class, underLock(old)); client.IgnoreNotFound(err) != nil {
			errs = append(errs, fmt.Errorf("writing the status of GatewayClass %s: %w", class.Name, err))
		}
	}
	return errors.Join(errs...)
}
