package config_test

import (
	"maps"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// What names a target group of AWS cannot be changed; what was left to AWS may be filled in.
func (c cluster) keepsTheTargetGroupOfABinding(t *testing.T) {
	const filled = `{serviceRef: {name: a, port: 80}, targetGroupARN: arn:t, targetType: ip, ipAddressType: ipv4, vpcID: vpc-1}`
	for _, row := range []struct{ why, before, field, value, refusal string }{
		{"another target group", filled, "targetGroupARN", "arn:u", "targetGroupARN cannot be changed"},
		{"none any more", filled, "targetGroupARN", "", "targetGroup"},
		{"another type", filled, "targetType", "instance", "targetType cannot be changed"},
		{"another family", filled, "ipAddressType", "ipv6", "ipAddressType cannot be changed"},
		{"another VPC", filled, "vpcID", "vpc-2", "vpcID cannot be changed"},
		{"another external ID", filled, "assumeRoleExternalId", "x", ""},
		{"an ARN besides the name", `{serviceRef: {name: a, port: 80}, targetGroupName: t}`, "targetGroupARN", "arn:t", ""},
		{"the type", `{serviceRef: {name: a, port: 80}, targetGroupARN: arn:t}`, "targetType", "instance", ""},
		{"the family", `{serviceRef: {name: a, port: 80}, targetGroupARN: arn:t}`, "ipAddressType", "ipv6", ""},
		{"the VPC", `{serviceRef: {name: a, port: 80}, targetGroupARN: arn:t}`, "vpcID", "vpc-2", ""},
	} {
		t.Run(row.why, func(t *testing.T) {
			b := c.createAndRead(t, object(t, "elbv2.k8s.aws/v1beta1", "TargetGroupBinding", row.before), "elbv2.k8s.aws/v1beta1")
			spec, _, err := unstructured.NestedMap(b.Object, "spec")
			if err != nil {
				t.Fatal(err)
			}
			spec = maps.Clone(spec)
			spec[row.field] = row.value
			if row.value == "" {
				delete(spec, row.field)
			}
			b.Object["spec"] = spec
			err = c.client.Update(t.Context(), b, client.DryRunAll)
			if (err == nil) != (row.refusal == "") || err != nil && !strings.Contains(err.Error(), row.refusal) {
				t.Errorf("%v, want %q", err, row.refusal)
			}
		})
	}
}
