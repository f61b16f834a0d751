// Package demo is the guided tour of Headgate: it applies the shop example to a running sandbox, sends real requests through the
// load balancers that come of it, breaks one team's Ingress, and deletes everything again. Every line that it prints is checked.
//
// It may import everything. Its invariant: it succeeds only if every step was seen to be so.
package demo

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/headgate/headgate/cloud/sim"
)

// World is the sandbox that the demo runs in.
type World struct {
	Client client.Client
	// Kubectl runs kubectl with the sandbox's kubeconfig.
	Kubectl func(ctx context.Context, args ...string) (string, error)
	// Headgate runs the command line; the error of an exit code is a *exec.ExitError.
	Headgate func(ctx context.Context, args ...string) (string, error)
	Sim      *sim.Simulator
	// PortOffset is added to the ports of listeners on this machine.
	PortOffset int
	// Examples is the directory of the shop example.
	Examples string
	// Broken is the manifest of an Ingress with mistakes, of the shop's group.
	Broken string
	Out    io.Writer
}

// patience is how long a step may take before it has failed.
const patience = 90 * time.Second

// tour is one run of the demo.
type tour struct {
	World

	certificate certificate
	clients     clients
	files       []string
	steps       int
}

// step is one step of the demo.
type step struct {
	title string
	run   func(*tour, context.Context) error
}

func steps() []step {
	return []step{
		{"Import a certificate for *.example.com", (*tour).importCertificate},
		{"What would be done: headgate plan", (*tour).plan},
		{"Apply the shop: two Ingresses in a group, a Gateway, three HTTPRoutes", (*tour).apply},
		{"The load balancers become active, their targets healthy", (*tour).active},
		{"What you run: kubectl get lb", (*tour).show},
		{"Requests through the Ingress group", (*tour).ingressTraffic},
		{"Requests through the Gateway", (*tour).gatewayTraffic},
		{"A Deployment is scaled up and down; targets follow", (*tour).scale},
		{"One team breaks its Ingress; the other's traffic goes on", (*tour).breakOne},
		{"Nothing more is written to AWS", (*tour).steady},
		{"Everything is deleted; the account is empty", (*tour).deleteAll},
	}
}

// Run takes the tour. Keep leaves out the last step.
func Run(ctx context.Context, w World, keep Keep) error {
	t := &tour{World: w}
	all := steps()
	if keep == KeepRunning {
		all = all[:len(all)-1]
	}
	begin := time.Now()
	for i, s := range all {
		fmt.Fprintf(t.Out, "\n== %d/%d %s\n", i+1, len(all), s.title)
		if err := t.attempt(ctx, s); err != nil {
			fmt.Fprintf(t.Out, "   ✗ %v\n", err)
			return fmt.Errorf("step %d, %s: %w", i+1, s.title, err)
		}
	}
	fmt.Fprintf(t.Out, "\n== Done: %d steps, %d checks passed, in %s\n", len(all), t.steps, time.Since(begin).Round(time.Second))
	return nil
}

// Keep says what happens at the end.
type Keep int

const (
	// DeleteAll deletes everything and checks that nothing is left.
	DeleteAll Keep = iota
	// KeepRunning leaves the shop as it is.
	KeepRunning
)

func (t *tour) attempt(ctx context.Context, s step) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return s.run(t, ctx)
}

// ok prints a fact that was just checked.
func (t *tour) ok(format string, args ...any) {
	t.steps++
	fmt.Fprintf(t.Out, "   ✓ "+format+"\n", args...)
}

// show prints the output of a command.
func (t *tour) print(text string) {
	for line := range strings.SplitSeq(strings.TrimRight(text, "\n"), "\n") {
		fmt.Fprintf(t.Out, "   | %s\n", line)
	}
}
