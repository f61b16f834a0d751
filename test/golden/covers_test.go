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
	known, refused := items(t)
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
			if !proven[kind][i] && (kind != "invalid" || !refused[i]) {
				t.Errorf("%s: no case has it as %q", i, kind)
			}
		}
	}
}

// items are all that there must be cases of, and those among them in which an API server takes no mistake: the CRD lists their values.
func items(t *testing.T) (out []item, refused map[item]bool) {
	t.Helper()
	for _, s := range annotations.Ingress().Specs() {
		if s.Status == annotations.Served {
			out = append(out, item(s.Key))
		}
	}
	for _, s := range annotations.Extensions().Specs() {
		// How changes are made, and whose the load balancer is, is no matter of what is made: the tests of controllers/stack prove it.
		if s.Scope != annotations.Strictest && s.Scope != annotations.Handover {
			out = append(out, item(annotations.ExtensionPrefix+s.Key))
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
	refused = map[item]bool{}
	for _, f := range fieldsOf("spec", spec) {
		out = append(out, f.item)
		refused[f.item] = len(f.Enum) > 0
	}
	return out, refused
}

// field of a CRD.
type field struct {
	apiextensionsv1.JSONSchemaProps

	item item
}

// fieldsOf are the fields below one that hold a value, a list or a map.
func fieldsOf(path string, schema apiextensionsv1.JSONSchemaProps) []field {
	if len(schema.Properties) == 0 {
		return []field{{schema, item(path)}}
	}
	var out []field
	for _, name := range slices.Sorted(maps.Keys(schema.Properties)) {
		out = append(out, fieldsOf(path+"."+name, schema.Properties[name])...)
	}
	return out
}
