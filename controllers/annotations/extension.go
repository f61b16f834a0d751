package annotations

// ExtensionPrefix is the prefix of the keys of Ingresses that the incumbent does not know.
const ExtensionPrefix = "headgate.dev/"

// FoldRules is the key by which an Ingress asks for fewer rules, without its prefix.
const FoldRules = "fold-rules"

// Extensions is the table of the keys of Ingresses that the incumbent does not know.
func Extensions() Table {
	return New(ExtensionPrefix, []Spec{
		{Key: FoldRules, Type: Bool, On: OnIngress, Scope: PerRule, Default: "false"},
	})
}
