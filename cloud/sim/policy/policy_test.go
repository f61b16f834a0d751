package policy_test

import (
	"os"
	"strings"
	"testing"

	"github.com/headgate/headgate/cloud/sim/policy"
)

func parse(t *testing.T, body string) *policy.Document {
	t.Helper()
	d, err := policy.Parse([]byte(body))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestDecide(t *testing.T) {
	t.Parallel()
	const group = "arn:aws:elasticloadbalancing:us-west-2:1:targetgroup/web/0a"
	rows := []struct {
		why, statements, action, resource string
		want                              policy.Decision
	}{
		{"nothing allows it", `{"Effect":"Allow","Action":"a:B","Resource":"*"}`, "a:C", "*", policy.NotAllowed},
		{"allowed", `{"Effect":"Allow","Action":"a:B","Resource":"*"}`, "a:B", "*", policy.Allowed},
		{"case does not count in actions", `{"Effect":"Allow","Action":"A:b","Resource":"*"}`, "a:B", "*", policy.Allowed},
		{"a wildcard in an action", `{"Effect":"Allow","Action":["x:Y","a:Describe*"],"Resource":"*"}`, "a:DescribeThings", "*", policy.Allowed},
		{"which is not another service", `{"Effect":"Allow","Action":"a:*","Resource":"*"}`, "b:C", "*", policy.NotAllowed},
		{"all", `{"Effect":"Allow","Action":"*","Resource":"*"}`, "b:C", group, policy.Allowed},
		{"a deny wins", `[{"Effect":"Deny","Action":"a:B","Resource":"*"},{"Effect":"Allow","Action":"*","Resource":"*"}]`, "a:B", "*", policy.Denied},
		{"all but", `{"Effect":"Allow","NotAction":"a:B","Resource":"*"}`, "a:B", "*", policy.NotAllowed},
		{"and the rest", `{"Effect":"Allow","NotAction":"a:B","Resource":"*"}`, "a:C", "*", policy.Allowed},
		{"a resource", `{"Effect":"Allow","Action":"a:B","Resource":"arn:aws:elasticloadbalancing:*:*:targetgroup/*/*"}`, "a:B", group, policy.Allowed},
		{"another resource", `{"Effect":"Allow","Action":"a:B","Resource":"arn:aws:elasticloadbalancing:*:*:loadbalancer/*"}`, "a:B", group, policy.NotAllowed},
		{"a call on everything is not one on a resource", `{"Effect":"Allow","Action":"a:B","Resource":"arn:aws:s3:::x"}`, "a:B", "*", policy.NotAllowed},
		{"a question mark", `{"Effect":"Allow","Action":"a:B","Resource":"*/0?"}`, "a:B", group, policy.Allowed},
		{"stars that have to look again", `{"Effect":"Allow","Action":"a:B","Resource":"*web*0*a"}`, "a:B", group, policy.Allowed},
		{"all resources but", `{"Effect":"Allow","Action":"a:B","NotResource":"*web*"}`, "a:B", group, policy.NotAllowed},
	}
	for _, row := range rows {
		d := parse(t, `{"Version":"2012-10-17","Statement":`+row.statements+`}`)
		if got := d.Decide(policy.Call{Action: row.action, Resource: row.resource}); got != row.want {
			t.Errorf("%s: %v, want %v", row.why, got, row.want)
		}
	}
}

func TestConditions(t *testing.T) {
	t.Parallel()
	keys := map[string][]string{"aws:requesttag/cluster": {"shop"}, "aws:tagkeys": {"cluster", "team"}, "ec2:createaction": {"CreateSecurityGroup"}, "aws:securetransport": {"true"}}
	rows := []struct {
		why, condition string
		want           bool
	}{
		{"equal", `{"StringEquals":{"aws:RequestTag/cluster":"shop"}}`, true},
		{"one of several", `{"StringEquals":{"ec2:CreateAction":["CreateVolume","CreateSecurityGroup"]}}`, true},
		{"not equal", `{"StringEquals":{"aws:RequestTag/cluster":"Shop"}}`, false},
		{"equal but for case", `{"StringEqualsIgnoreCase":{"aws:RequestTag/cluster":"Shop"}}`, true},
		{"a key that is not there", `{"StringEquals":{"aws:ResourceTag/cluster":"shop"}}`, false},
		{"and need not be", `{"StringEqualsIfExists":{"aws:ResourceTag/cluster":"shop"}}`, true},
		{"like", `{"StringLike":{"aws:RequestTag/cluster":"s*p"}}`, true},
		{"not like", `{"StringNotLike":{"aws:RequestTag/cluster":"s*p"}}`, false},
		{"differs", `{"StringNotEquals":{"aws:RequestTag/cluster":["a","b"]}}`, true},
		{"an absent key differs", `{"StringNotEquals":{"aws:ResourceTag/cluster":"a"}}`, true},
		{"present", `{"Null":{"aws:RequestTag/cluster":"false"}}`, true},
		{"absent", `{"Null":{"aws:RequestTag/cluster":"true"}}`, false},
		{"a boolean", `{"Bool":{"aws:SecureTransport":true}}`, true},
		{"both operators", `{"StringEquals":{"aws:RequestTag/cluster":"shop"},"Null":{"aws:ResourceTag/cluster":"true"}}`, true},
		{"both keys", `{"StringEquals":{"aws:RequestTag/cluster":"shop","ec2:CreateAction":"RunInstances"}}`, false},
		{"any of the values", `{"ForAnyValue:StringEquals":{"aws:TagKeys":"team"}}`, true},
		{"all of the values", `{"ForAllValues:StringEquals":{"aws:TagKeys":"team"}}`, false},
		{"all of none", `{"ForAllValues:StringEquals":{"aws:Other":"team"}}`, true},
		{"an ARN", `{"ArnLike":{"ec2:CreateAction":"Create*"}}`, true},
	}
	for _, row := range rows {
		d := parse(t, `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":`+row.condition+`}}`)
		if got := d.Decide(policy.Call{Action: "a:B", Resource: "*", Keys: keys}) == policy.Allowed; got != row.want {
			t.Errorf("%s: %v", row.why, got)
		}
	}
}

func TestWhatIsNotUnderstoodIsRefused(t *testing.T) {
	t.Parallel()
	rows := []struct{ why, statement, names string }{
		{"an operator", `{"Effect":"Allow","Action":"a:B","Resource":"*","Condition":{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}}}`, "IpAddress"},
		{"an element", `{"Effect":"Allow","Action":"a:B","Resource":"*","When":"now"}`, "When"},
		{"a variable", `{"Effect":"Allow","Action":"a:B","Resource":"arn:aws:s3:::${aws:username}"}`, "${aws:username}"},
		{"a variable in a condition", `{"Effect":"Allow","Action":"a:B","Resource":"*","Condition":{"StringEquals":{"a:k":"${x}"}}}`, "a:k"},
		{"an effect", `{"Effect":"Maybe","Action":"a:B","Resource":"*"}`, "Maybe"},
		{"a principal", `{"Effect":"Allow","Action":"a:B","Resource":"*","Principal":"*"}`, "Principal"},
		{"no action", `{"Effect":"Allow","Resource":"*"}`, "Action"},
		{"no resource", `{"Effect":"Allow","Action":"a:B"}`, "Resource"},
		{"an action without service", `{"Effect":"Allow","Action":"CreateRule","Resource":"*"}`, "CreateRule"},
		{"a value that is none", `{"Effect":"Allow","Action":{},"Resource":"*"}`, "no value"},
	}
	for _, row := range rows {
		_, err := policy.Parse([]byte(`{"Version":"2012-10-17","Statement":` + row.statement + `}`))
		if err == nil || !strings.Contains(err.Error(), row.names) {
			t.Errorf("%s: %v", row.why, err)
		}
	}
	if _, err := policy.Parse([]byte(`{"Version":"1999","Statement":[]}`)); err == nil {
		t.Error("a version that there never was")
	}
}

func TestOwnPolicyIsUnderstood(t *testing.T) {
	t.Parallel()
	body, err := os.ReadFile("../../../config/iam/policy.json")
	if err != nil {
		t.Fatal(err)
	}
	d := parse(t, string(body))
	const cluster = "aws:requesttag/elbv2.k8s.aws/cluster"
	const group = "arn:aws:ec2:us-west-2:1:security-group/*"
	create := policy.Call{Action: "ec2:CreateTags", Resource: group, Keys: map[string][]string{cluster: {"x"}, "ec2:createaction": {"CreateSecurityGroup"}}}
	if d.Decide(create) != policy.Allowed {
		t.Error("tags of a new security group")
	}
	delete(create.Keys, "ec2:createaction")
	if d.Decide(create) != policy.NotAllowed {
		t.Error("tags of a security group that is not ours")
	}
}
