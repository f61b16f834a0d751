package gateway

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
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
	// leaves says that it is being taken away.
	leaves bool
}

// Catalogue is what the API server says that it serves now (client-go, package discovery).
type Catalogue interface {
	ServerGroups() (*metav1.APIGroupList, error)
	ServerResourcesForGroupVersion(groupVersion string) (*metav1.APIResourceList, error)
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

// FindShortage is the first of the needed kinds that the API server does not serve, or takes away; nil where it serves all.
func FindShortage(served Catalogue) (*Shortage, error) {
	lists := map[schema.GroupVersion]*metav1.APIResourceList{}
	for _, kind := range needed() {
		version := kind.GroupVersion()
		if lists[version] == nil {
			list, err := resources(served, version)
			if err != nil {
				return nil, err
			}
			lists[version] = list
		}
		found := find(lists[version], kind.Kind)
		switch {
		case found == nil:
			versions, err := otherVersions(served, kind)
			return &Shortage{kind: kind, versions: versions}, err
		case !slices.Contains(found.Verbs, "create"): // so the API server shows a definition that is being deleted
			return &Shortage{kind: kind, leaves: true}, nil
		}
	}
	return nil, nil
}

// resources are those of a version of a group; none where it is not served.
func resources(served Catalogue, version schema.GroupVersion) (*metav1.APIResourceList, error) {
	list, err := served.ServerResourcesForGroupVersion(version.String())
	if apierrors.IsNotFound(err) {
		return &metav1.APIResourceList{}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("asking the API server for %s: %w", version, err)
	}
	return list, nil
}

// find is the resource of a kind, not one below it; nil where there is none.
func find(list *metav1.APIResourceList, kind string) *metav1.APIResource {
	for i := range list.APIResources {
		if r := &list.APIResources[i]; r.Kind == kind && !strings.Contains(r.Name, "/") {
			return r
		}
	}
	return nil
}

// otherVersions are those that a kind is served in, sorted.
func otherVersions(served Catalogue, kind schema.GroupVersionKind) ([]string, error) {
	groups, err := served.ServerGroups()
	if err != nil {
		return nil, fmt.Errorf("asking the API server for versions of %s: %w", kind.GroupKind(), err)
	}
	var out []string
	for _, g := range groups.Groups {
		for _, v := range g.Versions {
			if g.Name != kind.Group {
				continue
			}
			list, err := resources(served, schema.GroupVersion{Group: g.Name, Version: v.Version})
			if err != nil {
				return nil, err
			}
			if find(list, kind.Kind) != nil {
				out = append(out, v.Version)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

// String says what is missing and how to mend it.
func (s Shortage) String() string {
	switch {
	case s.leaves:
		return fmt.Sprintf("no Gateway is served, and what AWS holds for them stays: the definition of %s is being deleted; install it again, and "+
			"Gateways are served without a restart", s.kind.GroupKind())
	case len(s.versions) == 0:
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
