package main

import (
	"strings"
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/yaml"
)

const sample = `
spec:
  group: example.com
  names: {kind: Door, plural: doors, shortNames: [d]}
  scope: Cluster
  versions:
  - &v1
    name: v1beta1
    schema: &schema
      openAPIV3Schema:
        description: A door.
        type: object
        properties:
          spec:
            type: object
            required: [locks]
            properties:
              locks:
                type: array
                minItems: 1
                description: The locks.
                items:
                  type: object
                  properties:
                    state: {type: string, enum: [open, shut], default: shut, pattern: 'open|shut'}
  - {name: v1, storage: true, schema: *schema}
`

func TestPageSaysWhatAFieldMustBe(t *testing.T) {
	t.Parallel()
	var definition apiextensionsv1.CustomResourceDefinition
	if err := yaml.Unmarshal([]byte(sample), &definition); err != nil {
		t.Fatal(err)
	}
	page := describe(definition)
	for _, row := range []struct{ why, want string }{
		{"versions that are the same are described once", "### v1beta1, v1 (stored)\n"},
		{"where it lives", "`doors.example.com`, of the cluster. Short name: `d`."},
		{"a field that must be set is bold", "| **`spec.locks`** | list of object | at least 1 items |  | The locks. |"},
		{"limits and default, and a bar that does not end the cell",
			"| `spec.locks[].state` | string | `open`, `shut`; `open\\|shut` | `\"shut\"` |  |"},
	} {
		if !strings.Contains(page, row.want) {
			t.Errorf("%s: no %q in\n%s", row.why, row.want, page)
		}
	}
}
