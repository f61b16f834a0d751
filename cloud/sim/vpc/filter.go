package vpc

import (
	"encoding/base64"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/headgate/headgate/cloud/sim/wire"
)

// fields says which filters a kind of resource has, and what a resource holds for each.
type fields[T any] map[string]func(T) []string

// none is for filters of which nothing here ever has a value.
func (f fields[T]) none(names ...string) fields[T] {
	for _, name := range names {
		f[name] = func(T) []string { return nil }
	}
	return f
}

// tagFilters says whether a kind of resource is found by its tags, with tag:KEY and tag-key.
type tagFilters bool

const (
	byTags  tagFilters = true
	tagless tagFilters = false
)

const maxFilterValues = 200

// compile checks filters, whatever there is to filter, and gives the test of a resource with its tags: each filter has one value that fits.
func compile[T any](filters []ec2types.Filter, known fields[T], tags tagFilters) (func(T, map[string]string) bool, error) {
	for _, f := range filters {
		name := aws.ToString(f.Name)
		if name == "" || len(f.Values) == 0 {
			return nil, wire.Errorf("InvalidParameterValue", "The filter '%s' needs at least one value", name)
		}
		if len(f.Values) > maxFilterValues {
			return nil, wire.Errorf("FilterLimitExceeded", "The maximum number of filter values is %d", maxFilterValues)
		}
		if known[name] == nil && (!bool(tags) || !isTagFilter(name)) {
			return nil, wire.Errorf("InvalidParameterValue", "The filter '%s' is invalid", name)
		}
	}
	return func(value T, tags map[string]string) bool {
		for _, f := range filters {
			held := tagValues(*f.Name, tags)
			if read := known[*f.Name]; read != nil {
				held = read(value)
			}
			if !anyFits(f.Values, held) {
				return false
			}
		}
		return true
	}, nil
}

func isTagFilter(name string) bool { return name == "tag-key" || strings.HasPrefix(name, "tag:") }

// tagValues gives what tags hold for tag:KEY and tag-key.
func tagValues(name string, tags map[string]string) []string {
	if name == "tag-key" {
		return slices.Collect(maps.Keys(tags))
	}
	if value, has := tags[strings.TrimPrefix(name, "tag:")]; has {
		return []string{value}
	}
	return nil
}

func anyFits(wanted, held []string) bool {
	for _, w := range wanted {
		for _, h := range held {
			if wildcard(w, h) {
				return true
			}
		}
	}
	return false
}

// wildcard compares a text with a filter value, in which * is any text, ? is one character and a backslash takes that meaning away.
func wildcard(pattern, text string) bool {
	for pattern != "" {
		switch pattern[0] {
		case '*':
			for i := range len(text) + 1 {
				if wildcard(pattern[1:], text[i:]) {
					return true
				}
			}
			return false
		case '?':
			if text == "" {
				return false
			}
		case '\\':
			if len(pattern) > 1 {
				pattern = pattern[1:]
			}
			fallthrough
		default:
			if text == "" || text[0] != pattern[0] {
				return false
			}
		}
		pattern, text = pattern[1:], text[1:]
	}
	return text == ""
}

// page is what a caller asks for of a list.
type page struct {
	size  *int32
	token *string
	// byID says that the caller named resources, which excludes paging.
	byID bool
	// least and most are the sizes of the smallest and the largest page.
	least, most int32
}

const (
	smallestPage = 5
	largestPage  = 1000
)

// cut gives a page of a list and the token of the next one.
func cut[T any](all []T, p page) ([]T, *string, error) {
	if p.size != nil && p.byID {
		return nil, nil, wire.Errorf("InvalidParameterCombination", "The parameter maxResults cannot be used with identifiers")
	}
	if p.most == 0 {
		p.most = largestPage
	}
	if p.least == 0 {
		p.least = smallestPage
	}
	if p.size != nil && (*p.size < p.least || *p.size > p.most) {
		return nil, nil, wire.Errorf("InvalidParameterValue", "Value (%d) for parameter maxResults is invalid. Expecting a value between %d and %d",
			*p.size, p.least, p.most)
	}
	start := 0
	if token := aws.ToString(p.token); token != "" {
		raw, err := base64.RawURLEncoding.DecodeString(token)
		if err == nil {
			start, err = strconv.Atoi(strings.TrimPrefix(string(raw), "from:"))
		}
		if err != nil || start < 0 {
			return nil, nil, wire.Errorf("InvalidPaginationToken", "The pagination token is not valid")
		}
	}
	start = min(start, len(all))
	end := len(all)
	if p.size != nil {
		end = min(end, start+int(*p.size))
	}
	if end == len(all) {
		return all[start:], nil, nil
	}
	return all[start:end], aws.String(base64.RawURLEncoding.EncodeToString([]byte("from:" + strconv.Itoa(end)))), nil
}
