package dataplane

import (
	"bufio"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestDesyncMitigation(t *testing.T) {
	t.Parallel()
	b := newBackend(t, "", func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s %s %s", r.Method, r.RequestURI, body)
	})
	// worlds by mode
	at := map[string]string{}
	for _, mode := range []string{"monitor", "defensive", "strictest"} {
		w := newWorld(t, Options{})
		w.config.LoadBalancers[0].Attributes["routing.http.desync_mitigation_mode"] = mode
		w.group(groupARN, nil, b.address)
		at[mode] = w.listen("HTTP", always(forwardTo(groupARN)))
	}
	const host = "Host: a.test\r\n"
	for _, row := range []struct {
		why, request string
		tier         tier
		reason       string
		status       int // whatever the mode is; 0 goes by the tier
	}{
		{"nothing special", "POST /x HTTP/1.1\r\n" + host + "Content-Length: 2\r\n\r\nhi", compliant, "", 0},
		{"chunks", "POST /x HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n", compliant, "", 0},
		{"a space in the target", "GET /a b HTTP/1.1\r\n" + host + "\r\n", acceptable, "SpaceInUri", 0},
		{"a version that does not exist", "GET /x HTTP/1.7\r\n" + host + "\r\n", acceptable, "NonCompliantVersion", 0},
		{"GET with an empty body", "GET /x HTTP/1.1\r\n" + host + "Content-Length: 0\r\n\r\n", acceptable, "GetHeadZeroContentLength", 0},
		{"letters beyond ASCII", "GET /x HTTP/1.1\r\n" + host + "X: \xe4\r\n\r\n", acceptable, "NonCompliantHeader", 0},
		{"a control character in a value", "GET /x HTTP/1.1\r\n" + host + "X: a\x01b\r\n\r\n", acceptable, "NonCompliantHeader", 0},
		{"a control character in the target", "GET /a\x01b HTTP/1.1\r\n" + host + "\r\n", ambiguous, "AmbiguousUri", 0},
		{"GET with a body", "GET /x HTTP/1.1\r\n" + host + "Content-Length: 2\r\n\r\nhi", ambiguous, "UndefinedContentLengthSemantics", 0},
		{"GET with chunks", "GET /x HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", ambiguous, "UndefinedTransferEncodingSemantics", 0},
		{"both lengths and chunks", "POST /x HTTP/1.1\r\n" + host + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n", ambiguous, "BothTeClPresent", 0},
		{"the same length twice", "POST /x HTTP/1.1\r\n" + host + "Content-Length: 2\r\nContent-Length: 2\r\n\r\nhi", ambiguous, "DuplicateContentLength", 0},
		{"a name that could be taken for a length", "GET /x HTTP/1.1\r\n" + host + "Content_Length: 2\r\n\r\n", ambiguous, "SuspiciousHeader", 0},
		{"a space before the colon", "GET /x HTTP/1.1\r\n" + host + "Transfer-Encoding : chunked\r\n\r\n", ambiguous, "SuspiciousHeader", 0},
		{"a line without a name", "GET /x HTTP/1.1\r\n" + host + ": x\r\n\r\n", ambiguous, "EmptyHeader", 0},
		{"different lengths", "POST /x HTTP/1.1\r\n" + host + "Content-Length: 2\r\nContent-Length: 3\r\n\r\nhi", severe, "MultipleContentLength", 400},
		{"a length that is none", "POST /x HTTP/1.1\r\n" + host + "Content-Length: +2\r\n\r\nhi", severe, "BadContentLength", 400},
		{"chunked twice", "POST /x HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", severe, "MultipleTransferEncodingChunked", 400},
		{"an encoding that is none", "POST /x HTTP/1.1\r\n" + host + "Transfer-Encoding: xchunked\r\n\r\n", severe, "BadTransferEncoding", 400},
		{"a length, and what could be an encoding", "POST /x HTTP/1.1\r\n" + host + "Content-Length: 2\r\nTransfer_Encoding: chunked\r\n\r\nhi", severe, "SuspiciousTeClPresent", 400},
		{"a null character", "GET /x HTTP/1.1\r\n" + host + "X: a\x00b\r\n\r\n", severe, "BadHeader", 400},
		{"a null character in the target", "GET /\x00 HTTP/1.1\r\n" + host + "\r\n", severe, "BadUri", 400},
		{"no method", "G@T /x HTTP/1.1\r\n" + host + "\r\n", severe, "BadMethod", 400},
		{"no version", "GET /x\r\n" + host + "\r\n", severe, "BadVersion", 400},
		{"a header of two lines", "GET /x HTTP/1.1\r\n" + host + "X: a\r\n b\r\n\r\n", severe, "BadHeader", 400},
		{"no host", "GET /x HTTP/1.1\r\n\r\n", compliant, "", 400},
		{"another HTTP", "GET /x HTTP/3.0\r\n" + host + "\r\n", compliant, "", 505},
		{"an encoding that is not served", "POST /x HTTP/1.1\r\n" + host + "Transfer-Encoding: gzip\r\n\r\n", compliant, "", 501},
		{"a long line", "GET /" + strings.Repeat("x", maxLine) + " HTTP/1.1\r\n" + host + "\r\n", compliant, "", 414},
		{"an endless head", "GET /x HTTP/1.1\r\n" + host + strings.Repeat("X: "+strings.Repeat("x", 8000)+"\r\n", 12), compliant, "", 400},
	} {
		t.Run(row.why, func(t *testing.T) {
			t.Parallel()
			if lines, _ := splitHead([]byte(row.request), nil); lines != nil {
				if h := readHead(lines); h.tier != row.tier || h.reason != row.reason {
					t.Errorf("classified %s %s, want %s %s", h.tier, h.reason, row.tier, row.reason)
				}
			}
			for mode, address := range at {
				want, closing := row.status, row.status != 0
				if want == 0 {
					want, closing = 200, mode == "defensive" && row.tier >= ambiguous
					if mode == "strictest" && row.tier > compliant {
						want, closing = 400, true
					}
				}
				status, open := askTwice(t, address, row.request)
				if status != want || open == closing {
					t.Errorf("%s: status %d, connection stays open %v; want %d and closing %v", mode, status, open, want, closing)
				}
			}
		})
	}
}

// askTwice sends a request and, on the same connection, a plain one. It reports whether the second was answered.
func askTwice(t *testing.T, address, request string) (int, bool) {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer closeBody(conn)
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	r := bufio.NewReader(conn)
	say := func(text string) int {
		if _, err := io.WriteString(conn, text); err != nil {
			return 0
		}
		res, err := http.ReadResponse(r, nil)
		if err != nil {
			return 0
		}
		defer closeBody(res.Body)
		if _, err := io.Copy(io.Discard, res.Body); err != nil {
			return 0
		}
		if res.StatusCode >= 400 && res.Header.Get("Server") != serverName {
			t.Errorf("an answer of somebody else: %v", res.Header)
		}
		return res.StatusCode
	}
	first := say(request)
	return first, say("GET /second HTTP/1.1\r\nHost: a.test\r\n\r\n") == http.StatusOK
}

func TestPipelinedRequestsAreAllInspected(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	b := newBackend(t, "", func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "[%s %s]", r.RequestURI, body)
	})
	w.group(groupARN, nil, b.address)
	at := w.listen("HTTP", always(forwardTo(groupARN)))
	const host = "Host: a.test\r\n"
	got := speak(t, at, "POST /1 HTTP/1.1\r\n"+host+"Content-Length: 3\r\n\r\none"+
		"POST /2 HTTP/1.1\r\n"+host+"Transfer-Encoding: chunked\r\n\r\n3;x=y\r\ntwo\r\n00A\r\n0123456789\r\n0\r\nT: t\r\n\r\n"+
		"GET /3 HTTP/1.1\r\n"+host+"\r\nGET /4 HTTP/1.1\r\n"+host+"Content-Length: x\r\n\r\nGET /5 HTTP/1.1\r\n"+host+"\r\n")
	for _, want := range []string{"[/1 one]", "[/2 two0123456789]", "[/3 ]", "400 Bad Request"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is missing in %s", want, got)
		}
	}
	if strings.Contains(got, "[/4") || strings.Contains(got, "[/5") {
		t.Errorf("what follows a refused request got through: %s", got)
	}
}

