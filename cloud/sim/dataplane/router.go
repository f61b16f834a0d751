package dataplane

import (
	"net/http"
	"net/netip"
)

// Router says which rule of a listener a request meets, without a connection.
type Router struct{ rules *evaluator }

// NewRouter reads the rules of a listener. As in the listener, what cannot be compiled comes with an error and never opens anything.
func NewRouter(l Listener) (*Router, error) {
	rules, err := compileRules(l.Rules, nil)
	return &Router{rules: rules}, err
}

// Rule is the first that matches a request from a source, as its Host header and its RequestURI have it; false where none does.
func (r *Router) Rule(request *http.Request, source netip.Addr) (Rule, bool) {
	v := newView(request, request.Host, source)
	if chosen := r.rules.evaluate(&v); chosen != nil {
		return chosen.source, true
	}
	return Rule{}, false
}
