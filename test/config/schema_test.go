package config_test

import (
	"cmp"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"
)

// object builds an object of the kind with the spec, which is written in YAML.
func object(t *testing.T, apiVersion, kind, spec string) *unstructured.Unstructured {
	t.Helper()
	o := &unstructured.Unstructured{Object: map[string]any{}}
	if err := yaml.Unmarshal([]byte("spec: "+spec), &o.Object); err != nil {
		t.Fatal(err)
	}
	o.SetAPIVersion(apiVersion)
	o.SetKind(kind)
	o.SetGenerateName("row-")
	if kind != "IngressClassParams" && kind != "LoadBalancer" && kind != "StackState" {
		o.SetNamespace("default")
	}
	return o
}

// Each row is one object in the incumbent's words. An empty refusal means that it is accepted.
func (c cluster) acceptsAndRefusesAsTheIncumbent(t *testing.T) {
	for _, row := range schemaRows() {
		for _, version := range row.versions {
			t.Run(row.kind+"/"+version+"/"+row.why, func(t *testing.T) {
				writer := client.WithFieldValidation(c.client, client.FieldValidation(cmp.Or(row.strictness, metav1.FieldValidationStrict)))
				err := writer.Create(t.Context(), object(t, version, row.kind, row.spec), client.DryRunAll)
				switch {
				case row.refusal == "" && err != nil:
					t.Errorf("refused: %v", err)
				case row.refusal != "" && err == nil:
					t.Errorf("accepted; want a refusal that says %q", row.refusal)
				case err != nil && !strings.Contains(err.Error(), row.refusal):
					t.Errorf("refused with %q, want it to say %q", err, row.refusal)
				}
			})
		}
	}
}

type schemaRow struct {
	kind     string
	versions []string
	why      string
	spec     string
	refusal  string
	// strictness about fields that the kind does not have: [lenient], or else strict.
	strictness string
}

const lenient = metav1.FieldValidationIgnore

func schemaRows() []schemaRow {
	var rows []schemaRow
	add := func(kind string, versions []string, more ...schemaRow) {
		for _, row := range more {
			row.kind, row.versions = kind, versions
			rows = append(rows, row)
		}
	}
	beta := []string{"elbv2.k8s.aws/v1beta1"}
	both := []string{"gateway.k8s.aws/v1", "gateway.k8s.aws/v1beta1"}
	add("IngressClassParams", beta, classParamsRows()...)
	add("TargetGroupBinding", beta, bindingRows()...)
	add("TargetGroupBinding", []string{"elbv2.k8s.aws/v1alpha1"}, oldBindingRows()...)
	add("LoadBalancerConfiguration", both, loadBalancerRows()...)
	add("TargetGroupConfiguration", both, targetGroupRows()...)
	add("ListenerRuleConfiguration", both, listenerRuleRows()...)
	return rows
}

