package calls_test

import (
	"errors"
	"flag"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/shield"
	"github.com/aws/aws-sdk-go-v2/service/wafv2"
	waftypes "github.com/aws/aws-sdk-go-v2/service/wafv2/types"
	"github.com/go-logr/logr"
	"github.com/google/go-cmp/cmp"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/headgate/headgate/cloud/sim"
	"github.com/headgate/headgate/test/world"
)

var update = flag.Bool("update", false, "write the table of docs/reference/api-calls.md")

// play is the life of an Ingress with two paths.
type play struct {
	*world.Run

	t       *testing.T
	objects []*unstructured.Unstructured
	count   *counter
}

// scenes are what is counted, in this order.
func scenes() []scene {
	return []scene{
		{"The operator starts, and nothing asks for it", 0, func(p *play) { p.Start(p.count) }},
		{"The first Ingress: two paths to two Services", 10, func(p *play) { p.Apply(p.objects...) }},
		{"A second Ingress like it, with a load balancer of its own", 2, func(p *play) { p.Apply(p.second()) }},
		{"A path more, to a Service that has a path already", 0, (*play).path},
		{"A pod behind both is replaced", 1, (*play).replace},
		{"The health check of both paths is changed", 0, (*play).health},
		{"The pods of both paths speak another protocol: their target groups are replaced", 2, (*play).replaceGroups},
		{"It asks for a web ACL and Shield Advanced", 8, (*play).protect},
		{"It asks for these no more", 4, func(p *play) { p.edit(bare) }},
		{"It asks for a network load balancer in front", 2, (*play).front},
		{"It asks for that no more", 4, func(p *play) { p.edit(bare) }},
		{"The operator is started again", 10, func(p *play) { p.Stop(); p.Start(p.count) }},
		{"The first edit after that: a path more", 9, (*play).path},
		{"An Ingress is deleted", 7, func(p *play) { p.Delete(p.second()) }},
		{"The last Ingress is deleted", 0, func(p *play) { p.Delete(p.objects[len(p.objects)-1]) }},
	}
}

type scene struct {
	name string
	// reads is the most that may be read, whatever the document states.
	reads int
	act   func(*play)
}

// TestCalls counts what each scene costs, and holds docs/reference/api-calls.md to it.
func TestCalls(t *testing.T) {
	log.SetLogger(logr.Discard())
	if err := world.Environment(); err != nil {
		t.Fatal(err)
	}
	w := world.Open(t)
	name := filepath.Join(w.Root, "docs", "reference", "api-calls.md")
	p := newPlay(t, w)
	if *update {
		var rows []row
		for _, s := range scenes() {
			rows = append(rows, row{s.name, p.perform(s, nil)})
		}
		writeTable(t, name, rows)
		return
	}
	stated := readTable(t, name)
	for _, s := range scenes() {
		got := p.perform(s, stated[s.name])
		if diff := cmp.Diff(stated[s.name], got); diff != "" {
			t.Errorf("%s: the calls differ from those of %s; if they should, run the test with -update (-stated +counted):\n%s", s.name, name, diff)
		}
		if n := got.part(false).sum(); n > s.reads {
			t.Errorf("%s: %d reads, of which there may be %d", s.name, n, s.reads)
		}
	}
	if len(stated) != len(scenes()) {
		t.Errorf("the table has %d rows, for %d scenes", len(stated), len(scenes()))
	}
}

