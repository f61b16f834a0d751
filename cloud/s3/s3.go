// Package s3 keeps what trust stores are made of in a bucket.
//
// It may import model and the AWS SDK. Its invariant: it lists, writes and deletes objects below the prefix that it is given, and no others.
package s3

import (
	"bytes"
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/headgate/headgate/cloud/call"
	"github.com/headgate/headgate/model"
)

// Client is the S3 API of one account.
type Client struct {
	api *sdk.Client
}

// New makes a client. An endpoint of one's own has its buckets in the path: there are no names for them.
func New(cfg aws.Config) *Client {
	return &Client{api: sdk.NewFromConfig(cfg, func(o *sdk.Options) { o.UsePathStyle = o.BaseEndpoint != nil })}
}

// Put writes an object. Again changes nothing.
func (c *Client) Put(ctx context.Context, b model.Bundle, content []byte) error {
	_, err := c.api.PutObject(ctx, &sdk.PutObjectInput{
		Bucket: aws.String(b.Bucket), Key: aws.String(b.Key), Body: bytes.NewReader(content), ContentType: aws.String("application/x-pem-file"),
	})
	if err != nil {
		return fmt.Errorf("writing object %s: %w", b, call.Bare(err))
	}
	return nil
}

// Delete deletes an object. One that is gone is no error.
func (c *Client) Delete(ctx context.Context, b model.Bundle) error {
	if _, err := c.api.DeleteObject(ctx, &sdk.DeleteObjectInput{Bucket: aws.String(b.Bucket), Key: aws.String(b.Key)}); err != nil {
		return fmt.Errorf("deleting object %s: %w", b, call.Bare(err))
	}
	return nil
}

// List gives the objects of a bucket whose keys begin with prefix, sorted by key.
func (c *Client) List(ctx context.Context, bucket, prefix string) ([]model.Bundle, error) {
	pages := sdk.NewListObjectsV2Paginator(c.api, &sdk.ListObjectsV2Input{Bucket: aws.String(bucket), Prefix: aws.String(prefix)})
	var out []model.Bundle
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("listing %s/%s: %w", bucket, prefix, call.Bare(err))
		}
		for _, o := range page.Contents {
			out = append(out, model.Bundle{Bucket: bucket, Key: aws.ToString(o.Key)})
		}
	}
	return out, nil
}
