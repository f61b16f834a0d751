package traffic

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"net"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	kube "sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/headgate/headgate/cloud"
	"github.com/headgate/headgate/cloud/sim"
	"github.com/headgate/headgate/controllers/gateway"
	"github.com/headgate/headgate/controllers/ingress"
	"github.com/headgate/headgate/controllers/manifests"
	"github.com/headgate/headgate/controllers/preview"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/sandbox/echo"
	"github.com/headgate/headgate/sandbox/selfsigned"
	"github.com/headgate/headgate/test/world"
)

const (
	cluster = "traffic"
	// offset is how far above its port a listener of the data plane is.
	offset = 21000
	// speed makes the waits of health checks short, and leaves them long enough for a busy machine.
	speed = 100
	// podPort is the port of every pod, and patience how long something may take that happens by itself.
	podPort, patience = 8080, 20 * time.Second
)

func TestMain(m *testing.M) {
	flag.Int("pairs", 50, "how many pairs of configurations requests are sent between")
	flag.Uint64("seed", 1, "which pairs these are")
	flag.Parse()
	if err := world.Environment(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// stage is an account with load balancers that take requests, and pods behind them.
type stage struct {
	t     *testing.T
	sim   *sim.Simulator
	cloud *cloud.Client
	// trust is the certificate of the listeners with TLS, certificate its ARN.
	trust       []byte
	certificate string
	// credulous clients take every certificate, and tell of one that is not for the name.
	credulous bool
	// pods by the Service that they are of.
	pods map[string][]pod
	// plans that the last manifests took, in words.
	plans string
	// held are the objects of the last manifests.
	held kube.Reader
	// transport of the operator's calls; nil is the usual one.
	transport http.RoundTripper
	// directory is what clients know of load balancers, nil where there is only one.
	directory *directory
	// nodes are the addresses of instances by their IDs.
	nodes map[string]string
}

// pod is an echo server behind an address of the VPC.
type pod struct {
	name, address string
	// at is where it really is.
	at string
}

// services are the Services of a stage with their pods.
func services() map[string][]string {
	return map[string][]string{"a": {"a"}, "b": {"b"}, "c": {"c"}, "many": {"m1", "m2", "m3"}}
}

// newStage starts an account. Its simulator is as the options say, but for what a stage needs.
func newStage(t *testing.T, o sim.Options) *stage {
	t.Helper()
	o.ClusterName, o.DataPlane, o.PortOffset, o.Speed, o.Provisioning = cluster, true, offset, speed, -1
	account, err := sim.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := account.Close(); err != nil {
			t.Error(err)
		}
	})
	s := &stage{t: t, sim: account, pods: map[string][]pod{}}
	config := account.AWSConfig()
	s.connect()
	made, err := selfsigned.New("example.com", "*.example.com")
	if err != nil {
		t.Fatal(err)
	}
	s.trust = made.Cert
	if s.certificate, err = made.Import(t.Context(), config); err != nil {
		t.Fatal(err)
	}
	for _, service := range slices.Sorted(maps.Keys(services())) {
		for _, name := range services()[service] {
			s.startPod(service, name)
		}
	}
	return s
}

// connect makes a client of the account that knows nothing of it.
func (s *stage) connect() {
	s.t.Helper()
	config := s.sim.AWSConfig()
	client, err := cloud.New(s.t.Context(), cloud.Options{
		Cluster: cluster, VPC: s.sim.World().VPC, AWSConfig: &config, Secrets: s.secret, Transport: s.transport,
	})
	if err != nil {
		s.t.Fatal(err)
	}
	s.cloud = client
}

// startPod starts an echo server for a pod, at an address of the VPC.
func (s *stage) startPod(service, name string) {
	s.t.Helper()
	server, err := echo.New(echo.Config{Namespace: "shop", Service: service, Pod: name})
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = server.Close() })
	at, err := server.Listen(s.t.Context(), echo.Any, podPort, "127.0.0.1:0")
	if err != nil {
		s.t.Fatal(err)
	}
	count := 0
	for _, pods := range s.pods {
		count += len(pods)
	}
	p := pod{name: name, address: fmt.Sprintf("10.0.128.%d", 10+count), at: at}
	s.pods[service] = append(s.pods[service], p)
	s.place(p, &at)
}

