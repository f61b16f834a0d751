package policy_test

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/headgate/headgate/sandbox/selfsigned"
	"github.com/headgate/headgate/test/endtoend"
)

// wardrobe is an Ingress with a load balancer of its own. The shop needs no right to change what is there; this one does.
const wardrobe = `
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: wardrobe
  namespace: catalog
  annotations:
    alb.ingress.kubernetes.io/scheme: internet-facing
    alb.ingress.kubernetes.io/target-type: ip
%s
spec:
  ingressClassName: alb
  rules:
    - host: %s
      http:
        paths:
%s
  tls:
    - hosts: [%s]
      secretName: %s
`

// sold is the end of paths that the load balancer answers itself.
const sold = "/sold"

// outfit is a state of the wardrobe.
type outfit struct {
	why string
	// host is that of the rule, where it is not the usual one; secret is the Secret with its certificate, which certificate is put in.
	host, secret string
	certificate  selfsigned.Certificate
	// restarted says that another operator comes to it: what one made itself it does not read.
	restarted   bool
	annotations map[string]string
	// paths are tried in this order; "sold" is an action that is given by annotation, all others are pods.
	paths []string
	// calls must come of it, each at least once.
	calls []string
}

// wear takes the wardrobe through its outfits, and deletes it.
func wear(t *testing.T, s *endtoend.Stage, all []outfit) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "wardrobe.yaml")
	for _, o := range all {
		before := s.Gate.Counts()
		o.hangUp(t, s)
		if o.restarted {
			if err := s.RestartOperator(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.WriteFile(path, []byte(o.manifest()), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Kubectl(t.Context(), "apply", "-f", path); err != nil {
			t.Fatal(err)
		}
		called(t, s, before, o)
	}
	before := s.Gate.Counts()
	scale(t, s, 1)
	called(t, s, before, outfit{why: "a pod less", calls: []string{"elasticloadbalancing:DeregisterTargets"}})
	scale(t, s, 2)
	if _, err := s.Kubectl(t.Context(), "delete", "-f", path, "--timeout=60s"); err != nil {
		t.Fatal(err)
	}
}

// called waits until all calls came that must come of an outfit.
func called(t *testing.T, s *endtoend.Stage, before map[string]int, o outfit) {
	t.Helper()
	until(t, o.why, func(context.Context) error {
		now := s.Gate.Counts()
		for _, action := range o.calls {
			if now[action] == before[action] {
				return fmt.Errorf("there was no call of %s; there were %v", action, more(before, now))
			}
		}
		return nil
	})
}

func scale(t *testing.T, s *endtoend.Stage, pods int) {
	t.Helper()
	if _, err := s.Kubectl(t.Context(), "-n", "catalog", "scale", "deployment/catalog", fmt.Sprintf("--replicas=%d", pods)); err != nil {
		t.Fatal(err)
	}
}

// more is what was counted since.
func more(before, now map[string]int) map[string]int {
	out := map[string]int{}
	for key, n := range now {
		if n > before[key] {
			out[key] = n - before[key]
		}
	}
	return out
}

func (o outfit) manifest() string {
	var annotations, paths strings.Builder
	for key, value := range o.annotations {
		fmt.Fprintf(&annotations, "    alb.ingress.kubernetes.io/%s: %s\n", key, quoted(value))
	}
	for _, p := range o.paths {
		service := "{name: catalog, port: {number: 80}}"
		if strings.HasSuffix(p, sold) {
			service = "{name: sold, port: {name: use-annotation}}"
		}
		fmt.Fprintf(&paths, "          - {path: %q, pathType: ImplementationSpecific, backend: {service: %s}}\n", p, service)
	}
	host := cmp.Or(o.host, "wardrobe.example.com")
	return fmt.Sprintf(wardrobe, annotations.String(), host, paths.String(), host, cmp.Or(o.secret, `""`))
}

func outfits(t *testing.T, s *endtoend.Stage) []outfit {
	t.Helper()
	var certificates []string
	for _, hosts := range [][]string{{"wardrobe.example.com"}, many()} {
		arn, err := endtoend.ImportCertificate(t.Context(), s, hosts...)
		if err != nil {
			t.Fatal(err)
		}
		certificates = append(certificates, arn)
	}
	const onlyHTTPS = `[{"HTTPS": 443}]`
	subnets := s.Simulator().World().PublicSubnets
	return []outfit{
		{
			why: "the first outfit", annotations: map[string]string{
				"certificate-arn": strings.Join(certificates, ","), "ssl-policy": "ELBSecurityPolicy-2016-08",
				"inbound-cidrs": "10.0.0.0/8", "tags": "team=one,season=summer", "subnets": strings.Join(subnets[:2], ","),
				"listen-ports":             `[{"HTTPS": 443}, {"HTTPS": 8443}]`,
				"load-balancer-attributes": "idle_timeout.timeout_seconds=100", "target-group-attributes": "deregistration_delay.timeout_seconds=30",
				"actions.sold": answer(410),
			},
			paths: []string{"/coats/*", "/*/long", "/hats/sold"},
			calls: []string{
				"elasticloadbalancing:AddListenerCertificates", "elasticloadbalancing:ModifyLoadBalancerAttributes",
				"elasticloadbalancing:ModifyTargetGroupAttributes", "elasticloadbalancing:RegisterTargets",
			},
		},
		{
			why: "everything is changed", restarted: true, annotations: map[string]string{
				"listen-ports": onlyHTTPS, "certificate-arn": certificates[0], "ssl-policy": "ELBSecurityPolicy-TLS13-1-2-2021-06",
				"inbound-cidrs": "10.1.0.0/16", "tags": "team=two", "subnets": strings.Join(subnets, ","),
				"listener-attributes.HTTPS-443": "routing.http.response.server.enabled=false",
				"healthcheck-interval-seconds":  "20",
				"actions.sold":                  answer(404),
			},
			paths: []string{"/*/long", "/coats/*", "/hats/sold", "/shoes/*"},
			calls: []string{
				"elasticloadbalancing:DeleteListener", "elasticloadbalancing:RemoveListenerCertificates", "elasticloadbalancing:ModifyListener", "ec2:RevokeSecurityGroupIngress",
				"elasticloadbalancing:AddTags", "elasticloadbalancing:RemoveTags", "ec2:CreateTags", "ec2:DeleteTags",
				"elasticloadbalancing:SetSubnets", "elasticloadbalancing:ModifyListenerAttributes", "elasticloadbalancing:ModifyTargetGroup",
				"elasticloadbalancing:CreateRule", "elasticloadbalancing:SetRulePriorities", "acm:ListCertificates",
			},
		},
		{
			why: "one answer is changed", annotations: map[string]string{
				"listen-ports": onlyHTTPS, "certificate-arn": certificates[0], "subnets": strings.Join(subnets, ","), "actions.sold": answer(410),
			},
			paths: []string{"/*/long", "/coats/*", "/hats/sold", "/shoes/*"},
			calls: []string{"elasticloadbalancing:ModifyRule"},
		},
		{
			why: "a security group of the user's, and a certificate that is looked for", annotations: map[string]string{
				"listen-ports": onlyHTTPS, "security-groups": s.Simulator().World().NodeSecurityGroup, "subnets": strings.Join(subnets, ","),
			},
			paths: []string{"/*/long", "/coats/*"},
			calls: []string{
				"elasticloadbalancing:SetSecurityGroups", "elasticloadbalancing:DeleteRule", "ec2:DeleteSecurityGroup",
			},
		},
	}
}

// many are more names than a list of certificates shows.
func many() []string {
	const moreThanShown = 120
	out := make([]string, moreThanShown)
	for i := range out {
		out[i] = fmt.Sprintf("h%d.example.net", i)
	}
	return out
}

// answer is an action that answers with a status.
func answer(status int) string {
	return fmt.Sprintf(`{"type": "fixed-response", "fixedResponseConfig": {"statusCode": "%d"}}`, status)
}

// quoted is a value as a YAML scalar.
func quoted(value string) string { return "'" + strings.ReplaceAll(value, "'", "''") + "'" }
