package dataplane

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"maps"
	"math/big"
	"strconv"
	"time"
)

// Headers that tell a target who is signed in.
const (
	headerClaims      = "X-Amzn-Oidc-Data"
	headerIdentity    = "X-Amzn-Oidc-Identity"
	headerAccessToken = "X-Amzn-Oidc-Accesstoken" //nolint:gosec // the name of a header
)

// claimsLife is how long signed claims are good for. They are made anew for each request.
const claimsLife = 2 * time.Minute

// claimSigner signs the claims that targets get. Targets fetch its key by the key's identifier.
type claimSigner struct {
	key *ecdsa.PrivateKey
	id  string
}

func newClaimSigner() claimSigner {
	key, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader) // never fails
	der, _ := x509.MarshalPKIXPublicKey(key.Public())         // the curve is known
	sum := sha256.Sum256(der)
	h := hex.EncodeToString(sum[:])
	return claimSigner{key, h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:32]}
}

// ClaimsKey gives the public key that verifies x-amzn-oidc-data, in PEM, as the endpoint public-keys.auth.elb of AWS does. It reports false
// for an identifier that is not the key's.
func (s *Server) ClaimsKey(id string) ([]byte, bool) {
	if id != s.claims.id {
		return nil, false
	}
	der, err := x509.MarshalPKIXPublicKey(s.claims.key.Public())
	if err != nil {
		return nil, false
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), true
}

// identify writes the headers that tell the target who is signed in.
func (x *exchange) identify(p *provider, who *session) {
	signed, err := x.server.claims.sign(x, p, who)
	if err != nil {
		x.server.log.WarnContext(x.request.Context(), "signing claims", "error", err)
		return
	}
	h := x.request.Header
	h.Set(headerClaims, signed)
	h.Set(headerIdentity, who.Subject)
	h.Set(headerAccessToken, who.Access)
}

// sign makes a token of the claims. Unlike in other tokens its parts are padded.
func (c *claimSigner) sign(x *exchange, p *provider, who *session) (string, error) {
	until := x.server.now().Add(claimsLife).Unix()
	header, err := json.Marshal(map[string]any{
		"typ": "JWT", "kid": c.id, "alg": "ES256", "iss": p.issuer, "client": p.client, "signer": x.front.balancer, "exp": until,
	})
	if err != nil {
		return "", fmt.Errorf("encoding the header: %w", err)
	}
	claims := map[string]json.RawMessage{}
	if err := json.Unmarshal(who.Claims, &claims); err != nil {
		return "", fmt.Errorf("reading claims: %w", err)
	}
	issuer, err := json.Marshal(p.issuer)
	if err != nil {
		return "", fmt.Errorf("encoding the issuer: %w", err)
	}
	maps.Copy(claims, map[string]json.RawMessage{"exp": json.RawMessage(strconv.FormatInt(until, 10)), "iss": issuer})
	body, err := json.Marshal(claims)
	if err != nil {
		return "", fmt.Errorf("encoding claims: %w", err)
	}
	text := base64.URLEncoding.EncodeToString
	signed := text(header) + "." + text(body)
	signature, err := c.signature(signed)
	if err != nil {
		return "", err
	}
	return signed + "." + text(signature), nil
}

// signature is that of ES256: two numbers of 32 bytes.
func (c *claimSigner) signature(signed string) ([]byte, error) {
	sum := sha256.Sum256([]byte(signed))
	der, err := c.key.Sign(rand.Reader, sum[:], crypto.SHA256)
	if err != nil {
		return nil, fmt.Errorf("signing: %w", err)
	}
	var numbers struct{ R, S *big.Int }
	if _, err := asn1.Unmarshal(der, &numbers); err != nil {
		return nil, fmt.Errorf("reading a signature: %w", err)
	}
	const size = 32
	out := make([]byte, 2*size)
	numbers.R.FillBytes(out[:size])
	numbers.S.FillBytes(out[size:])
	return out, nil
}
