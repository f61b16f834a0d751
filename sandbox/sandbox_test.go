package sandbox_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/headgate/headgate/sandbox"
)

const shop = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: cart}
spec:
  replicas: 2
  selector: {matchLabels: {app: cart}}
  template:
    metadata: {labels: {app: cart}}
    spec: {containers: [{name: cart, image: cart, ports: [{containerPort: 8080}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: cart}
spec: {selector: {app: cart}, ports: [{port: 80, targetPort: 8080}]}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: cart, annotations: {alb.ingress.kubernetes.io/scheme: internet-facing}}
spec:
  ingressClassName: alb
  rules:
  - host: shop.example.test
    http: {paths: [{path: /cart, pathType: Prefix, backend: {service: {name: cart, port: {number: 80}}}}]}
`

const warningOf = `
apiVersion: v1
kind: Event
metadata: {name: of-%s, namespace: default}
involvedObject: {apiVersion: v1, kind: Namespace, name: %s}
type: Warning
reason: Trouble
message: a warning
`

func TestAnIngressIsServedAndNothingIsLeft(t *testing.T) {
	temporary := t.TempDir()
	t.Setenv("TMPDIR", temporary)
	s := start(t, sandbox.Options{Speed: 60})
	var streamed lines
	ctx, cancel := context.WithCancel(t.Context())
	var streaming sync.WaitGroup
	streaming.Go(func() {
		if err := s.Stream(ctx, &streamed); err != nil {
			t.Error(err)
		}
	})
	kubectl(t, s, shop, "apply", "-f", "-")
	for _, name := range []string{"kube-system", "no-such-object"} {
		kubectl(t, s, fmt.Sprintf(warningOf, name, name), "create", "-f", "-")
	}
	if kept := kubectl(t, s, "", "get", "ingressclass/alb", "gatewayclass/alb", "-o", "yaml"); strings.Count(kept, "last-applied-configuration") != 2 {
		t.Errorf("kubectl apply will warn of the classes:\n%s", kept)
	}
	url := awaitAddress(t, s)
	if pod := askUntilServed(t, url); !strings.HasPrefix(pod, "cart-") {
		t.Errorf("%q answered", pod)
	}
	t.Run("a restarted operator writes nothing", func(t *testing.T) { restart(t, s) })
	kubectl(t, s, shop, "delete", "-f", "-")
	await(t, func() bool { return len(s.Simulator().LoadBalancers()) == 0 })
	await(t, func() bool { return strings.Contains(streamed.String(), "gone") })
	cancel()
	streaming.Wait()
	t.Logf("streamed:\n%s", streamed.String())
	if strings.Contains(streamed.String(), "no-such-object") {
		t.Errorf("the stream tells of an object that is not there:\n%s", streamed.String())
	}
	for _, want := range []string{"active", "2/2 healthy", "Namespace kube-system  Trouble: a warning"} {
		if !strings.Contains(streamed.String(), want) {
			t.Errorf("the stream does not tell %q:\n%s", want, streamed.String())
		}
	}
	pids := s.Cluster().PIDs()
	if err := s.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	nothingLeft(t, temporary, pids)
	if err := s.OperatorErr(); err == nil {
		t.Error("the operator outlived the sandbox")
	}
}

func TestAnOperatorThatFailsIsReported(t *testing.T) {
	temporary := t.TempDir()
	t.Setenv("TMPDIR", temporary)
	_, err := sandbox.Start(t.Context(), sandbox.Options{ControllerArgs: []string{"--no-such-flag"}})
	if err == nil || !strings.Contains(err.Error(), "no-such-flag") {
		t.Errorf("Start gave %v", err)
	}
	nothingLeft(t, temporary, nil)
}

func restart(t *testing.T, s *sandbox.Sandbox) {
	t.Helper()
	s.Simulator().ResetCalls()
	if err := s.KillOperator(); err != nil {
		t.Fatal(err)
	}
	if err := s.RestartOperator(t.Context()); err != nil {
		t.Fatal(err)
	}
	await(t, func() bool { return s.Simulator().Calls().Reads > 0 })
	if writes := s.Simulator().Calls().Writes; writes > 0 {
		t.Errorf("%d writes: %+v", writes, s.Simulator().Calls().Calls)
	}
}

// nothingLeft checks that no process and no file of the sandbox is there any more.
func nothingLeft(t *testing.T, temporary string, pids []int) {
	t.Helper()
	for _, pid := range pids {
		if err := syscall.Kill(pid, 0); !errors.Is(err, syscall.ESRCH) {
			t.Errorf("process %d is still there: %v", pid, err)
		}
	}
	left, err := filepath.Glob(filepath.Join(temporary, "headgate-*"))
	if err != nil {
		t.Fatal(err)
	}
	if len(left) > 0 {
		t.Errorf("%v was left behind", left)
	}
}

// awaitAddress returns the URL at which the load balancer of the Ingress is reached.
func awaitAddress(t *testing.T, s *sandbox.Sandbox) string {
	t.Helper()
	await(t, func() bool {
		return strings.HasSuffix(kubectl(t, s, "", "get", "ingress", "cart", "-o", "jsonpath={.status.loadBalancer.ingress[0].hostname}"), ".elb.amazonaws.com")
	})
	return "http://" + net.JoinHostPort(s.Simulator().LoadBalancers()[0].Address.String(), "80") + "/cart"
}

// askUntilServed returns the pod that answered the first request that got through.
func askUntilServed(t *testing.T, url string) string {
	t.Helper()
	var told struct {
		Pod string `json:"pod"`
	}
	await(t, func() bool {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		request.Host = "shop.example.test"
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return false
		}
		defer func() { _ = response.Body.Close() }()
		body, err := io.ReadAll(response.Body)
		return err == nil && response.StatusCode == http.StatusOK && json.Unmarshal(body, &told) == nil
	})
	return told.Pod
}

func start(t *testing.T, options sandbox.Options) *sandbox.Sandbox {
	t.Helper()
	options.Log = os.Stderr
	s, err := sandbox.Start(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return s
}

func kubectl(t *testing.T, s *sandbox.Sandbox, input string, arguments ...string) string {
	t.Helper()
	command := exec.CommandContext(t.Context(), s.Kubectl(), append([]string{"--kubeconfig", s.Kubeconfig()}, arguments...)...)
	command.Stdin = strings.NewReader(input)
	var output, complaints bytes.Buffer
	command.Stdout, command.Stderr = &output, &complaints
	if err := command.Run(); err != nil {
		t.Fatalf("kubectl %v: %v\n%s", arguments, err, complaints.String())
	}
	return output.String()
}

// await polls; the test's deadline ends it.
func await(t *testing.T, done func() bool) {
	t.Helper()
	for !done() {
		if err := t.Context().Err(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// lines is a writer that can be read meanwhile.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}
