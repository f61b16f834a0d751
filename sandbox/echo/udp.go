package echo

import (
	"context"
	"encoding/json"
	"fmt"
	"net"

	"github.com/miekg/dns"
)

const datagramSize = 64 * 1024

// dnsAnswer is the address that the DNS server answers with: one that is reserved for documentation
// (RFC 5737).
func dnsAnswer() net.IP { return net.IPv4(192, 0, 2, 1) }

// udpAnswer is what a datagram is answered with.
type udpAnswer struct {
	Request string `json:"request"`
	identity
}

// udpServer answers datagrams.
type udpServer struct {
	echo   *Echo
	socket net.PacketConn
	reply  func(request []byte) ([]byte, error)
}

func (e *Echo) listenUDP(ctx context.Context, kind Kind, at string) (server, net.Addr, error) {
	var config net.ListenConfig
	socket, err := config.ListenPacket(ctx, "udp", at)
	if err != nil {
		return nil, nil, fmt.Errorf("listening: %w", err)
	}
	s := &udpServer{echo: e, socket: socket, reply: e.jsonReply}
	if kind == DNS {
		s.reply = dnsReply
	}
	go s.serve()
	return s, socket.LocalAddr(), nil
}

func (s *udpServer) serve() {
	buffer := make([]byte, datagramSize)
	for {
		n, from, err := s.socket.ReadFrom(buffer)
		if err != nil {
			return // closed
		}
		s.echo.logf("Received UDP datagram of %d bytes from %s", n, from)
		reply, err := s.reply(buffer[:n])
		if err != nil {
			s.echo.logf("not answered: %v", err)
			continue
		}
		if _, err := s.socket.WriteTo(reply, from); err != nil {
			s.echo.logf("answering: %v", err)
		}
	}
}

func (s *udpServer) shutdown(context.Context) error {
	if err := s.socket.Close(); err != nil {
		return fmt.Errorf("closing the socket: %w", err)
	}
	return nil
}

func (e *Echo) jsonReply(request []byte) ([]byte, error) {
	reply, err := json.Marshal(udpAnswer{Request: string(request), identity: e.identity()})
	if err != nil {
		return nil, fmt.Errorf("encoding the answer: %w", err)
	}
	return reply, nil
}

// dnsReply answers a query for an address with one address, and any other with no records.
func dnsReply(request []byte) ([]byte, error) {
	query := new(dns.Msg)
	if err := query.Unpack(request); err != nil {
		return nil, fmt.Errorf("decoding the query: %w", err)
	}
	reply := new(dns.Msg).SetReply(query)
	for _, question := range query.Question {
		if question.Qtype == dns.TypeA {
			header := dns.RR_Header{Name: question.Name, Rrtype: dns.TypeA, Class: dns.ClassINET, Ttl: 1}
			reply.Answer = append(reply.Answer, &dns.A{Hdr: header, A: dnsAnswer()})
		}
	}
	packed, err := reply.Pack()
	if err != nil {
		return nil, fmt.Errorf("encoding the answer: %w", err)
	}
	return packed, nil
}
