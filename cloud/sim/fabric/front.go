package fabric

import (
	"crypto/tls"
	"net/http"
	"slices"
	"strings"

	types "github.com/aws/aws-sdk-go-v2/service/vpclattice/types"
)

// front is a listener of a service behind an entrance, compiled.
type front struct {
	entrance *Entrance
	service  *Service
	port     int
	protocol types.ListenerProtocol
	rules    []*rule
	gates    []gate
}

// place is a port of an entrance with the services behind it: those that take requests by their Host, and those that take TLS by its server
// name, each under the names of its service. A port of one network can be both.
type place struct {
	plain, secure map[string]*front
}

func (p *place) add(f *front) {
	into := p.secure
	if f.protocol == types.ListenerProtocolHttp {
		into = p.plain
	}
	for _, name := range f.names() {
		into[name] = f
	}
}

// names are those by which clients find the service. TLS that passes through is for the custom domain name only.
func (f *front) names() []string {
	all := []string{strings.ToLower(f.service.Name), strings.ToLower(f.service.Domain)}
	if f.protocol == types.ListenerProtocolTlsPassthrough {
		all = all[1:]
	}
	return slices.DeleteFunc(all, func(name string) bool { return name == "" })
}

// named finds a front by a name: the whole one before a wildcard for its first label.
func named(all map[string]*front, name string) *front {
	name = strings.ToLower(strings.TrimSuffix(name, "."))
	if f := all[name]; f != nil {
		return f
	}
	if _, parent, ok := strings.Cut(name, "."); ok {
		return all["*."+parent]
	}
	return nil
}

// certificate is what the service serves under a name: that of AWS for the name that AWS gave, the owner's for the custom one.
func (f *front) certificate(name string) *tls.Certificate {
	if strings.EqualFold(strings.TrimSuffix(name, "."), f.service.Name) {
		return f.service.Managed
	}
	return f.service.Certificate
}

func (f *front) choose(r *http.Request) *rule {
	for _, one := range f.rules {
		if one.matches(r) {
			return one
		}
	}
	return nil
}

func (f *front) scheme() string {
	if f.protocol == types.ListenerProtocolHttp {
		return "http"
	}
	return "https"
}

func newFront(e *Entrance, s *Service, l *Listener) *front {
	f := &front{entrance: e, service: s, port: l.Port, protocol: l.Protocol, gates: gates(e.Auth, s.Auth)}
	for _, r := range l.Rules {
		f.rules = append(f.rules, compile(r))
	}
	return f
}
