package golden_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/headgate/headgate/controllers/gateway"
	"github.com/headgate/headgate/controllers/ingress"
	"github.com/headgate/headgate/controllers/preview"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/intent"
	"github.com/headgate/headgate/model/plan"
	"github.com/headgate/headgate/test/shuffle"
)

func TestMain(m *testing.M) {
	flag.Bool("update", false, "write the outputs of the cases instead of comparing them")
	flag.Parse()
	os.Exit(m.Run())
}

func updating() bool { return flag.Lookup("update").Value.String() == "true" }

// golden is one case: a directory. Nothing goes into it that the directory does not show.
type golden struct {
	dir      string
	flags    flags
	facts    model.Facts
	observed []model.Stack
	objects  preview.Source
	// states are what the operator remembers of before.yaml.
	states documents
}

// flags are the operator's flags, as far as they decide what is built.
type flags struct {
	Cluster      string            `json:"cluster-name"`
	TargetType   string            `json:"default-target-type,omitempty"`
	Scheme       string            `json:"default-load-balancer-scheme,omitempty"`
	SSLPolicy    string            `json:"default-ssl-policy,omitempty"`
	DefaultTags  map[string]string `json:"default-tags,omitempty"`
	BackendGroup bool              `json:"enable-backend-security-group,omitempty"`
	// Certificates is the feature gate EnableCertificateManagement.
	Certificates bool   `json:"enable-certificate-management,omitempty"`
	Authority    string `json:"default-pca-arn,omitempty"`
	Bucket       string `json:"trust-store-bucket,omitempty"`
	// What follows is named as in the settings of the front doors.
	intent.Tuning     `json:",inline"`
	NoClassAnnotation bool `json:"noClassAnnotation,omitempty"`
	NoGroupAnnotation bool `json:"noGroupAnnotation,omitempty"`
	DemandServices    bool `json:"demandServices,omitempty"`
	DemandActions     bool `json:"demandActions,omitempty"`
}

func (f flags) settings() preview.Settings {
	return preview.Settings{
		Ingress: ingress.Settings{
			ClusterName: f.Cluster, DefaultTargetType: f.TargetType, DefaultScheme: f.Scheme, DefaultSSLPolicy: f.SSLPolicy,
			DefaultTags: f.DefaultTags, BackendSecurityGroup: f.BackendGroup,
			CertificateManagement: f.Certificates, DefaultAuthority: f.Authority, Tuning: f.Tuning,
			NoClassAnnotation: f.NoClassAnnotation, NoGroupAnnotation: f.NoGroupAnnotation,
			DemandServices: f.DemandServices, DemandActions: f.DemandActions,
		},
		Gateway: gateway.Settings{
			ClusterName: f.Cluster, DefaultTargetType: f.TargetType, DefaultScheme: f.Scheme, DefaultSSLPolicy: f.SSLPolicy,
			DefaultTags: f.DefaultTags, BackendSecurityGroup: f.BackendGroup, Tuning: f.Tuning,
			Shelf: model.Shelf{Bucket: f.Bucket, Prefix: "headgate/"},
		},
	}
}

func TestGolden(t *testing.T) {
	dirs, err := filepath.Glob("*/*/in.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if len(dirs) == 0 {
		t.Fatal("there are no cases")
	}
	for _, in := range dirs {
		dir := filepath.Dir(in)
		t.Run(filepath.ToSlash(dir), func(t *testing.T) {
			c := read(t, dir)
			stacks, account := c.run(t, c.account(), c.objects)
			if err := writeOrCompare(dir, stacks, account); err != nil {
				t.Error(err)
			}
			t.Run("steady", func(t *testing.T) { c.steady(t, account) })
			t.Run("cut", func(t *testing.T) { c.cut(t, account) })
			t.Run("shuffled", func(t *testing.T) { c.shuffled(t, stacks) })
		})
	}
}

