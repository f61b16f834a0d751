package elbv2

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/fault"
)

// AllTrustStores are the trust stores of the account, without their tags.
func (c *Client) AllTrustStores(ctx context.Context) ([]model.TrustStore, error) {
	pages := elasticloadbalancingv2.NewDescribeTrustStoresPaginator(c.api, &elasticloadbalancingv2.DescribeTrustStoresInput{PageSize: number(pageSize)})
	var out []model.TrustStore
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, reading("trust stores", err)
		}
		for _, s := range page.TrustStores {
			out = append(out, readStore(s))
		}
	}
	return out, nil
}

// TrustStores are the ARNs of all trust stores of the account, by name.
func (c *Client) TrustStores(ctx context.Context) (map[string]model.ARN, error) {
	all, err := c.AllTrustStores(ctx)
	if err != nil {
		return nil, err
	}
	out := map[string]model.ARN{}
	for _, s := range all {
		out[s.Name] = s.ARN
	}
	return out, nil
}

// HasTrustStore tells whether there is a trust store of this ARN, which another account may share. What AWS does not take for the ARN of
// one is not there.
func (c *Client) HasTrustStore(ctx context.Context, arn model.ARN) (bool, error) {
	_, err := c.TrustStore(ctx, arn)
	if class := fault.Of(err); class == fault.NotFound || class == fault.Invalid {
		return false, nil
	}
	return err == nil, err
}

// TrustStore is a trust store by its ARN.
func (c *Client) TrustStore(ctx context.Context, arn model.ARN) (model.TrustStore, error) {
	return c.trustStore(ctx, string(arn), &elasticloadbalancingv2.DescribeTrustStoresInput{TrustStoreArns: []string{string(arn)}})
}

// TrustStoreNamed is a trust store by its name.
func (c *Client) TrustStoreNamed(ctx context.Context, name string) (model.TrustStore, error) {
	return c.trustStore(ctx, name, &elasticloadbalancingv2.DescribeTrustStoresInput{Names: []string{name}})
}

func (c *Client) trustStore(ctx context.Context, name string, in *elasticloadbalancingv2.DescribeTrustStoresInput) (model.TrustStore, error) {
	out, err := c.api.DescribeTrustStores(ctx, in)
	if err != nil {
		return model.TrustStore{}, reading("trust store "+name, err)
	}
	if len(out.TrustStores) == 0 {
		return model.TrustStore{}, reading("trust store "+name, absent("DescribeTrustStores"))
	}
	return readStore(out.TrustStores[0]), nil
}

// CreateTrustStore makes a trust store with its tags of an object in S3, which AWS reads with the caller's rights. It is not ready at once.
func (c *Client) CreateTrustStore(ctx context.Context, t model.TrustStore) (model.TrustStore, error) {
	out, err := c.api.CreateTrustStore(ctx, &elasticloadbalancingv2.CreateTrustStoreInput{
		Name: aws.String(t.Name), CaCertificatesBundleS3Bucket: aws.String(t.Bundle.Bucket), CaCertificatesBundleS3Key: aws.String(t.Bundle.Key),
		Tags: tagsOf(t.Tags),
	}, once)
	if err != nil {
		return model.TrustStore{}, writing("creating trust store "+t.Name, err)
	}
	if len(out.TrustStores) == 0 {
		return c.TrustStoreNamed(ctx, t.Name)
	}
	return readStore(out.TrustStores[0]), nil
}

// ModifyTrustStore makes a trust store anew of another object.
func (c *Client) ModifyTrustStore(ctx context.Context, arn model.ARN, b model.Bundle) error {
	_, err := c.api.ModifyTrustStore(ctx, &elasticloadbalancingv2.ModifyTrustStoreInput{
		TrustStoreArn: aws.String(string(arn)), CaCertificatesBundleS3Bucket: aws.String(b.Bucket), CaCertificatesBundleS3Key: aws.String(b.Key),
	})
	if err != nil {
		return writing("modifying trust store "+string(arn), err)
	}
	return nil
}

// DeleteTrustStore deletes a trust store.
func (c *Client) DeleteTrustStore(ctx context.Context, arn model.ARN) error {
	_, err := c.api.DeleteTrustStore(ctx, &elasticloadbalancingv2.DeleteTrustStoreInput{TrustStoreArn: aws.String(string(arn))})
	if err != nil {
		return writing("deleting trust store "+string(arn), err)
	}
	return nil
}

func readStore(s types.TrustStore) model.TrustStore {
	return model.TrustStore{Name: aws.ToString(s.Name), ARN: model.ARN(aws.ToString(s.TrustStoreArn)), Status: string(s.Status)}
}
