package cloud_test

import (
	"crypto/x509"
	"encoding/pem"
	"net"
	"testing"

	"github.com/headgate/headgate/cloud"
	"github.com/headgate/headgate/cloud/sim"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/plan"
	"github.com/headgate/headgate/test/rig"
)

const (
	// renewals of the Secret while clients connect.
	renewals = 5
	// between are the handshakes from one renewal to the next.
	between = 40
)

// TestRenewedSecretReachesClientsAndFailsNoHandshake: under load, each renewal is one call to ACM and none to a listener; clients come to see
// the new certificate, and never fail to shake hands.
func TestRenewedSecretReachesClientsAndFailsNoHandshake(t *testing.T) {
	const host = "shop.example"
	a, secrets := accountOf(t, sim.Options{Speed: 1000, Provisioning: -1, RuleDelay: -1, DataPlane: true, PortOffset: 25000}), safe{}
	c := a.keeper(t, secrets, nil)
	desired := front(secrets.put(t, "web", "EC", host))
	settle(t, c, desired)
	door := doorOf(t, a, desired.LoadBalancer.Name)
	shows := func() {
		t.Helper()
		serial := secrets.serial(t, "web")
		if err := rig.Shows(t.Context(), door, host, func(c *x509.Certificate) bool { return c.SerialNumber.String() == serial }); err != nil {
			t.Fatal(err)
		}
	}
	shows()
	load := rig.Press(t.Context(), host, door, door, door, door)
	for range renewals {
		renewOnce(t, c, front(secrets.put(t, "web", "EC", host)))
		shows()
		load.More(between)
	}
	shaken, failed := load.End()
	if shaken < renewals*between || failed != nil {
		t.Errorf("of %d handshakes under load some failed: %v", shaken, failed)
	}
	t.Logf("%d handshakes under load", shaken)
}

// doorOf is the address of the listener on port 443 of a load balancer.
func doorOf(t *testing.T, a *account, name string) string {
	t.Helper()
	for _, lb := range a.sim.LoadBalancers() {
		if lb.Name == name {
			return net.JoinHostPort(lb.Address.String(), "25443")
		}
	}
	t.Fatalf("there is no load balancer %s", name)
	return ""
}

// renewOnce applies what a renewed Secret asks for: one call, of ACM.
func renewOnce(t *testing.T, c *cloud.Client, desired model.Stack) {
	t.Helper()
	if got := settle(t, c, desired); len(got) != 1 || got[0] != plan.ImportCertificate {
		t.Errorf("a renewal took %v, want one import", got)
	}
}

// serial is the serial number of a Secret's certificate.
func (s safe) serial(t *testing.T, name string) string {
	t.Helper()
	block, _ := pem.Decode(s[model.SecretRef{Namespace: "shop", Name: name}]["tls.crt"])
	read, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return read.SerialNumber.String()
}
