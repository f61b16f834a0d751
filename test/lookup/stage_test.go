package lookup

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/runtime"
	kube "sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/headgate/headgate/cloud"
	"github.com/headgate/headgate/cloud/sim"
	"github.com/headgate/headgate/controllers/ingress"
	"github.com/headgate/headgate/controllers/manifests"
	"github.com/headgate/headgate/controllers/preview"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/sandbox/selfsigned"
	"github.com/headgate/headgate/test/world"

	headgatev1alpha1 "github.com/headgate/headgate/apis/headgate/v1alpha1"
)

const cluster = "lookup"

var errBusy = errors.New("there is always something left to do")

func TestMain(m *testing.M) {
	if err := world.Environment(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// stage is an account with an operator that remembers what it did.
type stage struct {
	t           *testing.T
	cloud       *cloud.Client
	certificate string
	states      map[string][]byte
}

func newStage(t *testing.T) *stage {
	t.Helper()
	account, err := sim.New(sim.Options{ClusterName: cluster, Provisioning: -1, Speed: 1000})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = account.Close() })
	config := account.AWSConfig()
	s := &stage{t: t, states: map[string][]byte{}}
	if s.cloud, err = cloud.New(t.Context(), cloud.Options{
		Cluster: cluster, VPC: account.World().VPC, AWSConfig: &config,
		Secrets: func(context.Context, model.SecretRef) (map[string][]byte, error) { return nil, nil },
	}); err != nil {
		t.Fatal(err)
	}
	made, err := selfsigned.New("example.com", "*.example.com")
	if err != nil {
		t.Fatal(err)
	}
	if s.certificate, err = made.Import(t.Context(), config); err != nil {
		t.Fatal(err)
	}
	return s
}

// member is an Ingress of the group, with one path to a port of the Service.
func member(name, path, port string, settings []string) string {
	var out strings.Builder
	fmt.Fprintf(&out, "---\napiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata:\n  namespace: shop\n  name: %s\n  uid: uid-%s\n"+
		"  finalizers: [group.ingress.k8s.aws/g]\n  annotations:\n    alb.ingress.kubernetes.io/group.name: g\n", name, name)
	port = "number: " + port
	if strings.HasSuffix(port, "annotation") {
		port = "name: use-annotation"
	}
	for _, s := range settings {
		key, value, _ := strings.Cut(s, ": ")
		fmt.Fprintf(&out, "    alb.ingress.kubernetes.io/%s: '%s'\n", key, value)
	}
	fmt.Fprintf(&out, "spec:\n  ingressClassName: alb\n  rules:\n  - host: %s.example.com\n    http:\n      paths:\n"+
		"      - {path: %s, pathType: Exact, backend: {service: {name: web, port: {%s}}}}\n", name, path, port)
	return out.String()
}

const common = `{apiVersion: networking.k8s.io/v1, kind: IngressClass, metadata: {name: alb}, spec: {controller: ingress.k8s.aws/alb}}
---
{apiVersion: v1, kind: Service, metadata: {namespace: shop, name: web, uid: uid-web}, spec: {selector: {app: web}, ports: [{port: 80}]}}
`

// source reads manifests, with what the operator remembers.
func (s *stage) source(text string) preview.Source {
	s.t.Helper()
	set, err := manifests.New()
	if err != nil {
		s.t.Fatal(err)
	}
	set.Add("common", []byte(common))
	set.Add("members", []byte(text))
	for name, state := range s.states {
		set.Add(name, state)
	}
	for _, p := range set.Problems {
		s.t.Fatal(p)
	}
	return preview.Source{Reader: set, Scheme: set.Scheme(), Wrote: s.remember, Hold: -1}
}

func (s *stage) remember(object kube.Object) {
	if _, ok := object.(*headgatev1alpha1.StackState); !ok {
		return
	}
	fields, err := runtime.DefaultUnstructuredConverter.ToUnstructured(object)
	if err != nil {
		s.t.Fatal(err)
	}
	fields["apiVersion"], fields["kind"] = headgatev1alpha1.GroupVersion().String(), "StackState"
	if s.states[object.GetName()], err = json.Marshal(fields); err != nil {
		s.t.Fatal(err)
	}
}

// apply runs the operator's loop until nothing is left to do, or something fails, and gives what it found.
func (s *stage) apply(text string) ([]model.Finding, error) {
	s.t.Helper()
	set := preview.Settings{Ingress: ingress.Settings{
		ClusterName: cluster, DefaultTargetType: "ip", BackendSecurityGroup: true, CertificateManagement: true,
	}}
	var findings []model.Finding
	for range 20 {
		stacks, err := preview.Run(s.t.Context(), s.source(text), s.cloud, set)
		findings = nil
		idle := true
		for _, one := range stacks {
			findings = append(findings, one.Findings...)
			idle = idle && one.Plan.Empty() && !one.More
			if one.Blocked != "" {
				return findings, fmt.Errorf("%s is not built: %s", one.Owner, one.Blocked)
			}
		}
		if idle || err != nil {
			return findings, err
		}
	}
	return findings, errBusy
}

// paths that rules of the group answer, sorted by their order.
func (s *stage) paths() []string {
	s.t.Helper()
	s.cloud.Forget(owner())
	seen, err := s.cloud.Observe(s.t.Context(), owner(), nil)
	if err != nil {
		s.t.Fatal(err)
	}
	var out []string
	for _, l := range seen.Listeners {
		for _, r := range l.Rules {
			for _, c := range r.Conditions {
				if c.Field == model.FieldPath && r.Actions[len(r.Actions)-1].Type == model.ActionForward {
					out = append(out, fmt.Sprint(l.Port, c.Values))
				}
			}
		}
	}
	return out
}

func owner() model.Owner { return ingress.Explicit("g").Owner(cluster) }
