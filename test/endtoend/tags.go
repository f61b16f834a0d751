package endtoend

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/acm"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"

	"github.com/headgate/headgate/test/policy"
)

// tagsAt reads tags of resources past the gate. What is not there has none.
func tagsAt(endpoint string) policy.TagsOf {
	config := aws.Config{
		Region: "us-west-2", BaseEndpoint: aws.String(endpoint),
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "gate", SecretAccessKey: "gate"}, nil
		}),
	}
	network, balancing, certificates := ec2.NewFromConfig(config), elasticloadbalancingv2.NewFromConfig(config), acm.NewFromConfig(config)
	return func(arn string) map[string]string {
		if _, id, isGroup := strings.Cut(arn, ":security-group/"); isGroup {
			return groupTags(network, id)
		}
		if strings.HasPrefix(arn, "arn:aws:acm:") {
			return certificateTags(certificates, arn)
		}
		return balancingTags(balancing, arn)
	}
}

func certificateTags(api *acm.Client, arn string) map[string]string {
	found, err := api.ListTagsForCertificate(context.Background(), &acm.ListTagsForCertificateInput{CertificateArn: aws.String(arn)})
	if err != nil {
		return nil
	}
	out := map[string]string{}
	for _, tag := range found.Tags {
		out[aws.ToString(tag.Key)] = aws.ToString(tag.Value)
	}
	return out
}

func groupTags(api *ec2.Client, id string) map[string]string {
	found, err := api.DescribeSecurityGroups(context.Background(), &ec2.DescribeSecurityGroupsInput{GroupIds: []string{id}})
	if err != nil || len(found.SecurityGroups) == 0 {
		return nil
	}
	out := map[string]string{}
	for _, tag := range found.SecurityGroups[0].Tags {
		out[aws.ToString(tag.Key)] = aws.ToString(tag.Value)
	}
	return out
}

func balancingTags(api *elasticloadbalancingv2.Client, arn string) map[string]string {
	found, err := api.DescribeTags(context.Background(), &elasticloadbalancingv2.DescribeTagsInput{ResourceArns: []string{arn}})
	if err != nil || len(found.TagDescriptions) == 0 {
		return nil
	}
	out := map[string]string{}
	for _, tag := range found.TagDescriptions[0].Tags {
		out[aws.ToString(tag.Key)] = aws.ToString(tag.Value)
	}
	return out
}
