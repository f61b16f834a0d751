// Package intent is the narrow waist of Headgate: what users asked for, in load-balancing words, whichever front door it came
// through. Only package build knows what AWS makes of it.
//
// It imports the standard library and package model. Its invariant: an intent is the sum of its members' fragments; a
// fragment holds references and never resolved permissions or secrets, so it can be stored as the member's last good state.
package intent

import (
	"fmt"
	"iter"
	"net/netip"

	"github.com/headgate/headgate/model"
)

// Intent is what one stack shall be.
type Intent struct {
	Owner model.Owner `json:"owner"`
	// Front is "ingress", "gateway" or "service".
	Front string `json:"front"`
	// Group is the explicit group's name; empty for an owner that is one object, which Namespace and Name then name.
	Group     string `json:"group,omitempty"`
	Namespace string `json:"namespace,omitempty"`
	Name      string `json:"name,omitempty"`
	// Order is how routes of different fragments are ranked.
	Order Order `json:"order"`
	// Defaults come from flags and hold what no fragment sets.
	Defaults Defaults `json:"defaults"`
	// Fragments in order of precedence. None means that nothing is wanted: the stack is deleted.
	Fragments []Fragment `json:"fragments,omitempty"`
	// Before are the last good fragments of members, in any order: what was applied. Where two members ask for different things, the
	// one that asked for the same before gets it, so that a newcomer changes nothing for those who are there.
	Before []Fragment `json:"before,omitempty"`
	// Observed are the listeners with their rules that AWS holds, as far as they were read: what members are served of whom nothing is in
	// Before. It counts where a quota leaves no room for everybody.
	Observed []model.Listener `json:"observed,omitempty"`
}

// Order is a way to rank routes.
type Order string

const (
	// ByFragment keeps the order of fragments and, within one, of its routes (Ingress groups).
	ByFragment Order = "fragment"
	// BySpecificity ranks all routes of a listener as the Gateway API says (HTTPRouteRule.matches), then by Route.Age,
	// namespace/name, and the order within the route.
	BySpecificity Order = "specificity"
)

// Defaults are the operator's settings that a build falls back to.
type Defaults struct {
	Tuning

	Cluster string `json:"cluster"`
	// Scheme is internal or internet-facing.
	Scheme string `json:"scheme"`
	// TargetType is ip or instance.
	TargetType string            `json:"targetType"`
	SSLPolicy  string            `json:"sslPolicy"`
	Tags       map[string]string `json:"tags,omitempty"`
	// BackendSecurityGroup says that load balancers get the shared backend security group.
	BackendSecurityGroup bool `json:"backendSecurityGroup,omitempty"`
	// SingleSubnet says that application load balancers may have one subnet, as AWS allows some accounts.
	SingleSubnet bool `json:"singleSubnet,omitempty"`
	// Shelf is where certificates of authorities are kept; without a bucket no trust store is made.
	Shelf model.Shelf `json:"shelf,omitzero"`
}

// Tuning is what flags and feature gates say of a build; the zero value is what holds without them.
type Tuning struct {
	// ManageBackendRules asks for rules on pods' groups where nobody says whether to have them, although SecurityGroups is set.
	ManageBackendRules bool `json:"manageBackendRules,omitempty"`
	// TagsYield lets what objects say of a tag go before Tags, which else go before that.
	TagsYield bool `json:"tagsYield,omitempty"`
	// SharedSubnets says that discovery takes subnets that are tagged for other clusters only.
	SharedSubnets bool `json:"sharedSubnets,omitempty"`
	// SubnetsByRole says that discovery takes subnets with the tag of their role only, and looks at no route.
	SubnetsByRole bool `json:"subnetsByRole,omitempty"`
}

