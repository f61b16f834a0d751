package dataplane

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/google/go-cmp/cmp"
)

// weighted forwards to the two groups of a test.
func weighted(one, two int32, sticky bool) elbtypes.Action {
	a := forwardTo(groupARN, groupTwoARN)
	a.ForwardConfig.TargetGroups[0].Weight = aws.Int32(one)
	a.ForwardConfig.TargetGroups[1].Weight = aws.Int32(two)
	if sticky {
		a.ForwardConfig.TargetGroupStickinessConfig = &elbtypes.TargetGroupStickinessConfig{Enabled: aws.Bool(true), DurationSeconds: aws.Int32(100)}
	}
	return a
}

func TestWeights(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		why      string
		one, two int32
		// least and most answers of the first group among 300.
		least, most int
	}{
		{"ten to twenty is a third", 10, 20, 97, 103},
		{"equal weights are halves", 1, 1, 148, 152},
		{"a weight of zero gets nothing", 0, 1, 0, 0},
	} {
		t.Run(row.why, func(t *testing.T) {
			t.Parallel()
			a, err := compileForward(weighted(row.one, row.two, false))
			if err != nil {
				t.Fatal(err)
			}
			f, ok := a.(*forward)
			if !ok {
				t.Fatalf("compiled to %T", a)
			}
			got := map[string]int{}
			for range 300 {
				got[f.next()]++
			}
			if got[groupARN] < row.least || got[groupARN] > row.most || got[groupARN]+got[groupTwoARN] != 300 {
				t.Errorf("shares %v, want the first between %d and %d", got, row.least, row.most)
			}
		})
	}
}

func TestWeightsDoNotFailOver(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	b := newBackend(t, "one", nil)
	w.group(groupARN, nil, b.address)
	w.group(groupTwoARN, nil)
	at := w.listen("HTTP", always(weighted(1, 1, false)))
	got := map[int]int{}
	for range 20 {
		got[get(t, "http://"+at).StatusCode]++
	}
	if got[http.StatusOK] < 9 || got[http.StatusServiceUnavailable] < 9 {
		t.Errorf("answers %v: the share of the empty group must be 503", got)
	}
	w.listener().Rules = []Rule{always(weighted(0, 0, false))}
	w.apply()
	if got := get(t, "http://"+at).StatusCode; got != http.StatusServiceUnavailable {
		t.Errorf("all weights zero: %d", got)
	}
}

// attributesOf reads a Set-Cookie header without its value.
func attributesOf(c *http.Cookie) string {
	plain := *c
	plain.Value = "v"
	return plain.String()
}

func TestGroupStickiness(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	clock := &manualClock{now: now}
	w := newWorld(t, Options{Now: clock.read, Speed: 1})
	w.group(groupARN, nil, newBackend(t, "one", nil).address)
	w.group(groupTwoARN, nil, newBackend(t, "two", nil).address)
	at := w.listen("HTTP", always(weighted(1, 1, true)))
	first := get(t, "http://"+at)
	want := []string{
		"AWSALBTG=v; Path=/; Expires=Fri, 09 Jan 2026 03:04:05 GMT",
		"AWSALBTGCORS=v; Path=/; Expires=Fri, 09 Jan 2026 03:04:05 GMT; Secure; SameSite=None",
	}
	var got []string
	for _, c := range first.Cookies() {
		got = append(got, attributesOf(c))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("cookies (-want +got):\n%s", diff)
	}
	ask := func() string {
		return send(t, client(t), "http://"+at, func(r *http.Request) { r.AddCookie(first.Cookies()[1]) }).body
	}
	for range 5 {
		if body := ask(); body != first.body {
			t.Fatalf("went to %q, stuck to %q", body, first.body)
		}
	}
	clock.advance(101 * time.Second)
	seen := map[string]bool{}
	for range 5 {
		seen[ask()] = true
	}
	if len(seen) != 2 {
		t.Error("the cookie is honoured beyond its duration")
	}
}

