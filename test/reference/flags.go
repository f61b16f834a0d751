package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
)

const flagsHeader = `# The flags of the operator

Written by ` + "`make generate`" + ` from ` + "`headgate-controller --help`" + `. Do not edit.

Flags that the AWS Load Balancer Controller has, have its names, meanings and defaults. Its other flags are refused by name.

| Flag | Takes | Default | Meaning |
|---|---|---|---|
`

// flagsPage asks the operator for its flags.
func flagsPage(ctx context.Context) (string, error) {
	help, err := exec.CommandContext(ctx, "go", "run", "./cmd/headgate-controller", "--help").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("asking the operator for its flags: %w: %s", err, help)
	}
	rows, err := flagRows(string(help))
	if err != nil {
		return "", err
	}
	return flagsHeader + rows, nil
}

// flagRows turns the help text of package flag into rows: a line with the name and what it takes, then a line with the
// meaning, which ends in the default unless that is nothing.
func flagRows(help string) (string, error) {
	var rows strings.Builder
	var name, takes string
	for line := range strings.Lines(help) {
		switch {
		case strings.HasPrefix(line, "  -"):
			name, takes, _ = strings.Cut(strings.TrimSpace(line)[1:], " ")
			if takes == "" {
				takes = "true or false"
			}
		case strings.HasPrefix(line, "    \t") && name != "":
			usage, value := cutDefault(strings.TrimSpace(line))
			if value != "" {
				value = "`" + value + "`"
			}
			fmt.Fprintf(&rows, "| `--%s` | %s | %s | %s |\n", name, takes, value, cell(usage))
			name = ""
		}
	}
	if rows.Len() == 0 {
		return "", errors.New("the operator's help names no flag")
	}
	return rows.String(), nil
}

// cutDefault takes "(default x)" off the end of a meaning.
func cutDefault(usage string) (string, string) {
	at := strings.LastIndex(usage, " (default ")
	if at < 0 || !strings.HasSuffix(usage, ")") {
		return usage, ""
	}
	value := usage[at+len(" (default ") : len(usage)-1]
	return usage[:at], strings.Trim(value, `"`)
}
