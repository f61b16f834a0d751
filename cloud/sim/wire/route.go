package wire

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// Route binds an operation of a REST service to HTTP.
type Route struct {
	method string
	// path holds the parts of the template between slashes.
	path []part
	// fixed are query parameters that a request must have; an empty value stands for any.
	fixed map[string]string
	// query and headers give the field by the parameter or header that carries it.
	query, headers map[string]string
	// payload and answer are the fields of input and output that are the body. Without them the unbound fields are the body.
	payload, answer string
	root            string
	status          int
}

// part is a literal part of a path, or a label.
type part struct {
	text   string
	label  bool
	greedy bool
}

// Binding says more of how an operation travels over HTTP.
type Binding func(*Route)

// At binds an operation to "METHOD /path/{Label}/{Greedy+}?parameter={Field}&fixed=value". Names in braces are fields of the input.
func (o Operation) At(template string, bindings ...Binding) Operation {
	method, target, _ := strings.Cut(template, " ")
	path, query, _ := strings.Cut(target, "?")
	r := &Route{
		method: method, fixed: map[string]string{}, query: map[string]string{}, headers: map[string]string{}, status: http.StatusOK,
	}
	for text := range strings.SplitSeq(strings.Trim(path, "/"), "/") {
		name, label := braced(text)
		r.path = append(r.path, part{strings.TrimSuffix(name, "+"), label, strings.HasSuffix(name, "+")})
	}
	for pair := range strings.SplitSeq(query, "&") {
		name, value, _ := strings.Cut(pair, "=")
		field, bound := braced(value)
		switch {
		case bound:
			r.query[name] = field
		case name != "":
			r.fixed[name] = value
		}
	}
	for _, b := range bindings {
		b(r)
	}
	o.Route = r
	return o
}

// braced takes the braces off a name and reports whether it had some.
func braced(text string) (string, bool) {
	inner, ok := strings.CutPrefix(text, "{")
	if !ok {
		return text, false
	}
	return strings.TrimSuffix(inner, "}"), true
}

// Headers binds fields of input and output to headers: "ETag" for a field of the header's name, else "x-amz-version-id=VersionId".
func Headers(names ...string) Binding {
	return func(r *Route) {
		for _, n := range names {
			header, field, renamed := strings.Cut(n, "=")
			if !renamed {
				field = header
			}
			r.headers[http.CanonicalHeaderKey(header)] = field
		}
	}
}

// Payload makes one field of the input the whole body: a document if it is a shape, else as it is.
func Payload(field string) Binding { return func(r *Route) { r.payload = field } }

// Answer makes one field of the output the whole body.
func Answer(field string) Binding { return func(r *Route) { r.answer = field } }

// Root names the outermost element of an XML answer; OperationResponse without it.
func Root(name string) Binding { return func(r *Route) { r.root = name } }

// Status is the status of a good answer; 200 without it.
func Status(code int) Binding { return func(r *Route) { r.status = code } }

// match compares a request with the route. It gives the labels, and how many parts of the request are literally those of the template.
func (r *Route) match(q *Request) (labels map[string]string, exact int, ok bool) {
	if q.Method != r.method {
		return nil, 0, false
	}
	for name, value := range r.fixed {
		if !q.Query.Has(name) || value != "" && q.Query.Get(name) != value {
			return nil, 0, false
		}
	}
	parts, ok := r.split(q.Path)
	if !ok {
		return nil, 0, false
	}
	labels, exact = map[string]string{}, len(r.fixed)
	for i, p := range r.path {
		value, err := url.PathUnescape(parts[i])
		switch {
		case err != nil, p.label && value == "", !p.label && value != p.text:
			return nil, 0, false
		case p.label:
			labels[p.text] = value
		default:
			exact++
		}
	}
	return labels, exact, true
}

// split cuts a path into as many parts as the template has. A slash at the end does not count, except in a greedy label.
func (r *Route) split(path string) ([]string, bool) {
	path, greedy := strings.TrimPrefix(path, "/"), r.path[len(r.path)-1].greedy
	if !greedy {
		path = strings.TrimSuffix(path, "/")
	}
	most := -1
	if greedy {
		most = len(r.path)
	}
	parts := strings.SplitN(path, "/", most)
	return parts, len(parts) == len(r.path)
}

// bound reports whether a field travels outside the body.
func (r *Route) bound(field string) bool {
	if slices.ContainsFunc(r.path, func(p part) bool { return p.label && p.text == field }) {
		return true
	}
	return holds(r.query, field) || holds(r.headers, field)
}

func holds(names map[string]string, field string) bool {
	for _, f := range names {
		if f == field {
			return true
		}
	}
	return false
}

// Find gives the operation that a request asks for, by its Operation for a service of actions and by method and path for a REST
// service. The most literal route wins. The request then knows its labels.
func (s Service) Find(q *Request) (Operation, bool) {
	if o, ok := s.Operations[q.Operation]; ok && o.Route == nil {
		return o, true
	}
	best, found := -1, Operation{}
	for _, o := range s.Operations {
		if o.Route == nil {
			continue
		}
		labels, exact, ok := o.Route.match(q)
		if ok && (exact > best || exact == best && o.Name < found.Name) {
			best, found, q.labels = exact, o, labels
		}
	}
	q.route = found.Route
	if best >= 0 {
		q.Operation = found.Name
	}
	return found, best >= 0
}
