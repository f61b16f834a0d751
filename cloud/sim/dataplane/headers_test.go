package dataplane

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// speak sends raw bytes and gives the whole answer; the request must ask for the connection to be closed.
func speak(tb testing.TB, address, raw string) string {
	tb.Helper()
	var d net.Dialer
	conn, err := d.DialContext(tb.Context(), "tcp", address)
	if err != nil {
		tb.Fatal(err)
	}
	defer closeBody(conn)
	if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		tb.Fatal(err)
	}
	if _, err := io.WriteString(conn, raw); err != nil {
		tb.Fatal(err)
	}
	answer, err := io.ReadAll(conn)
	if err != nil {
		tb.Fatal(err)
	}
	return string(answer)
}

// rawBackend is a target that shows the bytes of the request head as the body of its response. It is HTTP/1.1 by hand, so that nothing
// is normalised. The response head is the given one.
func rawBackend(tb testing.TB, head string) string {
	tb.Helper()
	var c net.ListenConfig
	l, err := c.Listen(tb.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { closeBody(l) })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer closeBody(conn)
				var got strings.Builder
				for lines := bufio.NewScanner(conn); lines.Scan() && lines.Text() != ""; {
					got.WriteString(lines.Text() + "\n")
				}
				fmt.Fprintf(conn, "%sContent-Length: %d\r\nConnection: close\r\n\r\n%s", head, got.Len(), got.String())
			}()
		}
	}()
	return l.Addr().String()
}

// lines gives the request line and the sorted headers that a raw backend saw, with what differs from run to run cut out.
func lines(answer string) []string {
	_, body, _ := strings.Cut(answer, "\r\n\r\n")
	all := strings.Split(strings.TrimSpace(body), "\n")
	for i, line := range all {
		if strings.HasPrefix(line, "X-Amzn-Trace-Id: Root=1-") {
			all[i] = "X-Amzn-Trace-Id: Root"
		}
		if strings.HasPrefix(line, "X-Forwarded-Port: ") {
			all[i] = "X-Forwarded-Port"
		}
	}
	return all
}

func TestATargetSeesTheRequestAsItWas(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	w.config.LoadBalancers[0].Attributes["routing.http.preserve_host_header.enabled"] = "true"
	w.group(groupARN, nil, rawBackend(t, "HTTP/1.1 200 OK\r\n"))
	at := w.listen("HTTP", always(forwardTo(groupARN)))
	for _, row := range []struct {
		why, head string
		want      []string
	}{
		{
			"nothing but the forwarding headers is added", "GET / HTTP/1.1\r\nHost: a.test\r\n",
			[]string{"GET / HTTP/1.1", "Host: a.test", "X-Amzn-Trace-Id: Root", "X-Forwarded-For: 127.0.0.1", "X-Forwarded-Port", "X-Forwarded-Proto: http"},
		},
		{
			"hop-by-hop headers go, what Connection names too",
			"GET / HTTP/1.1\r\nHost: a.test\r\nTE: trailers\r\nKeep-Alive: 5\r\nX-Private: 1\r\nConnection: X-Private\r\nUpgrade: h2c\r\nX-Kept: 1\r\n",
			[]string{
				"GET / HTTP/1.1", "Host: a.test", "X-Amzn-Trace-Id: Root", "X-Forwarded-For: 127.0.0.1", "X-Forwarded-Port", "X-Forwarded-Proto: http",
				"X-Kept: 1",
			},
		},
		{
			"a client cannot choose protocol and port, but its chain of addresses is kept",
			"GET / HTTP/1.1\r\nHost: a.test\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Port: 443\r\nX-Forwarded-For: 1.2.3.4\r\nX-Forwarded-For: 5.6.7.8\r\n",
			[]string{
				"GET / HTTP/1.1", "Host: a.test", "X-Amzn-Trace-Id: Root", "X-Forwarded-For: 1.2.3.4, 5.6.7.8, 127.0.0.1", "X-Forwarded-Port",
				"X-Forwarded-Proto: http",
			},
		},
		{
			"path and query stay as they are", "GET //a%2Fb/../c%20d?x=%31&y=a|b HTTP/1.1\r\nHost: a.test\r\n",
			[]string{
				"GET //a%2Fb/../c%20d?x=%31&y=a|b HTTP/1.1", "Host: a.test", "X-Amzn-Trace-Id: Root", "X-Forwarded-For: 127.0.0.1", "X-Forwarded-Port",
				"X-Forwarded-Proto: http",
			},
		},
		{
			"odd characters of a path stay as they are", "GET /a\"b{c}?q=\"|\" HTTP/1.1\r\nHost: a.test\r\n",
			[]string{
				"GET /a\"b{c}?q=\"|\" HTTP/1.1", "Host: a.test", "X-Amzn-Trace-Id: Root", "X-Forwarded-For: 127.0.0.1", "X-Forwarded-Port",
				"X-Forwarded-Proto: http",
			},
		},
		{
			"an absolute target gives host and path", "GET http://b.test/p?q HTTP/1.1\r\nHost: a.test\r\n",
			[]string{
				"GET /p?q HTTP/1.1", "Host: b.test", "X-Amzn-Trace-Id: Root", "X-Forwarded-For: 127.0.0.1", "X-Forwarded-Port", "X-Forwarded-Proto: http",
			},
		},
	} {
		t.Run(row.why, func(t *testing.T) {
			t.Parallel()
			head := row.head
			if !strings.Contains(head, "Connection:") {
				head += "Connection: close\r\n"
			} else {
				head = strings.Replace(head, "Connection: ", "Connection: close, ", 1)
			}
			if diff := cmp.Diff(row.want, lines(speak(t, at, head+"\r\n"))); diff != "" {
				t.Errorf("the target saw (-want +got):\n%s", diff)
			}
		})
	}
}

