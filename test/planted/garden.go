package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

// verdict is what came of one test on one bug.
type verdict string

// The verdicts; only seen is good.
const (
	seen     verdict = "found"
	missed   verdict = "MISSED"
	panicked verdict = "PANICKED"
	unbuilt  verdict = "UNBUILT"
	lost     verdict = "LOST" // the code has changed, and the old text is not in its file
	ill      verdict = "ILL"  // the test fails without the bug, too
)

// limit is how long one test may take; go test's own words for a duration.
const limit = "10m"

// trial is one test on one bug.
type trial struct {
	pkg, test string
	verdict   verdict
	// said is the first line in which the test, or the compiler, complained.
	said string
}

type result struct {
	bug    bug
	trials []trial
}

// garden is where bugs are planted.
type garden struct {
	root, dir string
	// healthy are the tests that were run without a bug, and whether they passed.
	healthy map[string]bool
}

// plant tries all tests of one bug.
func (g *garden) plant(ctx context.Context, b bug) (result, error) {
	out := result{bug: b}
	content, gone := b.planted(g.root)
	if gone != nil {
		out.trials = append(out.trials, trial{verdict: lost, said: gone.Error()})
	} else if err := g.tryAll(ctx, &out, content); err != nil {
		return result{}, err
	}
	return out, nil
}

// tryAll tries all tests of a bug that makes a file's content what is given.
func (g *garden) tryAll(ctx context.Context, out *result, content string) error {
	overlay, err := g.overlay(out.bug, content)
	if err != nil {
		return err
	}
	for _, named := range out.bug.named() {
		t := trial{pkg: named[0], test: named[1]}
		if err := g.try(ctx, &t, overlay); err != nil {
			return err
		}
		out.trials = append(out.trials, t)
	}
	return nil
}

// overlay writes the changed file, and for the compiler what it stands for.
func (g *garden) overlay(b bug, content string) (string, error) {
	changed, overlay := filepath.Join(g.dir, "planted.go"), filepath.Join(g.dir, "overlay.json")
	list, err := json.Marshal(map[string]map[string]string{"Replace": {filepath.Join(g.root, filepath.FromSlash(b.File)): changed}})
	if err != nil {
		return "", fmt.Errorf("writing the overlay: %w", err)
	}
	const private = 0o600
	if err := errors.Join(os.WriteFile(changed, []byte(content), private), os.WriteFile(overlay, list, private)); err != nil {
		return "", fmt.Errorf("writing the overlay: %w", err)
	}
	return overlay, nil
}

// try runs one test without the bug, once for all bugs, and with it.
func (g *garden) try(ctx context.Context, t *trial, overlay string) error {
	name := t.pkg + " " + t.test
	if _, known := g.healthy[name]; !known {
		args := []string{"test", "-timeout", limit, "-run", pattern(t.test), "./" + t.pkg}
		if more := samples(t.pkg); len(more) > 0 {
			args = append(append(args, "-args"), more...)
		}
		_, err := g.goTool(ctx, "", args...)
		g.healthy[name] = err == nil
	}
	if !g.healthy[name] {
		t.verdict, t.said = ill, "fails without the bug: go test -run '"+pattern(t.test)+"' ./"+t.pkg
		return stopped(ctx)
	}
	program := filepath.Join(g.dir, strings.ReplaceAll(t.pkg, "/", "-")+".test")
	if said, err := g.goTool(ctx, overlay, "test", "-c", "-ldflags=-s -w", "-o", program, "./"+t.pkg); err != nil {
		t.verdict, t.said = unbuilt, firstLine(said)
		return stopped(ctx)
	}
	defer func() { _ = os.Remove(program) }() // the whole directory goes in the end
	run := exec.CommandContext(ctx, program, append([]string{"-test.run", pattern(t.test), "-test.timeout", limit}, samples(t.pkg)...)...)
	run.Dir, run.Env = filepath.Join(g.root, filepath.FromSlash(t.pkg)), environment(overlay)
	said, err := run.CombinedOutput()
	t.judge(string(said), err)
	return stopped(ctx)
}

// samples are the arguments with which the tests of a package try fewer of what they try at random.
func samples(pkg string) []string {
	if pkg == "test/isolation" {
		return []string{"-damages", "60"}
	}
	return nil
}

// stopped is an error where somebody ended the run: what a test said then means nothing.
func stopped(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("stopped: %w", err)
	}
	return nil
}

// judge reads what a test said.
func (t *trial) judge(said string, err error) {
	top, _, _ := strings.Cut(t.test, "/")
	t.said = complaint(said)
	switch {
	case crashed(said):
		t.verdict = panicked
	case err != nil && strings.Contains(said, "--- FAIL: "+top):
		t.verdict = seen
	default:
		t.verdict = missed
	}
}

// crashed tells whether a test panicked, or took too long, before it had asserted anything.
func crashed(said string) bool {
	i := strings.Index(said, "\npanic: ")
	return i >= 0 && (strings.Contains(said[i:], "panic: test timed out") || !assertion.MatchString(said[:i]))
}

// goTool runs the go command in the checkout.
func (g *garden) goTool(ctx context.Context, overlay string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir, cmd.Env = g.root, environment(overlay)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	return out.String(), err
}

// environment passes an overlay on: also to tests that build programs themselves.
func environment(overlay string) []string {
	if overlay == "" {
		return os.Environ()
	}
	return append(os.Environ(), strings.TrimSpace("GOFLAGS="+os.Getenv("GOFLAGS")+" -overlay="+overlay))
}

// pattern matches one test, and one of its subtests where the name goes on.
func pattern(test string) string {
	parts := strings.Split(test, "/")
	for i, part := range parts {
		parts[i] = "^" + regexp.QuoteMeta(part) + "$"
	}
	return strings.Join(parts, "/")
}

var assertion = regexp.MustCompile(`(?m)^\s+\w+\.go:\d+: (.*)$`)

// complaint is the first thing that a test said of a file's line; tests that pass are rarely so loud.
func complaint(said string) string {
	if match := assertion.FindStringSubmatch(said); match != nil {
		return short(match[1])
	}
	return firstLine(said)
}

func firstLine(said string) string {
	for line := range strings.Lines(said) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") && !strings.HasPrefix(line, "===") {
			return short(line)
		}
	}
	return ""
}

func short(line string) string {
	const most = 140
	if runes := []rune(line); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return line
}
