package sim

import (
	"net/http"
	"net/url"
	"time"

	"github.com/headgate/headgate/cloud/sim/fault"
)

// A snapshot is the history of what changed the state: every write that succeeded, with its time. The services give the same
// identifiers to the same calls, so that running them again, each at its time, gives the same state, of every service.

// record is something that changed the state: a call, or what was done to a network interface.
type record struct {
	At time.Time `json:"at"`
	// Serial is how many identifiers had been given before.
	Serial uint64 `json:"serial"`

	Service   string      `json:"service,omitempty"`
	Operation string      `json:"operation,omitempty"`
	Method    string      `json:"method,omitempty"`
	Path      string      `json:"path,omitempty"`
	Query     url.Values  `json:"query,omitempty"`
	Header    http.Header `json:"header,omitempty"`
	Body      []byte      `json:"body,omitempty"`

	// Doomed is the fault by which what the call began ends.
	Doomed *fault.Fault `json:"doomed,omitempty"`

	Interface   *Interface `json:"interface,omitempty"`
	InterfaceID string     `json:"interfaceId,omitempty"`
	Removed     string     `json:"removed,omitempty"`
}

// journal is the history since the start.
type journal struct {
	records []record
	size    int
}

const (
	// longestJournal bounds the bytes that are kept. A simulator with more behind it cannot be saved.
	longestJournal = 256 << 20
	// recordSize is about what a record takes beside its body.
	recordSize = 512
)

func (j *journal) add(r record) {
	j.size += len(r.Body) + recordSize
	if j.size > longestJournal {
		j.records = nil
		return
	}
	j.records = append(j.records, r)
}

// remember puts a call into the journal. Headers count for REST services only.
func (s *Simulator) remember(j job, serial uint64) {
	r := record{
		At: s.account.Now(), Serial: serial, Service: j.service.Name, Operation: j.operation.Name,
		Method: j.request.Method, Path: j.request.Path, Query: j.request.Query, Body: j.request.Body, Doomed: s.doomed,
	}
	if j.operation.Route != nil {
		r.Header = j.request.Header.Clone()
		for _, name := range []string{"Authorization", "X-Amz-Security-Token", "User-Agent"} {
			r.Header.Del(name)
		}
	}
	s.journal.add(r)
}
