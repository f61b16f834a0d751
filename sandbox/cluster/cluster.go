// Package cluster runs a Kubernetes control plane on loopback: etcd, kube-apiserver and
// kube-controller-manager, with RBAC, service accounts and real deletion of namespaces. There is no kubelet
// and no scheduler; package pods stands in for them.
//
// It may import the sandbox's process package and Kubernetes client libraries. Its invariant: everything
// listens on 127.0.0.1 only, and after Stop no process and no file of it is left, but for a state directory
// that the caller named.
package cluster

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"k8s.io/client-go/rest"

	"github.com/headgate/headgate/sandbox/process"
)

// Options of a cluster.
type Options struct {
	// Binaries is the directory of the programs, as binaries.Ensure returns it.
	Binaries string
	// Dir keeps the cluster's state: keys, etcd's data, the kubeconfig. Empty means a temporary directory
	// that Stop removes.
	Dir string
	// CRDs are files, or directories of files, with CustomResourceDefinitions to install. What is none is
	// passed over.
	CRDs []string
	// Log receives the output of the control plane; nil discards it.
	Log io.Writer
}

// Cluster is a control plane that runs.
type Cluster struct {
	dir        string
	temporary  bool
	binaries   string
	log        io.Writer
	keys       keys
	endpoint   string // https://127.0.0.1:port
	config     *rest.Config
	kubeconfig string
	// children in the order of their start, with what they run; they are stopped in reverse.
	children []*process.Process
	programs []process.Spec
}

// Start brings a control plane up and returns when it serves, its controllers run and the CRDs are
// established. After an error nothing is left running.
func Start(ctx context.Context, options Options) (*Cluster, error) {
	c := &Cluster{dir: options.Dir, binaries: options.Binaries, log: options.Log}
	if err := c.start(ctx, options); err != nil {
		return nil, errors.Join(err, c.Stop(context.WithoutCancel(ctx)))
	}
	return c, nil
}

func (c *Cluster) start(ctx context.Context, options Options) error {
	if err := c.prepare(); err != nil {
		return err
	}
	if err := c.startEtcdAndServer(ctx); err != nil {
		return err
	}
	if err := install(ctx, c.config, options.CRDs); err != nil {
		return err
	}
	return c.startControllerManager(ctx)
}

// prepare makes the directory, the keys and a place for what follows.
func (c *Cluster) prepare() error {
	if c.dir == "" {
		dir, err := os.MkdirTemp("", "headgate-cluster-")
		if err != nil {
			return fmt.Errorf("making a directory for the cluster: %w", err)
		}
		c.dir, c.temporary = dir, true
	}
	if err := os.MkdirAll(c.dir, privateDirMode); err != nil {
		return fmt.Errorf("making the state directory: %w", err)
	}
	c.keys = keys{dir: filepath.Join(c.dir, "pki")}
	return c.keys.ensure()
}

func (c *Cluster) startEtcdAndServer(ctx context.Context) error {
	ports, err := freePorts(ctx, 3)
	if err != nil {
		return err
	}
	etcd := loopbackURL("http", ports[0])
	if err := c.run(ctx, "etcd", etcdFlags(c.dir, etcd, loopbackURL("http", ports[1]))); err != nil {
		return err
	}
	c.endpoint = loopbackURL("https", ports[2])
	c.config = adminConfig(c.endpoint, c.keys)
	c.kubeconfig = filepath.Join(c.dir, "kubeconfig")
	if err := writeKubeconfig(c.kubeconfig, c.endpoint, c.keys); err != nil {
		return err
	}
	if err := c.run(ctx, "kube-apiserver", serverFlags(c.keys, etcd, ports[2])); err != nil {
		return err
	}
	return c.awaitServer(ctx)
}

func (c *Cluster) startControllerManager(ctx context.Context) error {
	if err := c.run(ctx, "kube-controller-manager", controllerManagerFlags(c.keys, c.kubeconfig)); err != nil {
		return err
	}
	return c.awaitControllers(ctx)
}

