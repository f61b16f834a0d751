// Package credential reads the clients of identity providers that Secrets hold.
//
// It imports the standard library and package model. Its invariant: no message, digest or printed value that it gives tells anything of a
// client's secret.
package credential

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"unicode"

	"github.com/headgate/headgate/model"
)

// The keys of a Secret. The second one of the identifier is that of older versions of the incumbent.
const (
	keyID       = "clientID"
	keyLegacyID = "clientId"
	keySecret   = "clientSecret"
)

// digestLength is the count of hex digits of a digest: enough to tell secrets apart, too few to prove one.
const digestLength = 16

// Client is a client of an identity provider.
type Client struct {
	// ID is public.
	ID     string
	secret string
}

// Read reads a client from the data of a Secret. White space and control characters at the ends of values are none of them.
func Read(data map[string][]byte) (Client, error) {
	id, ok := data[keyID]
	if !ok {
		id = data[keyLegacyID]
	}
	out := Client{ID: trim(id), secret: trim(data[keySecret])}
	switch {
	case out.ID == "":
		return Client{}, errors.New("it has no key " + keyID + ": write the identifier of the client there")
	case out.secret == "":
		return Client{}, errors.New("it has no key " + keySecret + ": write the secret of the client there")
	}
	return out, nil
}

func trim(value []byte) string {
	return strings.TrimRightFunc(string(value), func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) })
}

// Secret is the client's secret, for the call that needs it and nothing else.
func (c Client) Secret() string { return c.secret }

// Digest tells two secrets of one Secret apart. Its key is the cluster's name with the Secret's: equal secrets of different Secrets have
// different digests.
func (c Client) Digest(cluster string, ref model.SecretRef) string {
	mac := hmac.New(sha256.New, []byte(cluster+"\n"+ref.String()))
	mac.Write([]byte(c.secret))
	return hex.EncodeToString(mac.Sum(nil))[:digestLength]
}

// String leaves the secret out.
func (c Client) String() string { return c.ID }

// GoString leaves the secret out.
func (c Client) GoString() string { return fmt.Sprintf("credential.Client{ID: %q}", c.ID) }
