package vpc

import (
	"encoding/base64"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/headgate/headgate/cloud/sim/wire"
)

// lookup gives what a resource holds for a filter name, and whether the filter exists for this kind of resource.
type lookup func(filter string) ([]string, bool)

const maxFilterValues = 200

// matches reports whether a resource passes all filters: every filter must have one value that fits.
func (n *Network) matches(filters []ec2types.Filter, id string, fields lookup) (bool, error) {
	for _, f := range filters {
		name := aws.ToString(f.Name)
		if name == "" || len(f.Values) == 0 {
			return false, wire.Errorf("InvalidParameterValue", "The filter '%s' needs at least one value", name)
		}
		if len(f.Values) > maxFilterValues {
			return false, wire.Errorf("FilterLimitExceeded", "The maximum number of filter values is %d", maxFilterValues)
		}
		held, ok := n.tagFilter(name, id)
		if !ok {
			held, ok = fields(name)
		}
		if !ok {
			return false, wire.Errorf("InvalidParameterValue", "The filter '%s' is invalid", name)
		}
		if !anyFits(f.Values, held) {
			return false, nil
		}
	}
	return true, nil
}

// tagFilter serves tag:KEY and tag-key, which every resource has.
func (n *Network) tagFilter(name, id string) ([]string, bool) {
	if key, ok := strings.CutPrefix(name, "tag:"); ok {
		if value, has := n.tags[id][key]; has {
			return []string{value}, true
		}
		return nil, true
	}
	if name != "tag-key" {
		return nil, false
	}
	var keys []string
	for k := range n.tags[id] {
		keys = append(keys, k)
	}
	return keys, true
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
	// most is the largest page.
	most int32
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
	if p.size != nil && (*p.size < smallestPage || *p.size > p.most) {
		return nil, nil, wire.Errorf("InvalidParameterValue", "Value (%d) for parameter maxResults is invalid. Expecting a value between %d and %d",
			*p.size, smallestPage, p.most)
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
