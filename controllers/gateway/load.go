package gateway

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"
	gwv1beta1 "sigs.k8s.io/gateway-api/apis/v1beta1"

	awsgwv1 "github.com/headgate/headgate/apis/gateway/v1"
	"github.com/headgate/headgate/controllers/secret"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/intent"
)

// ControllerName is what a GatewayClass names to have its Gateways served here.
const ControllerName = "gateway.k8s.aws/alb"

// Settings are the operator's settings that concern Gateways.
type Settings struct {
	ClusterName          string
	DefaultTargetType    string
	DefaultScheme        string
	DefaultSSLPolicy     string
	DefaultTags          map[string]string
	BackendSecurityGroup bool
	// Tuning is what flags and gates say of building.
	Tuning intent.Tuning
	// Without are the add-ons that flags switch off.
	Without []model.Addon
	// Shelf is where certificates of authorities are kept; without a bucket clients are not verified by ConfigMaps.
	Shelf model.Shelf
	// SingleSubnet lets load balancers have one subnet.
	SingleSubnet bool
	// Arrivals is how often it is looked whether kinds that were missing are installed by now; zero means ten seconds.
	Arrivals time.Duration
	// Secrets are rules about Secrets that listeners name.
	Secrets secret.Rules
	// WatchNamespace limits which Gateways are served; empty means all.
	WatchNamespace string
}

// Snapshot is a Gateway with everything that belongs to it.
type Snapshot struct {
	Gateway *gwv1.Gateway
	// Class is nil when it does not exist; Ours then says no.
	Class *gwv1.GatewayClass
	// Ours says that the class is this controller's.
	Ours bool
	// ClassConfig and GatewayConfig are what the class's and the Gateway's parameters name; nil without.
	ClassConfig, GatewayConfig *awsgwv1.LoadBalancerConfiguration
	// ParameterProblem says why parameters could not be read, in words.
	ParameterProblem string
	// Sets are the ListenerSets that name the Gateway, by age, then name; known are all that there are.
	Sets  []gwv1.ListenerSet
	known map[types.NamespacedName]bool
	// Routes with a parentRef to the Gateway or one of its ListenerSets, by age, then name.
	Routes []route
	// Left are routes without one whose status names one of these still.
	Left []route
	// Namespaces, Services and TargetGroupConfigs by name.
	Namespaces map[string]corev1.Namespace
	Services   map[types.NamespacedName]corev1.Service
	Grants     []gwv1beta1.ReferenceGrant
	// policies are those that want certificates of Services verified.
	policies []tlsPolicy
	// Extensions are the ListenerRuleConfigurations that rules name, as far as they are there, and Clients those of identity providers in
	// Secrets that they name.
	Extensions map[types.NamespacedName]*awsgwv1.ListenerRuleConfiguration
	Clients    map[model.SecretRef]secret.Client
	// Authorities are the ConfigMaps that clients are verified by.
	Authorities map[types.NamespacedName]authorities
	// Secrets that listeners name and may name, as far as everybody may see them.
	Secrets      map[model.SecretRef]intent.Secret
	TargetGroups []awsgwv1.TargetGroupConfiguration
}

// Owner is the owner of a Gateway's stack.
func Owner(cluster string, gateway types.NamespacedName) model.Owner {
	return model.Owner{Cluster: cluster, Prefix: model.PrefixGatewayALB, Stack: gateway.String()}
}

