package sim_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	tagging "github.com/aws/aws-sdk-go-v2/service/resourcegroupstaggingapi"
	tagtypes "github.com/aws/aws-sdk-go-v2/service/resourcegroupstaggingapi/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/google/go-cmp/cmp"

	"github.com/headgate/headgate/cloud/sim"
	"github.com/headgate/headgate/cloud/sim/contract"
)

func TestIdentity(t *testing.T) {
	t.Parallel()
	f := start(t, func(o *sim.Options) { o.Account = "210987654321" })
	client := sts.NewFromConfig(f.Sim.AWSConfig())
	who, err := client.GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
	if got := contract.Must(t, who, err); *got.Account != "210987654321" {
		t.Errorf("identity: %+v", got)
	}
	role, err := client.AssumeRole(t.Context(), &sts.AssumeRoleInput{
		RoleArn: aws.String("arn:aws:iam::111111111111:role/path/gate"), RoleSessionName: aws.String("test"),
	})
	if got := contract.Must(t, role, err); *got.AssumedRoleUser.Arn != "arn:aws:sts::111111111111:assumed-role/path/gate/test" {
		t.Errorf("role: %+v", got.AssumedRoleUser)
	}
	_, err = client.AssumeRole(t.Context(), &sts.AssumeRoleInput{RoleArn: aws.String("gate"), RoleSessionName: aws.String("test")})
	contract.WantCode(t, err, "ValidationError")
}

func TestGetResources(t *testing.T) {
	f := start(t)
	lb, group := f.balancer("web"), f.group("web")
	for _, arn := range []*string{lb.LoadBalancerArn, group} {
		_, err := f.elb.AddTags(t.Context(), &elb.AddTagsInput{ResourceArns: []string{*arn}, Tags: tags("elbv2.k8s.aws/cluster", "test")})
		contract.WantCode(t, err, "")
	}
	client := tagging.NewFromConfig(f.Sim.AWSConfig())
	find := func(in *tagging.GetResourcesInput) []string {
		t.Helper()
		var all []string
		pages := tagging.NewGetResourcesPaginator(client, in)
		for pages.HasMorePages() {
			page, err := pages.NextPage(t.Context())
			for _, r := range contract.Must(t, page, err).ResourceTagMappingList {
				all = append(all, *r.ResourceARN)
			}
		}
		return all
	}
	cluster := []tagtypes.TagFilter{{Key: aws.String("elbv2.k8s.aws/cluster"), Values: []string{"test", "other"}}}
	rows := []struct {
		why  string
		in   *tagging.GetResourcesInput
		want []string
	}{
		{"by tag, two pages", &tagging.GetResourcesInput{TagFilters: cluster, ResourcesPerPage: aws.Int32(1)}, []string{*lb.LoadBalancerArn, *group}},
		{"by tag and type", &tagging.GetResourcesInput{TagFilters: cluster, ResourceTypeFilters: []string{"elasticloadbalancing:targetgroup"}}, []string{*group}},
		{"of a service", &tagging.GetResourcesInput{ResourceTypeFilters: []string{"elasticloadbalancing"}}, []string{*lb.LoadBalancerArn, *group}},
		{"unknown ARNs are skipped", &tagging.GetResourcesInput{ResourceARNList: []string{*group, *group + "0"}}, []string{*group}},
		{"all filters fit", &tagging.GetResourcesInput{TagFilters: append(cluster, tagtypes.TagFilter{Key: aws.String("x")})}, nil},
	}
	for _, row := range rows {
		t.Run(row.why, func(t *testing.T) {
			if diff := cmp.Diff(row.want, find(row.in)); diff != "" {
				t.Error(diff)
			}
		})
	}
	_, err := client.GetResources(t.Context(), &tagging.GetResourcesInput{TagFilters: cluster, ResourceARNList: []string{*group}})
	contract.WantCode(t, err, "InvalidParameterException")
}

