package conformance_test

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	confv1 "sigs.k8s.io/gateway-api/conformance/apis/v1"
	"sigs.k8s.io/gateway-api/conformance/tests"
	"sigs.k8s.io/gateway-api/conformance/utils/suite"
	"sigs.k8s.io/gateway-api/pkg/features"
	"sigs.k8s.io/yaml"
)

var write = flag.Bool("write", false, "write docs/conformance")

// docs is where the report is kept, under the name that the Gateway API's own collection would give it, and what is to be known of it.
const (
	docs   = "../../docs/conformance"
	report = "standard-main-simulator-report.yaml"
)

// judge compares what the suite reports with what is written down, but for the date. Nothing may have failed.
func judge(t *testing.T, path string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var got confv1.ConformanceReport
	if err := yaml.UnmarshalStrict(text, &got); err != nil {
		t.Fatal(err)
	}
	for _, p := range got.ProfileReports {
		if failed := p.Core.Failed + p.Extended.Failed; failed > 0 {
			t.Fatalf("%d tests of %s failed: %v %v", failed, p.Name, p.Core.FailedTests, p.Extended.FailedTests)
		}
	}
	files := map[string]string{report: string(text), "README.md": readme(t, got)}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		compare(t, filepath.Join(docs, name), files[name])
	}
}

var dates = regexp.MustCompile(`(?m)^date: .*$`)

func compare(t *testing.T, path, want string) {
	t.Helper()
	if *write {
		if err := os.WriteFile(path, []byte(want), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	have, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(dates.ReplaceAllString(string(have), ""), dates.ReplaceAllString(want, "")); diff != "" {
		t.Errorf("%s is not what the suite reports; `make conformance` writes it anew:\n%s", path, diff)
	}
}

// readme puts what was reported into the table of what is claimed.
func readme(t *testing.T, got confv1.ConformanceReport) string {
	t.Helper()
	if len(got.ProfileReports) != 1 || got.ProfileReports[0].Extended == nil {
		t.Fatalf("want a report of one profile with extended features, got %+v", got.ProfileReports)
	}
	core, extended := got.ProfileReports[0].Core, got.ProfileReports[0].Extended
	var out strings.Builder
	fmt.Fprintf(&out, head, core.Passed, core.Passed+core.Skipped, extended.Passed, extended.Passed+extended.Skipped, len(extended.SupportedFeatures))
	out.WriteString("| feature | tests that pass here | how an ALB expresses it | doubt |\n|---|---|---|---|\n")
	left := expressed()
	row := func(name string, passes int) {
		e, known := left[name]
		if !known {
			t.Errorf("%s is claimed, and nothing says how it is expressed", name)
		}
		delete(left, name)
		fmt.Fprintf(&out, "| %s | %d | %s | %s |\n", name, passes, e.how, e.doubt)
	}
	row("core: Gateway, HTTPRoute, ReferenceGrant", int(core.Passed))
	for _, f := range extended.SupportedFeatures {
		row(f, passing(features.FeatureName(f), extended.SupportedFeatures))
	}
	for name := range left {
		t.Errorf("%s is explained, and not claimed", name)
	}
	out.WriteString("\n## What is left out\n\n| test | why |\n|---|---|\n")
	for _, name := range slices.Concat(core.SkippedTests, extended.SkippedTests) {
		fmt.Fprintf(&out, "| %s | %s |\n", name, skipped()[name])
	}
	return out.String()
}

// passing counts the tests of a feature that ran: none failed.
func passing(feature features.FeatureName, supported []string) int {
	known := suite.GatewayHTTPConformanceProfile.CoreFeatures.Clone()
	for _, f := range supported {
		known.Insert(features.FeatureName(f))
	}
	count := 0
	for _, one := range tests.ConformanceTests {
		if _, left := skipped()[one.ShortName]; !left && slices.Contains(one.Features, feature) && known.HasAll(one.Features...) {
			count++
		}
	}
	return count
}