// Fragment is what one member asks for.
type Fragment struct {
	Member model.ObjectRef `json:"member"`
	// Rank is where its owner puts it among the others, the smaller the earlier: members that serve their last good fragment keep that of it.
	// Those of equal rank are in the order of [Intent.Fragments].
	Rank int `json:"rank,omitempty"`
	// Settings of the whole load balancer.
	Settings  Settings   `json:"settings,omitzero"`
	Listeners []Listener `json:"listeners,omitempty"`
	Routes    []Route    `json:"routes,omitempty"`
	// Held are observed rules of a member that is wrong and has no good fragment: they stay in their place, as they are.
	Held []HeldRule `json:"held,omitempty"`
	// Fold asks to make one rule of neighbours that answer alike, where that changes no answer.
	Fold bool `json:"fold,omitempty"`
	// Yield says that the member's routes come after everyone else's, so that they shadow nobody.
	Yield bool `json:"yield,omitempty"`
}

// Settings are settings of a whole load balancer; the zero value of a field means that the member does not ask for it.
type Settings struct {
	Name          string `json:"name,omitempty"`
	Scheme        string `json:"scheme,omitempty"`
	IPAddressType string `json:"ipAddressType,omitempty"`
	// Subnets are IDs or Name tags.
	Subnets []string `json:"subnets,omitempty"`
	// SubnetTags select subnets: every key must have one of its values.
	SubnetTags map[string][]string `json:"subnetTags,omitempty"`
	// SecurityGroups are IDs or Name tags; without, a managed one is made.
	SecurityGroups []string `json:"securityGroups,omitempty"`
	// ManageBackendRules asks for rules on pods' groups also where SecurityGroups is set: "true", "false" or unset.
	ManageBackendRules string `json:"manageBackendRules,omitempty"`
	// ICMP asks that the managed security group let in what path MTU discovery needs, from whoever may connect: "true" or unset.
	ICMP       string            `json:"icmp,omitempty"`
	Attributes map[string]string `json:"attributes,omitempty"`
	Tags       map[string]string `json:"tags,omitempty"`
	// EnforcedTags and EnforcedAttributes come from a class and win over every member's, key by key.
	EnforcedTags       map[string]string `json:"enforcedTags,omitempty"`
	EnforcedAttributes map[string]string `json:"enforcedAttributes,omitempty"`
	// SSLRedirectPort makes every HTTP listener of the load balancer redirect to this port, 0 does not.
	SSLRedirectPort int `json:"sslRedirectPort,omitempty"`
	// Addons of other services.
	Addons Addons `json:"addons,omitzero"`
	// Frontend is a network load balancer in front; nil where the member says nothing about one.
	Frontend *Frontend `json:"frontend,omitempty"`
	// Fields names where each setting was written, by the JSON name of the field: "scheme" → "alb.ingress.kubernetes.io/scheme".
	Fields map[string]string `json:"fields,omitempty"`
}

// Listener is a port that a member asks for. Members may ask for the same port: their certificates and attributes add up. Of
// policies, ranges and default answers one counts: see Intent.Before.
type Listener struct {
	Port int `json:"port"`
	// Only says that it is a part of a listener: the other part is another member's, and without one of each there is none.
	Only Part `json:"only,omitempty"`
	// Protocol is HTTP or HTTPS.
	Protocol string `json:"protocol"`
	// Certificates are ARNs. Without any, HTTPS listeners get the one of Request; else the certificates that match DiscoverHosts, where
	// there is one for each; else those of Secrets.
	Certificates  []string            `json:"certificates,omitempty"`
	DiscoverHosts []string            `json:"discoverHosts,omitempty"`
	Request       *CertificateRequest `json:"request,omitempty"`
	Secrets       []Secret            `json:"secrets,omitempty"`
	// Implied says that nobody wrote the port: it is there for Secrets alone, and is left out until one of them can be used.
	Implied   bool   `json:"implied,omitempty"`
	SSLPolicy string `json:"sslPolicy,omitempty"`
	// InboundCIDRs and PrefixLists say who may connect; with neither everybody may.
	InboundCIDRs []string          `json:"inboundCIDRs,omitempty"`
	PrefixLists  []string          `json:"prefixLists,omitempty"`
	Attributes   map[string]string `json:"attributes,omitempty"`
	// MutualAuth asks clients for certificates; nil leaves that as it is.
	MutualAuth *MutualAuth `json:"mutualAuth,omitempty"`
	// Default is what answers when no rule matches; nil leaves it to the build (404).
	Default *Route `json:"default,omitempty"`
	// Left says that a last good listener had no room at a quota, and LeftCertificates which of its certificates had none.
	Left             bool        `json:"left,omitempty"`
	LeftCertificates []model.ARN `json:"leftCertificates,omitempty"`
	// Field is where the listener was written, and Fields names the places of settings that were written elsewhere, by their JSON names.
	Field  string            `json:"field,omitempty"`
	Fields map[string]string `json:"fields,omitempty"`
}

