package ingress

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/headgate/headgate/controllers/annotations"
	"github.com/headgate/headgate/controllers/secret"
	"github.com/headgate/headgate/controllers/stack"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/intent"
)

// Reasons of findings about what an Ingress asks for.
const (
	ReasonInvalid  = annotations.ReasonInvalid
	ReasonBackend  = "InvalidBackend"
	ReasonNotFound = "BackendNotFound"
	ReasonRule     = "InvalidRule"
	ReasonClosed   = "AccessControlNotServed"
	ReasonUnserved = annotations.ReasonUnserved
	ReasonUnused   = "UnusedAnnotation"
	// ReasonField is that of a field that is not served, of an object other than an annotation.
	ReasonField = "FieldNotServed"
)

// Request is what the loop is asked to make of a group: a fragment for each member, also for one that is wrong; everything that is
// wrong or not served, at once; who leaves; and what is permitted of a fragment that was good once. It is pure.
func Request(g Group, set Settings) stack.Request {
	n := &notes{seen: map[model.Finding]bool{}}
	out := intent.Intent{
		Owner:     g.Key.Owner(set.ClusterName),
		Front:     frontIngress,
		Group:     g.Key.Name,
		Namespace: g.Key.Namespace,
		Name:      g.Key.Ingress,
		Order:     intent.ByFragment,
		Defaults:  set.defaults(),
	}
	for _, r := range g.Refused {
		n.add(r.Finding)
	}
	for _, f := range g.Params {
		n.add(f)
	}
	drafts, byMember := make([]*draft, 0, len(g.Members)), map[model.ObjectRef]*draft{}
	for _, m := range g.Members {
		d := newDraft(g, set, m, n)
		drafts, byMember[bare(d.object)] = append(drafts, d), d
		out.Fragments = append(out.Fragments, d.fragment())
	}
	findIgnored(drafts)
	adopt, giveTo := g.partner(n, set, annotations.Adopt), g.partner(n, set, annotations.ReleaseTo)
	policy := g.policy(n)
	req := stack.Request{Intent: out, Findings: n.list, Policy: policy, Adopt: adopt, GiveTo: giveTo}
	for _, l := range g.Leaving {
		if !l.moves() {
			req.Leaving = append(req.Leaving, refOf(l.Ingress))
		}
	}
	req.Moving, req.Arriving = g.moving(set)
	req.Published = published(g)
	req.Permit = func(f intent.Fragment) intent.Fragment {
		if d := byMember[bare(f.Member)]; d != nil {
			return d.permit(f)
		}
		return g.permitMoving(f)
	}
	return req
}

// notes gathers findings, each once.
type notes struct {
	list []model.Finding
	seen map[model.Finding]bool
}

func (n *notes) add(f model.Finding) {
	if !n.seen[f] {
		n.seen[f] = true
		n.list = append(n.list, f)
	}
}

// draft is the fragment of one member in the making.
type draft struct {
	set      Settings
	key      GroupKey
	member   Member
	object   model.ObjectRef
	services map[types.NamespacedName]*corev1.Service
	clients  map[model.SecretRef]secret.Client
	known    map[model.SecretRef]intent.Secret
	table    annotations.Table
	read     annotations.Reader
	notes    *notes
	ports    []annotations.Port
	// used are the names of actions, conditions and transforms that some backend refers to.
	used map[string]bool
	// written are the rules as the member writes them now.
	written []wording
	// signs says that users sign in, or are to.
	signs bool
	// shut says that all routes answer 503.
	shut bool
	// blind says that it cannot be read on which ports clients shall show certificates.
	blind bool
	// who may connect, as the member says it now.
	who access
}

func newDraft(g Group, set Settings, m Member, n *notes) *draft {
	table := annotations.Ingress()
	return &draft{
		set: set, key: g.Key, member: m, object: refOf(m.Ingress), services: g.Services, clients: g.Clients, known: g.Secrets, notes: n,
		table: table, read: table.Reader(m.Ingress.Annotations), used: map[string]bool{},
	}
}

