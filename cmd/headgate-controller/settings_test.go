package main

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	t.Parallel()
	good := []string{"--cluster-name=c", "--aws-region=us-west-2", "--aws-vpc-id=vpc-1"}
	for _, c := range []struct {
		why  string
		args []string
		// says is part of what is printed; empty means that the command line is good.
		says string
	}{
		{"the least that is needed", good, ""},
		{"one dash is as good as two", []string{"-cluster-name=c", "-aws-region=r", "-aws-vpc-id=vpc-1"}, ""},
		{"unknown flags are named", append(good, "--no-such-flag"), "no-such-flag"},
		{"flags of the incumbent that are not served are refused by name", append(good, "--aws-api-throttle=x"),
			"flag --aws-api-throttle of the incumbent is not served: the pace of calls follows what AWS allows"},
		{"a feature gate that is not known is refused", append(good, "--feature-gates=A=true"), `feature gate "A" is not known`},
		{"a gate that has one way only is refused the other way, with the reason", append(good, "--feature-gates=ListenerRulesTagging=false"),
			"feature gate ListenerRulesTagging is always true here, for what is ours is known by its tags"},
		{"what Headgate has not is not switched on", append(good, "--feature-gates=GlobalAcceleratorController=true"), "is always false here"},
		{"gates as they are may be written", append(good, "--feature-gates=ListenerRulesTagging=true,EnableRGTAPI=false"), ""},
		{"rules of a group that there is not", append(good, "--enable-backend-security-group=false", "--enable-manage-backend-security-group-rules"),
			"needs --enable-backend-security-group"},
		{"a shared group of the user's is an ID", append(good, "--backend-security-group=mine"), "write an ID, sg-"},
		{"and stands in place of ours", append(good, "--backend-security-group=sg-1", "--enable-backend-security-group=false"), "leave one of the two out"},
		{"one that is right", append(good, "--backend-security-group=sg-1"), ""},
		{"a flag that is always on may be written", append(good, "--enable-endpoint-slices"), ""},
		{"and is refused when it is off", append(good, "--enable-endpoint-slices=false"), "it is always on"},
		{"tolerance is on or off", append(good, "--tolerate-non-existent-backend-service=maybe"), "neither true nor false"},
		{"a gate is on or off", append(good, "--feature-gates=ALBSingleSubnet=maybe"), "write true or false"},
		{"a label has a value", append(good, "--required-secrets-label=a"), "use key=value"},
		{"an authority is an ARN", append(good, "--default-pca-arn=x"), "--default-pca-arn is"},
		{"words beside flags are no flags", append(good, "serve"), `unexpected argument "serve"`},
		{"a cluster has a name", good[1:], "--cluster-name is required"},
		{"two ways to name the network contradict each other", append(good, "--aws-vpc-tags=a=b"), "exclude each other"},
		{"target types", append(good, "--default-target-type=pod"), `--default-target-type is "pod": use instance or ip`},
		{"schemes", append(good, "--default-load-balancer-scheme=public"), "use internal or internet-facing"},
		{"levels", append(good, "--log-level=trace"), "use info or debug"},
		{"pairs", append(good, "--default-tags=a"), `"a" is not of the form key=value`},
		{"tags that carry ownership", append(good, "--default-tags=ingress.k8s.aws/stack=x"), "carries ownership"},
		{"a tag belongs to one side", append(good, "--default-tags=a=b", "--external-managed-tags=a"), "leave it out of one"},
		{"durations", append(good, "--sync-period=0s"), "--sync-period is 0s"},
		{"unknown flags come with a way to the known ones", append(good, "--no-such-flag"), "see --help\n"},
		{"services that there are not", append(good, "--aws-api-endpoints=ELB=http://x"), `the service "ELB"`},
		{"two servers have two ports", append(good, "--metrics-bind-addr=:8080", "--health-probe-bind-addr=127.0.0.1:8080"), "the same port, 8080"},
		{"free ports are not the same", append(good, "--metrics-bind-addr=:0", "--health-probe-bind-addr=:0"), ""},
		{"off is no port", append(good, "--metrics-bind-addr=0", "--health-probe-bind-addr=0"), ""},
		{"workers", append(good, "--ingress-max-concurrent-reconciles=0"), "must be 1 or more"},
	} {
		var out bytes.Buffer
		s, err := parse(c.args, func(string) string { return "" }, &out)
		if c.says == "" {
			if err != nil || s == nil {
				t.Errorf("%s: parse(%v) = %v, printed %s", c.why, c.args, err, out.String())
			}
			continue
		}
		if !errors.Is(err, errUsage) || !strings.Contains(out.String(), c.says) {
			t.Errorf("%s: parse(%v) = %v, printed %q, want it to say %q", c.why, c.args, err, out.String(), c.says)
		}
		if strings.Count(out.String(), "\n") != 1 {
			t.Errorf("%s: one mistake is one line: %s", c.why, out.String())
		}
	}
}

