package dataplane

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/headgate/headgate/cloud/sim/idp"
)

// identity is an identity provider with one client and one user.
type identity struct {
	*idp.Provider

	url string
	// asked counts its requests.
	asked atomic.Int64
}

func newIdentity(tb testing.TB, change func(*idp.Options)) *identity {
	tb.Helper()
	i := &identity{}
	server := quietServer(func(w http.ResponseWriter, r *http.Request) {
		i.asked.Add(1)
		i.ServeHTTP(w, r)
	})
	i.url = "https://" + server.Listener.Addr().String()
	o := idp.Options{Issuer: i.url, Clients: map[string]string{"headgate": "secret"}, Users: map[string]map[string]any{"ada": {"email": "ada@example.com"}}}
	if change != nil {
		change(&o)
	}
	made, err := idp.New(o)
	if err != nil {
		tb.Fatal(err)
	}
	i.Provider = made
	server.StartTLS()
	tb.Cleanup(server.Close)
	return i
}

// first sets the order of actions.
func first(actions ...elbtypes.Action) []elbtypes.Action {
	for i := range actions {
		actions[i].Order = aws.Int32(int32(i + 1))
	}
	return actions
}

func jwtAction(i *identity, claims ...elbtypes.JwtValidationActionAdditionalClaim) elbtypes.Action {
	return elbtypes.Action{Type: elbtypes.ActionTypeEnumJwtValidation, JwtValidationConfig: &elbtypes.JwtValidationActionConfig{
		Issuer: aws.String(i.url), JwksEndpoint: aws.String(i.url + "/jwks"), AdditionalClaims: claims,
	}}
}

// algorithm replaces the algorithm that a token names.
func algorithm(token, name string) string {
	parts := strings.Split(token, ".")
	text, _ := base64.RawURLEncoding.DecodeString(parts[0])
	text = bytes.Replace(text, []byte("RS256"), []byte(name), 1)
	return base64.RawURLEncoding.EncodeToString(text) + "." + parts[1] + "." + parts[2]
}

func TestTokens(t *testing.T) {
	t.Parallel()
	i, stranger := newIdentity(t, nil), newIdentity(t, nil)
	w := newWorld(t, Options{})
	b := newBackend(t, "", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.Header.Get("Authorization")) })
	w.group(groupARN, nil, b.address)
	at := w.listen("HTTP", always(first(jwtAction(i,
		elbtypes.JwtValidationActionAdditionalClaim{Name: aws.String("team"), Format: "single-string", Values: []string{"red"}},
		elbtypes.JwtValidationActionAdditionalClaim{Name: aws.String("scope"), Format: "space-separated-values", Values: []string{"read", "write"}},
		elbtypes.JwtValidationActionAdditionalClaim{Name: aws.String("aud"), Format: "string-array", Values: []string{"one"}},
	), forwardTo(groupARN))...))
	sign := func(by *identity, name string, value any) string {
		claims := map[string]any{"iss": i.url, "team": "red", "scope": "write read more", "aud": []string{"two", "one"}}
		if name != "" {
			claims[name] = value
		}
		token, err := by.Sign(claims)
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	good, past, future := sign(i, "", nil), time.Now().Add(-time.Minute).Unix(), time.Now().Add(time.Minute).Unix()
	for _, row := range []struct {
		why, header string
		want        int
	}{
		{"a good token", "Bearer " + good, 200},
		{"the scheme in other letters", "bearer " + good, 200},
		{"no token", "", 401},
		{"another scheme", "Basic " + good, 401},
		{"no token after all", "Bearer x", 401},
		{"signed by a stranger", "Bearer " + sign(stranger, "", nil), 401},
		{"not signed", "Bearer " + algorithm(good, "none"), 401},
		{"another algorithm", "Bearer " + algorithm(good, "RS512"), 401},
		{"another issuer", "Bearer " + sign(i, "iss", "https://else.test"), 401},
		{"past its time", "Bearer " + sign(i, "exp", past), 401},
		{"without end", "Bearer " + sign(i, "exp", nil), 401},
		{"an end that is no time", "Bearer " + sign(i, "exp", "tomorrow"), 401},
		{"not yet", "Bearer " + sign(i, "nbf", future), 401},
		{"issued in the future", "Bearer " + sign(i, "iat", future), 401},
		{"another team", "Bearer " + sign(i, "team", "blue"), 401},
		{"no team", "Bearer " + sign(i, "team", nil), 401},
		{"an array for a string", "Bearer " + sign(i, "team", []string{"red"}), 401},
		{"a scope is missing", "Bearer " + sign(i, "scope", "read"), 401},
		{"a string for an array", "Bearer " + sign(i, "aud", "one"), 401},
	} {
		t.Run(row.why, func(t *testing.T) {
			t.Parallel()
			got := send(t, client(t), "http://"+at, func(r *http.Request) {
				if row.header != "" {
					r.Header.Set("Authorization", row.header)
				}
			})
			if got.StatusCode != row.want || row.want == 200 && got.body != row.header || row.want != 200 && got.Header.Get("Server") != serverName {
				t.Errorf("status %d %q, want %d", got.StatusCode, got.body, row.want)
			}
		})
	}
}

func TestKeySetsAreKeptAndLimited(t *testing.T) {
	t.Parallel()
	clock := &manualClock{now: time.Now()}
	i := newIdentity(t, func(o *idp.Options) { o.Now = clock.read })
	w := newWorld(t, Options{Now: clock.read, Speed: 1})
	at := w.listen("HTTP", always(first(jwtAction(i), fixedAction("200", "in"))...))
	token, err := i.Sign(nil)
	if err != nil {
		t.Fatal(err)
	}
	ask := func() int {
		return send(t, client(t), "http://"+at, func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token) }).StatusCode
	}
	for range 3 {
		if got := ask(); got != 200 {
			t.Fatalf("status %d", got)
		}
	}
	if got := i.asked.Load(); got != 1 {
		t.Errorf("%d requests for keys within their life, want 1", got)
	}
	clock.advance(keysLife + time.Second)
	ask()
	if got := i.asked.Load(); got != 2 {
		t.Errorf("%d requests for keys after it, want 2", got)
	}
	for _, row := range []struct{ why, body string }{
		{"too many keys", `{"keys":[` + strings.Repeat(`{},`, maxKeys) + `{}]}`},
		{"too long", `{"keys":[],"x":"` + strings.Repeat("x", 150<<10) + `"}`},
		{"no key set", `<html>`},
	} {
		t.Run(row.why, func(t *testing.T) {
			t.Parallel()
			bad := quietServer(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, row.body) })
			bad.StartTLS()
			t.Cleanup(bad.Close)
			w := newWorld(t, Options{})
			at := w.listen("HTTP", always(first(jwtAction(&identity{url: bad.URL}), fixedAction("200", "in"))...))
			if got := send(t, client(t), "http://"+at, func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token) }).StatusCode; got != 500 {
				t.Errorf("status %d, want 500", got)
			}
		})
	}
}
