package sim

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"

	"github.com/headgate/headgate/cloud/sim/fault"
	"github.com/headgate/headgate/cloud/sim/lattice"
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
	json bool
	// version is the one of the API that a call of the Query protocol names.
	version string
	request *wire.Request
}

// name is the action as it is listed where it is unknown.
func (c call) name(s wire.Service) string {
	if c.foreign(s) {
		return c.request.Operation + " of version " + c.version
	}
	return c.request.Operation
}

// foreign says that a call is of another version of the API than the service has. Classic load balancers have that of ELBv2, with the same
// names for other things.
func (c call) foreign(s wire.Service) bool {
	return c.version != "" && s.Target != "" && c.version != s.Target
}

func (s *Simulator) serveCall(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		http.Error(w, "reading the request: "+err.Error(), http.StatusBadRequest)
		return
	}
	answer, err := s.answer(r.Context(), s.identify(r, body))
	if err != nil {
		// Closes the connection without an answer.
		panic(http.ErrAbortHandler)
	}
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
	c.version = form.Get("Version")
	if c.service == "" {
		c.service = s.serviceByTarget(c.version)
	}
	if c.request.Operation == "" {
		c.version = ""
		// A service of another style, as those that use REST: known by its path only.
		c.request.Operation, c.json = r.Method+" "+r.URL.Path, true
	}
	return c
}

// signature reads the scope of a signature: Credential=KEY/DATE/REGION/SERVICE/aws4_request, in a header or the query.
func signature(header http.Header, query url.Values) []string {
	_, scope, ok := strings.Cut(header.Get("Authorization"), "Credential=")
	if !ok {
		scope = query.Get("X-Amz-Credential")
	}
	scope, _, _ = strings.Cut(scope, ",")
	return strings.Split(scope, "/")
}

// accessKey gives the key with which a call is signed.
func accessKey(r *wire.Request) string { return signature(r.Header, r.Query)[0] }

// signedFor gives the service that a call is signed for.
func signedFor(r *http.Request) string {
	parts := signature(r.Header, r.URL.Query())
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

// job is a call whose operation is known.
type job struct {
	id        string
	service   wire.Service
	operation wire.Operation
	request   *wire.Request
	call      fault.Call
}

// answer runs a call. No other call runs meanwhile, but while it waits. The only error is errCut.
func (s *Simulator) answer(ctx context.Context, c call) (wire.Response, error) {
	j, refused := s.prepare(c)
	if refused != nil {
		s.hub.publish(Event{
			Type: CallEvent, Time: s.options.Now(), Service: c.service, Action: c.request.Operation, Status: refused.Status,
			Code: refused.Header.Get("X-Amzn-Errortype"),
		})
		return *refused, nil
	}
	s.mu.Lock()
	wait := s.account.Scale(s.disturber.given.Latency.Of(j.call))
	s.mu.Unlock()
	s.options.Sleep(ctx, wait)
	s.mu.Lock()
	defer s.mu.Unlock()
	response, err := s.perform(j)
	s.calls.count(entry{j.service.Name, j.operation.Name, j.operation.Kind}, err != nil)
	e := Event{Type: CallEvent, Time: s.account.Now(), Service: j.call.Service, Action: j.call.Action, Kind: j.call.Kind}
	defer func() { s.hub.publish(e) }()
	switch {
	case errors.Is(err, errCut):
		return wire.Response{}, errCut
	case err != nil:
		known := wire.AsError(err)
		e.Status, e.Code = known.Status, known.Code
		return failure(j.service.Protocol, known, j.id), nil
	default:
		response = identified(response, j.id)
		e.Status = response.Status
		return response, nil
	}
}

// prepare finds the operation of a call, or gives the answer to one that is not there.
func (s *Simulator) prepare(c call) (job, *wire.Response) {
	s.mu.Lock()
	defer s.mu.Unlock()
	id := s.account.UUID()
	service, known := s.service(c.service)
	if !known {
		service.Protocol = fallbackProtocol(c)
	}
	operation, ok := service.Find(c.request)
	if !ok || c.foreign(service) {
		s.calls.unknown(c.service, c.name(service))
		r := failure(service.Protocol, unknownAction(service.Protocol, c.name(service)), id)
		return job{}, &r
	}
	return job{id, service, operation, c.request, fault.Call{
		Service: service.Name, Action: operation.Name, Kind: string(operation.Kind), Begins: service.Name == "vpc-lattice" && lattice.Begins(operation.Name),
	}}, nil
}

// perform runs a call through all that may disturb it.
func (s *Simulator) perform(j job) (wire.Response, error) {
	if !s.disturber.limiter.Allow(j.call, s.account.Now()) {
		return wire.Response{}, throttled(j.service.Protocol)
	}
	f, hit := s.disturber.injector.Next(j.call)
	switch {
	case hit && f.When == fault.Later:
		s.doomed = &f
		defer func() { s.doomed = nil }()
		return s.run(j)
	case hit && f.When != fault.After:
		return wire.Response{}, injected(f)
	}
	response, err := s.run(j)
	if err == nil && hit {
		return wire.Response{}, injected(f)
	}
	return response, err
}

// run decodes the input, runs the operation and encodes its output.
func (s *Simulator) run(j job) (wire.Response, error) {
	serial := s.account.Serial()
	in, err := s.input(j)
	if err != nil {
		return wire.Response{}, err
	}
	out, err := s.invoke(j.service.Name, j.operation, in)
	if err != nil {
		return wire.Response{}, err
	}
	if j.operation.Kind == wire.Write {
		s.remember(j, serial)
	}
	response, err := j.service.Protocol.Encode(wire.Reply{Operation: j.operation, RequestID: j.id, Output: out})
	if err != nil {
		return wire.Response{}, fmt.Errorf("writing the output of %s: %w", j.operation.Name, err)
	}
	return response, nil
}

// input decodes the input of a call that is allowed. A dry run is refused only after its permission was looked at.
func (s *Simulator) input(j job) (any, error) {
	who := s.tokens.Act(accessKey(j.request))
	if who != nil && !s.account.Now().Before(who.Expires) {
		return nil, expired(j.service.Protocol)
	}
	in := j.operation.New()
	err := j.service.Protocol.Decode(j.request, in)
	if err == nil || wire.AsError(err).Code == wire.DryRun {
		if denied := s.permit(j, who, in); denied != nil {
			return nil, denied
		}
	}
	if err != nil {
		return nil, fmt.Errorf("reading the input of %s: %w", j.operation.Name, err)
	}
	return in, nil
}

// invoke runs an operation. What it changes others see as late as the consistency says.
func (s *Simulator) invoke(service string, o wire.Operation, in any) (any, error) {
	if err := s.missing(service, in); err != nil {
		return nil, err
	}
	before := s.tagsNow(o, in)
	out, err := o.Run(in)
	if err != nil {
		return nil, fmt.Errorf("running %s: %w", o.Name, err)
	}
	if o.Kind == wire.Read {
		s.filter(in, out)
		return out, nil
	}
	s.made(o, out)
	s.holdTags(before, in, out)
	s.changed()
	return out, nil
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
