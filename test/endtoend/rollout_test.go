package endtoend_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	elbv2v1beta1 "github.com/headgate/headgate/apis/elbv2/v1beta1"
	headgatev1alpha1 "github.com/headgate/headgate/apis/headgate/v1alpha1"
	"github.com/headgate/headgate/sandbox"
	"github.com/headgate/headgate/sandbox/selfsigned"
	"github.com/headgate/headgate/test/endtoend"
	"github.com/headgate/headgate/test/policy"
)

// slowly is what the times of the recipe are multiplied by: the sandbox divides them, and a busy machine needs some seconds for what
// takes a cluster less than one.
const slowly = 10

// rolling is the namespace of the recipe, and what everything in it is called.
const (
	rolling = "rollout"
	web     = "web"
)

// webhooks are the flags that switch them on, with a certificate of the test's own.
type webhooks struct {
	port      string
	dir       string
	authority []byte
}

func newWebhooks(t *testing.T) webhooks {
	t.Helper()
	address, err := sandbox.FreeAddress(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	pair, err := selfsigned.New("localhost")
	if err != nil {
		t.Fatal(err)
	}
	out := webhooks{dir: t.TempDir(), authority: pair.Cert}
	if _, out.port, err = net.SplitHostPort(address); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string][]byte{"tls.crt": pair.Cert, "tls.key": pair.Key} {
		if err := os.WriteFile(filepath.Join(out.dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

func (w webhooks) flags() []string {
	return []string{"--webhook-bind-port=" + w.port, "--webhook-cert-dir=" + w.dir}
}

// install has the API server ask the operator about pods, as config/webhook has it but for the address.
func (w webhooks) install(t *testing.T, s *endtoend.Stage) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(s.Root, "config", "webhook", "configuration.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	config := &admissionregistrationv1.MutatingWebhookConfiguration{}
	if err := yaml.UnmarshalStrict(text, config); err != nil {
		t.Fatal(err)
	}
	hook := config.Webhooks[0]
	url := "https://" + net.JoinHostPort("localhost", w.port) + *hook.ClientConfig.Service.Path
	hook.ClientConfig = admissionregistrationv1.WebhookClientConfig{URL: &url, CABundle: w.authority}
	// What cannot be asked shall show here, although an installation would go on.
	hook.FailurePolicy = new(admissionregistrationv1.Fail)
	config.Webhooks = []admissionregistrationv1.MutatingWebhook{hook}
	if err := s.Client.Create(t.Context(), config); err != nil {
		t.Fatal(err)
	}
}

// recipe are the manifests of docs/guide/rollouts.md in two parts: the pods, and the Ingress.
func recipe(t *testing.T, s *endtoend.Stage) (pods, entry string) {
	t.Helper()
	guide, err := os.ReadFile(filepath.Join(s.Root, "docs", "guide", "rollouts.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, text, _ := strings.Cut(string(guide), "```yaml\n")
	text, _, ok := strings.Cut(text, "```\n")
	if !ok {
		t.Fatal("the guide has no manifest")
	}
	times := 0
	text = regexp.MustCompile(`((?:terminationGracePeriodSeconds|seconds): |timeout_seconds=)(\d+)`).ReplaceAllStringFunc(text, func(match string) string {
		times++
		at := strings.IndexAny(match, "0123456789")
		seconds, err := strconv.Atoi(match[at:])
		if err != nil {
			t.Fatal(err)
		}
		return match[:at] + strconv.Itoa(slowly*seconds)
	})
	before, ingress, ok := strings.Cut(text, "---\napiVersion: networking.k8s.io/v1\n")
	if !ok || times != 3 {
		t.Fatalf("the guide's manifest is not what is expected, with %d times", times)
	}
	return before, "apiVersion: networking.k8s.io/v1\n" + ingress
}

// rollouts plays the recipe of the guide under load: pods that go, whatever for, cost no request. The first are older than their
// binding.
func rollouts(t *testing.T, s *endtoend.Stage, hooks webhooks) {
	t.Helper()
	t.Cleanup(func() {
		if t.Failed() {
			showLog(t, s)
		}
	})
	hooks.install(t, s)
	r := rollout{Stage: s, t: t}
	// The demo, which may have been before, takes the class with it.
	r.kubectl("apply", "-f", filepath.Join(s.Root, "sandbox", "manifests"))
	pods, entry := recipe(t, s)
	r.apply(pods)
	r.kubectl("wait", "deployments/"+web, "-n", rolling, "--for=condition=Available", "--timeout=120s")
	r.apply(entry)
	until(t, "20 healthy targets", r.serves(20))
	if gates := r.gates(); len(gates) != 0 {
		t.Errorf("pods older than the binding have gates: %v", gates)
	}
	load, err := s.NewLoad(t.Context(), r.dnsName())
	if err != nil {
		t.Fatal(err)
	}
	defer load.Stop()
	for _, step := range []struct {
		name string
		do   func()
	}{
		{"a rolling update of 20 pods", r.update}, {"a drain of a node", r.drain},
		{"a selector that fits no pod, by a mistake", r.mistake}, {"a scale-in from 20 pods to 5", r.shrink},
	} {
		before, _ := load.Counts()
		begun := time.Now()
		step.do()
		sent, failed := load.Counts()
		t.Logf("%s: %d requests in %s, failed: %v", step.name, sent-before, time.Since(begun).Round(time.Millisecond), failed)
		if len(failed) > 0 || sent == before {
			t.Fatalf("%s lost requests, or none was sent: %v", step.name, failed)
		}
	}
	r.careless(load)
	load.Stop()
	s.Gate.Post(endtoend.Open)
	r.kubectl("delete", "ingress/"+web, "deployment/"+web, "-n", rolling, "--wait=false")
	until(t, "nothing is left", func(ctx context.Context) error {
		left, err := s.Holdings(ctx)
		if err == nil && !left.Empty() {
			err = fmt.Errorf("the account holds %v", left.Counts)
		}
		return err
	})
	// Not before: a namespace that goes takes no events.
	r.kubectl("delete", "namespace", rolling, "--wait=false")
}

// rollout is the recipe at work.
type rollout struct {
	*endtoend.Stage

	t *testing.T
}

func (r rollout) kubectl(args ...string) {
	r.t.Helper()
	if _, err := r.Kubectl(r.t.Context(), args...); err != nil {
		r.t.Fatal(err)
	}
}

func (r rollout) apply(text string) {
	r.t.Helper()
	path := filepath.Join(r.t.TempDir(), "manifest.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		r.t.Fatal(err)
	}
	r.kubectl("apply", "-f", path)
}

// serves checks that there is an address, and so many targets, all healthy but those that drain.
func (r rollout) serves(targets int) func(context.Context) error {
	return func(ctx context.Context) error {
		if r.dnsName() == "" {
			return errors.New("there is no address yet")
		}
		held, err := r.Holdings(ctx)
		if err != nil {
			return err
		}
		healthy := 0
		for _, group := range held.Targets {
			for _, one := range group {
				if strings.HasSuffix(one, " healthy") {
					healthy++
				} else if !strings.HasSuffix(one, " draining") {
					return fmt.Errorf("one is %s", one)
				}
			}
		}
		if healthy != targets {
			return fmt.Errorf("%d are healthy, want %d", healthy, targets)
		}
		return nil
	}
}

// dnsName is the address of the Ingress, empty before there is one.
func (r rollout) dnsName() string {
	r.t.Helper()
	var ing networkingv1.Ingress
	if err := r.Client.Get(r.t.Context(), client.ObjectKey{Namespace: rolling, Name: web}, &ing); err != nil {
		r.t.Fatal(err)
	}
	for _, at := range ing.Status.LoadBalancer.Ingress {
		return at.Hostname
	}
	return ""
}

// pods of the Deployment that are not deleted.
func (r rollout) pods() []corev1.Pod {
	r.t.Helper()
	var list corev1.PodList
	if err := r.Client.List(r.t.Context(), &list, client.InNamespace(rolling)); err != nil {
		r.t.Fatal(err)
	}
	var out []corev1.Pod
	for _, p := range list.Items {
		if p.DeletionTimestamp == nil {
			out = append(out, p)
		}
	}
	return out
}

// gates are the pods with readiness gates.
func (r rollout) gates() []string {
	r.t.Helper()
	var out []string
	for _, p := range r.pods() {
		if len(p.Spec.ReadinessGates) > 0 {
			out = append(out, p.Name)
		}
	}
	return out
}

// gone waits until no pod ends any more.
func (r rollout) gone(left int) {
	r.t.Helper()
	until(r.t, "pods end", func(ctx context.Context) error {
		var list corev1.PodList
		if err := r.Client.List(ctx, &list, client.InNamespace(rolling)); err != nil {
			return err
		}
		if len(list.Items) != left {
			return fmt.Errorf("%d pods are there, want %d", len(list.Items), left)
		}
		return nil
	})
}

func (r rollout) update() {
	r.kubectl("rollout", "restart", "-n", rolling, "deployment/"+web)
	r.kubectl("rollout", "status", "-n", rolling, "deployment/"+web, "--timeout=180s")
	r.gone(20)
	if n := len(r.gates()); n != 20 {
		r.t.Errorf("%d of 20 new pods have gates", n)
	}
}

func (r rollout) drain() {
	node := r.pods()[0].Spec.NodeName
	r.kubectl("drain", node, "--pod-selector=app="+web, "--timeout=180s")
	for _, p := range r.pods() {
		if p.Spec.NodeName == node {
			r.t.Errorf("pod %s is still on the node", p.Name)
		}
	}
	r.kubectl("uncordon", node)
	until(r.t, "20 healthy targets", r.serves(20))
}

// mistake edits the Service so that it has no endpoints any more. Its pods run on, and their targets stay until it is mended.
func (r rollout) mistake() {
	for _, step := range []struct{ app, reason string }{{"wbe", "BreakerOpen"}, {web, "Served"}} {
		r.kubectl("patch", "service", web, "-n", rolling, "--type=merge", "-p", `{"spec":{"selector":{"app":"`+step.app+`"}}}`)
		until(r.t, "the binding says "+step.reason, func(ctx context.Context) error {
			var list elbv2v1beta1.TargetGroupBindingList
			if err := r.Client.List(ctx, &list, client.InNamespace(rolling)); err != nil {
				return err
			}
			for _, b := range list.Items {
				if c := meta.FindStatusCondition(b.Status.Conditions, headgatev1alpha1.ConditionReady); c == nil || c.Reason != step.reason {
					return fmt.Errorf("it says %v", c)
				}
			}
			return r.serves(20)(ctx)
		})
	}
}

func (r rollout) shrink() {
	const few = 5
	r.kubectl("scale", "-n", rolling, "deployment/"+web, "--replicas="+strconv.Itoa(few))
	r.gone(few)
	until(r.t, "few healthy targets", r.serves(few))
}

// careless shows that the load would have seen it: where nothing is deregistered, pods that end cost requests.
func (r rollout) careless(load *endtoend.Load) {
	r.t.Helper()
	r.Gate.Post(func(call policy.Call, _ []policy.Right) endtoend.Verdict {
		if call.Action == "DeregisterTargets" {
			return endtoend.Deny
		}
		return endtoend.Pass
	})
	r.kubectl("scale", "-n", rolling, "deployment/"+web, "--replicas=1")
	until(r.t, "requests fail where nothing is deregistered", func(context.Context) error {
		_, failed := load.Counts()
		for text := range failed {
			if strings.Contains(text, strconv.Itoa(http.StatusBadGateway)) {
				return nil
			}
		}
		return fmt.Errorf("failed: %v", failed)
	})
}
