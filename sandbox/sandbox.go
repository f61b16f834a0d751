// Package sandbox is a cluster on a laptop: a real control plane, pods that answer, a simulated AWS account
// with a data plane, and the operator as its own process.
//
// It may import everything but the operator's packages: the operator is run as its users run it. Its
// invariant: everything listens on loopback, and after Stop nothing is left but a state directory that the
// caller named.
package sandbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"k8s.io/client-go/rest"

	"github.com/headgate/headgate/cloud/sim"
	"github.com/headgate/headgate/sandbox/binaries"
	"github.com/headgate/headgate/sandbox/cluster"
	"github.com/headgate/headgate/sandbox/pods"
)

// NoController as Options.Controller starts no operator.
const NoController = "none"

// Options of a sandbox. The zero value is a cluster with everything, on the ports that listeners name.
type Options struct {
	// ClusterName is what the operator is told; "headgate" without it.
	ClusterName string
	// PortOffset is added to every listener port, for machines where ports below 1024 are closed.
	PortOffset int
	// StateDir keeps the state of the cluster and of the simulated AWS account over restarts; empty means a
	// temporary directory. The account is saved by Stop: a sandbox that is killed loses what changed in it since.
	StateDir string
	// Speed divides simulated durations: provisioning, health intervals, draining, preStop sleeps. 0 is 1.
	Speed float64
	// Simulator says the rest about the simulated account. What the fields above say wins.
	Simulator sim.Options
	// Controller is the path of an operator's binary; empty builds the checkout's, NoController starts none.
	Controller string
	// ControllerArgs are added to the operator's flags, and win over them.
	ControllerArgs []string
	// ControllerEnv is added to the operator's environment.
	ControllerEnv []string
	// CRDs are files or directories of definitions beside those of Headgate and the Gateway API.
	CRDs []string
	// Log receives lines for people: what is being built and started. Nil discards them.
	Log io.Writer
}

// Sandbox is one that runs.
type Sandbox struct {
	options   Options
	root      string // the checkout
	dir       string
	scratch   *scratch // nil where the caller named a directory
	cluster   *cluster.Cluster
	simulator *sim.Simulator
	runner    *pods.Runner
	operator  *operator
	logs      []*os.File
	stopped   bool
}

// Start brings everything up and returns when the operator, if there is one, is ready. After an error nothing
// is left running.
func Start(ctx context.Context, options Options) (*Sandbox, error) {
	s := &Sandbox{options: options.orDefaults()}
	if err := s.start(ctx); err != nil {
		return nil, errors.Join(err, s.Stop(context.WithoutCancel(ctx)))
	}
	return s, nil
}

func (o Options) orDefaults() Options {
	if o.ClusterName == "" {
		o.ClusterName = "headgate"
	}
	if o.Simulator.Region == "" {
		o.Simulator.Region = "us-west-2"
	}
	if o.Speed == 0 {
		o.Speed = 1
	}
	if o.Log == nil {
		o.Log = io.Discard
	}
	return o
}

func (s *Sandbox) start(ctx context.Context) error {
	if err := s.prepare(ctx); err != nil {
		return err
	}
	if err := s.startSimulator(ctx); err != nil {
		return err
	}
	if err := s.startCluster(ctx); err != nil {
		return err
	}
	if err := s.startPods(ctx); err != nil {
		return err
	}
	if err := s.cluster.Apply(ctx, filepath.Join(s.root, "sandbox", "manifests")); err != nil {
		return fmt.Errorf("applying the sandbox's manifests: %w", err)
	}
	return s.startOperator(ctx)
}

// prepare finds the sources, a directory, and out whether load balancers can listen.
func (s *Sandbox) prepare(ctx context.Context) error {
	if err := CheckPorts(ctx, s.options.PortOffset); err != nil {
		return err
	}
	root, err := binaries.Root()
	if err != nil {
		return fmt.Errorf("finding the sources: %w", err)
	}
	s.root, s.dir = root, s.options.StateDir
	if s.dir == "" {
		if s.scratch, err = newScratch(); err != nil {
			return err
		}
		s.dir = s.scratch.dir
	}
	if s.dir, err = filepath.Abs(s.dir); err != nil {
		return fmt.Errorf("finding the state directory: %w", err)
	}
	if err := os.MkdirAll(s.LogDir(), dirMode); err != nil {
		return fmt.Errorf("making the state directory: %w", err)
	}
	return nil
}

const (
	dirMode     = 0o700
	logFileMode = 0o600
)

