package gateway

import (
	"context"
	"fmt"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"
	"sigs.k8s.io/gateway-api/pkg/consts"
	"sigs.k8s.io/gateway-api/pkg/features"
)

// supported are the features that are served as they are specified, sorted by name (Gateway API, GatewayClassStatus.supportedFeatures);
// those that hang on what is installed, or on flags, where more says so.
// Not among them is what an application load balancer does in its own way: it compares query parameters without regard to case, and takes
// HTTP/2 over TLS only; nor GatewayPort8080, for with it the suite asks for redirects from HTTPS to HTTP, which AWS refuses. What is among
// them is proven by the official suite, see docs/conformance.
func supported(more ...features.FeatureName) []gwv1.SupportedFeature {
	var out []gwv1.SupportedFeature
	for _, name := range slices.Concat(more, []features.FeatureName{
		features.SupportGateway, features.SupportGatewayAddressEmpty, features.SupportGatewayHTTPListenerIsolation,
		features.SupportGatewayInfrastructure, features.SupportHTTPRoute, features.SupportHTTPRouteBackendProtocolWebSocket,
		features.SupportHTTPRouteDestinationPortMatching, features.SupportHTTPRouteMethodMatching, features.SupportHTTPRouteNamedRouteRule,
		features.SupportHTTPRouteParentRefPort, features.SupportHTTPRoutePathRedirect, features.SupportHTTPRoutePortRedirect,
		features.SupportHTTPRouteSchemeRedirect, features.SupportReferenceGrant,
	}) {
		out = append(out, gwv1.SupportedFeature{Name: gwv1.FeatureName(name)})
	}
	slices.SortFunc(out, func(a, b gwv1.SupportedFeature) int { return strings.Compare(string(a.Name), string(b.Name)) })
	return out
}

// verifying are the features of Gateways that say how clients are verified: with a bucket for authorities.
func verifying() []features.FeatureName {
	return []features.FeatureName{
		features.SupportGatewayFrontendClientCertificateValidation, features.SupportGatewayFrontendClientCertificateValidationInsecureFallback,
	}
}

// features are those that a class promises.
func (r *ClassReconciler) features() []gwv1.SupportedFeature {
	var more []features.FeatureName
	if hasSets(r.client.RESTMapper()) {
		more = append(more, features.SupportListenerSet)
	}
	if r.keeps {
		more = append(more, verifying()...)
	}
	return supported(more...)
}

// version says why the installed version of the Gateway API is not one that this was made for. Gateways are served all the same. The
// definitions are installed together, so one speaks for all.
func (r *ClassReconciler) version(ctx context.Context) (problem, error) {
	o := &metav1.PartialObjectMetadata{}
	o.SetGroupVersionKind(schema.GroupVersionKind{Group: "apiextensions.k8s.io", Version: "v1", Kind: "CustomResourceDefinition"})
	if err := r.live.Get(ctx, client.ObjectKey{Name: "gatewayclasses." + gwv1.GroupName}, o); client.IgnoreNotFound(err) != nil {
		return problem{}, fmt.Errorf("reading the version of the Gateway API: %w", err)
	}
	found := o.Annotations[consts.BundleVersionAnnotation]
	if madeFor(found) {
		return problem{}, nil
	}
	return problem{string(gwv1.GatewayClassReasonUnsupportedVersion), fmt.Sprintf(
		"installed is version %q of the Gateway API, supported are v1.0 to %s: what is known of it is served, best effort", found, consts.BundleVersion)}, nil
}

// madeFor tells whether a version is of the same major number as the types that this was built with, and not of a later minor one: within
// a major version the standard channel only grows.
func madeFor(version string) bool {
	major, minor, ok := parseVersion(version)
	builtMajor, builtMinor, _ := parseVersion(consts.BundleVersion)
	return ok && major == builtMajor && minor <= builtMinor
}

func parseVersion(version string) (major, minor int, ok bool) {
	n, err := fmt.Sscanf(version, "v%d.%d.", &major, &minor)
	return major, minor, err == nil && n == 2
}
