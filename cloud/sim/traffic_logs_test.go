package sim_test

import (
	"net/http"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/headgate/headgate/cloud/sim"
	"github.com/headgate/headgate/cloud/sim/contract"
)

func TestAccessLogsAreInTheirBucket(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	f := start(t, func(o *sim.Options) {
		o.Now, o.DataPlane, o.PortOffset, o.Speed = nil, true, 20000, 20000
		o.Provisioning, o.RuleDelay, o.AccessLogs = -1, -1, dir
	})
	lb := f.balancer("web")
	f.listener(lb, 80, fixed("200"))
	attribute := func(key, value string) elbtypes.LoadBalancerAttribute {
		return elbtypes.LoadBalancerAttribute{Key: aws.String(key), Value: aws.String(value)}
	}
	_, err := f.elb.ModifyLoadBalancerAttributes(t.Context(), &elb.ModifyLoadBalancerAttributesInput{
		LoadBalancerArn: lb.LoadBalancerArn, Attributes: []elbtypes.LoadBalancerAttribute{
			attribute("access_logs.s3.enabled", "true"), attribute("access_logs.s3.bucket", "kept"),
		},
	})
	contract.WantCode(t, err, "")
	f.Sim.Settle(t.Context())
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+f.located("web")+"/", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil || response.Body.Close() != nil {
		t.Fatal(err)
	}
	eventually(t, "1", func() string {
		files, err := filepath.Glob(filepath.Join(dir, "kept", "AWSLogs", "*", "elasticloadbalancing", "*", "*", "*", "*", "*.log.gz"))
		if err != nil {
			t.Fatal(err)
		}
		return strconv.Itoa(len(files))
	})
}

func TestLogsNeedABucketThatLetsThem(t *testing.T) {
	t.Parallel()
	f := start(t)
	buckets := s3.NewFromConfig(f.Config, func(o *s3.Options) { o.UsePathStyle = true })
	_, err := buckets.CreateBucket(t.Context(), &s3.CreateBucketInput{
		Bucket:                    aws.String("logs"),
		CreateBucketConfiguration: &s3types.CreateBucketConfiguration{LocationConstraint: "us-west-2"},
	})
	contract.WantCode(t, err, "")
	application := f.balancer("web")
	network := f.Balancer("net", elbtypes.LoadBalancerTypeEnumNetwork)
	const service, object = `{"Service":"logdelivery.elasticloadbalancing.amazonaws.com"}`, `"Action":"s3:PutObject","Resource":"arn:aws:s3:::logs/a/AWSLogs/123456789012/*"`
	const acl = `,{"Effect":"Allow","Principal":{"Service":"delivery.logs.amazonaws.com"},"Action":"s3:GetBucketAcl","Resource":"arn:aws:s3:::logs"}`
	const delivery = `{"Effect":"Allow","Principal":{"Service":"delivery.logs.amazonaws.com"},` + object +
		`,"Condition":{"StringEquals":{"s3:x-amz-acl":"bucket-owner-full-control","aws:SourceAccount":"123456789012"}}}`
	const refused = "InvalidConfigurationRequest"
	for _, row := range []struct {
		why, statements, kind, prefix, code string
		lb                                  *string
	}{
		{"a bucket without policy", "", "access_logs", "a", refused, application.LoadBalancerArn},
		{"the service may write", `{"Effect":"Allow","Principal":` + service + `,` + object + `}`, "connection_logs", "a", "", application.LoadBalancerArn},
		{"elsewhere", `{"Effect":"Allow","Principal":` + service + `,` + object + `}`, "access_logs", "b", refused, application.LoadBalancerArn},
		{"an older Region's account may", `{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::797873946194:root"},` + object + `}`, "health_check_logs", "a", "",
			application.LoadBalancerArn},
		{"another account may", `{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111111111111:root"},` + object + `}`, "access_logs", "a", refused,
			application.LoadBalancerArn},
		{"a network load balancer's logs are another service's", `{"Effect":"Allow","Principal":` + service + `,` + object + `}`, "access_logs", "a", refused, network},
		{"which also looks at the ACL", delivery, "access_logs", "a", refused, network},
		{"as it may", delivery + acl, "access_logs", "a", "", network},
	} {
		if row.statements != "" {
			_, err := buckets.PutBucketPolicy(t.Context(), &s3.PutBucketPolicyInput{
				Bucket: aws.String("logs"), Policy: aws.String(`{"Version":"2012-10-17","Statement":[` + row.statements + `]}`),
			})
			contract.WantCode(t, err, "")
		}
		_, err := f.elb.ModifyLoadBalancerAttributes(t.Context(), &elb.ModifyLoadBalancerAttributesInput{
			LoadBalancerArn: row.lb, Attributes: []elbtypes.LoadBalancerAttribute{
				{Key: aws.String(row.kind + ".s3.enabled"), Value: aws.String("true")}, {Key: aws.String(row.kind + ".s3.bucket"), Value: aws.String("logs")},
				{Key: aws.String(row.kind + ".s3.prefix"), Value: aws.String(row.prefix)},
			},
		})
		if got := contract.APICode(err); got != row.code {
			t.Errorf("%s: %q, want %q: %v", row.why, got, row.code, err)
		}
	}
}
