package preview_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/headgate/headgate/controllers/gateway"
	"github.com/headgate/headgate/controllers/ingress"
	"github.com/headgate/headgate/controllers/manifests"
	"github.com/headgate/headgate/controllers/preview"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/plan"
)

const objects = `
apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata: {name: alb}
spec: {controller: ingress.k8s.aws/alb}
---
apiVersion: v1
kind: Service
metadata: {namespace: shop, name: web}
spec: {ports: [{port: 80}]}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  namespace: shop
  name: web
  annotations:
    alb.ingress.kubernetes.io/security-groups: mine
    alb.ingress.kubernetes.io/subnets: left, right
    alb.ingress.kubernetes.io/listen-ports: '[{"HTTPS":443}]'
spec:
  ingressClassName: alb
  rules: [{host: shop.example.com, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}]}}]
`

func settings() preview.Settings {
	return preview.Settings{
		Ingress: ingress.Settings{ClusterName: "c", DefaultTargetType: "ip", BackendSecurityGroup: true},
		Gateway: gateway.Settings{ClusterName: "c", DefaultTargetType: "ip", DefaultScheme: "internal", BackendSecurityGroup: true},
	}
}

func source(t *testing.T, text string) preview.Source {
	t.Helper()
	set, err := manifests.New()
	if err != nil {
		t.Fatal(err)
	}
	set.Add("in.yaml", []byte(text))
	scheme, err := manifests.Scheme()
	if err != nil {
		t.Fatal(err)
	}
	return preview.Source{Reader: set, Scheme: scheme}
}

func TestAssumedFactsSuffice(t *testing.T) {
	from := source(t, objects)
	requests, err := preview.Requests(t.Context(), from.Reader, settings())
	if err != nil {
		t.Fatal(err)
	}
	stacks, err := preview.Run(t.Context(), from, preview.NewAccount(preview.Assume(requests)), settings())
	if err != nil {
		t.Fatal(err)
	}
	text := preview.Text(stacks)
	for _, want := range []string{"subnets: left,right", "CreateListener", "protocol: HTTPS", "host shop.example.com"} {
		if !strings.Contains(text, want) {
			t.Errorf("the plan lacks %q:\n%s", want, text)
		}
	}
	if strings.Contains(text, "!") || !preview.Changes(stacks) {
		t.Errorf("everything that is looked for is there, so there is nothing to find:\n%s", text)
	}
}

func TestNothingForUs(t *testing.T) {
	stacks, err := preview.Run(t.Context(), source(t, ""), preview.NewAccount(model.Facts{}), settings())
	if err != nil || preview.Changes(stacks) {
		t.Fatalf("%v %v", stacks, err)
	}
	if text := preview.Text(stacks); !strings.Contains(text, "nothing to do") {
		t.Errorf("the text says %q", text)
	}
}

func TestBlocked(t *testing.T) {
	stacks, err := preview.Run(t.Context(), source(t, strings.ReplaceAll(objects, "left, right", "left")), preview.NewAccount(model.Facts{}), settings())
	if err != nil {
		t.Fatal(err)
	}
	if text := preview.Text(stacks); !strings.Contains(text, "blocked:") || preview.Changes(stacks) {
		t.Errorf("a VPC without subnets takes no load balancer:\n%s", text)
	}
}

// watched counts what reaches the cloud behind an onlooker.
type watched struct {
	*preview.Account

	applied int
}

func (w *watched) Apply(ctx context.Context, p plan.Plan) (model.Outputs, error) {
	w.applied++
	return w.Account.Apply(ctx, p)
}

// partly fails for one stack.
type partly struct {
	*preview.Account

	fails model.Owner
}

func (p partly) Facts(ctx context.Context, need model.Needs) (model.Facts, error) {
	if need.Owner == p.fails {
		return model.Facts{}, errors.New("AWS does not answer")
	}
	return p.Account.Facts(ctx, need)
}

func TestStackThatFailsHidesNoOther(t *testing.T) {
	from := source(t, objects+"---\n"+strings.ReplaceAll(objects, "name: web\n", "name: also\n"))
	requests, err := preview.Requests(t.Context(), from.Reader, settings())
	if err != nil || len(requests) < 2 {
		t.Fatalf("%d requests (%v), want several", len(requests), err)
	}
	cloud := partly{Account: preview.NewAccount(preview.Assume(requests)), fails: requests[0].Intent.Owner}
	stacks, err := preview.Run(t.Context(), from, cloud, settings())
	if err == nil || !strings.Contains(err.Error(), requests[0].Intent.Owner.String()) {
		t.Errorf("got %v, want an error that names the stack", err)
	}
	if len(stacks) != len(requests) || stacks[0].Error == "" || stacks[1].Error != "" || stacks[1].Plan.Empty() {
		t.Errorf("got %+v, want all stacks", stacks)
	}
	if text := preview.Text(stacks); !strings.Contains(text, "failed: ") || !strings.Contains(text, "CreateLoadBalancer") {
		t.Errorf("the text hides what failed, or what did not:\n%s", text)
	}
}

func TestOnlookerWritesNothing(t *testing.T) {
	from := source(t, objects)
	requests, err := preview.Requests(t.Context(), from.Reader, settings())
	if err != nil {
		t.Fatal(err)
	}
	facts := preview.Assume(requests)
	facts.BackendSecurityGroup = ""
	cloud := &watched{Account: preview.NewAccount(facts)}
	stacks, err := preview.Run(t.Context(), from, preview.Onlooker{Cloud: cloud}, settings())
	if err != nil || !preview.Changes(stacks) {
		t.Fatalf("%v %v", stacks, err)
	}
	if cloud.applied != 0 {
		t.Errorf("%d plans were applied", cloud.applied)
	}
}

func TestAccountMakesTheSharedGroupOnce(t *testing.T) {
	from := source(t, objects)
	requests, err := preview.Requests(t.Context(), from.Reader, settings())
	if err != nil {
		t.Fatal(err)
	}
	facts := preview.Assume(requests)
	facts.BackendSecurityGroup = ""
	account := preview.NewAccount(facts)
	for range 2 {
		if _, err := preview.Run(t.Context(), from, account, settings()); err != nil {
			t.Fatal(err)
		}
	}
	n := 0
	for _, c := range account.Changes {
		if c.Op == plan.CreateSecurityGroup && c.Key.ID == model.ResourceBackendSecurityGroup {
			n++
		}
	}
	if n != 1 {
		t.Errorf("the shared group was made %d times", n)
	}
}
