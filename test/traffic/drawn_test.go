package traffic

import (
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"strings"
)

// draw is an Ingress by chance, with its class.
func (v *varied) draw(r *rand.Rand) string {
	settings := []string{
		"target-type: " + pick(r, "ip", "instance"), "backend-protocol: " + pick(r, "HTTP", "HTTP", "HTTPS"),
		// Where the machine is slow, targets stay healthy.
		"healthcheck-interval-seconds: 5", "healthcheck-timeout-seconds: 4", "unhealthy-threshold-count: 10", briefly,
		`actions.tea: {"type":"fixed-response","fixedResponseConfig":{"contentType":"text/plain","statusCode":"200","messageBody":"tea"}}`,
	}
	ports, secure := v.ports(r)
	settings = append(settings, "listen-ports: "+ports, "scheme: "+pick(r, "internet-facing", "internet-facing", "internet-facing", "internal"))
	secrets, more := "", ""
	if secure > 0 {
		var named []string
		named, secrets, more = v.clothes(r, secure)
		settings = append(settings, named...)
		settings = append(settings, "ssl-policy: "+pick(r, "ELBSecurityPolicy-2016-08", "ELBSecurityPolicy-TLS13-1-2-2021-06"))
	}
	settings = append(settings, v.admission(r)...)
	var rules []string
	for _, name := range v.some(r, []string{"s.example.com", "t.example.com", "*.example.com"}) {
		var paths []string
		for range 1 + r.IntN(2) {
			paths = append(paths, pick(r, "Exact", "Prefix")+" "+pick(r, "/", "/x")+" "+pick(r, "a", "b", "c", "a:81", "@tea"))
		}
		rules = append(rules, host(name, paths...))
	}
	class, text := v.class(r)
	return text + secrets + strings.Replace(web(settings, rules, pick(r, "", "a", "@tea")), "ingressClassName: alb", "ingressClassName: "+class+more, 1)
}

// clothes are the certificates of so many listeners by chance: named ones, as many as AWS takes of a load balancer, or those of Secrets, with
// the Secrets and what the Ingress says of them.
func (v *varied) clothes(r *rand.Rand, listeners int) (settings []string, secrets, more string) {
	named := v.some(r, v.certificates)
	switch r.IntN(4) {
	case 0:
		if len(v.fillers) > 0 {
			named = append(named, v.fillers[:certificateQuota/listeners+1-len(named)]...)
		}
	case 1:
		var refs []string
		var held strings.Builder
		for _, i := range r.Perm(2)[:1+r.IntN(2)] {
			c := v.sealed[r.IntN(len(v.sealed))]
			fmt.Fprintf(&held, "---\n{apiVersion: v1, kind: Secret, metadata: {namespace: shop, name: tls-%d}, type: kubernetes.io/tls, data: {tls.crt: %s, tls.key: %s}}\n",
				i, base64.StdEncoding.EncodeToString(c.Cert), base64.StdEncoding.EncodeToString(c.Key))
			refs = append(refs, fmt.Sprintf("{hosts: [only.example.net], secretName: tls-%d}", i))
		}
		return nil, held.String(), "\n  tls: [" + strings.Join(refs, ", ") + "]"
	}
	return []string{"certificate-arn: " + strings.Join(named, ",")}, "", ""
}

// certificateQuota is how many certificates AWS takes of a load balancer, without defaults.
const certificateQuota = 25

// some are a few of all, at least one, in any order.
func (*varied) some(r *rand.Rand, all []string) []string {
	var out []string
	for _, i := range r.Perm(len(all))[:1+r.IntN(min(3, len(all)))] {
		out = append(out, all[i])
	}
	return out
}

// ports are listeners by chance, and how many of them need certificates.
func (*varied) ports(r *rand.Rand) (text string, secure int) {
	var out []string
	for _, port := range doors() {
		protocol := pick(r, "HTTP", "HTTPS", "HTTPS", "")
		if protocol == "" {
			continue
		}
		if protocol == "HTTPS" {
			secure++
		}
		out = append(out, fmt.Sprintf(`{"%s":%d}`, protocol, port))
	}
	if len(out) == 0 {
		return `[{"HTTP":80}]`, 0
	}
	return "[" + strings.Join(out, ",") + "]", secure
}

// admission says who may connect: security groups of the user's, or ranges.
func (v *varied) admission(r *rand.Rand) []string {
	switch r.IntN(5) {
	case 0:
		return []string{"security-groups: " + strings.Join(v.some(r, v.groups), ",")}
	case 1:
		return []string{"security-groups: " + strings.Join(v.some(r, v.groups), ","), `manage-backend-security-group-rules: true`}
	case 2:
		return []string{"inbound-cidrs: " + strings.Join(v.some(r, []string{"192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24"}), ",")}
	}
	return nil
}

// class is one of the classes by chance, with what it says this time.
func (v *varied) class(r *rand.Rand) (name, text string) {
	name = pick(r, "alb", "blue", "green")
	if name == "alb" {
		return name, ""
	}
	spec := []string{"targetType: " + pick(r, "ip", "instance")}
	if r.IntN(2) == 0 {
		spec = append(spec, "inboundCIDRs: ["+strings.Join(v.some(r, []string{"192.0.2.0/24", "198.51.100.0/24"}), ", ")+"]")
	}
	if r.IntN(2) == 0 {
		spec = append(spec, `certificateArn: ["`+strings.Join(v.some(r, v.certificates), `", "`)+`"]`)
	}
	return name, fmt.Sprintf(`---
{apiVersion: elbv2.k8s.aws/v1beta1, kind: IngressClassParams, metadata: {name: %[1]s}, spec: {%[2]s}}
---
{apiVersion: networking.k8s.io/v1, kind: IngressClass, metadata: {name: %[1]s}, spec: {controller: ingress.k8s.aws/alb,
  parameters: {apiGroup: elbv2.k8s.aws, kind: IngressClassParams, name: %[1]s}}}
`, name, strings.Join(spec, ", "))
}
