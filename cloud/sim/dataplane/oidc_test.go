package dataplane

import (
	"context"
	"crypto/ecdsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/google/go-cmp/cmp"

	"github.com/headgate/headgate/cloud/sim/idp"
)

func oidcAction(i *identity, change func(*elbtypes.AuthenticateOidcActionConfig)) elbtypes.Action {
	c := &elbtypes.AuthenticateOidcActionConfig{
		Issuer: aws.String(i.url), AuthorizationEndpoint: aws.String(i.url + "/oauth2/authorize"), TokenEndpoint: aws.String(i.url + "/oauth2/token"),
		UserInfoEndpoint: aws.String(i.url + "/oauth2/userInfo"), ClientId: aws.String("headgate"),
	}
	if change != nil {
		change(c)
	}
	return elbtypes.Action{Type: elbtypes.ActionTypeEnumAuthenticateOidc, AuthenticateOidcConfig: c}
}

// browser follows redirects and keeps cookies.
func browser(tb testing.TB) *http.Client {
	tb.Helper()
	c := client(tb)
	c.CheckRedirect = nil
	c.Jar, _ = cookiejar.New(nil)
	return c
}

// signing makes a world that signs clients in before a target that shows what it got.
func signing(t *testing.T, o Options, action elbtypes.Action) (*world, string) {
	t.Helper()
	w := newWorld(t, o)
	b := newBackend(t, "", func(w http.ResponseWriter, r *http.Request) {
		for _, name := range []string{headerClaims, headerIdentity, headerAccessToken} {
			w.Header()["Saw-"+name] = r.Header[name]
		}
		fmt.Fprint(w, r.RequestURI)
	})
	w.group(groupARN, nil, b.address)
	rule := always(first(action, forwardTo(groupARN))...)
	rule.Secrets = map[string]string{"headgate": "secret"}
	at := w.listen("HTTPS", rule)
	w.secure("", selfSigned(t, curve(t), "x"))
	return w, "https://" + at
}

func TestSignIn(t *testing.T) {
	t.Parallel()
	i := newIdentity(t, nil)
	w, at := signing(t, Options{}, oidcAction(i, func(c *elbtypes.AuthenticateOidcActionConfig) {
		c.AuthenticationRequestExtraParams = map[string]string{"prompt": "login"}
	}))
	away := send(t, client(t, "http/1.1"), at+"/private?x=1", nil)
	to, err := url.Parse(away.Header.Get("Location"))
	if err != nil || away.StatusCode != http.StatusFound {
		t.Fatalf("status %d, %v", away.StatusCode, err)
	}
	q := to.Query()
	if q.Get("state") == "" {
		t.Error("no state")
	}
	q.Del("state")
	want := url.Values{
		"client_id": {"headgate"}, "redirect_uri": {at + "/oauth2/idpresponse"}, "response_type": {"code"}, "scope": {"openid"}, "prompt": {"login"},
	}
	if diff := cmp.Diff(want, q); diff != "" {
		t.Errorf("parameters (-want +got):\n%s", diff)
	}

	c := browser(t)
	got := send(t, c, at+"/private?x=1", nil)
	if got.StatusCode != 200 || got.body != "/private?x=1" || got.Header.Get("Saw-"+headerIdentity) != "ada" || got.Header.Get("Saw-"+headerAccessToken) == "" {
		t.Fatalf("status %d %q %v", got.StatusCode, got.body, got.Header)
	}
	checkClaims(t, w, got.Header.Get("Saw-"+headerClaims), i.url)
	asked := i.asked.Load()
	got = send(t, c, at+"/again", func(r *http.Request) { r.Header.Set(headerIdentity, "mallory") })
	if got.body != "/again" || got.Header.Get("Saw-"+headerIdentity) != "ada" || i.asked.Load() != asked {
		t.Errorf("with a session: %q, %v, asked %d times more", got.body, got.Header, i.asked.Load()-asked)
	}
}

// checkClaims verifies what a target gets as a target would.
func checkClaims(t *testing.T, w *world, text, issuer string) {
	t.Helper()
	parts := strings.Split(text, ".")
	var header map[string]any
	var claims map[string]any
	for i, into := range []any{&header, &claims} {
		plain, err := base64.URLEncoding.DecodeString(parts[i])
		if err != nil || json.Unmarshal(plain, into) != nil {
			t.Fatalf("part %d: %v", i, err)
		}
	}
	if header["alg"] != "ES256" || header["signer"] != "lb" || header["iss"] != issuer || header["client"] != "headgate" || claims["email"] != "ada@example.com" {
		t.Errorf("header %v, claims %v", header, claims)
	}
	encoded, ok := w.ClaimsKey(header["kid"].(string))
	if !ok {
		t.Fatal("no key")
	}
	block, _ := pem.Decode(encoded)
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	signature, err := base64.URLEncoding.DecodeString(parts[2])
	if err != nil || len(signature) != 64 {
		t.Fatalf("signature of %d bytes: %v", len(signature), err)
	}
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	if !ecdsa.Verify(key.(*ecdsa.PublicKey), sum[:], new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:])) {
		t.Error("the signature is wrong")
	}
}