func TestTargetStickiness(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{Speed: 1})
	one, two := newBackend(t, "one", nil), newBackend(t, "two", nil)
	w.group(groupARN, func(g *TargetGroup) {
		g.Attributes["stickiness.enabled"] = "true"
		g.Attributes["stickiness.type"] = "lb_cookie"
	}, one.address, two.address)
	at := w.listen("HTTP", always(forwardTo(groupARN)))
	first := get(t, "http://"+at)
	if names := cookieNames(first); !cmp.Equal(names, []string{"AWSALB", "AWSALBCORS"}) {
		t.Fatalf("cookies %v", names)
	}
	ask := func() reply {
		return send(t, client(t), "http://"+at, func(r *http.Request) { r.AddCookie(first.Cookies()[0]) })
	}
	for range 4 {
		if got := ask(); got.body != first.body || len(got.Cookies()) != 2 {
			t.Fatalf("went to %q with %d cookies, stuck to %q", got.body, len(got.Cookies()), first.body)
		}
	}
	g := w.config.TargetGroups[groupARN]
	for i := range g.Targets {
		stuck := (one.address == fmt.Sprintf("%s:%d", g.Targets[i].ID, g.Targets[i].Port)) == (first.body == "one")
		g.Targets[i].Draining = stuck
	}
	w.apply()
	if got := ask(); got.body == first.body {
		t.Error("a draining target got a sticky request")
	}
}

func TestForgedCookiesAreIgnored(t *testing.T) {
	t.Parallel()
	s := newSeal()
	now := time.Unix(1000, 0)
	for _, row := range []struct{ why, value, want string }{
		{"its own", s.value(cookieTarget, "ref", now.Add(time.Second)), "ref"},
		{"that of another cookie", s.value(cookieGroup, "ref", now.Add(time.Second)), ""},
		{"one that ran out", s.value(cookieTarget, "ref", now), ""},
		{"of another server", newSeal().value(cookieTarget, "ref", now.Add(time.Second)), ""},
		{"rubbish", "rubbish", ""},
	} {
		t.Run(row.why, func(t *testing.T) {
			t.Parallel()
			if got := s.read(cookieTarget, row.value, now); got != row.want {
				t.Errorf("read %q, want %q", got, row.want)
			}
		})
	}
}

func TestApplicationStickiness(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{Speed: 1})
	app := func(name string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/login" {
				http.SetCookie(w, &http.Cookie{Name: "session", Value: "1"})
			}
			fmt.Fprint(w, name)
		}
	}
	w.group(groupARN, func(g *TargetGroup) {
		g.Attributes["stickiness.enabled"] = "true"
		g.Attributes["stickiness.type"] = "app_cookie"
		g.Attributes["stickiness.app_cookie.cookie_name"] = "session"
	}, newBackend(t, "", app("one")).address, newBackend(t, "", app("two")).address)
	at := w.listen("HTTP", always(forwardTo(groupARN)))
	if names := cookieNames(get(t, "http://"+at)); len(names) != 0 {
		t.Errorf("without the application's cookie there is none of ours, got %v", names)
	}
	login := get(t, "http://"+at+"/login")
	if names := cookieNames(login); !cmp.Equal(names, []string{"session", "AWSALBAPP-0"}) {
		t.Fatalf("cookies %v", names)
	}
	seen := map[bool]map[string]bool{true: {}, false: {}}
	for _, both := range []bool{true, true, true, true, false, false, false, false} {
		got := send(t, client(t), "http://"+at, func(r *http.Request) {
			r.AddCookie(login.Cookies()[1])
			if both {
				r.AddCookie(login.Cookies()[0])
			}
		})
		seen[both][got.body] = true
	}
	if len(seen[true]) != 1 || !seen[true][login.body] {
		t.Errorf("with both cookies: %v, logged in at %s", seen[true], login.body)
	}
	if len(seen[false]) != 2 {
		t.Errorf("with one cookie only: %v, want no stickiness", seen[false])
	}
}

func cookieNames(r reply) []string {
	var names []string
	for _, c := range r.Cookies() {
		names = append(names, c.Name)
	}
	return names
}

