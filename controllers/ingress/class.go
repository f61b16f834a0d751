package ingress

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/controller-runtime/pkg/client"

	elbv2v1beta1 "github.com/headgate/headgate/apis/elbv2/v1beta1"
	"github.com/headgate/headgate/controllers/annotations"
	"github.com/headgate/headgate/model"
)

// Reasons of findings about classes and groups.
const (
	ReasonClass     = "ConflictingIngressClass"
	ReasonGroup     = "FailedLoadGroupID"
	ReasonNamespace = "NamespaceNotSelected"
	ReasonParams    = "InvalidClassParams"
)

// Class is the IngressClass of an Ingress with its parameters.
type Class struct {
	Name string
	// Params is nil where the class has none.
	Params *elbv2v1beta1.IngressClassParams
	// Missing names what of the class is not there: its parameters, or the class itself. What they say is not known then.
	Missing string
	// object is nil where the class is not there.
	object *networkingv1.IngressClass
	// claims bind the hosts of its Ingresses, nil where they may name any.
	claims *hostClaims
}

// catalog knows all classes.
type catalog struct {
	set        Settings
	classes    map[string]*networkingv1.IngressClass
	params     map[string]*elbv2v1beta1.IngressClassParams
	namespaces func(name string) (labels.Set, error)
	hosts      func(namespace string) (string, error)
}

func newCatalog(ctx context.Context, r client.Reader, set Settings) (*catalog, error) {
	c := &catalog{
		set: set, classes: map[string]*networkingv1.IngressClass{}, params: map[string]*elbv2v1beta1.IngressClassParams{},
	}
	var classes networkingv1.IngressClassList
	if err := r.List(ctx, &classes); err != nil {
		return nil, fmt.Errorf("listing IngressClasses: %w", err)
	}
	for i := range classes.Items {
		c.classes[classes.Items[i].Name] = &classes.Items[i]
	}
	var params elbv2v1beta1.IngressClassParamsList
	if err := r.List(ctx, &params); err != nil {
		return nil, fmt.Errorf("listing IngressClassParams: %w", err)
	}
	for i := range params.Items {
		c.params[params.Items[i].Name] = &params.Items[i]
	}
	c.namespaces = func(name string) (labels.Set, error) { return namespaceLabels(ctx, r, name) }
	c.hosts = func(namespace string) (string, error) { return namespaceHosts(ctx, r, namespace) }
	return c, nil
}

// namespaceLabels are those that the API server would show, also of a namespace that only manifests in it speak of.
func namespaceLabels(ctx context.Context, r client.Reader, name string) (labels.Set, error) {
	var ns corev1.Namespace
	if err := r.Get(ctx, client.ObjectKey{Name: name}, &ns); err != nil && !apierrors.IsNotFound(err) {
		return nil, fmt.Errorf("reading namespace %s: %w", name, err)
	}
	out := labels.Set{metadataName: name}
	maps.Copy(out, ns.Labels)
	return out, nil
}

// claim is what the catalog says of one Ingress.
type claim struct {
	// ours says that the Ingress names a class of ours, or none where we take those.
	ours  bool
	class *Class
	// refusal is why an Ingress that is ours is not served: nobody permits it.
	refusal *model.Finding
	// problem is a mistake that leaves open whether it is permitted: who is served already goes on, nobody joins.
	problem *model.Finding
	// params is the same, told of the class's parameters.
	params *model.Finding
}

// claim finds the class of an Ingress. The legacy annotation wins, and knows no parameters.
func (c *catalog) claim(ing *networkingv1.Ingress) (claim, error) {
	if value, ok := ing.Annotations[classAnnotation]; ok {
		out := claim{ours: value == c.set.legacyClass()}
		if out.ours && c.set.NoClassAnnotation && len(keysByFinalizer(ing)) == 0 {
			out.refusal = refusal(ing, ReasonClass, classAnnotation,
				"is not allowed for new Ingresses (--disable-ingress-class-annotation): write spec.ingressClassName")
		}
		return out, nil
	}
	if ing.Spec.IngressClassName != nil {
		return c.byName(ing, *ing.Spec.IngressClassName)
	}
	defaults := c.defaults()
	switch {
	case len(defaults) == 1:
		return c.byName(ing, defaults[0])
	case len(defaults) > 1 && c.anyOurs(defaults):
		return claim{ours: true, class: &Class{Missing: "one default class"}, problem: refusal(ing, ReasonClass, "spec.ingressClassName",
			fmt.Sprintf("several classes are the default (%v): write the one that is meant", defaults))}, nil
	case len(defaults) == 0 && !c.set.Classless && len(keysByFinalizer(ing)) > 0:
		return lacking(ing, &Class{Missing: "a default class"},
			"is not written, and no class is the default: write the class, or mark one as the default"), nil
	}
	return claim{ours: c.set.Classless}, nil
}

