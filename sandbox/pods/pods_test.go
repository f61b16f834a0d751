package pods_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/client-go/kubernetes"
	corev1client "k8s.io/client-go/kubernetes/typed/core/v1"

	"github.com/headgate/headgate/sandbox/binaries"
	"github.com/headgate/headgate/sandbox/cluster"
	"github.com/headgate/headgate/sandbox/pods"
)

// world is a cluster whose pods run, and what its network was told.
type world struct {
	*cluster.Cluster

	client    kubernetes.Interface
	namespace string
	network   *network
}

// speed of the runner.
const speed = 100

// One cluster serves all tests, each in a namespace of its own.
func TestPods(t *testing.T) {
	c := startCluster(t)
	client, err := kubernetes.NewForConfig(c.Config())
	if err != nil {
		t.Fatal(err)
	}
	told := &network{targets: map[string]string{}, attached: map[string][]netip.Addr{}}
	certificate, key := c.KubeletCertificate()
	runner, err := pods.Start(t.Context(), pods.Options{
		Config: c.Config(), Network: told, Nodes: nodes(), Speed: speed,
		Kubelet: pods.Kubelet{Certificate: certificate, Key: key, ClientCA: c.CertificateAuthority()},
	})
	if err != nil {
		t.Fatal(err)
	}
	w := world{Cluster: c, client: client, network: told}
	for name, test := range map[string]func(*testing.T, world){
		"deployment":    deploymentServes,
		"readiness":     readinessFollowsGatesAndAnnotation,
		"volumes":       podWaitsForItsSecret,
		"logs":          logsAreRead,
		"deletion":      deletedPodLingersAndGoes,
		"service":       serviceOpensPortsOfItsPods,
		"contract":      contractImageServesItsPortsOnly,
		"unschedulable": podWithoutANodeSaysSo,
		"job":           podOfAJobCompletes,
	} {
		t.Run(name, func(t *testing.T) { test(t, w.in(t, name)) })
	}
	if err := runner.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	for target, loopback := range told.all() {
		if response, err := get(t, "http://"+loopback); err == nil {
			t.Errorf("%s still answers after Stop: %v", target, response.Body.Close())
		}
	}
}

func deploymentServes(t *testing.T, w world) {
	t.Helper()
	w.deploy(t, "cart", "registry.example.test/shop:1", 3, corev1.ContainerPort{Name: "web", ContainerPort: 8080})
	w.service(t, "cart", corev1.ServicePort{Port: 80, TargetPort: intstr.FromString("web")})
	var found *discoveryv1.EndpointSliceList
	await(t, func() bool {
		var err error
		found, err = w.client.DiscoveryV1().EndpointSlices(w.namespace).List(t.Context(), metav1.ListOptions{})
		return err == nil && len(found.Items) == 1 && len(found.Items[0].Endpoints) == 3 && allReady(found.Items[0].Endpoints)
	})
	zones := map[string]bool{}
	for _, endpoint := range found.Items[0].Endpoints {
		zones[*endpoint.Zone] = true
		loopback, ok := w.network.at(endpoint.Addresses[0] + ":8080")
		if !ok {
			t.Fatalf("%s is ready, and nobody was told where it is", endpoint.Addresses[0])
		}
		if told := ask(t, loopback); told["pod"] != endpoint.TargetRef.Name || told["namespace"] != w.namespace {
			t.Errorf("%s answered as %v", endpoint.TargetRef.Name, told)
		}
		if !w.network.isAttached(netip.MustParseAddr(endpoint.Addresses[0])) {
			t.Errorf("no network interface has %s", endpoint.Addresses[0])
		}
	}
	if len(zones) != 3 {
		t.Errorf("three replicas are in zones %v", zones)
	}
}

func readinessFollowsGatesAndAnnotation(t *testing.T, w world) {
	t.Helper()
	const gate = "example.test/gate"
	p := simplePod("gated", "any")
	p.Spec.ReadinessGates = []corev1.PodReadinessGate{{ConditionType: gate}}
	w.create(t, p)
	await(t, func() bool { return w.condition(t, "gated", corev1.ContainersReady) == corev1.ConditionTrue })
	if got := w.condition(t, "gated", corev1.PodReady); got != corev1.ConditionFalse {
		t.Errorf("Ready is %s while the gate is closed", got)
	}
	patch := []byte(`{"status":{"conditions":[{"type":"` + gate + `","status":"True"}]}}`)
	if _, err := w.pods().Patch(t.Context(), "gated", types.StrategicMergePatchType, patch, metav1.PatchOptions{}, "status"); err != nil {
		t.Fatal(err)
	}
	await(t, func() bool { return w.condition(t, "gated", corev1.PodReady) == corev1.ConditionTrue })
	if got := w.condition(t, "gated", gate); got != corev1.ConditionTrue {
		t.Errorf("the gate became %s", got)
	}
	patch = []byte(`{"metadata":{"annotations":{"` + pods.ReadyAnnotation + `":"false"}}}`)
	if _, err := w.pods().Patch(t.Context(), "gated", types.StrategicMergePatchType, patch, metav1.PatchOptions{}); err != nil {
		t.Fatal(err)
	}
	await(t, func() bool { return w.condition(t, "gated", corev1.PodReady) == corev1.ConditionFalse })
}

