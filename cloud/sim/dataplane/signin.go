package dataplane

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// refused is why a sign-in does not come to an end: the answer to the client and the word for the log.
type refused struct {
	status int
	why    string
}

func (r refused) Error() string { return r.why }

// callback takes a client back from its identity provider.
type callback struct{}

func (callback) serve(x *exchange) {
	x.did("authenticate")
	err := x.finishSignIn()
	if err == nil {
		return
	}
	var r refused
	if !errors.As(err, &r) {
		x.server.log.WarnContext(x.request.Context(), "signing in", "listener", x.front.arn, "error", err)
		r = refused{http.StatusInternalServerError, "AuthUnhandledException"}
	}
	x.deny(r.status, r.why)
}

func (x *exchange) finishSignIn() error {
	q, err := url.ParseQuery(x.query)
	if err != nil || q.Get("state") == "" {
		return refused{http.StatusUnauthorized, "AuthMissingStateParam"}
	}
	parts := strings.SplitN(x.server.seal.read(statePurpose, q.Get("state"), x.server.now()), "\n", 3)
	p := x.front.providers[parts[0]]
	if p == nil {
		return refused{http.StatusUnauthorized, "AuthInvalidStateParam"}
	}
	nonce, err := x.request.Cookie(nonceCookie)
	switch {
	case err != nil:
		return refused{http.StatusUnauthorized, "AuthMissingAWSALBAuthNonce"}
	case nonce.Value != parts[1]:
		return refused{http.StatusUnauthorized, "AuthInvalidAWSALBAuthNonce"}
	case q.Get("error") != "":
		return refused{statusProviderRefused, "AuthInvalidGrantError"}
	case q.Get("code") == "":
		return refused{http.StatusUnauthorized, "AuthMissingCodeParam"}
	}
	s, err := p.fetch(x, url.Values{"grant_type": {"authorization_code"}, "code": {q.Get("code")}, "redirect_uri": {x.callback()}})
	if err != nil {
		return err
	}
	s.Until = x.server.now().Add(x.server.scaled(p.timeout))
	if !p.keep(x, &s) {
		return refused{http.StatusInternalServerError, "AuthUserinfoResponseSizeExceeded"}
	}
	x.redirect(parts[2])
	return nil
}

// renew gets new claims with the refresh token of a session whose access token is over. The session ends when it did before.
func (p *provider) renew(x *exchange, s *session) bool {
	fresh, err := p.fetch(x, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {s.Refresh}})
	if err != nil {
		x.server.log.InfoContext(x.request.Context(), "renewing a session", "listener", x.front.arn, "error", err)
		return false
	}
	if fresh.Refresh == "" {
		fresh.Refresh = s.Refresh
	}
	fresh.Until = s.Until
	*s = fresh
	return p.keep(x, s)
}

// tokens is what a token endpoint gives.
type tokens struct {
	Access  string `json:"access_token"`
	ID      string `json:"id_token"`
	Refresh string `json:"refresh_token"`
	Seconds int    `json:"expires_in"`
	Error   string `json:"error"`
}

// fetch gets tokens, and the claims of the user with them.
func (p *provider) fetch(x *exchange, form url.Values) (session, error) {
	t, err := p.exchange(x, form)
	if err != nil {
		return session{}, err
	}
	subject := ""
	if t.ID != "" || form.Get("grant_type") == "authorization_code" {
		if subject, err = p.subject(t.ID, x.server.now()); err != nil {
			return session{}, err
		}
	}
	claims, err := p.claims(x, t.Access)
	if err != nil {
		return session{}, err
	}
	var who struct {
		Subject string `json:"sub"`
	}
	if json.Unmarshal(claims, &who) != nil || who.Subject == "" || subject != "" && who.Subject != subject {
		return session{}, refused{statusProviderRefused, "AuthInvalidUserinfoResponse"}
	}
	life := time.Duration(t.Seconds) * time.Second
	return session{Subject: who.Subject, Claims: claims, Access: t.Access, Refresh: t.Refresh, Renew: x.server.now().Add(x.server.scaled(life))}, nil
}

func (p *provider) exchange(x *exchange, form url.Values) (tokens, error) {
	form.Set("client_id", p.client)
	form.Set("client_secret", p.secret)
	r, err := http.NewRequestWithContext(x.request.Context(), http.MethodPost, p.tokenURL, strings.NewReader(form.Encode()))
	if err != nil {
		return tokens{}, fmt.Errorf("token endpoint: %w", err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	status, body, err := x.server.ask(r)
	if err != nil {
		x.server.log.WarnContext(x.request.Context(), "token endpoint", "error", err)
		return tokens{}, refused{http.StatusInternalServerError, "AuthTokenEpRequestTimeout"}
	}
	var t tokens
	err = json.Unmarshal(body, &t)
	switch {
	case t.Error == "invalid_grant":
		return tokens{}, refused{statusProviderRefused, "AuthInvalidGrantError"}
	case status < 200 || status > 299:
		return tokens{}, refused{statusProviderRefused, "AuthTokenEpRequestFailed"}
	case err != nil || t.Access == "":
		return tokens{}, refused{statusProviderRefused, "AuthInvalidTokenResponse"}
	default:
		return t, nil
	}
}

// subject checks what an ID token says. Its signature is not checked: it came from the provider itself, and the action names no key set.
func (p *provider) subject(text string, now time.Time) (string, error) {
	t, err := parseToken(text)
	if err != nil {
		return "", refused{statusProviderRefused, "AuthInvalidIdToken"}
	}
	audience := append(t.list("aud"), t.text("aud"))
	if t.text("iss") != p.issuer || !slices.Contains(audience, p.client) || t.text("sub") == "" || t.current(now) != nil {
		return "", refused{statusProviderRefused, "AuthInvalidIdToken"}
	}
	return t.text("sub"), nil
}

func (p *provider) claims(x *exchange, access string) ([]byte, error) {
	r, err := http.NewRequestWithContext(x.request.Context(), http.MethodGet, p.userURL, http.NoBody)
	if err != nil {
		return nil, fmt.Errorf("user info endpoint: %w", err)
	}
	r.Header.Set("Authorization", "Bearer "+access)
	status, body, err := x.server.ask(r)
	if err != nil {
		x.server.log.WarnContext(x.request.Context(), "user info endpoint", "error", err)
		return nil, refused{http.StatusInternalServerError, "AuthUserinfoEpRequestTimeout"}
	}
	if status < 200 || status > 299 {
		return nil, refused{statusProviderRefused, "AuthUserinfoEpRequestFailed"}
	}
	return body, nil
}
