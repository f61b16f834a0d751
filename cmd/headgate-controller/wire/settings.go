package wire

import (
	"net/http"
	"time"

	"k8s.io/client-go/rest"

	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/intent"
)

// Settings are what the operator is built from. Zero values are not defaults: the flags have those.
type Settings struct {
	// Kubeconfig is a path; empty means the cluster that the operator runs in.
	Kubeconfig string
	// Config wins over Kubeconfig.
	Config *rest.Config
	// Cluster is the cluster's name in tags and names.
	Cluster string
	Region  string
	// VPC is an ID; without, VPCTags name the one.
	VPC     string
	VPCTags map[string]string
	// Endpoints are URLs by the ID of the AWS service.
	Endpoints map[string]string
	// MaxRetries is how often a refused AWS read is tried again.
	MaxRetries int
	// Transport carries the AWS calls; nil means the SDK's own.
	Transport http.RoundTripper
	// Now is the clock of what is remembered and awaited; nil means the system's.
	Now func() time.Time

	Webhooks Webhooks

	IngressClass string
	TargetType   string
	Scheme       string
	SSLPolicy    string
	DefaultTags  map[string]string
	ExternalTags []string

	// Tuning is what flags and gates say of building.
	Tuning intent.Tuning
	// NoClassAnnotation and NoGroupAnnotation refuse new uses of these annotations. DemandServices and DemandActions refuse what is not
	// there, instead of answering 503.
	NoClassAnnotation, NoGroupAnnotation, DemandServices, DemandActions bool

	// CertificateManagement serves create-acm-cert.
	CertificateManagement bool
	// Authority is the private authority of certificates that are made; Authorities are those whose certificates are discovered, all
	// where there is none. SecretsLabel, as key=value, is what Secrets must carry.
	Authority    string
	Authorities  []string
	SecretsLabel string
	// Shelf is where certificates of authorities are kept that clients of Gateways are verified by.
	Shelf model.Shelf

	MetricsAddr     string
	HealthAddr      string
	LeaderElection  bool
	LeaderID        string
	LeaderNamespace string
	WatchNamespace  string

	// SyncPeriod is how long a load balancer goes without a comparison with AWS; SweepDelay is when the first may come.
	SyncPeriod time.Duration
	SweepDelay time.Duration

	// BreakerPercent, BreakerLeast and BreakerWindow say how many load balancers may be deleted without somebody who looks; zero values mean
	// 20, 5 and 10 min.
	BreakerPercent, BreakerLeast int
	BreakerWindow                time.Duration

	// TargetBreakerPercent, TargetBreakerLeast and TargetBreakerWindow say the same of a group's targets whose pods run.
	TargetBreakerPercent, TargetBreakerLeast int
	TargetBreakerWindow                      time.Duration

	// BackendGroup gives load balancers the shared backend security group.
	BackendGroup bool
	// BackendGroupID is a security group of the user's in place of the shared one; empty has one made.
	BackendGroupID string
	// RuleGrace is how long rules on pods' security groups stay that no target needs any more.
	RuleGrace time.Duration
	// TargetPatience is how long rules wait for a new target group to be healthy, TargetHold how long one stays that no rule uses any more;
	// negative is not at all.
	TargetPatience, TargetHold time.Duration
	// Retention is how long a load balancer that is replaced answers after its successor serves; 0 deletes it when that is active.
	Retention time.Duration
	// MoveHold is how long an Ingress that moved stays in the group that it left after the other one serves it; negative is not at all.
	MoveHold time.Duration
	// OpenAllPorts lets pods admit every port from it.
	OpenAllPorts bool
	// FailOpen registers endpoints that are not ready when none is.
	FailOpen bool

	// WAF, WAFv2, Shield and Capacity say which add-ons of load balancers are served.
	WAF, WAFv2, Shield, Capacity bool
	// SingleSubnet lets application load balancers have one subnet.
	SingleSubnet bool

	IngressWorkers int
	GatewayWorkers int
	// Arrivals is how often it is looked whether kinds of the Gateway API that were missing are installed by now; zero means ten seconds.
	Arrivals time.Duration

	// InterfaceTags are tags of the security group to change among several of a target's interface.
	InterfaceTags map[string]string
	// TargetWorkers reconcile bindings; MaxTargets bounds the targets of a group, zero does not; TargetPoll bounds the time between two
	// looks at targets that are not healthy, TargetBackoff that between two tries.
	TargetWorkers int
	MaxTargets    int
	TargetPoll    time.Duration
	TargetBackoff time.Duration
}
