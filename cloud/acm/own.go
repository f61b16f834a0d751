package acm

import (
	"context"
	"crypto/rand"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/acm"
	"github.com/aws/aws-sdk-go-v2/service/acm/types"

	"github.com/headgate/headgate/cloud/call"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/material"
)

// Material is what an import takes, in PEM. It is printed by nobody.
type Material struct {
	Leaf, Chain, Key []byte
}

// String keeps the key to itself.
func (Material) String() string { return "material" }

// GoString keeps the key to itself.
func (Material) GoString() string { return "material" }

// Import makes a certificate with tags. AWS makes another one each time it is asked.
func (c *Client) Import(ctx context.Context, m Material, tags map[string]string) (model.ARN, error) {
	out, err := c.api.ImportCertificate(ctx, &sdk.ImportCertificateInput{
		Certificate: m.Leaf, CertificateChain: orNil(m.Chain), PrivateKey: m.Key, Tags: writeTags(tags),
	}, once)
	if err != nil {
		return "", fmt.Errorf("importing a certificate: %w", call.Bare(err))
	}
	return model.ARN(aws.ToString(out.CertificateArn)), nil
}

// Renew imports into a certificate that exists; its ARN and tags stay.
func (c *Client) Renew(ctx context.Context, arn model.ARN, m Material) error {
	_, err := c.api.ImportCertificate(ctx, &sdk.ImportCertificateInput{
		CertificateArn: aws.String(string(arn)), Certificate: m.Leaf, CertificateChain: orNil(m.Chain), PrivateKey: m.Key,
	})
	if err != nil {
		return fmt.Errorf("importing certificate %s anew: %w", arn, call.Bare(err))
	}
	return nil
}

func orNil(b []byte) []byte {
	if len(b) == 0 {
		return nil
	}
	return b
}

func once(o *sdk.Options) { o.Retryer = call.Once(o.Retryer) }

// Request asks for a certificate that is proven by DNS, or that a private authority issues.
func (c *Client) Request(ctx context.Context, want model.OwnCertificate) (model.ARN, error) {
	in := &sdk.RequestCertificateInput{
		DomainName: aws.String(want.Domains[0]), IdempotencyToken: aws.String(rand.Text()), Tags: writeTags(want.Tags),
	}
	if len(want.Domains) > 1 {
		in.SubjectAlternativeNames = want.Domains
	}
	if want.Authority == "" {
		in.ValidationMethod = types.ValidationMethodDns
	} else {
		in.CertificateAuthorityArn = aws.String(string(want.Authority))
	}
	out, err := c.api.RequestCertificate(ctx, in)
	if err != nil {
		return "", fmt.Errorf("requesting a certificate for %s: %w", want.Domains[0], call.Bare(err))
	}
	return model.ARN(aws.ToString(out.CertificateArn)), nil
}

// Delete deletes a certificate.
func (c *Client) Delete(ctx context.Context, arn model.ARN) error {
	if _, err := c.api.DeleteCertificate(ctx, &sdk.DeleteCertificateInput{CertificateArn: aws.String(string(arn))}); err != nil {
		return fmt.Errorf("deleting certificate %s: %w", arn, call.Bare(err))
	}
	return nil
}

// Tags are the tags of a certificate.
func (c *Client) Tags(ctx context.Context, arn model.ARN) (map[string]string, error) {
	out, err := c.api.ListTagsForCertificate(ctx, &sdk.ListTagsForCertificateInput{CertificateArn: aws.String(string(arn))})
	if err != nil {
		return nil, fmt.Errorf("reading tags of certificate %s: %w", arn, call.Bare(err))
	}
	tags := map[string]string{}
	for _, t := range out.Tags {
		tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
	}
	return tags, nil
}

