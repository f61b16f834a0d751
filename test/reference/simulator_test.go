package main

import (
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/headgate/headgate/cloud/sim"
)

// TestEveryOperationHasARow demands a row for each operation that the simulator offers, and none for another.
func TestEveryOperationHasARow(t *testing.T) {
	t.Parallel()
	s, err := sim.New(sim.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	offered, told := map[string]bool{}, map[string]bool{}
	for _, o := range s.Operations() {
		offered[o.Service+" "+o.Action] = true
	}
	for service, of := range checks() {
		for action, text := range of {
			told[service+" "+action] = text != ""
		}
	}
	if d := cmp.Diff(offered, told); d != "" {
		t.Errorf("the simulator offers (-), the reference has (+):\n%s", d)
	}
}

func TestTheSimulatorsPageIsCurrent(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/reference/simulator.md")
	if err != nil {
		t.Fatal(err)
	}
	want, err := fill(string(page), tables())
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, string(page)); d != "" {
		t.Errorf("make generate writes (-), the page has (+):\n%s", d)
	}
}

func TestFillNeedsItsMarks(t *testing.T) {
	t.Parallel()
	tables := map[string]string{"doors": "| a |\n"}
	for _, c := range []struct {
		why, page, want string
		fails           bool
	}{
		{why: "the old table goes", page: "x\n" + tableStart + "doors -->\nold\n" + tableEnd + "\ny", want: "x\n" + tableStart + "doors -->\n| a |\n" + tableEnd + "\ny"},
		{why: "a table has no place", page: "x", fails: true},
		{why: "a table has no end", page: tableStart + "doors -->\nold\n", fails: true},
	} {
		got, err := fill(c.page, tables)
		if got != c.want || (err != nil) != c.fails {
			t.Errorf("%s: %q, %v", c.why, got, err)
		}
	}
}