// Part is a part of a listener.
type Part string

// Parts of listeners.
const (
	// PartPort is the port with its settings, whose certificates are those that other members ask for.
	PartPort Part = "port"
	// PartCertificates are certificates for a port that another member asks for.
	PartCertificates Part = "certificates"
)

// Route is one match with what answers it.
type Route struct {
	// Ports are the listeners that it is on.
	Ports []int `json:"ports"`
	Match Match `json:"match,omitzero"`
	// Exactly one of Forward, Redirect and Fixed is set.
	Forward  *Forward  `json:"forward,omitempty"`
	Redirect *Redirect `json:"redirect,omitempty"`
	Fixed    *Fixed    `json:"fixed,omitempty"`
	// Kept is what a route forwarded to that answers 503 while something is wrong: target groups that the member had before stay, with their
	// targets, so that it serves at once when that is mended.
	Kept       *Forward          `json:"kept,omitempty"`
	Transforms []model.Transform `json:"transforms,omitempty"`
	// Auth is the action that lets only some requests through; nil lets all. What it leaves out has AWS's default. AuthField is where
	// it was written.
	Auth      *model.Action `json:"auth,omitempty"`
	AuthField string        `json:"authField,omitempty"`
	// Tags go to its rules.
	Tags map[string]string `json:"tags,omitempty"`
	// ExtraField is the place that names what adds to the route: a fixed answer, the query of a redirect, stickiness, tags.
	// Empty where these were written in Field.
	ExtraField string `json:"extraField,omitempty"`
	// Source is the object that wrote it, when it is not the member itself; Field is the place.
	Source model.ObjectRef `json:"source,omitzero"`
	Field  string          `json:"field,omitempty"`
	// Age is when Source was created, in Unix seconds, for [BySpecificity].
	Age int64 `json:"age,omitempty"`
	// Ends says that the route ends what no other one of its hosts takes: it is not needed where a rule before it takes everything, yields to
	// nobody, and has room before newcomers.
	Ends bool `json:"ends,omitempty"`
	// Left says that a last good route had no room at a quota of the load balancer: it never was served.
	Left bool `json:"left,omitempty"`
}

// Services are those that the route forwards to, or that are kept for it.
func (r Route) Services() iter.Seq[*Service] {
	return func(yield func(*Service) bool) {
		for _, f := range []*Forward{r.Forward, r.Kept} {
			if f == nil {
				continue
			}
			for _, b := range f.Backends {
				if b.Service != nil && !yield(b.Service) {
					return
				}
			}
		}
	}
}

