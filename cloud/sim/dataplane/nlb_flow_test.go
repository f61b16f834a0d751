package dataplane

import (
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"

	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

const healthy = elbtypes.TargetHealthStateEnumHealthy

func TestNLBCarriesConnections(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	w.flows(groupARN, "TCP", nil, serveLines(t, "one"))
	at := w.listen("TCP", always(forwardTo(groupARN)))
	w.apply()
	w.await(groupARN, healthy)
	c := talk(t, at)
	want(t, "first line", c.say("hello"), "one 127.0.0.1 hello")
	want(t, "second line", c.say("again"), "one 127.0.0.1 again")
	closeWrite(c.Conn)
	want(t, "after the client has ended", c.hear(), "one bye")
	want(t, "the target ends too", c.hear(), "end")
}

func TestNLBResetsWithoutTarget(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		why      string
		backends []string
		action   elbtypes.Action
	}{
		{"a group without targets", nil, forwardTo(groupARN)},
		{"nobody listens", []string{"127.0.0.1:1"}, forwardTo(groupARN)},
		{"what is not loopback is not reached", []string{"192.0.2.1:80"}, forwardTo(groupARN)},
		{"no weight", []string{serveLines(t, "one")}, shared(nil)},
		{"no such group", nil, forwardTo("group/none")},
	} {
		t.Run(row.why, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, Options{})
			w.flows(groupARN, "TCP", nil, row.backends...)
			at := w.listen("TCP", always(row.action))
			w.apply()
			conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", at)
			if err != nil { // the reset was faster than the client
				want(t, row.why, ending(err), "reset")
				return
			}
			want(t, row.why, newTalker(t, conn).hear(), "reset")
		})
	}
}

func TestNLBPassesResetsOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	w.flows(groupARN, "TCP", nil, serveStreams(t, func(c net.Conn) {
		if n, _ := c.Read(make([]byte, 1)); n == 1 {
			reset(c)
		}
	}))
	at := w.listen("TCP", always(forwardTo(groupARN)))
	w.apply()
	w.await(groupARN, healthy)
	want(t, "the target resets", talk(t, at).say("x"), "reset")
}

func TestNLBWeights(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	w.flows(groupARN, "TCP", nil, serveLines(t, "one"))
	w.flows(groupTwoARN, "TCP", nil, serveLines(t, "two"))
	at := w.listen("TCP", always(shared(map[string]int32{groupARN: 3, groupTwoARN: 1})))
	w.apply()
	w.await(groupARN, healthy)
	w.await(groupTwoARN, healthy)
	got := map[string]int{}
	kept := talk(t, at)
	before := kept.say("a")
	for range 40 {
		name, _, _ := strings.Cut(talk(t, at).say("a"), " ")
		got[name]++
	}
	if got["one"] < 28 || got["one"] > 32 || got["one"]+got["two"] != 40 {
		t.Errorf("shares %v, want 30 and 10", got)
	}
	w.listener().Rules[0] = always(shared(map[string]int32{groupTwoARN: 1}))
	w.apply()
	for range 5 {
		want(t, "a weight of zero", talk(t, at).say("b"), "two 127.0.0.1 b")
	}
	want(t, "a connection stays where it is", kept.say("a"), before)
}

func TestNLBSpreadsConnectionsAndKeepsClients(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	w.flows(groupARN, "TCP", nil, serveLines(t, "one"), serveLines(t, "two"), serveLines(t, "three"))
	at := w.listen("TCP", always(forwardTo(groupARN)))
	w.apply()
	w.await(groupARN, healthy)
	served := func(client netip.Addr, times int) map[string]bool {
		all := map[string]bool{}
		for range times {
			name, _, _ := strings.Cut(talkFrom(t, client, "tcp", at).say("a"), " ")
			all[name] = true
		}
		return all
	}
	if got := served(loopback(1), 60); len(got) != 3 {
		t.Errorf("connections of a client came to %v", got)
	}
	g := w.config.TargetGroups[groupARN]
	g.Attributes = map[string]string{"stickiness.enabled": "true", "stickiness.type": "source_ip"}
	w.config.TargetGroups[groupARN] = g
	w.apply()
	all := map[string]bool{}
	for n := range 40 {
		got := served(loopback(n+1), 3)
		if len(got) != 1 {
			t.Errorf("a sticky client came to %v", got)
		}
		all[fmt.Sprint(got)] = true
	}
	if len(all) != 3 {
		t.Errorf("all clients came to %v", all)
	}
}