// TestGates: each gate and flag of what Ingresses may do switches what it says.
func TestGates(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		flag   string
		before bool
		of     func(*settings) bool
	}{
		{"--feature-gates=EnableDefaultTagsLowPriority=true", false, func(s *settings) bool { return s.Tuning.TagsYield }},
		{"--feature-gates=EndpointsFailOpen=false", true, func(s *settings) bool { return s.FailOpen }},
		{"--feature-gates=SubnetsClusterTagCheck=false", false, func(s *settings) bool { return s.Tuning.SharedSubnets }},
		{"--feature-gates=SubnetDiscoveryByReachability=false", false, func(s *settings) bool { return s.Tuning.SubnetsByRole }},
		{"--feature-gates=ALBSingleSubnet=true", false, func(s *settings) bool { return s.SingleSubnet }},
		{"--feature-gates=LBCapacityReservation=false", true, func(s *settings) bool { return s.Capacity }},
		{"--feature-gates=EnableCertificateManagement=true", false, func(s *settings) bool { return s.CertificateManagement }},
		{"--tolerate-non-existent-backend-service=false", false, func(s *settings) bool { return s.DemandServices }},
		{"--tolerate-non-existent-backend-action=false", false, func(s *settings) bool { return s.DemandActions }},
		{"--disable-ingress-class-annotation", false, func(s *settings) bool { return s.NoClassAnnotation }},
		{"--disable-ingress-group-name-annotation", false, func(s *settings) bool { return s.NoGroupAnnotation }},
		{"--enable-manage-backend-security-group-rules", false, func(s *settings) bool { return s.Tuning.ManageBackendRules }},
	} {
		for _, args := range [][]string{{"--cluster-name=c"}, {"--cluster-name=c", row.flag}} {
			s, err := parse(args, func(string) string { return "" }, io.Discard)
			if err != nil {
				t.Fatalf("%v: %v", args, err)
			}
			if got, want := row.of(s), row.before != (len(args) > 1); got != want {
				t.Errorf("%v: it is %t, want %t", args, got, want)
			}
		}
	}
}

func TestRegionFromTheEnvironment(t *testing.T) {
	t.Parallel()
	env := map[string]string{"AWS_REGION": "second", "AWS_DEFAULT_REGION": "first"}
	s, err := parse([]string{"--cluster-name=c", "--aws-vpc-id=v"}, func(k string) string { return env[k] }, &bytes.Buffer{})
	if err != nil || s.Region != "first" {
		t.Errorf("the region is %v (%v), want that of AWS_DEFAULT_REGION", s, err)
	}
}

func TestRunExitCodes(t *testing.T) {
	t.Parallel()
	none := func(string) string { return "" }
	if code := run([]string{"--no-such-flag"}, none, &bytes.Buffer{}); code != exitUsage {
		t.Errorf("a bad flag ends with %d, want %d", code, exitUsage)
	}
	var out bytes.Buffer
	if code := run([]string{"--help"}, none, &out); code != 0 || !strings.Contains(out.String(), "-cluster-name") {
		t.Errorf("--help ends with %d and prints %q", code, out.String())
	}
	args := []string{"--cluster-name=c", "--aws-region=r", "--aws-vpc-id=v", "--kubeconfig=" + t.TempDir() + "/none"}
	out.Reset()
	if code := run(args, none, &out); code != exitFailed || !strings.Contains(out.String(), "--kubeconfig") {
		t.Errorf("a kubeconfig that is missing ends with %d and prints %q", code, out.String())
	}
}
