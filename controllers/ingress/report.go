package ingress

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	elbv2v1beta1 "github.com/headgate/headgate/apis/elbv2/v1beta1"
	"github.com/headgate/headgate/controllers/outcome"
	"github.com/headgate/headgate/model"
)

// maxNote is how many bytes the API server takes of an event's text, less some room.
const maxNote = 1000

// Recorder tells users what happened, as events.
type Recorder interface {
	Eventf(regarding, related runtime.Object, eventtype, reason, action, note string, args ...any)
}

// ReportInput is what came of a group.
type ReportInput struct {
	// DNSName of the load balancer; empty while there is none, which takes no address from a member.
	DNSName string
	// Ports that each member listens on, by the member without its UID.
	Ports map[model.ObjectRef][]int
	// Held are members whose last good state serves, without their UID.
	Held map[model.ObjectRef]bool
	// Findings of the front door and of the build.
	Findings []model.Finding
	// Err is what failed, if anything.
	Err error
	// Blocked says why nothing of the group can be built now, empty when it can.
	Blocked string
	// Settled says that AWS holds just what is desired.
	Settled bool
	// Changes says in a line what was changed, empty when nothing was.
	Changes string
}

// Report writes addresses into the members' statuses where they changed, and tells of findings and errors in events.
func Report(ctx context.Context, c client.Client, to Recorder, g Group, in ReportInput) error {
	errs := make([]error, 0, len(g.Members))
	for _, m := range g.Members {
		if in.DNSName == "" {
			break
		}
		_, err := patchStatus(ctx, c, m.Ingress, addresses(in.DNSName, in.Ports[bare(refOf(m.Ingress))]))
		if err != nil {
			to.Eventf(m.Ingress, nil, corev1.EventTypeWarning, "FailedUpdateStatus", "Reconcile", "%s", cut(err.Error()))
		}
		errs = append(errs, err)
	}
	objects := g.objects()
	for _, f := range in.Findings {
		to.Eventf(regarding(objects, f.Object), nil, corev1.EventTypeWarning, f.Reason, "Reconcile", "%s", cut(words(f, in)))
	}
	tell(to, g, in)
	return errors.Join(errs...)
}

// tell says how it went as a whole, on every member.
func tell(to Recorder, g Group, in ReportInput) {
	for _, ing := range g.ingresses() {
		switch {
		case in.Err != nil:
			next := outcome.Of(in.Err, nil)
			text := next.Message
			if next.RetryAfter > 0 {
				text += fmt.Sprintf(" (tried again in %s)", next.RetryAfter)
			}
			to.Eventf(ing, nil, corev1.EventTypeWarning, next.Reason, "Reconcile", "%s", cut(text))
		case in.Blocked != "":
			to.Eventf(ing, nil, corev1.EventTypeWarning, "FailedBuildModel", "Reconcile", "%s", cut(in.Blocked))
		case in.Settled && in.Changes != "":
			to.Eventf(ing, nil, corev1.EventTypeNormal, outcome.ReasonDone, "Reconcile", "%s",
				cut("AWS holds what was asked for: "+in.Changes))
		}
	}
}

// words are what a user reads of a finding.
func words(f model.Finding, in ReportInput) string {
	text := f.Message
	if f.Field != "" {
		text = f.Field + ": " + text
	}
	if f.Severity == model.Wrong && in.Held[bare(f.Object)] {
		text += " (until then the last good rules of this object serve)"
	}
	return text
}

// regarding is the object that a finding is about, or a reference to it.
func regarding(objects map[model.ObjectRef]runtime.Object, ref model.ObjectRef) runtime.Object {
	if o, ok := objects[bare(ref)]; ok {
		return o
	}
	version := corev1.SchemeGroupVersion
	switch ref.Group {
	case networkingv1.GroupName:
		version = networkingv1.SchemeGroupVersion
	case elbv2v1beta1.Group:
		version = elbv2v1beta1.GroupVersion()
	case "":
	default:
		version = schema.GroupVersion{Group: ref.Group}
	}
	return &corev1.ObjectReference{
		APIVersion: version.String(), Kind: ref.Kind, Namespace: ref.Namespace, Name: ref.Name, UID: uidOf(ref),
	}
}

// ingresses are all that the group concerns, without those that leave for another one.
func (g Group) ingresses() []*networkingv1.Ingress {
	var out []*networkingv1.Ingress
	for _, m := range g.Members {
		out = append(out, m.Ingress)
	}
	for _, l := range g.Leaving {
		if !l.Elsewhere {
			out = append(out, l.Ingress)
		}
	}
	return out
}

func (g Group) objects() map[model.ObjectRef]runtime.Object {
	out := map[model.ObjectRef]runtime.Object{}
	for _, ing := range g.ingresses() {
		out[bare(refOf(ing))] = ing
	}
	for _, r := range g.Refused {
		out[bare(refOf(r.Ingress))] = r.Ingress
	}
	return out
}

// bare is a reference as maps have it: a finding may come without the UID.
func bare(r model.ObjectRef) model.ObjectRef {
	r.UID = ""
	return r
}

// addresses are the status of a member.
func addresses(dnsName string, ports []int) []networkingv1.IngressLoadBalancerIngress {
	one := networkingv1.IngressLoadBalancerIngress{Hostname: strings.ToLower(dnsName)}
	sorted := slices.Compact(slices.Sorted(slices.Values(ports)))
	for _, p := range sorted {
		one.Ports = append(one.Ports, networkingv1.IngressPortStatus{Port: portNumber(p), Protocol: corev1.ProtocolTCP})
	}
	return []networkingv1.IngressLoadBalancerIngress{one}
}

// patchStatus writes the addresses of an Ingress where they differ, and gives the Ingress as it is then.
func patchStatus(
	ctx context.Context, c client.Client, ing *networkingv1.Ingress, want []networkingv1.IngressLoadBalancerIngress,
) (*networkingv1.Ingress, error) {
	have := ing.Status.LoadBalancer.Ingress
	if len(have) == 0 && len(want) == 0 || reflect.DeepEqual(have, want) {
		return ing, nil
	}
	after := ing.DeepCopy()
	after.Status.LoadBalancer.Ingress = want
	if err := c.Status().Patch(ctx, after, client.MergeFrom(ing)); client.IgnoreNotFound(err) != nil {
		return ing, fmt.Errorf("writing the status of %s: %w", refOf(ing), err)
	}
	return after, nil
}

func cut(s string) string {
	if len(s) <= maxNote {
		return s
	}
	return strings.ToValidUTF8(s[:maxNote], "") + "…"
}
