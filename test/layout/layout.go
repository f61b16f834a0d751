// Package layout checks the shape of the repository against the design: which package may import which, which directories
// there are, how they are named and how deep they lie, how large files and signatures are, and how controllers write. It imports the
// standard library only. Its invariant: it knows no exception that is not written down in this package's tables.
package layout

import (
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// Module is the path of the repository's Go module.
const Module = "github.com/headgate/headgate"

// maxDepth of a directory that holds Go code.
const maxDepth = 3

// Rule says what the packages in Dir, and below it, may import in code that is not a test.
type Rule struct {
	Dir string
	// Allow lists prefixes of import paths beyond the standard library.
	Allow []string
	// Deny lists prefixes that are refused although Allow, or being of the standard library, would let them in.
	Deny []string
	// Anything lifts all limits.
	Anything bool
}

// Rules are the dependency rule. Of two that fit a directory, the longer one holds; a directory that none fits is refused.
func Rules() []Rule {
	small := []string{
		"github.com/aws/", "github.com/miekg/dns", "github.com/gorilla/websocket", "golang.org/x/", "google.golang.org/grpc",
		"github.com/go-logr/logr", "github.com/prometheus/client_golang",
	}
	return []Rule{
		{
			Dir: "model", Allow: []string{Module + "/model"},
			// Pure: no files, no processes, no network, no chance.
			Deny: []string{"os", "net/http", "math/rand", "log", "syscall", "unsafe"},
		},
		{Dir: "cloud", Allow: append([]string{Module + "/model", Module + "/cloud"}, small...), Deny: []string{Module + "/cloud/sim"}},
		{Dir: "cloud/sim", Allow: append([]string{Module + "/model", Module + "/cloud/sim"}, small...)},
		{Dir: "controllers", Allow: []string{
			Module + "/model", Module + "/apis", Module + "/controllers",
			"k8s.io/", "sigs.k8s.io/", "github.com/go-logr/logr", "github.com/prometheus/client_golang", "golang.org/x/",
		}},
		{Dir: "apis", Allow: []string{Module + "/apis", "k8s.io/apimachinery", "sigs.k8s.io/gateway-api"}},
		{Dir: "cmd", Anything: true},
		{Dir: "sandbox", Anything: true},
		{Dir: "test", Anything: true},
		{Dir: "tools", Anything: true},
		{Dir: "examples", Anything: true},
	}
}

// Tree lists the directories and files of the design.
func Tree() []string {
	return []string{
		"apis/elbv2", "apis/gateway", "apis/headgate", "apis/lattice",
		"cloud", "cloud/acm", "cloud/ec2", "cloud/elbv2", "cloud/inventory", "cloud/lattice", "cloud/sim", "cloud/sim/dataplane", "cloud/waf",
		"cmd/headgate", "cmd/headgate-controller",
		"config/chart", "config/crd", "config/default", "config/iam", "config/manager", "config/rbac", "config/samples", "config/webhook",
		"controllers/gateway", "controllers/ingress", "controllers/lattice", "controllers/outcome", "controllers/service",
		"controllers/stack", "controllers/targets",
		"docs/adr", "docs/guide", "docs/invariants.md", "docs/reference",
		"examples/gateway", "examples/ingress", "examples/platform", "examples/shop",
		"model/build", "model/fault", "model/intent", "model/plan",
		"sandbox/controlplane",
		"test/bench", "test/conformance", "test/crash", "test/golden", "test/layout", "test/traffic",
	}
}

// StillToCome lists what of the tree is not there yet.
func StillToCome() []string {
	return []string{
		"apis/lattice", "cloud/lattice", "controllers/lattice", "controllers/service", // their front doors and features follow
		"config/chart", // it follows
	}
}

// Check gives a line for each fault of the repository in root. Tree and missing are what [Tree] and [StillToCome] return.
func Check(root fs.FS, tree, missing []string) ([]string, error) {
	faults := checkTree(root, tree, missing)
	err := fs.WalkDir(root, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return fmt.Errorf("walking %s: %w", name, err)
		}
		if entry.IsDir() {
			if name != "." && (strings.HasPrefix(entry.Name(), ".") || entry.Name() == "testdata") {
				return fs.SkipDir
			}
			faults = append(faults, checkName(name)...)
			return nil
		}
		if path.Ext(name) != ".go" {
			return nil
		}
		for _, check := range []func(fs.FS, string) ([]string, error){checkFile, checkSize, checkWrites} {
			found, err := check(root, name)
			if err != nil {
				return err
			}
			faults = append(faults, found...)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("checking the layout: %w", err)
	}
	return faults, nil
}

// checkTree compares the tree with what is there.
func checkTree(root fs.FS, tree, missing []string) []string {
	var faults []string
	for _, name := range tree {
		_, err := fs.Stat(root, name)
		listed := slices.Contains(missing, name)
		switch {
		case err != nil && !listed:
			faults = append(faults, name+": it is of the design's tree, and neither there nor listed as still to come")
		case err == nil && listed:
			faults = append(faults, name+": it is there: take it from the list of what is still to come")
		}
	}
	for _, name := range missing {
		if !slices.Contains(tree, name) {
			faults = append(faults, name+": it is listed as still to come and not of the design's tree")
		}
	}
	return faults
}

// checkName refuses names that say nothing about what a directory holds.
func checkName(name string) []string {
	vague := []string{"pkg", "internal", "util", "utils", "common", "helper", "helpers", "mock", "mocks", "misc", "shared"}
	if slices.Contains(vague, path.Base(name)) {
		return []string{name + ": the name says nothing of what the directory holds"}
	}
	return nil
}

// checkFile checks where a Go file lies and, unless it is a test, what it imports.
func checkFile(root fs.FS, name string) ([]string, error) {
	dir := path.Dir(name)
	var faults []string
	if strings.Count(dir, "/")+1 > maxDepth {
		faults = append(faults, fmt.Sprintf("%s: Go code lies at most %d directories deep", name, maxDepth))
	}
	if strings.HasSuffix(name, "_test.go") {
		return faults, nil
	}
	rule, ok := ruleFor(dir)
	if !ok {
		return append(faults, name+": no rule says what this directory may import"), nil
	}
	imports, err := importsOf(root, name)
	if err != nil {
		return nil, err
	}
	for _, target := range imports {
		if !rule.permits(target) {
			faults = append(faults, fmt.Sprintf("%s: imports %s, which %s may not", name, target, rule.Dir))
		}
	}
	return faults, nil
}

// ruleFor is the rule with the longest directory that dir is in.
func ruleFor(dir string) (Rule, bool) {
	var best Rule
	for _, rule := range Rules() {
		if within(dir, rule.Dir) && len(rule.Dir) > len(best.Dir) {
			best = rule
		}
	}
	return best, best.Dir != ""
}

func (r Rule) permits(target string) bool {
	if r.Anything {
		return true
	}
	under := func(prefix string) bool { return within(target, strings.TrimSuffix(prefix, "/")) }
	if slices.ContainsFunc(r.Deny, under) {
		return false
	}
	first, _, _ := strings.Cut(target, "/")
	standard := !strings.Contains(first, ".") && target != "C"
	return standard || slices.ContainsFunc(r.Allow, under)
}

// within tells whether the path is prefix or lies below it.
func within(path, prefix string) bool {
	return path == prefix || strings.HasPrefix(path, prefix+"/")
}

// importsOf reads the import paths of a Go file.
func importsOf(root fs.FS, name string) ([]string, error) {
	source, err := fs.ReadFile(root, name)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", name, err)
	}
	file, err := parser.ParseFile(token.NewFileSet(), name, source, parser.ImportsOnly)
	if err != nil {
		return nil, fmt.Errorf("parsing %s: %w", name, err)
	}
	imports := make([]string, 0, len(file.Imports))
	for _, spec := range file.Imports {
		imports = append(imports, strings.Trim(spec.Path.Value, `"`+"`"))
	}
	return imports, nil
}
