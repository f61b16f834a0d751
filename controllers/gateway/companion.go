package gateway

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/selection"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/headgate/headgate/model"
)

// What spec.infrastructure says of labels and annotations goes to what is made for a Gateway: as tags to its AWS resources, and as they
// are to a ServiceAccount beside it, for a load balancer leaves nothing else in the cluster (Gateway API, GatewayInfrastructure; GEP-1867).

const (
	// companionDigest is the annotation by which a companion that is out of date is known.
	companionDigest = "headgate.dev/infrastructure"
	companionOwner  = "headgate-companion"
	// reasonNoTag is of labels and annotations that AWS does not take as tags, reasonNameTaken of a companion whose name is in use.
	reasonNoTag     = "NotATag"
	reasonNameTaken = "NameIsTaken"

	maxObjectName, maxLabelValue = 253, 63
	digestLength                 = 10
)

// Companions selects the ServiceAccounts that may be companions of Gateways.
func Companions() labels.Selector {
	named, err := labels.NewRequirement(gwv1.GatewayNameLabelKey, selection.Exists, nil)
	if err != nil {
		return labels.Everything()
	}
	return labels.NewSelector().Add(*named)
}

// decorated tells whether a Gateway asks for a companion.
func decorated(g *gwv1.Gateway) bool {
	i := g.Spec.Infrastructure
	return i != nil && len(i.Labels)+len(i.Annotations) > 0
}

// companionKey names the companion as GEP-1762 has it: Gateway and class.
func companionKey(g *gwv1.Gateway) client.ObjectKey {
	return client.ObjectKey{Namespace: g.Namespace, Name: shortened(g.Name+"-"+string(g.Spec.GatewayClassName), maxObjectName)}
}

// shortened keeps a name that is too long apart from others that begin alike.
func shortened(name string, length int) string {
	if len(name) <= length {
		return name
	}
	return strings.TrimRight(name[:length-digestLength-1], "-.") + "-" + digest(name)
}

func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])[:digestLength]
}

// companion is the ServiceAccount that a Gateway has beside it. Nothing runs with it and it has no rights.
func companion(g *gwv1.Gateway) (*unstructured.Unstructured, error) {
	marks, annotations := map[string]string{}, map[string]string{}
	for k, v := range g.Spec.Infrastructure.Labels {
		marks[string(k)] = string(v)
	}
	for k, v := range g.Spec.Infrastructure.Annotations {
		annotations[string(k)] = string(v)
	}
	marks[gwv1.GatewayNameLabelKey] = shortened(g.Name, maxLabelValue)
	text, err := json.Marshal([]map[string]string{marks, annotations})
	if err != nil {
		return nil, fmt.Errorf("encoding the labels of Gateway %s/%s: %w", g.Namespace, g.Name, err)
	}
	annotations[companionDigest] = digest(string(text))
	key := companionKey(g)
	o := &unstructured.Unstructured{Object: map[string]any{"automountServiceAccountToken": false}}
	o.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("ServiceAccount"))
	o.SetNamespace(key.Namespace)
	o.SetName(key.Name)
	o.SetLabels(marks)
	o.SetAnnotations(annotations)
	owner := metav1.NewControllerRef(g, schema.GroupVersionKind{Group: gwv1.GroupName, Version: gwv1.GroupVersion.Version, Kind: kindGateway})
	owner.BlockOwnerDeletion = nil // that would need a right on the Gateway's finalizers
	o.SetOwnerReferences([]metav1.OwnerReference{*owner})
	return o, nil
}

// accompany brings the companion of a Gateway in line. One that nobody asks for any more goes; a ServiceAccount of somebody else stays,
// which the Gateway is told.
func (r *Reconciler) accompany(ctx context.Context, v *Verdict) ([]model.Finding, error) {
	g := v.snapshot.Gateway
	key := companionKey(g)
	have := &metav1.PartialObjectMetadata{}
	have.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("ServiceAccount"))
	err := r.client.Get(ctx, key, have)
	if client.IgnoreNotFound(err) != nil {
		return nil, fmt.Errorf("reading ServiceAccount %s: %w", key, err)
	}
	ours := err == nil && isOf(have, g)
	if !v.snapshot.Ours || !decorated(g) {
		return nil, r.unaccompany(ctx, have, ours)
	}
	want, err := companion(g)
	if err != nil || ours && covered(want, have) {
		return nil, err
	}
	if !ours {
		if taken, err := r.taken(ctx, g); err != nil || len(taken) > 0 {
			return taken, err
		}
	}
	if err := r.client.Apply(ctx, client.ApplyConfigurationFromUnstructured(want), client.FieldOwner(companionOwner), client.ForceOwnership); err != nil {
		return nil, fmt.Errorf("writing ServiceAccount %s: %w", key, err)
	}
	return nil, nil
}

