package cert

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/acm"
	acmtypes "github.com/aws/aws-sdk-go-v2/service/acm/types"

	"github.com/headgate/headgate/cloud/sim/listing"
	"github.com/headgate/headgate/cloud/sim/wire"
)

const (
	mostItems = 1000
	// summaryNames is how many names a summary shows.
	summaryNames = 100
)

func (s *Store) listCertificates(in *sdk.ListCertificatesInput) (*sdk.ListCertificatesOutput, error) {
	if (in.SortBy == "") != (in.SortOrder == "") {
		return nil, refused("SortBy and SortOrder must be specified together.")
	}
	size := mostItems
	if in.MaxItems != nil {
		if size = int(*in.MaxItems); size < 1 || size > mostItems {
			return nil, wire.Errorf("InvalidArgsException", "MaxItems must be between 1 and %d.", mostItems)
		}
	}
	var all []*certificate
	for _, c := range s.certificates.All() {
		if s.settle(c); s.listed(c, in) {
			all = append(all, c)
		}
	}
	// They are in the order of their creation.
	if in.SortOrder == acmtypes.SortOrderDescending {
		slices.Reverse(all)
	}
	page, next, ok := listing.Page(all, size, aws.ToString(in.NextToken))
	if !ok {
		return nil, wire.Errorf("InvalidArgsException", "The next token is not valid.")
	}
	out := &sdk.ListCertificatesOutput{CertificateSummaryList: []acmtypes.CertificateSummary{}}
	for _, c := range page {
		out.CertificateSummaryList = append(out.CertificateSummaryList, s.summary(c))
	}
	if next != "" {
		out.NextToken = &next
	}
	return out, nil
}

// listed holds the filters. Without key types only RSA with 1024 and 2048 bits is listed.
func (s *Store) listed(c *certificate, in *sdk.ListCertificatesInput) bool {
	if in.CertificateStatuses != nil && !slices.Contains(in.CertificateStatuses, s.status(c)) {
		return false
	}
	if len(in.CertificateKeyPairOrigins) > 0 && !slices.Contains(in.CertificateKeyPairOrigins, origin(c)) {
		return false
	}
	f := in.Includes
	if f == nil {
		f = &acmtypes.Filters{}
	}
	keys := []acmtypes.KeyAlgorithm{acmtypes.KeyAlgorithmRsa1024, acmtypes.KeyAlgorithmRsa2048}
	if len(f.KeyTypes) > 0 {
		keys = f.KeyTypes
	}
	exported := c.export
	if exported == "" {
		exported = acmtypes.CertificateExportDisabled
	}
	return slices.Contains(keys, c.key) && (f.ManagedBy == "" || f.ManagedBy == c.managed) && (f.ExportOption == "" || f.ExportOption == exported) &&
		usedFor(c, f)
}

// usedFor reports whether a certificate has all the usages that are asked for. One that is not issued has none.
func usedFor(c *certificate, f *acmtypes.Filters) bool {
	if len(f.KeyUsage) == 0 && len(f.ExtendedKeyUsage) == 0 {
		return true
	}
	if c.material == nil {
		return false
	}
	for _, u := range f.KeyUsage {
		if !slices.Contains(usages(c.material.Leaf), u) {
			return false
		}
	}
	for _, u := range f.ExtendedKeyUsage {
		if !slices.Contains(purposes(c), u) {
			return false
		}
	}
	return true
}

func purposes(c *certificate) []acmtypes.ExtendedKeyUsageName {
	var all []acmtypes.ExtendedKeyUsageName
	for _, u := range extended(c.material.Leaf) {
		all = append(all, u.Name)
	}
	return all
}

func (s *Store) summary(c *certificate) acmtypes.CertificateSummary {
	shown := c.names[:min(len(c.names), summaryNames)]
	out := acmtypes.CertificateSummary{
		CertificateArn: aws.String(c.arn), DomainName: aws.String(c.domain), SubjectAlternativeNameSummaries: shown,
		HasAdditionalSubjectAlternativeNames: aws.Bool(len(shown) < len(c.names)), Status: s.status(c), Type: c.kind, KeyAlgorithm: c.key,
		InUse: aws.Bool(len(s.usedBy(c.arn)) > 0), CreatedAt: aws.Time(c.created), RenewalEligibility: s.eligibility(c), ManagedBy: c.managed,
		CertificateKeyPairOrigin: origin(c), Exported: aws.Bool(false), ExportOption: c.export, ImportedAt: moment(c.imported), IssuedAt: moment(c.issued),
	}
	if c.material != nil {
		out.NotBefore, out.NotAfter = aws.Time(c.material.Leaf.NotBefore), aws.Time(c.material.Leaf.NotAfter)
		out.KeyUsages, out.ExtendedKeyUsages = usages(c.material.Leaf), purposes(c)
	}
	return out
}
