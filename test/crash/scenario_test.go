package crash

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/google/go-cmp/cmp"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/headgate/headgate/cloud/sim"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/test/world"
)

// play is the shop example as a scenario: create, change, delete.
type play struct {
	*world.Run

	t       *testing.T
	objects []*unstructured.Unstructured
	// restart starts the operator again when it was killed.
	restart func()
}

// phases of the scenario, in order.
var phases = []struct {
	name string
	act  func(*play)
}{
	{"create", (*play).create},
	{"change", (*play).change},
	{"delete", (*play).remove},
}

func newPlay(t *testing.T, w *world.World, name string) *play {
	t.Helper()
	p := &play{Run: w.NewRun(t, name, map[string]string{"shop.example.com/gateway": "public"}), t: t, restart: func() {}}
	files, err := filepath.Glob(filepath.Join(w.Root, "examples", "shop", "[0-9]*.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("the shop example is not there: %v", err)
	}
	p.objects = p.Objects(files...)
	p.certificate()
	return p
}

// certificate imports the one that the example's placeholder stands for.
func (p *play) certificate() {
	p.t.Helper()
	arn, err := p.ImportCertificate("*.example.com")
	if err != nil {
		p.t.Fatalf("importing a certificate: %v", err)
	}
	for _, o := range p.objects {
		listeners, ok, _ := unstructured.NestedSlice(o.Object, "spec", "listenerConfigurations")
		if !ok {
			continue
		}
		for i := range listeners {
			if l, ok := listeners[i].(map[string]any); ok {
				l["defaultCertificate"] = arn
			}
		}
		if err := unstructured.SetNestedSlice(o.Object, listeners, "spec", "listenerConfigurations"); err != nil {
			p.t.Fatal(err)
		}
	}
}

func (p *play) create() {
	p.Apply(p.objects...)
	for i, service := range []string{"catalog", "cart", "search-v1", "search-v2", "payment"} {
		p.endpoints(service, fmt.Sprintf("10.0.%d.10", 128+i), fmt.Sprintf("10.0.%d.11", 128+i))
	}
}

// endpoints writes the addresses behind a Service.
func (p *play) endpoints(service string, addresses ...string) {
	p.t.Helper()
	slice := &discoveryv1.EndpointSlice{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: p.Name, Name: service + "-by-hand", Labels: map[string]string{discoveryv1.LabelServiceName: service},
		},
		AddressType: discoveryv1.AddressTypeIPv4,
		Ports:       []discoveryv1.EndpointPort{{Name: new(""), Port: new(int32(8080))}},
	}
	for _, a := range addresses {
		if err := p.interfaceOf(a); err != nil {
			p.t.Fatalf("adding the interface of %s: %v", a, err)
		}
		slice.Endpoints = append(slice.Endpoints, discoveryv1.Endpoint{Addresses: []string{a}})
	}
	err := p.World.Client.Create(p.t.Context(), slice)
	if client.IgnoreAlreadyExists(err) != nil {
		p.t.Fatalf("writing endpoints: %v", err)
	}
	if err != nil {
		p.update(slice)
	}
}

// interfaceOf gives an address a network interface with the nodes' security group, once.
func (p *play) interfaceOf(address string) error {
	_, err := p.Sim.AddNetworkInterface(sim.Interface{
		ID:             "eni-" + strings.ReplaceAll(address, ".", "-"),
		SecurityGroups: []string{p.Sim.World().NodeSecurityGroup}, Addresses: []string{address},
	})
	return err
}

func (p *play) update(slice *discoveryv1.EndpointSlice) {
	p.t.Helper()
	have := &discoveryv1.EndpointSlice{}
	if err := p.World.Client.Get(p.t.Context(), client.ObjectKeyFromObject(slice), have); err != nil {
		p.t.Fatal(err)
	}
	have.Endpoints = slice.Endpoints
	if err := p.World.Client.Update(p.t.Context(), have); err != nil {
		p.t.Fatal(err)
	}
}

// change edits an Ingress (a path more, another health check), swaps a pod, and deletes a route.
func (p *play) change() {
	p.t.Helper()
	in := &networkingv1.Ingress{}
	key := types.NamespacedName{Namespace: p.Name, Name: "catalog"}
	if err := p.World.Client.Get(p.t.Context(), key, in); err != nil {
		p.t.Fatal(err)
	}
	old := in.DeepCopy()
	in.Annotations["alb.ingress.kubernetes.io/healthcheck-interval-seconds"] = "20"
	in.Annotations["alb.ingress.kubernetes.io/target-group-attributes"] = "deregistration_delay.timeout_seconds=30"
	paths := in.Spec.Rules[0].HTTP.Paths
	more := paths[len(paths)-1]
	more.Path = "/books"
	in.Spec.Rules[0].HTTP.Paths = append(slices.Clone(paths), more)
	if err := p.World.Client.Patch(p.t.Context(), in, client.MergeFrom(old)); err != nil {
		p.t.Fatal(err)
	}
	p.endpoints("cart", "10.0.129.10", "10.0.129.12")
	for _, o := range p.objects {
		if o.GetKind() == "HTTPRoute" && o.GetName() == "payment-to-https" {
			p.Delete(o)
		}
	}
}

func (p *play) remove() { p.Delete(p.objects...) }

// owners of the scenario's stacks, and the cluster.
func (p *play) owners() []model.Owner {
	return []model.Owner{
		{Cluster: p.Name},
		{Cluster: p.Name, Prefix: model.PrefixIngress, Stack: "shop"},
		{Cluster: p.Name, Prefix: model.PrefixGatewayALB, Stack: p.Name + "/public"},
	}
}

