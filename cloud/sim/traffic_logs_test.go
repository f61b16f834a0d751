package sim_test

import (
	"net/http"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

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
