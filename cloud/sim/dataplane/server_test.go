package dataplane

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptrace"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

func TestAnUpdateKeepsConnections(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	at := w.listen("HTTP", always(fixedAction("200", "old")))
	c := client(t)
	reused := false
	ask := func() string {
		return send(t, c, "http://"+at, func(r *http.Request) {
			*r = *r.WithContext(httptrace.WithClientTrace(r.Context(), &httptrace.ClientTrace{
				GotConn: func(i httptrace.GotConnInfo) { reused = i.Reused },
			}))
		}).body
	}
	if got := ask(); got != "old" {
		t.Fatalf("got %q", got)
	}
	w.listener().Rules = []Rule{always(fixedAction("200", "new"))}
	w.apply()
	if got := ask(); got != "new" || !reused {
		t.Errorf("got %q, connection reused: %t", got, reused)
	}
}

func TestListenersComeAndGo(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	one := w.listen("HTTP", always(fixedAction("200", "one")))
	two := w.listen("HTTP", always(fixedAction("200", "two")))
	if got := get(t, "http://"+one).body + get(t, "http://"+two).body; got != "onetwo" {
		t.Errorf("got %q", got)
	}
	lb := &w.config.LoadBalancers[0]
	lb.Listeners = lb.Listeners[1:]
	w.apply()
	var d net.Dialer
	if conn, err := d.DialContext(t.Context(), "tcp", one); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("a removed listener gives %v, %v", conn, err)
	}
	if got := get(t, "http://"+two).body; got != "two" {
		t.Errorf("got %q", got)
	}
}

func TestARemovedListenerFinishesWhatItBegan(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	asked, answer := make(chan struct{}), make(chan struct{})
	b := newBackend(t, "", func(w http.ResponseWriter, _ *http.Request) {
		close(asked)
		<-answer
		fmt.Fprint(w, "done")
	})
	w.group(groupARN, nil, b.address)
	at := w.listen("HTTP", always(forwardTo(groupARN)))
	body := make(chan string)
	go func() { body <- get(t, "http://"+at).body }()
	<-asked
	w.config.LoadBalancers = nil
	w.apply()
	close(answer)
	if got := <-body; got != "done" {
		t.Errorf("got %q", got)
	}
}

func TestAListenerChangesItsProtocol(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	at := w.listen("HTTP", always(fixedAction("200", "hello")))
	if got := get(t, "http://"+at).body; got != "hello" {
		t.Fatalf("got %q", got)
	}
	w.listener().Protocol = "HTTPS"
	w.secure("", selfSigned(t, curve(t), "x"))
	if got := get(t, "https://"+at).body; got != "hello" {
		t.Errorf("got %q", got)
	}
	if got := get(t, "http://"+at).StatusCode; got != http.StatusBadRequest {
		t.Errorf("HTTP to an HTTPS port gives %d", got)
	}
}

func TestABindErrorDoesNotHoldUpTheRest(t *testing.T) {
	t.Parallel()
	var c net.ListenConfig
	taken, err := c.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer closeBody(taken)
	w := newWorld(t, Options{})
	w.listen("HTTPS", always(fixedAction("200", ""))) // has no certificate
	address, ok := taken.Addr().(*net.TCPAddr)
	if !ok {
		t.Fatal("no TCP address")
	}
	lb := &w.config.LoadBalancers[0]
	lb.Listeners = append(lb.Listeners,
		Listener{ARN: "listener/taken", Port: address.Port, Protocol: "HTTP", Rules: []Rule{always(fixedAction("200", "at last"))}},
		Listener{ARN: "listener/none", Port: 70000, Protocol: "HTTP"},
	)
	port := freePort(t)
	lb.Listeners = append(lb.Listeners, Listener{ARN: "listener/fine", Port: port, Protocol: "HTTP", Rules: []Rule{always(fixedAction("200", "fine"))}})
	err = w.update()
	for _, want := range []error{syscall.EADDRINUSE, errPort, errNoCertificate} {
		if !errors.Is(err, want) {
			t.Errorf("error %v does not say %v", err, want)
		}
	}
	if err == nil || !strings.Contains(err.Error(), "listener/taken") {
		t.Errorf("error %v does not name the listener", err)
	}
	if got := get(t, fmt.Sprintf("http://127.0.0.1:%d", port)).body; got != "fine" {
		t.Errorf("got %q", got)
	}
	closeBody(taken)
	lb.Listeners = lb.Listeners[1:2]
	w.apply()
	if got := get(t, "http://"+address.String()).body; got != "at last" {
		t.Errorf("once the port is free: %q", got)
	}
}

