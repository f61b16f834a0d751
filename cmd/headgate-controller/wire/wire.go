// Package wire is the only place where the operator's constructors meet: it builds everything from settings and runs it until
// its context ends. It may import everything but the simulator and the sandbox. Its invariant: no other package builds a manager
// or a cloud client for the operator.
package wire

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/config"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"
	gwv1beta1 "sigs.k8s.io/gateway-api/apis/v1beta1"

	elbv2v1beta1 "github.com/headgate/headgate/apis/elbv2/v1beta1"
	awsgwv1 "github.com/headgate/headgate/apis/gateway/v1"
	headgatev1alpha1 "github.com/headgate/headgate/apis/headgate/v1alpha1"
	"github.com/headgate/headgate/controllers/gateway"
	"github.com/headgate/headgate/controllers/targets"
)

// NewScheme knows every kind that the operator reads or writes.
func NewScheme() (*runtime.Scheme, error) {
	s := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{
		clientgoscheme.AddToScheme, gwv1.Install, gwv1beta1.Install,
		elbv2v1beta1.AddToScheme, awsgwv1.AddToScheme, headgatev1alpha1.AddToScheme,
	} {
		if err := add(s); err != nil {
			return nil, fmt.Errorf("building the scheme: %w", err)
		}
	}
	return s, nil
}

func restConfig(path string) (*rest.Config, error) {
	if path == "" {
		config, err := rest.InClusterConfig()
		if err != nil {
			return nil, fmt.Errorf("reading the cluster's configuration (set --kubeconfig outside a cluster): %w", err)
		}
		return config, nil
	}
	config, err := clientcmd.BuildConfigFromFlags("", path)
	if err != nil {
		return nil, fmt.Errorf("reading --kubeconfig %s: %w", path, err)
	}
	return config, nil
}

func newManager(s Settings, h hooks, of *term) (ctrl.Manager, error) {
	scheme, err := NewScheme()
	if err != nil {
		return nil, err
	}
	access := s.Config
	if access == nil {
		if access, err = restConfig(s.Kubeconfig); err != nil {
			return nil, err
		}
	}
	access = rest.CopyConfig(access)
	// The API server's own priority and fairness sets the pace.
	access.QPS = -1
	lock, err := s.lease(access, of)
	if err != nil {
		return nil, err
	}
	access.Wrap(of.guard) // the lease is renewed without it
	options := ctrl.Options{
		Scheme:                        scheme,
		Metrics:                       metricsserver.Options{BindAddress: s.MetricsAddr},
		HealthProbeBindAddress:        s.HealthAddr,
		WebhookServer:                 h.server,
		LeaderElection:                s.LeaderElection,
		LeaderElectionID:              s.LeaderID,
		LeaderElectionNamespace:       s.LeaderNamespace,
		LeaseDuration:                 new(leaseTime),
		RenewDeadline:                 new(renewDeadline),
		RetryPeriod:                   new(renewPeriod),
		LeaderElectionReleaseOnCancel: true,
		// A cache of Secrets or ConfigMaps would need the right to list them.
		Client: client.Options{Cache: &client.CacheOptions{DisableFor: []client.Object{&corev1.Secret{}, &corev1.ConfigMap{}}}},
		Cache: cache.Options{
			DefaultTransform: cache.TransformStripManagedFields(),
			ByObject: map[client.Object]cache.ByObject{
				&corev1.Node{}: {Transform: targets.Slim}, &corev1.ServiceAccount{}: {Label: gateway.Companions()},
			},
		},
		// Names of controllers are ours alone; a test may run several operators in one process.
		Controller: config.Controller{SkipNameValidation: new(true)},
	}
	options.LeaderElectionResourceLockInterface = lock
	if s.WatchNamespace != "" {
		options.Cache.DefaultNamespaces = map[string]cache.Config{s.WatchNamespace: {}}
	}
	mgr, err := ctrl.NewManager(access, options)
	if err != nil {
		return nil, fmt.Errorf("building the manager: %w", err)
	}
	for _, add := range []func(string, healthz.Checker) error{mgr.AddHealthzCheck, mgr.AddReadyzCheck} {
		if err := add("ping", healthz.Ping); err != nil {
			return nil, fmt.Errorf("adding a health check: %w", err)
		}
	}
	return mgr, nil
}

// Run wires the parts and runs until ctx ends.
func Run(ctx context.Context, s Settings) error {
	h, err := newHooks(s.Webhooks)
	if err != nil {
		return err
	}
	if s.Now == nil {
		s.Now = time.Now
	}
	of := &term{now: s.Now}
	mgr, err := newManager(s, h, of)
	if err != nil {
		return err
	}
	if err := h.register(mgr); err != nil {
		return err
	}
	if err := connect(ctx, mgr, s, of); err != nil {
		return err
	}
	if err := mgr.Start(ctx); err != nil {
		return fmt.Errorf("running: %w", err)
	}
	return nil
}
