package annotations

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

// Extensions is the table of the keys of Ingresses that the incumbent does not know.
func Extensions() Table {
	return New(ExtensionPrefix, []Spec{
		{Key: FoldRules, Type: Bool, On: OnIngress, Scope: PerRule, Default: "false"},
		{
			Key: Changes, On: OnIngress, Scope: Strictest, Default: ChangesAuto,
			Values: []string{ChangesAuto, ChangesDestructive, ChangesApprove, ChangesObserve},
		},
		{Key: DeletionPolicy, On: OnIngress, Scope: Strictest, Default: DeletionDelete, Values: []string{DeletionDelete, DeletionRetain}},
	})
}
