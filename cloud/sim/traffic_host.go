package sim

import (
	"context"
	"fmt"
	"math"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"syscall"
)

// hostTable says where identity providers really are.
type hostTable struct {
	mu  sync.RWMutex
	all map[string]netip.AddrPort
}

// SetHosts says where the hosts of identity providers and key sets really are: "idp.example.com" or "idp.example.com:8443" to a loopback
// address with a port. Nil removes an entry. A bad entry leaves the table as it was. Without a data plane nobody asks for a host.
func (s *Simulator) SetHosts(hosts map[string]*string) error {
	if s.traffic == nil {
		return nil
	}
	parsed := map[string]netip.AddrPort{}
	for host, to := range hosts {
		if to == nil {
			continue
		}
		at, err := netip.ParseAddrPort(*to)
		if err != nil || !at.Addr().IsLoopback() || at.Port() == 0 {
			return fmt.Errorf("host %s leads to %q, which is not a loopback address with a port: %w", host, *to, errAddress)
		}
		parsed[strings.ToLower(host)] = at
	}
	t := &s.traffic.hosts
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.all == nil {
		t.all = map[string]netip.AddrPort{}
	}
	for host := range hosts {
		host = strings.ToLower(host)
		delete(t.all, host)
		if at, ok := parsed[host]; ok {
			t.all[host] = at
		}
	}
	return nil
}

// ClaimsKey gives the key that verifies the header x-amzn-oidc-data, in PEM, by the identifier in its header kid. On AWS the host
// public-keys.auth.elb gives it.
func (s *Simulator) ClaimsKey(id string) ([]byte, bool) {
	if s.traffic == nil {
		return nil, false
	}
	return s.traffic.plane.ClaimsKey(id)
}

func (t *hostTable) find(host, port string) (netip.AddrPort, bool) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	at, ok := t.all[host+":"+port]
	if !ok {
		at, ok = t.all[host]
	}
	return at, ok
}

// dialHost reaches an identity provider: by the table of hosts, by the table of addresses if its host is one, or through a load balancer
// that has the name. What is in none of them is unreachable: nothing is looked up, and nothing leaves the machine.
func (t *traffic) dialHost(ctx context.Context, network, address string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(strings.ToLower(address))
	if err != nil {
		return nil, fmt.Errorf("dialling %s: %w", address, err)
	}
	number, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return nil, fmt.Errorf("dialling %s: %w", address, err)
	}
	at, known := t.hosts.find(host, port)
	if !known {
		if at, known = t.locate(host, uint16(number)); !known {
			return nil, fmt.Errorf("dialling %s: %w: %w", address, errAddress, syscall.EHOSTUNREACH)
		}
	}
	return t.sim.targets.dial(ctx, network, at)
}

func (t *traffic) locate(host string, port uint16) (netip.AddrPort, bool) {
	if host == "localhost" {
		host = "127.0.0.1"
	}
	if ip, err := netip.ParseAddr(host); err == nil {
		return netip.AddrPortFrom(ip, port), true
	}
	ip, ok := t.sim.resolve(host)
	bound := int(port) + t.sim.options.PortOffset
	if bound < 0 || bound > math.MaxUint16 {
		return netip.AddrPort{}, false
	}
	return netip.AddrPortFrom(ip, uint16(bound)), ok
}