func TestForwardedFor(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		why        string
		attributes map[string]string
		before     []string
		want       *regexp.Regexp
	}{
		{"append is the default", nil, []string{"1.1.1.1"}, regexp.MustCompile(`^1\.1\.1\.1, 127\.0\.0\.1$`)},
		{"the port on demand", map[string]string{"routing.http.xff_client_port.enabled": "true"}, nil, regexp.MustCompile(`^127\.0\.0\.1:\d+$`)},
		{"preserve leaves it", map[string]string{"routing.http.xff_header_processing.mode": "preserve"}, []string{"1.1.1.1"}, regexp.MustCompile(`^1\.1\.1\.1$`)},
		{"preserve does not add", map[string]string{"routing.http.xff_header_processing.mode": "preserve"}, nil, regexp.MustCompile(`^$`)},
		{"remove removes", map[string]string{"routing.http.xff_header_processing.mode": "remove"}, []string{"1.1.1.1"}, regexp.MustCompile(`^$`)},
	} {
		t.Run(row.why, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, Options{})
			w.config.LoadBalancers[0].Attributes = row.attributes
			b := newBackend(t, "", func(w http.ResponseWriter, r *http.Request) {
				fmt.Fprint(w, strings.Join(r.Header["X-Forwarded-For"], "|"))
			})
			w.group(groupARN, nil, b.address)
			at := w.listen("HTTP", always(forwardTo(groupARN)))
			got := send(t, client(t), "http://"+at, func(r *http.Request) { r.Header["X-Forwarded-For"] = row.before })
			if !row.want.MatchString(got.body) {
				t.Errorf("the target saw %q, want %s", got.body, row.want)
			}
		})
	}
}

func TestTrace(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{Now: func() time.Time { return time.Unix(0x58337364, 0) }})
	const id = `1-58337364-[0-9a-f]{24}`
	for _, row := range []struct{ why, before, want string }{
		{"none yet", "", "^Root=" + id + "$"},
		{"a root is kept", "Root=1-abc-def", "^Self=" + id + ";Root=1-abc-def$"},
		{"another's self is replaced", "Self=1-x-y;Root=1-abc-def;Calls=2", "^Self=" + id + ";Root=1-abc-def;Calls=2$"},
		{"a long one is written anew", "Root=1-abc-def;x=" + strings.Repeat("y", 8000), "^Root=" + id + "$"},
	} {
		t.Run(row.why, func(t *testing.T) {
			t.Parallel()
			if got := w.trace(row.before); !regexp.MustCompile(row.want).MatchString(got) {
				t.Errorf("trace %q, want %s", got, row.want)
			}
		})
	}
}

