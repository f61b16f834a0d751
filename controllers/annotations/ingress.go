package annotations

import (
	"strings"
	"sync"

	"github.com/headgate/headgate/model"
)

// IngressPrefix is the prefix of the keys of Ingresses and of the Services behind them.
const IngressPrefix = "alb.ingress.kubernetes.io/"

// Keys of Ingresses, without their prefix. Actions, Conditions, Transforms and ListenerAttributes are followed by a name,
// TargetControlPort by that of a Service and its port.
const (
	GroupName             = "group.name"
	GroupOrder            = "group.order"
	LoadBalancerName      = "load-balancer-name"
	Scheme                = "scheme"
	IPAddressType         = "ip-address-type"
	Subnets               = "subnets"
	SecurityGroups        = "security-groups"
	ManageBackendRules    = "manage-backend-security-group-rules"
	LoadBalancerAttrs     = "load-balancer-attributes"
	Tags                  = "tags"
	ListenPorts           = "listen-ports"
	SSLRedirect           = "ssl-redirect"
	InboundCIDRs          = "inbound-cidrs"
	PrefixLists           = "security-group-prefix-lists"
	CertificateARN        = "certificate-arn"
	CreateCertificate     = "create-acm-cert"
	CertificateAuthority  = "acm-pca-arn"
	SSLPolicy             = "ssl-policy"
	ListenerAttributes    = "listener-attributes"
	TargetType            = "target-type"
	BackendProtocol       = "backend-protocol"
	BackendVersion        = "backend-protocol-version"
	TargetGroupAttrs      = "target-group-attributes"
	TargetNodeLabels      = "target-node-labels"
	MultiCluster          = "multi-cluster-target-group"
	TargetControlPort     = "target-control-port"
	HealthPort            = "healthcheck-port"
	HealthProtocol        = "healthcheck-protocol"
	HealthPath            = "healthcheck-path"
	HealthInterval        = "healthcheck-interval-seconds"
	HealthTimeout         = "healthcheck-timeout-seconds"
	HealthyThreshold      = "healthy-threshold-count"
	UnhealthyThreshold    = "unhealthy-threshold-count"
	SuccessCodes          = "success-codes"
	Actions               = "actions"
	Conditions            = "conditions"
	Transforms            = "transforms"
	UseRegexPathMatch     = "use-regex-path-match"
	AuthType              = "auth-type"
	AuthCognito           = "auth-idp-cognito"
	AuthOIDC              = "auth-idp-oidc"
	JWTValidation         = "jwt-validation"
	MutualAuthentication  = "mutual-authentication"
	schemeInternal        = "internal"
	schemeInternetFacing  = "internet-facing"
	maxPort               = 65535
	maxOrder              = 1000
	maxHealthSeconds      = 300
	maxTimeoutSeconds     = 120
	maxThreshold          = 10
	defaultHealthInterval = "15"
)

// Ingress is the table of the keys of Ingresses.
func Ingress() Table { return ingressTable() }

// ingressTable is made once: whenever a Service changes it is asked for, for each Ingress.
var ingressTable = sync.OnceValue(func() Table {
	specs := groupSpecs()
	specs = append(specs, listenerSpecs()...)
	specs = append(specs, targetGroupSpecs()...)
	specs = append(specs, ruleSpecs()...)
	specs = append(specs, authSpecs()...)
	specs = append(specs, addonSpecs()...)
	specs = append(specs, unservedSpecs()...)
	specs = append(specs, frontendSpecs()...)
	return New(IngressPrefix, specs)
})

func groupSpecs() []Spec {
	return []Spec{
		{Key: GroupName, On: OnIngress, Default: "a load balancer of its own", Check: CheckGroupName},
		{Key: GroupOrder, Type: Int, On: OnIngress, Default: "0", Min: -maxOrder, Max: maxOrder},
		{Key: LoadBalancerName, On: OnIngress, Scope: Exclusive, Default: "generated", Check: CheckLoadBalancerName},
		{
			Key: Scheme, On: OnIngress, Scope: Exclusive, Default: "the operator's setting",
			Values: []string{schemeInternal, schemeInternetFacing},
		},
		{
			Key: IPAddressType, On: OnIngress, Scope: Exclusive, Default: "ipv4",
			Values: []string{"ipv4", "dualstack", "dualstack-without-public-ipv4"},
		},
		{Key: Subnets, Type: List, On: OnIngress, Scope: Exclusive, Default: "discovered by their tags", Check: checkSubnet},
		{Key: SecurityGroups, Type: List, On: OnIngress, Scope: Exclusive, Default: "one that is managed", Check: checkGroup, Guards: written},
		{Key: ManageBackendRules, Type: Bool, On: OnIngress, Scope: Exclusive, Default: "the operator's setting"},
		{Key: LoadBalancerAttrs, Type: Map, On: OnIngress, Scope: Merge},
		{Key: Tags, Type: Map, On: Both, Scope: Merge, Check: checkTags},
	}
}

