package ingress

import (
	networkingv1 "k8s.io/api/networking/v1"

	"github.com/headgate/headgate/controllers/annotations"
	"github.com/headgate/headgate/model"
)

// partner is the owner that all of some Ingresses name by a key; nil where none does. Where they do not agree, each that names one is told,
// and nothing is moved: what is everybody's is not one member's to give.
func (g Group) partner(n *notes, set Settings, key string) *model.Owner {
	var out *model.Owner
	agreed := true
	all := g.ingresses()
	for _, ing := range all {
		value, written := ing.Annotations[annotations.ExtensionPrefix+key]
		owner, err := annotations.Partner(set.ClusterName, value)
		if written && err != nil {
			n.add(handoverFinding(ing, key, err.Error()))
		}
		if err != nil || out != nil && *out != owner {
			agreed = false
			continue
		}
		out = &owner
	}
	if out == nil || agreed {
		return out
	}
	for _, ing := range all {
		if _, written := ing.Annotations[annotations.ExtensionPrefix+key]; written {
			n.add(handoverFinding(ing, key, "has no effect until all Ingresses of the group name the same: they share the load balancer"))
		}
	}
	return nil
}

func handoverFinding(ing *networkingv1.Ingress, key, message string) model.Finding {
	return model.Finding{
		Object: refOf(ing), Severity: model.Warning, Reason: "NothingMoved", Field: annotations.ExtensionPrefix + key, Message: message,
	}
}
