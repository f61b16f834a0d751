package main

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
)

// describe is the section of one kind.
func describe(definition apiextensionsv1.CustomResourceDefinition) string {
	names := definition.Spec.Names
	var out strings.Builder
	fmt.Fprintf(&out, "\n## %s\n\n", names.Kind)
	fmt.Fprintf(&out, "`%s.%s`, %s.", names.Plural, definition.Spec.Group, scope(definition))
	if len(names.ShortNames) > 0 {
		fmt.Fprintf(&out, " Short name: `%s`.", strings.Join(names.ShortNames, "`, `"))
	}
	out.WriteString("\n")
	for _, group := range distinct(definition.Spec.Versions) {
		version := group[0]
		fmt.Fprintf(&out, "\n### %s\n\n%s\n", strings.Join(versionNames(group), ", "), meaning(version.Schema.OpenAPIV3Schema.Description))
		if columns := columnNames(version); len(columns) > 0 {
			fmt.Fprintf(&out, "\nColumns: %s.\n", strings.Join(columns, ", "))
		}
		out.WriteString("\n| Field | Type | Must be | Default | Meaning |\n|---|---|---|---|---|\n")
		root := version.Schema.OpenAPIV3Schema
		for _, top := range []string{"spec", "status"} {
			if schema, ok := root.Properties[top]; ok {
				out.WriteString(strings.Join(rows(top, schema, optional), ""))
			}
		}
	}
	return out.String()
}

// presence says whether a field may be left out.
type presence bool

const (
	required presence = true
	optional presence = false
)

// rows are the lines of a field and of what it holds.
func rows(path string, schema apiextensionsv1.JSONSchemaProps, must presence) []string {
	name := "`" + path + "`"
	if must == required {
		name = "**" + name + "**"
	}
	lines := []string{fmt.Sprintf("| %s | %s | %s | %s | %s |\n",
		name, typeName(schema), limits(schema), byDefault(schema), meaning(schema.Description))}
	inner := schema
	if schema.Type == "array" && schema.Items != nil && schema.Items.Schema != nil {
		path += "[]"
		inner = *schema.Items.Schema
	}
	for _, child := range slices.Sorted(maps.Keys(inner.Properties)) {
		must := presence(slices.Contains(inner.Required, child))
		lines = append(lines, rows(path+"."+child, inner.Properties[child], must)...)
	}
	return lines
}

func typeName(schema apiextensionsv1.JSONSchemaProps) string {
	switch {
	case schema.XIntOrString:
		return "integer or string"
	case schema.Type == "array" && schema.Items != nil && schema.Items.Schema != nil:
		return "list of " + typeName(*schema.Items.Schema)
	case schema.AdditionalProperties != nil && schema.AdditionalProperties.Schema != nil:
		return "map of " + typeName(*schema.AdditionalProperties.Schema)
	case schema.Format != "":
		return schema.Type + " (" + schema.Format + ")"
	}
	return schema.Type
}

// limits says what a value must be, in few words.
func limits(schema apiextensionsv1.JSONSchemaProps) string {
	var said []string
	if schema.Items != nil && schema.Items.Schema != nil {
		if inner := limits(*schema.Items.Schema); inner != "" {
			said = append(said, "each: "+inner)
		}
	}
	if len(schema.Enum) > 0 {
		values := make([]string, 0, len(schema.Enum))
		for _, value := range schema.Enum {
			values = append(values, "`"+strings.Trim(string(value.Raw), `"`)+"`")
		}
		said = append(said, strings.Join(values, ", "))
	}
	if schema.Pattern != "" {
		said = append(said, "`"+cell(schema.Pattern)+"`")
	}
	said = append(said, bounds(schema)...)
	for _, rule := range schema.XValidations {
		said = append(said, cell(rule.Message))
	}
	return strings.Join(said, "; ")
}

func bounds(schema apiextensionsv1.JSONSchemaProps) []string {
	var said []string
	for _, bound := range []struct {
		words string
		value *int64
	}{
		{"at least %d characters", schema.MinLength},
		{"at most %d characters", schema.MaxLength},
		{"at least %d items", schema.MinItems},
		{"at most %d items", schema.MaxItems},
		{"at most %d entries", schema.MaxProperties},
	} {
		if bound.value != nil {
			said = append(said, fmt.Sprintf(bound.words, *bound.value))
		}
	}
	if schema.Minimum != nil {
		said = append(said, fmt.Sprintf("at least %.0f", *schema.Minimum))
	}
	if schema.Maximum != nil {
		said = append(said, fmt.Sprintf("at most %.0f", *schema.Maximum))
	}
	return said
}

func byDefault(schema apiextensionsv1.JSONSchemaProps) string {
	if schema.Default == nil {
		return ""
	}
	return "`" + cell(string(schema.Default.Raw)) + "`"
}

// meaning is a description in one line.
func meaning(description string) string {
	return cell(strings.Join(strings.Fields(description), " "))
}

// cell makes text fit for a cell of a table.
func cell(text string) string {
	return strings.ReplaceAll(text, "|", `\|`)
}

func scope(definition apiextensionsv1.CustomResourceDefinition) string {
	if definition.Spec.Scope == apiextensionsv1.ClusterScoped {
		return "of the cluster"
	}
	return "of a namespace"
}

// distinct groups versions that have the same schema and columns; the stored one comes first.
func distinct(versions []apiextensionsv1.CustomResourceDefinitionVersion) [][]apiextensionsv1.CustomResourceDefinitionVersion {
	var groups [][]apiextensionsv1.CustomResourceDefinitionVersion
	for _, version := range versions {
		at := slices.IndexFunc(groups, func(group []apiextensionsv1.CustomResourceDefinitionVersion) bool {
			return sameFields(group[0], version)
		})
		if at < 0 {
			groups = append(groups, []apiextensionsv1.CustomResourceDefinitionVersion{version})
			continue
		}
		groups[at] = append(groups[at], version)
	}
	slices.SortStableFunc(groups, func(a, b []apiextensionsv1.CustomResourceDefinitionVersion) int {
		return stored(b) - stored(a)
	})
	return groups
}

func stored(group []apiextensionsv1.CustomResourceDefinitionVersion) int {
	for _, version := range group {
		if version.Storage {
			return 1
		}
	}
	return 0
}

// sameFields compares all but the description of the kind itself.
func sameFields(a, b apiextensionsv1.CustomResourceDefinitionVersion) bool {
	return reflect.DeepEqual(a.Schema.OpenAPIV3Schema.Properties, b.Schema.OpenAPIV3Schema.Properties) &&
		reflect.DeepEqual(a.AdditionalPrinterColumns, b.AdditionalPrinterColumns)
}

func versionNames(group []apiextensionsv1.CustomResourceDefinitionVersion) []string {
	names := make([]string, 0, len(group))
	for _, version := range group {
		name := version.Name
		if version.Storage {
			name += " (stored)"
		}
		names = append(names, name)
	}
	return names
}

func columnNames(version apiextensionsv1.CustomResourceDefinitionVersion) []string {
	names := make([]string, 0, len(version.AdditionalPrinterColumns))
	for _, column := range version.AdditionalPrinterColumns {
		names = append(names, column.Name)
	}
	return names
}
