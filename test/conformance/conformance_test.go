package conformance_test

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"net"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"
	"sigs.k8s.io/gateway-api/conformance"
	confv1 "sigs.k8s.io/gateway-api/conformance/apis/v1"
	"sigs.k8s.io/gateway-api/conformance/utils/suite"

	"github.com/headgate/headgate/sandbox"
	"github.com/headgate/headgate/test/world"
)

const (
	// class is the GatewayClass of the suite's Gateways, as testdata has it.
	class = "conformance"
	// speed divides what AWS takes its time for, so that the suite's own limits hold: a load balancer is provisioned in two seconds.
	speed = 60
	// bucket is where the operator keeps the authorities that clients are verified by.
	bucket = "conformance-authorities"
	// home is where the project's issues are.
	home = "https://github.com/headgate/headgate"
)

var state = flag.String("state", "", "directory that keeps the sandbox's logs; a temporary one without it")

func TestMain(m *testing.M) {
	if err := world.Environment(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// TestGatewayAPI runs the suite. With -run TestGatewayAPI/suite/NAME tests run alone, and the report is not looked at.
func TestGatewayAPI(t *testing.T) {
	s := start(t)
	report := filepath.Join(t.TempDir(), "report.yaml")
	t.Run("suite", func(t *testing.T) { conformance.RunConformanceWithOptions(t, options(t, s, report)) })
	if chosen := flag.Lookup("test.run").Value.String(); chosen == "" {
		judge(t, report)
	}
}

// start brings a sandbox up, and has names looked up where those of its load balancers are known.
func start(t *testing.T) *sandbox.Sandbox {
	t.Helper()
	o := sandbox.Options{Speed: speed, StateDir: *state, Log: os.Stderr, ControllerArgs: []string{"--trust-store-bucket=" + bucket}}
	o.Simulator.DNS = "127.0.0.1:0"
	s, err := sandbox.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	keep(t, s.Simulator().AWSConfig())
	if err := s.Cluster().Apply(t.Context(), "testdata"); err != nil {
		t.Fatal(err)
	}
	before, at := net.DefaultResolver, s.Access()
	t.Cleanup(func() { net.DefaultResolver = before })
	net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, net.JoinHostPort(at.DNSHost, at.DNSPort))
	}}
	return s
}

// keep makes the bucket for authorities.
func keep(t *testing.T, account aws.Config) {
	t.Helper()
	_, err := s3.NewFromConfig(account, func(o *s3.Options) { o.UsePathStyle = true }).CreateBucket(t.Context(), &s3.CreateBucketInput{
		Bucket:                    aws.String(bucket),
		CreateBucketConfiguration: &s3types.CreateBucketConfiguration{LocationConstraint: s3types.BucketLocationConstraint(account.Region)},
	})
	if err != nil {
		t.Fatal(err)
	}
}

// options are the suite's defaults, and what this project is. The features are those that the class tells.
func options(t *testing.T, s *sandbox.Sandbox, report string) suite.ConformanceOptions {
	t.Helper()
	t.Setenv("KUBECONFIG", s.Kubeconfig())
	o := conformance.DefaultOptions(t)
	awaitFeatures(t, o.Client)
	o.GatewayClassName = class
	o.ConformanceProfiles = []suite.ConformanceProfileName{suite.GatewayHTTPConformanceProfileName}
	o.SkipTests = slices.Sorted(maps.Keys(skipped()))
	o.Mode, o.ReportOutputPath = "simulator", report
	o.Implementation = confv1.Implementation{
		Organization: "headgate", Project: "headgate", URL: home, Version: "main", Contact: []string{home + "/issues"},
	}
	return o
}

// awaitFeatures waits until the operator has told what it serves.
func awaitFeatures(t *testing.T, reader client.Reader) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; {
		c := &gwv1.GatewayClass{}
		if err := reader.Get(t.Context(), client.ObjectKey{Name: class}, c); err != nil {
			t.Fatal(err)
		}
		if meta.IsStatusConditionTrue(c.Status.Conditions, string(gwv1.GatewayClassConditionStatusAccepted)) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("the class is not accepted: %+v", c.Status.Conditions)
		}
		time.Sleep(100 * time.Millisecond)
	}
}
