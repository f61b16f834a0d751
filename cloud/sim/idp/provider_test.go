package idp_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/headgate/headgate/cloud/sim/idp"
)

const back = "https://app.test/oauth2/idpresponse"

type clock struct{ now time.Time }

func (c *clock) read() time.Time { return c.now }

func provider(t *testing.T, users ...string) (*idp.Provider, *clock) {
	t.Helper()
	c := &clock{time.Unix(1.7e9, 0)}
	o := idp.Options{
		Issuer: "https://idp.test", Clients: map[string]string{"web": "secret", "other": "other"}, Users: map[string]map[string]any{},
		Life: time.Minute, Now: c.read,
	}
	for _, name := range users {
		o.Users[name] = map[string]any{"email": name + "@test"}
	}
	p, err := idp.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return p, c
}

func authorize(p http.Handler, change func(url.Values)) (int, url.Values, string) {
	q := url.Values{"client_id": {"web"}, "redirect_uri": {back}, "response_type": {"code"}, "scope": {"openid offline_access"}, "state": {"s"}}
	if change != nil {
		change(q)
	}
	w := httptest.NewRecorder()
	p.ServeHTTP(w, httptest.NewRequestWithContext(context.Background(), http.MethodGet, "/oauth2/authorize?"+q.Encode(), http.NoBody))
	to, err := url.Parse(w.Header().Get("Location"))
	if err != nil {
		return w.Code, nil, ""
	}
	return w.Code, to.Query(), w.Body.String()
}

func post(p http.Handler, form url.Values) (int, map[string]any) {
	r := httptest.NewRequestWithContext(context.Background(), http.MethodPost, "/oauth2/token", strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	p.ServeHTTP(w, r)
	var out map[string]any
	_ = json.Unmarshal(w.Body.Bytes(), &out)
	return w.Code, out
}

func redeem(code string) url.Values {
	return url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {back}, "client_id": {"web"}, "client_secret": {"secret"}}
}

func userInfo(p http.Handler, token string) (int, map[string]any) {
	r := httptest.NewRequestWithContext(context.Background(), http.MethodGet, "/oauth2/userInfo", http.NoBody)
	r.Header.Set("Authorization", "Bearer "+token)
	w := httptest.NewRecorder()
	p.ServeHTTP(w, r)
	var out map[string]any
	_ = json.Unmarshal(w.Body.Bytes(), &out)
	return w.Code, out
}

func TestCodesBecomeTokens(t *testing.T) {
	t.Parallel()
	p, c := provider(t, "ada")
	_, q, _ := authorize(p, nil)
	if q.Get("state") != "s" {
		t.Errorf("came back with %v", q)
	}
	status, tokens := post(p, redeem(q.Get("code")))
	if status != http.StatusOK {
		t.Fatalf("status %d %v", status, tokens)
	}
	if status, _ := post(p, redeem(q.Get("code"))); status != http.StatusBadRequest {
		t.Errorf("a code for the second time: %d", status)
	}
	access, refresh := tokens["access_token"].(string), tokens["refresh_token"].(string)
	if status, claims := userInfo(p, access); status != http.StatusOK || claims["sub"] != "ada" || claims["email"] != "ada@test" {
		t.Errorf("user %d %v", status, claims)
	}
	c.now = c.now.Add(2 * time.Minute)
	if status, _ := userInfo(p, access); status != http.StatusUnauthorized {
		t.Errorf("a token that is over: %d", status)
	}
	if status, _ := userInfo(p, refresh); status != http.StatusUnauthorized {
		t.Errorf("a refresh token in its place: %d", status)
	}
	status, tokens = post(p, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {refresh}, "client_id": {"web"}, "client_secret": {"secret"}})
	if access, _ := tokens["access_token"].(string); status != http.StatusOK || access == "" {
		t.Errorf("refreshing: %d %v", status, tokens)
	}
}

func TestWhatIsRefused(t *testing.T) {
	t.Parallel()
	p, c := provider(t, "ada")
	for _, row := range []struct {
		why, name, value, want string
	}{
		{"another secret", "client_secret", "x", "invalid_client"},
		{"another client", "client_id", "other", "invalid_client"},
		{"another address", "redirect_uri", "https://else.test/oauth2/idpresponse", "invalid_grant"},
		{"another code", "code", "x", "invalid_grant"},
		{"another way", "grant_type", "password", "unsupported_grant_type"},
	} {
		_, q, _ := authorize(p, nil)
		form := redeem(q.Get("code"))
		form.Set(row.name, row.value)
		if status, out := post(p, form); status < 400 || out["error"] != row.want {
			t.Errorf("%s: %d %v, want %s", row.why, status, out, row.want)
		}
	}
	_, q, _ := authorize(p, nil)
	c.now = c.now.Add(time.Hour)
	if status, _ := post(p, redeem(q.Get("code"))); status != http.StatusBadRequest {
		t.Errorf("a code that is too old: %d", status)
	}
	for _, row := range []struct {
		why, name, value, fault string
		status                  int
	}{
		{"unknown client", "client_id", "x", "", 400},
		{"another path", "redirect_uri", "https://app.test/", "", 400},
		{"no openid", "scope", "email", "invalid_scope", 302},
		{"another flow", "response_type", "token", "unsupported_response_type", 302},
		{"an unknown user", "user", "eve", "access_denied", 302},
	} {
		status, q, _ := authorize(p, func(q url.Values) { q.Set(row.name, row.value) })
		if status != row.status || q.Get("error") != row.fault {
			t.Errorf("%s: %d %v, want %d %s", row.why, status, q, row.status, row.fault)
		}
	}
}

func TestSeveralUsersAreAsked(t *testing.T) {
	t.Parallel()
	p, _ := provider(t, "ada", "bob")
	status, _, body := authorize(p, nil)
	if status != http.StatusOK || !strings.Contains(body, "user=bob") {
		t.Errorf("status %d %s", status, body)
	}
	if _, q, _ := authorize(p, func(q url.Values) { q.Set("user", "bob") }); q.Get("code") == "" {
		t.Errorf("came back with %v", q)
	}
}
