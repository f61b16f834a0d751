package dataplane

import (
	"errors"
	"net/http"
	"net/netip"
	"reflect"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// frontend is a listener, compiled. It is immutable; an update replaces it.
type frontend struct {
	arn        string
	balancer   string
	port       int
	boundPort  int
	secure     bool
	attributes attributes
	listener   attributes
	idle       time.Duration
	lifetime   time.Duration
	rules      *evaluator
	// providers are the identity providers of the rules, by their keys.
	providers map[string]*provider
	// callback takes clients back from them; nil without any.
	callback action
	// book is where requests are logged, connections where connections are; nil for nowhere.
	book, connections *logbook
	security          *security
	source            Listener
	inserted          []insertedHeader
	// zones are those of the load balancer, forwards the target groups that the rules name.
	zones    []string
	forwards []string
}

// compileListener prepares a listener. What did not change is taken from the frontend before.
func (s *Server) compileListener(lb *LoadBalancer, l *Listener, before *frontend) (*frontend, error) {
	f := &frontend{
		arn:        l.ARN,
		balancer:   lb.ARN,
		port:       l.Port,
		boundPort:  l.Port + s.portOffset,
		secure:     l.Protocol == string(elbtypes.ProtocolEnumHttps),
		attributes: lb.Attributes,
		listener:   l.Attributes,
		source:     *l,
		inserted:   insertedHeaders(l.Attributes),
		zones:      lb.Zones,
		book:       s.logbook(lb, accessLog), connections: s.logbook(lb, connectionLog),
	}
	f.idle = s.atLeast(f.attributes.seconds("idle_timeout.timeout_seconds", defaultIdle), idleFloor)
	f.lifetime = s.scaled(f.attributes.seconds("client_keep_alive.seconds", defaultLifetime))
	var errs []error
	var err error
	if f.rules, err = compileRules(l.Rules, before); err != nil {
		errs = append(errs, err)
	}
	f.providers, f.forwards = f.rules.providers(), f.rules.forwards()
	if len(f.providers) > 0 {
		f.callback = callback{}
	}
	if f.secure {
		if f.security, err = compileSecurity(s, f, before); err != nil {
			errs = append(errs, err)
		}
	}
	return f, errors.Join(errs...)
}

// compileRules compiles what is new: an expression is compiled once as long as its rule stays as it is.
func compileRules(rules []Rule, before *frontend) (*evaluator, error) {
	known := map[string]*rule{}
	if before != nil {
		for _, r := range before.rules.rules {
			known[r.source.ARN] = r
		}
		if reflect.DeepEqual(before.source.Rules, rules) {
			return before.rules, nil
		}
	}
	compiled := make([]*rule, 0, len(rules))
	var errs []error
	for _, source := range rules {
		if old := known[source.ARN]; old != nil && reflect.DeepEqual(old.source, source) {
			compiled = append(compiled, old)
			continue
		}
		r, err := compileRule(source)
		if err != nil {
			errs = append(errs, err)
		}
		compiled = append(compiled, r)
	}
	return newEvaluator(compiled), errors.Join(errs...)
}

func (f *frontend) scheme() string {
	if f.secure {
		return "https"
	}
	return "http"
}

// requestedHost is the host that the client asked for. Where listeners are bound with a port offset, a client must name the offset
// port; the host is then what it would be at the listener's own port.
func (f *frontend) requestedHost(r *http.Request) string {
	if f.boundPort == f.port {
		return r.Host
	}
	name, ok := strings.CutSuffix(r.Host, ":"+strconv.Itoa(f.boundPort))
	switch {
	case !ok:
		return r.Host
	case f.port == f.standardPort():
		return name
	default:
		return name + ":" + strconv.Itoa(f.port)
	}
}

// standardPort is the port that clients of the scheme leave out.
func (f *frontend) standardPort() int {
	if f.secure {
		return 443
	}
	return 80
}

// exchange is one request on its way.
type exchange struct {
	server  *Server
	front   *frontend
	groups  map[string]*group
	writer  http.ResponseWriter
	request *http.Request
	// peer is the client's end of the connection, zone that of the node that it came to.
	peer netip.AddrPort
	zone string
	// connection is what is kept of the client's connection.
	connection *connection
	// host, path and query are what the client asked for; transforms replace them once a rule was chosen.
	host, path, query string
	transforms        *transforms
	// cookies are set whatever the answer is.
	cookies []string
	// closing says that both connections end with this request.
	closing bool
	// uploading says that the client still owes a part of the body.
	uploading atomic.Bool
	note      note
}

// serve answers one request: checks, choice of the rule, action.
func (x *exchange) serve() {
	x.note.priority = -1
	if status := x.judge(); status != 0 {
		x.refuse(status)
		return
	}
	if status := x.admit(); status != 0 {
		x.refuse(status)
		return
	}
	x.host = x.front.requestedHost(x.request)
	v := newView(x.request, x.host, x.peer.Addr())
	x.path, x.query = splitTarget(x.request)
	if x.path == callbackPath && x.front.callback != nil {
		x.front.callback.serve(x)
		return
	}
	chosen := x.front.rules.evaluate(&v)
	if chosen == nil {
		x.refuse(http.StatusServiceUnavailable)
		return
	}
	x.note.priority = chosen.source.Priority
	x.transforms = &chosen.transforms
	chosen.action.serve(x)
}

// judge applies the desync mitigation mode. It gives a status or zero.
func (x *exchange) judge() int {
	v := x.server.judged(x.request)
	x.note.verdict = v
	mode := x.front.attributes.text("routing.http.desync_mitigation_mode", "defensive")
	switch {
	case v.status != 0:
		x.closing = true
		return v.status
	case mode == "strictest" && v.tier > compliant:
		x.closing = true
		return http.StatusBadRequest
	case mode == "defensive" && v.tier >= ambiguous:
		x.closing = true
	}
	return 0
}

// Limits of a request, in bytes, and of the addresses in X-Forwarded-For.
const (
	maxLine         = 16 << 10
	maxHeaders      = 64 << 10
	maxForwardedFor = 30
)

// admit refuses what a load balancer takes from no client. It gives a status or zero.
func (x *exchange) admit() int {
	r := x.request
	switch {
	case r.Method == http.MethodTrace:
		return http.StatusMethodNotAllowed
	case r.Method == http.MethodConnect:
		return http.StatusBadRequest
	case len(r.RequestURI) > maxLine:
		return http.StatusRequestURITooLong
	}
	total, forwarded := 0, 0
	for name, values := range r.Header {
		for _, value := range values {
			if len(name)+len(value) > maxLine {
				return http.StatusBadRequest
			}
			total += len(name) + len(value)
			if name == headerForwardedFor {
				forwarded += 1 + strings.Count(value, ",")
			}
		}
	}
	switch {
	case total > maxHeaders:
		return http.StatusBadRequest
	case forwarded > maxForwardedFor:
		return statusTooManyForwarded
	default:
		return 0
	}
}