// Load reads a Gateway and what belongs to it. A Gateway that does not exist gives a snapshot without one.
func Load(ctx context.Context, r client.Reader, set Settings, key types.NamespacedName) (*Snapshot, error) {
	s := &Snapshot{Namespaces: map[string]corev1.Namespace{}, Services: map[types.NamespacedName]corev1.Service{}}
	gateway := &gwv1.Gateway{}
	if err := r.Get(ctx, key, gateway); err != nil {
		if apierrors.IsNotFound(err) {
			return s, nil
		}
		return nil, fmt.Errorf("reading Gateway %s: %w", key, err)
	}
	s.Gateway = gateway
	for _, step := range []func(context.Context, client.Reader) error{
		s.loadClass, s.loadConfigs, s.loadSets, s.loadRoutes, s.loadServices, s.loadShared, s.loadPolicies,
	} {
		if err := step(ctx, r); err != nil {
			return nil, err
		}
	}
	if err := s.loadExtensions(ctx, r, set); err != nil {
		return nil, err
	}
	if err := s.loadAuthorities(ctx, r); err != nil {
		return nil, err
	}
	return s, s.loadSecrets(ctx, r, set.Secrets.Certificate)
}

// Gateways lists the Gateways of our classes, by name.
func Gateways(ctx context.Context, r client.Reader) ([]types.NamespacedName, error) {
	var list gwv1.GatewayList
	if err := listKind(ctx, r, &list); err != nil {
		return nil, err
	}
	var classes gwv1.GatewayClassList
	if err := listKind(ctx, r, &classes); err != nil {
		return nil, err
	}
	ours := map[string]bool{}
	for _, c := range classes.Items {
		ours[c.Name] = c.Spec.ControllerName == ControllerName
	}
	var out []types.NamespacedName
	for i := range list.Items {
		if ours[string(list.Items[i].Spec.GatewayClassName)] {
			out = append(out, client.ObjectKeyFromObject(&list.Items[i]))
		}
	}
	slices.SortFunc(out, func(a, b types.NamespacedName) int { return strings.Compare(a.String(), b.String()) })
	return out, nil
}

// listKind lists; a kind that the server does not know has no objects.
func listKind(ctx context.Context, r client.Reader, list client.ObjectList, opts ...client.ListOption) error {
	err := r.List(ctx, list, opts...)
	if err == nil || meta.IsNoMatchError(err) {
		return nil
	}
	return fmt.Errorf("listing %T: %w", list, err)
}

func (s *Snapshot) loadClass(ctx context.Context, r client.Reader) error {
	class := &gwv1.GatewayClass{}
	err := r.Get(ctx, client.ObjectKey{Name: string(s.Gateway.Spec.GatewayClassName)}, class)
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading GatewayClass %s: %w", s.Gateway.Spec.GatewayClassName, err)
	}
	s.Class, s.Ours = class, class.Spec.ControllerName == ControllerName
	return nil
}

func (s *Snapshot) loadConfigs(ctx context.Context, r client.Reader) error {
	if s.Class != nil && s.Class.Spec.ParametersRef != nil {
		ref := s.Class.Spec.ParametersRef
		namespace := ""
		if ref.Namespace != nil {
			namespace = string(*ref.Namespace)
		}
		err := s.loadConfig(ctx, r, parameters{
			field: "GatewayClass spec.parametersRef", group: string(ref.Group), kind: string(ref.Kind), namespace: namespace, name: ref.Name,
		}, &s.ClassConfig)
		if err != nil {
			return err
		}
	}
	infra := s.Gateway.Spec.Infrastructure
	if infra == nil || infra.ParametersRef == nil {
		return nil
	}
	return s.loadConfig(ctx, r, parameters{
		field: "spec.infrastructure.parametersRef", group: string(infra.ParametersRef.Group), kind: string(infra.ParametersRef.Kind),
		namespace: s.Gateway.Namespace, name: infra.ParametersRef.Name,
	}, &s.GatewayConfig)
}

// parameters is a reference to a LoadBalancerConfiguration and where it was written.
type parameters struct{ field, group, kind, namespace, name string }

