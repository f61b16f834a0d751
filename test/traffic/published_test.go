package traffic

import (
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// directory is what clients know of load balancers: the names that the operator published last. A stage without one has a single load
// balancer, which every client knows.
type directory struct {
	mu    sync.Mutex
	names []string
	// asked counts the answers, which take turns among the names.
	asked int
	// version counts the changes; learned is which one each client that sends requests has heard of, and asks whether it asked since the clock
	// moved last.
	version int
	learned map[*client]int
	asks    map[*client]bool
	// found are the names that were published when a client asked last.
	found map[*client][]string
}

func newDirectory() *directory {
	return &directory{learned: map[*client]int{}, asks: map[*client]bool{}, found: map[*client][]string{}}
}

// publish takes the names of the load balancers that clients may use.
func (d *directory) publish(names []string) {
	if d == nil {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if !slices.Equal(d.names, names) {
		d.names = slices.Clone(names)
		d.version++
	}
}

// learn has a client that is about to ask hear of the names. It tells whether they are others than before.
func (d *directory) learn(c *client) bool {
	if d == nil {
		return false
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	news := d.learned[c] != d.version
	d.learned[c], d.asks[c], d.found[c] = d.version, true, d.names
	return news
}

// leave forgets a client.
func (d *directory) leave(c *client) {
	if d == nil {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.learned, c)
	delete(d.asks, c)
	delete(d.found, c)
}

// minute tells whether some of the operator's time may pass: every client has heard of the names by now, and sent a request since it was
// asked last. What is said of times that clients need to learn a name is true then on every machine.
func (d *directory) minute() bool {
	if d == nil {
		return true
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for c, version := range d.learned {
		if version != d.version || !d.asks[c] {
			return false
		}
	}
	for c := range d.asks {
		d.asks[c] = false
	}
	return true
}

// shown are the published names.
func (d *directory) shown() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.names
}

// address of a load balancer for a client's connections to a port: that of one of the names that it has heard of, each in turn.
func (d *directory) address(s *stage, c *client, port string) (string, error) {
	d.mu.Lock()
	names, known := d.found[c]
	if !known {
		names = d.names
	}
	d.asked++
	turn := d.asked
	d.mu.Unlock()
	if len(names) == 0 {
		return "", fmt.Errorf("nothing is published: %w", errBalancers)
	}
	name := names[turn%len(names)]
	for _, lb := range s.sim.LoadBalancers() {
		if !strings.EqualFold(lb.DNSName, name) {
			continue
		}
		number, err := strconv.Atoi(port)
		if err != nil {
			return "", fmt.Errorf("reading port %s: %w", port, err)
		}
		return net.JoinHostPort(lb.Address.String(), strconv.Itoa(number+offset)), nil
	}
	return "", fmt.Errorf("%s is gone: %w", name, errBalancers)
}
