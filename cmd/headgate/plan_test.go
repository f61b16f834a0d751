package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const planClass = `apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata: {name: alb}
spec: {controller: ingress.k8s.aws/alb}
---
`

const planIngress = `apiVersion: v1
kind: Service
metadata: {namespace: shop, name: web}
spec: {ports: [{port: 80}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {namespace: shop, name: web}
spec:
  ingressClassName: alb
  rules: [{host: shop.example.com, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}]}}]
`

// execute runs the command and gives its output and exit code.
func execute(t *testing.T, args ...string) (string, int) {
	t.Helper()
	cmd := newPlanCommand()
	var out bytes.Buffer
	cmd.SetOut(&out)
	cmd.SetErr(&out)
	cmd.SetArgs(args)
	err := cmd.ExecuteContext(t.Context())
	var coded exitError
	switch {
	case err == nil:
		return out.String(), 0
	case errors.As(err, &coded):
		return out.String() + coded.Error(), coded.ExitCode()
	default:
		return out.String() + err.Error(), 1
	}
}

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestPlanOffline(t *testing.T) {
	in := write(t, "in.yaml", planClass+planIngress)
	facts := write(t, "facts.yaml", `
vpc: {id: vpc-1}
subnets:
- {id: subnet-1, zone: a, cidr: 10.0.0.0/24, freeAddresses: 99, tags: {kubernetes.io/role/internal-elb: "1"}}
- {id: subnet-2, zone: b, cidr: 10.0.1.0/24, freeAddresses: 99, tags: {kubernetes.io/role/internal-elb: "1"}}
`)
	one := write(t, "one.yaml", `
vpc: {id: vpc-1}
subnets:
- {id: subnet-1, zone: a, cidr: 10.0.0.0/24, freeAddresses: 99, tags: {kubernetes.io/role/internal-elb: "1"}}
`)
	other := write(t, "other.yaml", strings.ReplaceAll(planIngress, "name: web", "name: other"))
	for _, row := range []struct {
		why  string
		args []string
		code int
		want []string
	}{
		{"facts are assumed where none are given", []string{"-f", in, "--default-target-type", "ip"}, 2,
			[]string{"AWS is assumed", "not read: 1 of apps/v1 Deployment", "CreateLoadBalancer", "forward shop/web-web:80"}},
		{"facts tell the subnets", []string{"-f", in, "--facts", facts}, 2, []string{"subnets: subnet-1,subnet-2"}},
		{"the class that the installation brings", []string{"-f", write(t, "in.yaml", planIngress)}, 2,
			[]string{"IngressClass alb is taken to be the operator's", "CreateLoadBalancer"}},
		{"classes that are not there", []string{"-f", write(t, "in.yaml", `apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: a}
spec: {ingressClassName: nginx}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: b}
spec: {gatewayClassName: other, listeners: []}
`)}, 0, []string{"IngressClass nginx of Ingress default/a", "GatewayClass other of Gateway default/b"}},
		{"a Gateway of the class that everybody has", []string{"-f", write(t, "in.yaml", `apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: b}
spec: {gatewayClassName: alb, listeners: [{name: http, port: 80, protocol: HTTP}]}
`)}, 2, []string{"GatewayClass alb is taken to be the operator's", "CreateListener"}},
		{"a directory", []string{"-f", filepath.Dir(in)}, 2, []string{"CreateLoadBalancer"}},
		{"findings come with the plan", []string{"-f", in}, 2, []string{"TargetTypeInstance", "respond 503"}},
		{"nothing for us is nothing to do", []string{"-f", write(t, "in.yaml", planClass)}, 0, []string{"nothing to do"}},
		{"a document that is no object", []string{"-f", facts, "-f", in}, 1, []string{"no kind", "CreateLoadBalancer", "1 documents that cannot be read"}},
		{"a field that there is not", []string{"-f", write(t, "in.yaml", planClass+strings.ReplaceAll(planIngress, "rules:", "ruels: 1\n  rules:"))}, 1,
			[]string{"ruels", "CreateLoadBalancer"}},
		{"a mistake", []string{"-f", write(t, "in.yaml", planClass+strings.ReplaceAll(planIngress, "path: /,", "path: x,")), "-f", other}, 1,
			[]string{"Wrong Ingress shop/web", "CreateLoadBalancer", "1 mistakes"}},
		{"a stack that cannot be built", []string{"-f", in, "--facts", write(t, "facts.yaml", "vpc: {id: vpc-1}")}, 1,
			[]string{"blocked: ", "1 stacks that cannot be built"}},
		{"a file that is not there", []string{"-f", in + "x"}, 1, []string{"no such file"}},
		{"facts that have other fields", []string{"-f", in, "--facts", in}, 1, []string{"unknown field"}},
		{"nothing to read", nil, 1, []string{"-f DIR|FILE"}},
		{"two sources", []string{"-f", in, "--kubeconfig", in}, 1, []string{"exclude each other"}},
		{"a kubeconfig that is none", []string{"--kubeconfig", in, "--cluster-name", "c"}, 1, []string{"reading --kubeconfig"}},
		{"another name than the operator's would plan everything anew", []string{"--kubeconfig", in}, 1, []string{"--cluster-name is needed"}},
		{"flags are checked as the operator checks them", []string{"-f", in, "--default-target-type", "pod", "--default-load-balancer-scheme", "public"}, 1,
			[]string{`--default-target-type is "pod": use instance or ip`, "use internal or internet-facing"}},
		{"a gate of the operator's", []string{"-f", write(t, "in.yaml", planClass+strings.ReplaceAll(planIngress, "name: web}\nspec",
			"name: web, annotations: {alb.ingress.kubernetes.io/create-acm-cert: 'true', alb.ingress.kubernetes.io/listen-ports: '[{\"HTTPS\":443}]'}}\nspec")),
			"--feature-gates", "EnableCertificateManagement=true"}, 2, []string{"RequestCertificate"}},
		{"one subnet, where the operator takes one", []string{"-f", in, "--facts", one, "--feature-gates=ALBSingleSubnet=true"}, 2, []string{"subnets: subnet-1"}},
		{"a flag of the operator's that is written without a value", []string{"-f", in, "--facts", facts, "--disable-ingress-class-annotation"}, 2, nil},
		{"what is not there, where the operator demands it", []string{"-f", write(t, "in.yaml", planClass+strings.ReplaceAll(planIngress, "service: {name: web", "service: {name: gone")),
			"--tolerate-non-existent-backend-service=false"}, 1, []string{"Wrong Ingress shop/web"}},
		{"a gate that there is not", []string{"-f", in, "--feature-gates", "Telepathy=true"}, 1, []string{`"Telepathy" is not known`}},
		{"a label that is none", []string{"-f", in, "--required-secrets-label", "x"}, 1, []string{"--required-secrets-label"}},
		{"a directory without manifests", []string{"-f", t.TempDir()}, 1, []string{"no manifest found in "}},
		{"an output that there is not", []string{"-f", in, "-o", "xml"}, 1, []string{"none of text, json, yaml"}},
		{"YAML", []string{"-f", in, "-o", "yaml"}, 2, []string{"assumed: true", "op: CreateLoadBalancer"}},
	} {
		t.Run(row.why, func(t *testing.T) {
			out, code := execute(t, row.args...)
			if code != row.code {
				t.Errorf("exit code %d, want %d", code, row.code)
			}
			for _, want := range row.want {
				if !strings.Contains(out, want) {
					t.Errorf("the output lacks %q:\n%s", want, out)
				}
			}
		})
	}
}