func TestAlgorithms(t *testing.T) {
	t.Parallel()
	g := &group{}
	targets := []*target{{key: targetKey{"a", 1}}, {key: targetKey{"b", 1}}, {key: targetKey{"c", 1}}}
	count := func(algorithm string, n int) map[string]int {
		got := map[string]int{}
		for range n {
			got[g.pick(targets, algorithm).key.id]++
		}
		return got
	}
	if diff := cmp.Diff(map[string]int{"a": 10, "b": 10, "c": 10}, count(roundRobin, 30)); diff != "" {
		t.Errorf("round robin (-want +got):\n%s", diff)
	}
	if got := count(weightedRandom, 300); len(got) != 3 {
		t.Errorf("random leaves targets out: %v", got)
	}
	targets[0].outstanding.Store(2)
	targets[2].outstanding.Store(1)
	if diff := cmp.Diff(map[string]int{"b": 30}, count(leastOutstanding, 30)); diff != "" {
		t.Errorf("least outstanding (-want +got):\n%s", diff)
	}
	if g.pick(nil, roundRobin) != nil {
		t.Error("picked from nothing")
	}
}

func TestTransforms(t *testing.T) {
	t.Parallel()
	rewrites := func(regex, replace string) []elbtypes.RewriteConfig {
		return []elbtypes.RewriteConfig{{Regex: aws.String(regex), Replace: aws.String(replace)}}
	}
	target := func(regex, replace string) elbtypes.RuleTransform {
		return elbtypes.RuleTransform{
			Type: elbtypes.TransformTypeEnumUrlRewrite, UrlRewriteConfig: &elbtypes.UrlRewriteConfig{Rewrites: rewrites(regex, replace)},
		}
	}
	host := func(regex, replace string) elbtypes.RuleTransform {
		return elbtypes.RuleTransform{
			Type:                    elbtypes.TransformTypeEnumHostHeaderRewrite,
			HostHeaderRewriteConfig: &elbtypes.HostHeaderRewriteConfig{Rewrites: rewrites(regex, replace)},
		}
	}
	for _, row := range []struct {
		why        string
		transforms []elbtypes.RuleTransform
		want       string
	}{
		{"a prefix is cut", []elbtypes.RuleTransform{target("^/api/(.*)$", "/$1")}, "200 a.test /v1/x?q=1"},
		{"a group next to letters", []elbtypes.RuleTransform{target("^/api/v(1)", "/v$10x$1st")}, "200 a.test /vx1st/x?q=1"},
		{"the query is part of it", []elbtypes.RuleTransform{target(`\?q=(.*)$`, "?p=$1&new")}, "200 a.test /api/v1/x?p=1&new"},
		{"only the first match is replaced", []elbtypes.RuleTransform{target("/", "/z/")}, "200 a.test /z/api/v1/x?q=1"},
		{"no match changes nothing", []elbtypes.RuleTransform{target("^/none", "/x")}, "200 a.test /api/v1/x?q=1"},
		{"a dollar sign that names no group stays", []elbtypes.RuleTransform{target("^/api", "/$")}, "200 a.test /$/v1/x?q=1"},
		{"the host", []elbtypes.RuleTransform{host(`^a\.(.*)$`, "internal.$1")}, "200 internal.test /api/v1/x?q=1"},
		{"both", []elbtypes.RuleTransform{host("a", "b"), target("/api", "")}, "200 b.test /v1/x?q=1"},
		{"a result that is no path", []elbtypes.RuleTransform{target("^/api/", "")}, "500"},
		{"a host that is none", []elbtypes.RuleTransform{host("a", "b/")}, "500"},
	} {
		t.Run(row.why, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, Options{})
			w.config.LoadBalancers[0].Attributes["routing.http.preserve_host_header.enabled"] = "true"
			b := newBackend(t, "", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.Host+" "+r.RequestURI) })
			w.group(groupARN, nil, b.address)
			rule := always(forwardTo(groupARN))
			rule.Transforms = row.transforms
			at := w.listen("HTTP", rule)
			got := send(t, client(t), "http://"+at+"/api/v1/x?q=1", func(r *http.Request) { r.Host = "a.test" })
			if text := fmt.Sprintf("%d %s", got.StatusCode, got.body); text != row.want && !strings.HasPrefix(text, row.want+" <html>") {
				t.Errorf("the target saw %q, want %q", text, row.want)
			}
		})
	}
}

func TestBrokenTransformRefuses(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	w.group(groupARN, nil, newBackend(t, "one", nil).address)
	rule := always(forwardTo(groupARN))
	rule.Transforms = []elbtypes.RuleTransform{{Type: elbtypes.TransformTypeEnumUrlRewrite}}
	at := w.listen("HTTP")
	w.listener().Rules = []Rule{rule}
	if err := w.update(); err == nil {
		t.Error("no error")
	}
	if got := get(t, "http://"+at).StatusCode; got != http.StatusInternalServerError {
		t.Errorf("status %d", got)
	}
}

