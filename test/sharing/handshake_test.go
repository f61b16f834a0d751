package sharing

import (
	"crypto/x509"
	"encoding/pem"
	"net"
	"testing"

	"github.com/headgate/headgate/cloud/sim"
	"github.com/headgate/headgate/test/rig"
)

const (
	// offset is added to the ports of listeners, and secure is what becomes of 443.
	offset = 27000
	secure = "27443"
)

// TestSharedRenewalReachesAllClientsAndFailsNoHandshake: under load, a renewed Secret is one import for two load balancers and no call of a
// listener; the clients of both come to see the new certificate, and none ever fails to shake hands.
func TestSharedRenewalReachesAllClientsAndFailsNoHandshake(t *testing.T) {
	t.Parallel()
	const renewals, between = 3, 20
	w := newWorld(t, sim.Options{Speed: 1000, DataPlane: true, PortOffset: offset})
	made := w.issue()
	w.seal(made, "web")
	w.ask("a", "web", made)
	w.ask("b", "web", made)
	w.must("a", "b")
	w.wire.took()
	var addresses []string
	for _, lb := range w.sim.LoadBalancers() {
		addresses = append(addresses, net.JoinHostPort(lb.Address.String(), secure))
	}
	if len(addresses) != 2 {
		t.Fatalf("there are %d load balancers, want 2", len(addresses))
	}
	shows := func() {
		t.Helper()
		want := contentOf(string(made.Cert))
		for _, address := range addresses {
			if err := rig.Shows(t.Context(), address, host, func(c *x509.Certificate) bool { return contentOf(pemOf(c)) == want }); err != nil {
				t.Fatal(err)
			}
		}
	}
	shows()
	load := rig.Press(t.Context(), host, append(addresses, addresses...)...)
	for range renewals {
		load.More(between)
		made = w.issue()
		w.seal(made, "web")
		w.must("a", "b")
		w.wrote("a renewal", "ImportCertificate")
		shows()
	}
	load.More(between)
	if shaken, failed := load.End(); failed != nil || shaken < renewals*between {
		t.Errorf("of %d handshakes some failed: %v", shaken, failed)
	}
}

func pemOf(c *x509.Certificate) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}))
}