func TestVerdictsStayInside(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	b := newBackend(t, "", func(w http.ResponseWriter, r *http.Request) {
		for name := range r.Header {
			fmt.Fprint(w, name, " ")
		}
	})
	w.group(groupARN, nil, b.address)
	at := w.listen("HTTP", always(forwardTo(groupARN)))
	got := speak(t, at, "GET /a b HTTP/1.1\r\nHost: a.test\r\nX: x\r\nConnection: close\r\n\r\n")
	if strings.Contains(got, "Verdict-") || !strings.Contains(got, "X-Forwarded-For") {
		t.Errorf("the target saw %s", got)
	}
}

func TestSlowClients(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	b := newBackend(t, "", func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) })
	w.group(groupARN, nil, b.address)
	w.config.LoadBalancers[0].Attributes["idle_timeout.timeout_seconds"] = "1"
	at := w.listen("HTTP", always(forwardTo(groupARN)))
	for _, row := range []struct{ why, request string }{
		{"half a head", "GET / HTTP/1.1\r\nHost: a"},
		{"half a body", "POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 10\r\n\r\nhalf"},
	} {
		t.Run(row.why, func(t *testing.T) {
			t.Parallel()
			conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", at)
			if err != nil {
				t.Fatal(err)
			}
			defer closeBody(conn)
			if _, err := io.WriteString(conn, row.request); err != nil {
				t.Fatal(err)
			}
			res, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil {
				t.Fatal(err)
			}
			defer closeBody(res.Body)
			if res.StatusCode != http.StatusRequestTimeout || res.Header.Get("Server") != serverName {
				t.Errorf("status %d", res.StatusCode)
			}
		})
	}
}

