package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"

	"github.com/headgate/headgate/cloud/sim"
	"github.com/headgate/headgate/cloud/sim/fault"
)

// written writes a file of a test and gives its name.
func written(t *testing.T, name, content string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// optionsOf gives the options that flags make.
func optionsOf(t *testing.T, arguments ...string) (sim.Options, error) {
	t.Helper()
	var f simFlags
	var o sim.Options
	command := &cobra.Command{}
	f.add(command)
	if err := command.ParseFlags(arguments); err != nil {
		t.Fatal(err)
	}
	err := f.apply(&o)
	return o, err
}

func TestSimFlags(t *testing.T) {
	t.Parallel()
	const document = `{"Version":"2012-10-17","Statement":[]}`
	got, err := optionsOf(
		t, "--faults", written(t, "faults.json", `{"faults": [{"action": "CreateRule"}], "latency": {"read": "1ms"}, "consistency": {"lists": "1s"}}`),
		"--fault", "kind=write,every=7,when=after", "--fault", "service=ec2,cut", "--latency", "write=2ms", "--throttle", "--seed", "5",
		"--consistency", "3s", "--consistency-names", "2s", "--policy", written(t, "policy.json", document),
	)
	if err != nil {
		t.Fatal(err)
	}
	want := sim.Options{Seed: 5, Disturbances: sim.Disturbances{
		Faults:     []fault.Fault{{Action: "CreateRule"}, {Kind: "write", Every: 7, When: fault.After}, {Service: "ec2", Cut: true}},
		Latency:    fault.Latency{"write": 2 * time.Millisecond},
		Throttling: fault.AWS(), Consistency: sim.Consistency{Lists: fault.Duration(3 * time.Second), Names: fault.Duration(2 * time.Second)},
		Policy: json.RawMessage(document),
	}}
	if diff := cmp.Diff(want.Disturbances, got.Disturbances); diff != "" || got.Seed != want.Seed {
		t.Error(got.Seed, diff)
	}
	file, err := optionsOf(t, "--faults", written(t, "faults.json", `{"consistency": {"lists": "1s"}}`))
	if err != nil || file.Disturbances.Consistency.Lists != fault.Duration(time.Second) {
		t.Errorf("flags that are not given leave the file's: %+v, %v", file.Disturbances, err)
	}
}

func TestBadSimFlags(t *testing.T) {
	t.Parallel()
	for _, arguments := range [][]string{
		{"--fault", "nth=often"}, {"--latency", "fast"}, {"--faults", "none.json"}, {"--policy", "none.json"}, {"--faults", written(t, "f", `{"x": 1}`)},
	} {
		if _, err := optionsOf(t, arguments...); err == nil {
			t.Errorf("%v was taken", arguments)
		}
	}
}
