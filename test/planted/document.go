package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

const head = `# Planted bugs

Written by ` + "`make planted`" + `. Do not edit.

Each test of [the invariants](../invariants.md) has to fail once on a bug that breaks its invariant: else it proves nothing. Each row
is one such bug, planted by the command into one file (` + "`test/planted/bugs`" + ` has the text before and after), with the tests that were then
run, each of which passed without the bug and failed with it, and the first thing that the first of them said. A row that says "not planted
yet" waits for a run of ` + "`make planted ARGS=--missing`" + `.
`

// document is the page of all bugs.
func document(bugs []bug, known book, exceptions []spared) string {
	var out strings.Builder
	out.WriteString(head)
	last := 0
	for _, b := range bugs {
		if b.Invariant != last {
			last = b.Invariant
			fmt.Fprintf(&out, "\n## Invariant %d\n\n| bug | what users would meet | found by | what it said |\n|---|---|---|---|\n", last)
		}
		said := "not planted yet"
		if one, ok := known[b.Bug]; ok && one.Digest == b.digest() {
			said = "`" + strings.ReplaceAll(one.Said, "`", "'") + "`"
		}
		fmt.Fprintf(&out, "| %s (`%s`) | %s | %s | %s |\n", cell(b.Bug), b.File, cell(b.Why), list(b.Tests), cell(said))
	}
	out.WriteString("\n## For which no bug is planted\n\n| tests | why |\n|---|---|\n")
	for _, s := range exceptions {
		fmt.Fprintf(&out, "| %s | %s |\n", list(s.Tests), cell(s.Why))
	}
	return out.String()
}

// list names tests by their packages.
func list(tests map[string][]string) string {
	var out []string
	for _, pkg := range slices.Sorted(maps.Keys(tests)) {
		out = append(out, "`"+pkg+"` "+strings.Join(tests[pkg], ", "))
	}
	return strings.Join(out, "; ")
}

// cell keeps a text in its cell.
func cell(text string) string {
	return strings.ReplaceAll(strings.Join(strings.Fields(text), " "), "|", `\|`)
}
