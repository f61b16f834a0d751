package sharing

import (
	"context"
	"crypto/tls"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/headgate/headgate/cloud/sim"
)

const (
	// offset is added to the ports of listeners, and secure is what becomes of 443.
	offset = 27000
	secure = "27443"
	// patience is how long anything may take at most.
	patience = time.Minute
)

var errNotShown = errors.New("the certificate was never shown")

// shake shakes hands once, and gives the content of the certificate that was shown.
func shake(ctx context.Context, address string) (string, error) {
	ctx, end := context.WithTimeout(ctx, patience)
	defer end()
	dialer := tls.Dialer{Config: &tls.Config{ServerName: host, InsecureSkipVerify: true}} //#nosec G402 -- the content is what is compared
	made, err := dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		return "", fmt.Errorf("shaking hands with %s: %w", address, err)
	}
	defer func() { _ = made.Close() }()
	shown, ok := made.(*tls.Conn)
	if !ok {
		return "", errNotShown
	}
	leaf := shown.ConnectionState().PeerCertificates[0].Raw
	return contentOf(string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: leaf}))), nil
}

// comes waits until a certificate is shown.
func comes(ctx context.Context, address, content string) error {
	last := errNotShown
	for start := time.Now(); time.Since(start) < patience; time.Sleep(5 * time.Millisecond) {
		got, err := shake(ctx, address)
		if err == nil && got == content {
			return nil
		}
		if err != nil {
			last = err
		}
	}
	return last
}

// pressure is clients that shake hands all the time, one after the other.
type pressure struct {
	stop   context.CancelFunc
	done   sync.WaitGroup
	shaken atomic.Int64
	mu     sync.Mutex
	failed error
}

func press(ctx context.Context, addresses []string) *pressure {
	p := &pressure{}
	running, stop := context.WithCancel(ctx)
	p.stop = stop
	for _, address := range addresses {
		p.done.Go(func() {
			for running.Err() == nil {
				if _, err := shake(ctx, address); err != nil {
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

// more waits for so many handshakes more, as long as all go well.
func (p *pressure) more(count int64) {
	until := p.shaken.Load() + count
	for start := time.Now(); time.Since(start) < patience && p.shaken.Load() < until; time.Sleep(time.Millisecond) {
		p.mu.Lock()
		failed := p.failed
		p.mu.Unlock()
		if failed != nil {
			return
		}
	}
}

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
		for _, address := range addresses {
			if err := comes(t.Context(), address, contentOf(string(made.Cert))); err != nil {
				t.Fatal(err)
			}
		}
	}
	shows()
	load := press(t.Context(), append(addresses, addresses...))
	for range renewals {
		load.more(between)
		made = w.issue()
		w.seal(made, "web")
		w.must("a", "b")
		w.wrote("a renewal", "ImportCertificate")
		shows()
	}
	load.more(between)
	load.stop()
	load.done.Wait()
	if load.failed != nil || load.shaken.Load() < renewals*between {
		t.Errorf("of %d handshakes some failed: %v", load.shaken.Load(), load.failed)
	}
}
