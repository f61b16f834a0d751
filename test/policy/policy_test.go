package policy_test

import (
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/headgate/headgate/test/policy"
)

const tagKey = "elbv2.k8s.aws/cluster"

func TestAllows(t *testing.T) {
	document := `{"Version": "2012-10-17", "Statement": [
		{"Effect": "Allow", "Action": "acm:List*", "Resource": "*"},
		{"Effect": "Allow", "Action": ["elasticloadbalancing:AddTags"], "Resource": "arn:aws:elasticloadbalancing:*:*:targetgroup/*/*",
		 "Condition": {"Null": {"aws:RequestTag/elbv2.k8s.aws/cluster": "true", "aws:ResourceTag/elbv2.k8s.aws/cluster": "false"}}},
		{"Effect": "Allow", "Action": ["ec2:CreateTags"], "Resource": "*",
		 "Condition": {"StringEquals": {"ec2:CreateAction": "CreateSecurityGroup"}}}
	]}`
	path := filepath.Join(t.TempDir(), "policy.json")
	if err := os.WriteFile(path, []byte(document), 0o600); err != nil {
		t.Fatal(err)
	}
	p, err := policy.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	const group = "arn:aws:elasticloadbalancing:us-west-2:123456789012:targetgroup/k8s-a/1"
	owned := map[string]string{"aws:ResourceTag/" + tagKey: "c"}
	for _, row := range []struct {
		why   string
		right policy.Right
		want  bool
	}{
		{"an asterisk in the action", policy.Right{Action: "acm:ListCertificates", Resource: "*"}, true},
		{"another action", policy.Right{Action: "acm:DescribeCertificate", Resource: "*"}, false},
		{"own resource, other tags", policy.Right{Action: "elasticloadbalancing:AddTags", Resource: group, Context: owned}, true},
		{"somebody else's resource", policy.Right{Action: "elasticloadbalancing:AddTags", Resource: group}, false},
		{"a kind of resource that is not listed", policy.Right{
			Action: "elasticloadbalancing:AddTags", Context: owned,
			Resource: "arn:aws:elasticloadbalancing:us-west-2:123456789012:loadbalancer/app/k8s-a/1",
		}, false},
		{"the ownership tag itself may not be set", policy.Right{Action: "elasticloadbalancing:AddTags", Resource: group, Context: map[string]string{
			"aws:ResourceTag/" + tagKey: "c", "aws:RequestTag/" + tagKey: "c",
		}}, false},
		{"while creating", policy.Right{Action: "ec2:CreateTags", Resource: "x", Context: map[string]string{"ec2:CreateAction": "CreateSecurityGroup"}}, true},
		{"while creating something else", policy.Right{Action: "ec2:CreateTags", Resource: "x", Context: map[string]string{"ec2:CreateAction": "CreateVpc"}}, false},
		{"later", policy.Right{Action: "ec2:CreateTags", Resource: "x"}, false},
	} {
		if got := p.Allows(row.right); got != row.want {
			t.Errorf("%s: allowed is %v", row.why, got)
		}
	}
	want := []string{" elasticloadbalancing:AddTags", " ec2:CreateTags"}
	if diff := cmp.Diff(want, p.Unused([]policy.Right{{Action: "acm:ListCertificates", Resource: "*"}})); diff != "" {
		t.Errorf("unused (-want +got):\n%s", diff)
	}
}

