package gateway

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/headgate/headgate/controllers/annotations"
	"github.com/headgate/headgate/controllers/stack"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/intent"
)

// Verdict is the judgement on a Gateway: its intent, and what its status shall say.
type Verdict struct {
	Intent   intent.Intent
	Findings []model.Finding

	snapshot   *Snapshot
	translator *translator
	parents    []*parent
	listeners  []*listener
	routes     []*judged
}

// Request is what the loop over stacks is asked for: without a good Gateway nothing is made, and a route's last good state serves
// only as far as it is still permitted.
func (v *Verdict) Request() stack.Request {
	adopt, giveTo := v.partner(annotations.Adopt), v.partner(annotations.ReleaseTo)
	policy, findings := v.snapshot.policy()
	req := stack.Request{
		Intent: v.Intent, Findings: slices.Concat(v.Findings, findings), Policy: policy, Permit: v.permit, Adopt: adopt, GiveTo: giveTo,
	}
	if v.translator != nil {
		req.Anchor = gatewayRef(v.snapshot.Gateway)
	}
	return req
}

// Judge turns a snapshot into an intent. It is pure. A Gateway that is gone, or not ours, has an empty intent: everything of it
// goes.
func Judge(s *Snapshot, set Settings, owner model.Owner) *Verdict {
	return new(Memory).Judge(s, set, owner)
}

// newVerdict is a verdict without anything.
func newVerdict(s *Snapshot, set Settings, owner model.Owner) *Verdict {
	v := &Verdict{snapshot: s, Intent: intent.Intent{
		Owner: owner, Front: "gateway", Order: intent.BySpecificity, Defaults: defaults(set),
	}}
	v.Intent.Namespace, v.Intent.Name, _ = strings.Cut(owner.Stack, "/")
	return v
}

// conclude makes the intent of the judgements on the Gateway and its routes.
func (v *Verdict) conclude() {
	t := v.translator
	v.Findings = append(v.Findings, t.gatewayFindings()...)
	v.Intent.Fragments = slices.Grow(t.parentFragments(), len(v.routes))
	for _, j := range v.routes {
		v.Findings = append(v.Findings, j.findings...)
		if len(j.fragment.Routes) > 0 {
			v.Intent.Fragments = append(v.Intent.Fragments, j.fragment)
		}
	}
	v.Intent.Fragments[0].Routes = v.bounds()
}

func defaults(set Settings) intent.Defaults {
	return intent.Defaults{
		Cluster: set.ClusterName, Scheme: set.DefaultScheme, TargetType: set.DefaultTargetType, SSLPolicy: set.DefaultSSLPolicy,
		Tags: set.DefaultTags, BackendSecurityGroup: set.BackendSecurityGroup, Tuning: set.Tuning,
		SingleSubnet: set.SingleSubnet, Shelf: set.Shelf,
	}
}

// parentFragments hold the settings and listeners of the Gateway itself, and the listeners of each of its ListenerSets.
func (t *translator) parentFragments() []intent.Fragment {
	var out []intent.Fragment
	for _, p := range t.parents {
		f := intent.Fragment{Member: p.ref, Listeners: t.listenersOf(p)}
		if p.ref.Kind == kindGateway {
			f.Settings = t.settings()
		} else if len(f.Listeners) == 0 {
			continue
		}
		out = append(out, f)
	}
	return out
}

// settings are those of the whole load balancer. Tags that a configuration names count before those of the Gateway's infrastructure.
func (t *translator) settings() intent.Settings {
	out := t.config.settings()
	if tags, _ := infrastructureTags(t.snapshot.Gateway); len(tags) > 0 {
		maps.Copy(tags, out.Tags)
		out.Tags = tags
	}
	return out
}

// listenersOf are the listeners of one object that take traffic.
func (t *translator) listenersOf(p *parent) []intent.Listener {
	var out []intent.Listener
	for _, l := range t.listeners {
		if l.of != p || !t.serves(l) {
			continue
		}
		one := t.port(l)
		t.certify(l, &one)
		out = append(out, one)
	}
	return out
}

// certify says where a listener has its certificates from. Those of its routes' host names are asked for by the routes.
func (t *translator) certify(l *listener, one *intent.Listener) {
	switch {
	case one.Protocol != protocolHTTPS, len(one.Certificates) > 0:
	case len(l.certificateRefs()) > 0:
		one.Secrets = l.secrets
	case l.hostname() == "" || t.asked[l]:
		one.Only = intent.PartPort
	default:
		one.DiscoverHosts = []string{l.hostname()}
	}
}

const protocolHTTPS = string(gwv1.HTTPSProtocolType)

// port is a listener with everything that the configuration says of it.
func (t *translator) port(l *listener) intent.Listener {
	lc := t.config.listenerConfig(l)
	out := intent.Listener{
		Port: int(l.Port), Protocol: string(l.Protocol), InboundCIDRs: t.config.spec.SourceRanges,
		PrefixLists: t.config.spec.SecurityGroupPrefixes, Attributes: attributeMap(lc.ListenerAttributes), Field: l.field(),
		Fields: t.config.listenerFields(l),
	}
	if out.Protocol == protocolHTTPS {
		out.Certificates = t.certificates(l)
		setText(&out.SSLPolicy, lc.SSLPolicy)
		out.MutualAuth = t.mutual(l)
	}
	return out
}

func (t *translator) gatewayFindings() []model.Finding {
	s, c := t.snapshot, t.config
	out := slices.Concat(c.findings(t.listeners), c.lostDefault(s), unservedOfGateway(s.Gateway), t.unverifiedFindings(), leaving(s))
	wrong := func(field string, p problem) {
		out = append(out, model.Finding{Object: gatewayRef(s.Gateway), Severity: model.Wrong, Reason: p.reason, Field: field, Message: p.message})
	}
	_, untagged := infrastructureTags(s.Gateway)
	out = append(out, untagged...)
	if s.ParameterProblem != "" {
		wrong("", problem{string(gwv1.GatewayReasonInvalidParameters), s.ParameterProblem})
	}
	if field, p := unsupportedAddress(s.Gateway); p.any() {
		wrong(field, p)
	}
	for _, p := range t.parents {
		if p.refused.any() {
			out = append(out, model.Finding{
				Object: p.ref, Severity: model.Answered, Reason: p.refused.reason, Field: "spec.parentRef", Message: p.refused.message,
			})
		}
	}
	for _, l := range t.listeners {
		out = append(out, t.listenerFindings(l)...)
	}
	return out
}

// unsupportedAddress is the first address of a Gateway that an application load balancer cannot have: AWS chooses its host name.
func unsupportedAddress(g *gwv1.Gateway) (field string, p problem) {
	for i, a := range g.Spec.Addresses {
		kind := cmp.Or(deref(a.Type), gwv1.IPAddressType)
		if a.Value == "" && (kind == gwv1.HostnameAddressType || kind == gwv1.IPAddressType) {
			continue // it gets the host name: that the type be met is a wish of the specification, not a promise
		}
		return fmt.Sprintf("spec.addresses[%d]", i), problem{string(gwv1.GatewayReasonUnsupportedAddress),
			"an application load balancer has no address of its user's choice, but a host name that AWS gives it: remove it"}
	}
	return "", problem{}
}