func TestTagResources(t *testing.T) {
	t.Parallel()
	f := start(t)
	client := tagging.NewFromConfig(f.Sim.AWSConfig())
	group, certificate := f.group("web"), f.certificate("example.com")
	subnet := "arn:aws:ec2:us-west-2:123456789012:subnet/" + f.Sim.World().PublicSubnets[0]
	all := []string{*group, *certificate, subnet}
	tagged, err := client.TagResources(t.Context(), &tagging.TagResourcesInput{
		ResourceARNList: append(all, *group+"0"), Tags: map[string]string{"a": "1", "b": "2"},
	})
	if failed := contract.Must(t, tagged, err).FailedResourcesMap; len(failed) != 1 || failed[*group+"0"].StatusCode != http.StatusBadRequest {
		t.Errorf("failed: %v", failed)
	}
	untagged, err := client.UntagResources(t.Context(), &tagging.UntagResourcesInput{ResourceARNList: all, TagKeys: []string{"b"}})
	if failed := contract.Must(t, untagged, err).FailedResourcesMap; len(failed) != 0 {
		t.Errorf("failed: %v", failed)
	}
	found, err := client.GetResources(t.Context(), &tagging.GetResourcesInput{TagFilters: []tagtypes.TagFilter{{Key: aws.String("a")}}})
	if n := len(contract.Must(t, found, err).ResourceTagMappingList); n != 3 {
		t.Errorf("%d resources with the tag", n)
	}
	found, err = client.GetResources(t.Context(), &tagging.GetResourcesInput{TagFilters: []tagtypes.TagFilter{{Key: aws.String("b")}}})
	if n := len(contract.Must(t, found, err).ResourceTagMappingList); n != 0 {
		t.Errorf("%d resources with the tag that was taken", n)
	}
	_, err = client.TagResources(t.Context(), &tagging.TagResourcesInput{ResourceARNList: []string{*group}, Tags: map[string]string{}})
	contract.WantCode(t, err, "InvalidParameterException")
}

func TestUnknownActions(t *testing.T) {
	t.Parallel()
	f := start(t)
	_, err := f.ec2.DescribeImages(t.Context(), &ec2.DescribeImagesInput{})
	contract.WantCode(t, err, "InvalidAction")
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, f.Sim.URL(), strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("X-Amz-Target", "AWSWAF_20190729.ListNothing")
	request.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=a/20260101/us-west-2/wafv2/aws4_request, SignedHeaders=host, Signature=0")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(response.Body)
	if err != nil || response.Body.Close() != nil || response.StatusCode != http.StatusBadRequest || !strings.Contains(string(body), "UnknownOperationException") {
		t.Errorf("status %d, body %s, error %v", response.StatusCode, body, err)
	}
	if status, body := f.send(http.MethodPost, "/?X-Amz-Credential=a/20260101/us-west-2/elasticloadbalancing/aws4_request",
		"Action=DescribeLoadBalancers&Version=2012-06-01"); status != http.StatusBadRequest || !strings.Contains(body, "<Code>InvalidAction</Code>") {
		t.Errorf("an action of the classic load balancers is answered %d %s", status, body)
	}
	want := []sim.Count{
		{Service: "ec2", Action: "DescribeImages", Count: 1, Failed: 1},
		{Service: "elasticloadbalancing", Action: "DescribeLoadBalancers of version 2012-06-01", Count: 1, Failed: 1},
		{Service: "wafv2", Action: "ListNothing", Count: 1, Failed: 1},
	}
	if diff := cmp.Diff(want, f.Sim.Calls().Unknown); diff != "" {
		t.Error(diff)
	}
}

// send makes a request to the simulator's own pages and gives the answer.
func (f *fixture) send(method, path, body string) (int, string) {
	f.Helper()
	request, err := http.NewRequestWithContext(f.Context(), method, f.Sim.URL()+path, strings.NewReader(body))
	if err != nil {
		f.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		f.Fatal(err)
	}
	answer, err := io.ReadAll(response.Body)
	if err != nil || response.Body.Close() != nil {
		f.Fatal(err)
	}
	return response.StatusCode, string(answer)
}

