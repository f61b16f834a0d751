package world

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/headgate/headgate/cloud"
	"github.com/headgate/headgate/cloud/sim"
	"github.com/headgate/headgate/cmd/headgate-controller/wire"
	"github.com/headgate/headgate/model"
)

// Run is one account with one operator and one namespace.
type Run struct {
	World *World
	// Name is the namespace and the cluster's name.
	Name string
	Sim  *sim.Simulator

	test   *testing.T
	cancel context.CancelFunc
	done   chan error
}

// NewRun makes a namespace and an account. Labels go to the namespace.
func (w *World) NewRun(t *testing.T, name string, labels map[string]string) *Run {
	t.Helper()
	s, err := sim.New(sim.Options{ClusterName: name, Speed: Speed})
	if err != nil {
		t.Fatalf("starting the simulator: %v", err)
	}
	t.Cleanup(func() { _ = s.Close() })
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: labels}}
	if err := w.Client.Create(t.Context(), namespace); err != nil {
		t.Fatalf("creating namespace %s: %v", name, err)
	}
	r := &Run{World: w, Name: name, Sim: s, test: t}
	t.Cleanup(func() { r.Stop() })
	return r
}

// region of the accounts.
const region = "us-west-2"

// endpoints of the services that the operator calls.
func (r *Run) endpoints() map[string]string {
	out := map[string]string{}
	for _, service := range []string{"elasticloadbalancing", "ec2", "acm", "wafv2", "wafregional", "shield"} {
		out[service] = r.Sim.URL()
	}
	return out
}

// Speed of the simulators: provisioning and draining take next to no time.
const Speed = 2000

// Settings are those of the run's operator.
func (r *Run) Settings(transport http.RoundTripper) wire.Settings {
	return wire.Settings{
		Config: r.World.Config(), Cluster: r.Name, Region: region, VPC: r.Sim.World().VPC, Endpoints: r.endpoints(),
		MaxRetries: 2, Transport: transport, IngressClass: "alb", TargetType: "ip", Scheme: "internal",
		SSLPolicy: "ELBSecurityPolicy-2016-08", MetricsAddr: "0", HealthAddr: "0", WatchNamespace: r.Name,
		SyncPeriod: time.Hour, SweepDelay: time.Hour, BackendGroup: true, FailOpen: true, TargetHold: -1,
		WAF: true, WAFv2: true, Shield: true, Capacity: true, IngressWorkers: 4, GatewayWorkers: 4,
		BreakerPercent: 100, // tests delete what they made at once
	}
}

// Start runs the operator in this process, with transport for its AWS calls.
func (r *Run) Start(transport http.RoundTripper) {
	r.test.Helper()
	r.run(r.Settings(transport))
}

// StartAs runs the operator with settings of the test's own.
func (r *Run) StartAs(settings wire.Settings) {
	r.test.Helper()
	r.run(settings)
}

func (r *Run) run(settings wire.Settings) {
	ctx, cancel := context.WithCancel(context.Background())
	r.cancel, r.done = cancel, make(chan error, 1)
	go func() { r.done <- wire.Run(ctx, settings) }()
}

// Stop ends the operator and waits for it.
func (r *Run) Stop() {
	r.test.Helper()
	if err := r.end(); err != nil {
		r.test.Errorf("the operator ended with: %v", err)
	}
}

// Kill ends an operator that was cut off: what it says does not count.
func (r *Run) Kill() { _ = r.end() }

func (r *Run) end() error {
	if r.cancel == nil {
		return nil
	}
	r.cancel()
	r.cancel = nil
	return <-r.done
}

// Objects reads manifests, and moves everything that has a namespace into the run's own.
func (r *Run) Objects(files ...string) []*unstructured.Unstructured {
	r.test.Helper()
	var out []*unstructured.Unstructured
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			r.test.Fatalf("reading manifests: %v", err)
		}
		for document := range strings.SplitSeq(string(data), "\n---") {
			o := &unstructured.Unstructured{}
			if err := yaml.Unmarshal([]byte(document), &o.Object); err != nil {
				r.test.Fatalf("parsing %s: %v", file, err)
			}
			if len(o.Object) == 0 || slices.Contains([]string{"Namespace", "Deployment"}, o.GetKind()) {
				continue
			}
			r.adopt(o)
			out = append(out, o)
		}
	}
	return out
}