func podWaitsForItsSecret(t *testing.T, w world) {
	t.Helper()
	p := simplePod("secure", "echo-basic:v1")
	p.Spec.Volumes = []corev1.Volume{{Name: "v", VolumeSource: corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{
		SecretName: "cert", Items: []corev1.KeyToPath{{Key: "tls.crt", Path: "crt"}, {Key: "tls.key", Path: "key"}},
	}}}}
	p.Spec.Containers[0].VolumeMounts = []corev1.VolumeMount{{Name: "v", MountPath: "/etc/server"}}
	p.Spec.Containers[0].Env = []corev1.EnvVar{{Name: "TLS_SERVER_CERT", Value: "/etc/server/crt"}, {Name: "TLS_SERVER_PRIVKEY", Value: "/etc/server/key"}}
	w.create(t, p)
	await(t, func() bool {
		states := w.pod(t, "secure").Status.ContainerStatuses
		return len(states) == 1 && states[0].State.Waiting != nil && strings.Contains(states[0].State.Waiting.Message, `"cert" not found`)
	})
	// Any pair will do; the cluster's own is at hand.
	certificate, key := w.KubeletCertificate()
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "cert"}, Data: map[string][]byte{"tls.crt": read(t, certificate), "tls.key": read(t, key)}}
	if _, err := w.client.CoreV1().Secrets(w.namespace).Create(t.Context(), secret, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	w.awaitReady(t, "secure")
	target := w.pod(t, "secure").Status.PodIP + ":8443"
	loopback, ok := w.network.at(target)
	if !ok {
		t.Fatalf("%s is not served", target)
	}
	response, err := get(t, "https://"+loopback)
	if err == nil {
		t.Fatalf("a client that trusts nobody was answered: %v", response.Body.Close())
	}
	if !strings.Contains(err.Error(), "unknown authority") {
		t.Errorf("the mounted certificate is not served: %v", err)
	}
}

func logsAreRead(t *testing.T, w world) {
	t.Helper()
	w.create(t, simplePod("talker", "any"))
	w.awaitReady(t, "talker")
	for _, path := range []string{"/one", "/two"} {
		w.ask(t, "talker", path)
	}
	for _, row := range []struct {
		why     string
		options []string
		want    []string
	}{
		{why: "all of it", want: []string{"/one", "/two"}},
		{why: "the end of it", options: []string{"--tail=1"}, want: []string{"/two"}},
		{why: "nothing is that new", options: []string{"--since-time=2100-01-01T00:00:00Z"}},
		{why: "timestamps", options: []string{"--timestamps", "--tail=1"}, want: []string{"Z Echoing back request made to /two"}},
	} {
		arguments := append([]string{"--kubeconfig", w.Kubeconfig(), "-n", w.namespace, "logs", "talker"}, row.options...)
		output, err := exec.CommandContext(t.Context(), w.Kubectl(), arguments...).CombinedOutput()
		if err != nil || strings.Count(string(output), "\n") != len(row.want) {
			t.Errorf("%s: %v\n%s", row.why, err, output)
		}
		for _, want := range row.want {
			if !strings.Contains(string(output), want) {
				t.Errorf("%s: %q lacks %q", row.why, output, want)
			}
		}
	}
	w.followLogs(t)
}

// followLogs reads a line that is written after the reading began.
func (w world) followLogs(t *testing.T) {
	t.Helper()
	stream, err := w.pods().GetLogs("talker", &corev1.PodLogOptions{Follow: true, TailLines: new(int64)}).Stream(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = stream.Close() }()
	w.ask(t, "talker", "/three")
	buffer := make([]byte, 200)
	n, err := stream.Read(buffer)
	if err != nil || !bytes.Contains(buffer[:n], []byte("/three")) {
		t.Errorf("followed %q, %v", buffer[:n], err)
	}
}