func TestWhatCannotBeJudgedIsRefused(t *testing.T) {
	for why, document := range map[string]string{
		"a denial":             `{"Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}]}`,
		"an unknown condition": `{"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}}]}`,
		"no JSON":              `{`,
		"a number":             `{"Statement": [{"Effect": "Allow", "Action": 1, "Resource": "*"}]}`,
	} {
		path := filepath.Join(t.TempDir(), "policy.json")
		if err := os.WriteFile(path, []byte(document), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := policy.Read(path); err == nil {
			t.Errorf("%s was read", why)
		}
	}
}

func TestRightsOfCalls(t *testing.T) {
	const (
		group    = "arn:aws:elasticloadbalancing:us-west-2:123456789012:targetgroup/k8s-a/1"
		made     = "arn:aws:elasticloadbalancing:us-west-2:123456789012:targetgroup/new/0"
		security = "arn:aws:ec2:us-west-2:123456789012:security-group/sg-1"

		certificate = "arn:aws:acm:us-west-2:123456789012:certificate/0"
	)
	tags := func(arn string) map[string]string {
		if arn == group || arn == security {
			return map[string]string{tagKey: "c"}
		}
		return nil
	}
	owned := map[string]string{"aws:ResourceTag/" + tagKey: "c"}
	for _, row := range []struct {
		why, service, form string
		want               []policy.Right
	}{
		{
			"what is read has no resource", "elasticloadbalancing", "Action=DescribeTags&ResourceArns.member.1=" + group,
			[]policy.Right{{Action: "elasticloadbalancing:DescribeTags", Resource: "*"}},
		},
		{
			"a resource with its tags", "elasticloadbalancing", "Action=DeleteTargetGroup&TargetGroupArn=" + group,
			[]policy.Right{{Action: "elasticloadbalancing:DeleteTargetGroup", Resource: group, Context: owned}},
		},
		{
			"what is made with tags, is tagged too", "elasticloadbalancing",
			"Action=CreateTargetGroup&Name=a&Tags.member.1.Key=" + tagKey + "&Tags.member.1.Value=c",
			[]policy.Right{
				{Action: "elasticloadbalancing:CreateTargetGroup", Resource: made, Context: map[string]string{"aws:RequestTag/" + tagKey: "c"}},
				{Action: "elasticloadbalancing:AddTags", Resource: made, Context: map[string]string{
					"aws:RequestTag/" + tagKey: "c", "elasticloadbalancing:CreateAction": "CreateTargetGroup",
				}},
			},
		},
		{
			"tags that go are those of the request", "elasticloadbalancing", "Action=RemoveTags&ResourceArns.member.1=" + group + "&TagKeys.member.1=team",
			[]policy.Right{{Action: "elasticloadbalancing:RemoveTags", Resource: group, Context: map[string]string{
				"aws:ResourceTag/" + tagKey: "c", "aws:RequestTag/team": "",
			}}},
		},
		{
			"the group that is changed, not the one that is let in", "ec2",
			"Action=AuthorizeSecurityGroupIngress&GroupId=sg-1&IpPermissions.1.Groups.1.GroupId=sg-2",
			[]policy.Right{{Action: "ec2:AuthorizeSecurityGroupIngress", Resource: security, Context: owned}},
		},
		{
			"each of several rules", "elasticloadbalancing", "Action=SetRulePriorities&RulePriorities.member.1.RuleArn=b&RulePriorities.member.2.RuleArn=a",
			[]policy.Right{
				{Action: "elasticloadbalancing:SetRulePriorities", Resource: "a", Context: map[string]string{}},
				{Action: "elasticloadbalancing:SetRulePriorities", Resource: "b", Context: map[string]string{}},
			},
		},
		{
			"a certificate that is imported with tags, is tagged too", "acm.ImportCertificate", `{"Tags": [{"Key": "` + tagKey + `", "Value": "c"}]}`,
			[]policy.Right{
				{Action: "acm:ImportCertificate", Resource: certificate, Context: map[string]string{"aws:RequestTag/" + tagKey: "c"}},
				{Action: "acm:AddTagsToCertificate", Resource: certificate, Context: map[string]string{"aws:RequestTag/" + tagKey: "c"}},
			},
		},
		{
			"a certificate that is renewed is one that is there", "acm.ImportCertificate", `{"CertificateArn": "` + group + `"}`,
			[]policy.Right{{Action: "acm:ImportCertificate", Resource: group, Context: owned}},
		},
		{
			"what has a path is named by it", "route53", "",
			[]policy.Right{{Action: "route53:ChangeResourceRecordSets", Context: map[string]string{}}},
		},
	} {
		call, err := policy.ReadCall(signed(row.service), []byte(row.form))
		if err != nil {
			t.Errorf("%s: %v", row.why, err)
			continue
		}
		if diff := cmp.Diff(row.want, call.Rights(tags)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", row.why, diff)
		}
	}
}

func TestReadCall(t *testing.T) {
	call, err := policy.ReadCall(signed("acm.ListCertificates"), []byte(`{}`))
	if err != nil || call.String() != "acm:ListCertificates" || call.Writes() {
		t.Errorf("a call in JSON is %s, %v", call, err)
	}
	for why, form := range map[string]string{"no action": "Version=1", "no form": "%zz"} {
		if call, err := policy.ReadCall(signed("ec2"), []byte(form)); err == nil {
			t.Errorf("%s was read as %s", why, call)
		}
	}
	unsigned := signed("")
	unsigned.Header.Del("Authorization")
	if call, err := policy.ReadCall(unsigned, []byte("Action=CreateRule")); err == nil {
		t.Errorf("a call without a service was read as %s", call)
	}
	for why, body := range map[string]string{"no object": `[]`, "no tags": `{"Tags": "a"}`} {
		if call, err := policy.ReadCall(signed("acm.ImportCertificate"), []byte(body)); err == nil {
			t.Errorf("%s was read as %s", why, call)
		}
	}
	zones := signed("route53")
	zones.Method = http.MethodDelete
	if call, err := policy.ReadCall(zones, nil); err == nil {
		t.Errorf("an unknown path was read as %s", call)
	}
}

// signed is a request to a service, or to an action of one that speaks JSON. Route 53 has one by its path.
func signed(service string) *http.Request {
	service, action, _ := strings.Cut(service, ".")
	out := &http.Request{Method: http.MethodPost, URL: &url.URL{Path: "/2013-04-01/hostedzone/Z1/rrset/"}, Header: http.Header{"Authorization": {
		"AWS4-HMAC-SHA256 Credential=KEY/20260101/us-west-2/" + service + "/aws4_request, SignedHeaders=host, Signature=0",
	}}}
	if action != "" {
		out.Header.Set("X-Amz-Target", "CertificateManager."+action)
	}
	return out
}
