package sim

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/miekg/dns"

	"github.com/headgate/headgate/cloud/sim/zones"
)

// nameServer answers for the DNS names of load balancers, and for zones of Route 53.
type nameServer struct {
	address string
	servers []*dns.Server
	running sync.WaitGroup
}

// dnsTTL is the time to live of load balancer names, in seconds (ALB user guide).
const dnsTTL = 60

// startNames listens on UDP and TCP at one port. With port 0 the port that TCP gets may be taken on UDP: then another one is tried.
func startNames(ctx context.Context, address string, answer func(dns.Question) ([]dns.RR, int)) (*nameServer, error) {
	const attempts = 10
	var errs error
	for range attempts {
		n, err := listenNames(ctx, address, answerer(answer))
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
			return nil, errors.Join(fmt.Errorf("serving: %w", err), n.close(ctx))
		}
	}
	return n, nil
}

// namesFarewell bounds how long questions that are being answered keep the end waiting.
const namesFarewell = 5 * time.Second

// close ends it, whether or not the context has ended.
func (n *nameServer) close(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), namesFarewell)
	defer cancel()
	var errs []error
	for _, s := range n.servers {
		errs = append(errs, s.ShutdownContext(ctx))
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("stopping the DNS server: %w", err)
	}
	n.running.Wait()
	return nil
}

// answerer answers questions one by one.
func answerer(answer func(dns.Question) ([]dns.RR, int)) dns.HandlerFunc {
	return func(w dns.ResponseWriter, query *dns.Msg) {
		reply := new(dns.Msg).SetReply(query)
		reply.Authoritative = true
		for _, q := range query.Question {
			records, code := answer(q)
			reply.Answer, reply.Rcode = append(reply.Answer, records...), code
		}
		// A client that is gone cannot be told anything.
		_ = w.WriteMsg(reply)
	}
}

// mostNames bounds how many names lead to an answer.
const mostNames = 8

// question answers a question: load balancers and services by their names, all else in the zones of Route 53. Below the domains of AWS no other name exists; of
// what is in no zone it knows nothing.
func (s *Simulator) question(q dns.Question) ([]dns.RR, int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []dns.RR
	shown, name := q.Name, q.Name
	for range mostNames {
		if address, ok := s.resolveHeld(name); ok {
			// A service of VPC Lattice that no VPC is associated with has a name and no address.
			if q.Qtype == dns.TypeA && address.IsValid() {
				all = append(all, &dns.A{Hdr: dns.RR_Header{Name: shown, Rrtype: dns.TypeA, Class: dns.ClassINET, Ttl: dnsTTL}, A: address.AsSlice()})
			}
			return all, dns.RcodeSuccess
		}
		found := s.domains.Lookup(name, dns.TypeToString[q.Qtype])
		switch {
		case !found.Held:
			return all, unheld(name, len(all) > 0)
		case !found.Exists:
			return all, dns.RcodeNameError
		case found.Alias != "":
			// The client is not told of an alias.
			name = found.Alias
			continue
		}
		all = append(all, records(shown, found)...)
		if found.Kind != dns.TypeToString[dns.TypeCNAME] || q.Qtype == dns.TypeCNAME {
			return all, dns.RcodeSuccess
		}
		name, shown = found.Values[0], dns.Fqdn(found.Values[0])
	}
	return all, dns.RcodeServerFailure
}

// unheld is the code for a name that is in no zone, at the end of other names or not.
func unheld(name string, after bool) int {
	switch {
	case strings.Contains(strings.ToLower(dns.Fqdn(name)), ".amazonaws.com."), strings.HasSuffix(strings.ToLower(dns.Fqdn(name)), ".on.aws."):
		return dns.RcodeNameError
	case after:
		return dns.RcodeSuccess
	default:
		return dns.RcodeRefused
	}
}

// records gives the records of an answer under a name. A value that DNS cannot say is left out.
func records(name string, found zones.Answer) []dns.RR {
	var all []dns.RR
	for _, value := range found.Values {
		if one, err := dns.NewRR(fmt.Sprintf("%s %d IN %s %s", name, found.TTL, found.Kind, value)); err == nil && one != nil {
			all = append(all, one)
		}
	}
	return all
}

func (s *Simulator) resolve(name string) (netip.Addr, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.resolveHeld(name)
}

// resolveHeld finds load balancers and services of VPC Lattice by their names. The caller holds the lock.
func (s *Simulator) resolveHeld(name string) (netip.Addr, bool) {
	if address, ok := s.elb.Resolve(name); ok {
		return address, true
	}
	return s.mesh.Resolve(name)
}