func (d *draft) fragment() intent.Fragment {
	if d.member.Problem != nil {
		d.notes.add(*d.member.Problem)
	}
	d.checkAnnotations()
	d.checkClass()
	d.checkCertificates()
	d.ports = d.listenPorts()
	out := intent.Fragment{Member: d.object, Rank: d.member.Order, Fold: d.folds(), Settings: d.settings()}
	d.who = access{settings: out.Settings, cidrs: d.inboundCIDRs(), lists: d.prefixLists()}
	d.findClosed()
	routes := d.routes()
	d.checkClaims(routes)
	out.Routes = split(prune(d.close(d.guard(routes)), d.ports), d.named())
	out.Listeners = d.listeners(d.fallback())
	d.checkUnused()
	d.checkSession()
	d.findSources()
	return out
}

// checkAnnotations finds everything that can be said of the Ingress's annotations one by one.
func (d *draft) checkAnnotations() {
	values := d.member.Ingress.Annotations
	for _, p := range slices.Concat(d.table.Check(annotations.OnIngress, values), annotations.Extensions().Check(annotations.OnIngress, values)) {
		d.notes.add(model.Finding{Object: d.object, Severity: p.Severity, Reason: p.Reason, Field: p.Key, Message: p.Message})
		d.shut = d.shut || p.Severity == model.Closed
	}
	d.checkTags(d.read, d.read.Field(annotations.Tags))
}

// folds tells whether the Ingress asks to have its rules folded.
func (d *draft) folds() bool {
	asked, _ := annotations.Extensions().Reader(d.member.Ingress.Annotations).Bool(annotations.FoldRules)
	return asked
}

// checkTags finds tags that somebody else manages.
func (d *draft) checkTags(r annotations.Reader, field string) {
	for _, key := range slices.Sorted(maps.Keys(r.Map(annotations.Tags))) {
		if slices.Contains(d.set.ExternalManagedTags, key) {
			d.wrong(ReasonInvalid, field, fmt.Sprintf("tag %q is managed by somebody else (--external-managed-tags): leave it out", key))
		}
	}
}

// checkUnused finds actions, conditions, transforms and control ports that no backend refers to: most likely one of the names is misspelled.
func (d *draft) checkUnused() {
	for _, key := range []string{annotations.Actions, annotations.Conditions, annotations.Transforms, annotations.TargetControlPort} {
		for _, name := range d.read.Names(key) {
			if d.used[key+"."+name] {
				continue
			}
			if key == annotations.Conditions && d.namesAddresses(name) {
				continue // findIdleAddresses has told.
			}
			d.note(model.Warning, ReasonUnused, d.read.Field(key+"."+name), fmt.Sprintf("no backend names %q: the annotation has no effect", name))
		}
	}
}

func (d *draft) note(severity model.Severity, reason, field, message string) {
	d.notes.add(model.Finding{Object: d.object, Severity: severity, Reason: reason, Field: field, Message: message})
}

func (d *draft) wrong(reason, field, message string) { d.note(model.Wrong, reason, field, message) }

// tags that the member's Ingress asks for, with those of its class over them.
func (d *draft) tags(r annotations.Reader) map[string]string {
	return merged(r.Map(annotations.Tags), d.classTags())
}

// classTags are the class's tags that may be set.
func (d *draft) classTags() map[string]string {
	out := map[string]string{}
	for _, t := range d.params().Spec.Tags {
		if annotations.CheckTag(t.Key, t.Value) == nil {
			out[t.Key] = t.Value
		}
	}
	return orNil(out)
}

// merged is base with what over says; nil when both are empty.
func merged(base, over map[string]string) map[string]string {
	out := map[string]string{}
	maps.Copy(out, base)
	maps.Copy(out, over)
	return orNil(out)
}

func orNil(m map[string]string) map[string]string {
	if len(m) == 0 {
		return nil
	}
	return m
}

// hosts of the Ingress's rules and TLS entries, sorted, lower case.
func (d *draft) hosts() []string {
	var out []string
	for _, rule := range d.member.Ingress.Spec.Rules {
		out = append(out, strings.ToLower(rule.Host))
	}
	for _, tls := range d.member.Ingress.Spec.TLS {
		for _, h := range tls.Hosts {
			out = append(out, strings.ToLower(h))
		}
	}
	slices.Sort(out)
	return slices.DeleteFunc(slices.Compact(out), func(h string) bool { return h == "" })
}
