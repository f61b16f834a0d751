package lattice

import (
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/vpclattice"
	types "github.com/aws/aws-sdk-go-v2/service/vpclattice/types"

	"github.com/headgate/headgate/cloud/sim/table"
	"github.com/headgate/headgate/cloud/sim/wire"
)

type listener struct {
	life

	id, arn, title string
	port           int32
	protocol       types.ListenerProtocol
	// fallback is the default rule, which is among the rules too.
	fallback *rule
	rules    table.Table[*rule]
}

func (l *listener) name() string { return l.arn }

const (
	listenerKind = "LISTENER"
	maxListeners = 2
	maxPort      = 65535
)

func (m *Mesh) listenerOperations() []wire.Operation {
	const all, one = " /services/{ServiceIdentifier}/listeners", " /services/{ServiceIdentifier}/listeners/{ListenerIdentifier}"
	return []wire.Operation{
		writes(m, "CreateListener", m.createListener).At("POST"+all, wire.Status(http.StatusCreated)),
		reads(m, "GetListener", m.getListener).At("GET" + one), writes(m, "UpdateListener", m.updateListener).At("PATCH" + one),
		writes(m, "DeleteListener", m.deleteListener).At("DELETE"+one, wire.Status(http.StatusNoContent)),
		reads(m, "ListListeners", m.listListeners).At("GET" + all),
	}
}

// listenerOf finds a listener of a service.
func (m *Mesh) listenerOf(of, identifier *string) (*service, *listener, error) {
	s, err := m.settled(of)
	if err != nil {
		return nil, nil, err
	}
	l, err := find(&s.listeners, listenerKind, identifier)
	return s, l, err
}

func (m *Mesh) createListener(in *sdk.CreateListenerInput) (*sdk.CreateListenerOutput, error) {
	s, err := m.settled(in.ServiceIdentifier)
	if err != nil {
		return nil, err
	}
	before, input, err := m.repeated(listenerKind, in.ClientToken, in)
	if err != nil {
		return nil, err
	}
	l, ok := s.listeners.Get(before)
	if !ok {
		if l, err = m.buildListener(s, in); err != nil {
			return nil, err
		}
		m.keep(listenerKind, in.ClientToken, made{input, l.id})
	}
	return &sdk.CreateListenerOutput{
		Arn: &l.arn, DefaultAction: l.fallback.action, Id: &l.id, Name: &l.title, Port: &l.port, Protocol: l.protocol, ServiceArn: &s.arn, ServiceId: &s.id,
	}, nil
}

func (m *Mesh) buildListener(s *service, in *sdk.CreateListenerInput) (*listener, error) {
	const longest = 63
	if err := checkName(in.Name, longest, "listener-"); err != nil {
		return nil, err
	}
	tags, err := m.tagged(in.Tags)
	if err != nil {
		return nil, err
	}
	id := m.id("listener")
	l := &listener{id: id, arn: s.arn + "/listener/" + id, title: *in.Name, port: portOr(in.Port, in.Protocol), protocol: in.Protocol}
	if err := s.admits(l); err != nil {
		return nil, err
	}
	action, err := m.action(s, l.protocol, in.DefaultAction)
	if err != nil {
		return nil, err
	}
	m.stamp(&l.life, creating)
	l.fallback = m.addRule(l, &rule{title: "default", action: action, fallback: true})
	s.listeners.Put(id, l)
	m.Tags.Put(l.arn, tags)
	m.Tags.Put(l.fallback.arn, nil)
	return l, nil
}

func portOr(asked *int32, protocol types.ListenerProtocol) int32 {
	const plainPort, tlsPort = 80, 443
	switch {
	case asked != nil:
		return *asked
	case protocol == types.ListenerProtocolHttp:
		return plainPort
	default:
		return tlsPort
	}
}

// admits checks a new listener against the others of the service.
func (s *service) admits(l *listener) error {
	switch {
	case l.protocol == "":
		return invalid("protocol", "A protocol must be given")
	case l.port < 1 || l.port > maxPort:
		return invalid("port", "A port is between 1 and %d", maxPort)
	case l.protocol == types.ListenerProtocolTlsPassthrough && s.domain == nil:
		return invalid("protocol", "A listener of the protocol TLS_PASSTHROUGH needs a service with a custom domain name")
	}
	for _, other := range s.listeners.All() {
		if other.title == l.title || other.port == l.port {
			return conflict(listenerKind, other.id, "Listener %s of service %s has this name or port already", other.id, s.id)
		}
	}
	if s.listeners.Len() >= maxListeners {
		return exceeded(listenerKind, maxListeners)
	}
	return nil
}

func showListener(l *listener) types.ListenerSummary {
	return types.ListenerSummary{
		Arn: &l.arn, CreatedAt: &l.created, Id: &l.id, LastUpdatedAt: &l.updated, Name: &l.title, Port: aws.Int32(l.port), Protocol: l.protocol,
	}
}

func (m *Mesh) getListener(in *sdk.GetListenerInput) (*sdk.GetListenerOutput, error) {
	s, l, err := m.listenerOf(in.ServiceIdentifier, in.ListenerIdentifier)
	if err != nil {
		return nil, err
	}
	return &sdk.GetListenerOutput{
		Arn: &l.arn, CreatedAt: &l.created, DefaultAction: l.fallback.action, Id: &l.id, LastUpdatedAt: &l.updated, Name: &l.title, Port: aws.Int32(l.port),
		Protocol: l.protocol, ServiceArn: &s.arn, ServiceId: &s.id,
	}, nil
}

func (m *Mesh) updateListener(in *sdk.UpdateListenerInput) (*sdk.UpdateListenerOutput, error) {
	s, l, err := m.listenerOf(in.ServiceIdentifier, in.ListenerIdentifier)
	if err != nil {
		return nil, err
	}
	action, err := m.action(s, l.protocol, in.DefaultAction)
	if err != nil {
		return nil, err
	}
	l.fallback.action, l.updated, l.fallback.updated = action, m.account.Now(), m.account.Now()
	return &sdk.UpdateListenerOutput{
		Arn: &l.arn, DefaultAction: action, Id: &l.id, Name: &l.title, Port: aws.Int32(l.port), Protocol: l.protocol, ServiceArn: &s.arn, ServiceId: &s.id,
	}, nil
}

func (m *Mesh) deleteListener(in *sdk.DeleteListenerInput) (*sdk.DeleteListenerOutput, error) {
	s, l, err := m.listenerOf(in.ServiceIdentifier, in.ListenerIdentifier)
	if err != nil {
		return nil, err
	}
	m.dropListener(s, l)
	return &sdk.DeleteListenerOutput{}, nil
}

// dropListener takes a listener away with its rules.
func (m *Mesh) dropListener(s *service, l *listener) {
	for _, r := range l.rules.All() {
		m.Tags.Drop(r.arn)
	}
	s.listeners.Delete(l.id)
	m.Tags.Drop(l.arn)
}

func (m *Mesh) listListeners(in *sdk.ListListenersInput) (*sdk.ListListenersOutput, error) {
	s, err := find(&m.services, serviceKind, in.ServiceIdentifier)
	if err != nil {
		return nil, err
	}
	items, next, err := cut(s.listeners.Values(), in.MaxResults, in.NextToken, showListener)
	return &sdk.ListListenersOutput{Items: items, NextToken: next}, err
}
