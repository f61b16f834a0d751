package build

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/intent"
)

// inlet is a port of a frontend: where it leads, and the members that it is for, in order of precedence.
type inlet struct {
	to      int
	members []*intent.Fragment
}

// inletWish is a port of a frontend that a member asks for, or gets because it listens on it.
type inletWish struct {
	from, to int
	f        *intent.Fragment
	named    bool
}

// unnamedPorts is the place of ports that nobody wrote.
const unnamedPorts = "frontend.ports"

func (w inletWish) place() place { return settingPlace(w.f, unnamedPorts) }

// frontendPorts are the ports of the frontend. Where members lead one port to different ones, one counts as [decide] says.
func (b *builder) frontendPorts(p ports) map[int]*inlet {
	by := map[int][]inletWish{}
	for i, f := range b.fragments {
		for _, w := range b.inletWishes(f) {
			one := p.by[w.to]
			switch {
			case one != nil && !p.lost[i][w.to] && slices.Contains(one.members, f):
				by[w.from] = append(by[w.from], w)
			case w.named:
				b.report(w.place(), model.Warning, "UnusedSetting",
					"port "+strconv.Itoa(w.to)+" is none that this object listens on: nothing leads to it; add it to listen-ports, or take it out")
			}
		}
	}
	out := map[int]*inlet{}
	for _, n := range slices.Sorted(maps.Keys(by)) {
		if len(out) < b.quotas.ListenersPerLoadBalancer {
			out[n] = b.settleInlet(by[n])
			continue
		}
		b.overQuota(by[n][0].place(), model.Answered, quotaInlets, excess{
			"port " + strconv.Itoa(n) + " of the frontend", len(out), b.quotas.ListenersPerLoadBalancer,
		})
	}
	return out
}

// inletWishes are the ports of a member: those that it names, else all that it listens on.
func (b *builder) inletWishes(f *intent.Fragment) []inletWish {
	var out []inletWish
	for _, m := range frontendOf(f).Ports {
		out = append(out, inletWish{from: m.From, to: m.To, f: f, named: true})
	}
	if len(out) > 0 {
		return out
	}
	for _, l := range f.Listeners {
		out = append(out, inletWish{from: l.Port, to: l.Port, f: f})
	}
	return out
}

func (b *builder) settleInlet(wishes []inletWish) *inlet {
	claims := make([]claim, len(wishes))
	for i, w := range wishes {
		claims[i] = claim{value: strconv.Itoa(w.to), asked: true, at: w.place()}
		if before := b.before(w.f); before != nil {
			claims[i].standing = slices.ContainsFunc(b.inletWishes(before), func(o inletWish) bool { return o.from == w.from && o.to == w.to })
		}
	}
	won := decide(claims, "", func(lost, won claim) {
		severity := model.Wrong
		if lost.at.field == unnamedPorts {
			severity = model.Warning // it wrote nothing that is wrong
		}
		b.report(lost.at, severity, "PortConflict", fmt.Sprintf(
			"port %d of the frontend leads to port %s for %s, and cannot lead to port %s, too; name another one with frontend-nlb-listener-port-mapping",
			wishes[0].from, won.value, won.at.object, lost.value))
	})
	out := &inlet{to: wishes[won].to}
	for _, w := range wishes {
		if w.to == out.to {
			out.members = append(out.members, w.f)
		}
	}
	return out
}

