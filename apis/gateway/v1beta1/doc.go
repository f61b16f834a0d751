// Package v1beta1 is the earlier version of the API group gateway.k8s.aws. It is served so that manifests written for it are
// accepted; objects are stored as v1. It may import apimachinery and package v1. Its invariant: its kinds have the fields of
// v1, for the API server converts by changing apiVersion alone.
//
// +groupName=gateway.k8s.aws
// +kubebuilder:object:generate=true
package v1beta1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Group and version of the kinds in this package.
const (
	Group   = "gateway.k8s.aws"
	Version = "v1beta1"
)

// GroupVersion is what apiVersion says of the kinds in this package.
func GroupVersion() schema.GroupVersion {
	return schema.GroupVersion{Group: Group, Version: Version}
}

// AddToScheme makes the kinds of this package known to s.
func AddToScheme(s *runtime.Scheme) error {
	s.AddKnownTypes(GroupVersion(),
		&LoadBalancerConfiguration{}, &LoadBalancerConfigurationList{},
		&TargetGroupConfiguration{}, &TargetGroupConfigurationList{},
		&ListenerRuleConfiguration{}, &ListenerRuleConfigurationList{},
	)
	metav1.AddToGroupVersion(s, GroupVersion())
	return nil
}
