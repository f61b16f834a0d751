package sim

import (
	"errors"
	"fmt"
	"path"
	"strings"

	"github.com/headgate/headgate/cloud/sim/fault"
)

var errNothing = errors.New("no call is like that")

// checkNames refuses disturbances of calls that there are none of: they would never disturb.
func (s *Simulator) checkNames(d Disturbances) error {
	for i, f := range d.Faults {
		if !s.offers(f.Service, f.Action) {
			return fmt.Errorf("fault %d: service %q, action %q: %w", i+1, f.Service, f.Action, errNothing)
		}
	}
	for class := range d.Latency {
		service, action, _ := strings.Cut(class, ":")
		if class != "read" && class != "write" && !s.offers(service, action) {
			return fmt.Errorf("latency of %q: %w", class, errNothing)
		}
	}
	for service, buckets := range d.Throttling {
		if service == fault.Any {
			service = ""
		}
		if err := s.checkBuckets(service, buckets); err != nil {
			return err
		}
	}
	return nil
}

func (s *Simulator) checkBuckets(service string, buckets []fault.Bucket) error {
	if !s.offers(service, "") {
		return fmt.Errorf("throttling of %q: %w", service, errNothing)
	}
	for _, b := range buckets {
		for _, action := range b.Actions {
			if !s.offers(service, action) {
				return fmt.Errorf("throttling of %q, action %q: %w", service, action, errNothing)
			}
		}
	}
	return nil
}

// offers reports whether a service has an action that is like a pattern. An empty name is any.
func (s *Simulator) offers(service, pattern string) bool {
	for _, v := range s.services {
		if service != "" && v.Name != service {
			continue
		}
		for name := range v.Operations {
			if ok, err := path.Match(pattern, name); pattern == "" || ok && err == nil {
				return true
			}
		}
	}
	return false
}
