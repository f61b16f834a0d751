package echo

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/gorilla/websocket"
)

// answer is the JSON that tells a client what the pod received.
type answer struct {
	Path     string              `json:"path"`
	Host     string              `json:"host"`
	Method   string              `json:"method"`
	Proto    string              `json:"proto"`
	Headers  map[string][]string `json:"headers"`
	HTTPPort string              `json:"httpPort"`
	identity
	TLS *tlsAnswer `json:"tls,omitempty"`
}

// identity is who answered.
type identity struct {
	Namespace string `json:"namespace"`
	Ingress   string `json:"ingress"`
	Service   string `json:"service"`
	Pod       string `json:"pod"`
}

func (e *Echo) identity() identity {
	return identity{Namespace: e.config.Namespace, Ingress: e.config.Ingress, Service: e.config.Service, Pod: e.config.Pod}
}

// pages answers HTTP requests on one port.
type pages struct {
	echo              *Echo
	port              string
	webSocketAnywhere bool
}

// ServeHTTP serves the paths of the contract; any other path is echoed.
func (p *pages) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := strings.ReplaceAll(r.URL.Path, "//", "/")
	switch {
	case path == "/ws", p.webSocketAnywhere && websocket.IsWebSocketUpgrade(r):
		p.webSocket(w, r)
	case path == "/health":
		_, _ = io.WriteString(w, "OK")
	case strings.HasPrefix(path, "/status/"):
		w.WriteHeader(statusOf(r.RequestURI))
	case strings.HasPrefix(path, "/retry/"):
		p.retry(w, r)
	default:
		p.echoRequest(w, r)
	}
}

// statusPattern is the whole request URI of /status/NNN: with a query it is a bad request.
var statusPattern = regexp.MustCompile(`^/status/([2-9]\d\d)$`)

func statusOf(uri string) int {
	match := statusPattern.FindStringSubmatch(uri)
	if match == nil {
		return http.StatusBadRequest
	}
	code, err := strconv.Atoi(match[1])
	if err != nil {
		return http.StatusBadRequest
	}
	return code
}

func (p *pages) echoRequest(w http.ResponseWriter, r *http.Request) {
	p.echo.logf("Echoing back request made to %s to client (%s)", r.RequestURI, r.RemoteAddr)
	if err := wait(r.Context(), r.URL.Query().Get("delay")); err != nil {
		fail(w, err)
		return
	}
	body, err := json.MarshalIndent(answer{
		Path: r.RequestURI, Host: r.Host, Method: r.Method, Proto: r.Proto, Headers: r.Header,
		HTTPPort: p.port, identity: p.echo.identity(), TLS: tlsAnswerOf(r.TLS),
	}, "", " ")
	if err != nil {
		fail(w, err)
		return
	}
	setHeaders(w.Header(), r.Header["X-Echo-Set-Header"])
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	_, _ = w.Write(body)
}

// setHeaders copies "name:value" pairs, separated by commas, keeping the case of the names: tests look for it.
func setHeaders(to http.Header, lists []string) {
	for _, list := range lists {
		for pair := range strings.SplitSeq(list, ",") {
			name, value, _ := strings.Cut(strings.TrimSpace(pair), ":")
			value = strings.TrimSpace(value)
			if present := to[name]; len(present) > 0 {
				value = present[0] + "," + value
			}
			to[name] = []string{value}
		}
	}
}

// wait lasts as long as the text says; no text is no wait.
func wait(ctx context.Context, text string) error {
	if text == "" {
		return nil
	}
	duration, err := time.ParseDuration(text)
	if err != nil {
		return fmt.Errorf("reading the wait: %w", err)
	}
	select {
	case <-ctx.Done():
		return fmt.Errorf("waiting: %w", ctx.Err())
	case <-time.After(duration):
		return nil
	}
}

func fail(w http.ResponseWriter, failure error) {
	body, err := json.Marshal(map[string]string{"message": failure.Error()})
	if err != nil {
		body = nil
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusInternalServerError)
	_, _ = w.Write(body)
}

// webSocket sends every message back until the client, or the pod, ends.
func (p *pages) webSocket(w http.ResponseWriter, r *http.Request) {
	upgrader := websocket.Upgrader{CheckOrigin: func(*http.Request) bool { return true }}
	connection, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		p.echo.logf("no websocket connection: %v", err) // the upgrader has answered
		return
	}
	p.echo.logf("established websocket connection %s", r.RemoteAddr)
	stop := context.AfterFunc(r.Context(), func() { _ = connection.Close() })
	defer stop()
	defer func() { _ = connection.Close() }()
	for {
		kind, message, err := connection.ReadMessage()
		if err != nil {
			return
		}
		if err := connection.WriteMessage(kind, message); err != nil {
			return
		}
	}
}

// errorLog is what the HTTP server complains to: clients that send nonsense end up in the pod's log.
func errorLog(e *Echo) *log.Logger {
	return log.New(e.log, "", 0)
}
