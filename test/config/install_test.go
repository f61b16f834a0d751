package config_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

const namespace = "headgate-system"

func (c cluster) runsTwoReplicasThatCannotHurt(t *testing.T) {
	var deployment appsv1.Deployment
	key := client.ObjectKey{Namespace: namespace, Name: "headgate-controller"}
	if err := c.client.Get(t.Context(), key, &deployment); err != nil {
		t.Fatal(err)
	}
	if deployment.Spec.Replicas == nil || *deployment.Spec.Replicas != 2 {
		t.Errorf("replicas = %v, want 2: one leads, one waits", deployment.Spec.Replicas)
	}
	pod := deployment.Spec.Template.Spec
	container := pod.Containers[0]
	if pod.SecurityContext.RunAsNonRoot == nil || !*pod.SecurityContext.RunAsNonRoot {
		t.Error("the pod may run as root")
	}
	if s := container.SecurityContext; s == nil || !*s.ReadOnlyRootFilesystem || *s.AllowPrivilegeEscalation {
		t.Error("the container may write its files or gain privileges")
	}
	if strings.Contains(strings.SplitN(container.Image, ":", 2)[0], "/") {
		t.Errorf("image %q names a registry: that is the administrator's choice", container.Image)
	}
	var service corev1.Service
	if err := c.client.Get(t.Context(), client.ObjectKey{Namespace: namespace, Name: "headgate-controller-metrics"}, &service); err != nil {
		t.Fatal(err)
	}
	got := service.Spec.Ports[0].TargetPort.StrVal
	if !slices.ContainsFunc(container.Ports, func(p corev1.ContainerPort) bool { return p.Name == got }) {
		t.Errorf("the metrics Service leads to port %q, which the container does not have", got)
	}
}

// What the service account may do, asked of the API server itself.
func (c cluster) grantsWhatIsNeededAndNoMore(t *testing.T) {
	const lease = "aws-load-balancer-controller-leader"
	yes, no := true, false
	rows := []struct {
		why, verb, group, resource, namespace, name string
		want                                        bool
	}{
		{"finalizers of Ingresses", "patch", "networking.k8s.io", "ingresses", "shop", "a", yes},
		{"status of Ingresses", "patch", "networking.k8s.io", "ingresses/status", "shop", "a", yes},
		{"Ingresses are people's", "delete", "networking.k8s.io", "ingresses", "shop", "a", no},
		{"status of routes", "patch", "gateway.networking.k8s.io", "httproutes/status", "shop", "a", yes},
		{"routes are people's", "patch", "gateway.networking.k8s.io", "httproutes", "shop", "a", no},
		{"bindings are ours", "create", "elbv2.k8s.aws", "targetgroupbindings", "shop", "", yes},
		{"what it remembers", "patch", "headgate.dev", "stackstates", "", "a", yes},
		{"it replaces no object", "update", "headgate.dev", "stackstates", "", "a", no},
		{"the lease of the incumbent", "update", "coordination.k8s.io", "leases", "kube-system", lease, yes},
		{"which it may make", "create", "coordination.k8s.io", "leases", "kube-system", "", yes},
		{"and read", "get", "coordination.k8s.io", "leases", "kube-system", lease, yes},
		{"leases of others", "update", "coordination.k8s.io", "leases", "kube-system", "kube-scheduler", no},
		{"events in words", "create", "events.k8s.io", "events", "shop", "", yes},
		{"Secrets that somebody names", "get", "", "secrets", "shop", "a", yes},
		{"and their renewal", "watch", "", "secrets", "shop", "a", yes},
		{"it looks for no Secrets", "list", "", "secrets", "", "", no},
		{"and writes none", "patch", "", "secrets", "shop", "a", no},
		{"it gives no rights", "create", "rbac.authorization.k8s.io", "clusterrolebindings", "", "", no},
		{"it touches no pod", "patch", "", "pods", "shop", "a", no},
		{"but opens its readiness gates", "patch", "", "pods/status", "shop", "a", yes},
		{"records of shared target groups", "create", "", "configmaps", "shop", "", yes},
		{"it looks for no ConfigMaps", "list", "", "configmaps", "", "", no},
		{"its own webhook", "patch", "admissionregistration.k8s.io", "mutatingwebhookconfigurations", "", "headgate-webhook", yes},
		{"which it reads first", "get", "admissionregistration.k8s.io", "mutatingwebhookconfigurations", "", "headgate-webhook", yes},
		{"no other webhook", "patch", "admissionregistration.k8s.io", "mutatingwebhookconfigurations", "", "other", no},
		{"how the target optimizer's agent runs", "get", "elbv2.k8s.aws", "albtargetcontrolconfigs", "shop", "a", yes},
	}
	for _, row := range rows {
		t.Run(row.why, func(t *testing.T) {
			resource, subresource, _ := strings.Cut(row.resource, "/")
			review := &authorizationv1.SubjectAccessReview{Spec: authorizationv1.SubjectAccessReviewSpec{
				User:   "system:serviceaccount:" + namespace + ":headgate-controller",
				Groups: []string{"system:serviceaccounts", "system:authenticated"},
				ResourceAttributes: &authorizationv1.ResourceAttributes{
					Verb: row.verb, Group: row.group, Resource: resource, Subresource: subresource,
					Namespace: row.namespace, Name: row.name,
				},
			}}
			if err := c.client.Create(t.Context(), review); err != nil {
				t.Fatal(err)
			}
			if review.Status.Allowed != row.want {
				t.Errorf("%s %s.%s: allowed = %v, want %v", row.verb, row.resource, row.group, review.Status.Allowed, row.want)
			}
		})
	}
}