func TestTargetFailures(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		why    string
		target func(*testing.T) string
		idle   string
		want   int
	}{
		{"nobody listens", func(t *testing.T) string { t.Helper(); return fmt.Sprintf("127.0.0.1:%d", freePort(t)) }, "60", http.StatusBadGateway},
		{"not a loopback address", func(*testing.T) string { return "192.0.2.1:80" }, "60", http.StatusBadGateway},
		{"the connection is closed instead of an answer", func(t *testing.T) string {
			t.Helper()
			return newBackend(t, "", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }).address
		}, "60", http.StatusBadGateway},
		{"the answer is no HTTP", func(t *testing.T) string { t.Helper(); return rawBackend(t, "HELLO\r\n") }, "60", http.StatusBadGateway},
		{"headers of more than 32 KB", func(t *testing.T) string {
			t.Helper()
			return newBackend(t, "", func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X", strings.Repeat("x", 40<<10)) }).address
		}, "60", http.StatusBadGateway},
		{"no answer before the idle timeout", func(t *testing.T) string {
			t.Helper()
			return newBackend(t, "", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }).address
		}, "1", http.StatusGatewayTimeout},
	} {
		t.Run(row.why, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, Options{})
			w.config.LoadBalancers[0].Attributes["idle_timeout.timeout_seconds"] = row.idle
			w.group(groupARN, nil, row.target(t))
			at := w.listen("HTTP", always(forwardTo(groupARN)))
			got := get(t, "http://"+at)
			if got.StatusCode != row.want || got.Header.Get("Server") != serverName {
				t.Errorf("status %d of %q, want %d of ours", got.StatusCode, got.Header.Get("Server"), row.want)
			}
		})
	}
}

func TestAResponseThatBreaksOffDoesNotLookWhole(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	b := newBackend(t, "", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, "half")
		if err := http.NewResponseController(w).Flush(); err != nil {
			panic(err)
		}
		panic(http.ErrAbortHandler)
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
	if _, err := res.Body.Read(make([]byte, 4)); err != nil {
		t.Fatal(err)
	}
	if _, err := res.Body.Read(make([]byte, 4)); err == nil || err.Error() == "EOF" {
		t.Errorf("the end of the body is %v, want an error", err)
	}
}

func TestInFlightRequestsEndWithTheDeregistrationDelay(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	asked := make(chan struct{})
	b := newBackend(t, "", func(_ http.ResponseWriter, r *http.Request) {
		close(asked)
		<-r.Context().Done()
	})
	w.group(groupARN, nil, b.address)
	at := w.listen("HTTP", always(forwardTo(groupARN)))
	status := make(chan int)
	go func() { status <- get(t, "http://"+at).StatusCode }()
	<-asked
	w.config.TargetGroups[groupARN].Targets[0].Draining = true
	w.apply()
	if got := get(t, "http://"+at).StatusCode; got != http.StatusServiceUnavailable {
		t.Errorf("a group that only drains answers %d", got)
	}
	select {
	case got := <-status:
		t.Fatalf("the request in flight ended with %d while draining", got)
	default:
	}
	w.group(groupARN, nil)
	w.apply()
	if got := <-status; got != http.StatusBadGateway {
		t.Errorf("the request in flight ended with %d", got)
	}
}

func TestAClientThatLeavesCancelsTheTarget(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	asked, left := make(chan struct{}), make(chan struct{})
	b := newBackend(t, "", func(_ http.ResponseWriter, r *http.Request) {
		close(asked)
		<-r.Context().Done()
		close(left)
	})
	w.group(groupARN, nil, b.address)
	at := w.listen("HTTP", always(forwardTo(groupARN)))
	ctx, cancel := context.WithCancel(t.Context())
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+at, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		<-asked
		cancel()
	}()
	res, err := client(t).Do(r)
	if err == nil {
		closeBody(res.Body)
	}
	var failed *url.Error
	if !errors.As(err, &failed) {
		t.Errorf("the client got %v", err)
	}
	<-left
}