func TestPortOffset(t *testing.T) {
	t.Parallel()
	port := freePort(t)
	w := newWorld(t, Options{PortOffset: port - 80})
	b := newBackend(t, "", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, r.Host, " ", r.Header.Get("X-Forwarded-Port"))
	})
	w.group(groupARN, nil, b.address)
	lb := &w.config.LoadBalancers[0]
	lb.Listeners = []Listener{{ARN: "listener", Port: 80, Protocol: "HTTP", Rules: []Rule{
		{ARN: "host", Conditions: []elbtypes.RuleCondition{hosts("shop.test")}, Actions: []elbtypes.Action{forwardTo(groupARN)}},
		always(redirectTo(elbtypes.RedirectActionConfig{})),
	}}}
	w.apply()
	url := fmt.Sprintf("http://127.0.0.1:%d/x", port)
	for _, row := range []struct{ why, host, want string }{
		{"the offset port in the Host header is the listener's", fmt.Sprintf("shop.test:%d", port), "shop.test 80"},
		{"a host without port", "shop.test", "shop.test 80"},
	} {
		if got := send(t, client(t), url, func(r *http.Request) { r.Host = row.host }).body; got != row.want {
			t.Errorf("%s: %q, want %q", row.why, got, row.want)
		}
	}
	got := send(t, client(t), url, func(r *http.Request) { r.Host = "shop.test:81" })
	if want := "http://shop.test:80/x"; got.Header.Get("Location") != want {
		t.Errorf("Location %q, want %q", got.Header.Get("Location"), want)
	}
}

func TestAConnectionEndsWithItsLifetime(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{Speed: 1e9})
	w.config.LoadBalancers[0].Attributes["client_keep_alive.seconds"] = "60"
	at := w.listen("HTTP", always(fixedAction("200", "")))
	if got := get(t, "http://"+at); !got.Close {
		t.Errorf("the connection stays, headers %v", got.Header)
	}
}

func TestUpdateAfterClose(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := w.update(); !errors.Is(err, ErrClosed) {
		t.Errorf("error %v", err)
	}
}

// Not parallel: it looks at all goroutines.
func TestCloseLeavesNothingRunning(t *testing.T) {
	w := newWorld(t, Options{Speed: 500})
	hang := make(chan struct{}, 1)
	b := newBackend(t, "", func(_ http.ResponseWriter, r *http.Request) {
		hang <- struct{}{}
		<-r.Context().Done()
	})
	w.group(groupARN, nil, b.address, "127.0.0.1:1")
	plain := w.listen("HTTP", always(forwardTo(groupARN)))
	w.listener().Rules = []Rule{always(forwardTo(groupARN))}
	w.awaitThat(groupARN, func(h TargetHealth) bool { return h.State != elbtypes.TargetHealthStateEnumInitial })
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+plain, http.NoBody)
		if err != nil {
			return
		}
		if err := try(client(t), r); err == nil {
			t.Error("a request that nobody answered succeeded")
		}
	}()
	<-hang
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	<-ended
	stacks := ""
	for range 500 {
		if stacks = ours(); stacks == "" {
			return
		}
		time.Sleep(time.Millisecond) // connections of the transports end by themselves
	}
	t.Errorf("still running:\n%s", stacks)
}

// ours gives the goroutines that run code of the data plane, tests aside.
func ours() string {
	buffer := make([]byte, 1<<20)
	buffer = buffer[:runtime.Stack(buffer, true)]
	var found []string
	for stack := range strings.SplitSeq(string(buffer), "\n\n") {
		if strings.Contains(stack, "sim/dataplane.") && !strings.Contains(stack, "testing.") && !strings.Contains(stack, "_test.go") {
			found = append(found, stack)
		}
	}
	return strings.Join(found, "\n\n")
}
