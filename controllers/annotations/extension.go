package annotations

import (
	"errors"
	"strings"
	"sync"

	"github.com/headgate/headgate/model"
)

// ExtensionPrefix is the prefix of the keys of Ingresses that the incumbent does not know.
const ExtensionPrefix = "headgate.dev/"

// Keys that the incumbent does not know, without their prefix.
const (
	// FoldRules is the key by which an Ingress asks for fewer rules.
	FoldRules = "fold-rules"
	// Changes says which changes are made without asking, DeletionPolicy what becomes of AWS's things when their owner is deleted. Ingresses,
	// Gateways and their classes may say either.
	Changes        = "changes"
	DeletionPolicy = "deletion-policy"
)

// Values of Changes and of DeletionPolicy.
const (
	ChangesAuto        = "Auto"
	ChangesDestructive = "ApproveDestructive"
	ChangesApprove     = "Approve"
	ChangesObserve     = "Observe"
	DeletionDelete     = "Delete"
	DeletionRetain     = "Retain"
)

// Keys by which a load balancer goes from one object to another, without their prefix. Ingresses and Gateways have them.
const (
	// Adopt names whose load balancer an object takes over, ReleaseTo who may take its own: both must agree.
	Adopt     = "adopt"
	ReleaseTo = "release-to"
)

// Partner is the owner that a value of Adopt or ReleaseTo names, as "gateway/NAMESPACE/NAME", "ingress/NAMESPACE/NAME" or
// "ingress-group/NAME".
func Partner(cluster, value string) (model.Owner, error) {
	kind, name, _ := strings.Cut(strings.TrimSpace(value), "/")
	namespace, rest, deep := strings.Cut(name, "/")
	whole := deep && namespace != "" && rest != "" && !strings.Contains(rest, "/")
	switch {
	case kind == "gateway" && whole:
		return model.Owner{Cluster: cluster, Prefix: model.PrefixGatewayALB, Stack: name}, nil
	case kind == "ingress" && whole, kind == "ingress-group" && name != "" && !deep:
		return model.Owner{Cluster: cluster, Prefix: model.PrefixIngress, Stack: name}, nil
	}
	return model.Owner{}, errPartner
}

var errPartner = errors.New("use gateway/NAMESPACE/NAME, ingress/NAMESPACE/NAME or ingress-group/NAME")

// Extensions is the table of the keys of Ingresses that the incumbent does not know.
func Extensions() Table { return extensionTable() }

// extensionTable is made once.
var extensionTable = sync.OnceValue(func() Table {
	return New(ExtensionPrefix, []Spec{
		{Key: Adopt, On: OnIngress, Scope: Handover},
		{Key: ReleaseTo, On: OnIngress, Scope: Handover},
		{Key: FoldRules, Type: Bool, On: OnIngress, Scope: PerRule, Default: "false"},
		{
			Key: Changes, On: OnIngress, Scope: Strictest, Default: ChangesAuto,
			Values: []string{ChangesAuto, ChangesDestructive, ChangesApprove, ChangesObserve},
		},
		{Key: DeletionPolicy, On: OnIngress, Scope: Strictest, Default: DeletionDelete, Values: []string{DeletionDelete, DeletionRetain}},
	})
})
