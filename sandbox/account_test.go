package sandbox_test

import (
	"encoding/json"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/headgate/headgate/sandbox"
)

func TestAStateDirectoryKeepsClusterAndAccount(t *testing.T) {
	state := filepath.Join(t.TempDir(), "state")
	first := start(t, sandbox.Options{Speed: 60, StateDir: state})
	kubectl(t, first, shop, "apply", "-f", "-")
	askUntilServed(t, awaitAddress(t, first))
	before, nodes := first.Simulator().LoadBalancers(), nodesOf(t, first)
	if err := first.Simulator().SetAddresses(map[string]*string{"10.0.1.250:1": new("127.0.0.1:1")}); err != nil {
		t.Fatal(err)
	}
	if err := first.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(filepath.Join(state, "aws.json")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the account holds private keys; its file is %v, %v", info, err)
	}
	second := start(t, sandbox.Options{Speed: 60, StateDir: state})
	askUntilServed(t, awaitAddress(t, second))
	after := second.Simulator().LoadBalancers()
	if len(before) != 1 || len(after) != 1 || before[0].ARN != after[0].ARN || before[0].DNSName != after[0].DNSName {
		t.Errorf("the load balancers were %+v and are %+v", before, after)
	}
	if diff := cmp.Diff(nodes, nodesOf(t, second)); diff != "" {
		t.Errorf("the nodes are other instances (-before +after):\n%s", diff)
	}
	await(t, func() bool { return len(addresses(t, second)) >= 2 })
	for target, at := range addresses(t, second) {
		connection, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", at)
		if err != nil {
			t.Errorf("pod address %s leads to nobody: %v", target, err)
			continue
		}
		if err := connection.Close(); err != nil {
			t.Error(err)
		}
	}
}

// nodesOf are the instances of the nodes, by name.
func nodesOf(t *testing.T, s *sandbox.Sandbox) []string {
	t.Helper()
	return strings.Fields(kubectl(t, s, "", "get", "nodes", "-o", "jsonpath={range .items[*]}{.metadata.name}={.spec.providerID} {end}"))
}

// addresses is the simulator's table of where targets are.
func addresses(t *testing.T, s *sandbox.Sandbox) map[string]string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.Access().URL+"/_sim/addresses", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	table := map[string]string{}
	if err := json.NewDecoder(response.Body).Decode(&table); err != nil {
		t.Fatal(err)
	}
	return table
}
