package dataplane

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"strings"
)

// maxTrace is the length from which on a trace header is written anew.
const maxTrace = 7 << 10

// trace gives the X-Amzn-Trace-Id for a request that came with the given one: a root where there is none, otherwise our own
// part in front of the caller's.
func (s *Server) trace(before string) string {
	id := s.traceID()
	if before == "" || len(before) > maxTrace {
		return "Root=" + id
	}
	if !strings.Contains(before, "Root=") && !strings.Contains(before, "Self=") {
		return "Root=" + id + ";" + before
	}
	parts := []string{"Self=" + id}
	for field := range strings.SplitSeq(before, ";") {
		field = strings.TrimSpace(field)
		if field != "" && !strings.HasPrefix(field, "Self=") {
			parts = append(parts, field)
		}
	}
	return strings.Join(parts, ";")
}

// traceID is version, time in hexadecimal seconds and 96 random bits.
func (s *Server) traceID() string {
	var random [12]byte
	_, _ = rand.Read(random[:]) // never fails
	return fmt.Sprintf("1-%08x-%s", s.now().Unix(), hex.EncodeToString(random[:]))
}
