package sim

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/headgate/headgate/cloud/sim/wire"
)

// snapshot is a saved simulator.
type snapshot struct {
	Version     int               `json:"version"`
	Region      string            `json:"region"`
	Account     string            `json:"account"`
	ClusterName string            `json:"clusterName"`
	EmptyWorld  bool              `json:"emptyWorld,omitempty"`
	Serial      uint64            `json:"serial"`
	Addresses   map[string]string `json:"addresses,omitempty"`
	Records     []record          `json:"records"`
}

const snapshotVersion = 1

var errSnapshot = errors.New("invalid snapshot")

// Save gives everything that it takes to have the same state again. It holds what callers have sent, private keys among it.
func (s *Simulator) Save() ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.journal.size > longestJournal {
		return nil, fmt.Errorf("more than %d MiB were sent since the start, which is too much to save: %w", longestJournal>>20, errSnapshot)
	}
	out, err := json.Marshal(snapshot{
		Version: snapshotVersion, Region: s.options.Region, Account: s.options.Account, ClusterName: s.options.ClusterName,
		EmptyWorld: s.options.EmptyWorld, Serial: s.account.Serial(), Addresses: s.targets.list(), Records: s.journal.records,
	})
	if err != nil {
		return nil, fmt.Errorf("writing the snapshot: %w", err)
	}
	return out, nil
}

// Load replaces the state by a saved one. Simulated time goes on from the clock: what was provisioning then may be active now. A snapshot
// that cannot be loaded leaves the simulator as it is at the start.
func (s *Simulator) Load(saved []byte) error {
	var from snapshot
	if err := json.Unmarshal(saved, &from); err != nil {
		return fmt.Errorf("reading the snapshot: %w", err)
	}
	if err := s.fits(from); err != nil {
		return err
	}
	if err := s.Reset(); err != nil {
		return err
	}
	if err := s.replay(from); err != nil {
		return errors.Join(err, s.Reset())
	}
	s.changed()
	return s.targets.merge(pointers(from.Addresses))
}

// fits says why a snapshot is of another simulator than this.
func (s *Simulator) fits(from snapshot) error {
	o := s.options
	for _, one := range []struct{ what, saved, here string }{
		{"version", strconv.Itoa(from.Version), strconv.Itoa(snapshotVersion)}, {"region", from.Region, o.Region}, {"account", from.Account, o.Account},
		{"cluster name", from.ClusterName, o.ClusterName}, {"empty world", strconv.FormatBool(from.EmptyWorld), strconv.FormatBool(o.EmptyWorld)},
	} {
		if one.saved != one.here {
			return fmt.Errorf("the %s is %s in the snapshot and %s here: %w", one.what, one.saved, one.here, errSnapshot)
		}
	}
	return nil
}

// replay runs the records of a snapshot, each at its time.
func (s *Simulator) replay(from snapshot) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	clock := s.account.Now
	defer func() { s.account.Now = clock }()
	for i, r := range from.Records {
		s.account.Now = func() time.Time { return r.At }
		s.account.Resume(r.Serial)
		if err := s.redo(r); err != nil {
			return fmt.Errorf("record %d of the snapshot, %s: %w", i+1, r.Operation, err)
		}
		s.journal.add(r)
	}
	s.account.Resume(from.Serial)
	return nil
}

// redo does once more what a record tells.
func (s *Simulator) redo(r record) error {
	switch {
	case r.Interface != nil:
		described := *r.Interface
		described.ID = r.InterfaceID
		_, err := s.network.PutInterface(described)
		return wrapped("putting a network interface", err)
	case r.Removed != "":
		s.network.RemoveInterface(r.Removed)
		return nil
	}
	service, ok := s.service(r.Service)
	if !ok {
		return fmt.Errorf("service %s is not simulated: %w", r.Service, errSnapshot)
	}
	request := &wire.Request{Operation: r.Operation, Method: r.Method, Path: r.Path, Query: r.Query, Header: r.Header, Body: r.Body}
	operation, ok := service.Find(request)
	if !ok {
		return fmt.Errorf("%s has no operation %s: %w", r.Service, r.Operation, errSnapshot)
	}
	in := operation.New()
	if err := service.Protocol.Decode(request, in); err != nil {
		return wrapped("reading its input", err)
	}
	s.doomed = r.Doomed
	defer func() { s.doomed = nil }()
	_, err := operation.Run(in)
	return wrapped("running it", err)
}

func wrapped(doing string, err error) error {
	if err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	return nil
}

// getSnapshot answers with a snapshot.
func (s *Simulator) getSnapshot(w http.ResponseWriter, _ *http.Request) {
	saved, err := s.Save()
	if err != nil {
		s.outcome(w, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	if _, err := w.Write(saved); err != nil {
		s.options.Logger.Debug("the caller did not wait for the snapshot", "error", err)
	}
}

// putSnapshot loads a snapshot.
func (s *Simulator) putSnapshot(w http.ResponseWriter, r *http.Request) {
	saved, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 2*longestJournal))
	if err == nil {
		err = s.Load(saved)
	}
	s.outcome(w, err)
}

// loadFile loads the snapshot file, if there is one.
func (s *Simulator) loadFile() error {
	if s.options.Snapshot == "" {
		return nil
	}
	saved, err := os.ReadFile(s.options.Snapshot)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading the snapshot: %w", err)
	}
	return s.Load(saved)
}

// saveFile writes the snapshot file, at once or not at all. Only its owner can read it: it holds private keys.
func (s *Simulator) saveFile() error {
	if s.options.Snapshot == "" || s.account == nil {
		return nil
	}
	saved, err := s.Save()
	if err != nil {
		return err
	}
	const onlyOwner = 0o600
	if err := os.WriteFile(s.options.Snapshot+".new", saved, onlyOwner); err != nil {
		return fmt.Errorf("writing the snapshot: %w", err)
	}
	if err := os.Rename(s.options.Snapshot+".new", s.options.Snapshot); err != nil {
		return fmt.Errorf("writing the snapshot: %w", err)
	}
	return nil
}
