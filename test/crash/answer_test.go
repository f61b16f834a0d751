package crash

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
)

// answer is what the API server, or something on the way to it, makes of a call: nil lets it through.
type answer func(req *http.Request, next http.RoundTripper) (*http.Response, error)

var errTimeout = errors.New("net/http: request canceled (Client.Timeout exceeded while awaiting headers)")

// refusal answers without asking the API server.
func refusal(code int, reason metav1.StatusReason) answer {
	return func(req *http.Request, _ http.RoundTripper) (*http.Response, error) {
		if req.Body != nil {
			_ = req.Body.Close()
		}
		text, err := json.Marshal(metav1.Status{
			TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"}, Status: metav1.StatusFailure, Code: int32(code), Reason: reason,
			Message: "the test says " + string(reason),
		})
		if err != nil {
			return nil, err
		}
		header := http.Header{"Content-Type": {"application/json"}}
		if code == http.StatusTooManyRequests {
			header.Set("Retry-After", "1")
		}
		return &http.Response{
			Status: http.StatusText(code), StatusCode: code, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: header, Request: req,
			Body: io.NopCloser(bytes.NewReader(text)), ContentLength: int64(len(text)),
		}, nil
	}
}

// done has the API server do it, and answers something else.
func done(say answer) answer {
	return func(req *http.Request, next http.RoundTripper) (*http.Response, error) {
		resp, err := next.RoundTrip(req)
		if err != nil {
			return nil, err
		}
		_ = resp.Body.Close()
		return say(&http.Request{}, next)
	}
}

// slow lets a call through after a while.
func slow(d time.Duration) answer {
	return func(req *http.Request, next http.RoundTripper) (*http.Response, error) {
		select {
		case <-time.After(d):
			return next.RoundTrip(req)
		case <-req.Context().Done():
			return nil, req.Context().Err()
		}
	}
}

// hanging is the end of a call to which no answer comes.
func hanging(req *http.Request, _ http.RoundTripper) (*http.Response, error) {
	select {
	case <-time.After(time.Second):
	case <-req.Context().Done():
	}
	return nil, errTimeout
}

// brief ends a watch soon.
func brief(d time.Duration) answer {
	return func(req *http.Request, next http.RoundTripper) (*http.Response, error) {
		resp, err := next.RoundTrip(req)
		if err == nil {
			body := resp.Body
			time.AfterFunc(d, func() { _ = body.Close() })
		}
		return resp, err
	}
}

// late holds back what a watch tells.
func late(d time.Duration) answer {
	return func(req *http.Request, next http.RoundTripper) (*http.Response, error) {
		resp, err := next.RoundTrip(req)
		if err != nil || resp.StatusCode != http.StatusOK {
			return resp, err
		}
		body, told := resp.Body, newDelayed(d)
		go told.fill(body)
		resp.Body = told
		return resp, nil
	}
}

// delayed is a stream whose parts arrive later than they were sent.
type delayed struct {
	*io.PipeReader

	out   *io.PipeWriter
	by    time.Duration
	parts chan part
}

type part struct {
	at   time.Time
	text []byte
}

func newDelayed(by time.Duration) *delayed {
	in, out := io.Pipe()
	return &delayed{PipeReader: in, out: out, by: by, parts: make(chan part, 1<<10)}
}

func (d *delayed) fill(body io.ReadCloser) {
	defer func() { _ = body.Close() }()
	go d.drain()
	buf := make([]byte, 1<<16)
	for {
		n, err := body.Read(buf)
		if n > 0 {
			d.parts <- part{time.Now().Add(d.by), bytes.Clone(buf[:n])}
		}
		if err != nil {
			close(d.parts)
			return
		}
	}
}

func (d *delayed) drain() {
	for p := range d.parts {
		time.Sleep(time.Until(p.at))
		_, _ = d.out.Write(p.text) // who does not listen any more misses nothing
	}
	_ = d.out.Close()
}

// mischief is done to an operator's calls: by says what, of the nth call of a kind ("PUT ingresses/status", "GET ingresses", "WATCH ingresses").
type mischief struct {
	by func(kind string, n int) answer

	mu   sync.Mutex
	seen map[string]int
	did  int
}

// pester puts the mischief between an operator and the API server. What it asks before it begins, and whether it leads, is left alone.
func (m *mischief) pester(config *rest.Config) *rest.Config {
	return wrapped(config, func(next http.RoundTripper) roundTripper {
		return func(req *http.Request) (*http.Response, error) {
			if one := m.next(kindOf(req)); one != nil {
				return one(req, next)
			}
			return next.RoundTrip(req)
		}
	})
}

func (m *mischief) next(kind string) answer {
	if kind == "" {
		return nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.seen[kind]++
	one := m.by(kind, m.seen[kind])
	if one != nil {
		m.did++
	}
	return one
}

func (m *mischief) count() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.did
}

// kindOf names a call: writes as [writeOf] does, and what is read of resources.
func kindOf(req *http.Request) string {
	if req.Method != http.MethodGet {
		return writeOf(req)
	}
	as := *req
	as.Method = "GET"
	if req.URL.Query().Get("watch") != "" {
		as.Method = "WATCH"
	}
	posted := as
	posted.Method = http.MethodPost
	what := writeOf(&posted)
	if what == "" {
		return ""
	}
	return as.Method + strings.TrimPrefix(what, http.MethodPost)
}
