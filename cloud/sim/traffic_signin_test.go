package sim_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	cognito "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	cognitotypes "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/google/go-cmp/cmp"

	"github.com/headgate/headgate/cloud/sim"
	"github.com/headgate/headgate/cloud/sim/contract"
	"github.com/headgate/headgate/cloud/sim/idp"
)

// startProvider runs an identity provider with one client, under a host that only the simulator and the test know.
func (f *fixture) startProvider(t *testing.T, host string, o idp.Options) (*idp.Provider, string) {
	t.Helper()
	o.Users = map[string]map[string]any{"ada": {"email": "ada@example.com"}}
	p, err := idp.New(o)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewTLSServer(p)
	t.Cleanup(server.Close)
	actual := strings.TrimPrefix(server.URL, "https://")
	if err := f.Sim.SetHosts(map[string]*string{host: &actual}); err != nil {
		t.Fatal(err)
	}
	return p, actual
}

// browser gives what asks the first load balancer for a path as a browser does that finds the host of a provider, and gives the status.
func (f *fixture) browser(t *testing.T, host, actual string) func(path, token string) int {
	t.Helper()
	reach := func(ctx context.Context, network, to string) (net.Conn, error) {
		if to == host+":443" {
			to = actual
		}
		return (&net.Dialer{}).DialContext(ctx, network, to)
	}
	transport := &http.Transport{DialContext: reach, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	t.Cleanup(transport.CloseIdleConnections)
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: transport, Jar: jar}
	return func(path, token string) int {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+f.Sim.LoadBalancers()[0].Address.String()+":20443"+path, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		if token != "" {
			r.Header.Set("Authorization", "Bearer "+token)
		}
		response, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, response.Body); err != nil || response.Body.Close() != nil {
			t.Fatal(err)
		}
		return response.StatusCode
	}
}

// ordered puts actions in the order in which they stand.
func ordered(actions ...elbtypes.Action) []elbtypes.Action {
	for i := range actions {
		actions[i].Order = aws.Int32(int32(i + 1))
	}
	return actions
}

func TestTrafficSignIn(t *testing.T) {
	t.Parallel()
	f, _ := startTraffic(t)
	const issuer = "https://idp.example.com"
	p, actual := f.startProvider(t, "idp.example.com", idp.Options{Issuer: issuer, Clients: map[string]string{"web": "s3cret"}})
	lb := f.balancer("web")
	in := secureInput(lb, f.certificate("example.com"))
	in.DefaultActions = ordered(elbtypes.Action{
		Type: elbtypes.ActionTypeEnumAuthenticateOidc, AuthenticateOidcConfig: &elbtypes.AuthenticateOidcActionConfig{
			Issuer: aws.String(issuer), AuthorizationEndpoint: aws.String(issuer + "/oauth2/authorize"), TokenEndpoint: aws.String(issuer + "/oauth2/token"),
			UserInfoEndpoint: aws.String(issuer + "/oauth2/userInfo"), ClientId: aws.String("web"), ClientSecret: aws.String("s3cret"),
		},
	}, fixed("200")[0])
	made, err := f.elb.CreateListener(t.Context(), in)
	listener := contract.Must(t, made, err).Listeners[0]
	f.rule(listener.ListenerArn, 1, path("/api/*"), ordered(elbtypes.Action{
		Type: elbtypes.ActionTypeEnumJwtValidation, JwtValidationConfig: &elbtypes.JwtValidationActionConfig{
			Issuer: aws.String(issuer), JwksEndpoint: aws.String(issuer + "/jwks"),
		},
	}, fixed("202")[0]))
	f.Sim.Settle(t.Context())

	ask := f.browser(t, "idp.example.com", actual)
	token, err := p.Sign(nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		why, path, token string
		want             int
	}{
		{"the browser is sent to the provider, and back", "/page", "", 200},
		{"no token", "/api/x", "", 401},
		{"a token of the provider", "/api/x", token, 202},
	} {
		if got := ask(row.path, row.token); got != row.want {
			t.Errorf("%s: %d, want %d", row.why, got, row.want)
		}
	}
}

func TestTrafficHosts(t *testing.T) {
	t.Parallel()
	f, _ := startTraffic(t)
	away := "192.0.2.1:443"
	if err := f.Sim.SetHosts(map[string]*string{"idp.example.com": &away}); err == nil {
		t.Error("a host may lead out of the machine")
	}
	if _, ok := f.Sim.ClaimsKey("nobody"); ok {
		t.Error("a key that nobody has")
	}
}

