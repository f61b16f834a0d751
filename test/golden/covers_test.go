package golden_test

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/yaml"

	"github.com/headgate/headgate/controllers/annotations"
	"github.com/headgate/headgate/controllers/preview"
	"github.com/headgate/headgate/model"
)

// covers is what a case says it proves, in its covers.yaml: of which items, in which way. [golden.honest] holds it to that.
type covers struct {
	// Set items are in in.yaml, and without them the outcome is another one.
	Set []item `json:"set,omitempty"`
	// Default items are not in in.yaml; written out with this value they change nothing. An empty value is an item without a default.
	Default map[item]string `json:"default,omitempty"`
	// Changed items differ from before.yaml, and with the value of before the outcome is another one.
	Changed []item `json:"changed,omitempty"`
	// Removed items are in before.yaml and no more in in.yaml; where they go nothing is left of them.
	Removed []item `json:"removed,omitempty"`
	// Kept items are of those changed or removed ones that AWS cannot change, or that are left as they are.
	Kept []item `json:"kept,omitempty"`
	// Invalid items are in in.yaml, and a finding names each.
	Invalid []item `json:"invalid,omitempty"`
}

// kinds are the ways to prove something of an item.
func (c covers) kinds() map[string][]item {
	return map[string][]item{
		"set": c.Set, "default": slices.Collect(maps.Keys(c.Default)), "changed": c.Changed, "removed": c.Removed, "invalid": c.Invalid,
	}
}

// coversOf reads what a case proves; nil where it does not say.
func coversOf(t *testing.T, dir string) *covers {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, "covers.yaml"))
	if os.IsNotExist(err) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	out := &covers{}
	if err := yaml.UnmarshalStrict(data, out); err != nil {
		t.Fatalf("%s/covers.yaml: %v", dir, err)
	}
	return out
}

// TestCovers: each annotation that is served and each field of IngressClassParams has a case of each kind.
func TestCovers(t *testing.T) {
	proven := map[string]map[item]bool{}
	dirs, err := filepath.Glob("ingress/*")
	if err != nil {
		t.Fatal(err)
	}
	known := items(t)
	for _, dir := range dirs {
		said := coversOf(t, dir)
		if said == nil {
			continue
		}
		for kind, list := range said.kinds() {
			for _, i := range list {
				if !slices.Contains(known, i) {
					t.Errorf("%s/covers.yaml: %s is no annotation that is served, and no field of %s", dir, i, classKind)
				}
				if proven[kind] == nil {
					proven[kind] = map[item]bool{}
				}
				proven[kind][i] = true
			}
		}
	}
	for _, kind := range slices.Sorted(maps.Keys(covers{}.kinds())) {
		for _, i := range known {
			if !proven[kind][i] && !(kind == "invalid" && refusedByAPI()[i]) {
				t.Errorf("%s: no case has it as %q", i, kind)
			}
		}
	}
}

