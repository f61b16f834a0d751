package examples_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"testing"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/headgate/headgate/cmd/headgate-controller/wire"
	"github.com/headgate/headgate/sandbox"
)

const (
	// speed divides simulated durations: a load balancer is active after a second.
	speed = 120
	// freeOffset moves ports where those below 1024 are closed.
	freeOffset = 8000
	// patience is how long an example may take to do what it says: much, for machines that have other work.
	patience = 2 * time.Minute
	root     = "../../examples"
	backends = root + "/ingress/backends.yaml"
	// ofIngress is the directory of examples of Ingress; all others are of Gateways.
	ofIngress = "ingress"
)

// dirs are the directories whose files are all checked here.
func dirs() []string { return []string{ofIngress, "gateway", "platform"} }

// stage is the sandbox that all examples run in.
type stage struct {
	*sandbox.Sandbox

	client  client.Client
	offset  int
	account account
}

func start(t *testing.T) *stage {
	t.Helper()
	s := &stage{}
	options := sandbox.Options{Speed: speed, Log: os.Stderr}
	var err error
	s.Sandbox, err = sandbox.Start(t.Context(), options)
	if errors.Is(err, sandbox.ErrLowPorts) {
		s.offset, options.PortOffset = freeOffset, freeOffset
		s.Sandbox, err = sandbox.Start(t.Context(), options)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	scheme, err := wire.NewScheme()
	if err != nil {
		t.Fatal(err)
	}
	config := s.Config()
	config.QPS = -1
	if s.client, err = client.New(config, client.Options{Scheme: scheme}); err != nil {
		t.Fatal(err)
	}
	s.account = furnish(t, s.Simulator())
	return s
}

// kubectl runs kubectl with a manifest on its input.
func (s *stage) kubectl(ctx context.Context, input []byte, args ...string) error {
	var output bytes.Buffer
	command := exec.CommandContext(ctx, s.Kubectl(), append([]string{"--kubeconfig", s.Kubeconfig()}, args...)...)
	command.Stdin, command.Stdout, command.Stderr = bytes.NewReader(input), &output, &output
	if err := command.Run(); err != nil {
		return fmt.Errorf("kubectl %v: %w: %s", args, err, output.String())
	}
	return nil
}

var namespaceOf = regexp.MustCompile(`(?m)^  namespace: (\S+)$`)

// put applies an example: into the namespaces that it names, or else into its own. Backends, where it has none of its own, and the
// Secrets that it names go there first.
func (s *stage) put(ctx context.Context, e example) error {
	manifest, err := e.read()
	if err != nil {
		return err
	}
	spaces := map[string]bool{}
	for _, match := range namespaceOf.FindAllSubmatch(manifest, -1) {
		spaces[string(match[1])] = true
	}
	where := []string{"apply", "-f", "-"}
	if len(spaces) == 0 {
		spaces[e.namespace] = true
		where = append(where, "-n", e.namespace)
	}
	for name := range spaces {
		if err := s.prepare(ctx, name, manifest); err != nil {
			return err
		}
	}
	return s.kubectl(ctx, s.account.fill(manifest), where...)
}

// read gives all manifests of an example.
func (e example) read() ([]byte, error) {
	files, err := e.files()
	if err != nil {
		return nil, err
	}
	var all [][]byte
	for _, file := range files {
		manifest, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("reading an example: %w", err)
		}
		all = append(all, manifest)
	}
	return bytes.Join(all, []byte("\n---\n")), nil
}

// prepare makes a namespace with what a manifest expects there.
func (s *stage) prepare(ctx context.Context, space string, manifest []byte) error {
	object := fmt.Sprintf(`{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": %q}}`, space)
	if err := s.kubectl(ctx, []byte(object), "apply", "-f", "-"); err != nil {
		return err
	}
	if !bytes.Contains(manifest, []byte("kind: Deployment")) {
		if err := s.kubectl(ctx, nil, "apply", "-n", space, "-f", backends); err != nil {
			return err
		}
	}
	for name, secret := range s.account.secrets {
		if !bytes.Contains(manifest, []byte(name)) {
			continue
		}
		if err := s.kubectl(ctx, secret, "apply", "-n", space, "-f", "-"); err != nil {
			return err
		}
	}
	return nil
}

// until calls check until it says nil. After patience, its last error comes back.
func until(ctx context.Context, check func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return sandbox.Until(ctx, check)
}