func listenerSpecs() []Spec {
	return []Spec{
		{
			Key: ListenPorts, Type: JSON, On: OnIngress, Scope: Merge, Check: shape[Ports],
			Default: `[{"HTTP":80}], or [{"HTTPS":443}] with a certificate`,
		},
		{Key: SSLRedirect, Type: Int, On: OnIngress, Scope: Exclusive, Min: 1, Max: maxPort},
		{Key: InboundCIDRs, Type: List, On: OnIngress, Scope: PerPort, Default: "0.0.0.0/0, ::/0", Check: CheckCIDR, Odd: maskedRanges, Guards: written},
		{Key: PrefixLists, Type: List, On: OnIngress, Scope: PerPort, Check: CheckPrefixList, Guards: written},
		{Key: CertificateARN, Type: List, On: OnIngress, Scope: Merge, Default: "discovered by host name", Check: CheckCertificate},
		{Key: CreateCertificate, Type: Bool, On: OnIngress, Default: "false", Off: []string{"false"}},
		{Key: CertificateAuthority, On: OnIngress, Default: "the operator's setting", Check: CheckAuthority},
		{Key: SSLPolicy, On: OnIngress, Scope: PerPort, Default: "the operator's setting", Check: CheckPolicy},
		{Key: ListenerAttributes, Named: true, Type: Map, On: OnIngress, Scope: Merge},
	}
}

func written(value string) bool { return value != "" }

// namesSource tells whether conditions are about who asks. All others are about what is asked for.
func namesSource(value string) bool {
	return strings.Contains(strings.ToLower(value), model.FieldSourceIP)
}

func targetGroupSpecs() []Spec {
	protocols := []string{"HTTP", "HTTPS"}
	specs := []Spec{
		{Key: TargetType, Default: "the operator's setting", Values: []string{"instance", "ip"}},
		{Key: BackendProtocol, Default: "HTTP", Values: protocols},
		{Key: BackendVersion, Default: "HTTP1", Values: []string{"HTTP1", "HTTP2", "GRPC"}},
		{Key: TargetGroupAttrs, Type: Map},
		{Key: TargetNodeLabels, Type: Map, Default: "all nodes", Check: checkNodeLabels},
		{Key: MultiCluster, Type: Bool, Default: "false"},
		{Key: TargetControlPort, Named: true, Type: Int, Default: "no target optimizer", Min: 1, Max: maxPort},
		{Key: HealthPort, Default: "traffic-port", Check: checkFilled},
		{Key: HealthProtocol, Default: "the backend protocol", Values: protocols},
		{Key: HealthPath, Default: "/, or /AWS.ALB/healthcheck for GRPC", Check: checkHealthPath},
		{Key: HealthInterval, Type: Int, Default: defaultHealthInterval, Min: 5, Max: maxHealthSeconds},
		{Key: HealthTimeout, Type: Int, Default: "5", Min: 2, Max: maxTimeoutSeconds},
		{Key: HealthyThreshold, Type: Int, Default: "2", Min: 2, Max: maxThreshold},
		{Key: UnhealthyThreshold, Type: Int, Default: "2", Min: 2, Max: maxThreshold},
		{Key: SuccessCodes, Default: "200, or 12 for GRPC", Check: checkCodes},
	}
	for i := range specs {
		specs[i].On, specs[i].Scope = Both, PerTargetGroup
	}
	return specs
}

func ruleSpecs() []Spec {
	return []Spec{
		{Key: Actions, Named: true, Type: JSON, On: OnIngress, Check: shape[Action], Odd: unknownField[Action]},
		{
			Key: Conditions, Named: true, Type: JSON, On: OnIngress, Check: shape[ConditionList], Odd: oddConditions,
			Guards: namesSource,
		},
		{Key: Transforms, Named: true, Type: JSON, On: OnIngress, Check: shape[TransformList], Odd: unknownField[TransformList]},
		{Key: UseRegexPathMatch, Type: Bool, On: OnIngress, Default: "false"},
	}
}

func unservedSpecs() []Spec {
	return []Spec{
		{Key: "dry-run-plan", On: OnIngress, Status: Ignored},
	}
}
