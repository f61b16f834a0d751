package main

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"testing"

	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/headgate/headgate/cloud/sim"
	"github.com/headgate/headgate/sandbox/binaries"
	"github.com/headgate/headgate/sandbox/cluster"
	"github.com/headgate/headgate/sandbox/selfsigned"
	"github.com/headgate/headgate/test/incumbent"
)

// switchable is an Ingress that names a TLS Secret and no ports: the incumbent serves it on port 80, and the Secret not at all.
const switchable = `apiVersion: v1
kind: Service
metadata: {namespace: shop, name: tls}
spec: {ports: [{port: 80}]}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {namespace: shop, name: tls, finalizers: [ingress.k8s.aws/resources]}
spec:
  ingressClassName: alb
  tls: [{hosts: [tls.example.com], secretName: tls}]
  rules: [{host: tls.example.com, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: tls, port: {number: 80}}}}]}}]
`

// switchPlan is what a switch would change of both: nothing of the first, and HTTPS for the second.
const switchPlan = `ingress.k8s.aws:shop/tls
  3 to create, 1 to update, 0 to delete (4 calls)
  ~ SecurityGroup/ManagedLBSecurityGroup
      AuthorizeSecurityGroupIngress
          ingress: tcp 443 from 0.0.0.0/0
  + Certificate/imported/shop/tls
      ImportCertificate
          names: tls.example.com
          secret: shop/tls
  + Listener/443
      CreateListener
          protocol: HTTPS
          default: respond 404
  + Rule/443:033f8b521c
      CreateRule
          match: host tls.example.com, path /*
          answer: forward shop/tls-tls:80

ingress.k8s.aws:shop/web
  nothing to do
`

// TestPlanBeforeASwitch plans for a cluster of the incumbent's, which knows no kind of ours: nothing for what stays as it is, and what a
// switch would change.
func TestPlanBeforeASwitch(t *testing.T) {
	awayFromAWS(t)
	s, err := sim.New(sim.Options{ClusterName: "old", Provisioning: -1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	kubeconfig, server := incumbentCluster(t, planClass+planIngress+"---\n"+switchable)
	account := incumbent.New(s.AWSConfig(), server, incumbent.Account{Cluster: "old", VPC: s.World().VPC, Nodes: s.World().NodeSecurityGroup})
	for _, name := range []string{"web", "tls"} {
		if err := account.Make(t.Context(), madeFor(t, server, name, map[string]string{"web": "shop.example.com", "tls": "tls.example.com"}[name], s.World())); err != nil {
			t.Fatal(err)
		}
	}
	s.ResetCalls()
	out, code := execute(t, "--kubeconfig", kubeconfig, "--cluster-name", "old", "--aws-region", "us-west-2", "--aws-vpc-id", s.World().VPC,
		"--default-target-type", "ip", "--aws-api-endpoints", "elasticloadbalancing="+s.URL()+",ec2="+s.URL()+",acm="+s.URL())
	if code != exitChanges {
		t.Errorf("exit code %d, want %d", code, exitChanges)
	}
	if diff := cmp.Diff(switchPlan, out); diff != "" {
		t.Errorf("the plan (-want +got):\n%s", diff)
	}
	if slices.ContainsFunc(s.Calls().Calls, func(c sim.Count) bool { return c.Kind != "read" }) {
		t.Errorf("a plan writes nothing, but the calls are %+v", s.Calls().Calls)
	}
}

// incumbentCluster is an API server with the incumbent's kinds, that holds manifests and a Secret with a certificate.
func incumbentCluster(t *testing.T, text string) (kubeconfig string, server client.Client) {
	t.Helper()
	programs, err := binaries.Ensure(t.Context(), os.Stderr)
	if err != nil {
		t.Fatal(err)
	}
	root, err := binaries.Root()
	if err != nil {
		t.Fatal(err)
	}
	c, err := cluster.Start(t.Context(), cluster.Options{Binaries: programs, CRDs: []string{
		filepath.Join(root, "config", "crd", "elbv2.k8s.aws_ingressclassparams.yaml"),
		filepath.Join(root, "config", "crd", "elbv2.k8s.aws_targetgroupbindings.yaml"),
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Stop(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	made, err := selfsigned.New("tls.example.com")
	if err != nil {
		t.Fatal(err)
	}
	server = createAll(t, c, "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n---\n"+text)
	secret := &corev1.Secret{Type: corev1.SecretTypeTLS, Data: map[string][]byte{"tls.crt": made.Cert, "tls.key": made.Key}}
	secret.Namespace, secret.Name = "shop", "tls"
	if err := server.Create(t.Context(), secret); err != nil {
		t.Fatal(err)
	}
	return c.Kubeconfig(), server
}

// madeFor is what the incumbent makes of an Ingress with one path, whose Service has its name.
func madeFor(t *testing.T, server client.Client, name, host string, w sim.World) *incumbent.Stack {
	t.Helper()
	var service corev1.Service
	if err := server.Get(t.Context(), client.ObjectKey{Namespace: "shop", Name: name}, &service); err != nil {
		t.Fatal(err)
	}
	group := incumbent.TargetGroup{
		ID: "shop/" + name + "-" + name + ":80", Key: "shop" + name, Namespace: "shop", Service: name, UID: string(service.UID),
		Port: intstr.FromInt32(80), TargetPort: intstr.FromInt32(80), TargetType: elbtypes.TargetTypeEnumIp,
		Protocol: elbtypes.ProtocolEnumHttp, Version: "HTTP1", Health: incumbent.Checked(),
	}
	return &incumbent.Stack{
		Prefix: incumbent.PrefixIngress, Namespace: "shop", Name: name, Groups: []incumbent.TargetGroup{group},
		Balancer: incumbent.Balancer{Scheme: elbtypes.LoadBalancerSchemeEnumInternal, Subnets: w.PrivateSubnets},
		Listeners: []incumbent.Listener{{
			Port: 80, Protocol: elbtypes.ProtocolEnumHttp, Default: []elbtypes.Action{incumbent.Fixed("404", "")}, Rules: []incumbent.Rule{{
				Conditions: []elbtypes.RuleCondition{incumbent.Host(host), incumbent.Path("/*")}, Actions: []elbtypes.Action{incumbent.Forward(group.ID)},
			}},
		}},
	}
}
