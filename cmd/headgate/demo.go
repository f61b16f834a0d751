package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/go-logr/logr"
	"github.com/spf13/cobra"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/headgate/headgate/cloud/sim"
	"github.com/headgate/headgate/cmd/headgate-controller/wire"
	"github.com/headgate/headgate/sandbox"
	"github.com/headgate/headgate/sandbox/binaries"
	"github.com/headgate/headgate/sandbox/demo"
)

// demoSpeed divides simulated durations: load balancers are active after seconds, not minutes.
const demoSpeed = 30

func newDemoCommand() *cobra.Command {
	var keep bool
	options := sandbox.Options{Speed: demoSpeed, Simulator: sim.Options{DataPlane: true, DNS: "127.0.0.1:0"}}
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Bring up a sandbox, apply the shop example and check every step",
		Long: "Brings up a sandbox, applies examples/shop, sends real requests through the load balancers that come of it, breaks one\n" +
			"team's Ingress while the other's traffic goes on, deletes everything, and ends with 0 only if all was as it should be.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			options.Log = cmd.OutOrStdout()
			mode := demo.DeleteAll
			if keep {
				mode = demo.KeepRunning
			}
			ctx, stop := untilSignal(cmd.Context())
			defer stop()
			return runDemo(ctx, options, mode)
		},
	}
	cmd.Flags().BoolVar(&keep, "keep", false, "stay up at the end, until Ctrl-C")
	cmd.Flags().IntVar(&options.PortOffset, "port-offset", 0, "added to the ports of listeners, for machines where ports below 1024 are closed")
	cmd.Flags().StringVar(&options.Controller, "controller", "", "path of the operator's binary; empty builds it")
	return cmd
}

func runDemo(ctx context.Context, options sandbox.Options, mode demo.Keep) (err error) {
	s, err := startSandbox(ctx, options)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Stop(context.WithoutCancel(ctx))) }()
	w, err := demoWorld(s, options)
	if err != nil {
		return err
	}
	err = demo.Run(ctx, w, mode)
	if err != nil && ctx.Err() != nil {
		return errStopped
	}
	if err != nil {
		showTail(options.Log, filepath.Join(s.Dir(), "logs", "controller.log"))
		return fmt.Errorf("the demo did not go as it should: %w", err)
	}
	if mode == demo.KeepRunning {
		fmt.Fprintf(options.Log, "\nStaying up. Try: %s --kubeconfig %s get lb\nCtrl-C ends it.\n", s.Kubectl(), s.Kubeconfig())
		<-ctx.Done()
	}
	return nil
}

func demoWorld(s *sandbox.Sandbox, options sandbox.Options) (demo.World, error) {
	c, err := sandboxClient(s)
	if err != nil {
		return demo.World{}, err
	}
	root, err := binaries.Root()
	if err != nil {
		return demo.World{}, fmt.Errorf("finding the examples: %w", err)
	}
	self, err := os.Executable()
	if err != nil {
		return demo.World{}, fmt.Errorf("finding this program: %w", err)
	}
	return demo.World{
		Client: c, Sim: s.Simulator(), PortOffset: options.PortOffset, Out: options.Log,
		Examples: filepath.Join(root, "examples", "shop"), Broken: filepath.Join(root, "examples", "broken", "ingress.yaml"),
		Kubectl:  runner(s.Kubectl(), "--kubeconfig", s.Kubeconfig()),
		Headgate: runner(self),
	}, nil
}

// sandboxClient knows all kinds that the operator knows.
func sandboxClient(s *sandbox.Sandbox) (client.Client, error) {
	// What the client library says of itself is for its developers.
	log.SetLogger(logr.Discard())
	scheme, err := wire.NewScheme()
	if err != nil {
		return nil, fmt.Errorf("connecting to the sandbox: %w", err)
	}
	c, err := client.New(s.Config(), client.Options{Scheme: scheme})
	if err != nil {
		return nil, fmt.Errorf("connecting to the sandbox: %w", err)
	}
	return c, nil
}

// runner runs a program with args before those of each call. The error holds what it said.
func runner(path string, fixed ...string) func(context.Context, ...string) (string, error) {
	return func(ctx context.Context, args ...string) (string, error) {
		cmd := exec.CommandContext(ctx, path, append(append([]string{}, fixed...), args...)...)
		out, err := cmd.CombinedOutput()
		if err != nil {
			err = fmt.Errorf("%s %v: %w: %s", filepath.Base(path), args, err, out)
		}
		return string(out), err
	}
}

// logTail is how much of the operator's log a failed demo shows, in bytes.
const logTail = 4 << 10

func showTail(w io.Writer, path string) {
	data, err := os.ReadFile(path)
	if err != nil {
		return
	}
	fmt.Fprintf(w, "\nThe end of the operator's log:\n%s\n", data[max(0, len(data)-logTail):])
}
