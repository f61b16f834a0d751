package sim

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// AWSConfig gives a configuration with which any client of the AWS SDK talks to the simulator.
func (s *Simulator) AWSConfig() aws.Config {
	return aws.Config{
		Region: s.options.Region, BaseEndpoint: aws.String(s.url),
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "simulated", SecretAccessKey: "simulated", Source: "simulator"}, nil
		}),
	}
}
