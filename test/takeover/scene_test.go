package takeover

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/headgate/headgate/cloud/sim"
	"github.com/headgate/headgate/test/incumbent"
	"github.com/headgate/headgate/test/world"
)

// parallelRuns is how many operators run at a time: they mostly wait.
const parallelRuns = "6"

func TestMain(m *testing.M) {
	flag.Parse()
	if err := errors.Join(flag.Set("test.parallel", parallelRuns), world.Environment()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// scene is a cluster and an account that the incumbent has worked on.
type scene struct {
	*world.Run

	t      *testing.T
	lbc    *incumbent.Account
	stacks []*incumbent.Stack
	meter  *meter
	// seen are the calls before the operator was started last.
	seen sim.Calls
	// pods counts the addresses that were given away, served are the Services with pods on port 8080.
	pods   int
	served map[string]served
}

// served is a Service with the targets that its pods are.
type served struct {
	service *corev1.Service
	targets []elbtypes.TargetDescription
}

func newScene(t *testing.T, w *world.World, name string) *scene {
	t.Helper()
	s := &scene{Run: w.NewRun(t, name, map[string]string{"elbv2.k8s.aws/pod-readiness-gate-inject": "enabled"}), t: t, meter: &meter{}, served: map[string]served{}}
	account := s.Sim.World()
	s.lbc = incumbent.New(s.AWS(), w.Client, incumbent.Account{Cluster: name, VPC: account.VPC, Nodes: account.NodeSecurityGroup})
	s.create(&networkingv1.IngressClass{
		ObjectMeta: metav1.ObjectMeta{Name: "alb"}, Spec: networkingv1.IngressClassSpec{Controller: "ingress.k8s.aws/alb"},
	})
	return s
}

// create makes objects; those of the cluster may be there already.
func (s *scene) create(objects ...client.Object) {
	s.t.Helper()
	for _, o := range objects {
		if err := s.World.Client.Create(s.t.Context(), o); err != nil && (o.GetNamespace() != "" || client.IgnoreAlreadyExists(err) != nil) {
			s.t.Fatalf("creating %T %s: %v", o, o.GetName(), err)
		}
	}
}

// must fails the test on an error of the incumbent's.
func (s *scene) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// service makes a Service with one port, "http", whose target port is given.
func (s *scene) service(name string, target intstr.IntOrString) *corev1.Service {
	s.t.Helper()
	out := &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Namespace: s.Name, Name: name},
		Spec: corev1.ServiceSpec{
			Selector: map[string]string{"app": name}, Type: corev1.ServiceTypeNodePort,
			Ports: []corev1.ServicePort{{Name: "http", Port: 80, TargetPort: target}},
		},
	}
	s.create(out)
	return out
}

// serve makes a Service with two pods on port 8080, once.
func (s *scene) serve(name string) served {
	s.t.Helper()
	if _, ok := s.served[name]; !ok {
		s.served[name] = served{s.service(name, intstr.FromInt32(8080)), s.endpoints(name, 8080, 2)}
	}
	return s.served[name]
}

// certificate imports one into the account.
func (s *scene) certificate(hosts ...string) string {
	s.t.Helper()
	arn, err := s.ImportCertificate(hosts...)
	s.must(err)
	return arn
}

// endpoints gives a Service pods on a port, and the targets that they are.
func (s *scene) endpoints(service string, port int32, count int) []elbtypes.TargetDescription {
	s.t.Helper()
	slice := &discoveryv1.EndpointSlice{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: s.Name, Name: fmt.Sprintf("%s-%d", service, port), Labels: map[string]string{discoveryv1.LabelServiceName: service},
		},
		AddressType: discoveryv1.AddressTypeIPv4, Ports: []discoveryv1.EndpointPort{{Name: new("http"), Port: &port}},
	}
	var out []elbtypes.TargetDescription
	for range count {
		address := s.address()
		slice.Endpoints = append(slice.Endpoints, discoveryv1.Endpoint{
			Addresses: []string{address}, Conditions: discoveryv1.EndpointConditions{Ready: new(true)},
		})
		out = append(out, elbtypes.TargetDescription{Id: &address, Port: &port})
	}
	s.create(slice)
	return out
}

// address is a new one of a pod, on an interface with the nodes' security group.
func (s *scene) address() string {
	s.t.Helper()
	s.pods++
	address := fmt.Sprintf("10.0.%d.%d", 128+s.pods%3*16, 10+s.pods)
	_, err := s.Sim.AddNetworkInterface(sim.Interface{
		ID: "eni-" + strings.ReplaceAll(address, ".", "-"), SecurityGroups: []string{s.Sim.World().NodeSecurityGroup}, Addresses: []string{address},
	})
	s.must(err)
	return address
}

// backend is a target group of an Ingress as the incumbent makes it where nothing is annotated: the pods of a Service by their addresses.
func (s *scene) backend(ingress string, of served) incumbent.TargetGroup {
	service, port := of.service, of.service.Spec.Ports[0]
	return incumbent.TargetGroup{
		ID:  fmt.Sprintf("%s/%s-%s:%d", s.Name, ingress, service.Name, port.Port),
		Key: s.Name + ingress, Namespace: s.Name, Service: service.Name, UID: string(service.UID),
		Port: intstr.FromInt32(port.Port), TargetPort: port.TargetPort, TargetType: elbtypes.TargetTypeEnumIp,
		Protocol: elbtypes.ProtocolEnumHttp, Version: "HTTP1", Health: incumbent.Checked(), Targets: of.targets,
	}
}