func read(t *testing.T, dir string) golden {
	t.Helper()
	c := golden{dir: dir}
	for name, into := range map[string]any{"flags.yaml": &c.flags, "facts.yaml": &c.facts, "observed.yaml": &c.observed} {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if os.IsNotExist(err) && name == "observed.yaml" {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if err := yaml.UnmarshalStrict(data, into); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	return c.begin(t)
}

// account is AWS before the case.
func (c golden) account() *preview.Account { return preview.NewAccount(c.facts, c.observed...) }

func (c golden) run(t *testing.T, account *preview.Account, from preview.Source) ([]preview.Stack, *preview.Account) {
	t.Helper()
	stacks, err := preview.Run(t.Context(), from, account, c.flags.settings())
	if err != nil {
		t.Fatal(err)
	}
	return stacks, account
}

// finish runs until there is nothing to do, and counts the changes of each run.
func (c golden) finish(t *testing.T, account *preview.Account) []int {
	t.Helper()
	var counts []int
	for range 10 {
		before := len(account.Changes)
		c.run(t, account, c.objects)
		counts = append(counts, len(account.Changes)-before)
		if len(account.Changes) == before {
			return counts
		}
	}
	t.Fatalf("after %d runs there is still something to do: %v", len(counts), counts)
	return nil
}

// steady holds invariant 1: where AWS is as desired, there is nothing to do.
func (c golden) steady(t *testing.T, account *preview.Account) {
	t.Helper()
	counts := c.finish(t, account)
	if len(counts) > 2 || len(counts) > 1 && !c.again(t) {
		t.Errorf("the plan was not the whole of it: changes of the runs after it were %v", counts)
	}
}

// again tells whether the plan says itself that another one follows.
func (c golden) again(t *testing.T) bool {
	t.Helper()
	stacks, _ := c.run(t, c.account(), c.objects)
	return slices.ContainsFunc(stacks, func(s preview.Stack) bool { return s.More })
}

// cut holds invariant 2: cut after any change and planned again, the end is the same.
func (c golden) cut(t *testing.T, whole *preview.Account) {
	t.Helper()
	want := ends(whole)
	for n := range whole.Changes {
		account := c.account()
		account.Cut = n
		if _, err := preview.Run(t.Context(), c.objects, account, c.flags.settings()); err == nil {
			t.Fatalf("the cut after change %d was not felt", n)
		}
		account.Cut = -1
		c.finish(t, account)
		if diff := cmp.Diff(want, ends(account)); diff != "" {
			t.Errorf("cut after change %d (%s of %s): -whole +cut\n%s", n, whole.Changes[max(0, n-1)].Op, whole.Changes[max(0, n-1)].Key, diff)
		}
	}
}

// shuffled holds invariant 10: the order of objects does not matter.
func (c golden) shuffled(t *testing.T, want []preview.Stack) {
	t.Helper()
	for seed := range uint64(5) {
		from := preview.Source{Reader: shuffle.Reader{Reader: c.objects.Reader, Seed: seed}, Scheme: c.objects.Scheme}
		got, _ := c.run(t, c.account(), from)
		if diff := cmp.Diff(preview.Text(want), preview.Text(got)); diff != "" {
			t.Errorf("shuffled by %d: -want +got\n%s", seed, diff)
		}
	}
}

// writeOrCompare holds the outputs of a case to its files.
func writeOrCompare(dir string, stacks []preview.Stack, account *preview.Account) error {
	files, err := outputs(stacks, account)
	if err != nil {
		return err
	}
	for name, got := range files {
		path := filepath.Join(dir, name)
		if updating() {
			if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
				return fmt.Errorf("writing %s: %w", path, err)
			}
			continue
		}
		want, err := os.ReadFile(path)
		if err != nil {
			return fmt.Errorf("%w (run the test with -update)", err)
		}
		if diff := cmp.Diff(string(want), got); diff != "" {
			return fmt.Errorf("%s differs (look, then run the test with -update): -want +got\n%s", path, diff)
		}
	}
	return nil
}

// outputs are what a case shows: the stacks as they end up, what was found, and the plans.
func outputs(stacks []preview.Stack, account *preview.Account) (map[string]string, error) {
	findings := []model.Finding{}
	for _, s := range stacks {
		findings = append(findings, s.Findings...)
	}
	var plans strings.Builder
	for _, s := range stacks {
		fmt.Fprintf(&plans, "# %s\n", s.Owner)
		if s.Blocked != "" {
			fmt.Fprintf(&plans, "blocked: %s\n", s.Blocked)
			continue
		}
		plans.WriteString(s.Plan.Text())
	}
	out := map[string]string{"plan.txt": plans.String()}
	for name, value := range map[string]any{"stack.yaml": ends(account), "findings.yaml": findings} {
		text, err := yaml.Marshal(value)
		if err != nil {
			return nil, fmt.Errorf("writing %s: %w", name, err)
		}
		out[name] = string(text)
	}
	return out, nil
}

// acceptedAsItIs are the rows of planning.md §1, "accepted as it is", each with a case of its own for either front door. Gateways ask for
// no certificates of clients and sign nobody in yet.
func acceptedAsItIs() map[string][]string {
	return map[string][]string{
		"names of the incumbent's pattern":        {"ingress/takeover-names", "gateway/takeover-names"},
		"dense priorities":                        {"ingress/takeover-priorities", "gateway/takeover-priorities"},
		"its resource tags on rules":              {"ingress/takeover-rule-tags", "takeover/gateway-rule-tags"},
		"a target group port that is out of date": {"ingress/takeover-target-port", "takeover/gateway-target-port"},
		"a target port that is a name":            {"ingress/takeover-port-name"},
		"its encoding of the same match":          {"ingress/takeover-hosts", "gateway/takeover-hosts"},
		"attributes that nobody asks for now":     {"ingress/takeover-attributes", "gateway/takeover-attributes"},
		"the secret of a sign-in, and certificates of clients that nobody asks for now": {"ingress/takeover-guards"},
		"WAF, Shield, capacity that nobody asks for now":                                {"ingress/takeover-addons", "gateway/takeover-addons"},
	}
}

// TestTakeOver holds every row: taking over does nothing.
func TestTakeOver(t *testing.T) {
	found, err := filepath.Glob("*/takeover-*")
	if err != nil {
		t.Fatal(err)
	}
	cases := map[string]bool{}
	for _, dir := range found {
		cases[filepath.ToSlash(dir)] = true
	}
	for _, dirs := range acceptedAsItIs() {
		for _, dir := range dirs {
			cases[dir] = true
		}
	}
	for dir := range cases {
		t.Run(dir, func(t *testing.T) {
			c := read(t, dir)
			if len(c.observed) == 0 || c.observed[0].LoadBalancer == nil {
				t.Fatal("it takes nothing over")
			}
			account := c.account()
			if _, err := preview.Run(t.Context(), c.objects, account, c.flags.settings()); err != nil {
				t.Fatal(err)
			}
			if n := len(account.Changes); n > 0 {
				t.Errorf("taking over makes %d calls, the first %s of %s", n, account.Changes[0].Op, account.Changes[0].Key)
			}
		})
	}
}

// TestEditAfterTakeOver: the first edit of what was taken over costs what the change does, and once what the incumbent left in the way.
func TestEditAfterTakeOver(t *testing.T) {
	for _, row := range []struct {
		why, dir string
		want     []plan.Op
	}{
		{
			"priorities without gaps are spread once, in the same call that makes room", "takeover/priorities-edited",
			[]plan.Op{plan.CreateRule, plan.SetRulePriorities},
		},
		{
			"a rule that changes is written in our encoding, in the same call; its new target group is checked first", "takeover/hosts-edited",
			[]plan.Op{plan.CreateRule, plan.CreateTargetGroup, plan.DeleteRule, plan.DeleteTargetGroup, plan.ModifyRule},
		},
		{
			"a sign-in that changes keeps the secret that AWS has, for nobody knows whether it is another one", "takeover/sign-in-edited",
			[]plan.Op{plan.ModifyRule},
		},
	} {
		t.Run(row.why, func(t *testing.T) {
			c := read(t, row.dir)
			account := c.account()
			c.finish(t, account)
			var got []plan.Op
			for _, ch := range account.Changes {
				got = append(got, ch.Op)
			}
			slices.Sort(got)
			if diff := cmp.Diff(row.want, got); diff != "" {
				t.Errorf("calls (-want +got):\n%s", diff)
			}
		})
	}
}
