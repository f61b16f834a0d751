package dataplane

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

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
