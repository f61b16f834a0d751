package sandbox

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"

	"github.com/headgate/headgate/cloud/sim"
)

// snapshotName is the file of the simulated account in a state directory. Its owner alone can read it.
const snapshotName = "aws.json"

// startSimulator starts the account, as an earlier sandbox left it in the state directory if there is one.
func (s *Sandbox) startSimulator(ctx context.Context) error {
	options := s.options.Simulator
	options.ClusterName, options.Speed, options.PortOffset = s.options.ClusterName, s.options.Speed, s.options.PortOffset
	options.DataPlane = true
	if options.DNS == "" {
		options.DNS = "127.0.0.1:0"
	}
	if s.options.StateDir != "" && options.Snapshot == "" {
		options.Snapshot = filepath.Join(s.dir, snapshotName)
	}
	s.say("Starting the simulated AWS account")
	simulator, err := sim.New(options)
	if err != nil && options.Snapshot != "" {
		return fmt.Errorf("starting the simulator from %s: %w", options.Snapshot, err)
	}
	if err != nil {
		return fmt.Errorf("starting the simulator: %w", err)
	}
	s.simulator = simulator
	if options.Snapshot == "" {
		return nil
	}
	return s.forgetAddresses(ctx)
}

// forgetAddresses empties the table of where pods are: those that it came with have ended, and somebody else
// may listen on their ports.
func (s *Sandbox) forgetAddresses(ctx context.Context) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.simulator.URL()+"/_sim/addresses", http.NoBody)
	if err != nil {
		return fmt.Errorf("asking the simulator for addresses: %w", err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("asking the simulator for addresses: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	gone := map[string]*string{}
	if err := json.NewDecoder(response.Body).Decode(&gone); err != nil {
		return fmt.Errorf("reading the simulator's addresses: %w", err)
	}
	for target := range gone {
		gone[target] = nil
	}
	for target, address := range s.options.Simulator.Addresses {
		gone[target] = &address
	}
	return network{s.simulator}.Reach(ctx, gone)
}
