package config_test

import (
	"encoding/json"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"
)

var (
	metricInSource = regexp.MustCompile(`"(headgate_[a-z_]+)"`)
	metric         = regexp.MustCompile(`headgate_[a-z_]+`)
	seriesOf       = regexp.MustCompile(`_(bucket|sum|count)$`)
)

// metricsOfTheOperator are the names of the metrics that the operator's code registers.
func metricsOfTheOperator(t *testing.T) map[string]bool {
	t.Helper()
	out := map[string]bool{}
	for _, room := range []string{"cmd/headgate-controller", "controllers", "cloud"} {
		err := filepath.WalkDir(filepath.Join("..", "..", room), func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			text, err := os.ReadFile(path)
			for _, found := range metricInSource.FindAllStringSubmatch(string(text), -1) {
				out[found[1]] = true
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return out
}

func read(t *testing.T, path ...string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(append([]string{"..", ".."}, path...)...))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func mentioned(text string) []string {
	names := map[string]bool{}
	for _, name := range metric.FindAllString(text, -1) {
		names[seriesOf.ReplaceAllString(name, "")] = true
	}
	return slices.Sorted(maps.Keys(names))
}

// TestEachMetricIsExplained: who adds a metric says in the guide what it means, and who takes one away finds where it is used.
func TestEachMetricIsExplained(t *testing.T) {
	t.Parallel()
	have := metricsOfTheOperator(t)
	if diff := cmp.Diff(slices.Sorted(maps.Keys(have)), mentioned(read(t, "docs", "guide", "operations.md"))); diff != "" {
		t.Errorf("-the code +docs/guide/operations.md\n%s", diff)
	}
	for _, file := range []string{"alerts.yaml", "dashboard.json"} {
		for _, name := range mentioned(read(t, "config", "monitoring", file)) {
			if !have[name] && name != "headgate_system" {
				t.Errorf("config/monitoring/%s: there is no metric %s", file, name)
			}
		}
	}
}

func TestDashboardShowsEachMetric(t *testing.T) {
	t.Parallel()
	text := read(t, "config", "monitoring", "dashboard.json")
	var board struct {
		Panels []struct {
			ID    int    `json:"id"`
			Title string `json:"title"`
		} `json:"panels"`
	}
	if err := json.Unmarshal([]byte(text), &board); err != nil {
		t.Fatal(err)
	}
	ids := map[int]bool{}
	for _, p := range board.Panels {
		if ids[p.ID] || p.Title == "" {
			t.Errorf("panel %d %q: its number is taken, or it has no title", p.ID, p.Title)
		}
		ids[p.ID] = true
	}
	if diff := cmp.Diff(slices.Sorted(maps.Keys(metricsOfTheOperator(t))), mentioned(text)); diff != "" {
		t.Errorf("-the code +the dashboard\n%s", diff)
	}
}

func TestAlertsSayWhatHolds(t *testing.T) {
	t.Parallel()
	var rules struct {
		Spec struct {
			Groups []struct {
				Rules []struct {
					Alert, Expr         string
					Labels, Annotations map[string]string
				}
			}
		}
	}
	if err := yaml.UnmarshalStrict([]byte(read(t, "config", "monitoring", "alerts.yaml")), &map[string]any{}); err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal([]byte(read(t, "config", "monitoring", "alerts.yaml")), &rules); err != nil {
		t.Fatal(err)
	}
	if len(rules.Spec.Groups) != 1 || len(rules.Spec.Groups[0].Rules) < 5 {
		t.Fatalf("the rules are %+v", rules)
	}
	for _, r := range rules.Spec.Groups[0].Rules {
		if r.Alert == "" || len(mentioned(r.Expr)) == 0 || r.Labels["severity"] == "" || r.Annotations["summary"] == "" {
			t.Errorf("an alert has a name, a metric of ours, a severity and a summary: %+v", r)
		}
	}
}
