package echo

import (
	"bufio"
	"net"
	"sync"
)

// handshakeRecord is the first byte of every TLS connection (RFC 8446, section 5.1), and of no HTTP request.
const handshakeRecord = 0x16

// sniffer splits the connections of one listener by their first byte.
type sniffer struct {
	listener net.Listener
	clear    *branch
	secure   *branch
	// undecided have sent nothing yet.
	undecided connections
}

func newSniffer(listener net.Listener) *sniffer {
	return &sniffer{listener: listener, clear: newBranch(listener.Addr()), secure: newBranch(listener.Addr())}
}

func (s *sniffer) run() {
	for {
		connection, err := s.listener.Accept()
		if err != nil {
			return // closed
		}
		go s.decide(connection)
	}
}

func (s *sniffer) decide(connection net.Conn) {
	if !s.undecided.add(connection) {
		return
	}
	peeked := &peekedConn{Conn: connection, reader: bufio.NewReader(connection)}
	first, err := peeked.reader.Peek(1)
	if err != nil {
		s.undecided.remove(connection)
		return
	}
	s.undecided.forget(connection)
	if first[0] == handshakeRecord {
		s.secure.offer(peeked)
		return
	}
	s.clear.offer(peeked)
}

func (s *sniffer) close() {
	_ = s.listener.Close() // it is closed either way
	s.undecided.closeAll()
}

// peekedConn gives again what was read ahead.
type peekedConn struct {
	net.Conn
	reader *bufio.Reader
}

// Read reads what was read ahead first.
func (c *peekedConn) Read(p []byte) (int, error) {
	return c.reader.Read(p) //nolint:wrapcheck // readers compare errors with io.EOF
}

// branch is a listener that is handed its connections.
type branch struct {
	address net.Addr
	offered chan net.Conn
	done    chan struct{}
	once    sync.Once
}

func newBranch(address net.Addr) *branch {
	return &branch{address: address, offered: make(chan net.Conn), done: make(chan struct{})}
}

func (b *branch) offer(connection net.Conn) {
	select {
	case b.offered <- connection:
	case <-b.done:
		_ = connection.Close()
	}
}

// Accept returns the next connection that was offered.
func (b *branch) Accept() (net.Conn, error) {
	select {
	case connection := <-b.offered:
		return connection, nil
	case <-b.done:
		return nil, net.ErrClosed
	}
}

// Close lets Accept and offer end.
func (b *branch) Close() error {
	b.once.Do(func() { close(b.done) })
	return nil
}

// Addr is the address of the listener that was split.
func (b *branch) Addr() net.Addr { return b.address }