func deletedPodLingersAndGoes(t *testing.T, w world) {
	t.Helper()
	p := simplePod("leaving", "any")
	p.Spec.Containers[0].Lifecycle = &corev1.Lifecycle{PreStop: &corev1.LifecycleHandler{Exec: &corev1.ExecAction{Command: []string{"sh", "-c", "sleep 25"}}}}
	w.create(t, p)
	w.awaitReady(t, "leaving")
	target := w.pod(t, "leaving").Status.PodIP + ":8080"
	loopback, _ := w.network.at(target)
	begun := time.Now()
	if err := w.pods().Delete(t.Context(), "leaving", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	await(t, func() bool {
		_, err := w.pods().Get(t.Context(), "leaving", metav1.GetOptions{})
		return apierrors.IsNotFound(err)
	})
	if took, least := time.Since(begun), 25*time.Second/speed; took < least {
		t.Errorf("it went after %s, and its preStop hook sleeps %s", took, least)
	}
	if response, err := get(t, "http://"+loopback); err == nil {
		t.Errorf("the pod is gone and answers: %v", response.Body.Close())
	}
	if _, still := w.network.at(target); still {
		t.Errorf("%s is still in the table", target)
	}
}

func serviceOpensPortsOfItsPods(t *testing.T, w world) {
	t.Helper()
	p := simplePod("silent", "any")
	p.Spec.Containers[0].Ports = nil
	w.create(t, p)
	w.awaitReady(t, "silent")
	address := w.pod(t, "silent").Status.PodIP
	if loopback, served := w.network.at(address + ":9090"); served {
		t.Fatalf("port 9090 is served at %s before anybody named it", loopback)
	}
	w.service(t, "silent",
		corev1.ServicePort{Name: "a", Port: 80, TargetPort: intstr.FromInt32(9090)},
		corev1.ServicePort{Name: "b", Port: 9090, Protocol: corev1.ProtocolUDP},
		corev1.ServicePort{Name: "c", Port: 81, TargetPort: intstr.FromString("no-such-name")})
	await(t, func() bool { _, served := w.network.at(address + ":9090"); return served })
	loopback, _ := w.network.at(address + ":9090")
	if told := ask(t, loopback); told["httpPort"] != "9090" {
		t.Errorf("answered %v", told)
	}
}

func contractImageServesItsPortsOnly(t *testing.T, w world) {
	t.Helper()
	p := simplePod("basic", "registry.example.test/echo-basic:v1.5.1")
	w.create(t, p)
	w.awaitReady(t, "basic")
	address := w.pod(t, "basic").Status.PodIP
	got := map[string]bool{}
	for _, port := range []string{"3000", "3001", "8080", "8443"} {
		_, got[port] = w.network.at(address + ":" + port)
	}
	if diff := cmp.Diff(map[string]bool{"3000": true, "3001": true, "8080": false, "8443": false}, got); diff != "" {
		t.Errorf("served ports (-want +got):\n%s", diff)
	}
}

func podWithoutANodeSaysSo(t *testing.T, w world) {
	t.Helper()
	p := simplePod("picky", "any")
	p.Spec.NodeSelector = map[string]string{corev1.LabelTopologyZone: "eu-north-1a"}
	w.create(t, p)
	await(t, func() bool { return w.condition(t, "picky", corev1.PodScheduled) == corev1.ConditionFalse })

	p = simplePod("placed", "any")
	p.Spec.NodeSelector = map[string]string{corev1.LabelTopologyZone: "us-west-2b"}
	w.create(t, p)
	w.awaitReady(t, "placed")
	if got := w.pod(t, "placed").Spec.NodeName; got != "node-b" {
		t.Errorf("the pod runs on %s", got)
	}

	w.cordon(t, "node-b", true)
	p = simplePod("patient", "any")
	p.Spec.NodeSelector = map[string]string{corev1.LabelTopologyZone: "us-west-2b"}
	w.create(t, p)
	await(t, func() bool { return w.condition(t, "patient", corev1.PodScheduled) == corev1.ConditionFalse })
	w.cordon(t, "node-b", false)
	w.awaitReady(t, "patient")
}

// cordon says that a node takes no more pods, or takes them again.
func (w world) cordon(t *testing.T, node string, closed bool) {
	t.Helper()
	patch := fmt.Appendf(nil, `{"spec":{"unschedulable":%t}}`, closed)
	if _, err := w.client.CoreV1().Nodes().Patch(t.Context(), node, types.MergePatchType, patch, metav1.PatchOptions{}); err != nil {
		t.Fatal(err)
	}
}

func podOfAJobCompletes(t *testing.T, w world) {
	t.Helper()
	p := simplePod("once", "any")
	p.Spec.RestartPolicy = corev1.RestartPolicyNever
	w.create(t, p)
	await(t, func() bool { return w.pod(t, "once").Status.Phase == corev1.PodSucceeded })
}

func (w world) in(t *testing.T, name string) world {
	t.Helper()
	w.namespace = "test-" + name
	if _, err := w.client.CoreV1().Namespaces().Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: w.namespace}}, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	await(t, func() bool {
		_, err := w.client.CoreV1().ServiceAccounts(w.namespace).Get(t.Context(), "default", metav1.GetOptions{})
		return err == nil
	})
	return w
}

