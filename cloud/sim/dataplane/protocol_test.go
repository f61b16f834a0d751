package dataplane

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// clearBackend is a target that speaks HTTP/2 in clear only.
func clearBackend(tb testing.TB, handler http.HandlerFunc) string {
	tb.Helper()
	server := quietServer(handler)
	server.Config.Protocols = new(http.Protocols)
	server.Config.Protocols.SetUnencryptedHTTP2(true)
	server.Start()
	tb.Cleanup(server.Close)
	return server.Listener.Addr().String()
}

func speaking(version string) func(*TargetGroup) {
	return func(g *TargetGroup) { g.Settings.ProtocolVersion = aws.String(version) }
}

func TestProtocolMatrix(t *testing.T) {
	t.Parallel()
	show := func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.Proto) }
	w := newWorld(t, Options{})
	w.group("group/HTTP1", nil, newBackend(t, "", show).address)
	second := clearBackend(t, show)
	w.group("group/HTTP2", speaking(versionHTTP2), second)
	w.group("group/GRPC", speaking(versionGRPC), second)
	var rules []Rule
	for _, version := range []string{versionHTTP1, versionHTTP2, versionGRPC} {
		rules = append(rules, Rule{
			ARN: version, Conditions: []elbtypes.RuleCondition{paths("/" + version)}, Actions: []elbtypes.Action{forwardTo("group/" + version)},
		})
	}
	at := w.listen("HTTPS", rules...)
	w.secure("", selfSigned(t, curve(t), "x"))
	for _, row := range []struct {
		why, method, client, contentType, version, want string
	}{
		{"1.1 to 1.1", "GET", "http/1.1", "", versionHTTP1, "200 HTTP/1.1"},
		{"2 to 1.1", "GET", "h2", "", versionHTTP1, "200 HTTP/1.1"},
		{"gRPC to 1.1", "POST", "h2", "application/grpc", versionHTTP1, "464"},
		{"1.1 to 2", "GET", "http/1.1", "", versionHTTP2, "464"},
		{"2 to 2", "GET", "h2", "", versionHTTP2, "200 HTTP/2.0"},
		{"gRPC to 2", "POST", "h2", "application/grpc+proto", versionHTTP2, "200 HTTP/2.0"},
		{"1.1 to gRPC", "POST", "http/1.1", "", versionGRPC, "464"},
		{"2 to gRPC with GET", "GET", "h2", "", versionGRPC, "464"},
		{"2 to gRPC with POST", "POST", "h2", "", versionGRPC, "200 HTTP/2.0"},
		{"gRPC to gRPC", "POST", "h2", "application/grpc", versionGRPC, "200 HTTP/2.0"},
	} {
		t.Run(row.why, func(t *testing.T) {
			t.Parallel()
			got := send(t, client(t, row.client), "https://"+at+"/"+row.version, func(r *http.Request) {
				r.Method = row.method
				if row.contentType != "" {
					r.Header.Set("Content-Type", row.contentType)
				}
			})
			if text := fmt.Sprint(got.StatusCode, " ", got.body); !strings.HasPrefix(text, row.want) {
				t.Errorf("got %q, want %q", text, row.want)
			}
		})
	}
}

func TestBodiesAndTrailersPass(t *testing.T) {
	t.Parallel()
	echo := func(w http.ResponseWriter, r *http.Request) {
		if err := http.NewResponseController(w).EnableFullDuplex(); err != nil {
			panic(err)
		}
		w.Header().Set("Trailer", "X-Said")
		if _, err := io.Copy(w, r.Body); err != nil {
			panic(err)
		}
		w.Header().Set("X-Said", r.Trailer.Get("X-Asked"))
		w.Header().Set(http.TrailerPrefix+"X-Unsaid", "late")
	}
	w := newWorld(t, Options{})
	w.group("group/HTTP1", nil, newBackend(t, "", echo).address)
	w.group("group/HTTP2", speaking(versionHTTP2), clearBackend(t, echo))
	at := w.listen("HTTPS",
		Rule{ARN: "1", Conditions: []elbtypes.RuleCondition{paths("/1")}, Actions: []elbtypes.Action{forwardTo("group/HTTP1")}},
		Rule{ARN: "2", Conditions: []elbtypes.RuleCondition{paths("/2")}, Actions: []elbtypes.Action{forwardTo("group/HTTP2")}},
	)
	w.secure("", selfSigned(t, curve(t), "x"))
	large := bytes.Repeat([]byte("0123456789abcdef"), 1<<14)
	for _, row := range []struct{ why, client, path string }{
		{"1.1 to 1.1", "http/1.1", "/1"},
		{"2 to 1.1", "h2", "/1"},
		{"2 to 2", "h2", "/2"},
	} {
		t.Run(row.why, func(t *testing.T) {
			t.Parallel()
			got := send(t, client(t, row.client), "https://"+at+row.path, func(r *http.Request) {
				r.Method, r.ContentLength = http.MethodPost, -1
				r.Body = io.NopCloser(bytes.NewReader(large))
				r.Trailer = http.Header{"X-Asked": {"yes"}}
			})
			if got.body != string(large) {
				t.Errorf("%d bytes came back of %d", len(got.body), len(large))
			}
			if got.Trailer.Get("X-Said") != "yes" || got.Trailer.Get("X-Unsaid") != "late" {
				t.Errorf("trailers %v", got.Trailer)
			}
		})
	}
}

func TestStreamsPassAsTheyCome(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	more := make(chan struct{})
	b := newBackend(t, "", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for range 2 {
			fmt.Fprint(w, "data\n")
			if err := http.NewResponseController(w).Flush(); err != nil {
				panic(err)
			}
			<-more
		}
	})
	w.group(groupARN, nil, b.address)
	at := w.listen("HTTP", always(forwardTo(groupARN)))
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+at, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	res, err := client(t).Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer closeBody(res.Body)
	for range 2 {
		if _, err := io.ReadFull(res.Body, make([]byte, 5)); err != nil {
			t.Fatal(err)
		}
		more <- struct{}{}
	}
}