func TestClientsThatAreNotSignedIn(t *testing.T) {
	t.Parallel()
	i := newIdentity(t, nil)
	for _, row := range []struct {
		why, behaviour string
		want           int
	}{{"deny", "deny", 401}, {"allow", "allow", 200}, {"authenticate", "authenticate", 302}, {"the default", "", 302}} {
		t.Run(row.why, func(t *testing.T) {
			t.Parallel()
			_, at := signing(t, Options{}, oidcAction(i, func(c *elbtypes.AuthenticateOidcActionConfig) {
				c.OnUnauthenticatedRequest = elbtypes.AuthenticateOidcActionConditionalBehaviorEnum(row.behaviour)
			}))
			got := send(t, client(t), at, func(r *http.Request) {
				r.Header.Set(headerIdentity, "mallory")
				r.Header.Set("Cookie", "AWSELBAuthSessionCookie-0=forged")
			})
			if got.StatusCode != row.want || got.Header.Get("Saw-"+headerIdentity) != "" {
				t.Errorf("status %d %v, want %d", got.StatusCode, got.Header, row.want)
			}
		})
	}
}

func TestSignInsThatFail(t *testing.T) {
	clock := &manualClock{now: time.Now()}
	i := newIdentity(t, func(o *idp.Options) { o.Now = clock.read })
	w, at := signing(t, Options{Now: clock.read, Speed: 1}, oidcAction(i, nil))
	// begin starts a sign-in and gives a client that is about to come back, and the address it comes back to.
	begin := func(t *testing.T) (*http.Client, *url.URL) {
		t.Helper()
		c := browser(t)
		c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
		back, err := url.Parse(send(t, c, send(t, c, at, nil).Header.Get("Location"), nil).Header.Get("Location"))
		if err != nil || back.Query().Get("code") == "" {
			t.Fatalf("the provider sends back to %s: %v", back, err)
		}
		return c, back
	}
	with := func(u *url.URL, name, value string) string {
		q := u.Query()
		q.Set(name, value)
		if value == "" {
			q.Del(name)
		}
		return u.Scheme + "://" + u.Host + u.Path + "?" + q.Encode()
	}
	for _, row := range []struct {
		why  string
		do   func(t *testing.T, c *http.Client, back *url.URL) (*http.Client, string)
		want int
	}{
		{"as it should be", func(_ *testing.T, c *http.Client, back *url.URL) (*http.Client, string) { return c, back.String() }, 302},
		{"no state", func(_ *testing.T, c *http.Client, back *url.URL) (*http.Client, string) {
			return c, with(back, "state", "")
		}, 401},
		{"a forged state", func(_ *testing.T, c *http.Client, back *url.URL) (*http.Client, string) {
			return c, with(back, "state", "x")
		}, 401},
		{"no code", func(_ *testing.T, c *http.Client, back *url.URL) (*http.Client, string) {
			return c, with(back, "code", "")
		}, 401},
		{"a code that is nobody's", func(_ *testing.T, c *http.Client, back *url.URL) (*http.Client, string) {
			return c, with(back, "code", "x")
		}, 561},
		{"the provider says no", func(_ *testing.T, c *http.Client, back *url.URL) (*http.Client, string) {
			return c, with(back, "error", "access_denied")
		}, 561},
		{"another browser", func(t *testing.T, _ *http.Client, back *url.URL) (*http.Client, string) {
			t.Helper()
			other, _ := begin(t)
			return other, back.String()
		}, 401},
		{"no cookie", func(t *testing.T, _ *http.Client, back *url.URL) (*http.Client, string) {
			t.Helper()
			return client(t), back.String()
		}, 401},
		{"a code for the second time", func(t *testing.T, c *http.Client, back *url.URL) (*http.Client, string) {
			t.Helper()
			send(t, c, back.String(), nil)
			return c, back.String()
		}, 561},
		{"too late", func(_ *testing.T, c *http.Client, back *url.URL) (*http.Client, string) {
			clock.advance(loginTime + time.Second)
			return c, back.String()
		}, 401},
	} {
		t.Run(row.why, func(t *testing.T) {
			c, back := begin(t)
			c, to := row.do(t, c, back)
			c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
			got := send(t, c, to, nil)
			if got.StatusCode != row.want || got.Header.Get("Server") != serverName {
				t.Errorf("status %d, want %d", got.StatusCode, row.want)
			}
		})
	}
	w.config.LoadBalancers[0].Listeners[0].Rules[0].Secrets = map[string]string{"headgate": "wrong"}
	w.apply()
	c, back := begin(t)
	if got := send(t, c, back.String(), nil).StatusCode; got != statusProviderRefused {
		t.Errorf("a wrong secret: %d", got)
	}
	unreachable := oidcAction(i, func(c *elbtypes.AuthenticateOidcActionConfig) {
		c.TokenEndpoint = aws.String("https://not.reachable.test/token")
	})
	w.listener().Rules = []Rule{always(first(unreachable, fixedAction("200", ""))...)}
	w.apply()
	c, back = begin(t)
	if got := send(t, c, back.String(), nil).StatusCode; got != 500 {
		t.Errorf("a provider that is not there: %d", got)
	}
}

