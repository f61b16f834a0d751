package dataplane

import (
	"context"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/big"
	"net/http"
	"sync"
	"time"
)

// Limits of key sets (ALB user guide, "Verify JWTs"), and how long they are kept, which is not documented.
const (
	maxKeys     = 10
	keysLife    = 5 * time.Minute
	keysPause   = 10 * time.Second
	maxEndpoint = 1000
)

var errKeys = errors.New("key set cannot be used")

// publicKey is a key of a key set.
type publicKey struct {
	id  string
	key *rsa.PublicKey
}

// keyring keeps the key sets that were fetched.
type keyring struct {
	mu  sync.Mutex
	all map[string]*keySet
}

// keySet is the key set of one endpoint. Its lock is held while it is fetched, so that it is fetched once.
type keySet struct {
	mu      sync.Mutex
	fetched time.Time
	keys    []publicKey
}

func (k *keyring) at(endpoint string) *keySet {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.all == nil || len(k.all) >= maxEndpoint {
		k.all = map[string]*keySet{}
	}
	if k.all[endpoint] == nil {
		k.all[endpoint] = &keySet{}
	}
	return k.all[endpoint]
}

// keys gives the keys of an endpoint. A key that is not among them may be new: then they are fetched again, but not all the time.
func (s *Server) keys(ctx context.Context, endpoint, wanted string) ([]publicKey, error) {
	set := s.keyring.at(endpoint)
	set.mu.Lock()
	defer set.mu.Unlock()
	age := s.now().Sub(set.fetched)
	if set.fetched.IsZero() || age > s.scaled(keysLife) || !set.has(wanted) && age > s.scaled(keysPause) {
		keys, err := s.fetchKeys(ctx, endpoint)
		if err != nil {
			return nil, err
		}
		set.keys, set.fetched = keys, s.now()
	}
	return set.keys, nil
}

func (k *keySet) has(id string) bool {
	for _, key := range k.keys {
		if key.id == id || id == "" {
			return true
		}
	}
	return false
}

func (s *Server) fetchKeys(ctx context.Context, endpoint string) ([]publicKey, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, endpoint, http.NoBody)
	if err != nil {
		return nil, fmt.Errorf("key set endpoint: %w", err)
	}
	status, body, err := s.ask(r)
	if err != nil {
		return nil, err
	}
	var set struct {
		Keys []jsonKey `json:"keys"`
	}
	if err := json.Unmarshal(body, &set); err != nil || status != http.StatusOK {
		return nil, fmt.Errorf("status %d: %w", status, errors.Join(errKeys, err))
	}
	if len(set.Keys) > maxKeys {
		return nil, fmt.Errorf("%d keys: %w", len(set.Keys), errKeys)
	}
	var all []publicKey
	for _, k := range set.Keys {
		if key, ok := k.public(); ok {
			all = append(all, key)
		}
	}
	return all, nil
}

// jsonKey is a key as a key set has it. Only RSA keys for signatures are used.
type jsonKey struct {
	Type     string `json:"kty"`
	Use      string `json:"use"`
	ID       string `json:"kid"`
	Modulus  string `json:"n"`
	Exponent string `json:"e"`
}

func (k *jsonKey) public() (publicKey, bool) {
	n, err := base64.RawURLEncoding.DecodeString(k.Modulus)
	e, err2 := base64.RawURLEncoding.DecodeString(k.Exponent)
	exponent := new(big.Int).SetBytes(e)
	if err != nil || err2 != nil || k.Type != "RSA" || k.Use != "" && k.Use != "sig" || !exponent.IsInt64() || exponent.Int64() > math.MaxInt32 {
		return publicKey{}, false
	}
	return publicKey{k.ID, &rsa.PublicKey{N: new(big.Int).SetBytes(n), E: int(exponent.Int64())}}, true
}