func newPlay(t *testing.T, w *world.World) *play {
	t.Helper()
	p := &play{Run: w.NewRun(t, "calls", nil), t: t, count: &counter{calls: tally{}, last: time.Now()}}
	p.account()
	p.objects = p.Objects(filepath.Join("testdata", "two-paths.yaml"))
	const first, last = 10, 14
	for i := first; i <= last; i++ {
		_, err := p.Sim.AddNetworkInterface(sim.Interface{
			ID: fmt.Sprintf("eni-%d", i), SecurityGroups: []string{p.Sim.World().NodeSecurityGroup}, Addresses: []string{fmt.Sprintf("10.0.128.%d", i)},
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return p
}

// perform plays a scene, waits until the calls that are stated have come and no more follow, and returns those that came.
func (p *play) perform(s scene, stated tally) tally {
	p.t.Helper()
	// Without a statement nothing says when all is done: what waits is looked at again after three seconds, then after six.
	const briefly, long = 1500 * time.Millisecond, 8 * time.Second
	quiet := briefly
	if stated == nil {
		quiet = long
	}
	p.count.reset()
	s.act(p)
	began := time.Now()
	for {
		got, since := p.count.now()
		if since > quiet && (got.reaches(stated) || time.Since(began) > time.Minute) {
			return got.coalesced()
		}
		select {
		case <-p.t.Context().Done():
			p.t.Fatal(errors.New("the test was stopped"))
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// second is the Ingress once more, under another name and host.
func (p *play) second() *unstructured.Unstructured {
	out := p.objects[len(p.objects)-1].DeepCopy()
	out.SetName("second")
	rules, _, _ := unstructured.NestedSlice(out.Object, "spec", "rules")
	if rule, ok := rules[0].(map[string]any); ok {
		rule["host"] = "second.example.com"
	}
	if err := unstructured.SetNestedSlice(out.Object, rules, "spec", "rules"); err != nil {
		p.t.Fatal(err)
	}
	return out
}

// path gives the first Ingress a path more.
func (p *play) path() {
	p.edit(func(in *networkingv1.Ingress) {
		paths := &in.Spec.Rules[0].HTTP.Paths
		more := (*paths)[0]
		more.Path = fmt.Sprintf("/more-%d", len(*paths))
		*paths = append(*paths, more)
	})
}

const prefix = "alb.ingress.kubernetes.io/"

// protect asks for what other services give a load balancer.
func (p *play) protect() {
	p.edit(func(in *networkingv1.Ingress) {
		in.Annotations[prefix+"wafv2-acl-name"] = "edge"
		in.Annotations[prefix+"shield-advanced-protection"] = "true"
	})
}

// front asks for a network load balancer in front of the first Ingress's.
func (p *play) front() {
	p.edit(func(in *networkingv1.Ingress) { in.Annotations[prefix+"enable-frontend-nlb"] = "true" })
}

// bare takes away what protect and front asked for.
func bare(in *networkingv1.Ingress) {
	for _, key := range []string{"wafv2-acl-name", "shield-advanced-protection", "enable-frontend-nlb"} {
		delete(in.Annotations, prefix+key)
	}
}

// account makes what an Ingress asks for and the operator never makes: a web ACL, and a subscription to Shield Advanced.
func (p *play) account() {
	p.t.Helper()
	_, err := wafv2.NewFromConfig(p.AWS()).CreateWebACL(p.t.Context(), &wafv2.CreateWebACLInput{
		Name: aws.String("edge"), Scope: waftypes.ScopeRegional, DefaultAction: &waftypes.DefaultAction{Allow: &waftypes.AllowAction{}},
		VisibilityConfig: &waftypes.VisibilityConfig{MetricName: aws.String("edge")},
	})
	if err == nil {
		_, err = shield.NewFromConfig(p.AWS()).CreateSubscription(p.t.Context(), &shield.CreateSubscriptionInput{})
	}
	if err != nil {
		p.t.Fatal(err)
	}
}

func (p *play) health() {
	p.edit(func(in *networkingv1.Ingress) {
		in.Annotations[prefix+"healthcheck-path"] = "/health"
	})
}

// replaceGroups has both paths need other target groups, which are to be healthy before they are used.
func (p *play) replaceGroups() {
	p.edit(func(in *networkingv1.Ingress) { in.Annotations[prefix+"backend-protocol"] = "HTTPS" })
}

func (p *play) edit(change func(*networkingv1.Ingress)) {
	p.t.Helper()
	in := &networkingv1.Ingress{}
	err := p.World.Client.Get(p.t.Context(), client.ObjectKey{Namespace: p.Name, Name: "shop"}, in)
	if err != nil {
		p.t.Fatal(err)
	}
	change(in)
	if err := p.World.Client.Update(p.t.Context(), in); err != nil {
		p.t.Fatal(err)
	}
}

// replace puts another pod in the place of one behind the first path.
func (p *play) replace() {
	slice := &discoveryv1.EndpointSlice{}
	if err := p.World.Client.Get(p.t.Context(), client.ObjectKey{Namespace: p.Name, Name: "catalog-a"}, slice); err != nil {
		p.t.Fatal(err)
	}
	slice.Endpoints[1].Addresses = []string{"10.0.128.14"}
	if err := p.World.Client.Update(p.t.Context(), slice); err != nil {
		p.t.Fatal(err)
	}
}
