package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/headgate/headgate/controllers/annotations"
)

const (
	cases             = "test/golden/ingress"
	annotationsHeader = `# The annotations of Ingresses

Written by ` + "`make generate`" + ` from the operator's own table and from what the golden cases say they prove. Do not edit.

All keys begin with ` + "`" + annotations.IngressPrefix + "`" + `, but for those written with another prefix, which the incumbent does not know.
What a key of a Service says goes before what the Ingress says, and IngressClassParams before both.

How a key behaves in a group of Ingresses:

- **own**: it concerns its Ingress only.
- **one**: the load balancer has one value. The first member that names it, in the order of the group, decides; who says otherwise is told.
- **sum**: the values add up over the members, key by key.
- **port**: each listener has one value, as with *one*.
- **targets**: it concerns the target group of an Ingress and the port of a Service.
- **rules**: it concerns the rules of its Ingress.
- **strictest**: it says how changes are made, and classes may say it too (IngressClass or IngressClassParams). Of all that is said the strictest counts,
  also of members that leave. Gateways and GatewayClasses have the same keys. See [operations](../guide/operations.md#approval).
- **handover**: it says whose the load balancer is; all Ingresses of a group name the same. Gateways have these keys too. See
  [from an Ingress to a Gateway](../guide/ingress-to-gateway.md).

Two annotations are for who runs the cluster, and stand on other objects. See
[which hosts a namespace may claim](../guide/ingress.md#which-hosts-a-namespace-may-claim), and the cases
[host-claims-places](../../test/golden/ingress/host-claims-places) and [host-claims-withdrawn](../../test/golden/ingress/host-claims-withdrawn):

| Key | On | Default | What may be written |
|---|---|---|---|
| ` + "`headgate.dev/host-claims`" + ` | IngressClassParams | Optional | Required, Optional; with anything else nobody new joins |
| ` + "`headgate.dev/hosts`" + ` | Namespace | no host | names, with commas between them; ` + "`*.`" + ` before one for all below it, ` + "`*`" +
		` for all hosts |

The others:

`
)

// casesOf are the golden cases of each key or field, by the kind of proof.
type casesOf map[string]map[string][]string

// kindsOfProof is the order in which they are shown.
func kindsOfProof() []string { return []string{"set", "default", "changed", "removed", "invalid"} }

// specs are all keys, those of another prefix with it.
func specs() []annotations.Spec {
	out := annotations.Ingress().Specs()
	for _, s := range annotations.Extensions().Specs() {
		s.Key = annotations.ExtensionPrefix + s.Key
		out = append(out, s)
	}
	return out
}

// annotationsPage is the table of all annotations, and which cases prove each, as well as each field of IngressClassParams.
func annotationsPage(specs []annotations.Spec, dir string) (string, error) {
	proven, err := readCases(dir)
	if err != nil {
		return "", err
	}
	var page strings.Builder
	page.WriteString(annotationsHeader)
	page.WriteString("| Key | Type | Default | On | In a group | What may be written |\n|---|---|---|---|---|---|\n")
	for _, s := range specs {
		fmt.Fprintf(&page, "| %s | %s | %s | %s | %s | %s |\n", keyOf(s), typeOf(s), cell(s.Default), s.On, scopeOf(s), cell(form(s)))
	}
	page.WriteString("\n## The golden cases\n\nIn `" + cases + "`: each key, and each field of IngressClassParams, in the five ways that matter.\n\n")
	page.WriteString("| Key or field | " + strings.Join(kindsOfProof(), " | ") + " |\n|---|---|---|---|---|---|\n")
	names := make([]string, 0, len(proven))
	for _, s := range specs {
		names = append(names, s.Key)
	}
	for _, name := range slices.Concat(names, fieldNames(proven)) {
		if row := caseRow(proven[name]); row != "" {
			fmt.Fprintf(&page, "| `%s` |%s\n", name, row)
		}
	}
	return page.String(), nil
}

func fieldNames(proven casesOf) []string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(proven)) {
		if strings.HasPrefix(name, "spec.") {
			out = append(out, name)
		}
	}
	return out
}

func caseRow(of map[string][]string) string {
	if len(of) == 0 {
		return ""
	}
	var row strings.Builder
	for _, kind := range kindsOfProof() {
		links := make([]string, 0, len(of[kind]))
		for _, name := range of[kind] {
			links = append(links, fmt.Sprintf("[%s](../../%s/%s)", name, cases, name))
		}
		text := strings.Join(links, ", ")
		if text == "" {
			text = "the API server refuses what is not allowed"
		}
		row.WriteString(" " + text + " |")
	}
	return row.String()
}

// readCases reads what each case says it proves.
func readCases(dir string) (casesOf, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*", "covers.yaml"))
	if err != nil {
		return nil, fmt.Errorf("looking for golden cases: %w", err)
	}
	out := casesOf{}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("reading what a case proves: %w", err)
		}
		var said map[string]any
		if err := yaml.Unmarshal(data, &said); err != nil {
			return nil, fmt.Errorf("reading %s: %w", file, err)
		}
		for kind, list := range said {
			for _, name := range namesIn(list) {
				if out[name] == nil {
					out[name] = map[string][]string{}
				}
				out[name][kind] = append(out[name][kind], filepath.Base(filepath.Dir(file)))
			}
		}
	}
	return out, nil
}

// namesIn are the items of a list, or the keys of a map.
func namesIn(v any) []string {
	var out []string
	switch v := v.(type) {
	case []any:
		for _, name := range v {
			out = append(out, fmt.Sprint(name))
		}
	case map[string]any:
		out = slices.Sorted(maps.Keys(v))
	}
	return out
}

func keyOf(s annotations.Spec) string {
	if s.Named {
		return "`" + s.Key + ".`*name*"
	}
	return "`" + s.Key + "`"
}

func typeOf(s annotations.Spec) string {
	return map[annotations.Type]string{
		annotations.String: "text", annotations.Bool: "true or false", annotations.Int: "number", annotations.List: "list",
		annotations.Map: "pairs", annotations.JSON: "JSON",
	}[s.Type]
}

func scopeOf(s annotations.Spec) string {
	return map[annotations.Scope]string{
		annotations.Own: "own", annotations.Exclusive: "one", annotations.Merge: "sum", annotations.PerPort: "port",
		annotations.PerTargetGroup: "targets", annotations.PerRule: "rules", annotations.Strictest: "strictest", annotations.Handover: "handover",
	}[s.Scope]
}

// form is what may be written, in the words in which a mistake is told.
func form(s annotations.Spec) string {
	switch {
	case s.Status == annotations.Ignored:
		return "nothing: operators write it"
	case s.Status != annotations.Served:
		return "not served"
	case len(s.Values) > 0:
		return strings.Join(s.Values, ", ")
	case s.Type == annotations.JSON:
		return "as in its cases below"
	}
	// The pairs come first: what is wrong with them says more than that there are none.
	for _, wrong := range []string{"?=?", "?"} {
		if how := hint(s.Parse(wrong)); how != "" && s.Type != annotations.Bool {
			return how
		}
	}
	return ""
}

// hint is what a message says is to be written.
func hint(mistake error) string {
	if mistake == nil {
		return ""
	}
	_, how, _ := strings.Cut(mistake.Error(), "write ")
	return strings.NewReplacer("<", "&lt;", ">", "&gt;").Replace(strings.TrimPrefix(how, "it as "))
}
