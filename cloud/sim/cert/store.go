package cert

import (
	"crypto/tls"
	"slices"
	"strings"
	"time"

	acmtypes "github.com/aws/aws-sdk-go-v2/service/acm/types"

	"github.com/headgate/headgate/cloud/sim/account"
	"github.com/headgate/headgate/cloud/sim/listing"
	"github.com/headgate/headgate/cloud/sim/table"
	"github.com/headgate/headgate/cloud/sim/wire"
)

// Records knows the public DNS.
type Records interface {
	// Has reports whether a record is there: a full name without dot at its end in lower case, a type as in CNAME, and a value likewise.
	Has(name, kind, value string) bool
}

// Store holds the certificates of the account.
type Store struct {
	// Tags are those of certificates.
	Tags *listing.Tags

	account      *account.Account
	records      Records
	certificates table.Table[*certificate]
	tokens       map[string]request
	imports      []time.Time
	authority    *authority
	// expiry is how many days before a certificate expires its owner is told.
	expiry int32
	usedBy func(arn string) []string
}

// request is what an idempotency token stands for.
type request struct {
	arn string
	at  time.Time
}

// certificate is a certificate. One that was requested and is not issued yet has no material.
type certificate struct {
	arn       string
	kind      acmtypes.CertificateType
	domain    string
	names     []string
	key       acmtypes.KeyAlgorithm
	material  *Material
	created   time.Time
	imported  time.Time
	issued    time.Time
	renewed   time.Time
	issues    int
	method    acmtypes.ValidationMethod
	contacts  map[string]string
	authority string
	managed   acmtypes.CertificateManagedBy
	export    acmtypes.CertificateExport
	// proven is when all names were found in the DNS; mailed when the owner was last asked by mail.
	proven, mailed time.Time
	failure        acmtypes.FailureReason
}

// New makes an empty store, to which no DNS belongs.
func New(a *account.Account) *Store {
	return &Store{
		Tags:    listing.NewTags(listing.Codes{Invalid: "InvalidTagException", TooMany: "TooManyTagsException"}),
		account: a, tokens: map[string]request{}, expiry: maxExpiryDays, usedBy: func(string) []string { return nil },
	}
}

// UsedBy tells the store how to find more of those that use a certificate.
func (s *Store) UsedBy(find func(arn string) []string) {
	others := s.usedBy
	s.usedBy = func(arn string) []string { return slices.Concat(others(arn), find(arn)) }
}

// Validate tells the store where the records are that prove a domain to be somebody's.
func (s *Store) Validate(r Records) { s.records = r }

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
			wire.Writes("RenewCertificate", s.renewCertificate),
			wire.Writes("UpdateCertificateOptions", s.updateOptions),
			wire.Writes("ResendValidationEmail", s.resendEmail),
			wire.Reads("GetAccountConfiguration", s.getConfiguration),
			wire.Writes("PutAccountConfiguration", s.putConfiguration),
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
	s.settle(c)
	// Clients look at the alternative names where there are any (RFC 6125), so one of them will do, as with certificates of IAM: believed.
	full := slices.ContainsFunc(c.names, func(name string) bool { return strings.Contains(name, ".") })
	return Found{Usable: s.status(c) == acmtypes.CertificateStatusIssued && full}, true
}

// TLS gives a certificate with its key.
func (s *Store) TLS(arn string) (*tls.Certificate, bool) {
	c, ok := s.certificates.Get(arn)
	if !ok {
		return nil, false
	}
	if s.settle(c); c.material == nil {
		return nil, false
	}
	return c.material.Pair, true
}

// Dump gives everything that the store holds but private keys.
func (s *Store) Dump() any {
	all := []any{}
	for arn, c := range s.certificates.All() {
		s.settle(c)
		shown := map[string]any{"CertificateDetail": s.detail(c), "Tags": s.Tags.Of(arn)}
		if c.material != nil {
			shown["Certificate"] = c.material.Body
		}
		all = append(all, shown)
	}
	return all
}

func (s *Store) status(c *certificate) acmtypes.CertificateStatus {
	switch {
	case c.failure != "":
		return acmtypes.CertificateStatusFailed
	case c.material == nil && s.late(c):
		return acmtypes.CertificateStatusValidationTimedOut
	case c.material == nil:
		return acmtypes.CertificateStatusPendingValidation
	case s.account.Now().After(c.material.Leaf.NotAfter):
		return acmtypes.CertificateStatusExpired
	default:
		return acmtypes.CertificateStatusIssued
	}
}

func notFound(arn, accountID string) error {
	return wire.Errorf("ResourceNotFoundException", "Could not find certificate %s in account %s.", arn, accountID)
}

// get finds a certificate by ARN, as it is now.
func (s *Store) get(arn *string) (*certificate, error) {
	if arn == nil || !strings.HasPrefix(*arn, "arn:") || !strings.Contains(*arn, ":certificate/") {
		return nil, wire.Errorf("InvalidArnException", "The certificate ARN is not valid.")
	}
	c, ok := s.certificates.Get(*arn)
	if !ok {
		return nil, notFound(*arn, s.account.ID)
	}
	s.settle(c)
	return c, nil
}
