package main

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"

	"sigs.k8s.io/yaml"
)

// found is where it is written down what was found.
const found = "test/planted/found.yaml"

// finding is a bug that all its tests found.
type finding struct {
	Bug string `json:"bug"`
	// Digest is that of the bug as it was then.
	Digest string `json:"digest"`
	// Said is the first thing that the first test complained of.
	Said string `json:"said"`
}

// book has what was found by the names of the bugs.
type book map[string]finding

func findings(root string) (book, error) {
	var all []finding
	if err := read(filepath.Join(root, filepath.FromSlash(found)), &all); err != nil {
		return nil, err
	}
	out := book{}
	for _, f := range all {
		out[f.Bug] = f
	}
	return out, nil
}

// missing are those of some bugs that were not found as they are now.
func (k book) missing(some []bug) []bug {
	return slices.DeleteFunc(slices.Clone(some), func(b bug) bool { return k[b.Bug].Digest == b.digest() })
}

// with adds the results of a run. What was not found this time is known no more.
func (k book) with(results []result) book {
	out := maps.Clone(k)
	for _, r := range results {
		delete(out, r.bug.Bug)
		if !slices.ContainsFunc(r.trials, func(t trial) bool { return t.verdict != seen }) {
			out[r.bug.Bug] = finding{Bug: r.bug.Bug, Digest: r.bug.digest(), Said: r.trials[0].said}
		}
	}
	return out
}

// text is the file, in the order of the bugs and without what is none any more.
func (k book) text(bugs []bug) ([]byte, error) {
	all := []finding{}
	for _, b := range bugs {
		if f, ok := k[b.Bug]; ok {
			all = append(all, f)
		}
	}
	out, err := yaml.Marshal(all)
	if err != nil {
		return nil, fmt.Errorf("writing down what was found: %w", err)
	}
	return out, nil
}
