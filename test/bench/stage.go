package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/headgate/headgate/cloud/sim"
	"github.com/headgate/headgate/cloud/sim/elb"
	"github.com/headgate/headgate/cmd/headgate-controller/wire"
	"github.com/headgate/headgate/sandbox/binaries"
	"github.com/headgate/headgate/sandbox/cluster"
	"github.com/headgate/headgate/sandbox/process"
)

// theatre is what all cases share: an API server and the operator's binary.
type theatre struct {
	*cluster.Cluster

	settings   settings
	root       string
	dir        string
	controller string
	client     client.WithWatch
	played     int
}

func open(ctx context.Context, root string, s settings, out io.Writer) (*theatre, error) {
	dir, err := os.MkdirTemp("", "headgate-bench-")
	if err != nil {
		return nil, fmt.Errorf("making a directory: %w", err)
	}
	t := &theatre{settings: s, root: root, dir: dir, controller: s.controller}
	if t.controller == "" {
		if t.controller, err = binaries.Controller(ctx, dir, out); err != nil {
			return nil, fmt.Errorf("building the operator: %w", err)
		}
	}
	programs, err := binaries.Ensure(ctx, out)
	if err != nil {
		return nil, fmt.Errorf("building the control plane: %w", err)
	}
	gatewayAPI, err := exec.CommandContext(ctx, "go", "list", "-C", root, "-m", "-f", "{{.Dir}}", "sigs.k8s.io/gateway-api").Output()
	if err != nil {
		return nil, fmt.Errorf("finding the Gateway API's CRDs: %w", err)
	}
	t.Cluster, err = cluster.Start(ctx, cluster.Options{Binaries: programs, Dir: filepath.Join(dir, "cluster"), CRDs: []string{
		filepath.Join(root, "config", "crd"), filepath.Join(strings.TrimSpace(string(gatewayAPI)), "config", "crd", "standard"),
	}})
	if err != nil {
		return nil, fmt.Errorf("starting the API server: %w", err)
	}
	scheme, err := wire.NewScheme()
	if err != nil {
		return nil, fmt.Errorf("making a client: %w", err)
	}
	config := t.Config()
	config.QPS = -1
	if t.client, err = client.NewWithWatch(config, client.Options{Scheme: scheme}); err != nil {
		return nil, fmt.Errorf("making a client: %w", err)
	}
	return t, t.create(ctx, classes()...)
}

func (t *theatre) close(ctx context.Context) error {
	return errors.Join(t.Stop(ctx), os.RemoveAll(t.dir))
}

func (t *theatre) create(ctx context.Context, objects ...client.Object) error {
	for _, o := range objects {
		if err := t.client.Create(ctx, o); err != nil {
			return fmt.Errorf("creating %T %s: %w", o, o.GetName(), err)
		}
	}
	return nil
}

// stage is one AWS account, one namespace and one operator.
type stage struct {
	*theatre

	name    string
	sim     *sim.Simulator // nil at another endpoint
	gate    *gate
	child   *process.Process
	log     *os.File
	started time.Time
}

// set builds a stage for a case; the operator runs when it returns.
func (t *theatre) set(ctx context.Context, p profile) (*stage, error) {
	t.played++
	s := &stage{theatre: t, name: "bench-" + strconv.Itoa(t.played)}
	endpoint, vpc := t.settings.endpoint, t.settings.vpc
	if endpoint == "" {
		const rules, groups, targets = 200, 3000, 100_000
		var err error
		s.sim, err = sim.New(sim.Options{
			ClusterName: s.name, Provisioning: -1, TargetCheck: -1, Linger: -1, RuleDelay: -1,
			Quotas: elb.Quotas{RulesPerLoadBalancer: rules, TargetGroups: groups, TargetsPerLoadBalancer: targets},
		})
		if err != nil {
			return nil, fmt.Errorf("starting the simulator: %w", err)
		}
		endpoint, vpc = s.sim.URL(), s.sim.World().VPC
		if err := addInterfaces(s.sim); err != nil {
			return nil, err
		}
	}
	var err error
	if s.gate, err = newGate(ctx, p, endpoint); err != nil {
		return nil, err
	}
	if s.log, err = os.Create(filepath.Join(t.dir, s.name+".log")); err != nil {
		return nil, fmt.Errorf("making a log: %w", err)
	}
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: s.name}}
	if err := s.create(ctx, namespace); err != nil {
		return nil, err
	}
	return s, s.start(ctx, vpc)
}

// interfaces is how many hold the addresses of pods.
const interfaces = 44

// addInterfaces makes the interfaces that hold the addresses of pods, in a security group that the cluster owns.
func addInterfaces(s *sim.Simulator) error {
	const each = addressesEach
	for i := range interfaces {
		addresses := make([]string, 0, each)
		for j := range each {
			addresses = append(addresses, podAddress(i*each+j))
		}
		_, err := s.AddNetworkInterface(sim.Interface{
			ID: fmt.Sprintf("eni-%017x", i+1), SecurityGroups: []string{s.World().NodeSecurityGroup}, Addresses: addresses,
		})
		if err != nil {
			return fmt.Errorf("making network interfaces: %w", err)
		}
	}
	return nil
}

// start runs the operator. It is started when its process is: what it needs to be ready counts.
func (s *stage) start(ctx context.Context, vpc string) error {
	var endpoints []string
	for _, service := range []string{"elasticloadbalancing", "ec2", "acm", "sts", "tagging", "wafv2", "shield"} {
		endpoints = append(endpoints, service+"="+s.gate.url)
	}
	s.started = time.Now()
	child, err := process.Start(ctx, process.Spec{
		Path: s.controller, Log: s.log,
		Env: []string{"AWS_EC2_METADATA_DISABLED=true", "AWS_ACCESS_KEY_ID=bench", "AWS_SECRET_ACCESS_KEY=bench", "HOME=" + s.dir},
		Args: []string{
			"--kubeconfig=" + s.Kubeconfig(), "--cluster-name=" + s.name, "--aws-region=us-west-2", "--aws-vpc-id=" + vpc,
			"--aws-api-endpoints=" + strings.Join(endpoints, ","), "--default-target-type=ip", "--metrics-bind-addr=0",
			"--health-probe-bind-addr=0", "--enable-leader-election=false", "--watch-namespace=" + s.name,
			"--deletion-breaker-percent=100",
		},
	})
	if err != nil {
		return fmt.Errorf("starting the operator: %w", err)
	}
	s.child = child
	return nil
}

// restart kills the operator and starts it again.
func (s *stage) restart(ctx context.Context) error {
	if err := s.child.Kill(); err != nil {
		return fmt.Errorf("killing the operator: %w", err)
	}
	<-s.child.Done()
	vpc := s.settings.vpc
	if s.sim != nil {
		vpc = s.sim.World().VPC
	}
	return s.start(ctx, vpc)
}

func (s *stage) strike(ctx context.Context) error {
	err := errors.Join(s.child.Kill(), s.gate.close(), s.log.Close())
	<-s.child.Done()
	if s.sim != nil {
		err = errors.Join(err, s.sim.Close())
	}
	return errors.Join(err, s.sweep(ctx))
}
