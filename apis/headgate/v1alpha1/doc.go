// Package v1alpha1 holds Headgate's own kinds, API group headgate.dev: LoadBalancer, where people and tools look, and
// StackState, what the operator remembers. It may import apimachinery only. Its invariant: the only field that a user writes
// is spec.approvedPlan of a LoadBalancer.
//
// +groupName=headgate.dev
// +kubebuilder:object:generate=true
package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Group and version of the kinds in this package.
const (
	Group   = "headgate.dev"
	Version = "v1alpha1"
)

// Kinds by their names.
const (
	KindLoadBalancer = "LoadBalancer"
	KindStackState   = "StackState"
)

// GroupVersion is what apiVersion says of the kinds in this package.
func GroupVersion() schema.GroupVersion {
	return schema.GroupVersion{Group: Group, Version: Version}
}

// AddToScheme makes the kinds of this package known to s.
func AddToScheme(s *runtime.Scheme) error {
	s.AddKnownTypes(GroupVersion(),
		&LoadBalancer{}, &LoadBalancerList{},
		&StackState{}, &StackStateList{},
	)
	metav1.AddToGroupVersion(s, GroupVersion())
	return nil
}