// LogDir is where the programs write what they have to say.
func (s *Sandbox) LogDir() string { return filepath.Join(s.dir, "logs") }

func (s *Sandbox) startCluster(ctx context.Context) error {
	programs, err := binaries.Ensure(ctx, s.options.Log)
	if err != nil {
		return fmt.Errorf("getting the control plane: %w", err)
	}
	gatewayAPI, err := gatewayDefinitions(ctx, s.root)
	if err != nil {
		return err
	}
	log, err := s.logFile("control-plane.log")
	if err != nil {
		return err
	}
	s.say("Starting the control plane")
	s.cluster, err = cluster.Start(ctx, cluster.Options{
		Binaries: programs, Dir: filepath.Join(s.dir, "cluster"), Log: log,
		CRDs: append([]string{filepath.Join(s.root, "config", "crd"), gatewayAPI}, s.options.CRDs...),
	})
	if err != nil {
		return fmt.Errorf("starting the control plane: %w", err)
	}
	return nil
}

func (s *Sandbox) startPods(ctx context.Context) error {
	nodes, err := launch(ctx, s.simulator)
	if err != nil {
		return fmt.Errorf("launching nodes: %w", err)
	}
	for _, node := range nodes {
		s.simulator.RemoveNetworkInterface(podInterface(node)) // of the pods of an earlier run
	}
	certificate, key := s.cluster.KubeletCertificate()
	s.runner, err = pods.Start(ctx, pods.Options{
		Config: s.cluster.Config(), Nodes: nodes, Speed: s.options.Speed, Network: network{s.simulator},
		Kubelet: pods.Kubelet{Certificate: certificate, Key: key, ClientCA: s.cluster.CertificateAuthority()},
	})
	if err != nil {
		return fmt.Errorf("starting the pod runner: %w", err)
	}
	return nil
}

// Stop ends everything, the operator first, and removes what is temporary. Stopping twice is fine.
func (s *Sandbox) Stop(ctx context.Context) error {
	if s.stopped {
		return nil
	}
	s.stopped = true
	var failures []error
	if s.operator != nil {
		failures = append(failures, s.operator.stop(ctx))
	}
	if s.runner != nil {
		failures = append(failures, s.runner.Stop(ctx))
	}
	if s.cluster != nil {
		failures = append(failures, s.cluster.Stop(ctx))
	}
	if s.simulator != nil {
		failures = append(failures, s.simulator.Close())
	}
	for _, file := range s.logs {
		failures = append(failures, file.Close())
	}
	if s.scratch != nil {
		failures = append(failures, s.scratch.remove())
	}
	if err := errors.Join(failures...); err != nil {
		return fmt.Errorf("stopping the sandbox: %w", err)
	}
	return nil
}

// Config is a client configuration with all rights.
func (s *Sandbox) Config() *rest.Config { return s.cluster.Config() }

// Kubeconfig is the path of a kubeconfig with all rights.
func (s *Sandbox) Kubeconfig() string { return s.cluster.Kubeconfig() }

// Kubectl is the path of a kubectl of the cluster's version.
func (s *Sandbox) Kubectl() string { return s.cluster.Kubectl() }

// Simulator is the AWS account.
func (s *Sandbox) Simulator() *sim.Simulator { return s.simulator }

// Access says how the simulated account is reached.
type Access struct {
	// URL is the endpoint of all AWS services.
	URL string
	// DNSHost and DNSPort are of the DNS server that knows the names of load balancers.
	DNSHost, DNSPort string
}

// Access of the simulated account.
func (s *Sandbox) Access() Access {
	host, port, _ := strings.Cut(s.simulator.DNSAddr(), ":")
	return Access{URL: s.simulator.URL(), DNSHost: host, DNSPort: port}
}

// Cluster is the control plane.
func (s *Sandbox) Cluster() *cluster.Cluster { return s.cluster }

// Dir is where state and logs are.
func (s *Sandbox) Dir() string { return s.dir }

// logFile opens a log for appending; Stop closes it.
func (s *Sandbox) logFile(name string) (*os.File, error) {
	file, err := os.OpenFile(filepath.Join(s.LogDir(), name), os.O_CREATE|os.O_APPEND|os.O_WRONLY, logFileMode)
	if err != nil {
		return nil, fmt.Errorf("opening a log: %w", err)
	}
	s.logs = append(s.logs, file)
	return file, nil
}

// say tells people what happens. That nobody listens is no reason to stop.
func (s *Sandbox) say(format string, args ...any) {
	_, _ = fmt.Fprintf(s.options.Log, format+"\n", args...)
}