// frontendGroup is the target group of a port; nil where its health check cannot be, which is told.
func (b *builder) frontendGroup(n int, in *inlet, existing model.Existing) *model.TargetGroup {
	id := model.ResourceFrontend + "-tg-TCP-" + strconv.Itoa(n)
	health := existing.Health[id]
	g := &model.TargetGroup{
		ID: id, Name: ownerName(b.in, id), TargetType: model.TargetTypeALB, Protocol: protocolTCP, Port: in.to, VPC: b.facts.VPC.ID,
		IPAddressType: typeIPv4, Tags: b.tags(id, nil),
		HealthCheck: model.HealthCheck{
			Protocol:           cmp.Or(b.health(in, "protocol", func(h intent.HealthCheck) string { return h.Protocol }), protocolHTTP),
			Port:               cmp.Or(b.health(in, "port", func(h intent.HealthCheck) string { return h.Port }), trafficPort),
			Path:               cmp.Or(b.health(in, "path", func(h intent.HealthCheck) string { return h.Path }), "/"),
			Matcher:            cmp.Or(b.health(in, "matcher", func(h intent.HealthCheck) string { return h.Matcher }), "200"),
			IntervalSeconds:    b.healthNumber(in, "intervalSeconds", 15, func(h intent.HealthCheck) int { return h.IntervalSeconds }),
			TimeoutSeconds:     b.healthNumber(in, "timeoutSeconds", 5, func(h intent.HealthCheck) int { return h.TimeoutSeconds }),
			HealthyThreshold:   b.healthNumber(in, "healthyThreshold", frontendThreshold(health.HealthyThreshold), healthyOf),
			UnhealthyThreshold: b.healthNumber(in, "unhealthyThreshold", frontendThreshold(health.UnhealthyThreshold), unhealthyOf),
		},
	}
	if field, problem := healthProblem(g); problem != "" {
		at := in.members[0]
		for _, f := range in.members {
			if f.Settings.Fields["frontend."+field] != "" {
				at = f
				break
			}
		}
		b.wrong(settingPlace(at, "frontend."+field), "InvalidHealthCheck", "%s", problem)
		return nil
	}
	return g
}

func healthyOf(h intent.HealthCheck) int { return h.HealthyThreshold }

func unhealthyOf(h intent.HealthCheck) int { return h.UnhealthyThreshold }

// frontendThreshold is the default: three, as the incumbent's documentation says. Two, which it makes, is left as it is.
func frontendThreshold(existing int) int {
	if existing == 2 {
		return existing
	}
	return 3
}

// health settles one setting of a health check over the members of a port.
func (b *builder) health(in *inlet, field string, read func(intent.HealthCheck) string) string {
	field = "frontend.healthCheck." + field
	claims := make([]claim, len(in.members))
	for i, f := range in.members {
		value := read(frontendOf(f).HealthCheck)
		claims[i] = claim{value: value, asked: value != "", at: settingPlace(f, field)}
		if before := b.before(f); before != nil {
			claims[i].standing = read(frontendOf(before).HealthCheck) == value
		}
	}
	won := decide(claims, "", func(lost, won claim) {
		b.wrong(lost.at, "ConflictingSetting", "%q conflicts with %q, which %s asks for on the same port of the frontend; use the same value or another port",
			lost.value, won.value, won.at.object)
	})
	if won < 0 {
		return ""
	}
	return claims[won].value
}

func (b *builder) healthNumber(in *inlet, field string, otherwise int, read func(intent.HealthCheck) int) int {
	text := b.health(in, field, func(h intent.HealthCheck) string {
		if n := read(h); n != 0 {
			return strconv.Itoa(n)
		}
		return ""
	})
	if n, err := strconv.Atoi(text); err == nil {
		return n
	}
	return otherwise
}

// admitFrontend lets the managed security group, where the frontend has it too, admit what a port leads to. A port of the same number on
// the load balancer behind keeps its own ranges.
func (b *builder) admitFrontend(stack *model.Stack, front frontend, inlets map[int]*inlet, p ports) {
	at := slices.IndexFunc(stack.SecurityGroups, func(g model.SecurityGroup) bool { return g.ID == managedGroupID })
	if at < 0 || front.groups != nil {
		return
	}
	for _, n := range slices.Sorted(maps.Keys(inlets)) {
		in := inlets[n]
		behind := *p.by[in.to]
		if same := p.by[n]; same != nil {
			if in.to != n && whom(*same, front.ipAddressType) != whom(behind, front.ipAddressType) {
				b.report(settingPlace(in.members[0], "frontend.ports"), model.Warning, "AdmittedOtherwise",
					"port "+strconv.Itoa(n)+" of the frontend admits whom port "+strconv.Itoa(n)+" of the load balancer behind admits: "+
						"they share a security group; use another port, or frontend-nlb-security-groups")
			}
			continue
		}
		behind.number = n
		stack.SecurityGroups[at].Ingress = append(stack.SecurityGroups[at].Ingress, admitted(&behind, front.ipAddressType)...)
	}
}

// whom a port admits, as text.
func whom(one port, ipAddressType string) string {
	var out []string
	for _, rule := range admitted(&one, ipAddressType) {
		out = append(out, rule.CIDR+rule.PrefixList)
	}
	return strings.Join(out, ",")
}
