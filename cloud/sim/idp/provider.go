package idp

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"net/http"
	"sync"
	"time"
)

// Options are what a [Provider] is made with.
type Options struct {
	// Issuer is the URL that tokens name, without a slash at its end. The endpoints are below it.
	Issuer string
	// Clients holds the secrets of clients by their identifiers.
	Clients map[string]string
	// Users holds the claims of users by their names; sub is the name where it is missing. A lone user is signed in without being asked.
	Users map[string]map[string]any
	// Life is how long an access token is good for; an hour without it.
	Life time.Duration
	// Now is the clock; time.Now without it.
	Now func() time.Time
}

// Provider is a provider at work. Its methods are safe for concurrent use.
type Provider struct {
	options Options
	key     *rsa.PrivateKey
	keyID   string
	mux     *http.ServeMux

	mu     sync.Mutex
	grants map[string]grant
}

// grant is what a code, an access token or a refresh token stands for.
type grant struct {
	kind             grantKind
	client, redirect string
	user, scope      string
	until            time.Time
}

type grantKind int

const (
	codeGrant grantKind = iota
	accessGrant
	refreshGrant
)

// Lives of what is handed out besides access tokens.
const (
	codeLife    = 5 * time.Minute
	refreshLife = 24 * time.Hour
	maxGrants   = 10000
)

const keyBits = 2048

var errOptions = errors.New("an issuer, a client and a user are needed")

// New makes a provider with a new key.
func New(o Options) (*Provider, error) {
	if o.Issuer == "" || len(o.Clients) == 0 || len(o.Users) == 0 {
		return nil, errOptions
	}
	if o.Life <= 0 {
		o.Life = time.Hour
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	key, err := rsa.GenerateKey(rand.Reader, keyBits)
	if err != nil {
		return nil, fmt.Errorf("making a key: %w", err)
	}
	p := &Provider{options: o, key: key, keyID: random(), grants: map[string]grant{}, mux: http.NewServeMux()}
	p.mux.HandleFunc("GET /.well-known/openid-configuration", p.discovery)
	p.mux.HandleFunc("GET /jwks", p.jwks)
	p.mux.HandleFunc("GET /oauth2/authorize", p.authorize)
	p.mux.HandleFunc("POST /oauth2/token", p.token)
	p.mux.HandleFunc("GET /oauth2/userInfo", p.userInfo)
	return p, nil
}

// ServeHTTP answers all endpoints. Those of sign-in have the paths of a Cognito domain.
func (p *Provider) ServeHTTP(w http.ResponseWriter, r *http.Request) { p.mux.ServeHTTP(w, r) }

func (p *Provider) discovery(w http.ResponseWriter, _ *http.Request) {
	at := p.options.Issuer
	write(w, http.StatusOK, map[string]any{
		"issuer": at, "authorization_endpoint": at + "/oauth2/authorize", "token_endpoint": at + "/oauth2/token",
		"userinfo_endpoint": at + "/oauth2/userInfo", "jwks_uri": at + "/jwks", "response_types_supported": []string{"code"},
		"subject_types_supported": []string{"public"}, "id_token_signing_alg_values_supported": []string{"RS256"},
	})
}

func (p *Provider) jwks(w http.ResponseWriter, _ *http.Request) {
	text := base64.RawURLEncoding.EncodeToString
	write(w, http.StatusOK, map[string]any{"keys": []map[string]string{{
		"kty": "RSA", "use": "sig", "alg": "RS256", "kid": p.keyID,
		"n": text(p.key.N.Bytes()), "e": text(big.NewInt(int64(p.key.E)).Bytes()),
	}}})
}

// Sign makes a token of claims. Issuer, time of issue and expiry are added where they are missing; nil leaves one of them out.
func (p *Provider) Sign(claims map[string]any) (string, error) {
	now := p.options.Now()
	all := map[string]any{"iss": p.options.Issuer, "iat": now.Unix(), "exp": now.Add(p.options.Life).Unix()}
	maps.Copy(all, claims)
	maps.DeleteFunc(all, func(_ string, v any) bool { return v == nil })
	header, err := json.Marshal(map[string]string{"alg": "RS256", "typ": "JWT", "kid": p.keyID})
	if err != nil {
		return "", fmt.Errorf("encoding the header: %w", err)
	}
	body, err := json.Marshal(all)
	if err != nil {
		return "", fmt.Errorf("encoding claims: %w", err)
	}
	text := base64.RawURLEncoding.EncodeToString
	signed := text(header) + "." + text(body)
	sum := sha256.Sum256([]byte(signed))
	signature, err := rsa.SignPKCS1v15(rand.Reader, p.key, crypto.SHA256, sum[:])
	if err != nil {
		return "", fmt.Errorf("signing: %w", err)
	}
	return signed + "." + text(signature), nil
}

func write(w http.ResponseWriter, status int, body any) {
	text, err := json.Marshal(body)
	if err != nil {
		http.Error(w, "a claim that is no JSON", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(text) // a client that left cannot be told
}

func random() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}
