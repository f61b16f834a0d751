package traffic

import (
	"cmp"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	cognito "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	cognitotypes "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"

	"github.com/headgate/headgate/cloud/sim"
	"github.com/headgate/headgate/cloud/sim/idp"
	"github.com/headgate/headgate/sandbox/selfsigned"
)

const (
	secure   = "https://shop.example.com"
	idpHost  = "idp.example.com"
	poolHost = "people.auth.us-west-2.amazoncognito.com"
	// secrets are the client of the provider, in the Secret "idp" and in one whose secret is not the provider's.
	secrets = `---
{apiVersion: v1, kind: Secret, metadata: {namespace: shop, name: idp}, data: {clientID: d2Vi, clientSecret: czNjcmV0}}
---
{apiVersion: v1, kind: Secret, metadata: {namespace: shop, name: wrong}, data: {clientID: d2Vi, clientSecret: d3Jvbmc=}}
`
)

// provider is an identity provider at work.
type provider struct {
	*idp.Provider

	host, address string
	trust         []byte
}

// newProvider runs a provider of one user, "ada", under a host that only the account and a browser know.
func (s *stage) newProvider(host string, o idp.Options) *provider {
	s.t.Helper()
	o.Users = map[string]map[string]any{"ada": {"email": "ada@example.com"}}
	made, err := idp.New(o)
	if err != nil {
		s.t.Fatal(err)
	}
	own, err := selfsigned.New(host)
	if err != nil {
		s.t.Fatal(err)
	}
	pair, err := tls.X509KeyPair(own.Cert, own.Key)
	if err != nil {
		s.t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(made)
	server.TLS = &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}
	server.StartTLS()
	s.t.Cleanup(server.Close)
	p := &provider{Provider: made, host: host, address: server.Listener.Addr().String(), trust: own.Cert}
	if err := s.sim.SetHosts(map[string]*string{host: &p.address}); err != nil {
		s.t.Fatal(err)
	}
	return p
}

// newBrowser is a client that finds a provider, and goes where it is sent.
func (s *stage) newBrowser(p *provider) *client {
	s.t.Helper()
	c := s.newClient("")
	transport := c.transport()
	toBalancer := transport.DialContext
	transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		if address == p.host+":443" {
			return (&net.Dialer{}).DialContext(ctx, network, p.address)
		}
		return toBalancer(ctx, network, address)
	}
	transport.TLSClientConfig.RootCAs.AppendCertsFromPEM(p.trust)
	c.http.CheckRedirect = func(next *http.Request, _ []*http.Request) error {
		if next.URL.Scheme == "https" { // browsers leave out a port that goes without saying
			next.URL.Host = strings.TrimSuffix(next.URL.Host, ":443")
		}
		return nil
	}
	return c
}

func (c *client) transport() *http.Transport {
	c.stage.t.Helper()
	transport, ok := c.http.Transport.(*http.Transport)
	if !ok {
		c.stage.t.Fatal("the client has another transport")
	}
	return transport
}

// oidc are settings that sign users in with a client that is in a Secret.
func oidc(secret string, more ...string) []string {
	const at = "https://" + idpHost
	return append([]string{
		"certificate-arn: CERTIFICATE", `listen-ports: [{"HTTP":80},{"HTTPS":443}]`, "auth-type: oidc",
		fmt.Sprintf(`auth-idp-oidc: {"issuer":%q,"authorizationEndpoint":%q,"tokenEndpoint":%q,"userInfoEndpoint":%q,"secretName":%q}`,
			at, at+"/oauth2/authorize", at+"/oauth2/token", at+"/oauth2/userInfo", secret),
	}, more...)
}

// signed is the status of an answer, the pod that gave it, and the user that the pod was told of.
func signed(c *client, url string) string {
	got, err := c.send(ask{to: "GET " + url})
	if err != nil {
		return err.Error()
	}
	pod, user := got.pod(), ""
	if pod.Pod != "" {
		user = " to " + cmp.Or(pod.Headers.Get("X-Amzn-Oidc-Identity"), "nobody")
	}
	return strings.TrimSpace(fmt.Sprint(got.status, " ", pod.Pod, user))
}

// pod is what a pod answered; empty where none did.
func (a answer) pod() (got seen) {
	if json.Unmarshal(a.body, &got) != nil {
		return seen{}
	}
	return got
}

func TestSignIn(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name, why string
		settings  []string
		// stranger is what a client meets that does not sign in, browser what one meets that does, plain what clients meet on HTTP.
		stranger, browser, plain string
	}{
		{
			"authenticate", "who is not signed in is sent to the provider, and who comes back is known to the pod",
			oidc("idp"), "302 https://" + idpHost + "/oauth2/authorize", "200 a to ada", "503",
		},
		{
			"deny", "who is not signed in is sent away", oidc("idp", "auth-on-unauthenticated-request: deny"),
			"401", "401", "503",
		},
		{
			"allow", "who is not signed in passes, and the pod is told of nobody", oidc("idp", "auth-on-unauthenticated-request: allow"),
			"a:", "200 a to nobody", "503",
		},
		{
			"another secret", "the provider does not take a secret that is not the client's: it is the Secret's that is sent",
			oidc("wrong"), "302 https://" + idpHost + "/oauth2/authorize", "561", "503",
		},
		{
			"redirect", "HTTP answers nothing but where to go", oidc("idp", "ssl-redirect: 443"),
			"302 https://" + idpHost + "/oauth2/authorize", "200 a to ada", "200 a to ada",
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			t.Log(row.why)
			s := newStage(t, sim.Options{RuleDelay: -1})
			p := s.newProvider(idpHost, idp.Options{Issuer: "https://" + idpHost, Clients: map[string]string{"web": "s3cret"}})
			s.apply(secrets + web(row.settings, []string{host("shop.example.com", "Prefix / a")}, ""))
			s.register(owner(), nil)
			if got := s.newClient("").ask(ask{to: "GET " + secure + "/page"}); !strings.HasPrefix(got, row.stranger) {
				t.Errorf("a stranger meets %s, want %s", got, row.stranger)
			}
			if got := signed(s.newBrowser(p), secure+"/page"); got != row.browser {
				t.Errorf("a browser meets %s, want %s", got, row.browser)
			}
			if got := signed(s.newBrowser(p), "http://shop.example.com/page"); got != row.plain {
				t.Errorf("on HTTP a browser meets %s, want %s", got, row.plain)
			}
		})
	}
}