// place says where a pod really is; nil is nowhere.
func (s *stage) place(p pod, at *string) {
	s.t.Helper()
	if err := s.sim.SetAddresses(map[string]*string{fmt.Sprintf("%s:%d", p.address, podPort): at}); err != nil {
		s.t.Fatal(err)
	}
}

// kill takes a pod's network away.
func (s *stage) kill(name string) {
	s.t.Helper()
	for _, pods := range s.pods {
		for _, p := range pods {
			if p.name == name {
				s.place(p, nil)
			}
		}
	}
}

// settings are the operator's.
func settings() preview.Settings {
	return preview.Settings{
		Ingress: ingress.Settings{ClusterName: cluster, DefaultTargetType: "ip", BackendSecurityGroup: true},
		Gateway: gateway.Settings{ClusterName: cluster, DefaultTargetType: "ip", BackendSecurityGroup: true},
	}
}

// common is what every stage's cluster holds: the class and the Services.
func common() string {
	var out strings.Builder
	out.WriteString("{apiVersion: networking.k8s.io/v1, kind: IngressClass, metadata: {name: alb}, spec: {controller: ingress.k8s.aws/alb}}\n")
	for _, name := range slices.Sorted(maps.Keys(services())) {
		fmt.Fprintf(&out, "---\n{apiVersion: v1, kind: Service, metadata: {namespace: shop, name: %s, uid: uid-%s}, "+
			"spec: {type: NodePort, selector: {app: %s}, ports: [{name: http, port: 80, targetPort: %d, nodePort: %d}, "+
			"{name: alt, port: 81, targetPort: %d, nodePort: %d}]}}\n",
			name, name, name, podPort, nodePort(name, 80), podPort, nodePort(name, 81))
	}
	return out.String()
}

// nodePort is where nodes answer for a port of a Service.
func nodePort(service string, port int) int {
	return 30000 + 100*slices.Index(slices.Sorted(maps.Keys(services())), service) + port
}

// objects reads manifests, those of every stage among them.
func (s *stage) objects(text string) preview.Source {
	s.t.Helper()
	set, err := manifests.New()
	if err != nil {
		s.t.Fatal(err)
	}
	set.Add("common", []byte(common()))
	set.Add("manifests", []byte(strings.ReplaceAll(text, "CERTIFICATE", s.certificate)))
	for _, p := range set.Problems {
		s.t.Fatal(p)
	}
	scheme, err := manifests.Scheme()
	if err != nil {
		s.t.Fatal(err)
	}
	s.held = set
	return preview.Source{Reader: set, Scheme: scheme}
}

// secret is what a Secret of the last manifests holds.
func (s *stage) secret(ctx context.Context, ref model.SecretRef) (map[string][]byte, error) {
	found := &corev1.Secret{}
	if err := s.held.Get(ctx, kube.ObjectKey{Namespace: ref.Namespace, Name: ref.Name}, found); err != nil {
		return nil, fmt.Errorf("reading Secret %s: %w", ref, err)
	}
	return found.Data, nil
}

// apply runs the operator's loop over manifests until nothing is left to do, and gives what it found.
func (s *stage) apply(text string) []model.Finding {
	s.t.Helper()
	from := s.objects(text)
	s.plans = ""
	for range 50 {
		stacks, err := preview.Run(s.t.Context(), from, s.cloud, settings())
		if err != nil {
			s.t.Fatal(err)
		}
		var findings []model.Finding
		idle := true
		for _, stack := range stacks {
			if stack.Blocked != "" {
				s.t.Fatalf("%s is not built: %s: %v", stack.Owner, stack.Blocked, stack.Findings)
			}
			findings = append(findings, stack.Findings...)
			s.plans += stack.Plan.Text()
			idle = idle && stack.Plan.Empty() && !stack.More
		}
		if idle {
			return findings
		}
	}
	s.t.Fatal("there is always something left to do")
	return nil
}