// adopt moves an object, and what it refers to, into the run's namespace.
func (r *Run) adopt(o *unstructured.Unstructured) {
	if o.GetNamespace() != "" {
		o.SetNamespace(r.Name)
	}
	parents, _, _ := unstructured.NestedSlice(o.Object, "spec", "parentRefs")
	for i := range parents {
		if p, ok := parents[i].(map[string]any); ok && p["namespace"] != nil {
			p["namespace"] = r.Name
		}
	}
	if parents != nil {
		_ = unstructured.SetNestedSlice(o.Object, parents, "spec", "parentRefs")
	}
}

// Apply creates objects; those of the cluster may be there already.
func (r *Run) Apply(objects ...*unstructured.Unstructured) {
	r.test.Helper()
	for _, o := range objects {
		err := r.World.Client.Create(r.test.Context(), o.DeepCopy())
		if err != nil && (o.GetNamespace() != "" || client.IgnoreAlreadyExists(err) != nil) {
			r.test.Fatalf("creating %s %s: %v", o.GetKind(), o.GetName(), err)
		}
	}
}

// Delete deletes objects of the run's namespace.
func (r *Run) Delete(objects ...*unstructured.Unstructured) {
	r.test.Helper()
	for _, o := range objects {
		if o.GetNamespace() == "" {
			continue
		}
		if err := r.World.Client.Delete(r.test.Context(), o.DeepCopy()); client.IgnoreNotFound(err) != nil {
			r.test.Fatalf("deleting %s %s: %v", o.GetKind(), o.GetName(), err)
		}
	}
}

// Eventually calls check until it returns nil; the test fails with the last error when that takes too long.
func (r *Run) Eventually(what string, check func() error) {
	r.test.Helper()
	deadline := time.Now().Add(3 * time.Minute)
	for pause := 20 * time.Millisecond; ; pause = min(pause*5/4, 400*time.Millisecond) {
		err := check()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			r.test.Fatalf("%s: %v", what, err)
		}
		time.Sleep(pause)
	}
}

// AWS is a configuration for clients of the test's own. They share connections: a test makes many.
func (r *Run) AWS() aws.Config {
	cfg := r.Sim.AWSConfig()
	cfg.HTTPClient = http.DefaultClient
	return cfg
}

// State is what the account holds of the owners, without what differs between runs: ARNs and priorities.
func (r *Run) State(owners ...model.Owner) ([]model.Stack, error) {
	// A client that is new knows nothing, and reads everything.
	observer, err := cloud.New(r.test.Context(), cloud.Options{
		Cluster: r.Name, VPC: r.Sim.World().VPC, AWSConfig: new(r.AWS()),
	})
	if err != nil {
		return nil, fmt.Errorf("connecting to the simulator: %w", err)
	}
	out := make([]model.Stack, 0, len(owners))
	for _, owner := range owners {
		s, err := observer.Observe(r.test.Context(), owner, nil)
		if err != nil {
			return nil, fmt.Errorf("observing %s: %w", owner, err)
		}
		out = append(out, plain(model.Normalize(s)))
	}
	return out, nil
}

// plain drops what AWS chose by itself.
func plain(s model.Stack) model.Stack {
	if s.LoadBalancer != nil {
		lb := *s.LoadBalancer
		lb.ARN, lb.DNSName = "", ""
		s.LoadBalancer = &lb
	}
	for i := range s.SecurityGroups {
		s.SecurityGroups[i].ARN = ""
	}
	for i := range s.TargetGroups {
		s.TargetGroups[i].ARN, s.TargetGroups[i].LoadBalancers = "", nil
	}
	for i := range s.Listeners {
		s.Listeners[i].ARN = ""
		for j := range s.Listeners[i].Rules {
			s.Listeners[i].Rules[j].ARN, s.Listeners[i].Rules[j].Priority = "", 0
		}
	}
	return s
}

// Writes counts the calls that wrote.
func (r *Run) Writes() int { return r.Sim.Calls().Writes }