func TestSignInWithUserPool(t *testing.T) {
	t.Parallel()
	s := newStage(t, sim.Options{RuleDelay: -1})
	pools := cognito.NewFromConfig(s.sim.AWSConfig())
	made, err := pools.CreateUserPool(t.Context(), &cognito.CreateUserPoolInput{PoolName: aws.String("people")})
	if err != nil {
		t.Fatal(err)
	}
	pool := made.UserPool
	if _, err := pools.CreateUserPoolDomain(t.Context(), &cognito.CreateUserPoolDomainInput{UserPoolId: pool.Id, Domain: aws.String("people")}); err != nil {
		t.Fatal(err)
	}
	app, err := pools.CreateUserPoolClient(t.Context(), &cognito.CreateUserPoolClientInput{
		UserPoolId: pool.Id, ClientName: aws.String("web"), GenerateSecret: true, AllowedOAuthFlowsUserPoolClient: true,
		AllowedOAuthFlows: []cognitotypes.OAuthFlowType{cognitotypes.OAuthFlowTypeCode}, AllowedOAuthScopes: []string{"openid"},
		CallbackURLs: []string{secure + "/oauth2/idpresponse"}, SupportedIdentityProviders: []string{"COGNITO"},
	})
	if err != nil {
		t.Fatal(err)
	}
	id := aws.ToString(app.UserPoolClient.ClientId)
	p := s.newProvider(poolHost, idp.Options{
		Issuer: "https://cognito-idp.us-west-2.amazonaws.com/" + *pool.Id, Clients: map[string]string{id: aws.ToString(app.UserPoolClient.ClientSecret)},
	})
	settings := []string{
		"certificate-arn: CERTIFICATE", "auth-type: cognito",
		fmt.Sprintf(`auth-idp-cognito: {"userPoolARN":%q,"userPoolClientID":%q,"userPoolDomain":"people"}`, *pool.Arn, id),
	}
	s.apply(web(settings, []string{host("shop.example.com", "Prefix / a")}, ""))
	s.register(owner(), nil)
	if got := s.newClient("").ask(ask{to: "GET " + secure + "/page"}); !strings.HasPrefix(got, "302 https://"+poolHost+"/oauth2/authorize") {
		t.Errorf("a stranger meets %s", got)
	}
	if got := signed(s.newBrowser(p), secure+"/page"); got != "200 a to ada" {
		t.Errorf("a browser meets %s", got)
	}
}

func TestTokens(t *testing.T) {
	t.Parallel()
	s := newStage(t, sim.Options{RuleDelay: -1})
	const at = "https://" + idpHost
	p := s.newProvider(idpHost, idp.Options{Issuer: at, Clients: map[string]string{"web": "s3cret"}})
	settings := []string{
		"certificate-arn: CERTIFICATE", `listen-ports: [{"HTTP":80},{"HTTPS":443}]`,
		`jwt-validation: {"jwksEndpoint":"` + at + `/jwks","issuer":"` + at + `","additionalClaims":[` +
			`{"name":"team","format":"single-string","values":["shop"]},{"name":"roles","format":"string-array","values":["admin","staff"]},` +
			`{"name":"scope","format":"space-separated-values","values":["read","write"]}]}`,
	}
	s.apply(web(settings, []string{host("shop.example.com", "Prefix / a")}, ""))
	s.register(owner(), nil)
	token := func(other map[string]any) string {
		claims := map[string]any{"team": "shop", "roles": []string{"guest", "staff", "admin"}, "scope": "openid write read"}
		maps.Copy(claims, other)
		made, err := p.Sign(claims)
		if err != nil {
			t.Fatal(err)
		}
		return "Authorization: Bearer " + made
	}
	for _, row := range []struct{ why, header, want string }{
		{"no token", "", "401"},
		{"what is no token", "Authorization: Bearer none", "401"},
		{"a token without a claim", token(map[string]any{"team": nil}), "401"},
		{"a token without one of the roles", token(map[string]any{"roles": []string{"guest", "admin"}}), "401"},
		{"a token whose scope has a word like it", token(map[string]any{"scope": "openid write reader"}), "401"},
		{"a token of another team", token(map[string]any{"team": "other"}), "401"},
		{"a token that is over", token(map[string]any{"exp": 1}), "401"},
		{"a token of another issuer", token(map[string]any{"iss": "https://other.example.com"}), "401"},
		{"a good token", token(nil), "a: GET shop.example.com/"},
	} {
		if got := s.newClient("").ask(ask{to: "GET " + secure + "/", header: row.header}); !strings.HasPrefix(got, row.want) {
			t.Errorf("%s: %s, want %s", row.why, got, row.want)
		}
		if got := s.newClient("").ask(ask{to: "GET http://shop.example.com/", header: row.header}); !strings.HasPrefix(got, "503") {
			t.Errorf("%s, on HTTP: %s, want 503", row.why, got)
		}
	}
}
