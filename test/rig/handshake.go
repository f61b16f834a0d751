package rig

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// patience is how long anything may take at most.
	patience = time.Minute
	// look is the pause between two looks at what goes on.
	look = time.Millisecond
)

var errNotShown = errors.New("the certificate was never shown")

// Shake shakes hands with an address once, as a client that asks for host, and gives the certificate that was shown, whoever signed it.
func Shake(ctx context.Context, address, host string) (*x509.Certificate, error) {
	ctx, end := context.WithTimeout(ctx, patience)
	defer end()
	dialer := tls.Dialer{Config: &tls.Config{ServerName: host, InsecureSkipVerify: true}} //#nosec G402 -- the content is what is compared
	made, err := dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("shaking hands with %s: %w", address, err)
	}
	defer func() { _ = made.Close() }()
	shown, ok := made.(*tls.Conn)
	if !ok || len(shown.ConnectionState().PeerCertificates) == 0 {
		return nil, errNotShown
	}
	return shown.ConnectionState().PeerCertificates[0], nil
}

// Shows shakes hands with an address until a certificate is shown that is right, at most for a minute.
func Shows(ctx context.Context, address, host string, right func(*x509.Certificate) bool) error {
	last := errNotShown
	for start := time.Now(); time.Since(start) < patience; time.Sleep(look) {
		got, err := Shake(ctx, address, host)
		if err == nil && right(got) {
			return nil
		}
		if err != nil {
			last = err
		}
	}
	return last
}

// Pressure is clients that shake hands all the time, one handshake after the other.
type Pressure struct {
	stop   context.CancelFunc
	done   sync.WaitGroup
	shaken atomic.Int64
	mu     sync.Mutex
	failed error
}

// Press starts a client for each address. A client whose handshake fails stops.
func Press(ctx context.Context, host string, addresses ...string) *Pressure {
	p := &Pressure{}
	running, stop := context.WithCancel(ctx)
	p.stop = stop
	for _, address := range addresses {
		p.done.Go(func() {
			for running.Err() == nil {
				if _, err := Shake(ctx, address, host); err != nil {
					p.fail(err)
					return
				}
				p.shaken.Add(1)
			}
		})
	}
	return p
}

func (p *Pressure) fail(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.failed = errors.Join(p.failed, err)
}

// More waits for so many handshakes more, as long as all go well, and at most for a minute.
func (p *Pressure) More(count int64) {
	until := p.shaken.Load() + count
	for start := time.Now(); time.Since(start) < patience && p.shaken.Load() < until; time.Sleep(look) {
		p.mu.Lock()
		failed := p.failed
		p.mu.Unlock()
		if failed != nil {
			return
		}
	}
}

// End stops the clients, and gives how often they shook hands, and what failed.
func (p *Pressure) End() (int64, error) {
	p.stop()
	p.done.Wait()
	return p.shaken.Load(), p.failed
}
