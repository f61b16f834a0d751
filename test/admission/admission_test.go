package admission_test

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/go-logr/logr"
	"github.com/google/go-cmp/cmp"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/yaml"

	elbv2v1beta1 "github.com/headgate/headgate/apis/elbv2/v1beta1"
	"github.com/headgate/headgate/cloud/sim"
	"github.com/headgate/headgate/cmd/headgate-controller/wire"
	"github.com/headgate/headgate/sandbox/selfsigned"
	"github.com/headgate/headgate/test/world"
)

const (
	gatePrefix = "target-health.elbv2.k8s.aws/"
	podAddress = "10.0.128.10"
)

// TestWebhooks makes pods and looks at what the API server stores.
func TestWebhooks(t *testing.T) {
	log.SetLogger(logr.Discard())
	if err := world.Environment(); err != nil {
		t.Fatal(err)
	}
	w := world.Open(t)
	r := w.NewRun(t, "gates", map[string]string{
		"elbv2.k8s.aws/pod-readiness-gate-inject": "enabled", "elbv2.k8s.aws/alb-target-control-agent-injection": "enabled",
	})
	s := scene{Run: r, t: t}
	s.start()
	t.Run("a gate is injected and opens", s.gate)
	t.Run("an agent is injected where one is configured", s.agent)
	t.Run("other namespaces are left alone", s.elsewhere)
}

// scene is one operator with its webhooks.
type scene struct {
	*world.Run

	t *testing.T
}

// start runs the operator, and has the API server ask it.
func (s scene) start() {
	s.t.Helper()
	pair, err := selfsigned.New("localhost")
	if err != nil {
		s.t.Fatal(err)
	}
	dir := s.t.TempDir()
	for name, text := range map[string][]byte{"tls.crt": pair.Cert, "tls.key": pair.Key} {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			s.t.Fatal(err)
		}
	}
	_, err = s.Sim.AddNetworkInterface(sim.Interface{
		ID: "eni-1", SecurityGroups: []string{s.Sim.World().NodeSecurityGroup}, Addresses: []string{podAddress},
	})
	if err != nil {
		s.t.Fatal(err)
	}
	port := freePort(s.t)
	settings := s.Settings(nil)
	settings.Webhooks = wire.Webhooks{Port: port, CertDir: dir, CertName: "tls.crt", KeyName: "tls.key", Gates: true, Agents: true}
	s.StartAs(settings)
	s.Eventually("the webhooks answer", func() error {
		c, err := (&net.Dialer{}).DialContext(s.t.Context(), "tcp", net.JoinHostPort("localhost", strconv.Itoa(port)))
		if err != nil {
			return fmt.Errorf("connecting: %w", err)
		}
		return c.Close()
	})
	s.create(configuration(s.t, s.World.Root, port, pair.Cert))
}

// configuration is that of config/webhook, with another address.
func configuration(t *testing.T, root string, port int, authority []byte) *admissionregistrationv1.MutatingWebhookConfiguration {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "config", "webhook", "configuration.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	out := &admissionregistrationv1.MutatingWebhookConfiguration{}
	if err := yaml.UnmarshalStrict(text, out); err != nil {
		t.Fatal(err)
	}
	for i := range out.Webhooks {
		at := &out.Webhooks[i].ClientConfig
		url := "https://" + net.JoinHostPort("localhost", strconv.Itoa(port)) + *at.Service.Path
		*at = admissionregistrationv1.WebhookClientConfig{URL: &url, CABundle: authority}
		// What cannot be asked shall show here, although an installation would go on.
		out.Webhooks[i].FailurePolicy = new(admissionregistrationv1.Fail)
	}
	return out
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "localhost:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }() // its port is free again
	at, ok := l.Addr().(*net.TCPAddr)
	if !ok {
		t.Fatalf("%s is no TCP address", l.Addr())
	}
	return at.Port
}

func (s scene) create(objects ...client.Object) {
	s.t.Helper()
	for _, o := range objects {
		if err := s.World.Client.Create(s.t.Context(), o); err != nil {
			s.t.Fatalf("creating %T %s: %v", o, o.GetName(), err)
		}
	}
}

// pod makes a pod of the application web. Its namespace has a service account a moment after it is there.
func (s scene) pod(namespace, name string) *corev1.Pod {
	s.t.Helper()
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, Labels: map[string]string{"app": "web"}},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "web", Image: "web"}}},
	}
	s.Eventually("pod "+name+" is made", func() error { return s.World.Client.Create(s.t.Context(), pod) })
	return pod
}

