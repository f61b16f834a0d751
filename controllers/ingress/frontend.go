package ingress

import (
	"maps"
	"slices"
	"strconv"

	"github.com/headgate/headgate/controllers/annotations"
	"github.com/headgate/headgate/model/intent"
)

// frontend is what the member asks of a network load balancer in front, with where it is written; nil where it says nothing.
func (d *draft) frontend(fields map[string]string) *intent.Frontend {
	var out intent.Frontend
	written := false
	note := func(field, key string) { fields["frontend."+field], written = d.read.Field(key), true }
	if on, ok := d.read.Bool(annotations.FrontendEnabled); ok {
		out.Enabled = strconv.FormatBool(on)
		note("enabled", annotations.FrontendEnabled)
	}
	if scheme, ok := d.read.String(annotations.FrontendScheme); ok && scheme != "" {
		out.Scheme = scheme
		note("scheme", annotations.FrontendScheme)
	}
	for _, l := range []struct {
		to         *[]string
		field, key string
	}{
		{&out.Subnets, "subnets", annotations.FrontendSubnets},
		{&out.SecurityGroups, "securityGroups", annotations.FrontendSecurityGroups},
		{&out.Allocations, "allocations", annotations.FrontendAllocations},
	} {
		if *l.to = d.read.List(l.key); *l.to != nil {
			note(l.field, l.key)
		}
	}
	for _, m := range []struct {
		to         *map[string]string
		field, key string
	}{
		{&out.Attributes, "attributes", annotations.FrontendAttributes},
		{&out.Tags, "tags", annotations.FrontendTags},
	} {
		if *m.to = d.read.Map(m.key); *m.to != nil {
			note(m.field, m.key)
		}
	}
	ports := d.read.PortMap(annotations.FrontendPorts)
	for _, from := range slices.Sorted(maps.Keys(ports)) {
		out.Ports = append(out.Ports, intent.PortMapping{From: from, To: ports[from]})
		note("ports", annotations.FrontendPorts)
	}
	d.frontendHealth(&out.HealthCheck, note)
	if !written {
		return nil
	}
	return &out
}

func (d *draft) frontendHealth(out *intent.HealthCheck, note func(field, key string)) {
	for _, s := range []struct {
		to         *string
		field, key string
	}{
		{&out.Port, "port", annotations.FrontendHealthPort},
		{&out.Protocol, "protocol", annotations.FrontendHealthProtocol},
		{&out.Path, "path", annotations.FrontendHealthPath},
		{&out.Matcher, "matcher", annotations.FrontendSuccessCodes},
	} {
		if value, ok := d.read.String(s.key); ok && value != "" {
			*s.to = value
			note("healthCheck."+s.field, s.key)
		}
	}
	for _, n := range []struct {
		to         *int
		field, key string
	}{
		{&out.IntervalSeconds, "intervalSeconds", annotations.FrontendHealthInterval},
		{&out.TimeoutSeconds, "timeoutSeconds", annotations.FrontendHealthTimeout},
		{&out.HealthyThreshold, "healthyThreshold", annotations.FrontendHealthyThreshold},
		{&out.UnhealthyThreshold, "unhealthyThreshold", annotations.FrontendUnhealthyThreshold},
	} {
		if value, ok := d.read.Int(n.key); ok {
			*n.to = value
			note("healthCheck."+n.field, n.key)
		}
	}
}

// inFront are the ports of the frontend that lead to some of the ports behind.
func (n news) inFront(behind []int) []int {
	var out []int
	for _, m := range n.frontendPorts {
		if slices.Contains(behind, m.To) {
			out = append(out, m.From)
		}
	}
	return out
}

// published are the addresses that the members show, and those who move away.
func published(g Group) []string {
	var out []string
	for _, m := range g.Members {
		out = append(out, hostnames(m.Ingress)...)
	}
	for _, l := range g.Leaving {
		if l.moves() {
			out = append(out, hostnames(l.Ingress)...)
		}
	}
	return out
}