// holdings is what the account holds, in words that are equal for equal ends of different runs.
type holdings struct {
	Stacks  []model.Stack
	Targets map[string][]string
	// Counts of everything in the account, ours or not: a thing that was made twice shows here even without tags.
	Counts map[string]int
}

func (p *play) holdings() (holdings, error) {
	stacks, err := p.State(p.owners()...)
	if err != nil {
		return holdings{}, err
	}
	h := holdings{Targets: map[string][]string{}, Counts: map[string]int{}}
	for _, s := range stacks {
		h.Stacks = append(h.Stacks, p.anonymous(s))
	}
	return h, errors.Join(p.elb(&h), p.groups(&h))
}

func (p *play) elb(h *holdings) error {
	ctx, api := p.t.Context(), elasticloadbalancingv2.NewFromConfig(p.AWS())
	balancers, err := api.DescribeLoadBalancers(ctx, &elasticloadbalancingv2.DescribeLoadBalancersInput{})
	if err != nil {
		return err
	}
	groups, err := api.DescribeTargetGroups(ctx, &elasticloadbalancingv2.DescribeTargetGroupsInput{})
	if err != nil {
		return err
	}
	h.Counts["load balancers"], h.Counts["target groups"] = len(balancers.LoadBalancers), len(groups.TargetGroups)
	for _, g := range groups.TargetGroups {
		health, err := api.DescribeTargetHealth(ctx, &elasticloadbalancingv2.DescribeTargetHealthInput{TargetGroupArn: g.TargetGroupArn})
		if err != nil {
			return err
		}
		// k8s-<namespace>-<service>-<hash>
		name := strings.Split(aws.ToString(g.TargetGroupName), "-")[2]
		for _, d := range health.TargetHealthDescriptions {
			if d.TargetHealth.State != "draining" {
				h.Targets[name] = append(h.Targets[name], fmt.Sprintf("%s:%d", *d.Target.Id, *d.Target.Port))
			}
		}
		slices.Sort(h.Targets[name])
	}
	return nil
}

func (p *play) groups(h *holdings) error {
	out, err := ec2.NewFromConfig(p.AWS()).DescribeSecurityGroups(p.t.Context(), &ec2.DescribeSecurityGroupsInput{})
	if err != nil {
		return err
	}
	for _, g := range out.SecurityGroups {
		if strings.HasPrefix(aws.ToString(g.GroupName), "k8s-") {
			h.Counts["security groups"]++
		}
	}
	return nil
}

// anonymous drops what holds the run's name or a random part.
func (p *play) anonymous(s model.Stack) model.Stack {
	s.Owner.Cluster, s.Owner.Stack = "", strings.ReplaceAll(s.Owner.Stack, p.Name, "run")
	if s.LoadBalancer != nil {
		s.LoadBalancer.Name, s.LoadBalancer.Tags = "", p.tags(s.LoadBalancer.Tags)
		for i := range s.LoadBalancer.SecurityGroups {
			s.LoadBalancer.SecurityGroups[i] = model.GroupRef{}
		}
	}
	for i := range s.SecurityGroups {
		g := &s.SecurityGroups[i]
		g.Name, g.Tags = "", p.tags(g.Tags)
		for j := range g.Ingress {
			g.Ingress[j].Source = model.GroupRef{}
		}
		if g.Foreign {
			g.ID, g.Description = "foreign", ""
		}
	}
	for i := range s.TargetGroups {
		g := &s.TargetGroups[i]
		g.ID, g.Name, g.Tags = strings.ReplaceAll(g.ID, p.Name, "run"), "", p.tags(g.Tags)
	}
	for i := range s.Listeners {
		l := &s.Listeners[i]
		l.Tags, l.Certificates = p.tags(l.Tags), nil
		for j := range l.Rules {
			r := &l.Rules[j]
			// The content hash in a rule's tag is over names that hold the run's.
			r.Tags = nil
			for _, a := range r.Actions {
				if a.Forward == nil {
					continue
				}
				for k := range a.Forward.Groups {
					g := &a.Forward.Groups[k]
					g.Key, g.ARN = strings.ReplaceAll(g.Key, p.Name, "run"), ""
				}
			}
		}
	}
	return s
}

func (p *play) tags(tags map[string]string) map[string]string {
	out := map[string]string{}
	for k, v := range tags {
		out[k] = strings.ReplaceAll(v, p.Name, "run")
	}
	return out
}

// reach waits until the account holds want.
func (p *play) reach(phase string, want holdings) {
	p.t.Helper()
	p.Eventually(phase+" ends as it does undisturbed", func() error {
		p.restart()
		got, err := p.holdings()
		if err != nil {
			return err
		}
		if diff := cmp.Diff(want, got); diff != "" {
			return fmt.Errorf("it differs (-undisturbed +cut):\n%s", diff)
		}
		return nil
	})
}

// settle waits until the operator has written nothing for a while, and returns what the account holds then.
func (p *play) settle(phase string) holdings {
	p.t.Helper()
	const quiet = 5 * time.Second
	since, last := time.Now(), -1
	p.Eventually(phase+" settles", func() error {
		if n := p.Writes(); n != last {
			since, last = time.Now(), n
		}
		if time.Since(since) < quiet {
			return errors.New("still writing")
		}
		return nil
	})
	h, err := p.holdings()
	if err != nil {
		p.t.Fatal(err)
	}
	return h
}

// gone waits until the objects are: their finalizers fell.
func (p *play) gone() {
	p.t.Helper()
	p.Eventually("the objects go", func() error {
		p.restart()
		for _, o := range p.objects {
			if o.GetNamespace() == "" {
				continue
			}
			err := p.World.Client.Get(context.Background(), client.ObjectKeyFromObject(o), o.DeepCopy())
			if err == nil {
				return fmt.Errorf("%s %s is still there", o.GetKind(), o.GetName())
			}
		}
		return nil
	})
}