func (w world) deploy(t *testing.T, name, image string, replicas int32, ports ...corev1.ContainerPort) {
	t.Helper()
	labels := map[string]string{"app": name}
	deployment := &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: appsv1.DeploymentSpec{
			Replicas: &replicas, Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels},
				Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: name, Image: image, Ports: ports}}},
			},
		},
	}
	if _, err := w.client.AppsV1().Deployments(w.namespace).Create(t.Context(), deployment, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
}

func (w world) service(t *testing.T, app string, ports ...corev1.ServicePort) {
	t.Helper()
	service := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: app}, Spec: corev1.ServiceSpec{Selector: map[string]string{"app": app}, Ports: ports}}
	if _, err := w.client.CoreV1().Services(w.namespace).Create(t.Context(), service, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
}

func (w world) create(t *testing.T, p *corev1.Pod) {
	t.Helper()
	if _, err := w.pods().Create(t.Context(), p, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
}

func (w world) pods() corev1client.PodInterface { return w.client.CoreV1().Pods(w.namespace) }

func (w world) pod(t *testing.T, name string) *corev1.Pod {
	t.Helper()
	p, err := w.pods().Get(t.Context(), name, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func (w world) condition(t *testing.T, name string, kind corev1.PodConditionType) corev1.ConditionStatus {
	t.Helper()
	for _, c := range w.pod(t, name).Status.Conditions {
		if c.Type == kind {
			return c.Status
		}
	}
	return ""
}

func (w world) awaitReady(t *testing.T, name string) {
	t.Helper()
	await(t, func() bool { return w.condition(t, name, corev1.PodReady) == corev1.ConditionTrue })
}

// ask sends a request to port 8080 of a pod.
func (w world) ask(t *testing.T, name, path string) {
	t.Helper()
	loopback, ok := w.network.at(w.pod(t, name).Status.PodIP + ":8080")
	if !ok {
		t.Fatalf("pod %s is not served", name)
	}
	ask(t, loopback+path)
}

func ask(t *testing.T, address string) map[string]any {
	t.Helper()
	response, err := get(t, "http://"+address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	told := map[string]any{}
	if err := json.Unmarshal(body, &told); err != nil {
		t.Fatal(err)
	}
	return told
}

func get(t *testing.T, url string) (*http.Response, error) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	return (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(request)
}

func simplePod(name, image string) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"app": name}},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "main", Image: image, Ports: []corev1.ContainerPort{{ContainerPort: 8080}}}}},
	}
}

func allReady(endpoints []discoveryv1.Endpoint) bool {
	for _, endpoint := range endpoints {
		if endpoint.Conditions.Ready == nil || !*endpoint.Conditions.Ready {
			return false
		}
	}
	return true
}

// await polls; the test's deadline ends it.
func await(t *testing.T, done func() bool) {
	t.Helper()
	for !done() {
		if err := t.Context().Err(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func startCluster(t *testing.T) *cluster.Cluster {
	t.Helper()
	programs, err := binaries.Ensure(t.Context(), os.Stderr)
	if err != nil {
		t.Fatal(err)
	}
	c, err := cluster.Start(t.Context(), cluster.Options{Binaries: programs})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return c
}

func nodes() []pods.Node {
	var all []pods.Node
	for i, zone := range []string{"a", "b", "c"} {
		block := netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 0, byte(128 + 16*i), 0}), 20)
		all = append(all, pods.Node{
			Name: "node-" + zone, Zone: "us-west-2" + zone, Region: "us-west-2", Instance: "i-000000000000000a" + zone,
			Address: block.Addr().Next().Next(), Pods: netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 0, byte(129 + 16*i), 0}), 24),
		})
	}
	return all
}

// network remembers what it was told.
type network struct {
	mu       sync.Mutex
	targets  map[string]string
	attached map[string][]netip.Addr
}

func (n *network) Reach(_ context.Context, targets map[string]*string) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	for target, loopback := range targets {
		delete(n.targets, target)
		if loopback != nil {
			n.targets[target] = *loopback
		}
	}
	return nil
}

func (n *network) Attach(_ context.Context, node pods.Node, addresses []netip.Addr) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.attached[node.Name] = addresses
	return nil
}

func (n *network) at(target string) (string, bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	loopback, ok := n.targets[target]
	return loopback, ok
}

func (n *network) all() map[string]string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return maps.Clone(n.targets)
}

func (n *network) isAttached(address netip.Addr) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, addresses := range n.attached {
		if slices.Contains(addresses, address) {
			return true
		}
	}
	return false
}