// items are all that there must be cases of.
func items(t *testing.T) []item {
	t.Helper()
	var out []item
	for _, s := range annotations.Ingress().Specs() {
		if s.Status == annotations.Served {
			out = append(out, item(s.Key))
		}
	}
	data, err := os.ReadFile("../../config/crd/elbv2.k8s.aws_ingressclassparams.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var crd apiextensionsv1.CustomResourceDefinition
	if err := yaml.Unmarshal(data, &crd); err != nil {
		t.Fatal(err)
	}
	spec := crd.Spec.Versions[0].Schema.OpenAPIV3Schema.Properties["spec"]
	return append(out, fieldsOf("spec", spec)...)
}

// fieldsOf are the fields below one that hold a value, a list or a map.
func fieldsOf(path string, schema apiextensionsv1.JSONSchemaProps) []item {
	if len(schema.Properties) == 0 {
		return []item{item(path)}
	}
	var out []item
	for _, name := range slices.Sorted(maps.Keys(schema.Properties)) {
		out = append(out, fieldsOf(path+"."+name, schema.Properties[name])...)
	}
	return out
}

// TestHonest holds each case to what it says it proves.
func TestHonest(t *testing.T) {
	dirs, err := filepath.Glob("ingress/*/covers.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range dirs {
		dir := filepath.Dir(path)
		t.Run(filepath.Base(dir), func(t *testing.T) {
			c, said := read(t, dir), coversOf(t, dir)
			h := honest{golden: c, covers: *said, in: manifest(t, c.inDir("in.yaml")), before: manifest(t, c.inDir("in.yaml"), c.inDir("before.yaml"))}
			h.out = text(t, c.after(t, c.account(), append(h.in, c.states...)))
			for _, i := range said.Set {
				h.set(t, i)
			}
			for _, i := range slices.Sorted(maps.Keys(said.Default)) {
				h.byDefault(t, i)
			}
			for _, i := range slices.Concat(said.Changed, said.Removed) {
				h.moved(t, i)
			}
			if len(said.Changed)+len(said.Removed) > 0 && len(said.Kept) == 0 {
				h.reset(t)
			}
			for _, i := range said.Invalid {
				h.invalid(t, i)
			}
		})
	}
}

// honest is one case and what it says.
type honest struct {
	golden
	covers

	in, before documents
	out        string
}

func (h honest) set(t *testing.T, i item) {
	t.Helper()
	if len(h.in.values(i)) == 0 {
		t.Errorf("set: %s is not in in.yaml", i)
	}
	if text(t, h.after(t, h.account(), append(h.in.without(t, i), h.states...))) == h.out {
		t.Errorf("set: without %s the outcome is the same", i)
	}
}

func (h honest) byDefault(t *testing.T, i item) {
	t.Helper()
	if len(h.in.values(i)) > 0 {
		t.Errorf("default: %s is in in.yaml", i)
	}
	value := h.Default[i]
	if spec, _, ok := annotations.Ingress().Find(string(i)); ok && spec.Parse(spec.Default) == nil && literal(spec) && spec.Default != value {
		t.Errorf("default: that of %s is %q, the case proves %q", i, spec.Default, value)
	}
	if value == "" {
		return
	}
	if got := text(t, h.after(t, h.account(), append(h.in.with(t, i, value), h.states...))); got != h.out {
		t.Errorf("default: with %s written out as %q the outcome is another one", i, value)
	}
}

// literal tells whether the default of a key is a value, and not words about it.
func literal(s annotations.Spec) bool {
	return s.Default != "" && (len(s.Values) > 0 || s.Type == annotations.Int || s.Type == annotations.Bool)
}

func (h honest) moved(t *testing.T, i item) {
	t.Helper()
	was, is := h.before.values(i), h.in.values(i)
	if removed := slices.Contains(h.Removed, i); removed != (len(is) == 0) || len(was) == 0 && removed {
		t.Errorf("%s is %v in before.yaml and %v in in.yaml: that is no such change", i, was, is)
	}
	if h.anewText(t, h.in.as(t, h.before, i)) == h.anewText(t, h.in) {
		t.Errorf("changed or removed: with %s as it was before, the outcome would be the same", i)
	}
}

// reset: what is reached from before is what there would be if there had been no before.
func (h honest) reset(t *testing.T) {
	t.Helper()
	if anew := h.anewText(t, h.in); anew != h.out {
		t.Errorf("something is left of before: without it the outcome is another one")
	}
}

func (h honest) anewText(t *testing.T, objects documents) string {
	t.Helper()
	return text(t, h.anew(t, objects))
}

func (h honest) invalid(t *testing.T, i item) {
	t.Helper()
	if len(h.in.values(i)) == 0 {
		t.Errorf("invalid: %s is not in in.yaml", i)
	}
	stacks, err := preview.Run(t.Context(), h.objects, h.account(), h.flags.settings())
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range stacks {
		if slices.ContainsFunc(s.Findings, func(f model.Finding) bool {
			return i.named(f.Field) && f.Severity != model.Warning && f.Message != ""
		}) {
			return
		}
	}
	t.Errorf("invalid: no finding is about %s", i)
}

// refusedByAPI are fields that an API server takes no mistake in: test/config has the rows.
func refusedByAPI() map[item]bool { return map[item]bool{} }