func TestSessionsEndAndAreRenewed(t *testing.T) {
	clock := &manualClock{now: time.Now()}
	i := newIdentity(t, func(o *idp.Options) { o.Now, o.Life = clock.read, time.Minute })
	for _, row := range []struct {
		why, scope string
		// asked is how often the provider is asked in the hour of the session.
		asked int64
	}{
		{"without a refresh token it goes on as it is", "openid", 0},
		{"with one it is renewed when the access token is over", "openid offline_access", 2},
	} {
		t.Run(row.why, func(t *testing.T) {
			_, at := signing(t, Options{Now: clock.read, Speed: 1}, oidcAction(i, func(c *elbtypes.AuthenticateOidcActionConfig) {
				c.Scope, c.SessionTimeout = aws.String(row.scope), aws.Int64(3600)
			}))
			c := browser(t)
			before := send(t, c, at, nil)
			c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
			asked := i.asked.Load()
			clock.advance(30 * time.Minute)
			got := send(t, c, at, nil)
			if got.StatusCode != 200 || i.asked.Load()-asked != row.asked {
				t.Errorf("status %d after asking %d times, want %d", got.StatusCode, i.asked.Load()-asked, row.asked)
			}
			renewed := got.Header.Get("Saw-"+headerAccessToken) != before.Header.Get("Saw-"+headerAccessToken)
			if renewed != (row.asked > 0) {
				t.Errorf("another access token: %v", renewed)
			}
			clock.advance(31 * time.Minute)
			if got := send(t, c, at, nil).StatusCode; got != 302 {
				t.Errorf("after its time: %d", got)
			}
		})
	}
}

func TestLargeClaims(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		why    string
		size   int
		status int
		shards int
	}{{"small", 10, 200, 1}, {"in several cookies", 9 << 10, 200, 4}, {"too large", 12 << 10, 500, 0}} {
		t.Run(row.why, func(t *testing.T) {
			t.Parallel()
			i := newIdentity(t, func(o *idp.Options) {
				o.Users = map[string]map[string]any{"ada": {"groups": strings.Repeat("g", row.size)}}
			})
			_, at := signing(t, Options{}, oidcAction(i, nil))
			c := browser(t)
			if got := send(t, c, at, nil).StatusCode; got != row.status {
				t.Errorf("status %d, want %d", got, row.status)
			}
			u, _ := url.Parse(at)
			shards := 0
			for _, cookie := range c.Jar.Cookies(u) {
				if strings.HasPrefix(cookie.Name, "AWSELBAuthSessionCookie-") {
					shards++
				}
			}
			if shards != row.shards {
				t.Errorf("%d cookies, want %d", shards, row.shards)
			}
		})
	}
}

func TestCognito(t *testing.T) {
	t.Parallel()
	const host, issuer = "shop.auth.eu-west-1.amazoncognito.com", "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Pool"
	i := newIdentity(t, func(o *idp.Options) { o.Issuer = issuer })
	actual := strings.TrimPrefix(i.url, "https://")
	reach := func(ctx context.Context, network, address string) (net.Conn, error) {
		if address == host+":443" {
			address = actual
		}
		return (&net.Dialer{}).DialContext(ctx, network, address)
	}
	_, at := signing(t, Options{DialHost: reach}, elbtypes.Action{
		Type: elbtypes.ActionTypeEnumAuthenticateCognito, AuthenticateCognitoConfig: &elbtypes.AuthenticateCognitoActionConfig{
			UserPoolArn: aws.String("arn:aws:cognito-idp:eu-west-1:123456789012:userpool/eu-west-1_Pool"), UserPoolClientId: aws.String("headgate"), UserPoolDomain: aws.String("shop"),
		},
	})
	c := browser(t)
	transport := c.Transport.(*http.Transport)
	transport.DialContext, transport.TLSClientConfig = reach, &tls.Config{InsecureSkipVerify: true}
	if got := send(t, c, at+"/in", nil); got.body != "/in" || got.Header.Get("Saw-"+headerIdentity) != "ada" {
		t.Errorf("status %d %q %v", got.StatusCode, got.body, got.Header)
	}
}