// What the help shows as an example works as it stands, and every backend of it is served.
func TestPlanOfTheShop(t *testing.T) {
	examples := filepath.Join("..", "..", "examples")
	out, code := execute(t, "-f", filepath.Join(examples, "shop"))
	if code != exitChanges || strings.Contains(out, "503") || strings.Contains(out, "Warning") {
		t.Errorf("exit code %d:\n%s", code, out)
	}
	if out, code := execute(t, "-f", filepath.Join(examples, "shop"), "-f", filepath.Join(examples, "broken")); code != exitFailed {
		t.Errorf("the broken Ingress gives exit code %d:\n%s", code, out)
	}
}

// Whoever is told that nodes are no targets yet is told which field to set: a route has none.
func TestPlanSaysHowToTargetPods(t *testing.T) {
	route := `apiVersion: v1
kind: Service
metadata: {name: web}
spec: {ports: [{port: 80}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: alb}
spec: {controllerName: gateway.k8s.aws/alb}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: web}
spec: {gatewayClassName: alb, listeners: [{name: http, protocol: HTTP, port: 80}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: web}
spec: {parentRefs: [{name: web}], rules: [{backendRefs: [{name: web, port: 80}]}]}
`
	for _, row := range []struct {
		why, in, want, never string
	}{
		{"an Ingress has an annotation", planClass + planIngress, "annotation alb.ingress.kubernetes.io/target-type to ip", "TargetGroupConfiguration"},
		{"a route has a TargetGroupConfiguration", route, "spec.defaultConfiguration.targetType to ip in a TargetGroupConfiguration for Service web", "HTTPRoute default/web targetType"},
	} {
		out, _ := execute(t, "-f", write(t, "in.yaml", row.in))
		if !strings.Contains(out, row.want) || !strings.Contains(out, "--default-target-type=ip") || strings.Contains(out, row.never) {
			t.Errorf("%s:\n%s", row.why, out)
		}
	}
}

