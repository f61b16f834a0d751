// Package tagging simulates the Resource Groups Tagging API over the tags that the other services hold. It may import the SDK's shapes and
// the simulator's wire and account packages. Its invariant: it holds no tags of its own, but for those that a change has not yet reached.
package tagging

import (
	"encoding/base64"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/resourcegroupstaggingapi"
	tagtypes "github.com/aws/aws-sdk-go-v2/service/resourcegroupstaggingapi/types"

	"github.com/headgate/headgate/cloud/sim/account"
	"github.com/headgate/headgate/cloud/sim/wire"
)

// Source holds tags by the ARN of their resource.
type Source interface {
	// Tagged gives all resources that have tags.
	Tagged() map[string]map[string]string
	// Tag gives a resource more tags. It reports false if the source has no such resource.
	Tag(arn string, tags map[string]string) (bool, error)
	// Untag takes tags from a resource. It reports false if the source has no such resource.
	Untag(arn string, keys []string) bool
}

// Index reads the tags of several sources.
type Index struct {
	account *account.Account
	sources []Source
	held    map[string][]held
}

// New makes the service over sources.
func New(a *account.Account, sources ...Source) *Index {
	return &Index{account: a, sources: sources, held: map[string][]held{}}
}

// Service gives the Resource Groups Tagging API.
func (i *Index) Service() wire.Service {
	return wire.Service{
		Name: "tagging", Target: "ResourceGroupsTaggingAPI_20170126", Protocol: wire.JSON{Invalid: "InvalidParameterException"},
		Operations: wire.Table(
			wire.Reads("GetResources", i.getResources), wire.Writes("TagResources", i.tagResources), wire.Writes("UntagResources", i.untagResources),
		),
	}
}

// Limits of GetResources (API reference).
const (
	mostKeys   = 50
	mostValues = 20
	mostTypes  = 100
	mostPage   = 100
)

func refused(format string, args ...any) error {
	return wire.Errorf("InvalidParameterException", format, args...)
}

func (i *Index) getResources(in *sdk.GetResourcesInput) (*sdk.GetResourcesOutput, error) {
	if err := check(in); err != nil {
		return nil, err
	}
	all := i.tagged(i.account.Now())
	matching := []string{}
	for _, arn := range slices.Sorted(maps.Keys(all)) {
		if wanted(in, arn, all[arn]) {
			matching = append(matching, arn)
		}
	}
	some, next, err := cut(in, matching)
	if err != nil {
		return nil, err
	}
	out := &sdk.GetResourcesOutput{PaginationToken: aws.String(next), ResourceTagMappingList: []tagtypes.ResourceTagMapping{}}
	for _, arn := range some {
		out.ResourceTagMappingList = append(out.ResourceTagMappingList, tagtypes.ResourceTagMapping{ResourceARN: aws.String(arn), Tags: list(all[arn])})
	}
	return out, nil
}

func check(in *sdk.GetResourcesInput) error {
	if in.ResourceARNList != nil {
		return checkList(in)
	}
	if len(in.TagFilters) > mostKeys || len(in.ResourceTypeFilters) > mostTypes {
		return refused("There can be at most %d tag filters and %d resource types", mostKeys, mostTypes)
	}
	for _, f := range in.TagFilters {
		if aws.ToString(f.Key) == "" || len(f.Values) > mostValues {
			return refused("A tag filter must have a key and at most %d values", mostValues)
		}
	}
	if n := in.ResourcesPerPage; n != nil && (*n < 1 || *n > mostPage) {
		return refused("ResourcesPerPage must be between 1 and %d", mostPage)
	}
	return nil
}

// checkList checks a call that names its resources.
func checkList(in *sdk.GetResourcesInput) error {
	if in.TagFilters != nil || in.ResourceTypeFilters != nil || in.ResourcesPerPage != nil || aws.ToString(in.PaginationToken) != "" {
		return refused("ResourceARNList cannot be used together with filters or paging")
	}
	if len(in.ResourceARNList) == 0 || len(in.ResourceARNList) > mostPage {
		return refused("ResourceARNList must have 1 to %d ARNs", mostPage)
	}
	return nil
}

func wanted(in *sdk.GetResourcesInput, arn string, tags map[string]string) bool {
	if in.ResourceARNList != nil {
		return slices.Contains(in.ResourceARNList, arn)
	}
	if in.ResourceTypeFilters != nil && !slices.ContainsFunc(in.ResourceTypeFilters, func(t string) bool { return isType(arn, t) }) {
		return false
	}
	for _, f := range in.TagFilters {
		held, ok := tags[*f.Key]
		if !ok || len(f.Values) > 0 && !slices.Contains(f.Values, held) {
			return false
		}
	}
	return true
}

// isType compares an ARN with a service ("elasticloadbalancing") or a type ("elasticloadbalancing:loadbalancer/app").
func isType(arn, kind string) bool {
	const fields = 6
	parts := strings.SplitN(arn, ":", fields)
	if len(parts) < fields {
		return false
	}
	service, resource, typed := strings.Cut(kind, ":")
	if parts[2] != service {
		return false
	}
	return !typed || strings.HasPrefix(parts[5], resource+"/")
}

func cut(in *sdk.GetResourcesInput, all []string) ([]string, string, error) {
	size, start := mostPage, 0
	if in.ResourcesPerPage != nil {
		size = int(*in.ResourcesPerPage)
	}
	if token := aws.ToString(in.PaginationToken); token != "" {
		raw, err := base64.StdEncoding.DecodeString(token)
		if err == nil {
			start, err = strconv.Atoi(string(raw))
		}
		if err != nil || start < 0 || start > len(all) {
			return nil, "", wire.Errorf("PaginationTokenExpiredException", "The pagination token is not valid")
		}
	}
	end := min(start+size, len(all))
	if end == len(all) {
		return all[start:end], "", nil
	}
	return all[start:end], base64.StdEncoding.EncodeToString([]byte(strconv.Itoa(end))), nil
}

func list(tags map[string]string) []tagtypes.Tag {
	all := []tagtypes.Tag{}
	for _, k := range slices.Sorted(maps.Keys(tags)) {
		all = append(all, tagtypes.Tag{Key: aws.String(k), Value: aws.String(tags[k])})
	}
	return all
}
