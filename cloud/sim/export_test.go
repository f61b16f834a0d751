package sim

import (
	"fmt"
	"slices"
	"strings"

	"github.com/headgate/headgate/cloud/sim/wire"
)

// Offered is an operation of a service, for tests that call operations by their shapes.
type Offered struct {
	Service string
	wire.Operation
	// Unions are the members of the unions of the service's shapes.
	Unions wire.Unions

	sim      *Simulator
	protocol wire.Protocol
}

// Offers lists all operations in an order that is always the same.
func (s *Simulator) Offers() []Offered {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []Offered
	for _, v := range s.services {
		rest, _ := v.Protocol.(wire.RESTJSON)
		for _, o := range v.Operations {
			all = append(all, Offered{v.Name, o, rest.Unions, s, v.Protocol})
		}
	}
	slices.SortFunc(all, func(a, b Offered) int { return strings.Compare(a.Service+a.Name, b.Service+b.Name) })
	return all
}

// Call runs the operation on its input shape as if it had come over the wire. A panic is an error that names the operation.
func (o Offered) Call(in any) (out any, err error) {
	o.sim.mu.Lock()
	defer o.sim.mu.Unlock()
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic in %s: %v", o.Name, r)
		}
	}()
	if out, err = o.sim.invoke(o.Service, o.Operation, in); err != nil {
		return nil, err
	}
	if _, err := o.protocol.Encode(wire.Reply{Operation: o.Operation, RequestID: "1", Output: out}); err != nil {
		return nil, fmt.Errorf("encoding the output of %s: %w", o.Name, err)
	}
	return out, nil
}
