package dataplane

import (
	"crypto/tls"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/gorilla/websocket"
)

// socketBackend echoes the messages of a WebSocket.
func socketBackend(tb testing.TB) string {
	tb.Helper()
	return newBackend(tb, "", func(w http.ResponseWriter, r *http.Request) {
		upgrader := websocket.Upgrader{Subprotocols: []string{"echo"}, CheckOrigin: func(*http.Request) bool { return true }}
		conn, err := upgrader.Upgrade(w, r, http.Header{"X-Forwarded-Proto": {r.Header.Get("X-Forwarded-Proto")}})
		if err != nil {
			return
		}
		defer closeBody(conn)
		for {
			kind, message, err := conn.ReadMessage()
			if err != nil {
				return
			}
			if err := conn.WriteMessage(kind, message); err != nil {
				return
			}
		}
	}).address
}

// answer is the head of a response.
type answer struct {
	status int
	header http.Header
}

func dialSocket(tb testing.TB, url string) (*websocket.Conn, answer, error) {
	tb.Helper()
	d := websocket.Dialer{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, Subprotocols: []string{"echo"}}
	conn, res, err := d.DialContext(tb.Context(), url, nil)
	var head answer
	if res != nil {
		defer closeBody(res.Body)
		head = answer{res.StatusCode, res.Header}
	}
	if err != nil {
		return nil, head, fmt.Errorf("dialling: %w", err)
	}
	tb.Cleanup(func() { closeBody(conn) })
	return conn, head, nil
}

func TestWebSockets(t *testing.T) {
	t.Parallel()
	for _, protocol := range []string{"HTTP", "HTTPS"} {
		t.Run(protocol, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, Options{})
			w.group(groupARN, nil, socketBackend(t))
			at := w.listen(protocol, always(forwardTo(groupARN)))
			scheme := "ws://"
			if protocol == "HTTPS" {
				scheme = "wss://"
				w.secure("", selfSigned(t, curve(t), "x"))
			}
			conn, head, err := dialSocket(t, scheme+at+"/ws")
			if err != nil {
				t.Fatal(err)
			}
			if conn.Subprotocol() != "echo" || head.header.Get("X-Forwarded-Proto") != strings.ToLower(protocol) {
				t.Errorf("subprotocol %q, headers %v", conn.Subprotocol(), head.header)
			}
			for _, message := range []string{"one", strings.Repeat("two", 50000)} {
				if err := conn.WriteMessage(websocket.TextMessage, []byte(message)); err != nil {
					t.Fatal(err)
				}
				_, got, err := conn.ReadMessage()
				if err != nil || string(got) != message {
					t.Fatalf("%d bytes and %v came back for %d", len(got), err, len(message))
				}
			}
			if err := conn.WriteMessage(websocket.CloseMessage, websocket.FormatCloseMessage(websocket.CloseNormalClosure, "")); err != nil {
				t.Fatal(err)
			}
			if _, _, err := conn.ReadMessage(); !websocket.IsCloseError(err, websocket.CloseNormalClosure) {
				t.Errorf("the end is %v", err)
			}
		})
	}
}

func TestAWebSocketGetsTheCookiesOfStickiness(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	w.group(groupARN, func(g *TargetGroup) { g.Attributes["stickiness.enabled"] = "true" }, socketBackend(t))
	at := w.listen("HTTP", always(forwardTo(groupARN)))
	_, head, err := dialSocket(t, "ws://"+at)
	if err != nil || len(head.header["Set-Cookie"]) != 2 {
		t.Errorf("headers %v, error %v", head.header, err)
	}
}

func TestAWebSocketThatATargetRefuses(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	w.group(groupARN, nil, newBackend(t, "no", nil).address)
	at := w.listen("HTTP", always(forwardTo(groupARN)))
	_, head, err := dialSocket(t, "ws://"+at)
	if err == nil || head.status != http.StatusOK {
		t.Errorf("got %v and %v, want the target's answer", head, err)
	}
}

func TestClosingEndsWebSockets(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	w.group(groupARN, nil, socketBackend(t))
	at := w.listen("HTTP", always(forwardTo(groupARN)))
	conn, _, err := dialSocket(t, "ws://"+at)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if _, _, err := conn.ReadMessage(); err == nil {
		t.Error("the connection lives on")
	}
}

func TestATargetThatSwitchesProtocolsUnasked(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	w.group(groupARN, nil, rawBackend(t, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: chat\r\nConnection: Upgrade\r\n"))
	at := w.listen("HTTP", always(forwardTo(groupARN)))
	if got := get(t, "http://"+at).StatusCode; got != http.StatusBadGateway {
		t.Errorf("status %d", got)
	}
}

func TestIdleWebSocketsEnd(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	w.config.LoadBalancers[0].Attributes["idle_timeout.timeout_seconds"] = "1"
	w.group(groupARN, nil, socketBackend(t))
	at := w.listen("HTTP", always(forwardTo(groupARN)))
	conn, _, err := dialSocket(t, "ws://"+at)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := conn.ReadMessage(); err == nil {
		t.Error("an idle connection gave a message")
	}
}
