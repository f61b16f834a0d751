package preview

import (
	"context"
	"fmt"

	networkingv1 "k8s.io/api/networking/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/headgate/headgate/controllers/gateway"
	"github.com/headgate/headgate/controllers/ingress"
	"github.com/headgate/headgate/controllers/manifests"
)

// installation is where a class comes from that the manifests do not hold.
const installation = "the operator's installation"

// AddClass adds the IngressClass that an installation of the operator brings along, and the GatewayClass of the same name, where the
// manifests name them and do not hold them, and tells in words of every class that is named and not there.
func AddClass(ctx context.Context, set *manifests.Set, name string) ([]string, error) {
	var ingresses networkingv1.IngressList
	if err := set.List(ctx, &ingresses); err != nil {
		return nil, fmt.Errorf("listing Ingresses: %w", err)
	}
	var gateways gwv1.GatewayList
	if err := set.List(ctx, &gateways); err != nil {
		return nil, fmt.Errorf("listing Gateways: %w", err)
	}
	return append(addIngressClass(ctx, set, name, ingresses.Items), addGatewayClass(ctx, set, name, gateways.Items)...), nil
}

func addIngressClass(ctx context.Context, set *manifests.Set, name string, all []networkingv1.Ingress) (notes []string) {
	for i := range all {
		class := all[i].Spec.IngressClassName
		if class == nil || has(ctx, set, *class, &networkingv1.IngressClass{}) {
			continue
		}
		if *class != name {
			notes = append(notes, fmt.Sprintf("IngressClass %s of Ingress %s is not among the manifests: nothing new is planned of the Ingress", *class,
				client.ObjectKeyFromObject(&all[i])))
			continue
		}
		set.Add(installation, fmt.Appendf(nil,
			"{apiVersion: networking.k8s.io/v1, kind: IngressClass, metadata: {name: %q}, spec: {controller: %s}}", name, ingress.ControllerName))
		notes = append(notes, "IngressClass "+name+" is taken to be the operator's")
	}
	return notes
}

func addGatewayClass(ctx context.Context, set *manifests.Set, name string, all []gwv1.Gateway) (notes []string) {
	for i := range all {
		class := string(all[i].Spec.GatewayClassName)
		if has(ctx, set, class, &gwv1.GatewayClass{}) {
			continue
		}
		if class != name {
			notes = append(notes, fmt.Sprintf("GatewayClass %s of Gateway %s is not among the manifests: the Gateway is not planned", class,
				client.ObjectKeyFromObject(&all[i])))
			continue
		}
		set.Add(installation, fmt.Appendf(nil,
			"{apiVersion: gateway.networking.k8s.io/v1, kind: GatewayClass, metadata: {name: %q}, spec: {controllerName: %s}}", name, gateway.ControllerName))
		notes = append(notes, "GatewayClass "+name+" is taken to be the operator's")
	}
	return notes
}

func has(ctx context.Context, r client.Reader, name string, into client.Object) bool {
	return r.Get(ctx, client.ObjectKey{Name: name}, into) == nil
}
