package examples_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
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
	dir      = "../../examples/ingress"
	backends = dir + "/backends.yaml"
)

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

// put applies an example: into the namespaces that it names, or else into one of its task. The backends go there first.
func (s *stage) put(ctx context.Context, task string) error {
	manifest, err := os.ReadFile(filepath.Join(dir, task+".yaml"))
	if err != nil {
		return fmt.Errorf("reading the example: %w", err)
	}
	spaces := map[string]bool{}
	for _, match := range namespaceOf.FindAllSubmatch(manifest, -1) {
		spaces[string(match[1])] = true
	}
	if len(spaces) == 0 {
		spaces[task] = true
	}
	for name := range spaces {
		space := fmt.Sprintf(`{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": %q}}`, name)
		if err := s.kubectl(ctx, []byte(space), "apply", "-f", "-"); err != nil {
			return err
		}
		if err := s.kubectl(ctx, nil, "apply", "-n", name, "-f", backends); err != nil {
			return err
		}
		if err := s.kubectl(ctx, s.account.secret, "apply", "-n", name, "-f", "-"); err != nil {
			return err
		}
	}
	where := []string{"apply", "-f", "-"}
	if spaces[task] {
		where = append(where, "-n", task)
	}
	return s.kubectl(ctx, s.account.fill(manifest), where...)
}

// until calls check until it says nil. After patience, its last error comes back.
func until(ctx context.Context, check func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return sandbox.Until(ctx, check)
}
