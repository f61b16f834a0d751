// Package acm reads the certificates of an account, and requests, imports and deletes those that are ours.
//
// It may import model and the AWS SDK. Its invariant: what is listed comes with all names that the list has, and whether it has more; and
// no private key is in an error or in anything that can be printed.
package acm

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/acm"
	"github.com/aws/aws-sdk-go-v2/service/acm/types"

	"github.com/headgate/headgate/cloud/call"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/fault"
)

// pageSize is the most that ListCertificates returns at once.
const pageSize = 1000

// Client is the ACM API of one account and region.
type Client struct {
	api *sdk.Client
}

// New makes a client.
func New(cfg aws.Config) *Client { return &Client{api: sdk.NewFromConfig(cfg)} }

// Listed is a certificate as the list shows it.
type Listed struct {
	model.Certificate
	// Partial says that it has more names than the list shows; see [Client.Names].
	Partial bool
	// Type and Status are those of the ACM API: IMPORTED, ISSUED, ….
	Type, Status string
	// InUse says that something in AWS has it.
	InUse bool
}

// Issued is the state of a certificate that listeners take.
const Issued = string(types.CertificateStatusIssued)

// Missing stands for the state of a certificate that ACM does not have.
const Missing = "NOT_FOUND"

// State is the status of a certificate, as in ISSUED or PENDING_VALIDATION, or [Missing].
func (c *Client) State(ctx context.Context, arn model.ARN) (string, error) {
	got, err := c.describe(ctx, arn)
	if code := fault.Of(err); code == fault.NotFound || code == fault.Invalid {
		return Missing, nil
	}
	if err != nil || got == nil {
		return Missing, err
	}
	return string(got.Status), nil
}

// All are the certificates of every state and kind of key, by ARN.
func (c *Client) All(ctx context.Context) ([]Listed, error) {
	// Without key types AWS lists RSA keys of 2048 bits only.
	pages := sdk.NewListCertificatesPaginator(c.api, &sdk.ListCertificatesInput{
		Includes: &types.Filters{KeyTypes: types.KeyAlgorithm("").Values()},
		MaxItems: aws.Int32(pageSize),
	})
	var out []Listed
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("listing certificates: %w", call.Bare(err))
		}
		for _, s := range page.CertificateSummaryList {
			out = append(out, readSummary(s))
		}
	}
	slices.SortFunc(out, func(a, b Listed) int { return cmp.Compare(a.ARN, b.ARN) })
	return out, nil
}

// Names are all names of a certificate, sorted.
func (c *Client) Names(ctx context.Context, arn model.ARN) ([]string, error) {
	got, err := c.describe(ctx, arn)
	if err != nil || got == nil {
		return nil, err
	}
	return names(aws.ToString(got.DomainName), got.SubjectAlternativeNames), nil
}

// Users are the ARNs of what has a certificate, as ACM knows.
func (c *Client) Users(ctx context.Context, arn model.ARN) ([]model.ARN, error) {
	got, err := c.describe(ctx, arn)
	if err != nil || got == nil {
		return nil, err
	}
	out := make([]model.ARN, 0, len(got.InUseBy))
	for _, user := range got.InUseBy {
		out = append(out, model.ARN(user))
	}
	return out, nil
}

func (c *Client) describe(ctx context.Context, arn model.ARN) (*types.CertificateDetail, error) {
	got, err := c.api.DescribeCertificate(ctx, &sdk.DescribeCertificateInput{CertificateArn: aws.String(string(arn))})
	if err != nil {
		return nil, fmt.Errorf("reading certificate %s: %w", arn, call.Bare(err))
	}
	return got.Certificate, nil
}

func readSummary(s types.CertificateSummary) Listed {
	return Listed{
		Certificate: model.Certificate{
			ARN:     model.ARN(aws.ToString(s.CertificateArn)),
			Domains: names(aws.ToString(s.DomainName), s.SubjectAlternativeNameSummaries),
		},
		// AWS sends at least the domain name among the alternative names; a list that is left out says nothing.
		Partial: aws.ToBool(s.HasAdditionalSubjectAlternativeNames) || len(s.SubjectAlternativeNameSummaries) == 0,
		Type:    string(s.Type), Status: string(s.Status), InUse: aws.ToBool(s.InUse),
	}
}

func names(domain string, more []string) []string {
	out := make([]string, 0, len(more)+1)
	for _, n := range append([]string{domain}, more...) {
		if n != "" {
			out = append(out, strings.ToLower(n))
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