func TestNLBClientAddresses(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	client := loopback(9)
	backend := serveDatagrams(t, "one")
	w.flows(groupARN, "TCP_UDP", attribute("preserve_client_ip.enabled", "true"), backend)
	w.flows(groupTwoARN, "TCP_UDP", nil, backend)
	kept := w.listen("TCP_UDP", always(forwardTo(groupARN)))
	own := w.listen("TCP_UDP", always(forwardTo(groupTwoARN)))
	w.apply()
	w.await(groupARN, healthy)
	w.await(groupTwoARN, healthy)
	want(t, "preserved", talkFrom(t, client, "tcp", kept).say("a"), "one "+client.String()+" a")
	want(t, "preserved for datagrams", talkFrom(t, client, "udp", kept).ask("a"), "one "+client.String()+" a")
	want(t, "not preserved", talkFrom(t, client, "tcp", own).say("a"), "one "+w.address.String()+" a")
	want(t, "not preserved for datagrams", talkFrom(t, client, "udp", own).ask("a"), "one "+w.address.String()+" a")
}

func TestNLBRulesByFamily(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	w.flows(groupARN, "TCP", nil, serveLines(t, "six"))
	w.flows(groupTwoARN, "TCP", nil, serveLines(t, "four"))
	family := func(f elbtypes.SourceIpAddressTypeEnum, arn string) Rule {
		return Rule{ARN: "rule/" + string(f), Priority: 1, Actions: []elbtypes.Action{forwardTo(arn)}, Conditions: []elbtypes.RuleCondition{
			{SourceIpConfig: &elbtypes.SourceIpConditionConfig{IpAddressType: f}},
		}}
	}
	at := w.listen("TCP", family("ipv6", groupARN), family("ipv4", groupTwoARN), always(forwardTo(groupARN)))
	w.apply()
	w.await(groupTwoARN, healthy)
	want(t, "a client of IPv4", talk(t, at).say("a"), "four 127.0.0.1 a")
	w.listener().Rules[1].Conditions[0].SourceIpConfig = &elbtypes.SourceIpConditionConfig{Values: []string{"127.0.0.0/8"}}
	if err := w.update(); err == nil {
		t.Error("a rule that network load balancers do not have was taken")
	}
}

func TestNLBIdleConnectionsEnd(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	w.flows(groupARN, "TCP", nil, serveLines(t, "one"))
	at := w.listen("TCP", always(forwardTo(groupARN)))
	w.listener().Attributes["tcp.idle_timeout.seconds"] = "1"
	w.apply()
	w.await(groupARN, healthy)
	c := talk(t, at)
	want(t, "before", c.say("a"), "one 127.0.0.1 a")
	want(t, "after a second of silence", c.hear(), "reset")
}

func TestNLBListenersChange(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	w.flows(groupARN, "TCP_UDP", nil, serveDatagrams(t, "one"))
	at := w.listen("TCP", always(forwardTo(groupARN)))
	w.apply()
	w.await(groupARN, healthy)
	c := talk(t, at)
	want(t, "before", c.say("a"), "one 127.0.0.1 a")
	w.listener().Protocol = "UDP"
	w.apply()
	want(t, "datagrams now", talkFrom(t, netip.Addr{}, "udp", at).ask("b"), "one 127.0.0.1 b")
	if conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", at); err == nil {
		closeBody(conn)
		t.Error("the port still takes connections")
	}
	want(t, "what was begun goes on", c.say("c"), "one 127.0.0.1 c")
	w.config.LoadBalancers = nil
	w.apply()
	want(t, "also without the listener", c.say("d"), "one 127.0.0.1 d")
}

func TestALBBehindNLB(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{PortOffset: -30000})
	back := newBackend(t, "page", nil)
	w.group(groupTwoARN, nil, back.address)
	w.listen("HTTP", always(forwardTo(groupTwoARN)))
	w.await(groupTwoARN, healthy)
	port := w.listener().Port
	w.group(groupARN, func(g *TargetGroup) {
		g.Settings.Protocol, g.Settings.ProtocolVersion = elbtypes.ProtocolEnumTcp, nil
		g.Attributes["preserve_client_ip.enabled"] = "true"
		g.Targets = []Target{{ID: "loadbalancer/app/web", Port: port, Address: w.address, Balancer: true}}
	})
	w.listen("TCP", always(forwardTo(groupARN)))
	w.apply()
	w.await(groupARN, healthy)
	outer := netip.AddrPortFrom(w.address, uint16(w.config.LoadBalancers[0].Listeners[1].Port-30000))
	reply := get(t, "http://"+outer.String()+"/")
	if reply.StatusCode != 200 || reply.body != "page" {
		t.Errorf("%d %s", reply.StatusCode, reply.body)
	}
}
