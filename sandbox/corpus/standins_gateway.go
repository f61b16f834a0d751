package corpus

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/headgate/headgate/sandbox/selfsigned"
)

// standInClass is the class of the Gateways that stand in for parents of routes, standInGateway the one of routes that name none.
const (
	standInClass   = "corpus"
	standInGateway = "corpus"
)

// gatewayClass has a class of a controller stand in, unless the file brings it.
func (t *trial) gatewayClass(ctx context.Context, name string, controller gwv1.GatewayController, own bool) error {
	if len(validation.IsDNS1123Subdomain(name)) > 0 {
		return nil // no class can have the name
	}
	return t.class(ctx, &gwv1.GatewayClass{
		ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: gwv1.GatewayClassSpec{ControllerName: controller},
	}, own)
}

// besideGateway makes what a Gateway refers to and its file does not bring: its class, whose controller is the one for what the
// listeners speak, its configuration, and the authorities of its clients.
func (t *trial) besideGateway(ctx context.Context, o *unstructured.Unstructured, has map[string]bool) error {
	g, ok := typed[gwv1.Gateway](o)
	if !ok {
		return nil
	}
	controller := gwv1.GatewayController(gatewayController)
	if !slices.ContainsFunc(g.Spec.Listeners, func(l gwv1.Listener) bool {
		return l.Protocol == gwv1.HTTPProtocolType || l.Protocol == gwv1.HTTPSProtocolType
	}) {
		controller = networkController
	}
	class := string(g.Spec.GatewayClassName)
	return errors.Join(t.gatewayClass(ctx, class, controller, has["GatewayClass "+class]), t.parameters(ctx, &g, has), t.authorities(ctx, &g, has))
}

// parameters has a configuration stand in that says that the load balancer is public.
func (t *trial) parameters(ctx context.Context, g *gwv1.Gateway, has map[string]bool) error {
	if g.Spec.Infrastructure == nil || g.Spec.Infrastructure.ParametersRef == nil {
		return nil
	}
	ref := g.Spec.Infrastructure.ParametersRef
	if ref.Kind != "LoadBalancerConfiguration" || has["LoadBalancerConfiguration "+g.Namespace+"/"+ref.Name] {
		return nil
	}
	c := &unstructured.Unstructured{Object: map[string]any{"spec": map[string]any{"scheme": "internet-facing"}}}
	c.SetAPIVersion("gateway.k8s.aws/v1")
	c.SetKind("LoadBalancerConfiguration")
	c.SetNamespace(g.Namespace)
	c.SetName(ref.Name)
	return t.make(ctx, c)
}

// authorities has ConfigMaps with a certificate stand in for those of the authorities that clients are verified by.
func (t *trial) authorities(ctx context.Context, g *gwv1.Gateway, has map[string]bool) error {
	if g.Spec.TLS == nil || g.Spec.TLS.Frontend == nil {
		return nil
	}
	all := []gwv1.TLSConfig{g.Spec.TLS.Frontend.Default}
	for _, p := range g.Spec.TLS.Frontend.PerPort {
		all = append(all, p.TLS)
	}
	var errs []error
	for _, c := range all {
		if c.Validation == nil {
			continue
		}
		for _, ref := range c.Validation.CACertificateRefs {
			if ref.Kind != "ConfigMap" || ref.Namespace != nil || has["ConfigMap "+g.Namespace+"/"+string(ref.Name)] {
				continue
			}
			made, err := selfsigned.New("authority.example")
			if err != nil {
				return fmt.Errorf("standing in for an authority: %w", err)
			}
			errs = append(errs, t.make(ctx, &corev1.ConfigMap{
				ObjectMeta: metav1.ObjectMeta{Namespace: g.Namespace, Name: string(ref.Name)}, Data: map[string]string{"ca.crt": string(made.Cert)},
			}))
		}
	}
	return errors.Join(errs...)
}

