package tagging

import (
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/resourcegroupstaggingapi"
	tagtypes "github.com/aws/aws-sdk-go-v2/service/resourcegroupstaggingapi/types"

	"github.com/headgate/headgate/cloud/sim/wire"
)

// Limits of TagResources and UntagResources (API reference).
const (
	mostARNs = 20
	mostTags = 50
)

func checkCounts(arns []string, tags int) error {
	if len(arns) == 0 || len(arns) > mostARNs || tags == 0 || tags > mostTags {
		return refused("There must be 1 to %d ARNs and 1 to %d tags", mostARNs, mostTags)
	}
	return nil
}

func failed(err error) tagtypes.FailureInfo {
	known := wire.AsError(err)
	return tagtypes.FailureInfo{
		ErrorCode: tagtypes.ErrorCodeInvalidParameterException, ErrorMessage: aws.String(known.Message), StatusCode: http.StatusBadRequest,
	}
}

// tagResources tags what it can, and tells by ARN what it cannot.
func (i *Index) tagResources(in *sdk.TagResourcesInput) (*sdk.TagResourcesOutput, error) {
	if err := checkCounts(in.ResourceARNList, len(in.Tags)); err != nil {
		return nil, err
	}
	failures := i.each(in.ResourceARNList, func(s Source, arn string) (bool, error) { return s.Tag(arn, in.Tags) })
	return &sdk.TagResourcesOutput{FailedResourcesMap: failures}, nil
}

func (i *Index) untagResources(in *sdk.UntagResourcesInput) (*sdk.UntagResourcesOutput, error) {
	if err := checkCounts(in.ResourceARNList, len(in.TagKeys)); err != nil {
		return nil, err
	}
	failures := i.each(in.ResourceARNList, func(s Source, arn string) (bool, error) { return s.Untag(arn, in.TagKeys), nil })
	return &sdk.UntagResourcesOutput{FailedResourcesMap: failures}, nil
}

// each does something with every resource in the source that has it.
func (i *Index) each(arns []string, do func(s Source, arn string) (bool, error)) map[string]tagtypes.FailureInfo {
	failures := map[string]tagtypes.FailureInfo{}
	for _, arn := range arns {
		done := false
		for _, s := range i.sources {
			ok, err := do(s, arn)
			if err != nil {
				failures[arn] = failed(err)
			}
			done = done || ok || err != nil
		}
		if !done {
			failures[arn] = failed(refused("The resource '%s' does not exist", arn))
		}
	}
	return failures
}