// gate follows a pod from its creation until its gate opens.
func (s scene) gate(t *testing.T) {
	meta := metav1.ObjectMeta{Namespace: s.Name, Name: "web"}
	path := networkingv1.PathTypePrefix
	backend := networkingv1.IngressBackend{Service: &networkingv1.IngressServiceBackend{Name: "web", Port: networkingv1.ServiceBackendPort{Number: 80}}}
	s.create(
		&networkingv1.IngressClass{ObjectMeta: metav1.ObjectMeta{Name: "alb"}, Spec: networkingv1.IngressClassSpec{Controller: "ingress.k8s.aws/alb"}},
		&corev1.Service{ObjectMeta: meta, Spec: corev1.ServiceSpec{
			Selector: map[string]string{"app": "web"}, Ports: []corev1.ServicePort{{Port: 80, TargetPort: intstr.FromInt32(8080)}},
		}},
		&networkingv1.Ingress{ObjectMeta: meta, Spec: networkingv1.IngressSpec{IngressClassName: new("alb"), Rules: []networkingv1.IngressRule{{
			IngressRuleValue: networkingv1.IngressRuleValue{HTTP: &networkingv1.HTTPIngressRuleValue{Paths: []networkingv1.HTTPIngressPath{{
				Path: "/", PathType: &path, Backend: backend,
			}}}},
		}}}},
	)
	var bindings elbv2v1beta1.TargetGroupBindingList
	s.Eventually("the Ingress has a binding", func() error {
		if err := s.World.Client.List(t.Context(), &bindings, client.InNamespace(s.Name)); err != nil || len(bindings.Items) != 1 {
			return fmt.Errorf("%d bindings, %w", len(bindings.Items), err)
		}
		return nil
	})
	gate := corev1.PodConditionType(gatePrefix + bindings.Items[0].Name)
	var pod *corev1.Pod
	s.Eventually("pods get a gate", func() error {
		pod = s.pod(s.Name, "web-"+strconv.Itoa(os.Getpid())+"-"+strconv.Itoa(len(s.gatesSeen())))
		if diff := cmp.Diff([]corev1.PodReadinessGate{{ConditionType: gate}}, pod.Spec.ReadinessGates); diff != "" {
			return fmt.Errorf("gates (-want +got): %s", diff)
		}
		return nil
	})
	s.waits(pod)
	s.Eventually("the gate opens", func() error {
		if err := s.World.Client.Get(t.Context(), client.ObjectKeyFromObject(pod), pod); err != nil {
			return fmt.Errorf("reading the pod: %w", err)
		}
		if !slices.ContainsFunc(pod.Status.Conditions, func(c corev1.PodCondition) bool { return c.Type == gate && c.Status == corev1.ConditionTrue }) {
			return fmt.Errorf("conditions %+v", pod.Status.Conditions)
		}
		return nil
	})
}

// gatesSeen are the pods of the scene so far: the cache of the webhook may be a moment late for the first.
func (s scene) gatesSeen() []corev1.Pod {
	s.t.Helper()
	var pods corev1.PodList
	if err := s.World.Client.List(s.t.Context(), &pods, client.InNamespace(s.Name)); err != nil {
		s.t.Fatal(err)
	}
	return pods.Items
}

// waits has a pod run, with nothing but its gate between it and readiness.
func (s scene) waits(pod *corev1.Pod) {
	s.t.Helper()
	pod.Status.Phase, pod.Status.PodIP = corev1.PodRunning, podAddress
	pod.Status.PodIPs = []corev1.PodIP{{IP: podAddress}}
	pod.Status.Conditions = []corev1.PodCondition{
		{Type: corev1.ContainersReady, Status: corev1.ConditionTrue}, {Type: corev1.PodReady, Status: corev1.ConditionFalse},
	}
	if err := s.World.Client.Status().Update(s.t.Context(), pod); err != nil {
		s.t.Fatal(err)
	}
	port, name, ready := int32(8080), "", false
	s.create(&discoveryv1.EndpointSlice{
		ObjectMeta:  metav1.ObjectMeta{Namespace: s.Name, Name: "web-by-hand", Labels: map[string]string{discoveryv1.LabelServiceName: "web"}},
		AddressType: discoveryv1.AddressTypeIPv4, Ports: []discoveryv1.EndpointPort{{Name: &name, Port: &port}},
		Endpoints: []discoveryv1.Endpoint{{
			Addresses: []string{podAddress}, Conditions: discoveryv1.EndpointConditions{Ready: &ready},
			TargetRef: &corev1.ObjectReference{Kind: "Pod", Namespace: s.Name, Name: pod.Name, UID: pod.UID},
		}},
	})
}

func (s scene) agent(t *testing.T) {
	if got := s.pod(s.Name, "plain"); len(got.Spec.InitContainers) > 0 {
		t.Errorf("an agent without a configuration: %+v", got.Spec.InitContainers)
	}
	s.create(&elbv2v1beta1.ALBTargetControlConfig{
		ObjectMeta: metav1.ObjectMeta{Namespace: s.Name, Name: elbv2v1beta1.TargetControlConfigName},
		Spec: elbv2v1beta1.ALBTargetControlConfigSpec{
			Image: "agent", DataAddress: "0.0.0.0:8080", ControlAddress: "0.0.0.0:3000", DestinationAddress: "127.0.0.1:8081",
		},
	})
	got := s.pod(s.Name, "optimized")
	if len(got.Spec.InitContainers) != 1 || got.Spec.InitContainers[0].Image != "agent" {
		t.Errorf("init containers %+v", got.Spec.InitContainers)
	}
	if !strings.Contains(fmt.Sprint(got.Spec.InitContainers), "TARGET_CONTROL_MAX_CONCURRENCY 1") {
		t.Errorf("the definition's default concurrency is not there: %+v", got.Spec.InitContainers)
	}
}

func (s scene) elsewhere(t *testing.T) {
	s.create(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "plain"}})
	if got := s.pod("plain", "web"); len(got.Spec.ReadinessGates)+len(got.Spec.InitContainers) > 0 {
		t.Errorf("%+v", got.Spec)
	}
}
