package dataplane

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"
)

// sender opens a flow of datagrams.
func sender(tb testing.TB, client netip.Addr, at string) *talker {
	tb.Helper()
	return talkFrom(tb, client, "udp", at)
}

func TestNLBCarriesDatagrams(t *testing.T) {
	t.Parallel()
	for _, protocol := range []string{"UDP", "TCP_UDP", "QUIC", "TCP_QUIC"} {
		t.Run(protocol, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, Options{})
			w.flows(groupARN, protocol, nil, serveDatagrams(t, "one"))
			at := w.listen(protocol, always(forwardTo(groupARN)))
			w.apply()
			w.await(groupARN, healthy)
			c := sender(t, netip.Addr{}, at)
			want(t, "a datagram", c.ask("a"), "one 127.0.0.1 a")
			want(t, "the next", c.ask("b"), "one 127.0.0.1 b")
			long := strings.Repeat("x", 9000)
			want(t, "a large one", c.ask(long), "one 127.0.0.1 "+long)
			if strings.HasPrefix(protocol, "TCP") {
				want(t, "a connection", talk(t, at).say("c"), "one 127.0.0.1 c")
			}
		})
	}
}

func TestNLBFlowsOfDatagramsStay(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	backends := []string{serveDatagrams(t, "one"), serveDatagrams(t, "two"), serveDatagrams(t, "three")}
	w.flows(groupARN, "UDP", nil, backends[:2]...)
	at := w.listen("UDP", always(forwardTo(groupARN)))
	w.apply()
	w.await(groupARN, healthy)
	flows := map[*talker]string{}
	names := map[string]bool{}
	for range 40 {
		c := sender(t, netip.Addr{}, at)
		flows[c] = c.ask("a")
		names[flows[c]] = true
	}
	if len(names) != 2 {
		t.Errorf("40 flows came to %v", names)
	}
	w.flows(groupARN, "UDP", nil, backends...)
	w.apply()
	w.await(groupARN, healthy)
	for c, before := range flows {
		want(t, "with a target more", c.ask("a"), before)
	}
}

func TestNLBFlowsOfDatagramsEnd(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	w.idleFlow = 50 * time.Millisecond
	w.flows(groupARN, "UDP", nil, serveDatagrams(t, "one"))
	at := w.listen("UDP", always(forwardTo(groupARN)))
	w.apply()
	w.await(groupARN, healthy)
	c := sender(t, netip.Addr{}, at)
	want(t, "before", c.ask("a"), "one 127.0.0.1 a")
	office := w.ports[netip.MustParseAddrPort(at)].datagrams
	for deadline := time.Now().Add(10 * time.Second); office.count() > 0; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("a silent flow is not forgotten")
		}
	}
	if running := w.running(); running != 0 {
		t.Errorf("its target still has %d flows", running)
	}
	want(t, "a new flow of the same client", c.ask("b"), "one 127.0.0.1 b")
}

// running counts the flows of all targets of the first group.
func (w *world) running() int {
	n := 0
	for _, t := range w.current.Load().groups[groupARN].order {
		t.calls.mu.Lock()
		n += len(t.calls.running)
		t.calls.mu.Unlock()
	}
	return n
}

func TestNLBRemembersABoundedNumberOfFlows(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	w.flows(groupARN, "UDP", nil, serveDatagrams(t, "one"))
	at := w.listen("UDP", always(forwardTo(groupARN)))
	w.apply()
	w.await(groupARN, healthy)
	office := w.ports[netip.MustParseAddrPort(at)].datagrams
	oldest := sender(t, netip.Addr{}, at)
	want(t, "the oldest flow", oldest.ask("a"), "one 127.0.0.1 a")
	office.mu.Lock()
	for n := range maxFlows - 1 { // as many as fit, without a socket each
		client := netip.AddrPortFrom(loopback(1), uint16(n+1))
		f := &datagramFlow{office: office, client: client, target: nopConn{}}
		f.touch()
		office.flows[client] = f
	}
	office.mu.Unlock()
	want(t, "one more", sender(t, netip.Addr{}, at).ask("b"), "one 127.0.0.1 b")
	if n := office.count(); n > maxFlows {
		t.Errorf("%d flows are remembered", n)
	}
	client := endpoint(oldest.LocalAddr())
	office.mu.Lock()
	defer office.mu.Unlock()
	if office.flows[client] != nil {
		t.Error("the flow that was silent longest is still there")
	}
}

func TestNLBWithoutTargetLosesDatagrams(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	backend := serveDatagrams(t, "one")
	w.flows(groupARN, "UDP", nil)
	at := w.listen("UDP", always(forwardTo(groupARN)))
	w.apply()
	c := sender(t, netip.Addr{}, at)
	if _, err := fmt.Fprint(c, "lost"); err != nil {
		t.Fatal(err)
	}
	w.flows(groupARN, "UDP", nil, backend)
	w.apply()
	w.await(groupARN, healthy)
	for { // the first one may have been read only now
		if answer := c.ask("found"); answer != "one 127.0.0.1 lost" {
			want(t, "once there is a target", answer, "one 127.0.0.1 found")
			return
		}
	}
}
