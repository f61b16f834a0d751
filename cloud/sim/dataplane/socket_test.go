package dataplane

import (
	"net"
	"testing"
	"time"
)

// A connection that the HTTP server takes at the moment at which it is closed is one that nobody closes: Close would wait for its timeout.
func TestAdmittedConnectionsEndWithTheServer(t *testing.T) {
	t.Parallel()
	s := New(Options{})
	client, ours := net.Pipe()
	(&socket{server: s}).admit(ours)
	if err := client.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := client.Read(make([]byte, 1)); err == nil || err.Error() != "EOF" {
		t.Errorf("the connection is open after the end: %v", err)
	}
}
