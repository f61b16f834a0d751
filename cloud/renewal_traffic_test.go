package cloud_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/headgate/headgate/cloud"
	"github.com/headgate/headgate/cloud/sim"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/plan"
)

const (
	// renewals of the Secret while clients connect.
	renewals = 5
	// clients connect without a pause, each for itself.
	clients = 4
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
	seen := doorOf(t, a, desired.LoadBalancer.Name)
	if _, err := await(t.Context(), seen, secrets.serial(t, "web")); err != nil {
		t.Fatal(err)
	}
	load := press(t.Context(), seen)
	for n := range renewals {
		renewal := secrets.put(t, "web", "EC", host)
		renewOnce(t, c, front(renewal))
		tries, err := await(t.Context(), seen, secrets.serial(t, "web"))
		if err != nil {
			t.Errorf("renewal %d: after %d handshakes: %v", n, tries, err)
		}
		load.until(load.shaken.Load() + between)
	}
	shaken, failed := load.end()
	if shaken < renewals*between || failed != nil {
		t.Errorf("of %d handshakes under load some failed: %v", shaken, failed)
	}
	t.Logf("%d handshakes under load", shaken)
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

// door shakes hands, and gives the serial number of the certificate that was shown.
type door func(ctx context.Context) (string, error)

// doorOf is the listener on port 443 of a load balancer, with a port above.
func doorOf(t *testing.T, a *account, name string) door {
	t.Helper()
	for _, lb := range a.sim.LoadBalancers() {
		if lb.Name != name {
			continue
		}
		address := net.JoinHostPort(lb.Address.String(), "25443")
		dialer := tls.Dialer{Config: &tls.Config{ServerName: "shop.example", InsecureSkipVerify: true}} //#nosec G402 -- the serial number is what is compared
		return func(ctx context.Context) (string, error) {
			ctx, end := context.WithTimeout(ctx, 10*time.Second)
			defer end()
			made, err := dialer.DialContext(ctx, "tcp", address)
			if err != nil {
				return "", fmt.Errorf("shaking hands: %w", err)
			}
			defer func() { _ = made.Close() }()
			shown, ok := made.(*tls.Conn)
			if !ok {
				return "", errNotShown
			}
			return shown.ConnectionState().PeerCertificates[0].SerialNumber.String(), nil
		}
	}
	t.Fatalf("there is no load balancer %s", name)
	return nil
}

var errNotShown = errors.New("the certificate was never shown")

// await shakes hands until the certificate with the serial number is shown, and counts.
func await(ctx context.Context, seen door, serial string) (int, error) {
	last := errNotShown
	for n := range 400 {
		got, err := seen(ctx)
		switch {
		case err != nil:
			last = err
		case got == serial:
			return n + 1, nil
		}
		time.Sleep(5 * time.Millisecond)
	}
	return 400, last
}

// pressure is clients that connect all the time.
type pressure struct {
	stop   context.CancelFunc
	done   sync.WaitGroup
	shaken atomic.Int64
	mu     sync.Mutex
	failed error
}

func press(ctx context.Context, seen door) *pressure {
	p := &pressure{}
	running, stop := context.WithCancel(ctx)
	p.stop = stop
	for range clients {
		p.done.Go(func() {
			for running.Err() == nil {
				if _, err := seen(ctx); err != nil {
					p.mu.Lock()
					p.failed = errors.Join(p.failed, err)
					p.mu.Unlock()
					return
				}
				p.shaken.Add(1)
			}
		})
	}
	return p
}

// until waits for so many handshakes, as long as all go well.
func (p *pressure) until(shaken int64) {
	for range 2000 {
		p.mu.Lock()
		failed := p.failed
		p.mu.Unlock()
		if failed != nil || p.shaken.Load() >= shaken {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// end stops the clients, and gives how often they shook hands, and what failed.
func (p *pressure) end() (int64, error) {
	p.stop()
	p.done.Wait()
	return p.shaken.Load(), p.failed
}
