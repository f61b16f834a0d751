package sim

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"

	"github.com/miekg/dns"
)

// nameServer answers for the DNS names of load balancers.
type nameServer struct {
	address string
	servers []*dns.Server
	running sync.WaitGroup
}

// dnsTTL is the time to live of load balancer names, in seconds (ALB user guide).
const dnsTTL = 60

// startNames listens on UDP and TCP at one port. With port 0 the port that TCP gets may be taken on UDP: then another one is tried.
func startNames(ctx context.Context, address string, resolve func(string) (netip.Addr, bool)) (*nameServer, error) {
	const attempts = 10
	var errs error
	for range attempts {
		n, err := listenNames(ctx, address, answerer(resolve))
		if err == nil {
			return n, nil
		}
		errs = err
		if !strings.HasSuffix(address, ":0") {
			break
		}
	}
	return nil, fmt.Errorf("starting the DNS server: %w", errs)
}

func listenNames(ctx context.Context, address string, handler dns.Handler) (*nameServer, error) {
	var config net.ListenConfig
	stream, err := config.Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("listening on TCP: %w", err)
	}
	packet, err := config.ListenPacket(ctx, "udp", stream.Addr().String())
	if err != nil {
		return nil, errors.Join(fmt.Errorf("listening on UDP: %w", err), stream.Close())
	}
	n := &nameServer{address: stream.Addr().String(), servers: []*dns.Server{
		{Listener: stream, Handler: handler}, {PacketConn: packet, Handler: handler},
	}}
	for _, s := range n.servers {
		started := make(chan struct{})
		s.NotifyStartedFunc = func() { close(started) }
		failed := make(chan error, 1)
		n.running.Go(func() { failed <- s.ActivateAndServe() })
		select {
		case <-started:
		case err := <-failed:
			return nil, errors.Join(fmt.Errorf("serving: %w", err), n.close())
		}
	}
	return n, nil
}

func (n *nameServer) close() error {
	var errs []error
	for _, s := range n.servers {
		errs = append(errs, s.Shutdown())
	}
	n.running.Wait()
	return errors.Join(errs...)
}

// answerer answers A for load balancers and services of VPC Lattice. Below the domains of AWS no other name exists; of the rest it knows
// nothing. A service that no VPC is associated with has a name and no address.
func answerer(resolve func(string) (netip.Addr, bool)) dns.HandlerFunc {
	return func(w dns.ResponseWriter, query *dns.Msg) {
		reply := new(dns.Msg).SetReply(query)
		reply.Authoritative = true
		for _, q := range query.Question {
			address, ok := resolve(q.Name)
			switch {
			case ok && address.IsValid() && q.Qtype == dns.TypeA:
				reply.Answer = append(reply.Answer, &dns.A{
					Hdr: dns.RR_Header{Name: q.Name, Rrtype: dns.TypeA, Class: dns.ClassINET, Ttl: dnsTTL}, A: address.AsSlice(),
				})
			case ok:
			case strings.Contains(strings.ToLower(q.Name), ".amazonaws.com."), strings.HasSuffix(strings.ToLower(q.Name), ".on.aws."):
				reply.Rcode = dns.RcodeNameError
			default:
				reply.Rcode = dns.RcodeRefused
			}
		}
		// A client that is gone cannot be told anything.
		_ = w.WriteMsg(reply)
	}
}

func (s *Simulator) resolve(name string) (netip.Addr, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if address, ok := s.elb.Resolve(name); ok {
		return address, true
	}
	return s.mesh.Resolve(name)
}
