package crash

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/headgate/headgate/cloud/sim"
	"github.com/headgate/headgate/test/world"
)

// play is the shop example as a scenario: create, change, replace, delete.
type play struct {
	*world.Run

	t       *testing.T
	objects []*unstructured.Unstructured
	// retention is how long a load balancer answers on that is replaced; 0 is not at all.
	retention time.Duration
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
	{"replace", (*play).replace},
	{"delete", (*play).remove},
}

func newPlay(t *testing.T, w *world.World, name string) *play {
	t.Helper()
	p := &play{Run: w.NewRun(t, name, map[string]string{"shop.example.com/gateway": "public"}), t: t, restart: func() {}}
	t.Cleanup(p.declassify)
	files, err := filepath.Glob(filepath.Join(w.Root, "examples", "shop", "[0-9]*.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("the shop example is not there: %v", err)
	}
	p.objects = p.Objects(files...)
	p.certificate()
	p.classify()
	return p
}

// class is the run's own GatewayClass.
func (p *play) class() string { return "alb-" + p.Name }

// classify gives the run a GatewayClass of its own.
func (p *play) classify() {
	p.t.Helper()
	for _, o := range p.objects {
		switch o.GetKind() {
		case "GatewayClass":
			o.SetName(p.class())
		case "Gateway":
			if err := unstructured.SetNestedField(o.Object, p.class(), "spec", "gatewayClassName"); err != nil {
				p.t.Fatal(err)
			}
		}
	}
}

// declassify removes the class: nothing keeps it once the Gateway is gone.
func (p *play) declassify() {
	for _, o := range p.objects {
		if o.GetKind() == "GatewayClass" {
			_ = p.World.Client.Delete(context.Background(), o.DeepCopy())
		}
	}
}

// start runs the operator, with transports for its calls to AWS and a way to the API server.
func (p *play) start(transport http.RoundTripper, config *rest.Config) {
	p.t.Helper()
	settings := p.Settings(transport)
	settings.Config, settings.Retention = alone(config, p.class()), p.retention
	p.StartAs(settings)
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
	p.edit("catalog", func(in *networkingv1.Ingress) {
		in.Annotations["alb.ingress.kubernetes.io/healthcheck-interval-seconds"] = "20"
		in.Annotations["alb.ingress.kubernetes.io/target-group-attributes"] = "deregistration_delay.timeout_seconds=30"
		paths := in.Spec.Rules[0].HTTP.Paths
		more := paths[len(paths)-1]
		more.Path = "/books"
		in.Spec.Rules[0].HTTP.Paths = append(slices.Clone(paths), more)
	})
	p.endpoints("cart", "10.0.129.10", "10.0.129.12")
	for _, o := range p.objects {
		if o.GetKind() == "HTTPRoute" && o.GetName() == "payment-to-https" {
			p.Delete(o)
		}
	}
}

// replace asks for what AWS cannot modify: a target group of another protocol version, and a load balancer of another scheme.
func (p *play) replace() {
	p.t.Helper()
	p.edit("cart", func(in *networkingv1.Ingress) {
		in.Annotations["alb.ingress.kubernetes.io/backend-protocol-version"] = "HTTP2"
	})
	p.edit("catalog", func(in *networkingv1.Ingress) { in.Annotations["alb.ingress.kubernetes.io/scheme"] = "internal" })
}

// edit changes an Ingress.
func (p *play) edit(name string, change func(*networkingv1.Ingress)) {
	p.t.Helper()
	in := &networkingv1.Ingress{}
	if err := p.World.Client.Get(p.t.Context(), types.NamespacedName{Namespace: p.Name, Name: name}, in); err != nil {
		p.t.Fatal(err)
	}
	old := in.DeepCopy()
	change(in)
	if err := p.World.Client.Patch(p.t.Context(), in, client.MergeFrom(old)); err != nil {
		p.t.Fatal(err)
	}
}

func (p *play) remove() { p.Delete(p.objects...) }

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

// linger gives calls that come late the time to: what is shown may be equal before the last is written.
func (p *play) linger(waits func() bool) {
	const most = time.Second
	for since := time.Now(); waits() && time.Since(since) < most; time.Sleep(20 * time.Millisecond) {
		p.restart()
	}
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