// run starts one program of the control plane.
func (c *Cluster) run(ctx context.Context, name string, flags []string) error {
	program := process.Spec{Path: filepath.Join(c.binaries, name), Args: flags, Env: cleanEnvironment(), Log: c.log}
	child, err := process.Start(ctx, program)
	if err != nil {
		return fmt.Errorf("bringing up the control plane: %w", err)
	}
	c.children, c.programs = append(c.children, child), append(c.programs, program)
	return nil
}

var errNoProgram = errors.New("the control plane has no such program")

// Restart ends a program of the control plane as a crash would, and starts it again: binaries.Etcd, APIServer or ControllerManager. It
// returns when the API server serves.
func (c *Cluster) Restart(ctx context.Context, name string) error {
	i := slices.IndexFunc(c.programs, func(p process.Spec) bool { return filepath.Base(p.Path) == name })
	if i < 0 {
		return fmt.Errorf("restarting %s: %w", name, errNoProgram)
	}
	if err := c.children[i].Kill(); err != nil {
		return fmt.Errorf("restarting %s: %w", name, err)
	}
	// Its ports are those of before; and as a new cluster etcd would forget what it acknowledged last.
	program := c.programs[i]
	program.Args = slices.DeleteFunc(slices.Clone(program.Args), func(flag string) bool { return flag == newCluster })
	child, err := process.Start(ctx, program)
	if err != nil {
		return fmt.Errorf("restarting %s: %w", name, err)
	}
	c.children[i] = child
	return c.awaitServer(ctx)
}

// Config is a client configuration with all rights. Each call gives a copy of its own.
func (c *Cluster) Config() *rest.Config { return rest.CopyConfig(c.config) }

// Kubeconfig is the path of a kubeconfig with all rights.
func (c *Cluster) Kubeconfig() string { return c.kubeconfig }

// Kubectl is the path of a kubectl of the same version.
func (c *Cluster) Kubectl() string { return filepath.Join(c.binaries, "kubectl") }

// Dir is where the cluster keeps its state.
func (c *Cluster) Dir() string { return c.dir }

// KubeletCertificate is the certificate and key, as files, with which a kubelet may serve the API server:
// it trusts no other authority.
func (c *Cluster) KubeletCertificate() (certificate, key string) { return c.keys.pair(kubeletPair) }

// CertificateAuthority is the file of the authority that signed all certificates of the cluster.
func (c *Cluster) CertificateAuthority() string { return c.keys.ca() }

// PIDs of the control plane's processes, in the order of their start.
func (c *Cluster) PIDs() []int {
	pids := make([]int, 0, len(c.children))
	for _, child := range c.children {
		pids = append(pids, child.PID())
	}
	return pids
}

// Stop ends the control plane, the last started first, and removes a temporary directory. Stopping twice is
// fine.
func (c *Cluster) Stop(ctx context.Context) error {
	var failures []error
	for _, child := range slices.Backward(c.children) {
		failures = append(failures, child.Stop(ctx))
	}
	if c.temporary {
		if err := os.RemoveAll(c.dir); err != nil {
			failures = append(failures, fmt.Errorf("removing the cluster's directory: %w", err))
		}
	}
	return errors.Join(failures...)
}

// freePorts asks the kernel for TCP ports on loopback that nobody uses. All are held until the last one is
// known, so that no two are the same.
func freePorts(ctx context.Context, count int) ([]int, error) {
	var config net.ListenConfig
	ports := make([]int, 0, count)
	for range count {
		listener, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return nil, fmt.Errorf("looking for a free port: %w", err)
		}
		defer closing(listener)
		address, ok := listener.Addr().(*net.TCPAddr)
		if !ok {
			return nil, fmt.Errorf("looking for a free port: %s is no TCP address", listener.Addr())
		}
		ports = append(ports, address.Port)
	}
	return ports, nil
}

// closing gives a port back; a failure shows when its new owner cannot listen.
func closing(listener net.Listener) { _ = listener.Close() }

func loopbackURL(scheme string, port int) string {
	return scheme + "://" + net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
}
