package vpc

import (
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/headgate/headgate/cloud/sim/table"
)

// selection says which resources a describe call wants.
type selection struct {
	ids     []string
	filters []ec2types.Filter
}

// pick gives the selected resources of a table. An identifier that names nothing fails the call.
func pick[T any](n *Network, s selection, from *table.Table[T], known fields[T]) ([]T, error) {
	for _, id := range s.ids {
		if !has(from, id) {
			return nil, notFound(id)
		}
	}
	fits, err := compile(s.filters, known, byTags)
	if err != nil {
		return nil, err
	}
	var all []T
	for id, value := range from.All() {
		if s.ids != nil && !slices.Contains(s.ids, id) {
			continue
		}
		if fits(value, n.tags[id]) {
			all = append(all, value)
		}
	}
	return all, nil
}

// sift gives what passes filters of things that have no tags.
func sift[T any](all []T, filters []ec2types.Filter, known fields[T]) ([]T, error) {
	fits, err := compile(filters, known, tagless)
	if err != nil {
		return nil, err
	}
	some := []T{}
	for _, value := range all {
		if fits(value, nil) {
			some = append(some, value)
		}
	}
	return some, nil
}

// each reads one text of every item of a list, leaving out what is not there.
func each[T any](all []T, read func(T) *string) []string {
	var texts []string
	for _, one := range all {
		texts = append(texts, optional(read(one))...)
	}
	return texts
}

// forget removes a row and its tags.
func (n *Network) forget(t interface{ Delete(key string) }, id string) {
	t.Delete(id)
	delete(n.tags, id)
}

func flag(b *bool) []string { return []string{strconv.FormatBool(aws.ToBool(b))} }

func number(i *int32) []string {
	if i == nil {
		return nil
	}
	return []string{strconv.Itoa(int(*i))}
}

// optional gives the texts that are there.
func optional(texts ...*string) []string {
	var all []string
	for _, t := range texts {
		if aws.ToString(t) != "" {
			all = append(all, *t)
		}
	}
	return all
}
