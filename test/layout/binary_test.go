package layout_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/headgate/headgate/test/layout"
)

const operator = layout.Module + "/cmd/headgate-controller"

// The operator's memory is mostly its binary, so what it does not need is kept out, and what makes the linker keep dead code
// too: some packages reach methods by names that it cannot know.
func TestOperatorLinksNoMoreThanItNeeds(t *testing.T) {
	t.Parallel()
	output, err := exec.CommandContext(t.Context(), "go", "list", "-deps", operator).Output()
	if err != nil {
		t.Fatal(err)
	}
	packages := strings.Fields(string(output))
	if !slices.Contains(packages, "sigs.k8s.io/controller-runtime") {
		t.Fatalf("the list of %d packages is not that of the operator", len(packages))
	}
	unwanted := []string{
		layout.Module + "/cloud/sim", layout.Module + "/sandbox", layout.Module + "/test",
		"sigs.k8s.io/controller-runtime/pkg/envtest", "github.com/spf13/cobra", "text/template", "testing",
	}
	for _, name := range packages {
		for _, bad := range unwanted {
			if name == bad || strings.HasPrefix(name, bad+"/") {
				t.Errorf("the operator links %s", name)
			}
		}
	}
}

func TestOperatorIsSmall(t *testing.T) {
	t.Parallel()
	// S3 for what trust stores are made of took it past 45 MB: a client of its own for three calls would bring it back.
	const most = 47 << 20
	binary := filepath.Join(t.TempDir(), "headgate-controller")
	build := exec.CommandContext(t.Context(), "go", "build", "-ldflags", "-s -w", "-o", binary, operator)
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	info, err := os.Stat(binary)
	if err != nil {
		t.Fatal(err)
	}
	if info.Size() >= most {
		t.Errorf("the operator is %d MB, want less than %d", info.Size()>>20, most>>20)
	}
	t.Logf("the operator is %d MB", info.Size()>>20)
}
