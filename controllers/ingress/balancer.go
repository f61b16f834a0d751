package ingress

import (
	"strconv"
	"strings"

	elbv2v1beta1 "github.com/headgate/headgate/apis/elbv2/v1beta1"
	"github.com/headgate/headgate/controllers/annotations"
	"github.com/headgate/headgate/model/intent"
)

// settings are what the member asks of the whole load balancer. What its class says wins.
func (d *draft) settings() intent.Settings {
	out := intent.Settings{Fields: map[string]string{}}
	d.names(&out)
	d.network(&out)
	out.Attributes = d.read.Map(annotations.LoadBalancerAttrs)
	if out.Attributes != nil {
		out.Fields["attributes"] = d.read.Field(annotations.LoadBalancerAttrs)
	}
	if out.EnforcedAttributes = attributesOf(d.params().Spec.LoadBalancerAttributes); out.EnforcedAttributes != nil {
		out.Fields["enforcedAttributes"] = d.classField("spec.loadBalancerAttributes")
	}
	if out.Tags = d.read.Map(annotations.Tags); out.Tags != nil {
		out.Fields["tags"] = d.read.Field(annotations.Tags)
	}
	out.EnforcedTags = d.classTags()
	d.redirectPort(&out)
	d.addons(&out)
	out.Frontend = d.frontend(out.Fields)
	if len(out.Fields) == 0 {
		out.Fields = nil
	}
	return out
}

func (d *draft) names(out *intent.Settings) {
	spec := d.params().Spec
	d.choose(&out.Name, choice{"name", annotations.LoadBalancerName, spec.LoadBalancerName, "spec.loadBalancerName"}, out)
	if spec.LoadBalancerName != "" && annotations.CheckLoadBalancerName(spec.LoadBalancerName) != nil {
		out.Name = ""
	}
	d.choose(&out.Scheme, choice{"scheme", annotations.Scheme, text(spec.Scheme), "spec.scheme"}, out)
	d.choose(&out.IPAddressType, choice{"ipAddressType", annotations.IPAddressType, text(spec.IPAddressType), "spec.ipAddressType"}, out)
}

func text[T ~string](p *T) string {
	if p == nil {
		return ""
	}
	return string(*p)
}

// choice is a setting by its name in the intent, its annotation, and the class's value and field.
type choice struct{ name, key, class, field string }

func (d *draft) choose(to *string, c choice, out *intent.Settings) {
	if c.class != "" {
		*to, out.Fields[c.name] = c.class, d.classField(c.field)
		return
	}
	if value, ok := d.read.String(c.key); ok && value != "" {
		*to, out.Fields[c.name] = value, d.read.Field(c.key)
	}
}

func (d *draft) network(out *intent.Settings) {
	if s := d.params().Spec.Subnets; s != nil && (len(s.IDs) > 0 || len(s.Tags) > 0) {
		d.classSubnets(s, out)
	} else if out.Subnets = d.read.List(annotations.Subnets); out.Subnets != nil {
		out.Fields["subnets"] = d.read.Field(annotations.Subnets)
	}
	if out.SecurityGroups = d.read.List(annotations.SecurityGroups); out.SecurityGroups != nil {
		out.Fields["securityGroups"] = d.read.Field(annotations.SecurityGroups)
	}
	if manage, ok := d.read.Bool(annotations.ManageBackendRules); ok {
		out.ManageBackendRules = strconv.FormatBool(manage)
		out.Fields["manageBackendRules"] = d.read.Field(annotations.ManageBackendRules)
	}
}

func (d *draft) classSubnets(s *elbv2v1beta1.SubnetSelector, out *intent.Settings) {
	for _, id := range s.IDs {
		out.Subnets = append(out.Subnets, string(id))
	}
	if len(s.IDs) == 0 {
		out.SubnetTags = s.Tags
		out.Fields["subnetTags"] = d.classField("spec.subnets.tags")
		return
	}
	out.Fields["subnets"] = d.classField("spec.subnets.ids")
}

// redirectPort is the HTTPS port that HTTP listeners redirect to.
func (d *draft) redirectPort(out *intent.Settings) {
	if class := strings.TrimSpace(d.params().Spec.SSLRedirectPort); class != "" {
		if annotations.CheckPort(class) != nil {
			return
		}
		out.SSLRedirectPort, _ = strconv.Atoi(class) // CheckPort has read it.
		out.Fields["sslRedirectPort"] = d.classField("spec.sslRedirectPort")
		return
	}
	if port, ok := d.read.Int(annotations.SSLRedirect); ok {
		out.SSLRedirectPort = port
		out.Fields["sslRedirectPort"] = d.read.Field(annotations.SSLRedirect)
	}
}

func attributesOf(list []elbv2v1beta1.Attribute) map[string]string {
	out := map[string]string{}
	for _, a := range list {
		out[a.Key] = a.Value
	}
	return orNil(out)
}
