package gateway

import (
	"slices"

	gwv1 "sigs.k8s.io/gateway-api/apis/v1"
	gwv1beta1 "sigs.k8s.io/gateway-api/apis/v1beta1"

	"github.com/headgate/headgate/model"
)

// target is a core object that something refers to across namespaces.
type target struct{ kind, namespace, name string }

// permits tells whether an object may refer to a target: it is in its own namespace, or a ReferenceGrant there says so (Gateway API,
// ReferenceGrant).
func (s *Snapshot) permits(from model.ObjectRef, to target) bool {
	return from.Namespace == to.namespace || slices.ContainsFunc(s.Grants, func(g gwv1beta1.ReferenceGrant) bool {
		return g.Namespace == to.namespace &&
			slices.ContainsFunc(g.Spec.From, func(f gwv1beta1.ReferenceGrantFrom) bool {
				return f.Group == gwv1.GroupName && string(f.Kind) == from.Kind && string(f.Namespace) == from.Namespace
			}) &&
			slices.ContainsFunc(g.Spec.To, func(o gwv1beta1.ReferenceGrantTo) bool {
				return o.Group == "" && string(o.Kind) == to.kind && (o.Name == nil || *o.Name == "" || string(*o.Name) == to.name)
			})
	})
}
