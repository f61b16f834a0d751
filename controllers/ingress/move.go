package ingress

import (
	"maps"
	"slices"

	networkingv1 "k8s.io/api/networking/v1"

	elbv2v1beta1 "github.com/headgate/headgate/apis/elbv2/v1beta1"
	"github.com/headgate/headgate/controllers/annotations"
	"github.com/headgate/headgate/model"
)

// remain keeps an Ingress whose annotations are wrong in the group that it is in, and does not let it move: what was good of it serves
// there only. A group that a class has for itself keeps nobody who has another class now, whoever would permit it.
func (c *catalog) remain(ing *networkingv1.Ingress, class *Class, wanted GroupKey) (GroupKey, *model.Finding) {
	stay := before(ing, wanted)
	if stay == wanted || !mistaken(ing) || c.reserved(stay) {
		return wanted, nil
	}
	field := annotations.IngressPrefix + annotations.GroupName
	if class != nil && class.Params != nil && class.Params.Spec.Group != nil {
		field = paramsKind + " " + class.Params.Name + " spec.group.name"
	}
	return stay, refusal(ing, ReasonGroup, field,
		"the Ingress stays in group "+stay.String()+" until its other annotations are mended, and moves to "+wanted.String()+" then")
}

// mistaken tells whether an annotation can be seen to be wrong by itself.
func mistaken(ing *networkingv1.Ingress) bool {
	problems := slices.Concat(
		annotations.Ingress().Check(annotations.OnIngress, ing.Annotations), annotations.Extensions().Check(annotations.OnIngress, ing.Annotations))
	return slices.ContainsFunc(problems, func(p annotations.Problem) bool {
		return p.Severity == model.Wrong || p.Severity == model.Closed
	})
}

// reserved tells whether parameters of some class name the group.
func (c *catalog) reserved(key GroupKey) bool {
	return slices.ContainsFunc(slices.Collect(maps.Values(c.params)), func(p *elbv2v1beta1.IngressClassParams) bool {
		return key.Name != "" && p.Spec.Group != nil && p.Spec.Group.Name == key.Name
	})
}
