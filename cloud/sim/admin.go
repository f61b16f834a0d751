package sim

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"time"

	"github.com/headgate/headgate/cloud/sim/wire"
)

// admin adds what the simulator answers beside AWS.
func (s *Simulator) admin(mux *http.ServeMux) {
	mux.HandleFunc("GET /_sim/state", func(w http.ResponseWriter, _ *http.Request) { s.show(w, s.State()) })
	mux.HandleFunc("GET /_sim/loadbalancers", func(w http.ResponseWriter, _ *http.Request) { s.show(w, s.LoadBalancers()) })
	mux.HandleFunc("GET /_sim/servicenetworks", func(w http.ResponseWriter, _ *http.Request) { s.show(w, s.ServiceNetworks()) })
	mux.HandleFunc("GET /_sim/world", func(w http.ResponseWriter, _ *http.Request) { s.show(w, s.World()) })
	mux.HandleFunc("GET /_sim/calls", func(w http.ResponseWriter, _ *http.Request) { s.show(w, s.Calls()) })
	mux.HandleFunc("DELETE /_sim/calls", func(w http.ResponseWriter, _ *http.Request) {
		s.ResetCalls()
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("POST /_sim/reset", func(w http.ResponseWriter, _ *http.Request) { s.outcome(w, s.Reset()) })
	mux.HandleFunc("PUT /_sim/addresses", s.putAddresses)
	mux.HandleFunc("GET /_sim/addresses", func(w http.ResponseWriter, _ *http.Request) { s.show(w, s.addresses()) })
	mux.HandleFunc("GET /_sim/keys/{id}", s.getKey)
	mux.HandleFunc("PUT /_sim/networkinterfaces", s.putInterfaces)
	mux.HandleFunc("GET /_sim/events", s.streamEvents)
	mux.HandleFunc("GET /_sim/snapshot", s.getSnapshot)
	mux.HandleFunc("PUT /_sim/snapshot", s.putSnapshot)
	mux.HandleFunc("PUT /_sim/faults", s.putDisturbances)
	mux.HandleFunc("GET /_sim/faults", func(w http.ResponseWriter, _ *http.Request) { s.show(w, s.Disturbances()) })
	mux.HandleFunc("DELETE /_sim/faults", func(w http.ResponseWriter, _ *http.Request) { s.outcome(w, s.Disturb(Disturbances{})) })
	mux.HandleFunc("/_sim/", http.NotFound)
}

// State gives everything that the simulator holds, ready for JSON. Private keys and client secrets are not in it.
func (s *Simulator) State() map[string]any {
	s.mu.Lock()
	state := map[string]any{"region": s.options.Region, "account": s.options.Account, "world": s.world}
	for name, dump := range s.dumps {
		state[name] = wire.Tree(dump())
	}
	s.mu.Unlock()
	state["addresses"] = s.addresses()
	if s.traffic != nil {
		state["dataPlane"] = map[string]string{"error": s.traffic.failure()}
	}
	return state
}

func (s *Simulator) show(w http.ResponseWriter, value any) {
	w.Header().Set("Content-Type", "application/json")
	out := json.NewEncoder(w)
	out.SetIndent("", "  ")
	if err := out.Encode(value); err != nil {
		s.options.Logger.Error("showing the state", "error", err)
	}
}

func (s *Simulator) outcome(w http.ResponseWriter, err error) {
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		s.show(w, map[string]string{"error": err.Error()})
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// read fills a value from the body of a request. When it cannot, it answers and reports false.
func (s *Simulator) read(w http.ResponseWriter, r *http.Request, value any) bool {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err == nil {
		err = json.Unmarshal(body, value)
	}
	if err != nil {
		s.outcome(w, err)
		return false
	}
	return true
}

func (s *Simulator) putAddresses(w http.ResponseWriter, r *http.Request) {
	var entries map[string]*string
	if s.read(w, r, &entries) {
		s.outcome(w, s.SetAddresses(entries))
	}
}

// getKey gives what the host public-keys.auth.elb of AWS gives.
func (s *Simulator) getKey(w http.ResponseWriter, r *http.Request) {
	key, ok := s.ClaimsKey(r.PathValue("id"))
	if !ok {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/x-pem-file")
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(key))
}

// putInterfaces makes, replaces and (null) removes network interfaces by identifier.
func (s *Simulator) putInterfaces(w http.ResponseWriter, r *http.Request) {
	var entries map[string]*Interface
	if !s.read(w, r, &entries) {
		return
	}
	for id, i := range entries {
		if i == nil {
			s.RemoveNetworkInterface(id)
			continue
		}
		i.ID = id
		if _, err := s.AddNetworkInterface(*i); err != nil {
			s.outcome(w, err)
			return
		}
	}
	w.WriteHeader(http.StatusNoContent)
}
