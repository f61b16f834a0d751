package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"text/template"

	"github.com/spf13/cobra"

	"github.com/headgate/headgate/sandbox"
)

const sandboxLong = `Run a cluster on this machine: etcd, API server, controller manager, pods that answer, a simulated AWS account with a
data plane, and the operator. Everything listens on loopback; nothing leaves the machine, and Ctrl-C ends all of it.

Pods are echo servers whatever their image: each answers with the request that it received and with its own name. The first start
builds the control plane from its Go modules, which takes minutes; later ones take seconds.

Nothing is kept, unless --state-dir names a directory: then the next start with it has the cluster and the AWS account as they were.
The account is saved at the end, in aws.json there, which holds private keys and is readable for you alone: after a kill -9 it is as it
was at the last start that ended well. It is of one --cluster-name.

Load balancers listen on the ports that their listeners name, each on an address of its own. Where ports below 1024 are closed,
--port-offset 8000 moves 80 to 8080.`

const sandboxTips = `
The sandbox is up. In another terminal:

  export KUBECONFIG={{.Kubeconfig}}
  alias kubectl={{.Kubectl}}

  kubectl get nodes
  kubectl apply -f FILE         # an Ingress or a Gateway of class alb, with what it leads to
  kubectl get lb                # what runs, and is it well?
  kubectl logs deploy/NAME      # the requests that a pod received

Below, each load balancer that becomes active comes with its address on this machine; ask it for a host:

  curl -H 'Host: HOST' http://ADDRESS:{{.Port}}/
  dig +short @{{.DNSHost}} -p {{.DNSPort}} NAME.us-west-2.elb.amazonaws.com

The simulated AWS account, for any client and any credentials:

  aws --endpoint-url {{.URL}} --region us-west-2 elbv2 describe-load-balancers
  curl {{.URL}}/_sim/state

Logs are in {{.Logs}}. Ctrl-C stops everything. What happens:

`

func newSandboxCommand() *cobra.Command {
	var o sandbox.Options
	command := &cobra.Command{
		Use:     "sandbox",
		Short:   "Run a cluster with a simulated AWS account on this machine",
		Long:    sandboxLong,
		Example: "  headgate sandbox --speed 20\n  headgate sandbox --port-offset 8000 --state-dir ./state",
		Args:    cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			ctx, stop := untilSignal(command.Context())
			defer stop()
			return runSandbox(ctx, o, command.OutOrStdout())
		},
	}
	flags := command.Flags()
	flags.IntVar(&o.PortOffset, "port-offset", 0, "number added to every listener port when it is bound, where ports below 1024 are closed")
	flags.StringVar(&o.StateDir, "state-dir", "", "directory that keeps the cluster and the AWS account for the next start; a temporary one without it")
	flags.Float64Var(&o.Speed, "speed", 10, "number that every simulated duration is divided by")
	flags.StringVar(&o.Controller, "controller", "", `path of the operator; empty builds this checkout's, "none" runs none`)
	flags.StringArrayVar(&o.ControllerArgs, "controller-arg", nil, "flag to add to the operator's; may be repeated")
	flags.StringVar(&o.ClusterName, "cluster-name", "headgate", "name of the cluster, in tags and names of AWS resources")
	flags.StringVar(&o.Simulator.Listen, "aws-listen", "127.0.0.1:0", "address of the simulated AWS endpoint")
	flags.StringVar(&o.Simulator.DNS, "dns", "127.0.0.1:0", "address of the DNS server for names of load balancers")
	return command
}

// runSandbox runs until the context ends or the operator does.
func runSandbox(ctx context.Context, o sandbox.Options, out io.Writer) (failure error) {
	o.Log = out
	s, err := startSandbox(ctx, o)
	if err != nil {
		return err
	}
	defer func() {
		fmt.Fprintln(out, "Stopping the sandbox")
		if err := s.Stop(context.WithoutCancel(ctx)); err != nil {
			failure = errors.Join(failure, err)
		}
	}()
	if err := tell(s, o, out); err != nil {
		return err
	}
	return stream(ctx, s, out)
}

// stream tells what happens until the context ends, which is how a sandbox ends well, or the operator does.
func stream(ctx context.Context, s *sandbox.Sandbox, out io.Writer) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	streamed := make(chan error, 1)
	go func() { streamed <- s.Stream(ctx, out) }()
	select {
	case err := <-streamed:
		return err
	case <-s.OperatorDone():
		stop()
		return errors.Join(s.OperatorErr(), <-streamed)
	}
}

// httpPort is where most load balancers listen.
const httpPort = 80

// tell prints what to try.
func tell(s *sandbox.Sandbox, o sandbox.Options, out io.Writer) error {
	tips, err := template.New("tips").Parse(sandboxTips)
	if err != nil {
		return fmt.Errorf("reading the tips: %w", err)
	}
	access := s.Access()
	err = tips.Execute(out, map[string]any{
		"Kubeconfig": s.Kubeconfig(), "Kubectl": s.Kubectl(), "URL": access.URL, "DNSHost": access.DNSHost, "DNSPort": access.DNSPort,
		"Port": httpPort + o.PortOffset, "Logs": s.LogDir(),
	})
	if err != nil {
		return fmt.Errorf("printing the tips: %w", err)
	}
	return nil
}
