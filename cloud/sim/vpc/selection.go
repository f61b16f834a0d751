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
func pick[T any](n *Network, s selection, from *table.Table[T], fields func(T) lookup) ([]T, error) {
	for _, id := range s.ids {
		if !has(from, id) {
			return nil, notFound(id)
		}
	}
	var all []T
	for id, value := range from.All() {
		if s.ids != nil && !slices.Contains(s.ids, id) {
			continue
		}
		ok, err := n.matches(s.filters, id, fields(value))
		if err != nil {
			return nil, err
		}
		if ok {
			all = append(all, value)
		}
	}
	return all, nil
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
