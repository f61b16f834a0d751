package sim

import (
	"fmt"
	"io"
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

// call is a request whose service and action are known.
type call struct {
	service, action string
	// json says that the caller speaks JSON, where the service is unknown.
	json bool
	body []byte
}

func (s *Simulator) serveCall(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		http.Error(w, "reading the request: "+err.Error(), http.StatusBadRequest)
		return
	}
	if r.Method == http.MethodGet {
		body = []byte(r.URL.RawQuery)
	}
	answer := s.answer(s.identify(r, body))
	w.Header().Set("Content-Type", answer.contentType)
	w.Header().Set("X-Amzn-Requestid", answer.requestID)
	if answer.code != "" {
		w.Header().Set("X-Amzn-Errortype", answer.code)
	}
	w.WriteHeader(answer.status)
	if _, err := w.Write(answer.body); err != nil {
		s.options.Logger.Debug("the caller did not wait for its answer", "error", err)
	}
}

// identify finds the service by the scope of the signature, else by X-Amz-Target or the API version.
func (s *Simulator) identify(r *http.Request, body []byte) call {
	c := call{service: signedFor(r.Header.Get("Authorization")), body: body}
	if target := r.Header.Get("X-Amz-Target"); target != "" {
		prefix, action, _ := strings.Cut(target, ".")
		c.action, c.json = action, true
		if c.service == "" {
			c.service = s.serviceByTarget(prefix)
		}
		return c
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		form = url.Values{}
	}
	c.action = form.Get("Action")
	if c.service == "" {
		c.service = s.serviceByTarget(form.Get("Version"))
	}
	if c.action == "" {
		// A service of another style, as those that use REST: known by its path only.
		c.action, c.json = r.Method+" "+r.URL.Path, true
	}
	return c
}

// signedFor reads the service out of a signature: Credential=KEY/DATE/REGION/SERVICE/aws4_request.
func signedFor(authorization string) string {
	_, scope, ok := strings.Cut(authorization, "Credential=")
	if !ok {
		return ""
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

// answer is what goes back.
type answer struct {
	status                       int
	contentType, requestID, code string
	body                         []byte
}

// answer runs a call. No other call runs meanwhile.
func (s *Simulator) answer(c call) answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	id := s.account.UUID()
	service, known := s.service(c.service)
	protocol := service.Protocol
	if !known {
		protocol = fallbackProtocol(c)
	}
	operation, ok := service.Operations[c.action]
	if !ok {
		s.calls.unknown(c.service, c.action)
		return failure(protocol, unknownAction(protocol, c.action), id)
	}
	body, err := run(protocol, operation, c.body, id)
	s.calls.count(entry{c.service, c.action, operation.Kind}, err != nil)
	if err != nil {
		return failure(protocol, wire.AsError(err), id)
	}
	if operation.Kind == wire.Write {
		s.changed()
	}
	return answer{status: http.StatusOK, contentType: protocol.ContentType(), requestID: id, body: body}
}

func run(p wire.Protocol, o wire.Operation, body []byte, id string) ([]byte, error) {
	in := o.New()
	if err := p.Decode(body, in); err != nil {
		return nil, fmt.Errorf("reading the input of %s: %w", o.Name, err)
	}
	out, err := o.Run(in)
	if err != nil {
		return nil, fmt.Errorf("running %s: %w", o.Name, err)
	}
	answer, err := p.Encode(wire.Reply{Operation: o.Name, RequestID: id, Output: out})
	if err != nil {
		return nil, fmt.Errorf("writing the output of %s: %w", o.Name, err)
	}
	return answer, nil
}

func failure(p wire.Protocol, err *wire.Error, id string) answer {
	return answer{status: err.Status, contentType: p.ContentType(), requestID: id, code: err.Code, body: p.Fail(err, id)}
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
	if _, ok := p.(wire.JSON); ok {
		return wire.Errorf("UnknownOperationException", "The operation %s is not known.", action)
	}
	return wire.Errorf("InvalidAction", "The action %s is not valid for this web service.", action)
}