func TestCalls(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.balancer("web")
	_, err := f.elb.DescribeLoadBalancers(t.Context(), &elb.DescribeLoadBalancersInput{Names: []string{"none"}})
	contract.WantCode(t, err, "LoadBalancerNotFound")
	want := sim.Calls{Reads: 1, Writes: 1, Unknown: []sim.Count{}, Calls: []sim.Count{
		{Service: "elasticloadbalancing", Action: "CreateLoadBalancer", Kind: "write", Count: 1},
		{Service: "elasticloadbalancing", Action: "DescribeLoadBalancers", Kind: "read", Count: 1, Failed: 1},
	}}
	if diff := cmp.Diff(want, f.Sim.Calls()); diff != "" {
		t.Error(diff)
	}
	_, body := f.send(http.MethodGet, "/_sim/calls", "")
	var got sim.Calls
	if err := json.Unmarshal([]byte(body), &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	f.send(http.MethodDelete, "/_sim/calls", "")
	if got := f.Sim.Calls(); got.Reads+got.Writes != 0 {
		t.Errorf("calls after forgetting them: %+v", got)
	}
}

func TestOwnPages(t *testing.T) {
	t.Parallel()
	f := start(t)
	lb := f.balancer("web")
	f.listener(lb, 80, fixed("404"))
	_, body := f.send(http.MethodGet, "/_sim/loadbalancers", "")
	var list []sim.LoadBalancer
	if err := json.Unmarshal([]byte(body), &list); err != nil {
		t.Fatal(err)
	}
	if len(list) != 1 || list[0].ARN != *lb.LoadBalancerArn || list[0].State != "provisioning" || !list[0].Address.IsLoopback() || list[0].Ports[0] != 80 {
		t.Errorf("load balancers: %s", body)
	}
	rows := []struct {
		why, method, path, body string
		status                  int
	}{
		{"addresses are merged", http.MethodPut, "/_sim/addresses", `{"10.0.1.15:8080":"127.0.0.1:34567","10.0.1.16":"127.0.3.7"}`, http.StatusNoContent},
		{"and removed", http.MethodPut, "/_sim/addresses", `{"10.0.1.16":null}`, http.StatusNoContent},
		{"nothing leaves the machine", http.MethodPut, "/_sim/addresses", `{"10.0.1.17":"192.0.2.1"}`, http.StatusBadRequest},
		{"keys are addresses", http.MethodPut, "/_sim/addresses", `{"pod":"127.0.0.1"}`, http.StatusBadRequest},
		{"interfaces are put", http.MethodPut, "/_sim/networkinterfaces", `{"eni-1":{"addresses":["10.0.128.9"]}}`, http.StatusNoContent},
		{"and put again", http.MethodPut, "/_sim/networkinterfaces", `{"eni-1":{"addresses":["10.0.128.9","10.0.128.10"]}}`, http.StatusNoContent},
		{"in a subnet that exists", http.MethodPut, "/_sim/networkinterfaces", `{"eni-2":{"addresses":["10.9.0.1"]}}`, http.StatusBadRequest},
		{"other pages are not there", http.MethodGet, "/_sim/nothing", "", http.StatusNotFound},
	}
	for _, row := range rows {
		if status, body := f.send(row.method, row.path, row.body); status != row.status {
			t.Errorf("%s: status %d %s", row.why, status, body)
		}
	}
	_, body = f.send(http.MethodGet, "/_sim/addresses", "")
	if want := "{\n  \"10.0.1.15:8080\": \"127.0.0.1:34567\"\n}\n"; body != want {
		t.Errorf("addresses: %s", body)
	}
	if _, state := f.send(http.MethodGet, "/_sim/state", ""); !strings.Contains(state, `"LoadBalancerName": "web"`) || !strings.Contains(state, "10.0.128.10") {
		t.Errorf("state: %s", state)
	}
	if status, _ := f.send(http.MethodPost, "/_sim/reset", ""); status != http.StatusNoContent {
		t.Errorf("reset: status %d", status)
	}
	if n := len(f.Sim.LoadBalancers()); n != 0 {
		t.Errorf("%d load balancers after the reset", n)
	}
	out, err := f.ec2.DescribeVpcs(t.Context(), &ec2.DescribeVpcsInput{Filters: []ec2types.Filter{filter("vpc-id", f.Sim.World().VPC)}})
	if n := len(contract.Must(t, out, err).Vpcs); n != 1 {
		t.Errorf("%d VPCs after the reset", n)
	}
}