// A strict server refuses every field that the kinds do not have.
func (c cluster) acceptsSamples(t *testing.T) {
	if _, err := c.run(t.Context(), "apply", "--server-side", "--validate=strict", "--dry-run=server",
		"--recursive", "-f", filepath.Join(root, "config", "samples")); err != nil {
		t.Error(err)
	}
}

// document is an IAM policy, as far as the test reads it.
type document struct {
	Statement []struct {
		Sid       string                    `json:"Sid"`
		Action    []string                  `json:"Action"`
		Resource  any                       `json:"Resource"`
		Condition map[string]map[string]any `json:"Condition"`
	} `json:"Statement"`
}

// Deleting, and changing what is shared by name only, is bound to the ownership tag.
func TestPolicyGrantsNoDeletionOfWhatIsNotOurs(t *testing.T) {
	content, err := os.ReadFile(filepath.Join(root, "config", "iam", "policy.json"))
	if err != nil {
		t.Fatal(err)
	}
	var policy document
	if err := json.Unmarshal(content, &policy); err != nil {
		t.Fatal(err)
	}
	bound := []string{"DeleteLoadBalancer", "DeleteTargetGroup", "DeleteSecurityGroup", "ModifyLoadBalancerAttributes", "SetSubnets", "SetSecurityGroups"}
	seen := map[string]bool{}
	for _, statement := range policy.Statement {
		for _, action := range statement.Action {
			if strings.Contains(action, "*") {
				t.Errorf("statement %s grants %s: name each action", statement.Sid, action)
			}
			_, name, _ := strings.Cut(action, ":")
			if !slices.Contains(bound, name) {
				continue
			}
			seen[name] = true
			if got := fmt.Sprint(statement.Condition["Null"]["aws:ResourceTag/elbv2.k8s.aws/cluster"]); got != "false" {
				t.Errorf("statement %s grants %s on what does not carry the cluster's tag", statement.Sid, action)
			}
		}
	}
	for _, name := range bound {
		if !seen[name] {
			t.Errorf("the policy does not grant %s, which the operator calls", name)
		}
	}
}