// AddTags sets tags.
func (c *Client) AddTags(ctx context.Context, arn model.ARN, tags map[string]string) error {
	in := &sdk.AddTagsToCertificateInput{CertificateArn: aws.String(string(arn)), Tags: writeTags(tags)}
	if _, err := c.api.AddTagsToCertificate(ctx, in); err != nil {
		return fmt.Errorf("tagging certificate %s: %w", arn, call.Bare(err))
	}
	return nil
}

// RemoveTags removes tags, whatever their values.
func (c *Client) RemoveTags(ctx context.Context, arn model.ARN, keys []string) error {
	in := &sdk.RemoveTagsFromCertificateInput{CertificateArn: aws.String(string(arn))}
	for _, k := range keys {
		in.Tags = append(in.Tags, types.Tag{Key: aws.String(k)})
	}
	if _, err := c.api.RemoveTagsFromCertificate(ctx, in); err != nil {
		return fmt.Errorf("untagging certificate %s: %w", arn, call.Bare(err))
	}
	return nil
}

func writeTags(tags map[string]string) []types.Tag {
	out := make([]types.Tag, 0, len(tags))
	for _, k := range slices.Sorted(maps.Keys(tags)) {
		out = append(out, types.Tag{Key: aws.String(k), Value: aws.String(tags[k])})
	}
	return out
}

// failedFor is how long a request that failed stays before another one is made: whoever must mend something has to act first, and AWS
// counts requests by the year.
const failedFor = time.Hour

// Own is a certificate as it is now, without ID and tags.
func (c *Client) Own(ctx context.Context, arn model.ARN, now time.Time) (model.OwnCertificate, error) {
	got, err := c.describe(ctx, arn)
	if err != nil || got == nil {
		return model.OwnCertificate{}, err
	}
	out := model.OwnCertificate{
		ARN: arn, Type: string(got.Type), Status: string(got.Status), Authority: model.ARN(aws.ToString(got.CertificateAuthorityArn)),
		Domains:  model.SortDomains(aws.ToString(got.DomainName), got.SubjectAlternativeNames),
		NotAfter: aws.ToTime(got.NotAfter).UTC(), Spent: spent(got, now), Failure: string(got.FailureReason),
	}
	if got.Type == types.CertificateTypeImported {
		// The description writes hyphens where the list writes underscores.
		out.KeyAlgorithm = strings.ReplaceAll(string(got.KeyAlgorithm), "-", "_")
		out.Digest, err = c.digest(ctx, arn)
		return out, err
	}
	if got.Status == types.CertificateStatusPendingValidation {
		out.Proofs = proofs(got)
	}
	return out, nil
}

// spent tells whether a certificate that AWS was to issue will never be of use.
func spent(got *types.CertificateDetail, now time.Time) bool {
	if got.Type == types.CertificateTypeImported {
		return false
	}
	switch got.Status {
	case types.CertificateStatusValidationTimedOut, types.CertificateStatusExpired, types.CertificateStatusRevoked, types.CertificateStatusInactive:
		return true
	case types.CertificateStatusFailed:
		return now.Sub(aws.ToTime(got.CreatedAt)) >= failedFor
	default:
		return false
	}
}

// proofs are the records that are still to be found; ACM names them some seconds after the request.
func proofs(got *types.CertificateDetail) []model.DNSRecord {
	var out []model.DNSRecord
	for _, v := range got.DomainValidationOptions {
		if v.ResourceRecord != nil && v.ValidationStatus != types.DomainStatusSuccess {
			out = append(out, model.DNSRecord{Name: aws.ToString(v.ResourceRecord.Name), Value: aws.ToString(v.ResourceRecord.Value)})
		}
	}
	return out
}

func (c *Client) digest(ctx context.Context, arn model.ARN) (string, error) {
	got, err := c.api.GetCertificate(ctx, &sdk.GetCertificateInput{CertificateArn: aws.String(string(arn))})
	if err != nil {
		return "", fmt.Errorf("reading certificate %s: %w", arn, call.Bare(err))
	}
	return material.DigestOf(aws.ToString(got.Certificate) + "\n" + aws.ToString(got.CertificateChain)), nil
}
