package sim

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"

	"github.com/headgate/headgate/cloud/sim/wire"
)

// maxBody bounds a request: the largest one is an ImportCertificate with its chain.
const maxBody = 8 << 20

// Handler gives the endpoint of all services, and what is below /_sim/.
func (s *Simulator) Handler() http.Handler {
	mux := http.NewServeMux()
	s.admin(mux)
	mux.HandleFunc("/", s.serveCall)
	return mux
}

// call is a request whose service is known.
type call struct {
	service string
	// json says that the caller speaks JSON, where the service is unknown.
	json    bool
	request *wire.Request
}

func (s *Simulator) serveCall(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		http.Error(w, "reading the request: "+err.Error(), http.StatusBadRequest)
		return
	}
	answer := s.answer(s.identify(r, body))
	maps.Copy(w.Header(), answer.Header)
	w.WriteHeader(answer.Status)
	if _, err := w.Write(answer.Body); err != nil {
		s.options.Logger.Debug("the caller did not wait for its answer", "error", err)
	}
}

// identify finds the service by the scope of the signature, else by X-Amz-Target or the API version.
func (s *Simulator) identify(r *http.Request, body []byte) call {
	c := call{service: signedFor(r), request: wire.NewRequest(r, body)}
	if target := r.Header.Get("X-Amz-Target"); target != "" {
		prefix, action, _ := strings.Cut(target, ".")
		c.request.Operation, c.json = action, true
		if c.service == "" {
			c.service = s.serviceByTarget(prefix)
		}
		return c
	}
	form := c.request.Query
	if r.Method == http.MethodPost {
		var err error
		if form, err = url.ParseQuery(string(body)); err != nil {
			form = url.Values{}
		}
	}
	c.request.Operation = form.Get("Action")
	if c.service == "" {
		c.service = s.serviceByTarget(form.Get("Version"))
	}
	if c.request.Operation == "" {
		// A service of another style, as those that use REST: known by its path only.
		c.request.Operation, c.json = r.Method+" "+r.URL.Path, true
	}
	return c
}

// signedFor reads the service out of a signature: Credential=KEY/DATE/REGION/SERVICE/aws4_request, in a header or the query.
func signedFor(r *http.Request) string {
	_, scope, ok := strings.Cut(r.Header.Get("Authorization"), "Credential=")
	if !ok {
		scope = r.URL.Query().Get("X-Amz-Credential")
	}
	scope, _, _ = strings.Cut(scope, ",")
	parts := strings.Split(scope, "/")
	const service = 3
	if len(parts) <= service {
		return ""
	}
	return parts[service]
}

func (s *Simulator) serviceByTarget(target string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, v := range s.services {
		if v.Target == target && target != "" {
			return v.Name
		}
	}
	return ""
}

// answer runs a call. No other call runs meanwhile.
func (s *Simulator) answer(c call) wire.Response {
	s.mu.Lock()
	defer s.mu.Unlock()
	id := s.account.UUID()
	service, known := s.service(c.service)
	protocol := service.Protocol
	if !known {
		protocol = fallbackProtocol(c)
	}
	operation, ok := service.Find(c.request)
	if !ok {
		s.calls.unknown(c.service, c.request.Operation)
		return failure(protocol, unknownAction(protocol, c.request.Operation), id)
	}
	response, err := run(protocol, operation, c.request, id)
	s.calls.count(entry{c.service, operation.Name, operation.Kind}, err != nil)
	if err != nil {
		return failure(protocol, wire.AsError(err), id)
	}
	if operation.Kind == wire.Write {
		s.changed()
	}
	return identified(response, id)
}

func run(p wire.Protocol, o wire.Operation, q *wire.Request, id string) (wire.Response, error) {
	in := o.New()
	if err := p.Decode(q, in); err != nil {
		return wire.Response{}, fmt.Errorf("reading the input of %s: %w", o.Name, err)
	}
	out, err := o.Run(in)
	if err != nil {
		return wire.Response{}, fmt.Errorf("running %s: %w", o.Name, err)
	}
	answer, err := p.Encode(wire.Reply{Operation: o, RequestID: id, Output: out})
	if err != nil {
		return wire.Response{}, fmt.Errorf("writing the output of %s: %w", o.Name, err)
	}
	return answer, nil
}

func failure(p wire.Protocol, err *wire.Error, id string) wire.Response {
	r := identified(p.Fail(err, id), id)
	r.Header.Set("X-Amzn-Errortype", err.Code)
	return r
}

// identified puts the identifier of the request into an answer, under the names that the services use.
func identified(r wire.Response, id string) wire.Response {
	if r.Status == 0 {
		r.Status = http.StatusOK
	}
	r.Header.Set("X-Amzn-Requestid", id)
	r.Header.Set("X-Amz-Request-Id", id)
	return r
}

func (s *Simulator) service(name string) (wire.Service, bool) {
	for _, v := range s.services {
		if v.Name == name {
			return v, true
		}
	}
	return wire.Service{}, false
}

func fallbackProtocol(c call) wire.Protocol {
	if c.json {
		return wire.JSON{}
	}
	return wire.Query{}
}

func unknownAction(p wire.Protocol, action string) *wire.Error {
	switch p.(type) {
	case wire.JSON:
		return wire.Errorf("UnknownOperationException", "The operation %s is not known.", action)
	case wire.RESTJSON, wire.RESTXML:
		return wire.Errorf("UnknownOperationException", "The operation %s is not known.", action).WithStatus(http.StatusNotFound)
	default:
		return wire.Errorf("InvalidAction", "The action %s is not valid for this web service.", action)
	}
}
