package wire

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/headgate/headgate/cloud"
	"github.com/headgate/headgate/controllers/ingress"
	"github.com/headgate/headgate/controllers/orphan"
	"github.com/headgate/headgate/controllers/stack"
	"github.com/headgate/headgate/controllers/targets"
	"github.com/headgate/headgate/model"
)

// connect builds the cloud client, the loop and the front doors, and registers them.
func connect(ctx context.Context, mgr ctrl.Manager, s Settings, of *term) error {
	secrets, err := newSecrets(mgr, s)
	if err != nil {
		return err
	}
	aws, err := newCloud(ctx, s, secrets, of)
	if err != nil {
		return err
	}
	cluster := stack.NewCluster(aws, stack.ClusterOptions{
		Name: s.Cluster, Tags: s.DefaultTags, OpenAllPorts: s.OpenAllPorts, Linger: s.RuleGrace, Backend: s.BackendGroupID, Forget: aws.Forget, Now: s.Now,
		// Past the cache, which may still show a stack that was just forgotten.
		Stacks: func(ctx context.Context) (int, error) { return stack.Count(ctx, mgr.GetAPIReader(), s.Cluster) },
	})
	did, err := measured(mgr, s, aws.Usage)
	if err != nil {
		return err
	}
	loop := stack.New(mgr.GetClient(), aws, cluster, stack.Options{
		Verify: s.SyncPeriod, VerifyDelay: s.SweepDelay, Forget: aws.Forget, Now: s.Now,
		Patience: s.TargetPatience, Hold: s.TargetHold, MoveHold: s.MoveHold, Retention: cmp.Or(s.Retention, -1),
		Live:       mgr.GetAPIReader(),
		Background: func(ctx context.Context) context.Context { return cloud.WithLane(ctx, cloud.Background) },
		Trial:      cloud.Trial,
		OnPlan:     did.plan,
		Breaker:    breaker(s),
	})
	if s.MetricsAddr != "0" {
		if err := countExpiry(metrics.Registry, loop.Board()); err != nil {
			return err
		}
	}
	network := targets.NewNetwork(cluster, targets.Pace{Quiet: quiet, Verify: s.SyncPeriod})
	lane := targets.New(mgr, aws, targets.Options{
		Board: loop.Board(), Network: network, FailOpen: failOpen(s), Workers: s.TargetWorkers, MaxTargets: s.MaxTargets,
		Poll: s.TargetPoll, MaxBackoff: s.TargetBackoff, Pods: targets.NewPods(mgr), Now: s.Now,
		As:        func(role model.Role) targets.Account { return aws.As(role) },
		InService: did.serving,
		Breaker:   stack.BreakerOptions{Percent: s.TargetBreakerPercent, Least: s.TargetBreakerLeast, Window: s.TargetBreakerWindow},
		Paused:    did.pausing,
	})
	if err := addTargets(mgr, lane, network); err != nil {
		return err
	}
	if s.WatchNamespace == "" { // what other namespaces want is not known then
		watch := orphan.New(aws, mgr.GetClient(), orphan.Options{Cluster: s.Cluster, Count: did.orphaned})
		if err := mgr.Add(watch); err != nil {
			return fmt.Errorf("registering the watch for orphans: %w", err)
		}
	}
	doors, err := FrontDoors(s)
	if err != nil {
		return err
	}
	front := ingress.New(mgr.GetClient(), loop, mgr.GetEventRecorder("ingress"), doors.Ingress).WithSecrets(secrets.book)
	if err := front.SetupWithManager(mgr, s.IngressWorkers); err != nil {
		return fmt.Errorf("registering the Ingress front door: %w", err)
	}
	return addGateway(mgr, loop, s, secrets)
}

func breaker(s Settings) stack.BreakerOptions {
	return stack.BreakerOptions{Percent: s.BreakerPercent, Least: s.BreakerLeast, Window: s.BreakerWindow}
}

// measured registers the metrics of what the operator does and of the load balancers. Where nobody asks for metrics they are counted in vain.
func measured(mgr ctrl.Manager, s Settings, region func() []model.QuotaUse) (progress, error) {
	if s.MetricsAddr == "0" {
		return countProgress(prometheus.NewRegistry())
	}
	if err := countFleet(metrics.Registry, mgr.GetClient(), region); err != nil {
		return progress{}, err
	}
	return countProgress(metrics.Registry)
}

func newCloud(ctx context.Context, s Settings, read *secrets, of *term) (*cloud.Client, error) {
	options := CloudOptions(s)
	options.Secrets, options.Authorities, options.Term, options.Now = read.data, read.authorities, of.left, s.Now
	if s.MetricsAddr != "0" {
		observe, err := cloud.CountCalls(metrics.Registry)
		if err != nil {
			return nil, fmt.Errorf("counting AWS calls: %w", err)
		}
		if options.Limits, err = cloud.CountPace(metrics.Registry); err != nil {
			return nil, fmt.Errorf("counting what waits for AWS: %w", err)
		}
		options.OnCall = observe
	}
	client, err := cloud.New(ctx, options)
	if err != nil {
		return nil, fmt.Errorf("connecting to AWS: %w", err)
	}
	return client, nil
}

func failOpen(s Settings) targets.FailOpen {
	if s.FailOpen {
		return targets.RegisterUnready
	}
	return targets.LeaveUnready
}

// addTargets registers the targets lane, and the network that it tells which addresses must admit traffic.
func addTargets(mgr ctrl.Manager, lane *targets.Reconciler, network *targets.Network) error {
	network.Hear(lane.Heard)
	if err := mgr.Add(manager.RunnableFunc(network.Start)); err != nil {
		return fmt.Errorf("adding the network: %w", err)
	}
	if err := lane.SetupWithManager(mgr); err != nil {
		return fmt.Errorf("registering the targets lane: %w", err)
	}
	return nil
}

// quiet is how long the rules on pods' security groups wait for more changes.
const quiet = 100 * time.Millisecond
