// Package elbv2 reads load balancers, listeners, rules and target groups into model types, and writes them from model types.
//
// It may import model, cloud/call and the AWS SDK. Its invariants: what it reads is normalised (defaults filled, both of AWS's
// encodings of conditions and forwards read alike), it knows no keys (references are by ARN and group ID), and a write is one
// API call.
package elbv2

import (
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/headgate/headgate/cloud/call"
	"github.com/headgate/headgate/model"
)

// pageSize is the most that a Describe call returns at once.
const pageSize = 400

// batch is how many ARNs DescribeTags takes.
const batch = 20

// Client is the ELBv2 API of one account and region.
type Client struct {
	api *elasticloadbalancingv2.Client
}

// New makes a client.
func New(cfg aws.Config) *Client { return &Client{api: elasticloadbalancingv2.NewFromConfig(cfg)} }

// once is the option of calls that create.
func once(o *elasticloadbalancingv2.Options) { o.Retryer = call.Once(o.Retryer) }

// number is n as the API wants it.
func number(n int) *int32 {
	return aws.Int32(int32(min(max(n, 0), math.MaxInt32)))
}

// optional is s, nil when it is empty.
func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func tagsOf(tags map[string]string) []types.Tag {
	out := make([]types.Tag, 0, len(tags))
	for _, k := range slices.Sorted(maps.Keys(tags)) {
		out = append(out, types.Tag{Key: aws.String(k), Value: aws.String(tags[k])})
	}
	return out
}

func arnsOf(arns []model.ARN) []string {
	out := make([]string, len(arns))
	for i, a := range arns {
		out[i] = string(a)
	}
	return out
}

func reading(what string, err error) error { return fmt.Errorf("reading %s: %w", what, call.Bare(err)) }

func writing(what string, err error) error { return fmt.Errorf("%s: %w", what, call.Bare(err)) }