// What the API server fills in, and what it keeps when the version of an object changes.
func (c cluster) fillsInDefaults(t *testing.T) {
	const auth = `{userPoolArn: a, userPoolClientId: b, userPoolDomain: c}`
	rows := []struct {
		why, version, kind, spec, as string
		path                         []string
		want                         any
	}{
		{"stickiness is off", "v1", "ListenerRuleConfiguration", `{actions: [{type: forward, forwardConfig: {}}]}`, "v1",
			[]string{"forwardConfig", "targetGroupStickinessConfig", "enabled"}, false},
		{"an hour of stickiness", "v1", "ListenerRuleConfiguration", `{actions: [{type: forward, forwardConfig: {}}]}`, "v1",
			[]string{"forwardConfig", "targetGroupStickinessConfig", "durationSeconds"}, int64(3600)},
		{"the query is kept", "v1", "ListenerRuleConfiguration", `{actions: [{type: redirect, redirectConfig: {}}]}`, "v1",
			[]string{"redirectConfig", "query"}, "#{query}"},
		{"plain text", "v1beta1", "ListenerRuleConfiguration", `{actions: [{type: fixed-response, fixedResponseConfig: {statusCode: 404}}]}`, "v1",
			[]string{"fixedResponseConfig", "contentType"}, "text/plain"},
		{"a week of session", "v1", "ListenerRuleConfiguration",
			`{actions: [{type: authenticate-cognito, authenticateCognitoConfig: ` + auth + `}]}`, "v1beta1",
			[]string{"authenticateCognitoConfig", "sessionTimeout"}, int64(604800)},
		{"users are asked to sign in", "v1", "ListenerRuleConfiguration",
			`{actions: [{type: authenticate-cognito, authenticateCognitoConfig: ` + auth + `}]}`, "v1",
			[]string{"authenticateCognitoConfig", "onUnauthenticatedRequest"}, "authenticate"},
	}
	for _, row := range rows {
		t.Run(row.why, func(t *testing.T) {
			created := object(t, "gateway.k8s.aws/"+row.version, row.kind, row.spec)
			read := c.createAndRead(t, created, "gateway.k8s.aws/"+row.as)
			actions, _, err := unstructured.NestedSlice(read.Object, "spec", "actions")
			if err != nil || len(actions) != 1 {
				t.Fatalf("actions = %v, %v", actions, err)
			}
			action, ok := actions[0].(map[string]any)
			if !ok {
				t.Fatalf("action = %v", actions[0])
			}
			got, _, err := unstructured.NestedFieldNoCopy(action, row.path...)
			if err != nil || got != row.want {
				t.Errorf("%s = %v, %v; want %v", strings.Join(row.path, "."), got, err, row.want)
			}
		})
	}
}

// Objects written for the first version live on as the stored one; what it never knew is dropped, not refused.
func (c cluster) readsOldBindings(t *testing.T) {
	old := object(t, "elbv2.k8s.aws/v1alpha1", "TargetGroupBinding",
		`{serviceRef: {name: a, port: http}, targetGroupARN: arn, targetType: ip, foo: bar}`)
	read := c.createAndRead(t, old, "elbv2.k8s.aws/v1beta1")
	got, _, err := unstructured.NestedMap(read.Object, "spec")
	if err != nil {
		t.Fatal(err)
	}
	if got["targetGroupARN"] != "arn" || got["targetType"] != "ip" || got["foo"] != nil {
		t.Errorf("spec = %v, want the known fields and no other", got)
	}
}

func (c cluster) createAndRead(t *testing.T, created *unstructured.Unstructured, as string) *unstructured.Unstructured {
	t.Helper()
	if err := c.client.Create(t.Context(), created); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.client.Delete(t.Context(), created); err != nil && t.Context().Err() == nil {
			t.Error(err)
		}
	})
	read := &unstructured.Unstructured{}
	read.SetAPIVersion(as)
	read.SetKind(created.GetKind())
	if err := c.client.Get(t.Context(), client.ObjectKeyFromObject(created), read); err != nil {
		t.Fatal(err)
	}
	return read
}

// kubectl get lb answers "what do I run, and is it well?".
func (c cluster) listsLoadBalancers(t *testing.T) {
	lb := object(t, "headgate.dev/v1alpha1", "LoadBalancer", `{approvedPlan: ""}`)
	if err := c.client.Create(t.Context(), lb); err != nil {
		t.Fatal(err)
	}
	lb.Object["status"] = map[string]any{
		"dnsName": "shop.elb.amazonaws.com", "state": "active",
		"summary": map[string]any{"listeners": "HTTP:80,HTTPS:443", "rules": "12/100", "healthy": "5/6"},
	}
	if err := c.client.Status().Update(t.Context(), lb); err != nil {
		t.Fatal(err)
	}
	table, err := c.run(t.Context(), "get", "lb")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"DNS", "STATE", "LISTENERS", "RULES", "HEALTHY", "AGE", "shop.elb.amazonaws.com", "active", "HTTP:80,HTTPS:443", "12/100", "5/6"} {
		if !strings.Contains(table, want) {
			t.Errorf("kubectl get lb does not show %q:\n%s", want, table)
		}
	}
}
