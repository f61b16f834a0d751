package gateway

import (
	"strings"

	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/intent"
)

// Verdict is the judgement on a Gateway: its intent, and what its status shall say.
type Verdict struct {
	Intent   intent.Intent
	Findings []model.Finding

	snapshot  *Snapshot
	listeners []*listener
	routes    []*judged
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
