package main

import (
	"testing"
	"time"

	"github.com/spf13/cobra"

	"github.com/headgate/headgate/cloud/sim"
)

// worldOf gives the options that flags make.
func worldOf(t *testing.T, arguments ...string) (sim.Options, error) {
	t.Helper()
	var f worldFlags
	var o sim.Options
	command := &cobra.Command{}
	f.add(command, &o)
	if err := command.ParseFlags(arguments); err != nil {
		t.Fatal(err)
	}
	err := f.apply(&o)
	return o, err
}

// noRoot is a certificate that is cut off.
const noRoot = `-----BEGIN CERTIFICATE-----
MIIBATCBqaADAgECAgEBMAoGCCqGSM49BAMCMAAwHhcNMjYwMTAxMDAwMDAwWhcN
-----END CERTIFICATE-----
`

func TestWorldFlags(t *testing.T) {
	t.Parallel()
	got, err := worldOf(
		t, "--quota", "RulesPerLoadBalancer=200,Addresses=50", "--access-logs", "logs", "--constrained-zone", "us-west-2a", "--constrained-zone", "us-west-2b",
		"--address", "idp.example.com=127.0.0.1:8443,10.0.1.15:80=127.0.0.1:8080", "--trust-store-creation", "-1s", "--capacity-provisioning", "1m",
		"--firewall-propagation", "30s",
	)
	if err != nil {
		t.Fatal(err)
	}
	if got.Quotas.RulesPerLoadBalancer != 200 || got.NetworkQuotas.Addresses != 50 || got.AccessLogs != "logs" || len(got.ConstrainedZones) != 2 ||
		got.Addresses["10.0.1.15:80"] != "127.0.0.1:8080" || got.Addresses["idp.example.com"] != "127.0.0.1:8443" ||
		got.TrustStoreCreation != -time.Second || got.CapacityProvisioning != time.Minute || got.FirewallPropagation != 30*time.Second {
		t.Errorf("got %+v", got)
	}
}

func TestBadWorldFlags(t *testing.T) {
	t.Parallel()
	for _, arguments := range [][]string{
		{"--quota", "Rules=1"}, {"--quota", "Addresses=many"}, {"--quota", "Addresses=0"}, {"--identity-roots", "none.pem"},
		{"--identity-roots", written(t, "roots.pem", noRoot)},
	} {
		if _, err := worldOf(t, arguments...); err == nil {
			t.Errorf("%v was taken", arguments)
		}
	}
}
