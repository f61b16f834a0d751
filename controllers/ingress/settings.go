package ingress

import (
	"strings"

	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/headgate/headgate/controllers/secret"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/intent"
)

// Names that Ingresses and their classes carry, those of the incumbent.
const (
	ControllerName     = "ingress.k8s.aws/alb"
	classAnnotation    = "kubernetes.io/ingress.class"
	defaultAnnotation  = "ingressclass.kubernetes.io/is-default-class"
	finalizerImplicit  = "ingress.k8s.aws/resources"
	finalizerExplicit  = "group.ingress.k8s.aws/"
	paramsGroup        = "elbv2.k8s.aws"
	paramsKind         = "IngressClassParams"
	useAnnotation      = "use-annotation"
	ingressKind        = "Ingress"
	defaultClass       = "alb"
	defaultHTTPPort    = 80
	defaultHTTPSPort   = 443
	protocolHTTP       = "HTTP"
	protocolHTTPS      = "HTTPS"
	targetTypeIP       = "ip"
	targetTypeInstance = "instance"
	trafficPort        = "traffic-port"
	maxPort            = 65535
	statusUnavailable  = 503
	contentPlain       = "text/plain"
	schemeInternal     = "internal"
	defaultPolicy      = "ELBSecurityPolicy-2016-08"
	frontIngress       = "ingress"
	defaultBackend     = "spec.defaultBackend"
	metadataName       = "kubernetes.io/metadata.name"
)

// Settings are the operator's flags, as far as Ingresses are concerned.
type Settings struct {
	ClusterName string
	// IngressClass is the value of the legacy class annotation that is ours; empty means alb.
	IngressClass string
	// Classless takes Ingresses without any class too; no value of the legacy annotation but "" is ours then.
	Classless bool
	// DefaultTargetType is instance or ip; empty means instance.
	DefaultTargetType string
	// DefaultScheme is internal or internet-facing; empty means internal.
	DefaultScheme string
	// DefaultSSLPolicy is empty for ELBSecurityPolicy-2016-08.
	DefaultSSLPolicy string
	DefaultTags      map[string]string
	// ExternalManagedTags are keys that no object may set.
	ExternalManagedTags []string
	// WatchNamespace is the one namespace to look at; empty means all.
	WatchNamespace string
	// CertificateManagement serves create-acm-cert; DefaultAuthority is the private authority where none is named.
	CertificateManagement bool
	DefaultAuthority      string
	// BackendSecurityGroup gives load balancers the shared backend security group.
	BackendSecurityGroup bool
	// Without are the add-ons that flags switch off.
	Without []model.Addon
	// SingleSubnet lets load balancers have one subnet.
	SingleSubnet bool
	// Tuning is what flags and gates say of building, of all front doors.
	Tuning intent.Tuning
	// NoClassAnnotation and NoGroupAnnotation refuse the annotations of the class and of the group's name on Ingresses that are new, or
	// newly have them.
	NoClassAnnotation, NoGroupAnnotation bool
	// DemandServices and DemandActions make a Service, or an action, that is not there a mistake of its Ingress, which else answers 503.
	DemandServices, DemandActions bool
	// Secrets are rules about Secrets that Ingresses name.
	Secrets secret.Rules
}

// legacyClass is the value of the class annotation that is ours.
func (s Settings) legacyClass() string {
	if s.Classless {
		return s.IngressClass
	}
	return or(s.IngressClass, defaultClass)
}

func (s Settings) defaults() intent.Defaults {
	return intent.Defaults{
		Cluster:              s.ClusterName,
		Scheme:               or(s.DefaultScheme, schemeInternal),
		TargetType:           or(s.DefaultTargetType, targetTypeInstance),
		SSLPolicy:            or(s.DefaultSSLPolicy, defaultPolicy),
		Tags:                 s.DefaultTags,
		BackendSecurityGroup: s.BackendSecurityGroup,
		SingleSubnet:         s.SingleSubnet,
		Tuning:               s.Tuning,
	}
}

func or(value, fallback string) string {
	if value == "" {
		return fallback
	}
	return value
}

// GroupKey names a group of Ingresses that share a load balancer: an explicit one by Name, or the group of one Ingress.
type GroupKey struct {
	Name string
	// Namespace and Ingress are set where Name is not.
	Namespace, Ingress string
}

// Explicit is the key of a group with a name.
func Explicit(name string) GroupKey { return GroupKey{Name: name} }

// Implicit is the key of the group of one Ingress.
func Implicit(namespace, name string) GroupKey { return GroupKey{Namespace: namespace, Ingress: name} }

// String is the stack of the group: its name, or "namespace/name" of its Ingress.
func (k GroupKey) String() string {
	if k.Name != "" {
		return k.Name
	}
	return k.Namespace + "/" + k.Ingress
}

// Owner of the group's stack.
func (k GroupKey) Owner(cluster string) model.Owner {
	return model.Owner{Cluster: cluster, Prefix: model.PrefixIngress, Stack: k.String()}
}

// Finalizer that members of the group carry.
func (k GroupKey) Finalizer() string {
	if k.Name != "" {
		return finalizerExplicit + k.Name
	}
	return finalizerImplicit
}

// NamespacedName is the key as a request of a work queue.
func (k GroupKey) NamespacedName() types.NamespacedName {
	if k.Name != "" {
		return types.NamespacedName{Name: k.Name}
	}
	return types.NamespacedName{Namespace: k.Namespace, Name: k.Ingress}
}

// KeyOf reads what [GroupKey.NamespacedName] wrote.
func KeyOf(n types.NamespacedName) GroupKey {
	if n.Namespace == "" {
		return Explicit(n.Name)
	}
	return Implicit(n.Namespace, n.Name)
}

// keysByFinalizer are the groups that an Ingress was a member of.
func keysByFinalizer(ing *networkingv1.Ingress) []GroupKey {
	var out []GroupKey
	for _, f := range ing.Finalizers {
		if name, ok := strings.CutPrefix(f, finalizerExplicit); ok && name != "" {
			out = append(out, Explicit(name))
		}
		if f == finalizerImplicit {
			out = append(out, Implicit(ing.Namespace, ing.Name))
		}
	}
	return out
}

func uidOf(ref model.ObjectRef) types.UID { return types.UID(ref.UID) }

// portNumber is a port as Kubernetes counts it; ports were checked when they were read.
func portNumber(p int) int32 { return int32(min(max(p, 0), maxPort)) }
