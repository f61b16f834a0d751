// Package v1alpha1 is the first version of the API group elbv2.k8s.aws. It is served so that manifests written for it are
// accepted; objects are stored as v1beta1. It may import apimachinery and package v1beta1. Its invariant: each of its fields
// is a field of v1beta1 with the same JSON, for the API server converts by changing apiVersion alone.
//
// +groupName=elbv2.k8s.aws
// +kubebuilder:object:generate=true
package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Group and version of the kinds in this package.
const (
	Group   = "elbv2.k8s.aws"
	Version = "v1alpha1"
)

// GroupVersion is what apiVersion says of the kinds in this package.
func GroupVersion() schema.GroupVersion {
	return schema.GroupVersion{Group: Group, Version: Version}
}

// AddToScheme makes the kinds of this package known to s.
func AddToScheme(s *runtime.Scheme) error {
	s.AddKnownTypes(GroupVersion(), &TargetGroupBinding{}, &TargetGroupBindingList{})
	metav1.AddToGroupVersion(s, GroupVersion())
	return nil
}
