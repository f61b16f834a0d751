package echo

import (
	"net"
	"net/http"
	"strconv"
	"sync"
)

// retries counts the attempts of requests that are to fail a while.
type retries struct {
	mu       sync.Mutex
	attempts map[string]int
}

// fails says whether this attempt of the request fails, and counts it.
func (r *retries) fails(id string, succeedAfter int) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.attempts[id] >= succeedAfter {
		return false
	}
	r.attempts[id]++
	return true
}

// retry lets the first ?succeedAfter attempts of the request named by ?uuid fail: with ?responseCode, or by
// a connection reset.
func (p *pages) retry(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	succeedAfter, err := strconv.Atoi(query.Get("succeedAfter"))
	if query.Get("uuid") == "" || err != nil {
		http.Error(w, "uuid and succeedAfter are required", http.StatusBadRequest)
		return
	}
	if !p.echo.retry.fails(query.Get("uuid"), succeedAfter) {
		p.echoRequest(w, r)
		return
	}
	if err := wait(r.Context(), query.Get("delayRetry")); err != nil {
		fail(w, err)
		return
	}
	if code, err := strconv.Atoi(query.Get("responseCode")); err == nil {
		w.WriteHeader(code)
		return
	}
	reset(w)
}

// reset breaks the connection with RST in place of an answer.
func reset(w http.ResponseWriter) {
	connection, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		fail(w, err)
		return
	}
	if tcp, ok := connection.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // if it fails the client sees EOF, which is as broken
	}
	_ = connection.Close()
}
