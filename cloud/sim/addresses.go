package sim

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"strings"
	"sync"
	"syscall"
)

// addressTable says where targets really are.
type addressTable struct {
	mu sync.RWMutex
	// ports holds whole targets, hosts those of which only the address was given.
	ports map[netip.AddrPort]location
	hosts map[netip.Addr]location
	texts map[string]string
}

// location is a loopback address; port 0 means the port that was asked for.
type location struct {
	address netip.Addr
	port    uint16
}

var errAddress = errors.New("invalid address")

func newAddressTable() *addressTable {
	t := &addressTable{}
	t.clear()
	return t
}

func (t *addressTable) clear() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ports, t.hosts, t.texts = map[netip.AddrPort]location{}, map[netip.Addr]location{}, map[string]string{}
}

// check says what is wrong with entries.
func (*addressTable) check(entries map[string]*string) error {
	for key, value := range entries {
		if _, err := parseLocation(key); err != nil {
			return err
		}
		if value == nil {
			continue
		}
		to, err := parseLocation(*value)
		if err != nil {
			return err
		}
		if !to.address.IsLoopback() {
			return fmt.Errorf("%s leads to %s, which is not a loopback address: %w", key, *value, errAddress)
		}
	}
	return nil
}

// merge adds and replaces entries; nil removes one. A bad entry leaves the table as it was.
func (t *addressTable) merge(entries map[string]*string) error {
	if err := t.check(entries); err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for key, value := range entries {
		t.put(key, value)
	}
	return nil
}

// put changes one entry that was checked.
func (t *addressTable) put(key string, value *string) {
	from, err := parseLocation(key)
	if err != nil {
		return
	}
	target := netip.AddrPortFrom(from.address, from.port)
	delete(t.texts, key)
	if from.port == 0 {
		delete(t.hosts, from.address)
	} else {
		delete(t.ports, target)
	}
	if value == nil {
		return
	}
	to, err := parseLocation(*value)
	if err != nil {
		return
	}
	t.texts[key] = *value
	if from.port == 0 {
		t.hosts[from.address] = to
		return
	}
	t.ports[target] = to
}

// parseLocation reads an address with or without a port.
func parseLocation(text string) (location, error) {
	if a, err := netip.ParseAddr(strings.Trim(text, "[]")); err == nil {
		return location{address: a.Unmap()}, nil
	}
	p, err := netip.ParseAddrPort(text)
	if err != nil || p.Port() == 0 {
		return location{}, fmt.Errorf("%q is no IP address with or without a port: %w", text, errAddress)
	}
	return location{p.Addr().Unmap(), p.Port()}, nil
}

func (t *addressTable) list() map[string]string {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return maps.Clone(t.texts)
}

// find gives the loopback address of a target; false means that it cannot be reached.
func (t *addressTable) find(target netip.AddrPort) (netip.AddrPort, bool) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	to, ok := t.ports[target]
	if !ok {
		to, ok = t.hosts[target.Addr()]
	}
	if !ok {
		return target, target.Addr().IsLoopback()
	}
	if to.port == 0 {
		to.port = target.Port()
	}
	return netip.AddrPortFrom(to.address, to.port), true
}

// dial connects to a target by the table. What is not in it and not loopback is unreachable: nothing leaves the machine.
func (t *addressTable) dial(ctx context.Context, network string, target netip.AddrPort) (net.Conn, error) {
	to, ok := t.find(netip.AddrPortFrom(target.Addr().Unmap(), target.Port()))
	if !ok {
		return nil, &net.OpError{Op: "dial", Net: network, Addr: net.TCPAddrFromAddrPort(target), Err: syscall.EHOSTUNREACH}
	}
	conn, err := (&net.Dialer{}).DialContext(ctx, network, to.String())
	if err != nil {
		return nil, fmt.Errorf("dialling target %s at %s: %w", target, to, err)
	}
	return conn, nil
}