// The examples of the reference are read as they stand there.
func TestPlanFromTheReference(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "reference", "plan.md"))
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllSubmatch(page, -1)
	if len(blocks) != 2 {
		t.Fatalf("the reference has %d examples, want facts and what is observed", len(blocks))
	}
	example := filepath.Join("..", "..", "examples", "facts.yaml")
	facts, err := os.ReadFile(example)
	if err != nil || string(facts) != string(blocks[0][1]) {
		t.Errorf("%s is not the facts of the reference (%v)", example, err)
	}
	shop := filepath.Join("..", "..", "examples", "shop")
	if out, code := execute(t, "-f", shop, "--facts", example); code != exitChanges || !strings.Contains(out, "subnets: subnet-0a1,subnet-0b1") || strings.Contains(out, "assumed") {
		t.Errorf("exit code %d for the shop:\n%s", code, out)
	}
	samples := filepath.Join("..", "..", "config", "samples")
	out, code := execute(t, "-f", filepath.Join(samples, "ingress.yaml"), "-f", filepath.Join(samples, "backend.yaml"), "--facts", example,
		"--observed", write(t, "observed.yaml", string(blocks[1][1])))
	if code != 0 || !strings.Contains(out, "nothing to do") {
		t.Errorf("exit code %d for the sample that is observed:\n%s", code, out)
	}
}

func TestPlanAsJSON(t *testing.T) {
	out, _ := execute(t, "-f", write(t, "in.yaml", planClass+planIngress), "-o", "json")
	var got planned
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		t.Fatal(err)
	}
	if len(got.Stacks) != 1 || got.Stacks[0].Owner.Stack != "shop/web" || len(got.Stacks[0].Plan.Changes) == 0 {
		t.Errorf("the JSON reads as %+v", got)
	}
}

// The stacks that a plan leads to are the observed ones of the next plan, which is empty then.
func TestPlanFromObserved(t *testing.T) {
	dir := filepath.Join("..", "..", "test", "golden", "ingress", "takeover-names")
	args := []string{
		"-f", filepath.Join(dir, "in.yaml"), "--facts", filepath.Join(dir, "facts.yaml"), "--observed", filepath.Join(dir, "observed.yaml"),
		"--cluster-name", "demo", "--default-target-type", "ip",
	}
	if out, code := execute(t, args...); code != 0 || !strings.Contains(out, "nothing to do") {
		t.Errorf("exit code %d:\n%s", code, out)
	}
}
