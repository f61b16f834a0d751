package ingress

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	elbv2v1beta1 "github.com/headgate/headgate/apis/elbv2/v1beta1"
	"github.com/headgate/headgate/controllers/outcome"
	"github.com/headgate/headgate/controllers/stack"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/intent"
)

// news is what came of a group.
type news struct {
	// dnsNames of the load balancer, and of one that it replaces; none while there is none, which takes no address from a member.
	dnsNames []string
	// frontend is the address of the load balancer in front of it, with its ports; empty where there is none.
	frontend      string
	frontendPorts []intent.PortMapping
	// ports that each member listens on, and members whose last good state serves, by the member without its UID.
	ports map[model.ObjectRef][]int
	held  map[model.ObjectRef]bool
	// coming are members that another load balancer serves still, remaining those that left and that this one serves.
	coming, remaining map[model.ObjectRef]bool
	// findings of the front door and of the build.
	findings []model.Finding
	// err is what failed, if anything, and retry when it is tried again; blocked says why nothing of the group can be built now.
	err     error
	retry   time.Duration
	blocked string
	// hold is why what is planned is not carried out, nil where it is.
	hold *outcome.Held
	// done says in a line what was changed, empty when nothing was, or when not all is done.
	done string
}

// newsOf is what the members are told of a run.
func newsOf(in intent.Intent, res stack.Result, err error) news {
	out := news{
		ports: map[model.ObjectRef][]int{}, held: map[model.ObjectRef]bool{},
		coming: map[model.ObjectRef]bool{}, remaining: map[model.ObjectRef]bool{},
		findings: res.Findings, err: err, retry: res.RequeueAfter, blocked: res.Blocked, hold: res.Held,
	}
	out.dnsNames = res.Addresses()
	if res.Frontend != nil {
		out.frontend, out.frontendPorts = res.Frontend.DNSName, res.FrontendPorts
	}
	for _, who := range res.Coming {
		out.coming[bare(who)] = true
	}
	for _, f := range res.Remaining {
		out.remaining[bare(f.Member)] = true
	}
	for _, f := range slices.Concat(in.Fragments, res.Remaining) {
		for _, l := range f.Listeners {
			if l.Implied && !slices.Contains(res.Ports, l.Port) {
				continue
			}
			out.ports[bare(f.Member)] = append(out.ports[bare(f.Member)], l.Port)
		}
	}
	for _, s := range res.Serving {
		out.held[bare(s.Member)] = s.Held
	}
	if res.Settled && len(res.Plan.Changes) > 0 {
		out.done = outcome.AppliedPlan(res.Plan)
		if res.Drift {
			out.done = "AWS did not hold any more what was asked for. " + out.done
		}
	}
	return out
}

// report writes addresses into the members' statuses where they changed, and tells of findings and errors in events.
func (r *Reconciler) report(ctx context.Context, g Group, in news) error {
	err := r.publishAll(ctx, g, in)
	r.tell(g, in)
	return err
}

// publishAll writes the addresses of the members where they changed.
func (r *Reconciler) publishAll(ctx context.Context, g Group, in news) error {
	all := g.shown(in)
	errs := make([]error, len(all))
	var work errgroup.Group
	work.SetLimit(together)
	for i, ing := range all {
		if len(in.dnsNames) == 0 {
			break
		}
		work.Go(func() error {
			*ing, errs[i] = r.publish(ctx, *ing, in)
			return nil
		})
	}
	_ = work.Wait()
	return errors.Join(errs...)
}

// together is how many statuses are written side by side.
const together = 8

// publish writes the addresses of one member, and gives it as it is then.
func (r *Reconciler) publish(ctx context.Context, ing *networkingv1.Ingress, in news) (*networkingv1.Ingress, error) {
	ports := in.ports[bare(refOf(ing))]
	var shown []networkingv1.IngressLoadBalancerIngress
	for _, name := range in.dnsNames {
		shown = append(shown, addresses(name, ports)...)
	}
	if in.frontend != "" {
		shown = append(shown, addresses(in.frontend, in.inFront(ports))...)
	}
	now, err := patchStatus(ctx, r.client, ing, shown)
	r.fail(ing, "FailedUpdateStatus", err)
	return now, err
}

// fail tells an Ingress's owner of what could not be done in the cluster; no error takes it back.
func (r *Reconciler) fail(ing *networkingv1.Ingress, reason string, err error) {
	var remarks []outcome.Remark
	if err != nil {
		remarks = append(remarks, outcome.Remark{Reason: reason, Text: err.Error()})
	}
	r.voice.Warn(reason, ing, remarks)
}

// tell tells the owners of all objects what is wrong with each, and the members what was done. What is wrong with an object that
// several groups use is the same for all of them, and told once.
func (r *Reconciler) tell(g Group, in news) {
	remarks, others := map[model.ObjectRef][]outcome.Remark{}, []model.ObjectRef(nil)
	mine := g.objects()
	for _, f := range in.findings {
		ref := bare(f.Object)
		if mine[ref] == nil && remarks[ref] == nil {
			others = append(others, f.Object)
		}
		remarks[ref] = append(remarks[ref], outcome.Remark{Reason: f.Reason, Text: words(f, in)})
	}
	general := in.general()
	for _, ing := range g.ingresses() {
		ref := bare(refOf(ing))
		if !said(remarks[ref], in.blocked) {
			remarks[ref] = append(remarks[ref], general...)
		}
		if in.done != "" {
			r.voice.Tell(ing, outcome.Remark{Reason: outcome.ReasonDone, Text: in.done})
		}
	}
	for ref, object := range mine {
		r.voice.Warn(g.Key.String(), object, remarks[ref])
	}
	for _, ref := range others {
		r.voice.Warn("", reference(ref), remarks[bare(ref)])
	}
}

// said tells whether one of the remarks on an object says already why nothing can be built.
func said(remarks []outcome.Remark, blocked string) bool {
	return blocked != "" && slices.ContainsFunc(remarks, func(r outcome.Remark) bool { return strings.Contains(r.Text, blocked) })
}

// general is what is wrong with the group as a whole.
func (n news) general() []outcome.Remark {
	switch {
	case n.err != nil:
		next := outcome.Of(n.err, nil)
		if n.retry > 0 {
			next.Message += fmt.Sprintf(" (tried again in %s)", n.retry)
		}
		return []outcome.Remark{{Reason: next.Reason, Text: next.Message}}
	case n.blocked != "":
		return []outcome.Remark{{Reason: "FailedBuildModel", Text: n.blocked}}
	case n.hold != nil:
		return []outcome.Remark{{Reason: n.hold.Reason, Text: n.hold.Message}}
	}
	return nil
}

// words are what a user reads of a finding.
func words(f model.Finding, in news) string {
	text := f.Text()
	if f.Severity != model.Wrong || !in.held[bare(f.Object)] {
		return text
	}
	if slices.ContainsFunc(in.findings, func(o model.Finding) bool { return o.Severity == model.Closed && o.Object.Same(f.Object) }) {
		return text + " (until then the last good rules of this object serve, except those to which it restricts access: they answer 503)"
	}
	return text + " (until then the last good rules of this object serve)"
}

// reference names an object that was not read.
func reference(ref model.ObjectRef) *corev1.ObjectReference {
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
	for _, l := range g.Leaving {
		out[bare(refOf(l.Ingress))] = l.Ingress
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
