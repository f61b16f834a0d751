package verify_test

import (
	"strings"
	"testing"

	"github.com/headgate/headgate/cmd/headgate-controller/verify"
)

func TestProblems(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		why    string
		change func(*verify.Flags)
		// says is part of the one problem; empty for none.
		says string
	}{
		{"the defaults", func(*verify.Flags) {}, ""},
		{"nothing is no target type", func(f *verify.Flags) { f.TargetType = "" }, "--default-target-type"},
		{"target types", func(f *verify.Flags) { f.TargetType = "pod" }, `--default-target-type is "pod": use instance or ip`},
		{"schemes", func(f *verify.Flags) { f.Scheme = "public" }, "use internal or internet-facing"},
		{"a tag that carries ownership", func(f *verify.Flags) { f.DefaultTags = map[string]string{"ingress.k8s.aws/stack": "x"} }, "carries ownership"},
		{"nor is it somebody else's", func(f *verify.Flags) { f.ExternalTags = []string{"elbv2.k8s.aws/cluster"} }, "--external-managed-tags must not"},
		{"services in any writing", func(f *verify.Flags) {
			f.Endpoints = map[string]string{"Elastic Load Balancing v2": "http://h:1", "EC2": "https://h"}
		}, ""},
		{"classic load balancing is not served", func(f *verify.Flags) { f.Endpoints = map[string]string{"ELB": "http://x"} }, `the service "ELB": use one of acm, `},
		{"an endpoint is a URL", func(f *verify.Flags) { f.Endpoints = map[string]string{"ec2": "host:80"} }, `leads ec2 to "host:80"`},
	} {
		flags := verify.Flags{TargetType: "instance", Scheme: "internal"}
		row.change(&flags)
		got := flags.Problems()
		if row.says == "" && len(got) > 0 || row.says != "" && (len(got) != 1 || !strings.Contains(got[0], row.says)) {
			t.Errorf("%s: %q, want %q", row.why, got, row.says)
		}
	}
}