// unaccompany deletes a companion that we made.
func (r *Reconciler) unaccompany(ctx context.Context, have client.Object, ours bool) error {
	if _, made := have.GetAnnotations()[companionDigest]; !ours || !made {
		return nil
	}
	if err := r.client.Delete(ctx, have); client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("deleting ServiceAccount %s: %w", client.ObjectKeyFromObject(have), err)
	}
	return nil
}

// taken tells of a ServiceAccount of the companion's name that is not of the Gateway. The cache knows companions only.
func (r *Reconciler) taken(ctx context.Context, g *gwv1.Gateway) ([]model.Finding, error) {
	have := &corev1.ServiceAccount{}
	err := r.live.Get(ctx, companionKey(g), have)
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading ServiceAccount %s: %w", companionKey(g), err)
	}
	if isOf(have, g) {
		return nil, nil
	}
	return []model.Finding{{
		Object: gatewayRef(g), Severity: model.Warning, Reason: reasonNameTaken, Field: "spec.infrastructure",
		Message: "ServiceAccount " + have.Name + " is there and not of this Gateway: its labels and annotations go to AWS resources only; " +
			"rename that ServiceAccount, or the Gateway",
	}}, nil
}

func isOf(o client.Object, g *gwv1.Gateway) bool { return metav1.IsControlledBy(o, g) }

// covered tells whether an object has all labels and annotations that are wanted, and no other ones of ours: the digest says so.
func covered(want, have client.Object) bool {
	missing := func(want, have map[string]string) bool {
		for k, v := range want {
			if got, ok := have[k]; !ok || got != v {
				return true
			}
		}
		return false
	}
	return !missing(want.GetLabels(), have.GetLabels()) && !missing(want.GetAnnotations(), have.GetAnnotations())
}

// tagText is what AWS takes as a tag's key or value.
var tagText = regexp.MustCompile(`^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$`)

// infrastructureTags are the labels and annotations of a Gateway that can be tags, and findings on those that cannot. Of a label and an
// annotation of one key the label counts.
func infrastructureTags(g *gwv1.Gateway) (map[string]string, []model.Finding) {
	if !decorated(g) {
		return nil, nil
	}
	out := map[string]string{}
	var findings []model.Finding
	add := func(field, key, value string) {
		if problem := tagProblem(key, value); problem != "" {
			findings = append(findings, model.Finding{
				Object: gatewayRef(g), Severity: model.Warning, Reason: reasonNoTag, Field: fmt.Sprintf("spec.infrastructure.%s[%s]", field, key),
				Message: problem + ": it is on the ServiceAccount " + companionKey(g).Name + " only, and on no AWS resource",
			})
			return
		}
		out[key] = value
	}
	annotations, marks := g.Spec.Infrastructure.Annotations, g.Spec.Infrastructure.Labels
	for _, k := range slices.Sorted(maps.Keys(annotations)) {
		add("annotations", string(k), string(annotations[k]))
	}
	for _, k := range slices.Sorted(maps.Keys(marks)) {
		add("labels", string(k), string(marks[k]))
	}
	return out, findings
}

// tagProblem says why a label or annotation cannot be a tag (ELBv2 API, Tag).
func tagProblem(key, value string) string {
	const longestKey, longestValue = 128, 256
	switch {
	case model.IsOwnershipTag(key):
		return "a tag of this key says who owns a resource"
	case strings.HasPrefix(key, "aws:"):
		return "AWS keeps tags that begin with aws: for itself"
	case len(key) > longestKey:
		return "a tag's key has 128 characters at most"
	case len(value) > longestValue:
		return "a tag's value has 256 characters at most"
	case !tagText.MatchString(key), !tagText.MatchString(value):
		return "a tag has letters, digits, spaces and _.:/=+-@ only"
	}
	return ""
}