func TestTargetHost(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		why, host string
		port      int
		preserve  bool
		want      string
	}{
		{"a standard port strips any port", "a.test:8080", 80, false, "a.test"},
		{"a standard port strips the port of an IPv6 address", "[::1]:8080", 443, false, "[::1]"},
		{"an IPv6 address has no port by itself", "[::1]", 443, false, "[::1]"},
		{"another port is added", "a.test", 8080, false, "a.test:8080"},
		{"a port that is there stays", "a.test:1", 8080, false, "a.test:1"},
		{"preserved", "a.test:8080", 80, true, "a.test:8080"},
	} {
		t.Run(row.why, func(t *testing.T) {
			t.Parallel()
			x := exchange{front: &frontend{port: row.port, attributes: attributes{
				"routing.http.preserve_host_header.enabled": strconv.FormatBool(row.preserve),
			}}}
			if got := x.targetHost(row.host); got != row.want {
				t.Errorf("host %q, want %q", got, row.want)
			}
		})
	}
}

func TestInvalidHeadersAreDroppedOnDemand(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	b := newBackend(t, "", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.Header.Get("Under_score")) })
	w.group(groupARN, nil, b.address)
	at := w.listen("HTTP", always(forwardTo(groupARN)))
	ask := func() string {
		return send(t, client(t), "http://"+at, func(r *http.Request) { r.Header["Under_score"] = []string{"here"} }).body
	}
	if got := ask(); got != "here" {
		t.Errorf("by default the header passes, got %q", got)
	}
	w.config.LoadBalancers[0].Attributes["routing.http.drop_invalid_header_fields.enabled"] = "true"
	w.apply()
	if got := ask(); got != "" {
		t.Errorf("the header passed: %q", got)
	}
}

func TestResponseHeaders(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	w.group(groupARN, nil, rawBackend(t, "HTTP/1.1 200 OK\r\nServer: mine\r\nX-Frame-Options: ALLOWALL\r\nKeep-Alive: 5\r\n"))
	at := w.listen("HTTP", Rule{ARN: "fixed", Conditions: []elbtypes.RuleCondition{paths("/fixed")}, Actions: []elbtypes.Action{fixedAction("404", "no")}},
		always(forwardTo(groupARN)))
	got := get(t, "http://"+at)
	if got.Header.Get("Server") != "mine" || got.Header.Get("X-Frame-Options") != "ALLOWALL" || got.Header.Get("Keep-Alive") != "" {
		t.Errorf("a target's headers pass but for hop-by-hop ones: %v", got.Header)
	}
	if _, guessed := got.Header["Content-Type"]; guessed {
		t.Error("a content type was guessed")
	}
	if got.Header.Get("Date") == "" {
		t.Error("no date")
	}
	w.listener().Attributes = map[string]string{
		"routing.http.response.server.enabled":                             "false",
		"routing.http.response.x_frame_options.header_value":               "DENY",
		"routing.http.response.strict_transport_security.header_value":     "max-age=1",
		"routing.http.response.access_control_allow_origin.header_value":   "",
		"routing.http.response.access_control_expose_headers.header_value": "X-One",
	}
	w.apply()
	for _, path := range []string{"/", "/fixed"} {
		got := get(t, "http://"+at+path).Header
		want := http.Header{
			"X-Frame-Options": {"DENY"}, "Strict-Transport-Security": {"max-age=1"}, "Access-Control-Expose-Headers": {"X-One"},
			"Server": nil, "Access-Control-Allow-Origin": nil,
		}
		for name, values := range want {
			if diff := cmp.Diff(values, got[name]); diff != "" {
				t.Errorf("%s of %s (-want +got):\n%s", name, path, diff)
			}
		}
	}
}
