package sim

import (
	"context"
	"fmt"
	"maps"
	"math"
	"net"
	"net/netip"
	"regexp"
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

var hostForm = regexp.MustCompile(`^[a-z0-9_*]([a-z0-9_.-]*[a-z0-9])?(:[0-9]{1,5})?$`)

// SetHosts says where the hosts of identity providers and key sets really are: "idp.example.com" or "idp.example.com:8443" to a loopback
// address with a port. Nil removes an entry. A bad entry leaves the table as it was.
func (s *Simulator) SetHosts(hosts map[string]*string) error {
	parsed := map[string]netip.AddrPort{}
	for host, to := range hosts {
		if !hostForm.MatchString(strings.ToLower(host)) {
			return fmt.Errorf("%q is neither an IP address nor the name of a host, with or without a port: %w", host, errAddress)
		}
		if to == nil {
			continue
		}
		at, err := netip.ParseAddrPort(*to)
		if err != nil || !at.Addr().IsLoopback() || at.Port() == 0 {
			return fmt.Errorf("host %s leads to %q, which is not a loopback address with a port: %w", host, *to, errAddress)
		}
		parsed[strings.ToLower(host)] = at
	}
	s.hosts.mu.Lock()
	defer s.hosts.mu.Unlock()
	if s.hosts.all == nil {
		s.hosts.all = map[string]netip.AddrPort{}
	}
	for host := range hosts {
		delete(s.hosts.all, strings.ToLower(host))
	}
	maps.Copy(s.hosts.all, parsed)
	return nil
}

// SetAddresses merges entries into the table of real addresses; nil removes one. What begins as an address is a target, all else a host, as
// for SetHosts. A bad entry leaves all as it was.
func (s *Simulator) SetAddresses(addresses map[string]*string) error {
	targets, hosts := map[string]*string{}, map[string]*string{}
	for key, to := range addresses {
		if isTarget(key) {
			targets[key] = to
			continue
		}
		hosts[key] = to
	}
	if err := s.targets.check(targets); err != nil {
		return err
	}
	if err := s.SetHosts(hosts); err != nil {
		return err
	}
	return s.targets.merge(targets)
}

// isTarget reports whether a key is meant as an address. A host does not end with a number (RFC 1123, 2.1).
func isTarget(key string) bool {
	if strings.HasPrefix(key, "[") || strings.Count(key, ":") > 1 {
		return true
	}
	host, _, _ := strings.Cut(key, ":")
	return strings.Trim(host[strings.LastIndex(host, ".")+1:], "0123456789") == ""
}

// list gives the table as it is shown.
func (t *hostTable) list() map[string]string {
	t.mu.RLock()
	defer t.mu.RUnlock()
	all := map[string]string{}
	for host, at := range t.all {
		all[host] = at.String()
	}
	return all
}

func (t *hostTable) clear() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.all = nil
}

// addresses gives both tables.
func (s *Simulator) addresses() map[string]string {
	all := s.targets.list()
	maps.Copy(all, s.hosts.list())
	return all
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
	at, known := t.sim.hosts.find(host, port)
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
