package cloud

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"

	"github.com/headgate/headgate/cloud/acm"
	"github.com/headgate/headgate/cloud/call"
	"github.com/headgate/headgate/cloud/ec2"
	"github.com/headgate/headgate/cloud/elbv2"
	"github.com/headgate/headgate/cloud/inventory"
	"github.com/headgate/headgate/cloud/route53"
	"github.com/headgate/headgate/cloud/s3"
	"github.com/headgate/headgate/cloud/shield"
	"github.com/headgate/headgate/cloud/waf"
	"github.com/headgate/headgate/model"
)

// Options are the settings of a [Client].
type Options struct {
	// Cluster is the cluster's name, as ownership tags have it. It is required.
	Cluster string
	// Region is an AWS region; empty asks the environment, then the instance's metadata.
	Region string
	// VPC is the ID of the cluster's VPC; empty asks VPCTags, then the instance's metadata.
	VPC string
	// VPCTags are tags that exactly one VPC has.
	VPCTags map[string]string
	// BackendGroup is the ID of a security group of the user's that stands in place of the shared one; empty for our own.
	BackendGroup string
	// Endpoints are URLs by service: "elasticloadbalancing", "ec2", "acm", "wafv2", "wafregional", "shield", or the SDK's names for
	// them in any writing. What is not listed uses AWS's own endpoints, or those of the environment (AWS_ENDPOINT_URL).
	Endpoints map[string]string
	// Attempts is how often a call is made at most. Default 10.
	Attempts int
	// AWSConfig replaces the SDK's configuration of the environment.
	AWSConfig *aws.Config
	// Transport replaces the transport of all calls.
	Transport http.RoundTripper
	// OnCall is told of every attempt of a call; see [CountCalls]. It must not block.
	OnCall call.Observer
	// Term says how long calls may be made: no longer than their maker leads. Nil is for ever.
	Term call.Term
	// Limits set the pace of the calls in the operator's own account; nil for limits of their own. See [CountPace].
	Limits *call.Limits
	// Secrets reads what plans only refer to; nil where no plan refers to any.
	Secrets Secrets
	// Authorities reads the ConfigMaps that clients are verified by; nil where no plan refers to any.
	Authorities Authorities
	// Shelf is where certificates of authorities are kept for trust stores; without a bucket none is made.
	Shelf model.Shelf
	// TargetGroupTags are tags that the security group of a pod's or node's interface has, besides the cluster's own, where the
	// interface has several groups.
	TargetGroupTags map[string]string
	// Discovery says which certificates are found by host name.
	Discovery inventory.Discovery
	// Now is the clock of what is kept; nil is the system's.
	Now func() time.Time
	// Pace is the clock by which calls are spread over time; nil is the system's.
	Pace call.Clock
}

const (
	defaultAttempts = 10
	// answerTime is how long AWS may take to answer one attempt.
	answerTime = time.Minute
)

// New makes a client. It calls AWS only to find the VPC where its ID is not given.
func New(ctx context.Context, o Options) (*Client, error) {
	if o.Cluster == "" {
		return nil, errors.New("no cluster name is given")
	}
	plain, err := o.config(ctx)
	if err != nil {
		return nil, err
	}
	cfg := o.paced(plain)
	network := ec2.New(o.at(cfg, "ec2"))
	vpc, err := o.findVPC(ctx, cfg, network)
	if err != nil {
		return nil, err
	}
	balancing := elbv2.New(o.at(cfg, "elasticloadbalancing", "elbv2"))
	c := &Client{
		Targets: &Targets{elb: balancing}, cluster: o.Cluster, vpc: vpc, elb: balancing, ec2: network,
		acm: acm.New(o.at(cfg, "acm")), dns: route53.New(o.at(cfg, "route53")), secrets: o.Secrets, authorities: o.Authorities,
		s3: s3.New(o.at(cfg, "s3")), roles: o.roles(plain),
	}
	if c.now = o.Now; c.now == nil {
		c.now = time.Now
	}
	c.protectors = inventory.Protectors{
		WAF: waf.New(o.at(cfg, "wafv2")), Classic: waf.NewClassic(o.at(cfg, "wafregional")),
		Shield: shield.New(o.at(cfg, "shield")),
	}
	c.inventory = inventory.New(inventory.Options{
		ELBv2: c.elb, EC2: c.ec2, S3: c.s3, Shelf: o.Shelf, ACM: c.acm, Route53: c.dns, Discovery: o.Discovery, Protectors: c.protectors,
		Cluster: o.Cluster, Region: cfg.Region, VPC: vpc, Now: o.Now, TargetGroupTags: o.TargetGroupTags, BackendGroup: o.BackendGroup,
	})
	return c, nil
}

