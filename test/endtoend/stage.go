// Package endtoend gives tests a whole sandbox (control plane, pods, simulated account with a data plane, the operator as its own
// process with its own role) with a gate between the operator and AWS, where calls are counted, denied, or end in kill -9.
//
// It may import everything. Its invariant: what the gate counts is the operator's alone; calls of the tests go past it.
package endtoend

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/headgate/headgate/cloud/sim"
	"github.com/headgate/headgate/cmd/headgate-controller/wire"
	"github.com/headgate/headgate/sandbox"
	"github.com/headgate/headgate/sandbox/binaries"
)

// Speed divides simulated durations: a load balancer is active after two seconds.
const Speed = 60

// freeOffset moves ports where those below 1024 are closed.
const freeOffset = 8000

// Stage is a sandbox that runs, with a gate.
type Stage struct {
	*sandbox.Sandbox

	Gate   *Gate
	Client client.Client
	// Root of the checkout.
	Root string
	// PortOffset is added to the ports of listeners on this machine.
	PortOffset int
}

// Start brings a sandbox up. Args are added to the operator's flags; log gets what is being started.
func Start(ctx context.Context, log io.Writer, args ...string) (*Stage, error) {
	root, err := binaries.Root()
	if err != nil {
		return nil, fmt.Errorf("finding the checkout: %w", err)
	}
	address, err := sandbox.FreeAddress(ctx)
	if err != nil {
		return nil, fmt.Errorf("choosing an address: %w", err)
	}
	gate, err := newGate(ctx, "http://"+address)
	if err != nil {
		return nil, fmt.Errorf("opening the gate: %w", err)
	}
	s := &Stage{Gate: gate, Root: root}
	// Nobody posts a guard that kills before the sandbox is there.
	gate.kill = func() error { return s.KillOperator() }
	options := sandbox.Options{
		Speed: Speed, Log: log, Simulator: sim.Options{Listen: address, DNS: "127.0.0.1:0"},
		ControllerArgs: append([]string{"--aws-api-endpoints=" + endpoints(gate.URL)}, args...),
	}
	if err := s.start(ctx, options); err != nil {
		return nil, errors.Join(err, gate.server.Close())
	}
	return s, nil
}

func (s *Stage) start(ctx context.Context, options sandbox.Options) error {
	var err error
	s.Sandbox, err = sandbox.Start(ctx, options)
	if errors.Is(err, sandbox.ErrLowPorts) {
		s.PortOffset, options.PortOffset = freeOffset, freeOffset
		s.Sandbox, err = sandbox.Start(ctx, options)
	}
	if err != nil {
		return fmt.Errorf("starting the sandbox: %w", err)
	}
	scheme, err := wire.NewScheme()
	if err != nil {
		return errors.Join(fmt.Errorf("connecting to the sandbox: %w", err), s.Sandbox.Stop(ctx))
	}
	config := s.Config()
	config.QPS = -1
	if s.Client, err = client.New(config, client.Options{Scheme: scheme}); err != nil {
		return errors.Join(fmt.Errorf("connecting to the sandbox: %w", err), s.Sandbox.Stop(ctx))
	}
	return nil
}

func endpoints(url string) string {
	var out []string
	for _, service := range []string{"elasticloadbalancing", "ec2", "acm", "sts", "tagging", "wafv2", "wafregional", "shield", "route53"} {
		out = append(out, service+"="+url)
	}
	return strings.Join(out, ",")
}

// Stop ends everything, and says what was wrong at the gate.
func (s *Stage) Stop(ctx context.Context) error {
	return errors.Join(s.Sandbox.Stop(ctx), s.Gate.server.Close(), s.Gate.Err())
}

// Kubectl runs kubectl. The error holds what it complained about.
func (s *Stage) Kubectl(ctx context.Context, args ...string) (string, error) {
	return Run(ctx, s.Sandbox.Kubectl(), append([]string{"--kubeconfig", s.Kubeconfig()}, args...)...)
}

// Run runs a program; the error holds what it said.
func Run(ctx context.Context, path string, args ...string) (string, error) {
	var output, complaints bytes.Buffer
	command := exec.CommandContext(ctx, path, args...)
	command.Stdout, command.Stderr = &output, &complaints
	if err := command.Run(); err != nil {
		return output.String(), fmt.Errorf("%s %v: %w: %s", filepath.Base(path), args, err, complaints.String())
	}
	return output.String(), nil
}

// Until calls check until it says nil. After a minute, its last error comes back.
func Until(ctx context.Context, check func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	return sandbox.Until(ctx, check) //nolint:wrapcheck // it is the check's
}
