package dataplane

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

var errToken = errors.New("token is not valid")

// jwt is a signed token, taken apart. Nothing in it is believed before its signature was checked.
type jwt struct {
	algorithm, keyID string
	claims           map[string]any
	signed           string
	signature        []byte
}

func parseToken(text string) (*jwt, error) {
	parts := strings.Split(text, ".")
	if len(parts) != 3 {
		return nil, fmt.Errorf("%d parts: %w", len(parts), errToken)
	}
	var header struct {
		Algorithm string `json:"alg"`
		KeyID     string `json:"kid"`
	}
	t := &jwt{signed: parts[0] + "." + parts[1]}
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err := errors.Join(err, decodePart(parts[0], &header), decodePart(parts[1], &t.claims)); err != nil {
		return nil, err
	}
	t.algorithm, t.keyID, t.signature = header.Algorithm, header.KeyID, signature
	return t, nil
}

func decodePart(part string, into any) error {
	text, err := base64.RawURLEncoding.DecodeString(part)
	if err != nil {
		return fmt.Errorf("%w: %w", errToken, err)
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if err := d.Decode(into); err != nil {
		return fmt.Errorf("%w: %w", errToken, err)
	}
	return nil
}

// signedBy reports whether one of the keys made the signature. RS256 is the only algorithm.
func (t *jwt) signedBy(keys []publicKey) bool {
	if t.algorithm != "RS256" {
		return false
	}
	sum := sha256.Sum256([]byte(t.signed))
	return slices.ContainsFunc(keys, func(k publicKey) bool {
		return (t.keyID == "" || t.keyID == k.id) && rsa.VerifyPKCS1v15(k.key, crypto.SHA256, sum[:], t.signature) == nil
	})
}

// text gives a claim that is a string.
func (t *jwt) text(name string) string {
	s, _ := t.claims[name].(string)
	return s
}

// list gives the strings of a claim that is an array; nil if it is none.
func (t *jwt) list(name string) []string {
	array, ok := t.claims[name].([]any)
	if !ok {
		return nil
	}
	all := make([]string, 0, len(array))
	for _, v := range array {
		s, ok := v.(string)
		if !ok {
			return nil
		}
		all = append(all, s)
	}
	return all
}

// current checks the times of a token: it must have an expiry, and may have times before which it does not count.
func (t *jwt) current(now time.Time) error {
	expiry, ok := t.seconds("exp")
	if !ok || !now.Before(expiry) {
		return fmt.Errorf("claim exp: %w", errToken)
	}
	for _, name := range []string{"nbf", "iat"} {
		if _, there := t.claims[name]; !there {
			continue
		}
		if at, ok := t.seconds(name); !ok || now.Before(at) {
			return fmt.Errorf("claim %s: %w", name, errToken)
		}
	}
	return nil
}

// seconds gives a claim that is a time.
func (t *jwt) seconds(name string) (time.Time, bool) {
	number, ok := t.claims[name].(json.Number)
	if !ok {
		return time.Time{}, false
	}
	f, err := number.Float64()
	if err != nil {
		return time.Time{}, false
	}
	return time.UnixMicro(int64(f * 1e6)), true
}
