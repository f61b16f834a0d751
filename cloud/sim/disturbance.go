package sim

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/headgate/headgate/cloud/sim/fault"
	"github.com/headgate/headgate/cloud/sim/lattice"
	"github.com/headgate/headgate/cloud/sim/policy"
	"github.com/headgate/headgate/cloud/sim/wire"
)

// Disturbances make the simulator as inconvenient as AWS. The zero value disturbs nothing.
type Disturbances struct {
	// Faults are calls that fail.
	Faults []fault.Fault `json:"faults,omitempty"`
	// Latency is how long calls take.
	Latency fault.Latency `json:"latency,omitempty"`
	// Throttling refuses calls that are too many; see fault.AWS.
	Throttling fault.Limits `json:"throttling,omitempty"`
	// Consistency delays what calls see of other calls.
	Consistency Consistency `json:"consistency"`
	// Policy is an IAM policy document. With it, a call that it does not allow is denied; without it everything is allowed.
	Policy json.RawMessage `json:"policy,omitempty"`
}

// disturber is the disturbances at work. It is guarded as the services are.
type disturber struct {
	given      Disturbances
	injector   *fault.Injector
	limiter    *fault.Limiter
	policy     *policy.Document
	visibility *visibility
}

// newDisturber checks disturbances and makes them work from their beginning.
func (s *Simulator) newDisturber(d Disturbances) (*disturber, error) {
	for i, f := range d.Faults {
		if err := f.Check(); err != nil {
			return nil, fmt.Errorf("fault %d: %w", i+1, err)
		}
	}
	if err := d.Throttling.Check(); err != nil {
		return nil, fmt.Errorf("throttling: %w", err)
	}
	if err := s.checkNames(d); err != nil {
		return nil, err
	}
	made := &disturber{
		given: d, injector: fault.NewInjector(d.Faults, s.options.Seed), limiter: fault.NewLimiter(d.Throttling, s.options.Speed),
		visibility: newVisibility(d.Consistency, s.options.Seed),
	}
	if len(d.Policy) > 0 {
		document, err := policy.Parse(d.Policy)
		if err != nil {
			return nil, fmt.Errorf("loading the policy: %w", err)
		}
		made.policy = document
	}
	return made, nil
}

// Disturb replaces all disturbances. Their counts and buckets begin anew.
func (s *Simulator) Disturb(d Disturbances) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	made, err := s.newDisturber(d)
	if err != nil {
		return err
	}
	s.disturber = made
	s.tags.Release()
	return nil
}

// Disturbances gives the disturbances, with the counts of the faults.
func (s *Simulator) Disturbances() Disturbances {
	s.mu.Lock()
	defer s.mu.Unlock()
	d := s.disturber.given
	d.Faults = s.disturber.injector.Faults()
	return d
}

// errCut says that the connection is to be closed without an answer.
var errCut = errors.New("the connection is cut")

// injected gives the error of a fault.
func injected(f fault.Fault) error {
	if f.Cut {
		return errCut
	}
	known := &wire.Error{Code: f.Code, Status: f.Status, Message: f.Message}
	if known.Code == "" {
		known.Code = "InternalFailure"
	}
	if known.Status == 0 {
		known.Status = http.StatusInternalServerError
	}
	if known.Message == "" {
		known.Message = "An injected fault."
	}
	return known
}

// doom gives the failure in which ends what the present call begins; nil if it ends well.
func (s *Simulator) doom() *lattice.Failure {
	if s.doomed == nil {
		return nil
	}
	return &lattice.Failure{
		Code: cmp.Or(s.doomed.Code, "InternalFailure"), Message: cmp.Or(s.doomed.Message, "An injected fault."),
	}
}

// throttled gives the error of a service for a call too many. Elastic Load Balancing's page on throttling says ThrottlingException, which is
// what CloudTrail shows; callers were seen to get Throttling (spinnaker/spinnaker#3466; in boto/boto3#3125 the other one did not match).
func throttled(p wire.Protocol) *wire.Error {
	const message = "Rate exceeded"
	switch p := p.(type) {
	case wire.EC2:
		return wire.Errorf("RequestLimitExceeded", "Request limit exceeded.").WithStatus(http.StatusServiceUnavailable)
	case wire.RESTJSON:
		return wire.Errorf("ThrottlingException", message).WithStatus(http.StatusTooManyRequests)
	case wire.RESTXML:
		if p.Plain {
			return wire.Errorf("SlowDown", "Please reduce your request rate.").WithStatus(http.StatusServiceUnavailable)
		}
		return wire.Errorf("Throttling", message)
	case wire.Query:
		return wire.Errorf("Throttling", message)
	default:
		return wire.Errorf("ThrottlingException", message)
	}
}

// sleep waits in real time, or until the caller is gone.
func sleep(ctx context.Context, d time.Duration) {
	if d <= 0 {
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// Merge replaces the parts that a JSON document has, and leaves the others. A part that is null is emptied.
func (d *Disturbances) Merge(document []byte) error {
	var parts map[string]json.RawMessage
	if err := json.Unmarshal(document, &parts); err != nil {
		return fmt.Errorf("reading disturbances: %w", err)
	}
	setters := map[string]func(json.RawMessage) error{
		"faults": replace(&d.Faults), "latency": replace(&d.Latency), "throttling": replace(&d.Throttling),
		"consistency": replace(&d.Consistency), "policy": replace(&d.Policy),
	}
	for _, name := range slices.Sorted(maps.Keys(parts)) {
		set, ok := setters[name]
		if !ok {
			return fmt.Errorf("%q is none of faults, latency, throttling, consistency, policy: %w", name, errOptions)
		}
		if err := set(parts[name]); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// putDisturbances merges a document into the disturbances.
func (s *Simulator) putDisturbances(w http.ResponseWriter, r *http.Request) {
	var document json.RawMessage
	if !s.read(w, r, &document) {
		return
	}
	d := s.Disturbances()
	if err := d.Merge(document); err != nil {
		s.outcome(w, err)
		return
	}
	s.outcome(w, s.Disturb(d))
}

// replace gives a function that sets a place from JSON, whatever was there.
func replace[T any](place *T) func(json.RawMessage) error {
	return func(part json.RawMessage) error {
		var fresh T
		*place = fresh
		if string(part) == "null" {
			return nil
		}
		in := json.NewDecoder(bytes.NewReader(part))
		in.DisallowUnknownFields()
		if err := in.Decode(place); err != nil {
			return fmt.Errorf("reading JSON: %w", err)
		}
		return nil
	}
}
