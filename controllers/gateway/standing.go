package gateway

import (
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/types"

	awsgwv1 "github.com/headgate/headgate/apis/gateway/v1"
	"github.com/headgate/headgate/model"
)

// standing is what became of a configuration by one Gateway that uses it.
type standing struct {
	gateway types.NamespacedName
	// judged is the generation that was looked at, zero where none was. applied is the last one of which AWS holds everything, zero while
	// that is not known.
	judged, applied int64
	// wrong are the mistakes in it, remarks what is served in another way than written.
	wrong, remarks []string
	// byGateway and byClass say by whom it came to be used.
	byGateway, byClass bool
	// failed says that AWS could not be asked for all of it: what was known of the same generation counts.
	failed bool
}

// standings are those of the configurations that a Gateway uses, as far as they are there.
func (v *Verdict) standings(uses map[configName]bool, got reached) map[configName]standing {
	if v.translator == nil {
		return nil
	}
	out := map[configName]standing{}
	behind := v.behind(got)
	for name, found := range v.generations() {
		if !uses[name] {
			continue
		}
		found.failed = got.err != nil
		out[name] = found
	}
	for _, f := range got.Findings {
		if name, text := v.aboutConfig(f); uses[name] {
			out[name] = out[name].with(f.Severity, text)
		}
	}
	for name, found := range out {
		if got.err == nil && got.Settled && len(found.wrong) == 0 && !behind[name] {
			found.applied = found.judged
			out[name] = found
		}
	}
	return out
}

// with adds what is found in a configuration, once.
func (s standing) with(severity model.Severity, text string) standing {
	into := &s.wrong
	if severity == model.Warning {
		into = &s.remarks
	}
	if !slices.Contains(*into, text) {
		*into = append(slices.Clone(*into), text)
	}
	return s
}

// generations are the configurations that were read, with how they came to be used.
func (v *Verdict) generations() map[configName]standing {
	s, out := v.snapshot, map[configName]standing{}
	gateway := types.NamespacedName{Namespace: s.Gateway.Namespace, Name: s.Gateway.Name}
	byClass := map[configName]bool{}
	for _, c := range []*awsgwv1.LoadBalancerConfiguration{s.ClassConfig, s.GatewayConfig} {
		if c == nil {
			continue
		}
		name := configNamed(awsgwv1.KindLoadBalancerConfiguration, c.Namespace, c.Name)
		one := out[name]
		one.gateway, one.judged = gateway, c.Generation
		one.byClass, one.byGateway = one.byClass || c == s.ClassConfig, one.byGateway || c == s.GatewayConfig
		out[name] = one
		if d := c.Spec.DefaultTargetGroupConfiguration; d != nil && c == s.ClassConfig {
			byClass[configNamed(awsgwv1.KindTargetGroupConfiguration, c.Namespace, d.Name)] = true
		}
	}
	for i := range s.TargetGroups {
		t := &s.TargetGroups[i]
		name := configNamed(awsgwv1.KindTargetGroupConfiguration, t.Namespace, t.Name)
		out[name] = standing{gateway: gateway, judged: t.Generation, byClass: byClass[name], byGateway: !byClass[name]}
	}
	for key, x := range s.Extensions {
		out[configName{key, awsgwv1.KindListenerRuleConfiguration}] = standing{gateway: gateway, judged: x.Generation, byGateway: true}
	}
	return out
}

func configNamed(kind, namespace, name string) configName {
	return configName{types.NamespacedName{Namespace: namespace, Name: name}, kind}
}

// aboutConfig is the configuration that a finding is about, with what it says without the name; none where it is about something else.
// Findings on what a configuration sets are about a member of the stack, and their field begins with the name of the configuration.
func (v *Verdict) aboutConfig(f model.Finding) (configName, string) {
	if f.Object.Group == awsgwv1.Group {
		return configNamed(f.Object.Kind, f.Object.Namespace, f.Object.Name), f.Text()
	}
	kind, rest, _ := strings.Cut(f.Field, " ")
	switch kind {
	case awsgwv1.KindLoadBalancerConfiguration, awsgwv1.KindTargetGroupConfiguration:
		object, field, _ := strings.Cut(rest, " ")
		namespace, name, _ := strings.Cut(object, "/")
		return configNamed(kind, namespace, name), model.Finding{Field: field, Message: f.Message}.Text()
	}
	if !strings.Contains(f.Field, ".filters[") {
		return configName{}, ""
	}
	if j := v.routeOf(f.Object); j != nil {
		if name := extensionAt(j.route, f.Field); name.Name != "" {
			return configName{name, awsgwv1.KindListenerRuleConfiguration}, f.Object.String() + " " + f.Text()
		}
	}
	return configName{}, ""
}

// behind are the configurations of which AWS does not hold everything for a member of the stack: its last good state serves, or a part of it.
func (v *Verdict) behind(got reached) map[configName]bool {
	out := map[configName]bool{}
	for _, s := range got.Serving {
		if !s.Held && !s.Missing {
			continue
		}
		if j := v.routeOf(s.Member); j != nil {
			for name := range v.translator.configsOf(j.route) {
				out[name] = true
			}
			continue
		}
		for _, p := range v.translator.config.parts {
			out[configNamed(p.object.Kind, p.object.Namespace, p.object.Name)] = true
		}
	}
	return out
}

// configsOf are the configurations that a route is served by, beside those of the Gateway.
func (t *translator) configsOf(route *route) map[configName]bool {
	own := &translator{snapshot: t.snapshot, config: t.config, used: map[*awsgwv1.TargetGroupConfiguration]bool{}}
	own.resolve(route)
	out := map[configName]bool{}
	for g := range own.used {
		out[configNamed(awsgwv1.KindTargetGroupConfiguration, g.Namespace, g.Name)] = true
	}
	for _, name := range extensions(route) {
		out[name] = true
	}
	return out
}
