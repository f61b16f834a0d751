package dataplane

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// callbackPath is where identity providers send clients back to. A listener that signs clients in takes it for itself.
const callbackPath = "/oauth2/idpresponse"

// What happens to requests of clients that are not signed in.
const (
	unknownDeny  = "deny"
	unknownAllow = "allow"
)

// provider is an identity provider as a rule uses it. It is immutable.
type provider struct {
	issuer, authorizeURL, tokenURL, userURL string
	client, secret, scope                   string
	extra                                   map[string]string
	unknown                                 string
	// cookie is the name of the session cookies without their numbers.
	cookie  string
	timeout time.Duration
}

// key tells the providers of a listener apart.
func (p *provider) key() string { return p.issuer + " " + p.client + " " + p.cookie }

func compileOIDC(c *elbtypes.AuthenticateOidcActionConfig, secrets map[string]string) gate {
	return (&provider{
		issuer: aws.ToString(c.Issuer), authorizeURL: aws.ToString(c.AuthorizationEndpoint), tokenURL: aws.ToString(c.TokenEndpoint),
		userURL: aws.ToString(c.UserInfoEndpoint), client: aws.ToString(c.ClientId), secret: secrets[aws.ToString(c.ClientId)],
		scope: aws.ToString(c.Scope), extra: c.AuthenticationRequestExtraParams, unknown: string(c.OnUnauthenticatedRequest),
		cookie: aws.ToString(c.SessionCookieName), timeout: time.Duration(aws.ToInt64(c.SessionTimeout)) * time.Second,
	}).orDefaults()
}

// compileCognito makes a provider of a user pool. A domain without a dot is a prefix of Cognito's own.
func compileCognito(c *elbtypes.AuthenticateCognitoActionConfig, secrets map[string]string) (gate, error) {
	parts := strings.Split(aws.ToString(c.UserPoolArn), ":")
	const arnParts = 6
	if len(parts) != arnParts {
		return nil, fmt.Errorf("user pool %q: %w", aws.ToString(c.UserPoolArn), errAction)
	}
	region, pool := parts[3], strings.TrimPrefix(parts[5], "userpool/")
	domain := aws.ToString(c.UserPoolDomain)
	if !strings.Contains(domain, ".") {
		domain += ".auth." + region + ".amazoncognito.com"
	}
	at := "https://" + domain + "/oauth2/"
	return (&provider{
		issuer: "https://cognito-idp." + region + ".amazonaws.com/" + pool, authorizeURL: at + "authorize", tokenURL: at + "token", userURL: at + "userInfo",
		client: aws.ToString(c.UserPoolClientId), secret: secrets[aws.ToString(c.UserPoolClientId)], scope: aws.ToString(c.Scope),
		extra: c.AuthenticationRequestExtraParams, unknown: string(c.OnUnauthenticatedRequest), cookie: aws.ToString(c.SessionCookieName),
		timeout: time.Duration(aws.ToInt64(c.SessionTimeout)) * time.Second,
	}).orDefaults(), nil
}

func (p *provider) orDefaults() *provider {
	if p.scope == "" {
		p.scope = "openid"
	}
	if p.cookie == "" {
		p.cookie = "AWSELBAuthSessionCookie"
	}
	if p.timeout <= 0 {
		p.timeout = cookieLife
	}
	return p
}

// providers finds the identity providers of the rules.
func (e *evaluator) providers() map[string]*provider {
	var all map[string]*provider
	for _, r := range e.rules {
		g, ok := r.action.(guarded)
		if !ok {
			continue
		}
		for _, one := range g.gates {
			if p, ok := one.(*provider); ok {
				if all == nil {
					all = map[string]*provider{}
				}
				all[p.key()] = p
			}
		}
	}
	return all
}

// admit lets clients through that are signed in, and tells the target who they are. What clients say of that themselves is removed.
func (p *provider) admit(x *exchange) bool {
	x.did("authenticate")
	for _, name := range []string{headerClaims, headerIdentity, headerAccessToken} {
		x.request.Header.Del(name)
	}
	now := x.server.now()
	known, ok := p.session(x)
	if ok && known.Refresh != "" && !now.Before(known.Renew) {
		ok = p.renew(x, &known)
	}
	switch {
	case ok:
		x.identify(p, &known)
		return true
	case p.unknown == unknownAllow:
		return true
	case p.unknown == unknownDeny:
		return x.deny(http.StatusUnauthorized, "-")
	default:
		p.sendAway(x)
		return false
	}
}

// loginTime is how long a client may take to sign in. People do not get faster with the speed.
const (
	loginTime  = 15 * time.Minute
	loginFloor = time.Minute
)

// Cookies and purposes that sign-in seals.
const (
	nonceCookie  = "AWSALBAuthNonce"
	statePurpose = "oidc state"
)

// sendAway redirects a client to the provider. The state brings it back to where it wanted to go.
func (p *provider) sendAway(x *exchange) {
	nonce, until := x.server.traceID(), x.server.now().Add(x.server.atLeast(loginTime, loginFloor))
	back := "https://" + x.request.Host + x.path
	if x.query != "" {
		back += "?" + x.query
	}
	q := url.Values{
		"client_id": {p.client}, "redirect_uri": {x.callback()}, "response_type": {"code"}, "scope": {p.scope},
		"state": {x.server.seal.value(statePurpose, strings.Join([]string{p.key(), nonce, back}, "\n"), until)},
	}
	for name, value := range p.extra {
		q.Set(name, value)
	}
	x.cookies = append(x.cookies, secureCookie(setCookie(nonceCookie, nonce, x.server.now())))
	to := p.authorizeURL + "?"
	if strings.Contains(p.authorizeURL, "?") {
		to = p.authorizeURL + "&"
	}
	x.redirect(to + q.Encode())
}

// callback is the address that a provider sends clients back to. It has the port that the client knows.
func (x *exchange) callback() string { return "https://" + x.request.Host + callbackPath }

func (x *exchange) redirect(to string) {
	x.note.redirect = to
	x.writer.Header().Set("Location", to)
	x.generate(http.StatusFound, "text/html", page("302 "+reason(http.StatusFound)))
}

func secureCookie(cookie string) string { return cookie + "; Secure; HttpOnly" }