// Match is what a request must be: everything that is set must hold; within a list one value is enough, but every header and
// every query parameter must hold.
type Match struct {
	// Hosts are host names; a leading "*." is a wildcard. Empty means any.
	Hosts []string `json:"hosts,omitempty"`
	// Narrowed is the host name that somebody wrote and of which Hosts is the part that a listener is for; "*" where nobody wrote one. Among
	// routes of the same hosts it ranks. Empty says that Hosts are as they were written.
	Narrowed string `json:"narrowed,omitempty"`
	// HostPatterns and HostRegexes are ALB patterns and regular expressions, from conditions annotations.
	HostPatterns []string `json:"hostPatterns,omitempty"`
	HostRegexes  []string `json:"hostRegexes,omitempty"`
	// AnyPort says that Hosts match whatever port the Host header carries.
	AnyPort   bool     `json:"anyPort,omitempty"`
	Paths     []Path   `json:"paths,omitempty"`
	Headers   []Header `json:"headers,omitempty"`
	Queries   []Query  `json:"queries,omitempty"`
	Methods   []string `json:"methods,omitempty"`
	SourceIPs []string `json:"sourceIPs,omitempty"`
	// Calls says that only gRPC calls match, as they say themselves by their content type: for hosts that are not for calls alone.
	Calls bool `json:"calls,omitempty"`
}

// SourceRange is a value of [Match.SourceIPs] as AWS has it, or what AWS would refuse of it (ELBv2 API, SourceIpConditionConfig).
func SourceRange(value string) (as, problem string) {
	prefix, err := netip.ParsePrefix(value)
	if err != nil || value == "255.255.255.255/32" {
		return "", fmt.Sprintf("%q is no range of source addresses; write it as 10.0.0.0/8", value)
	}
	return prefix.Masked().String(), ""
}

// PathKind is how a path is compared.
type PathKind string

// The kinds of paths.
const (
	PathExact PathKind = "Exact"
	// PathPrefix compares whole segments: "/a" matches "/a" and "/a/b", not "/ab".
	PathPrefix PathKind = "Prefix"
	// PathPattern is an ALB path pattern with * and ?.
	PathPattern PathKind = "Pattern"
	PathRegex   PathKind = "Regex"
	// PathCall is the path of a gRPC call, /service/method: Value is the service and Method the method, either empty for any. With
	// PathCallRegex they are regular expressions of the whole service and the whole method.
	PathCall      PathKind = "Call"
	PathCallRegex PathKind = "CallRegex"
)

// Path is one path to match.
type Path struct {
	Kind   PathKind `json:"kind"`
	Value  string   `json:"value"`
	Method string   `json:"method,omitempty"`
}

// IsCall tells whether it is the path of a gRPC call.
func (p Path) IsCall() bool { return p.Kind == PathCall || p.Kind == PathCallRegex }

// Header is a header to match: one of its values, patterns or regular expressions.
type Header struct {
	Name string `json:"name"`
	// Values are literal unless Pattern is set: * and ? then are wildcards.
	Values  []string `json:"values,omitempty"`
	Pattern bool     `json:"pattern,omitempty"`
	Regexes []string `json:"regexes,omitempty"`
}

// Query is a query parameter to match: one of its pairs.
type Query struct {
	Pairs []model.QueryPair `json:"pairs"`
	// Pattern says that * and ? are wildcards.
	Pattern bool `json:"pattern,omitempty"`
}

// Forward sends to backends by weight.
type Forward struct {
	Backends      []Backend `json:"backends"`
	StickySeconds int       `json:"stickySeconds,omitempty"`
	// Whole is the status that all requests are answered with where a target group with a share of them is not there; zero leaves that share out.
	Whole int `json:"whole,omitempty"`
}

// Backend is a share of a forward. One of Service, TargetGroupARN, TargetGroupName and Fixed is set.
type Backend struct {
	Service         *Service `json:"service,omitempty"`
	TargetGroupARN  string   `json:"targetGroupARN,omitempty"`
	TargetGroupName string   `json:"targetGroupName,omitempty"`
	// Field is the place of the backend; empty where that is not known.
	Field string `json:"field,omitempty"`
	// Weight is 1 where the user wrote none.
	Weight int `json:"weight"`
}