// change edits an object of the namespace.
func change[O client.Object](s *scene, name string, object O, edit func(O)) {
	s.t.Helper()
	s.must(s.World.Client.Get(s.t.Context(), client.ObjectKey{Namespace: s.Name, Name: name}, object))
	before, ok := object.DeepCopyObject().(client.Object)
	if !ok {
		s.t.Fatalf("%T is no object", object)
	}
	edit(object)
	s.must(s.World.Client.Patch(s.t.Context(), object, client.MergeFrom(before)))
}

// grow gives a Service one pod more, shrink takes the last one away.
func (s *scene) grow(service string) {
	s.t.Helper()
	change(s, service+"-8080", &discoveryv1.EndpointSlice{}, func(e *discoveryv1.EndpointSlice) {
		e.Endpoints = append(e.Endpoints, discoveryv1.Endpoint{
			Addresses: []string{s.address()}, Conditions: discoveryv1.EndpointConditions{Ready: new(true)},
		})
	})
}

func (s *scene) shrink(service string) {
	s.t.Helper()
	change(s, service+"-8080", &discoveryv1.EndpointSlice{}, func(e *discoveryv1.EndpointSlice) { e.Endpoints = e.Endpoints[:len(e.Endpoints)-1] })
}

// ingress makes an Ingress as the incumbent leaves one: with the finalizer of its group.
func (s *scene) ingress(name string, annotations map[string]string, rules ...networkingv1.IngressRule) *networkingv1.Ingress {
	s.t.Helper()
	finalizer := "ingress.k8s.aws/resources"
	all := map[string]string{}
	for k, v := range annotations {
		all["alb.ingress.kubernetes.io/"+k] = v
	}
	if group := annotations["group.name"]; group != "" {
		finalizer = "group.ingress.k8s.aws/" + group
	}
	out := &networkingv1.Ingress{
		ObjectMeta: metav1.ObjectMeta{Namespace: s.Name, Name: name, Annotations: all, Finalizers: []string{finalizer}},
		Spec:       networkingv1.IngressSpec{IngressClassName: new("alb"), Rules: rules},
	}
	s.create(out)
	return out
}

// rule is a rule of an Ingress; paths alternate with Services, and a path that ends in = is exact.
func rule(host string, paths ...string) networkingv1.IngressRule {
	out := networkingv1.IngressRule{Host: host, IngressRuleValue: networkingv1.IngressRuleValue{HTTP: &networkingv1.HTTPIngressRuleValue{}}}
	for i := 0; i+1 < len(paths); i += 2 {
		kind, port := networkingv1.PathTypePrefix, networkingv1.ServiceBackendPort{Number: 80}
		path, exact := strings.CutSuffix(paths[i], "=")
		if exact {
			kind = networkingv1.PathTypeExact
		}
		service, action := strings.CutPrefix(paths[i+1], "!")
		if action {
			port = networkingv1.ServiceBackendPort{Name: "use-annotation"}
		}
		out.HTTP.Paths = append(out.HTTP.Paths, networkingv1.HTTPIngressPath{
			Path: path, PathType: &kind, Backend: networkingv1.IngressBackend{Service: &networkingv1.IngressServiceBackend{Name: service, Port: port}},
		})
	}
	return out
}

// balancer is an internal load balancer in the private subnets.
func (s *scene) balancer() incumbent.Balancer {
	return incumbent.Balancer{Scheme: elbtypes.LoadBalancerSchemeEnumInternal, Subnets: s.Sim.World().PrivateSubnets}
}

// make makes a stack, and writes the address into the statuses of the Ingresses.
func (s *scene) make(stack *incumbent.Stack) {
	s.t.Helper()
	s.must(s.lbc.Make(s.t.Context(), stack))
	s.stacks = append(s.stacks, stack)
	var ports []networkingv1.IngressPortStatus
	for _, l := range stack.Listeners {
		ports = append(ports, networkingv1.IngressPortStatus{Port: l.Port, Protocol: corev1.ProtocolTCP})
	}
	var list networkingv1.IngressList
	s.must(s.World.Client.List(s.t.Context(), &list, client.InNamespace(s.Name)))
	for i := range list.Items {
		one := &list.Items[i]
		one.Status.LoadBalancer.Ingress = nil
		for _, host := range s.hosts() {
			one.Status.LoadBalancer.Ingress = append(one.Status.LoadBalancer.Ingress, networkingv1.IngressLoadBalancerIngress{Hostname: host, Ports: ports})
		}
		s.must(s.World.Client.Status().Update(s.t.Context(), one))
	}
}

// hosts are the names of the account's load balancers, that of the application load balancer first.
func (s *scene) hosts() []string {
	var first, others []string
	for _, lb := range s.Sim.LoadBalancers() {
		if lb.Type == "application" {
			first = append(first, strings.ToLower(lb.DNSName))
			continue
		}
		others = append(others, strings.ToLower(lb.DNSName))
	}
	return append(first, others...)
}

// look is what the incumbent would do now, and what stands on the nodes' group.
func (s *scene) look(ctx context.Context) []string {
	s.t.Helper()
	var out []string
	for _, stack := range s.stacks {
		calls, err := s.lbc.Look(ctx, stack)
		s.must(err)
		out = append(out, calls...)
	}
	return out
}

// writes are the calls that changed AWS since they were forgotten, by action.
func (s *scene) writes() map[string]int {
	out := map[string]int{}
	for _, c := range s.Sim.Calls().Calls {
		if c.Kind == "write" {
			out[c.Action] += c.Count
		}
	}
	return out
}

// notFound is an answer of fixed text for what no rule matches.
func notFound() []elbtypes.Action { return []elbtypes.Action{incumbent.Fixed("404", "")} }

func forward(group incumbent.TargetGroup) []elbtypes.Action {
	return []elbtypes.Action{incumbent.Forward(group.ID)}
}
