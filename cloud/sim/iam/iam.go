// Package iam simulates Identity and Access Management as far as load balancers need it: server certificates, the roles that are linked to
// services, and those that callers may assume, with their policies. It may import the SDK's shapes and the simulator's wire, account, table,
// listing, policy and cert packages. Its invariant: a private key never leaves the package but as a tls.Certificate.
package iam

import (
	"net/http"
	"regexp"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/headgate/headgate/cloud/sim/account"
	"github.com/headgate/headgate/cloud/sim/listing"
	"github.com/headgate/headgate/cloud/sim/table"
	"github.com/headgate/headgate/cloud/sim/wire"
)

// Directory holds what the account has in IAM.
type Directory struct {
	// Tags are those of server certificates.
	Tags *listing.Tags

	account *account.Account
	// certificates are by name, whatever its case.
	certificates table.Table[*certificate]
	roles        table.Table[iamtypes.Role]
	// inline holds the policies of roles, by the names of both.
	inline map[string]map[string]string
	usedBy func(arn string) []string
}

// New makes an account without certificates and roles.
func New(a *account.Account) *Directory {
	return &Directory{
		Tags:    listing.NewTags(listing.Codes{Invalid: "InvalidInput", TooMany: "LimitExceeded"}),
		account: a, inline: map[string]map[string]string{}, usedBy: func(string) []string { return nil },
	}
}

// Service gives the IAM API.
func (d *Directory) Service() wire.Service {
	return wire.Service{
		Name: "iam", Target: "2010-05-08", Protocol: wire.Query{Namespace: "https://iam.amazonaws.com/doc/2010-05-08/"},
		Operations: wire.Table(slices.Concat(d.certificateOperations(), d.roleOperations(), d.ownRoleOperations())...),
	}
}

// Dump gives everything that the service holds but private keys, in the shapes of the API.
func (d *Directory) Dump() any {
	var out struct {
		ServerCertificates []iamtypes.ServerCertificate
		Roles              []iamtypes.Role
		RolePolicies       map[string]map[string]string
	}
	for _, c := range d.certificates.All() {
		out.ServerCertificates = append(out.ServerCertificates, d.show(c))
	}
	out.Roles, out.RolePolicies = d.roles.Values(), d.inline
	return out
}

func invalid(format string, args ...any) error {
	return wire.Errorf("ValidationError", format, args...)
}

func missing(format string, args ...any) *wire.Error {
	return wire.Errorf("NoSuchEntity", format, args...).WithStatus(http.StatusNotFound)
}

func conflict(code, format string, args ...any) *wire.Error {
	return wire.Errorf(code, format, args...).WithStatus(http.StatusConflict)
}

// Forms of names and paths (IAM API reference).
var (
	nameForm = regexp.MustCompile(`^[\w+=,.@-]{1,128}$`)
	pathForm = regexp.MustCompile(`^/$|^/[!-~]{1,510}/$`)
)

// Sizes of pages.
const (
	mostItems    = 1000
	defaultItems = 100
)

// page is a part of a list as IAM gives it.
type page[T any] struct {
	items     []T
	marker    *string
	truncated bool
}

func cut[T any](all []T, size *int32, marker *string) (page[T], error) {
	number := int32(defaultItems)
	if size != nil {
		number = *size
	}
	if number < 1 || number > mostItems {
		return page[T]{}, invalid("1 validation error detected: Value '%d' at 'maxItems' failed to satisfy constraint: "+
			"Member must have value between 1 and %d", number, mostItems)
	}
	items, next, ok := listing.Page(all, int(number), aws.ToString(marker))
	if !ok {
		return page[T]{}, invalid("Invalid Marker.")
	}
	if next == "" {
		return page[T]{items: items}, nil
	}
	return page[T]{items, &next, true}, nil
}