// certificates has Secrets stand in for those that listeners of a Gateway or a ListenerSet name, for the listener's host, or else for
// those of the file's routes.
func (t *trial) certificates(ctx context.Context, o *unstructured.Unstructured, file []*unstructured.Unstructured, has map[string]bool) error {
	entrance, ok := typed[struct {
		Spec struct {
			Listeners []struct {
				Hostname string                  `json:"hostname"`
				TLS      *gwv1.ListenerTLSConfig `json:"tls"`
			} `json:"listeners"`
		} `json:"spec"`
	}](o)
	if !ok {
		return nil
	}
	var errs []error
	for _, l := range entrance.Spec.Listeners {
		if l.TLS == nil {
			continue
		}
		hosts := []string{l.Hostname}
		if l.Hostname == "" {
			hosts = hostsOf(file)
		}
		for _, ref := range l.TLS.CertificateRefs {
			if ptr.Deref(ref.Kind, "Secret") == "Secret" && ref.Namespace == nil && !has["Secret "+o.GetNamespace()+"/"+string(ref.Name)] {
				errs = append(errs, t.secret(ctx, client.ObjectKey{Namespace: o.GetNamespace(), Name: string(ref.Name)}, hosts))
			}
		}
	}
	return errors.Join(errs...)
}

// hostsOf are the hosts of a file's routes, of which there is at least one.
func hostsOf(file []*unstructured.Unstructured) []string {
	var out []string
	for _, o := range file {
		hosts, _, _ := unstructured.NestedStringSlice(o.Object, "spec", "hostnames")
		out = append(out, hosts...)
	}
	if len(out) == 0 {
		return []string{"corpus.example"}
	}
	return out
}

func (t *trial) secret(ctx context.Context, key client.ObjectKey, hosts []string) error {
	made, err := selfsigned.New(hosts...)
	if err != nil {
		return fmt.Errorf("standing in for the certificate %s: %w", key, err)
	}
	return t.make(ctx, &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: key.Namespace, Name: key.Name}, Type: corev1.SecretTypeTLS,
		Data: map[string][]byte{corev1.TLSCertKey: made.Cert, corev1.TLSPrivateKeyKey: made.Key},
	})
}

// parents makes the Gateways that a route names and its file does not bring. They take every route, over HTTP.
func (t *trial) parents(ctx context.Context, o *unstructured.Unstructured, has map[string]bool) error {
	route, ok := typed[routeForm](o)
	if !ok {
		return nil
	}
	all := gwv1.NamespacesFromAll
	var errs []error
	for _, p := range route.Spec.ParentRefs {
		namespace := string(ptr.Deref(p.Namespace, gwv1.Namespace(o.GetNamespace())))
		if ptr.Deref(p.Kind, "Gateway") != "Gateway" || has["Gateway "+namespace+"/"+string(p.Name)] || namespace != o.GetNamespace() {
			continue
		}
		g := &gwv1.Gateway{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: string(p.Name)}}
		g.Spec.GatewayClassName = standInClass
		g.Spec.Listeners = []gwv1.Listener{{
			Name: ptr.Deref(p.SectionName, "http"), Port: ptr.Deref(p.Port, 80), Protocol: gwv1.HTTPProtocolType,
			AllowedRoutes: &gwv1.AllowedRoutes{Namespaces: &gwv1.RouteNamespaces{From: &all}},
		}}
		errs = append(errs, t.gatewayClass(ctx, standInClass, gatewayController, false), t.make(ctx, g))
	}
	return errors.Join(errs...)
}

func backendsOfRoute(o *unstructured.Unstructured, into map[backend]bool) {
	route, ok := typed[routeForm](o)
	if !ok {
		return
	}
	for _, r := range route.Spec.Rules {
		for _, b := range r.BackendRefs {
			if b.Kind != nil && *b.Kind != "Service" || b.Port == nil || b.Namespace != nil {
				continue
			}
			into[backend{o.GetNamespace(), string(b.Name), strconv.Itoa(int(*b.Port))}] = true
		}
	}
}

// user makes a route to the Service of a TargetGroupConfiguration that nothing in its file uses: the configuration is judged by it.
func (t *trial) user(ctx context.Context, o *unstructured.Unstructured, file []*unstructured.Unstructured, ports map[backend]bool) error {
	name, _, _ := unstructured.NestedString(o.Object, "spec", "targetReference", "name")
	if name == "" || used(file) {
		return nil
	}
	route := &unstructured.Unstructured{Object: map[string]any{"spec": map[string]any{
		"parentRefs": []any{map[string]any{"name": standInGateway}},
		"rules":      []any{map[string]any{"backendRefs": []any{map[string]any{"name": name, "port": int64(80)}}}},
	}}}
	route.SetAPIVersion(gwv1.GroupVersion.String())
	route.SetKind("HTTPRoute")
	route.SetNamespace(o.GetNamespace())
	route.SetName("corpus-" + o.GetName())
	backendsOfRoute(route, ports)
	t.users[o.GetNamespace()+"/"+o.GetName()] = route
	return errors.Join(t.parents(ctx, route, nil), t.make(ctx, route))
}