// Service is a backend of a Service port: one target group for each ID.
type Service struct {
	// ID is the resource ID of its target group, as the incumbent forms it.
	ID string `json:"id"`
	// NameKey is what the target group's name is hashed over besides the Service: the group or route it is for.
	NameKey   string `json:"nameKey"`
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	UID       string `json:"uid,omitempty"`
	// Port is the Service's port as its user wrote it, number or name.
	Port string `json:"port"`
	// TargetPort is the number that a new target group is made with: the target port where it is a number, else 1.
	TargetPort int `json:"targetPort"`
	// TargetPortName is the target port where it is a name, which each pod resolves itself.
	TargetPortName string `json:"targetPortName,omitempty"`
	// NodePort is the node port, for instance targets.
	NodePort int `json:"nodePort,omitempty"`
	// IPv6 says that the Service's first family is IPv6, and DualStack that it has the other one too.
	IPv6      bool          `json:"ipv6,omitempty"`
	DualStack bool          `json:"dualStack,omitempty"`
	Group     GroupSettings `json:"group,omitzero"`
}

// InvalidSelector stands for a label selector that cannot be read; it is what Kubernetes prints for one.
const InvalidSelector = "<error>"

// GroupSettings are settings of one target group; the zero value of a field means its default.
type GroupSettings struct {
	// Name is what a new target group is called in AWS, up to 32 letters, digits and hyphens; empty means a name that is made up.
	Name            string `json:"name,omitempty"`
	TargetType      string `json:"targetType,omitempty"`
	Protocol        string `json:"protocol,omitempty"`
	ProtocolVersion string `json:"protocolVersion,omitempty"`
	// IPAddressType is ipv4 or ipv6, one that the Service has; empty is that of its first family.
	IPAddressType string `json:"ipAddressType,omitempty"`
	// ControlPort is the port of the target optimizer's agent, for ip targets.
	ControlPort int `json:"controlPort,omitempty"`
	// Nodes is a label selector of Kubernetes in its text form, of the nodes that are instance targets. Empty means all.
	Nodes string `json:"nodes,omitempty"`
	// MultiCluster says that other clusters register targets in the same group.
	MultiCluster bool              `json:"multiCluster,omitempty"`
	HealthCheck  HealthCheck       `json:"healthCheck,omitzero"`
	Attributes   map[string]string `json:"attributes,omitempty"`
	Tags         map[string]string `json:"tags,omitempty"`
	// Fields names where each setting was written, by its JSON path: "healthCheck.path" → "alb.ingress.kubernetes.io/healthcheck-path".
	Fields map[string]string `json:"fields,omitempty"`
}

// HealthCheck is what a user set of a health check; zero values mean the default. Times are in seconds.
type HealthCheck struct {
	Protocol           string `json:"protocol,omitempty"`
	Port               string `json:"port,omitempty"`
	Path               string `json:"path,omitempty"`
	IntervalSeconds    int    `json:"intervalSeconds,omitempty"`
	TimeoutSeconds     int    `json:"timeoutSeconds,omitempty"`
	HealthyThreshold   int    `json:"healthyThreshold,omitempty"`
	UnhealthyThreshold int    `json:"unhealthyThreshold,omitempty"`
	Matcher            string `json:"matcher,omitempty"`
}

// Redirect answers with a location. Empty parts are unchanged.
type Redirect struct {
	Protocol string `json:"protocol,omitempty"`
	Host     string `json:"host,omitempty"`
	Port     string `json:"port,omitempty"`
	Path     string `json:"path,omitempty"`
	// Query is unchanged where it is nil; an empty one is dropped.
	Query *string `json:"query,omitempty"`
	// StatusCode is 301 or 302.
	StatusCode int `json:"statusCode"`
}

// Fixed answers by itself.
type Fixed struct {
	StatusCode  int    `json:"statusCode"`
	ContentType string `json:"contentType,omitempty"`
	Body        string `json:"body,omitempty"`
}

// HeldRule is an observed rule that stays as it is.
type HeldRule struct {
	Port int        `json:"port"`
	Rule model.Rule `json:"rule"`
}