// at is the configuration of a service's client, by the names that the service's endpoint may be given by.
func (o Options) at(cfg aws.Config, services ...string) aws.Config {
	if url := o.endpoint(services...); url != "" {
		cfg.BaseEndpoint = aws.String(url)
	}
	return cfg
}

func (o Options) config(ctx context.Context) (aws.Config, error) {
	var cfg aws.Config
	if o.AWSConfig != nil {
		cfg = o.AWSConfig.Copy()
	} else {
		// The instance is asked only when nobody named the region: its metadata may be out of reach.
		region := config.WithEC2IMDSRegion()
		if o.Region != "" {
			region = config.WithRegion(o.Region)
		}
		client := awshttp.NewBuildableClient().WithTimeout(answerTime)
		loaded, err := config.LoadDefaultConfig(ctx, region, config.WithHTTPClient(client))
		if err != nil {
			return aws.Config{}, fmt.Errorf("reading the AWS configuration: %w", err)
		}
		cfg = loaded
	}
	if o.Region != "" {
		cfg.Region = o.Region
	}
	if cfg.Region == "" {
		return aws.Config{}, errors.New("no AWS region is given, and neither the environment nor the instance's metadata names one")
	}
	if o.Transport != nil {
		cfg.HTTPClient = &http.Client{Transport: o.Transport, Timeout: answerTime}
	}
	if cfg.Retryer == nil {
		cfg.Retryer = o.retryer
	}
	return cfg, nil
}

// paced is a configuration whose calls go at the pace of an account of their own.
func (o Options) paced(cfg aws.Config) aws.Config {
	wire := call.Wire{Limits: o.Limits, OnCall: o.OnCall, Term: o.Term}
	if wire.Limits == nil {
		wire.Limits = call.NewLimits(o.Pace)
	}
	cfg = cfg.Copy()
	cfg.APIOptions = append(slices.Clone(cfg.APIOptions), wire.Attach)
	return cfg
}

func (o Options) retryer() aws.Retryer {
	return retry.NewStandard(func(s *retry.StandardOptions) {
		s.MaxAttempts, s.Backoff = o.Attempts, call.Backoff()
		if s.MaxAttempts <= 0 {
			s.MaxAttempts = defaultAttempts
		}
	})
}

// endpoint is the URL given for a service by any of its names.
func (o Options) endpoint(names ...string) string {
	for given, url := range o.Endpoints {
		plain := strings.NewReplacer(" ", "", "-", "", "_", "").Replace(strings.ToLower(given))
		for _, name := range names {
			if plain == name || plain == name+"v2" {
				return url
			}
		}
	}
	return ""
}

func (o Options) findVPC(ctx context.Context, cfg aws.Config, network *ec2.Client) (string, error) {
	if o.VPC != "" {
		return o.VPC, nil
	}
	if len(o.VPCTags) > 0 {
		found, err := network.VPCTagged(ctx, o.VPCTags)
		if err != nil {
			return "", fmt.Errorf("finding the cluster's VPC: %w", err)
		}
		return found.ID, nil
	}
	vpc, err := instanceVPC(ctx, imds.NewFromConfig(cfg))
	if err != nil {
		return "", fmt.Errorf("no VPC is given by ID or tags, and the instance's metadata does not name it: %w", err)
	}
	return vpc, nil
}

// instanceVPC is the VPC of the interface of the instance that we run on.
func instanceVPC(ctx context.Context, meta *imds.Client) (string, error) {
	mac, err := metadata(ctx, meta, "mac")
	if err != nil {
		return "", err
	}
	return metadata(ctx, meta, "network/interfaces/macs/"+mac+"/vpc-id")
}

func metadata(ctx context.Context, meta *imds.Client, path string) (string, error) {
	out, err := meta.GetMetadata(ctx, &imds.GetMetadataInput{Path: path})
	if err != nil {
		return "", fmt.Errorf("reading metadata %s: %w", path, err)
	}
	text, err := io.ReadAll(out.Content)
	if err != nil {
		return "", fmt.Errorf("reading metadata %s: %w", path, err)
	}
	return strings.TrimSpace(string(text)), errors.Join(out.Content.Close())
}
