package elbv2

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"golang.org/x/sync/errgroup"

	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/fault"
)

// tagReaders is how many DescribeTags calls run side by side.
const tagReaders = 4

// Tags are the tags of any ELBv2 resources, twenty a call. A resource that is gone meanwhile is left out.
func (c *Client) Tags(ctx context.Context, arns []model.ARN) (map[model.ARN]map[string]string, error) {
	out := make(map[model.ARN]map[string]string, len(arns))
	var mu sync.Mutex
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(tagReaders)
	for some := range slices.Chunk(arns, batch) {
		group.Go(func() error {
			got, err := c.tags(ctx, some)
			mu.Lock()
			defer mu.Unlock()
			maps.Copy(out, got)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, fmt.Errorf("asking for %d resources: %w", len(arns), err)
	}
	return out, nil
}

// tags reads a batch. AWS fails the whole batch for one resource that is gone, so a batch that fails so is halved.
func (c *Client) tags(ctx context.Context, arns []model.ARN) (map[model.ARN]map[string]string, error) {
	got, err := c.api.DescribeTags(ctx, &elasticloadbalancingv2.DescribeTagsInput{ResourceArns: arnsOf(arns)})
	if fault.Of(err) == fault.NotFound {
		return c.tagsOfHalves(ctx, arns)
	}
	if err != nil {
		return nil, reading("tags", err)
	}
	out := make(map[model.ARN]map[string]string, len(arns))
	for _, d := range got.TagDescriptions {
		tags := make(map[string]string, len(d.Tags))
		for _, t := range d.Tags {
			tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
		}
		out[model.ARN(aws.ToString(d.ResourceArn))] = tags
	}
	return out, nil
}

func (c *Client) tagsOfHalves(ctx context.Context, arns []model.ARN) (map[model.ARN]map[string]string, error) {
	if len(arns) == 1 {
		return nil, nil // a resource that is gone has no tags, which is no error
	}
	left, err := c.tags(ctx, arns[:len(arns)/2])
	if err != nil {
		return nil, err
	}
	right, err := c.tags(ctx, arns[len(arns)/2:])
	if err != nil {
		return nil, err
	}
	out := make(map[model.ARN]map[string]string, len(left)+len(right))
	for _, half := range []map[model.ARN]map[string]string{left, right} {
		maps.Copy(out, half)
	}
	return out, nil
}

// AddTags sets tags of a resource; the others stay.
func (c *Client) AddTags(ctx context.Context, arn model.ARN, tags map[string]string) error {
	_, err := c.api.AddTags(ctx, &elasticloadbalancingv2.AddTagsInput{ResourceArns: []string{string(arn)}, Tags: tagsOf(tags)})
	if err != nil {
		return writing("tagging "+string(arn), err)
	}
	return nil
}

// RemoveTags removes tags of a resource.
func (c *Client) RemoveTags(ctx context.Context, arn model.ARN, keys []string) error {
	_, err := c.api.RemoveTags(ctx, &elasticloadbalancingv2.RemoveTagsInput{ResourceArns: []string{string(arn)}, TagKeys: keys})
	if err != nil {
		return writing("removing tags of "+string(arn), err)
	}
	return nil
}

// Limits are the account's limits by name.
func (c *Client) Limits(ctx context.Context) (map[string]int, error) {
	pages := elasticloadbalancingv2.NewDescribeAccountLimitsPaginator(c.api,
		&elasticloadbalancingv2.DescribeAccountLimitsInput{PageSize: number(pageSize)})
	out := map[string]int{}
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, reading("account limits", err)
		}
		for _, l := range page.Limits {
			if n, err := strconv.Atoi(aws.ToString(l.Max)); err == nil {
				out[aws.ToString(l.Name)] = n
			}
		}
	}
	return out, nil
}

// absent is the error of an answer that lacks what was asked for.
func absent(operation string) error {
	return &fault.Error{Class: fault.NotFound, Action: "elasticloadbalancing:" + operation, Err: errEmpty}
}