func TestPlainHTTPOnASecurePort(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	at := w.listen("HTTPS", always(fixedAction("200", "")))
	w.secure("", selfSigned(t, curve(t), "x"))
	got := get(t, "http://"+at)
	if got.StatusCode != http.StatusBadRequest || got.Header.Get("Server") != serverName || !strings.Contains(got.body, "plain HTTP request") {
		t.Errorf("status %d %q", got.StatusCode, got.body)
	}
}

// TestHandshakeOnAPlainPort: a client that speaks TLS to a port without it is told at once, and does not wait for a line to end.
func TestHandshakeOnAPlainPort(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	at := w.listen("HTTP", always(fixedAction("200", "")))
	conn, err := (&net.Dialer{Timeout: time.Minute}).DialContext(t.Context(), "tcp", at)
	if err != nil {
		t.Fatal(err)
	}
	defer closeBody(conn)
	err = tls.Client(conn, &tls.Config{ServerName: "x", MinVersion: tls.VersionTLS12}).HandshakeContext(t.Context())
	if _, ok := errors.AsType[tls.RecordHeaderError](err); !ok {
		t.Errorf("the handshake ended with %v", err)
	}
}

func FuzzBodies(f *testing.F) {
	f.Add([]byte("3\r\none\r\n0\r\n\r\nGET"), 3)
	f.Add([]byte("ffffffffffffffffff\r\nx"), 1)
	f.Fuzz(func(t *testing.T, text []byte, piece int) {
		whole := body{left: -1}
		want := whole.take(text)
		split := body{left: -1}
		got := 0
		for at := 0; at < len(text) && split.left != 0; {
			n := min(max(1, piece%7), len(text)-at)
			took := split.take(text[at : at+n])
			got, at = got+took, at+n
		}
		if got != want || split.left != whole.left {
			t.Errorf("in pieces %d bytes, at once %d", got, want)
		}
	})
}