// register puts the pods of Services into the target groups that were made for them, and waits until each is as well as states say;
// a pod that is not among them shall be healthy.
func (s *stage) register(owner model.Owner, states map[string]string) {
	s.t.Helper()
	s.registerIn(owner, states, func(model.TargetGroup) bool { return true })
}

// registerIn is register for some of the target groups.
func (s *stage) registerIn(owner model.Owner, states map[string]string, which func(model.TargetGroup) bool) {
	s.t.Helper()
	stack, err := s.cloud.Observe(s.t.Context(), owner, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	wants := map[model.ARN]map[string]string{}
	for _, group := range stack.TargetGroups {
		if !which(group) {
			continue
		}
		want := map[string]string{}
		var targets []model.Target
		for _, p := range s.pods[serviceOf(group)] {
			want[p.address] = states[p.name]
			if want[p.address] == "" {
				want[p.address] = "healthy"
			}
			targets = append(targets, model.Target{ID: p.address, Port: podPort})
		}
		if err := s.cloud.Register(s.t.Context(), group.ARN, targets); err != nil {
			s.t.Fatal(err)
		}
		wants[group.ARN] = want
	}
	s.sim.Settle(s.t.Context())
	for arn, want := range wants {
		s.await(arn, want)
	}
}

// serviceOf is the Service of a target group, whose resource ID ends in "-service:port".
func serviceOf(group model.TargetGroup) string {
	name := group.ID[:strings.LastIndex(group.ID, ":")]
	return name[strings.LastIndex(name, "-")+1:]
}

// await waits until targets are in states, by their address.
func (s *stage) await(group model.ARN, want map[string]string) {
	s.t.Helper()
	diff := ""
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		health, err := s.cloud.Health(s.t.Context(), group)
		if err != nil {
			s.t.Fatal(err)
		}
		got := map[string]string{}
		for _, h := range health {
			got[h.Target.ID] = h.State
		}
		if diff = cmp.Diff(want, got); diff == "" {
			return
		}
	}
	s.t.Fatalf("targets of %s: -want +got\n%s", group, diff)
}

// group makes a target group of the user's own, with the pods of a Service in it.
func (s *stage) group(name, service string) string {
	s.t.Helper()
	made, err := elbv2.NewFromConfig(s.sim.AWSConfig()).CreateTargetGroup(s.t.Context(), &elbv2.CreateTargetGroupInput{
		Name: &name, Port: aws.Int32(podPort), Protocol: elbtypes.ProtocolEnumHttp, TargetType: elbtypes.TargetTypeEnumIp, VpcId: aws.String(s.sim.World().VPC),
	})
	if err != nil {
		s.t.Fatal(err)
	}
	arn := aws.ToString(made.TargetGroups[0].TargetGroupArn)
	for _, p := range s.pods[service] {
		if err := s.cloud.Register(s.t.Context(), model.ARN(arn), []model.Target{{ID: p.address, Port: podPort}}); err != nil {
			s.t.Fatal(err)
		}
	}
	return arn
}

// owner of the Ingress "web".
func owner() model.Owner { return ingress.Implicit("shop", "web").Owner(cluster) }

var errBalancers = errors.New("there is not one load balancer")

// address of the only load balancer, for connections to a port of its listeners.
func (s *stage) address(port string) (string, error) {
	all := s.sim.LoadBalancers()
	if len(all) != 1 {
		return "", fmt.Errorf("%d of them: %w", len(all), errBalancers)
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		return "", fmt.Errorf("reading port %s: %w", port, err)
	}
	return net.JoinHostPort(all[0].Address.String(), strconv.Itoa(number+offset)), nil
}
