package gateway

import (
	"context"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"
)

// tlsPolicy is the word of a BackendTLSPolicy that a Service is reached by TLS only, with its certificate verified. An application load
// balancer verifies no certificates of targets, so it cannot be met.
type tlsPolicy struct {
	policy  string
	service types.NamespacedName
	// section is the name of a port of the Service, empty for all.
	section string
}

// loadPolicies reads who wants TLS to Services, in the order of their names.
func (s *Snapshot) loadPolicies(ctx context.Context, r client.Reader) error {
	var list gwv1.BackendTLSPolicyList
	if err := listKind(ctx, r, &list); err != nil {
		return err
	}
	slices.SortFunc(list.Items, func(a, b gwv1.BackendTLSPolicy) int { return byAge(&a, &b) })
	for i := range list.Items {
		p := &list.Items[i]
		for _, to := range p.Spec.TargetRefs {
			if to.Group == "" && to.Kind == kindService {
				s.policies = append(s.policies, tlsPolicy{
					p.Name, types.NamespacedName{Namespace: p.Namespace, Name: string(to.Name)}, string(deref(to.SectionName)),
				})
			}
		}
	}
	return nil
}

// unverifiable is why a port of a Service is no backend: somebody wants its certificate verified (Gateway API, HTTPBackendRef).
func (s *Snapshot) unverifiable(service *corev1.Service, port corev1.ServicePort) problem {
	i := slices.IndexFunc(s.policies, func(p tlsPolicy) bool {
		return p.service == client.ObjectKeyFromObject(service) && (p.section == "" || p.section == port.Name)
	})
	if i < 0 {
		return problem{}
	}
	return problem{string(gwv1.RouteReasonUnsupportedProtocol), fmt.Sprintf(
		"BackendTLSPolicy %s/%s wants the certificate of Service %s verified, and an application load balancer verifies no certificates of targets: "+
			"remove the policy, and set protocol HTTPS in a TargetGroupConfiguration for the Service, which encrypts without that",
		service.Namespace, s.policies[i].policy, service.Name)}
}
