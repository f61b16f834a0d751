package gateway

import (
	"slices"
	"strings"

	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/headgate/headgate/controllers/stack"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/intent"
)

// Verdict is the judgement on a Gateway: its intent, and what its status shall say.
type Verdict struct {
	Intent   intent.Intent
	Findings []model.Finding

	snapshot   *Snapshot
	listeners  []*listener
	routes     []*judged
	translator *translator
}

// Request is what the loop over stacks is asked for: without a good Gateway nothing is made, and a route's last good state serves
// only as far as it is still permitted.
func (v *Verdict) Request() stack.Request {
	req := stack.Request{Intent: v.Intent, Findings: v.Findings, Permit: v.permit}
	if v.translator != nil {
		req.Anchor = gatewayRef(v.snapshot.Gateway)
	}
	return req
}

// permit leaves in a fragment that was good once the listeners that still admit the route, and answers as the specification says
// where a reference is granted no more.
func (v *Verdict) permit(f intent.Fragment) intent.Fragment {
	i := slices.IndexFunc(v.routes, func(j *judged) bool { return f.Member.Same(j.fragment.Member) })
	if i < 0 {
		return f
	}
	open := map[int]bool{}
	for _, p := range v.routes[i].places() {
		open[int(p.listener.Port)] = !v.translator.config.closes(p.listener)
	}
	var kept []intent.Route
	for _, r := range f.Routes {
		admitted, known := open[r.Ports[0]]
		switch {
		case !known:
			continue
		case !admitted:
			r.Forward, r.Redirect, r.Fixed = nil, nil, &intent.Fixed{StatusCode: 503, ContentType: "text/plain"}
		case !v.translator.grantedAll(f.Member.Namespace, r.Forward):
			r.Forward, r.Fixed = nil, &intent.Fixed{StatusCode: 500, ContentType: "text/plain"}
		}
		kept = append(kept, r)
	}
	f.Routes = kept
	f.Listeners = slices.DeleteFunc(slices.Clone(f.Listeners), func(l intent.Listener) bool { _, known := open[l.Port]; return !known })
	return f
}

// grantedAll tells whether every Service of a forward is in the route's namespace or still granted.
func (t *translator) grantedAll(namespace string, f *intent.Forward) bool {
	return f == nil || !slices.ContainsFunc(f.Backends, func(b intent.Backend) bool {
		return b.Service != nil && b.Service.Namespace != namespace && !t.granted(namespace, b.Service.Namespace, b.Service.Name)
	})
}

// Judge turns a snapshot into an intent. It is pure. A Gateway that is gone, or not ours, has an empty intent: everything of it
// goes.
func Judge(s *Snapshot, set Settings, owner model.Owner) *Verdict {
	v := &Verdict{snapshot: s, Intent: intent.Intent{
		Owner: owner, Front: "gateway", Order: intent.BySpecificity, Defaults: defaults(set),
	}}
	v.Intent.Namespace, v.Intent.Name, _ = strings.Cut(owner.Stack, "/")
	if s.Gateway == nil || !s.Gateway.DeletionTimestamp.IsZero() || !s.Ours {
		return v
	}
	c := mergeConfigs(s.ClassConfig, s.GatewayConfig)
	v.listeners = judge(s.Gateway)
	t := &translator{snapshot: s, config: c, listeners: v.listeners}
	v.translator = t
	v.Intent.Fragments = append(v.Intent.Fragments, gatewayFragment(t))
	v.Findings = append(v.Findings, gatewayFindings(s, c)...)
	for i := range s.Routes {
		j := t.translate(&s.Routes[i])
		v.routes = append(v.routes, j)
		v.Findings = append(v.Findings, j.findings...)
		if len(j.fragment.Routes) > 0 {
			v.Intent.Fragments = append(v.Intent.Fragments, j.fragment)
		}
	}
	return v
}

func defaults(set Settings) intent.Defaults {
	return intent.Defaults{
		Cluster: set.ClusterName, Scheme: set.DefaultScheme, TargetType: set.DefaultTargetType, SSLPolicy: set.DefaultSSLPolicy,
		Tags: set.DefaultTags, BackendSecurityGroup: set.BackendSecurityGroup,
	}
}

// gatewayFragment holds the settings and listeners of the Gateway itself.
func gatewayFragment(t *translator) intent.Fragment {
	f := intent.Fragment{Member: gatewayRef(t.snapshot.Gateway), Settings: t.config.settings()}
	for _, l := range t.listeners {
		if !l.usable() {
			continue
		}
		lc := t.config.listenerConfig(l)
		one := intent.Listener{
			Port: int(l.Port), Protocol: string(l.Protocol), InboundCIDRs: t.config.spec.SourceRanges,
			PrefixLists: t.config.spec.SecurityGroupPrefixes, Attributes: attributeMap(lc.ListenerAttributes), Field: l.field(),
		}
		if l.Protocol == gwv1.HTTPSProtocolType {
			one.Certificates = t.certificates(l)
			setText(&one.SSLPolicy, lc.SSLPolicy)
			if len(one.Certificates) == 0 && l.hostname() != "" {
				one.DiscoverHosts = []string{l.hostname()}
			}
		}
		f.Listeners = append(f.Listeners, one)
	}
	return f
}

func gatewayFindings(s *Snapshot, c config) []model.Finding {
	out := c.findings()
	if s.ParameterProblem != "" {
		out = append(out, model.Finding{
			Object: gatewayRef(s.Gateway), Severity: model.Wrong, Reason: string(gwv1.GatewayReasonInvalidParameters),
			Message: s.ParameterProblem,
		})
	}
	return out
}
