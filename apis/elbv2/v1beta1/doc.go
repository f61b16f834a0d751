// Package v1beta1 holds the kinds of the API group elbv2.k8s.aws that the AWS Load Balancer Controller defined and that
// Headgate serves unchanged: IngressClassParams, TargetGroupBinding and
// ALBTargetControlConfig. It may import apimachinery only. Its invariant: an
// object that the incumbent's schema accepts, this schema accepts, with the same meaning and the same defaults.
//
// +groupName=elbv2.k8s.aws
// +kubebuilder:object:generate=true
package v1beta1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Group and version of the kinds in this package.
const (
	Group   = "elbv2.k8s.aws"
	Version = "v1beta1"
)

// Kinds by their names.
const (
	KindIngressClassParams  = "IngressClassParams"
	KindTargetGroupBinding  = "TargetGroupBinding"
	KindTargetControlConfig = "ALBTargetControlConfig"
)

// GroupVersion is what apiVersion says of the kinds in this package.
func GroupVersion() schema.GroupVersion {
	return schema.GroupVersion{Group: Group, Version: Version}
}

// AddToScheme makes the kinds of this package known to s.
func AddToScheme(s *runtime.Scheme) error {
	s.AddKnownTypes(GroupVersion(),
		&IngressClassParams{}, &IngressClassParamsList{},
		&TargetGroupBinding{}, &TargetGroupBindingList{},
		&ALBTargetControlConfig{}, &ALBTargetControlConfigList{},
	)
	metav1.AddToGroupVersion(s, GroupVersion())
	return nil
}
