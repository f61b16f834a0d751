package ingress

import (
	"maps"
	"slices"
	"strconv"

	elbv2v1beta1 "github.com/headgate/headgate/apis/elbv2/v1beta1"
	"github.com/headgate/headgate/controllers/annotations"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/intent"
)

// listenPorts are the ports of the member: those it names, else 443 with a certificate and 80 without.
func (d *draft) listenPorts() []annotations.Port {
	if ports, ok := annotations.Decode[annotations.Ports](d.read, annotations.ListenPorts); ok {
		return ports.All()
	}
	secure := annotations.Port{Protocol: protocolHTTPS, Number: defaultHTTPSPort}
	plain := annotations.Port{Protocol: protocolHTTP, Number: defaultHTTPPort}
	switch certificates, _ := d.certificates(); {
	case len(certificates) > 0 || d.creates():
		return []annotations.Port{secure}
	case len(secretNames(d.member)) > 0:
		return []annotations.Port{plain, secure} // as every controller of Ingresses does
	}
	return []annotations.Port{plain}
}

func (d *draft) numbers() []int {
	out := make([]int, 0, len(d.ports))
	for _, p := range d.ports {
		out = append(out, p.Number)
	}
	return out
}

// certificates are the ARNs of the class, else those of the annotation, with the field that they are from.
func (d *draft) certificates() (arns []string, field string) {
	if class := d.params().Spec.CertificateArn; len(class) > 0 {
		good := slices.DeleteFunc(slices.Clone(class), func(arn string) bool { return annotations.CheckCertificate(arn) != nil })
		return good, d.classField("spec.certificateArn")
	}
	return d.read.List(annotations.CertificateARN), d.read.Field(annotations.CertificateARN)
}

// listeners of the member, each with its share of the default backend.
func (d *draft) listeners(fallback *intent.Route) []intent.Listener {
	attributes := d.listenerAttributes()
	if tls := d.member.Ingress.Spec.TLS; len(tls) > 0 && !slices.ContainsFunc(d.ports, isHTTPS) {
		d.note(model.Warning, ReasonField, "spec.tls",
			"has no effect, for there is no HTTPS port: write certificate-arn, or listen-ports with HTTPS to have a certificate discovered")
	}
	out := make([]intent.Listener, 0, len(d.ports))
	for _, p := range d.ports {
		l := intent.Listener{
			Port: p.Number, Protocol: p.Protocol, Field: d.listenField(),
			InboundCIDRs: d.who.cidrs, PrefixLists: d.who.lists,
			Attributes: attributes[p], Fields: d.listenerFields(p),
		}
		l.MutualAuth = d.mutual(p.Number)
		if p.Protocol == protocolHTTPS {
			d.secure(&l)
		}
		if fallback != nil {
			route := *fallback
			route.Ports = []int{p.Number}
			l.Default = &d.close(d.guard([]intent.Route{route}))[0]
		}
		out = append(out, l)
	}
	return out
}

func isHTTPS(p annotations.Port) bool { return p.Protocol == protocolHTTPS }

func (d *draft) listenField() string {
	if d.read.Has(annotations.ListenPorts) {
		return d.read.Field(annotations.ListenPorts)
	}
	return ""
}

func (d *draft) secure(l *intent.Listener) {
	certificates, field := d.certificates()
	l.Certificates = certificates
	switch {
	case len(certificates) > 0:
		l.Field = field
	case d.creates():
		l.Request = d.request()
	default:
		l.DiscoverHosts, l.Secrets = d.hosts(), d.secrets()
		l.Implied = !d.read.Has(annotations.ListenPorts)
	}
	if l.SSLPolicy = d.params().Spec.SSLPolicy; l.SSLPolicy == "" {
		l.SSLPolicy, _ = d.read.String(annotations.SSLPolicy)
	}
}

// inboundCIDRs are the ranges that may connect. Values that cannot be read stay in it: an empty list would admit everybody.
func (d *draft) inboundCIDRs() []string {
	if class := d.params().Spec.InboundCIDRs; len(class) > 0 {
		return class
	}
	return d.read.Items(annotations.InboundCIDRs)
}

// cidrField is where the ranges are written.
func (d *draft) cidrField() string {
	if len(d.params().Spec.InboundCIDRs) > 0 {
		return d.classField("spec.inboundCIDRs")
	}
	return d.read.Field(annotations.InboundCIDRs)
}

// listField is where the prefix lists are written.
func (d *draft) listField() string {
	if lists, field := classLists(d.params().Spec); len(lists) > 0 {
		return d.classField(field)
	}
	return d.read.Field(annotations.PrefixLists)
}

// prefixLists that may connect, those that cannot be read among them.
func (d *draft) prefixLists() []string {
	if class, _ := classLists(d.params().Spec); len(class) > 0 {
		return class
	}
	return d.read.Items(annotations.PrefixLists)
}

// listenerFields are where settings of a port are written that are not in the place of its ports.
func (d *draft) listenerFields(p annotations.Port) map[string]string {
	out := map[string]string{}
	if len(d.who.cidrs) > 0 {
		out["inboundCIDRs"] = d.cidrField()
	}
	if len(d.who.lists) > 0 {
		out["prefixLists"] = d.listField()
	}
	key := annotations.ListenerAttributes + "." + p.Protocol + "-" + strconv.Itoa(p.Number)
	inClass := slices.ContainsFunc(d.params().Spec.Listeners, func(l elbv2v1beta1.Listener) bool {
		return l.Protocol == p.Protocol && int(l.Port) == p.Number && len(l.ListenerAttributes) > 0
	})
	switch {
	case inClass && d.read.Has(key):
		out["attributes"] = d.read.Field(key) + " or " + d.classField("spec.listeners")
	case inClass:
		out["attributes"] = d.classField("spec.listeners")
	case d.read.Has(key):
		out["attributes"] = d.read.Field(key)
	}
	if p.Protocol != protocolHTTPS {
		return orNil(out)
	}
	switch {
	case d.params().Spec.SSLPolicy != "":
		out["sslPolicy"] = d.classField("spec.sslPolicy")
	case d.read.Has(annotations.SSLPolicy):
		out["sslPolicy"] = d.read.Field(annotations.SSLPolicy)
	}
	return orNil(out)
}

// listenerAttributes by port: the annotations', with the class's over them.
func (d *draft) listenerAttributes() map[annotations.Port]map[string]string {
	out := map[annotations.Port]map[string]string{}
	left := map[string]bool{}
	for _, name := range d.read.Names(annotations.ListenerAttributes) {
		left[name] = true
	}
	class := map[string]map[string]string{}
	for _, l := range d.params().Spec.Listeners {
		class[l.Protocol+"-"+strconv.Itoa(int(l.Port))] = attributesOf(l.ListenerAttributes)
	}
	for _, p := range d.ports {
		name := p.Protocol + "-" + strconv.Itoa(p.Number)
		delete(left, name)
		out[p] = merged(d.read.Map(annotations.ListenerAttributes+"."+name), class[name])
	}
	for _, name := range slices.Sorted(maps.Keys(left)) {
		d.note(model.Warning, ReasonUnused, d.read.Field(annotations.ListenerAttributes+"."+name),
			"this Ingress has no such listener: name it as <protocol>-<port>, like HTTPS-443, and list it in listen-ports")
	}
	return out
}
