package pods

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

const headerTimeout = 10 * time.Second

// Kubelet is what the log server proves itself with, as PEM files.
type Kubelet struct {
	Certificate, Key string
	// ClientCA signed the certificate of the API server, which alone may ask.
	ClientCA string
}

// kubeletServer answers `kubectl logs`.
type kubeletServer struct {
	server *http.Server
	port   int32
}

// startKubelet serves the logs that find gives.
func startKubelet(ctx context.Context, files Kubelet, find func(pod types.NamespacedName, container string) *logbook) (*kubeletServer, error) {
	pair, err := tls.LoadX509KeyPair(files.Certificate, files.Key)
	if err != nil {
		return nil, fmt.Errorf("reading the kubelet's certificate: %w", err)
	}
	authority, err := os.ReadFile(files.ClientCA)
	if err != nil {
		return nil, fmt.Errorf("reading the authority of clients: %w", err)
	}
	clients := x509.NewCertPool()
	clients.AppendCertsFromPEM(authority)
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listening for the kubelet: %w", err)
	}
	address, ok := listener.Addr().(*net.TCPAddr)
	if !ok {
		return nil, fmt.Errorf("listening for the kubelet: %s is no TCP address", listener.Addr())
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /containerLogs/{namespace}/{pod}/{container}", func(w http.ResponseWriter, r *http.Request) {
		key := types.NamespacedName{Namespace: r.PathValue("namespace"), Name: r.PathValue("pod")}
		book := find(key, r.PathValue("container"))
		if book == nil {
			http.Error(w, "the container does not run", http.StatusNotFound)
			return
		}
		serveLogs(w, r, book)
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "the sandbox runs echo servers in place of containers: there is nothing to execute in or attach to", http.StatusNotImplemented)
	})
	server := &http.Server{Handler: mux, ReadHeaderTimeout: headerTimeout, TLSConfig: &tls.Config{
		MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{pair}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: clients,
	}}
	go func() { _ = server.ServeTLS(listener, "", "") }() // ends with close
	return &kubeletServer{server: server, port: int32(address.AddrPort().Port())}, nil
}

func (k *kubeletServer) close() error {
	if err := k.server.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
		return fmt.Errorf("closing the kubelet: %w", err)
	}
	return nil
}

// logsOf finds the log of a container that runs.
func (r *Runner) logsOf(key types.NamespacedName, name string) *logbook {
	r.mu.Lock()
	defer r.mu.Unlock()
	p := r.running[key]
	if p == nil {
		return nil
	}
	for _, c := range p.containers {
		if c.name == name {
			return c.logs
		}
	}
	return nil
}

// logQuery is what of a log is asked for.
type logQuery struct {
	since      time.Time
	tail       int // -1 is all
	follow     bool
	timestamps bool
}

func parseLogQuery(values url.Values) (logQuery, error) {
	q := logQuery{tail: -1, follow: values.Get("follow") == "true", timestamps: values.Get("timestamps") == "true"}
	var err error
	if text := values.Get("tailLines"); text != "" {
		if q.tail, err = strconv.Atoi(text); err != nil {
			return q, fmt.Errorf("tailLines: %w", err)
		}
	}
	if text := values.Get("sinceTime"); text != "" {
		if q.since, err = time.Parse(time.RFC3339, text); err != nil {
			return q, fmt.Errorf("sinceTime: %w", err)
		}
	}
	if text := values.Get("sinceSeconds"); text != "" {
		seconds, err := strconv.Atoi(text)
		if err != nil {
			return q, fmt.Errorf("sinceSeconds: %w", err)
		}
		q.since = time.Now().Add(-time.Duration(seconds) * time.Second)
	}
	return q, nil
}

// serveLogs writes a log, and what is added to it if that is asked for.
func serveLogs(w http.ResponseWriter, r *http.Request, book *logbook) {
	query, err := parseLogQuery(r.URL.Query())
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "text/plain")
	lines, next, more := book.from(0)
	if query.tail >= 0 && len(lines) > query.tail {
		lines = lines[len(lines)-query.tail:]
	}
	for {
		for _, l := range lines {
			if l.at.Before(query.since) {
				continue
			}
			if err := writeLine(w, l, query); err != nil {
				return
			}
		}
		if !query.follow || more == nil {
			return
		}
		if err := http.NewResponseController(w).Flush(); err != nil {
			return
		}
		select {
		case <-r.Context().Done():
			return
		case <-more:
		}
		lines, next, more = book.from(next)
	}
}

func writeLine(w io.Writer, l line, query logQuery) error {
	text := l.text + "\n"
	if query.timestamps {
		text = l.at.UTC().Format(time.RFC3339Nano) + " " + text
	}
	if _, err := io.WriteString(w, text); err != nil {
		return fmt.Errorf("writing a line of log: %w", err)
	}
	return nil
}
