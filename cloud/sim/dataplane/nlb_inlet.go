package dataplane

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// Durations of flows through a network load balancer.
const (
	defaultFlowIdle = 350               // seconds, of TCP and TLS
	flowIdle        = 120 * time.Second // of UDP
)

// isNetwork reports whether a protocol of a listener or target group is one of network load balancers.
func isNetwork(p elbtypes.ProtocolEnum) bool { return streams(p) || datagrams(p) }

func streams(p elbtypes.ProtocolEnum) bool {
	switch p {
	case elbtypes.ProtocolEnumTcp, elbtypes.ProtocolEnumTls, elbtypes.ProtocolEnumTcpUdp, elbtypes.ProtocolEnumTcpQuic:
		return true
	default:
		return false
	}
}

func datagrams(p elbtypes.ProtocolEnum) bool {
	switch p {
	case elbtypes.ProtocolEnumUdp, elbtypes.ProtocolEnumTcpUdp, elbtypes.ProtocolEnumQuic, elbtypes.ProtocolEnumTcpQuic:
		return true
	default:
		return false
	}
}

// inlet is a listener of a network load balancer, compiled. It is immutable; an update replaces it.
type inlet struct {
	arn  string
	port int
	// address is that of the load balancer, from which targets are reached that do not see the client's.
	address            netip.Addr
	streams, datagrams bool
	// security is nil unless the listener ends TLS.
	security *security
	idle     time.Duration
	routes   []route
	// zones are those of the load balancer, forwards the target groups that have a weight.
	zones, forwards []string
	source          Listener
	// balancer is the ARN of the load balancer, book its access log; nil for none.
	balancer string
	book     *logbook
}

// route leads flows of a family of addresses to target groups.
type route struct {
	family elbtypes.SourceIpAddressTypeEnum // empty is any
	to     *forward
}

// compileInlet prepares a listener. What did not change is taken from the inlet before.
func (s *Server) compileInlet(lb *LoadBalancer, l *Listener, before *inlet) (*inlet, error) {
	protocol := elbtypes.ProtocolEnum(l.Protocol)
	g := &inlet{
		arn: l.ARN, port: l.Port, address: lb.Address, streams: streams(protocol), datagrams: datagrams(protocol), zones: lb.Zones, source: *l,
		idle: s.atLeast(attributes(l.Attributes).seconds("tcp.idle_timeout.seconds", defaultFlowIdle), idleFloor),
	}
	var errs []error
	for i := range l.Rules {
		r, err := compileRoute(&l.Rules[i])
		if err != nil {
			errs = append(errs, err)
			continue
		}
		g.routes = append(g.routes, r)
		for _, c := range r.to.choices {
			if c.weight > 0 {
				g.forwards = append(g.forwards, c.arn)
			}
		}
	}
	if protocol == elbtypes.ProtocolEnumTls {
		// There is no log of other connections.
		g.balancer, g.book = lb.ARN, s.logbook(lb, accessLog)
		var err error
		if g.security, err = compileTermination(l, before); err != nil {
			errs = append(errs, err)
			g.security = &security{config: &tls.Config{MinVersion: tls.VersionTLS12}} // it has no certificate: every handshake fails
		}
	}
	return g, errors.Join(errs...)
}

// compileRoute reads a rule. One that asks for anything but the family of the client's address, or does anything but forward, leads nowhere.
func compileRoute(r *Rule) (route, error) {
	var out route
	for _, c := range r.Conditions {
		if c.SourceIpConfig == nil || c.SourceIpConfig.IpAddressType == "" {
			return out, fmt.Errorf("rule %s: condition %s: %w", r.ARN, aws.ToString(c.Field), errAction)
		}
		out.family = c.SourceIpConfig.IpAddressType
	}
	if len(r.Actions) != 1 || r.Actions[0].Type != elbtypes.ActionTypeEnumForward {
		return out, fmt.Errorf("rule %s does not forward: %w", r.ARN, errAction)
	}
	compiled, err := compileForward(r.Actions[0])
	if err != nil {
		return out, err
	}
	out.to, _ = compiled.(*forward) // without an error it is one
	return out, nil
}

// compileTermination prepares TLS. While nothing changes it stays the same, so that sessions can be resumed.
func compileTermination(l *Listener, before *inlet) (*security, error) {
	if before != nil && before.security != nil && slices.Equal(before.source.Certificates, l.Certificates) &&
		before.source.Policy.Name == l.Policy.Name && before.source.ALPN == l.ALPN {
		return before.security, nil
	}
	all, err := newCredentials(l.Certificates)
	if err != nil {
		return nil, err
	}
	c := l.Policy.config()
	c.NextProtos = preferences(l.ALPN)
	c.GetCertificate = l.serving(all)
	return &security{c, l.Policy.suites(isNewest)}, nil
}

// preferences are the protocols that an ALPN policy names, the best one first. None has none.
func preferences(policy string) []string {
	switch policy {
	case "HTTP1Only":
		return []string{"http/1.1", "http/1.0"}
	case "HTTP2Only":
		return []string{"h2"}
	case "HTTP2Optional":
		return []string{"http/1.1", "http/1.0", "h2"}
	case "HTTP2Preferred":
		return []string{"h2", "http/1.1", "http/1.0"}
	default:
		return nil
	}
}

// probeHosts gives by target group what probes of network load balancers ask for: address and port of a listener.
func (s *Server) probeHosts(c Config) map[string]string {
	all := map[string]string{}
	for i := range c.LoadBalancers {
		lb := &c.LoadBalancers[i]
		for j := range lb.Listeners {
			l := &lb.Listeners[j]
			if !isNetwork(elbtypes.ProtocolEnum(l.Protocol)) {
				continue
			}
			for k := range l.Rules {
				r, err := compileRoute(&l.Rules[k])
				if err != nil {
					continue // compiling the listener says so
				}
				for _, one := range r.to.choices {
					if all[one.arn] == "" {
						all[one.arn] = lb.Address.String() + ":" + strconv.Itoa(l.Port)
					}
				}
			}
		}
	}
	return all
}
