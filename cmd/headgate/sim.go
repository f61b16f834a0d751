package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/headgate/headgate/cloud/sim"
	"github.com/headgate/headgate/sandbox"
)

const simLong = `Run the simulator: AWS on a loopback address, for any AWS client whose endpoint is changed.

It serves what a load balancer controller calls (Elastic Load Balancing v2, EC2's network part, ACM and more) behind one endpoint, accepts
any credentials and refuses what AWS refuses. It starts with a VPC and subnets in three zones, and forgets everything when it ends,
unless --snapshot names a file. With --data-plane listeners take traffic, each load balancer on a loopback address of its own.

It can be as inconvenient as AWS: calls that fail (--fault), wait (--latency), are too many (--throttle), see late what others did
(--consistency) or are not allowed (--policy). The same can be switched while it runs, at /_sim/faults.

Beside AWS it answers, as docs/reference/simulator.md describes,
  GET    /_sim/state              everything that it holds, as JSON
  GET    /_sim/loadbalancers      ARN, DNS name, state and loopback address of each load balancer
  GET    /_sim/world              identifiers of the network that it starts with
  GET    /_sim/calls              calls since the start by service and action (DELETE forgets them)
  PUT    /_sim/addresses          where targets and hosts really are: {"10.0.1.15:8080": "127.0.0.1:34567", "idp.example.com": "127.0.0.1:8443"}
  GET    /_sim/keys/ID            the key that verifies what load balancers tell targets of users who signed in
  PUT    /_sim/networkinterfaces  interfaces of nodes and pods
  GET    /_sim/events             what happens, one JSON object a line, as it happens
  PUT    /_sim/faults             faults, latency, throttling, consistency, policy (GET shows, DELETE ends them)
  GET    /_sim/snapshot           everything that it takes to have this state again (PUT loads it)
  POST   /_sim/reset              back to the start`

func newSimCommand() *cobra.Command {
	var o sim.Options
	var inconvenience simFlags
	var around worldFlags
	command := &cobra.Command{
		Use:   "sim",
		Short: "Run AWS on a loopback address",
		Long:  simLong,
		Example: "  headgate sim --listen 127.0.0.1:4566 --data-plane --dns 127.0.0.1:5353 --speed 60\n" +
			"  headgate sim --throttle --latency read=40ms,write=150ms --fault kind=write,every=7,when=after",
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			if err := errors.Join(inconvenience.apply(&o), around.apply(&o)); err != nil {
				return err
			}
			if err := checkNumbers(o.PortOffset, o.Speed); err != nil {
				return err
			}
			o.Logger = slog.New(slog.NewTextHandler(command.OutOrStdout(), nil))
			ctx, stop := untilSignal(command.Context())
			defer stop()
			s, text, err := startSim(ctx, o)
			if err != nil {
				return err
			}
			return serveSim(ctx, s, text, command.OutOrStdout())
		},
	}
	flags := command.Flags()
	flags.StringVar(&o.Listen, "listen", "127.0.0.1:4566", "address of the endpoint")
	flags.BoolVar(&o.DataPlane, "data-plane", false, "let the listeners of application and network load balancers take traffic")
	flags.IntVar(&o.PortOffset, "port-offset", 0, "number added to every listener port when it is bound, where ports below 1024 are closed")
	flags.StringVar(&o.DNS, "dns", "", "address of a DNS server for the names of load balancers and the records of Route 53; none without it")
	flags.Float64Var(&o.Speed, "speed", 1, "number that every simulated duration is divided by")
	flags.DurationVar(&o.Provisioning, "provisioning", 0, "how long a load balancer takes to become active (default 2m, negative for none)")
	flags.DurationVar(&o.RuleDelay, "rule-delay", 0, "how long a change of rules takes to reach the data plane (default 1s, negative for none)")
	flags.StringVar(&o.ClusterName, "cluster-name", "headgate", "cluster name in the tags of the network that it starts with")
	flags.StringVar(&o.Region, "region", "us-west-2", "AWS region")
	flags.StringVar(&o.Account, "account", "123456789012", "AWS account number")
	flags.BoolVar(&o.AllowLoopbackTargets, "allow-loopback-targets", false, "let loopback addresses be registered as targets, which AWS refuses")
	flags.StringVar(&o.Snapshot, "snapshot", "", "file from which the state is loaded at the start, and to which it is saved at the end; it holds private keys")
	inconvenience.add(command)
	around.add(command, &o)
	return command
}

// startSim starts a simulator, and gives what to say of it.
func startSim(ctx context.Context, o sim.Options) (*sim.Simulator, string, error) {
	warning := ""
	if o.DataPlane {
		warning = portWarning(sandbox.CheckPorts(ctx, o.PortOffset))
	}
	s, err := sim.New(o)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, "", fmt.Errorf("starting the simulator: %w%s", err, portHint("--listen"))
	}
	if err != nil {
		return nil, "", fmt.Errorf("starting the simulator: %w", err)
	}
	return s, introduction(s, o) + warning, nil
}

// portWarning says why load balancers will be active and answer nobody; empty where they will.
func portWarning(err error) string {
	if err == nil {
		return ""
	}
	return fmt.Sprintf("\nWarning: %v\n", err)
}

// serveSim says how to use a simulator and lets it run until the context ends.
func serveSim(ctx context.Context, s *sim.Simulator, text string, out io.Writer) error {
	if _, err := io.WriteString(out, text); err != nil {
		return errors.Join(fmt.Errorf("introducing the simulator: %w", err), s.Close())
	}
	<-ctx.Done()
	if err := s.Close(); err != nil {
		return fmt.Errorf("stopping the simulator: %w", err)
	}
	return nil
}

// introduction says how to point a client at the simulator.
func introduction(s *sim.Simulator, o sim.Options) string {
	w := s.World()
	text := fmt.Sprintf(`The simulator answers on %[1]s. To use it:

  export AWS_ENDPOINT_URL=%[1]s AWS_REGION=%[2]s AWS_DEFAULT_REGION=%[2]s AWS_ACCESS_KEY_ID=sim AWS_SECRET_ACCESS_KEY=sim AWS_EC2_METADATA_DISABLED=true
  aws elbv2 create-load-balancer --name hello --subnets %[3]s %[4]s
  curl %[1]s/_sim/loadbalancers

It holds VPC %[5]s (10.0.0.0/16, 2600:1f14:1a2b:3c00::/56)
  public subnets       %[6]v
  private subnets      %[7]v
  node security group  %[8]s
`, s.URL(), o.Region, w.PublicSubnets[0], w.PublicSubnets[1], w.VPC, w.PublicSubnets, w.PrivateSubnets, w.NodeSecurityGroup)
	if s.DNSAddr() != "" {
		text += fmt.Sprintf("\nNames of load balancers: dig @%s\n", s.DNSAddr())
	}
	if !o.DataPlane {
		text += "\nNo traffic: start it with --data-plane to let listeners answer.\n"
	}
	return text
}