// loadConfig reads what p refers to, or says in words why it cannot be.
func (s *Snapshot) loadConfig(ctx context.Context, r client.Reader, p parameters, into **awsgwv1.LoadBalancerConfiguration) error {
	switch {
	case p.group != awsgwv1.Group || p.kind != awsgwv1.KindLoadBalancerConfiguration:
		s.misread(fmt.Sprintf("%s names %s/%s: it must be a %s of group %s", p.field, p.group, p.kind,
			awsgwv1.KindLoadBalancerConfiguration, awsgwv1.Group))
		return nil
	case p.namespace == "":
		s.misread(p.field + " has no namespace: name the namespace of the " + awsgwv1.KindLoadBalancerConfiguration)
		return nil
	}
	config := &awsgwv1.LoadBalancerConfiguration{}
	err := r.Get(ctx, client.ObjectKey{Namespace: p.namespace, Name: p.name}, config)
	if apierrors.IsNotFound(err) || meta.IsNoMatchError(err) {
		s.misread(fmt.Sprintf("%s names %s %s/%s, which does not exist: create it", p.field, p.kind, p.namespace, p.name))
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading %s %s/%s: %w", p.kind, p.namespace, p.name, err)
	}
	*into = config
	return nil
}

// misread notes why parameters could not be read.
func (s *Snapshot) misread(why string) {
	if s.ParameterProblem != "" {
		s.ParameterProblem += "; "
	}
	s.ParameterProblem += why
}

func (s *Snapshot) loadRoutes(ctx context.Context, r client.Reader) error {
	all, err := listRoutes(ctx, r)
	if err != nil {
		return err
	}
	for _, route := range all {
		switch {
		case !route.DeletionTimestamp.IsZero():
		case slices.ContainsFunc(route.Spec.ParentRefs, func(p gwv1.ParentReference) bool { return s.concerns(p, route.Namespace) }):
			s.Routes = append(s.Routes, route)
		case slices.ContainsFunc(route.Status.Parents, func(p gwv1.RouteParentStatus) bool { return s.stale(p, route.Namespace) }):
			s.Left = append(s.Left, route)
		}
	}
	slices.SortFunc(s.Routes, func(a, b route) int { return cmp.Or(byAge(a, b), strings.Compare(a.kind, b.kind)) })
	return nil
}

// byAge compares objects by age, then by name.
func byAge(a, b client.Object) int {
	older := a.GetCreationTimestamp()
	return cmp.Or(older.Compare(b.GetCreationTimestamp().Time),
		strings.Compare(a.GetNamespace()+"/"+a.GetName(), b.GetNamespace()+"/"+b.GetName()))
}

func (s *Snapshot) loadServices(ctx context.Context, r client.Reader) error {
	for i := range s.Routes {
		for _, rule := range s.Routes[i].Spec.Rules {
			for _, b := range rule.BackendRefs {
				if err := s.loadService(ctx, r, backendKey(s.Routes[i].Namespace, b.BackendRef)); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// backendKey is what a route in a namespace refers to.
func backendKey(namespace string, b gwv1.BackendRef) types.NamespacedName {
	key := types.NamespacedName{Namespace: namespace, Name: string(b.Name)}
	if b.Namespace != nil {
		key.Namespace = string(*b.Namespace)
	}
	return key
}

func (s *Snapshot) loadService(ctx context.Context, r client.Reader, key types.NamespacedName) error {
	if _, ok := s.Services[key]; ok {
		return nil
	}
	service := corev1.Service{}
	err := r.Get(ctx, key, &service)
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading Service %s: %w", key, err)
	}
	s.Services[key] = service
	return nil
}

func (s *Snapshot) loadShared(ctx context.Context, r client.Reader) error {
	var namespaces corev1.NamespaceList
	if err := listKind(ctx, r, &namespaces); err != nil {
		return err
	}
	for _, n := range namespaces.Items {
		s.Namespaces[n.Name] = n
	}
	var grants gwv1beta1.ReferenceGrantList
	if err := listKind(ctx, r, &grants); err != nil {
		return err
	}
	s.Grants = grants.Items
	var configs awsgwv1.TargetGroupConfigurationList
	if err := listKind(ctx, r, &configs); err != nil {
		return err
	}
	s.TargetGroups = configs.Items
	slices.SortFunc(s.TargetGroups, func(a, b awsgwv1.TargetGroupConfiguration) int { return byAge(&a, &b) })
	return nil
}
