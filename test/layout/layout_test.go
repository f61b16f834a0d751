package layout_test

import (
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/headgate/headgate/test/layout"
)

func TestRepositoryHasTheShapeOfTheDesign(t *testing.T) {
	t.Parallel()
	faults, err := layout.Check(os.DirFS("../.."), layout.Tree(), layout.StillToCome())
	if err != nil {
		t.Fatal(err)
	}
	for _, fault := range faults {
		t.Error(fault)
	}
}

// Each row plants one file in an empty repository; the check must see it for what it is.
func TestCheckSeesPlantedFaults(t *testing.T) {
	t.Parallel()
	const module = layout.Module
	rows := []struct{ why, file, imports, want string }{
		{"the model is the standard library only", "model/a.go", "k8s.io/api/core/v1", "which model may not"},
		{"the model does not know the cloud", "model/plan/a.go", module + "/cloud/elbv2", "which model may not"},
		{"the model is pure: no files", "model/build/a.go", "os", "which model may not"},
		{"the model may use itself", "model/build/a.go", module + "/model/intent", ""},
		{"the cloud knows AWS", "cloud/elbv2/a.go", "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2", ""},
		{"the cloud never knows Kubernetes", "cloud/elbv2/a.go", "k8s.io/apimachinery/pkg/types", "which cloud may not"},
		{"the cloud never knows controllers", "cloud/a.go", module + "/controllers/stack", "which cloud may not"},
		{"the cloud runs without the simulator", "cloud/a.go", module + "/cloud/sim", "which cloud may not"},
		{"the simulator is no mirror of our client", "cloud/sim/a.go", module + "/cloud/elbv2", "which cloud/sim may not"},
		{"the simulator's parts may use each other", "cloud/sim/a.go", module + "/cloud/sim/dataplane", ""},
		{"controllers never know AWS", "controllers/stack/a.go", "github.com/aws/aws-sdk-go-v2/aws", "which controllers may not"},
		{"controllers never know the cloud", "controllers/stack/a.go", module + "/cloud", "which controllers may not"},
		{"a name that begins alike is another package", "controllers/stack/a.go", module + "/modelling", "which controllers may not"},
		{"types are types only", "apis/gateway/v1/a.go", "sigs.k8s.io/controller-runtime", "which apis may not"},
		{"tests may import anything", "model/a_test.go", "k8s.io/api/core/v1", ""},
		{"constructors meet in cmd", "cmd/headgate-controller/a.go", module + "/cloud", ""},
		{"a new top directory needs a rule", "extras/a.go", "fmt", "no rule says"},
		{"names say what is inside", "cloud/util/a.go", "fmt", "says nothing"},
		{"directories are not deep", "cloud/sim/dataplane/http/a.go", "fmt", "at most 3"},
	}
	for _, row := range rows {
		t.Run(row.why, func(t *testing.T) {
			t.Parallel()
			root := fstest.MapFS{row.file: {Data: []byte("package a\n\nimport _ \"" + row.imports + "\"\n")}}
			faults, err := layout.Check(root, nil, nil)
			if err != nil {
				t.Fatal(err)
			}
			got := strings.Join(faults, "\n")
			if (row.want == "") != (got == "") || !strings.Contains(got, row.want) {
				t.Errorf("%s imports %s: got %q, want it to say %q", row.file, row.imports, got, row.want)
			}
		})
	}
}

func TestCheckSeesWhatIsMissing(t *testing.T) {
	t.Parallel()
	root := fstest.MapFS{"cloud/sim/a.go": {Data: []byte("package sim\n")}}
	rows := []struct {
		why           string
		tree, missing []string
		want          string
	}{
		{"there", []string{"cloud/sim"}, nil, ""},
		{"neither there nor listed", []string{"cloud/waf"}, nil, "neither there"},
		{"not there, but listed", []string{"cloud/waf"}, []string{"cloud/waf"}, ""},
		{"there, and still listed", []string{"cloud/sim"}, []string{"cloud/sim"}, "take it from the list"},
		{"listed, but nobody planned it", nil, []string{"cloud/moon"}, "not of the design's tree"},
	}
	for _, row := range rows {
		t.Run(row.why, func(t *testing.T) {
			t.Parallel()
			faults, err := layout.Check(root, row.tree, row.missing)
			if err != nil {
				t.Fatal(err)
			}
			got := strings.Join(faults, "\n")
			if (row.want == "") != (got == "") || !strings.Contains(got, row.want) {
				t.Errorf("got %q, want it to say %q", got, row.want)
			}
		})
	}
}
