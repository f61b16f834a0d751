package cert

import (
	"crypto/tls"
	"crypto/x509"
	"maps"
	"strings"
	"time"

	acmtypes "github.com/aws/aws-sdk-go-v2/service/acm/types"

	"github.com/headgate/headgate/cloud/sim/account"
	"github.com/headgate/headgate/cloud/sim/table"
	"github.com/headgate/headgate/cloud/sim/wire"
)

// Store holds the certificates of the account.
type Store struct {
	account      *account.Account
	certificates table.Table[*certificate]
	tokens       map[string]string
	usedBy       func(arn string) []string
}

// certificate is a certificate. One that was requested and not validated has no material.
type certificate struct {
	arn      string
	kind     acmtypes.CertificateType
	domain   string
	names    []string
	key      acmtypes.KeyAlgorithm
	leaf     *x509.Certificate
	material *tls.Certificate
	body     string
	chain    string
	created  time.Time
	imported time.Time
	method   acmtypes.ValidationMethod
	tags     map[string]string
}

// New makes an empty store.
func New(a *account.Account) *Store {
	return &Store{account: a, tokens: map[string]string{}, usedBy: func(string) []string { return nil }}
}

// UsedBy tells the store how to find the load balancers that use a certificate.
func (s *Store) UsedBy(find func(arn string) []string) { s.usedBy = find }

// Service gives the ACM API.
func (s *Store) Service() wire.Service {
	return wire.Service{
		Name: "acm", Target: "CertificateManager", Protocol: wire.JSON{Invalid: "ValidationException"},
		Operations: wire.Table(
			wire.Writes("ImportCertificate", s.importCertificate),
			wire.Writes("RequestCertificate", s.requestCertificate),
			wire.Reads("DescribeCertificate", s.describeCertificate),
			wire.Reads("GetCertificate", s.getCertificate),
			wire.Reads("ListCertificates", s.listCertificates),
			wire.Writes("DeleteCertificate", s.deleteCertificate),
			wire.Writes("AddTagsToCertificate", s.addTags),
			wire.Writes("RemoveTagsFromCertificate", s.removeTags),
			wire.Reads("ListTagsForCertificate", s.listTags),
		),
	}
}

// Found says what a listener must know of a certificate.
type Found struct {
	// Usable is false for a certificate that is not issued, expired or without a full domain name.
	Usable bool
}

// Find looks a certificate up.
func (s *Store) Find(arn string) (Found, bool) {
	c, ok := s.certificates.Get(arn)
	if !ok {
		return Found{}, false
	}
	return Found{Usable: s.status(c) == acmtypes.CertificateStatusIssued && strings.Contains(c.domain, ".")}, true
}

// TLS gives a certificate with its key.
func (s *Store) TLS(arn string) (*tls.Certificate, bool) {
	c, ok := s.certificates.Get(arn)
	if !ok || c.material == nil {
		return nil, false
	}
	return c.material, true
}

// Tagged gives the ARNs and tags of all certificates that have tags.
func (s *Store) Tagged() map[string]map[string]string {
	all := map[string]map[string]string{}
	for arn, c := range s.certificates.All() {
		if len(c.tags) > 0 {
			all[arn] = maps.Clone(c.tags)
		}
	}
	return all
}

// TagsOf gives the tags of a certificate; nil if it is not there or has none.
func (s *Store) TagsOf(arn string) map[string]string {
	c, ok := s.certificates.Get(arn)
	if !ok {
		return nil
	}
	return c.tags
}

// Dump gives everything that the store holds but private keys.
func (s *Store) Dump() any {
	all := []any{}
	for _, c := range s.certificates.All() {
		all = append(all, map[string]any{"CertificateDetail": s.detail(c), "Certificate": c.body, "Tags": c.tags})
	}
	return all
}

func (s *Store) status(c *certificate) acmtypes.CertificateStatus {
	switch {
	case c.leaf == nil:
		return acmtypes.CertificateStatusPendingValidation
	case s.account.Now().After(c.leaf.NotAfter):
		return acmtypes.CertificateStatusExpired
	default:
		return acmtypes.CertificateStatusIssued
	}
}

func notFound(arn, accountID string) error {
	return wire.Errorf("ResourceNotFoundException", "Could not find certificate %s in account %s.", arn, accountID)
}

// get finds a certificate by ARN.
func (s *Store) get(arn *string) (*certificate, error) {
	if arn == nil || !strings.HasPrefix(*arn, "arn:") || !strings.Contains(*arn, ":certificate/") {
		return nil, wire.Errorf("InvalidArnException", "The certificate ARN is not valid.")
	}
	c, ok := s.certificates.Get(*arn)
	if !ok {
		return nil, notFound(*arn, s.account.ID)
	}
	return c, nil
}