func TestTrafficCognito(t *testing.T) {
	t.Parallel()
	f, _ := startTraffic(t)
	pools := cognito.NewFromConfig(f.Config)
	pool, err := pools.CreateUserPool(t.Context(), &cognito.CreateUserPoolInput{PoolName: aws.String("people")})
	id, arn := contract.Must(t, pool, err).UserPool.Id, pool.UserPool.Arn
	_, err = pools.CreateUserPoolDomain(t.Context(), &cognito.CreateUserPoolDomainInput{UserPoolId: id, Domain: aws.String("people")})
	contract.WantCode(t, err, "")
	made, err := pools.CreateUserPoolClient(t.Context(), &cognito.CreateUserPoolClientInput{
		UserPoolId: id, ClientName: aws.String("web"), GenerateSecret: true, AllowedOAuthFlowsUserPoolClient: true,
		AllowedOAuthFlows: []cognitotypes.OAuthFlowType{cognitotypes.OAuthFlowTypeCode}, AllowedOAuthScopes: []string{"openid"},
		CallbackURLs: []string{"https://example.com/oauth2/idpresponse"}, SupportedIdentityProviders: []string{"COGNITO"},
	})
	client := contract.Must(t, made, err).UserPoolClient
	const host = "people.auth.us-west-2.amazoncognito.com"
	_, actual := f.startProvider(t, host, idp.Options{
		Issuer: "https://cognito-idp.us-west-2.amazonaws.com/" + *id, Clients: map[string]string{*client.ClientId: *client.ClientSecret},
	})

	lb := f.balancer("web")
	in := secureInput(lb, f.certificate("example.com"))
	signIn := &elbtypes.AuthenticateCognitoActionConfig{UserPoolArn: arn, UserPoolClientId: aws.String("other"), UserPoolDomain: aws.String("people")}
	in.DefaultActions = ordered(elbtypes.Action{Type: elbtypes.ActionTypeEnumAuthenticateCognito, AuthenticateCognitoConfig: signIn}, fixed("200")[0])
	_, err = f.elb.CreateListener(t.Context(), in)
	contract.WantCode(t, err, "InvalidLoadBalancerAction")
	signIn.UserPoolClientId = client.ClientId
	_, err = f.elb.CreateListener(t.Context(), in)
	contract.WantCode(t, err, "")
	f.Sim.Settle(t.Context())
	if got := f.browser(t, host, actual)("/page", ""); got != http.StatusOK {
		t.Errorf("after signing in: %d", got)
	}
	if state := fmt.Sprint(f.Sim.State()); strings.Contains(state, *client.ClientSecret) {
		t.Error("the state shows the secret of the client")
	}
}

func TestAddressTableHoldsHosts(t *testing.T) {
	t.Parallel()
	f := start(t, func(o *sim.Options) {
		o.Addresses = map[string]string{"first.example.com": "127.0.0.1:1", "10.0.0.9": "127.0.0.1"}
	})
	put := func(body string) int {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPut, f.Sim.URL()+"/_sim/addresses", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		response, err := http.DefaultClient.Do(r)
		if err != nil || response.Body.Close() != nil {
			t.Fatal(err)
		}
		return response.StatusCode
	}
	for _, row := range []struct {
		why, body string
		want      int
	}{
		{"a name", `{"Idp.example.com:8443": "127.0.0.1:9", "first.example.com": null}`, http.StatusNoContent},
		{"a name that leads out of the machine", `{"idp.example.com": "192.0.2.1:443"}`, http.StatusBadRequest},
		{"a name without a port to lead to", `{"idp.example.com": "127.0.0.1"}`, http.StatusBadRequest},
		{"an address that is none", `{"10.0.0.300": "127.0.0.1:9"}`, http.StatusBadRequest},
		{"one bad entry of two", `{"10.0.0.10": "127.0.0.1", "a b": "127.0.0.1:9"}`, http.StatusBadRequest},
	} {
		if got := put(row.body); got != row.want {
			t.Errorf("%s: %d, want %d", row.why, got, row.want)
		}
	}
	want := map[string]string{"10.0.0.9": "127.0.0.1", "idp.example.com:8443": "127.0.0.1:9"}
	if diff := cmp.Diff(want, f.Sim.State()["addresses"]); diff != "" {
		t.Error(diff)
	}
}
