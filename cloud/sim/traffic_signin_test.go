package sim_test

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/headgate/headgate/cloud/sim/idp"

	"github.com/headgate/headgate/cloud/sim/contract"
)

// startProvider runs an identity provider under a name that only the simulator and the test know.
func (f *fixture) startProvider(t *testing.T, issuer string) (*idp.Provider, string) {
	t.Helper()
	p, err := idp.New(idp.Options{
		Issuer: issuer, Clients: map[string]string{"web": "s3cret"}, Users: map[string]map[string]any{"ada": {"email": "ada@example.com"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewTLSServer(p)
	t.Cleanup(server.Close)
	actual := strings.TrimPrefix(server.URL, "https://")
	if err := f.Sim.SetHosts(map[string]*string{strings.TrimPrefix(issuer, "https://"): &actual}); err != nil {
		t.Fatal(err)
	}
	return p, actual
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
	p, actual := f.startProvider(t, issuer)
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

	reach := func(ctx context.Context, network, to string) (net.Conn, error) {
		if to == "idp.example.com:443" {
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
	ask := func(path, token string) int {
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
