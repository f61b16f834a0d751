package idp

import (
	"crypto/subtle"
	"fmt"
	"html"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// callback is the path at which load balancers take codes.
const callback = "/oauth2/idpresponse"

// authorize signs a user in: the lone one, the one that the parameter user names, or the one that is chosen on a page.
func (p *Provider) authorize(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	back, err := url.Parse(q.Get("redirect_uri"))
	if _, ok := p.options.Clients[q.Get("client_id")]; !ok || err != nil || back.Scheme != "https" || back.Path != callback {
		http.Error(w, "unknown client, or redirect_mismatch", http.StatusBadRequest)
		return
	}
	answer := url.Values{"state": q["state"]}
	user := p.chosen(q.Get("user"))
	switch {
	case q.Get("response_type") != "code":
		answer.Set("error", "unsupported_response_type")
	case !slices.Contains(strings.Fields(q.Get("scope")), "openid"):
		answer.Set("error", "invalid_scope")
	case q.Get("user") == "" && user == "":
		p.ask(w, r)
		return
	case user == "":
		answer.Set("error", "access_denied")
	default:
		answer.Set("code", p.grant(grant{
			kind: codeGrant, client: q.Get("client_id"), redirect: q.Get("redirect_uri"), user: user, scope: q.Get("scope"),
		}, codeLife))
	}
	back.RawQuery = answer.Encode()
	w.Header().Set("Location", back.String())
	w.WriteHeader(http.StatusFound)
}

func (p *Provider) chosen(name string) string {
	if _, ok := p.options.Users[name]; ok {
		return name
	}
	if name == "" && len(p.options.Users) == 1 {
		return slices.Collect(maps.Keys(p.options.Users))[0]
	}
	return ""
}

// ask shows a page to choose a user on.
func (p *Provider) ask(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	fmt.Fprint(w, "<html><body><h1>Sign in</h1>")
	for _, name := range slices.Sorted(maps.Keys(p.options.Users)) {
		q := r.URL.Query()
		q.Set("user", name)
		fmt.Fprintf(w, "<p><a href=%q>%s</a></p>", html.EscapeString(r.URL.Path+"?"+q.Encode()), html.EscapeString(name))
	}
	fmt.Fprint(w, "</body></html>")
}

// grant keeps a grant under a new name. Dead ones are thrown out when there are many.
func (p *Provider) grant(g grant, life time.Duration) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.options.Now()
	if len(p.grants) >= maxGrants {
		maps.DeleteFunc(p.grants, func(_ string, g grant) bool { return now.After(g.until) })
	}
	g.until = now.Add(life)
	name := random()
	p.grants[name] = g
	return name
}

// claim gives a grant that is still good. A code is good once.
func (p *Provider) claim(name string, kind grantKind) (grant, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	g, ok := p.grants[name]
	if !ok || g.kind != kind || p.options.Now().After(g.until) {
		return grant{}, false
	}
	if kind == codeGrant {
		delete(p.grants, name)
	}
	return g, true
}

func (p *Provider) token(w http.ResponseWriter, r *http.Request) {
	client, ok := p.client(r)
	if !ok {
		write(w, http.StatusUnauthorized, map[string]string{"error": "invalid_client"})
		return
	}
	g := grant{client: client}
	switch r.PostFormValue("grant_type") {
	case "client_credentials":
		p.bare(w, g)
		return
	case "authorization_code":
		g, ok = p.claim(r.PostFormValue("code"), codeGrant)
		ok = ok && g.redirect == r.PostFormValue("redirect_uri")
	case "refresh_token":
		g, ok = p.claim(r.PostFormValue("refresh_token"), refreshGrant)
	default:
		write(w, http.StatusBadRequest, map[string]string{"error": "unsupported_grant_type"})
		return
	}
	if !ok || g.client != client {
		write(w, http.StatusBadRequest, map[string]string{"error": "invalid_grant"})
		return
	}
	p.hand(w, g)
}

// client reads who asks, from the Authorization header or the form.
func (p *Provider) client(r *http.Request) (string, bool) {
	id, secret, ok := r.BasicAuth()
	if !ok {
		id, secret = r.PostFormValue("client_id"), r.PostFormValue("client_secret")
	}
	want, known := p.options.Clients[id]
	return id, known && subtle.ConstantTimeCompare([]byte(secret), []byte(want)) == 1
}

// bare gives a client a token of its own, a signed one.
func (p *Provider) bare(w http.ResponseWriter, g grant) {
	signed, err := p.Sign(map[string]any{"sub": g.client, "client_id": g.client})
	if err != nil {
		write(w, http.StatusInternalServerError, map[string]string{"error": "server_error"})
		return
	}
	write(w, http.StatusOK, map[string]any{"access_token": signed, "token_type": "Bearer", "expires_in": int(p.options.Life.Seconds())})
}

// hand gives tokens for a user.
func (p *Provider) hand(w http.ResponseWriter, g grant) {
	signed, err := p.Sign(map[string]any{"sub": p.claims(g.user)["sub"], "aud": g.client})
	if err != nil {
		write(w, http.StatusInternalServerError, map[string]string{"error": "server_error"})
		return
	}
	out := map[string]any{"id_token": signed, "token_type": "Bearer", "expires_in": int(p.options.Life.Seconds())}
	g.kind = accessGrant
	out["access_token"] = p.grant(g, p.options.Life)
	if slices.Contains(strings.Fields(g.scope), "offline_access") {
		g.kind = refreshGrant
		out["refresh_token"] = p.grant(g, refreshLife)
	}
	write(w, http.StatusOK, out)
}

func (p *Provider) userInfo(w http.ResponseWriter, r *http.Request) {
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	g, ok := p.claim(token, accessGrant)
	if !ok {
		write(w, http.StatusUnauthorized, map[string]string{"error": "invalid_token"})
		return
	}
	write(w, http.StatusOK, p.claims(g.user))
}

func (p *Provider) claims(user string) map[string]any {
	all := map[string]any{"sub": user}
	maps.Copy(all, p.options.Users[user])
	return all
}
