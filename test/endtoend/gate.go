package endtoend

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/headgate/headgate/test/policy"
)

// Verdict says what becomes of a call.
type Verdict int

const (
	// Pass lets the call through.
	Pass Verdict = iota
	// Deny answers as AWS does when the right is missing.
	Deny
	// CutBefore kills the operator, and the call does not arrive.
	CutBefore
	// CutAfter kills the operator when the call has taken effect, before it learns of that.
	CutAfter
)

// Guard decides about calls, of which it is told the rights that they need; it is asked by several at a time.
type Guard func(policy.Call, []policy.Right) Verdict

// Open lets everything through.
func Open(policy.Call, []policy.Right) Verdict { return Pass }

// Within denies what p does not allow, and tells denied of each call that it stopped.
func Within(p policy.Policy, denied func(policy.Right)) Guard {
	return func(_ policy.Call, rights []policy.Right) Verdict {
		for _, r := range rights {
			if !p.Allows(r) {
				denied(r)
				return Deny
			}
		}
		return Pass
	}
}

// Gate stands between the operator and AWS: it writes down every call, and lets through what its guard says.
type Gate struct {
	// URL is its endpoint.
	URL string

	target string
	tagsOf policy.TagsOf
	kill   func() error
	server *http.Server
	guard  atomic.Pointer[Guard]
	writes atomic.Int64

	mu     sync.Mutex
	rights map[string]policy.Right
	counts map[string]int
	faults []error
}

// newGate listens on loopback for a simulator at target, which may come up later.
func newGate(ctx context.Context, target string) (*Gate, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listening: %w", err)
	}
	g := &Gate{
		URL: "http://" + listener.Addr().String(), target: target, tagsOf: tagsAt(target),
		rights: map[string]policy.Right{}, counts: map[string]int{},
	}
	g.Post(Open)
	g.server = &http.Server{Handler: http.HandlerFunc(g.serve), ReadHeaderTimeout: time.Minute}
	go func() {
		if err := g.server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			g.fault(err)
		}
	}()
	return g, nil
}

// Post puts another guard in place.
func (g *Gate) Post(guard Guard) { g.guard.Store(&guard) }

// Writes counts the calls of the operator that write, since the start.
func (g *Gate) Writes() int { return int(g.writes.Load()) }

// Counts are the calls since the start, by service and action.
func (g *Gate) Counts() map[string]int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return maps.Clone(g.counts)
}

// Rights are those that the calls needed, each once.
func (g *Gate) Rights() []policy.Right {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Collect(maps.Values(g.rights))
}

// Err joins what went wrong at the gate itself.
func (g *Gate) Err() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	return errors.Join(g.faults...)
}

func (g *Gate) fault(err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.faults = append(g.faults, err)
}

func (g *Gate) serve(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return // the operator died in the middle of its call
	}
	call, err := policy.ReadCall(req, body)
	if err != nil {
		g.fault(err)
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	rights := call.Rights(g.tagsOf)
	g.note(call, rights)
	verdict := (*g.guard.Load())(call, rights)
	if verdict == Deny {
		deny(w, call)
		return
	}
	if verdict == CutBefore {
		g.cut()
	}
	answer, err := g.forward(req, body)
	if verdict == CutAfter {
		g.cut()
	}
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	maps.Copy(w.Header(), answer.header)
	w.WriteHeader(answer.status)
	// An operator that was killed does not read its answers.
	_, _ = w.Write(answer.body)
}

// note writes a call down, with the rights that it needs in the state that the account is in now.
func (g *Gate) note(call policy.Call, rights []policy.Right) {
	if call.Writes() {
		g.writes.Add(1)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.counts[call.String()]++
	for _, r := range rights {
		g.rights[r.String()] = r
	}
}

// cut kills the operator and drops the connection.
func (g *Gate) cut() {
	if err := g.kill(); err != nil {
		g.fault(err)
	}
	panic(http.ErrAbortHandler)
}

type answer struct {
	status int
	header http.Header
	body   []byte
}

// forward carries a call to the simulator. A call that is under way arrives, whether or not the caller still lives.
func (g *Gate) forward(req *http.Request, body []byte) (answer, error) {
	onward, err := http.NewRequestWithContext(context.WithoutCancel(req.Context()), req.Method, g.target+req.URL.RequestURI(), bytes.NewReader(body))
	if err != nil {
		return answer{}, fmt.Errorf("passing a call on: %w", err)
	}
	onward.Header = req.Header.Clone()
	response, err := http.DefaultTransport.RoundTrip(onward)
	if err != nil {
		return answer{}, fmt.Errorf("passing a call on: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	data, err := io.ReadAll(response.Body)
	if err != nil {
		return answer{}, fmt.Errorf("reading an answer: %w", err)
	}
	return answer{response.StatusCode, response.Header, data}, nil
}

// deny answers in the words that each of AWS's protocols has for a right that is missing.
func deny(w http.ResponseWriter, call policy.Call) {
	text := "User: arn:aws:sts::123456789012:assumed-role/controller/session is not authorized to perform: " + call.String() +
		" because no identity-based policy allows the " + call.String() + " action"
	switch call.Service {
	case "ec2":
		w.WriteHeader(http.StatusForbidden)
		_, _ = fmt.Fprintf(w, "<Response><Errors><Error><Code>UnauthorizedOperation</Code><Message>%s</Message></Error></Errors>"+
			"<RequestID>0</RequestID></Response>", text)
	case "elasticloadbalancing", "sts":
		w.WriteHeader(http.StatusForbidden)
		_, _ = fmt.Fprintf(w, "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>%s</Message></Error>"+
			"<RequestId>0</RequestId></ErrorResponse>", text)
	default:
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		w.WriteHeader(http.StatusBadRequest)
		_, _ = fmt.Fprintf(w, `{"__type":"AccessDeniedException","message":%q}`, text)
	}
}
