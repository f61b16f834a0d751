package endtoend

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// clients send the requests of a [Load]: every second one opens a connection for each, every third asks what takes a while.
const (
	clients = 8
	slow    = 3
)

// pause is between two requests of a client: the machine has other things to do.
const pause = 10 * time.Millisecond

// patience is how long a request may take before it has failed.
const patience = 30 * time.Second

// Load are clients that send requests all the time.
type Load struct {
	stop context.CancelFunc
	done sync.WaitGroup

	mu     sync.Mutex
	sent   int
	failed map[string]int
}

// NewLoad sends requests to a load balancer until Stop, or until the context is over. It begins when the first was answered.
func (s *Stage) NewLoad(ctx context.Context, dnsName string) (*Load, error) {
	url, err := s.url(dnsName)
	if err != nil {
		return nil, err
	}
	err = Until(ctx, func(ctx context.Context) error { return get(ctx, &http.Transport{DisableKeepAlives: true}, url) })
	if err != nil {
		return nil, err
	}
	l := &Load{failed: map[string]int{}}
	ctx, l.stop = context.WithCancel(ctx)
	for i := range clients {
		l.done.Go(func() { l.client(ctx, url, i) })
	}
	return l, nil
}

// url is where a load balancer is reached on this machine.
func (s *Stage) url(dnsName string) (string, error) {
	const port = 80
	for _, lb := range s.Simulator().LoadBalancers() {
		if strings.EqualFold(lb.DNSName, dnsName) {
			return "http://" + net.JoinHostPort(lb.Address.String(), strconv.Itoa(port+s.PortOffset)), nil
		}
	}
	return "", fmt.Errorf("the account has no load balancer %q", dnsName)
}

// Counts are the requests that were answered or failed, and of the failed ones how many by what was wrong.
func (l *Load) Counts() (sent int, failed map[string]int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.sent, maps.Clone(l.failed)
}

// Stop ends the clients when their requests are answered.
func (l *Load) Stop() {
	l.stop()
	l.done.Wait()
}

// client sends one request after the other.
func (l *Load) client(ctx context.Context, url string, number int) {
	transport := &http.Transport{DisableKeepAlives: number%2 == 0}
	defer transport.CloseIdleConnections()
	if number%slow == 0 {
		url += "/?delay=250ms"
	}
	for ctx.Err() == nil {
		// A request that was begun is waited for.
		err := get(context.WithoutCancel(ctx), transport, url)
		l.count(err)
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
}

func (l *Load) count(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sent++
	if err != nil {
		l.failed[err.Error()]++
	}
}

var errStatus = errors.New("the answer is not 200")

// get asks once.
func get(ctx context.Context, transport *http.Transport, url string) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return fmt.Errorf("asking: %w", err)
	}
	response, err := transport.RoundTrip(request)
	if err != nil {
		return fmt.Errorf("asking: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	if _, err := io.ReadAll(response.Body); err != nil {
		return fmt.Errorf("reading an answer: %w", err)
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%w: it is %d", errStatus, response.StatusCode)
	}
	return nil
}
