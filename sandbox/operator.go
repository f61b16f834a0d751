package sandbox

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/headgate/headgate/sandbox/binaries"
	"github.com/headgate/headgate/sandbox/process"
)

const (
	operatorNamespace = "headgate-system"
	operatorAccount   = "headgate-controller"
	// tokenLifetime of the operator's account, in seconds: a sandbox that is kept runs for days.
	tokenLifetime = int64(30 * 24 * 60 * 60)
	readyPoll     = 50 * time.Millisecond
	readyTimeout  = time.Minute
)

// operator is the operator's process, which can be started again.
type operator struct {
	path string
	args []string
	env  []string
	log  *os.File
	// health is the address of /readyz.
	health string

	mu    sync.Mutex
	child *process.Process
}

// startOperator builds the operator if need be, and runs it with the rights that its manifests give it and no
// others.
func (s *Sandbox) startOperator(ctx context.Context) error {
	if s.options.Controller == NoController {
		return nil
	}
	path, err := s.operatorBinary(ctx)
	if err != nil {
		return err
	}
	kubeconfig, err := s.OperatorKubeconfig(ctx)
	if err != nil {
		return err
	}
	log, err := s.logFile("controller.log")
	if err != nil {
		return err
	}
	health, err := FreeAddress(ctx)
	if err != nil {
		return err
	}
	args := append(s.OperatorFlags(kubeconfig), "--health-probe-bind-addr="+health)
	s.operator = &operator{
		path: path, log: log, health: health,
		args: append(args, s.options.ControllerArgs...), env: append(operatorEnvironment(), s.options.ControllerEnv...),
	}
	s.say("Starting the operator")
	return s.operator.start(ctx)
}

func (s *Sandbox) operatorBinary(ctx context.Context) (string, error) {
	if s.options.Controller != "" {
		return s.options.Controller, nil
	}
	path, err := binaries.Controller(ctx, s.dir, s.options.Log)
	if err != nil {
		return "", fmt.Errorf("building the operator: %w", err)
	}
	return path, nil
}

// OperatorKubeconfig applies the operator's role and writes a kubeconfig with the rights of its service
// account.
func (s *Sandbox) OperatorKubeconfig(ctx context.Context) (string, error) {
	namespace := filepath.Join(s.root, "config", "manager", "namespace.yaml")
	if err := s.cluster.Apply(ctx, namespace, filepath.Join(s.root, "config", "rbac")); err != nil {
		return "", fmt.Errorf("giving the operator its role: %w", err)
	}
	client, err := kubernetes.NewForConfig(s.cluster.Config())
	if err != nil {
		return "", fmt.Errorf("making a client: %w", err)
	}
	lifetime := tokenLifetime
	token, err := client.CoreV1().ServiceAccounts(operatorNamespace).CreateToken(ctx, operatorAccount,
		&authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{ExpirationSeconds: &lifetime}}, metav1.CreateOptions{})
	if err != nil {
		return "", fmt.Errorf("asking for the operator's token: %w", err)
	}
	path := filepath.Join(s.dir, "controller.kubeconfig")
	if err := s.cluster.WriteTokenKubeconfig(path, token.Status.Token); err != nil {
		return "", fmt.Errorf("writing the operator's kubeconfig: %w", err)
	}
	return path, nil
}

// OperatorFlags are the flags with which an operator serves this sandbox, but for the address of its health
// probe.
func (s *Sandbox) OperatorFlags(kubeconfig string) []string {
	var endpoints []string
	for _, service := range []string{"elasticloadbalancing", "ec2", "acm", "sts", "tagging", "wafv2", "wafregional", "shield", "route53", "s3"} {
		endpoints = append(endpoints, service+"="+s.simulator.URL())
	}
	return []string{
		"--kubeconfig=" + kubeconfig,
		"--cluster-name=" + s.options.ClusterName,
		"--aws-region=" + s.options.Simulator.Region,
		"--aws-vpc-id=" + s.simulator.World().VPC,
		"--aws-api-endpoints=" + strings.Join(endpoints, ","),
		"--default-target-type=ip",
		"--targetgroupbinding-requeue-duration=2s",
		"--metrics-bind-addr=0",
		"--enable-leader-election=false",
		"--webhook-bind-port=0",
		"--deletion-breaker-percent=100", // what is tried out is deleted at once, and often
	}
}

// operatorEnvironment is this process's, without what would lead the AWS SDK elsewhere.
func operatorEnvironment() []string {
	var env []string
	for _, variable := range os.Environ() {
		if !strings.HasPrefix(variable, "AWS_") && !strings.HasPrefix(variable, "KUBE") {
			env = append(env, variable)
		}
	}
	return append(env, "AWS_EC2_METADATA_DISABLED=true", "AWS_ACCESS_KEY_ID=sandbox", "AWS_SECRET_ACCESS_KEY=sandbox")
}

// start runs the operator and returns when it is ready.
func (o *operator) start(ctx context.Context) error {
	child, err := process.Start(ctx, process.Spec{Path: o.path, Args: o.args, Env: o.env, Log: o.log})
	if err != nil {
		return fmt.Errorf("starting the operator: %w", err)
	}
	o.mu.Lock()
	o.child = child
	o.mu.Unlock()
	return o.awaitReady(ctx, child)
}

func (o *operator) awaitReady(ctx context.Context, child *process.Process) error {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	for {
		if ready(ctx, "http://"+o.health+"/readyz") {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for the operator to be ready: %w", ctx.Err())
		case <-child.Done():
			return fmt.Errorf("waiting for the operator to be ready: %w", child.Err())
		case <-time.After(readyPoll):
		}
	}
}

func ready(ctx context.Context, url string) bool {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return false
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return false
	}
	return response.Body.Close() == nil && response.StatusCode == http.StatusOK
}

func (o *operator) running() *process.Process {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.child
}

func (o *operator) stop(ctx context.Context) error {
	child := o.running()
	if child == nil {
		return nil
	}
	if err := child.Stop(ctx); err != nil {
		return fmt.Errorf("stopping the operator: %w", err)
	}
	return nil
}

var errNoOperator = errors.New("this sandbox runs no operator")

// OperatorDone is closed when the operator's process has ended, by itself or not. It is nil without one.
func (s *Sandbox) OperatorDone() <-chan struct{} {
	if s.operator == nil {
		return nil
	}
	return s.operator.running().Done()
}

// OperatorErr says how the operator's process ended; nil while it runs.
func (s *Sandbox) OperatorErr() error {
	if s.operator == nil {
		return nil
	}
	if err := s.operator.running().Err(); err != nil {
		return fmt.Errorf("the operator: %w", err)
	}
	return nil
}

// KillOperator ends the operator as a crash would.
func (s *Sandbox) KillOperator() error {
	if s.operator == nil {
		return errNoOperator
	}
	if err := s.operator.running().Kill(); err != nil {
		return fmt.Errorf("killing the operator: %w", err)
	}
	return nil
}

// RestartOperator ends the operator, if it still runs, and starts it again.
func (s *Sandbox) RestartOperator(ctx context.Context) error {
	if s.operator == nil {
		return errNoOperator
	}
	if err := s.operator.stop(ctx); err != nil {
		return err
	}
	return s.operator.start(ctx)
}
