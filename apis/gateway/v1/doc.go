// Package v1 holds the kinds of the API group gateway.k8s.aws that the AWS Load Balancer Controller defined and that Headgate
// serves unchanged: the settings of load balancers, target groups and listener rules that the Gateway API has no words for.
// It may import apimachinery only. Its invariant: an object that the incumbent's schema accepts, this schema accepts, with
// the same meaning and the same defaults.
//
// +groupName=gateway.k8s.aws
// +kubebuilder:object:generate=true
package v1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Group and version of the kinds in this package.
const (
	Group   = "gateway.k8s.aws"
	Version = "v1"
)

// Kinds by their names.
const (
	KindLoadBalancerConfiguration = "LoadBalancerConfiguration"
	KindTargetGroupConfiguration  = "TargetGroupConfiguration"
	KindListenerRuleConfiguration = "ListenerRuleConfiguration"
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