func (c *catalog) defaults() []string {
	var out []string
	for name, class := range c.classes {
		if class.Annotations[defaultAnnotation] == "true" {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

func (c *catalog) anyOurs(names []string) bool {
	return slices.ContainsFunc(names, func(n string) bool { return c.classes[n].Spec.Controller == ControllerName })
}

func (c *catalog) byName(ing *networkingv1.Ingress, name string) (claim, error) {
	object, ok := c.classes[name]
	switch {
	case !ok && len(keysByFinalizer(ing)) > 0:
		return lacking(ing, &Class{Name: name, Missing: "IngressClass " + name},
			fmt.Sprintf("class %s does not exist: create it, or write one that does", name)), nil
	case !ok || object.Spec.Controller != ControllerName:
		return claim{}, nil
	}
	out := claim{ours: true, class: &Class{Name: name, object: object}}
	ref := object.Spec.Parameters
	if ref == nil {
		return out, nil
	}
	if ref.APIGroup != nil && *ref.APIGroup == paramsGroup && ref.Kind == paramsKind {
		out.class.Params = c.params[ref.Name]
	}
	if out.class.Params == nil {
		out.class.Missing = ref.Kind + " " + ref.Name
		out.problem = refusal(ing, ReasonParams, "spec.ingressClassName", fmt.Sprintf(
			"class %s refers to %s, which is not there: create it, or correct the parameters of the class", name, out.class.Missing))
		return out, nil
	}
	return out, c.admit(ing, &out)
}

// lacking is an Ingress that we serve and whose class is not there any more, or not known. A class that was deleted, or is not the
// default any more, withdraws nothing: that is said by naming another one. Who takes the class out of the Ingress looks the same.
func lacking(ing *networkingv1.Ingress, class *Class, message string) claim {
	return claim{
		ours: true, class: class,
		problem: refusal(ing, ReasonClass, "spec.ingressClassName",
			message+"; what shall not be served any more goes when you delete the Ingress"),
	}
}

// admit finds whether the class takes Ingresses of the namespace. A selector that cannot be read takes nobody new.
func (c *catalog) admit(ing *networkingv1.Ingress, out *claim) error {
	params := out.class.Params
	if field, unreadable := readable(params.Spec.NamespaceSelector); unreadable != nil {
		message := fmt.Sprintf("cannot be read, and nobody new joins until it is mended: %v", unreadable)
		out.problem = refusal(ing, ReasonParams, paramsKind+" "+params.Name+" "+field, message)
		out.params = paramsFinding(params, field, message)
		return nil
	}
	selected, err := c.selects(params.Spec.NamespaceSelector, ing.Namespace)
	if err == nil && !selected {
		out.refusal = refusal(ing, ReasonNamespace, "spec.ingressClassName", fmt.Sprintf(
			"class %s does not take Ingresses of namespace %s: label it as the namespaceSelector of IngressClassParams %s asks, or use another class",
			out.class.Name, ing.Namespace, params.Name))
	}
	if err != nil {
		return err
	}
	out.class.claims, out.problem, err = c.claims(ing, params)
	return err
}

// selects tells whether a namespace may use a class. The selector can be read.
func (c *catalog) selects(selector *metav1.LabelSelector, namespace string) (bool, error) {
	if selector == nil || len(selector.MatchLabels)+len(selector.MatchExpressions) == 0 {
		return true, nil
	}
	set, err := c.namespaces(namespace)
	if err != nil {
		return false, err
	}
	s, err := metav1.LabelSelectorAsSelector(selector)
	if err != nil {
		return false, fmt.Errorf("reading a namespaceSelector: %w", err)
	}
	return s.Matches(set), nil
}

// readable finds what is wrong with a selector, and in which field.
func readable(selector *metav1.LabelSelector) (field string, err error) {
	if selector == nil {
		return "", nil
	}
	if _, err := metav1.LabelSelectorAsSelector(&metav1.LabelSelector{MatchLabels: selector.MatchLabels}); err != nil {
		return "spec.namespaceSelector.matchLabels", fmt.Errorf("reading labels: %w", err)
	}
	if _, err := metav1.LabelSelectorAsSelector(selector); err != nil {
		return "spec.namespaceSelector.matchExpressions", fmt.Errorf("reading expressions: %w", err)
	}
	return "", nil
}

// group is the key that an Ingress of ours asks for. What cannot be made out keeps it where it was, or where it would be alone.
func (c *catalog) group(ing *networkingv1.Ingress, of claim) (GroupKey, *model.Finding) {
	if of.problem != nil && of.class.Missing != "" {
		return before(ing, annotated(ing, Implicit(ing.Namespace, ing.Name))), of.problem
	}
	key, problem := c.wanted(ing, of.class)
	if of.problem != nil {
		return before(ing, key), of.problem
	}
	if problem != nil {
		return key, problem
	}
	return c.remain(ing, of.class, key)
}

// wanted is the group that an Ingress or its class names.
func (c *catalog) wanted(ing *networkingv1.Ingress, class *Class) (GroupKey, *model.Finding) {
	alone := Implicit(ing.Namespace, ing.Name)
	if class != nil && class.Params != nil && class.Params.Spec.Group != nil {
		name := class.Params.Spec.Group.Name
		if err := annotations.CheckGroupName(name); err != nil {
			return before(ing, alone), refusal(ing, ReasonGroup, "IngressClassParams "+class.Params.Name+" spec.group.name", err.Error())
		}
		return Explicit(name), nil
	}
	raw, ok := groupName(ing)
	if !ok {
		return alone, nil
	}
	if err := annotations.CheckGroupName(raw); err != nil {
		return before(ing, alone), refusal(ing, ReasonGroup, annotations.IngressPrefix+annotations.GroupName, err.Error())
	}
	if c.set.NoGroupAnnotation && !slices.Contains(keysByFinalizer(ing), Explicit(raw)) {
		return before(ing, alone), refusal(ing, ReasonGroup, annotations.IngressPrefix+annotations.GroupName,
			"is not allowed for new members (--disable-ingress-group-name-annotation): use a class whose IngressClassParams name the group")
	}
	if fence := c.fence(raw); fence != nil {
		return before(ing, alone), refusal(ing, ReasonGroup, annotations.IngressPrefix+annotations.GroupName, fmt.Sprintf(
			"group %s takes members only through a class with IngressClassParams %s, which say who may join: name such a class in "+
				"spec.ingressClassName, or write another group", raw, fence.Name))
	}
	return Explicit(raw), nil
}

func groupName(ing *networkingv1.Ingress) (string, bool) {
	raw, ok := ing.Annotations[annotations.IngressPrefix+annotations.GroupName]
	return strings.TrimSpace(raw), ok
}

// annotated is the group that the annotation names, where it is a name.
func annotated(ing *networkingv1.Ingress, otherwise GroupKey) GroupKey {
	raw, ok := groupName(ing)
	if !ok || annotations.CheckGroupName(raw) != nil {
		return otherwise
	}
	return Explicit(raw)
}

// before is the group that an Ingress is in: the one that it joined last, where it has not left another one yet.
func before(ing *networkingv1.Ingress, otherwise GroupKey) GroupKey {
	keys := keysByFinalizer(ing)
	if len(keys) == 0 || slices.Contains(keys, otherwise) {
		return otherwise
	}
	return keys[len(keys)-1]
}

func refusal(ing *networkingv1.Ingress, reason, field, message string) *model.Finding {
	return &model.Finding{
		Object: refOf(ing), Severity: model.Wrong, Reason: reason, Field: field, Message: message,
	}
}

func refOf(ing *networkingv1.Ingress) model.ObjectRef {
	return model.ObjectRef{
		Group: networkingv1.GroupName, Kind: ingressKind, Namespace: ing.Namespace, Name: ing.Name, UID: string(ing.UID),
	}
}
