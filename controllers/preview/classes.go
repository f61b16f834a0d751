package preview

import (
	"context"
	"fmt"

	networkingv1 "k8s.io/api/networking/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/headgate/headgate/controllers/ingress"
	"github.com/headgate/headgate/controllers/manifests"
)

// AddClass adds the IngressClass that an installation of the operator brings along, where the manifests name it and do not hold it, and
// tells in words of every class that is named and not there.
func AddClass(ctx context.Context, set *manifests.Set, name string) ([]string, error) {
	var ingresses networkingv1.IngressList
	if err := set.List(ctx, &ingresses); err != nil {
		return nil, fmt.Errorf("listing Ingresses: %w", err)
	}
	var gateways gwv1.GatewayList
	if err := set.List(ctx, &gateways); err != nil {
		return nil, fmt.Errorf("listing Gateways: %w", err)
	}
	var notes []string
	for i := range ingresses.Items {
		class := ingresses.Items[i].Spec.IngressClassName
		if class == nil || has(ctx, set, *class, &networkingv1.IngressClass{}) {
			continue
		}
		if *class != name {
			notes = append(notes, fmt.Sprintf("IngressClass %s of Ingress %s is not among the manifests: nothing new is planned of the Ingress", *class,
				client.ObjectKeyFromObject(&ingresses.Items[i])))
			continue
		}
		set.Add("the operator's installation", fmt.Appendf(nil,
			"{apiVersion: networking.k8s.io/v1, kind: IngressClass, metadata: {name: %q}, spec: {controller: %s}}", name, ingress.ControllerName))
		notes = append(notes, "IngressClass "+name+" is taken to be the operator's")
	}
	for i := range gateways.Items {
		if class := string(gateways.Items[i].Spec.GatewayClassName); !has(ctx, set, class, &gwv1.GatewayClass{}) {
			notes = append(notes, fmt.Sprintf("GatewayClass %s of Gateway %s is not among the manifests: the Gateway is not planned", class,
				client.ObjectKeyFromObject(&gateways.Items[i])))
		}
	}
	return notes, nil
}

func has(ctx context.Context, r client.Reader, name string, into client.Object) bool {
	return r.Get(ctx, client.ObjectKey{Name: name}, into) == nil
}
