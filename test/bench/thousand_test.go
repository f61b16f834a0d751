package main

import (
	"context"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	doors "github.com/headgate/headgate/controllers/gateway"
	"github.com/headgate/headgate/controllers/manifests"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/build"
	"github.com/headgate/headgate/model/intent"
	"github.com/headgate/headgate/model/plan"
)

// crowded is a Gateway with many routes, as a cache holds it: every reader gets copies.
type crowded struct {
	client.Reader

	routes []gwv1.HTTPRoute
	common client.Reader
}

// Get is that of what is not many, with a version, as an API server gives it.
func (c *crowded) Get(ctx context.Context, key client.ObjectKey, o client.Object, opts ...client.GetOption) error {
	err := c.common.Get(ctx, key, o, opts...)
	o.SetResourceVersion("1")
	return err
}

// List copies.
func (c *crowded) List(ctx context.Context, list client.ObjectList, opts ...client.ListOption) error {
	routes, ok := list.(*gwv1.HTTPRouteList)
	if !ok {
		return c.common.List(ctx, list, opts...)
	}
	routes.Items = make([]gwv1.HTTPRoute, len(c.routes))
	for i := range c.routes {
		c.routes[i].DeepCopyInto(&routes.Items[i])
	}
	return nil
}

// newCrowd is a Gateway with n routes, each with a host of its own and one backend.
func newCrowd(b *testing.B, n int) *crowded {
	b.Helper()
	set, err := manifests.New()
	if err != nil {
		b.Fatal(err)
	}
	set.Add("common", []byte(`{"apiVersion": "gateway.networking.k8s.io/v1", "kind": "GatewayClass", "metadata": {"name": "alb"}, "spec": {"controllerName": "gateway.k8s.aws/alb"}}
---
{"apiVersion": "gateway.networking.k8s.io/v1", "kind": "Gateway", "metadata": {"namespace": "shop", "name": "edge"},
  "spec": {"gatewayClassName": "alb", "listeners": [{"name": "http", "port": 80, "protocol": "HTTP"}]}}
---
{"apiVersion": "v1", "kind": "Service", "metadata": {"namespace": "shop", "name": "web"}, "spec": {"ports": [{"port": 80, "targetPort": 8080}]}}`))
	for _, p := range set.Problems {
		b.Fatal(p)
	}
	out := &crowded{common: set}
	for i := range n {
		r := route("shop", i, 1)
		r.CreationTimestamp, r.Spec.ParentRefs = metav1.NewTime(time.Unix(int64(i%7), 0)), []gwv1.ParentReference{{Name: "edge"}}
		r.Spec.Rules[0].BackendRefs[0].Name, r.UID, r.ResourceVersion = "web", types.UID(strconv.Itoa(i)), "1"
		out.routes = append(out.routes, *r)
	}
	return out
}

// crowdFacts are those of an account with room for them all: AWS raises the quota of rules.
func crowdFacts() model.Facts {
	subnet := func(id, zone, cidr string) model.Subnet {
		return model.Subnet{ID: id, Zone: zone, ZoneType: "availability-zone", CIDR: cidr, FreeAddresses: 4000, Tags: map[string]string{"kubernetes.io/role/internal-elb": "1"}}
	}
	return model.Facts{
		VPC: model.VPC{ID: "vpc-1", CIDRs: []string{"10.0.0.0/16"}}, Quotas: model.Quotas{RulesPerLoadBalancer: 5000, TargetGroupsPerLoadBalancer: 5000},
		Subnets: []model.Subnet{subnet("subnet-a", "1a", "10.0.0.0/20"), subnet("subnet-b", "1b", "10.0.16.0/20")},
	}
}

// BenchmarkThousandRoutes is what the operator computes for one change among many routes, step by step.
func BenchmarkThousandRoutes(b *testing.B) {
	for _, n := range []int{100, 1000, 2000} {
		b.Run(strconv.Itoa(n), func(b *testing.B) { benchmarkRoutes(b, n) })
	}
}

func benchmarkRoutes(b *testing.B, n int) {
	b.Helper()
	crowd, set := newCrowd(b, n), doors.Settings{ClusterName: "c", DefaultTargetType: "ip", DefaultScheme: "internal"}
	key := types.NamespacedName{Namespace: "shop", Name: "edge"}
	owner := doors.Owner("c", key)
	load := func() *doors.Snapshot {
		s, err := doors.Load(b.Context(), crowd, set, key)
		if err != nil {
			b.Fatal(err)
		}
		return s
	}
	snapshot := load()
	request := doors.Judge(snapshot, set, owner).Request()
	request.Intent.Before = request.Intent.Fragments // as the loop has it, which remembers what was good
	built := build.Build(request.Intent, crowdFacts())
	if got := len(built.Stack.Listeners[0].Rules); got != n {
		b.Fatalf("%d rules", got)
	}
	b.Run("load", func(b *testing.B) { measure(b, func() { load() }) })
	b.Run("judge", func(b *testing.B) { measure(b, func() { doors.Judge(snapshot, set, owner) }) })
	b.Run("judge one", func(b *testing.B) {
		crowd.routes[0].ResourceVersion = "2"
		both, memory, turn := []*doors.Snapshot{snapshot, load()}, &doors.Memory{}, 0
		measure(b, func() {
			memory.Judge(both[turn%2], set, owner)
			turn++
		})
	})
	b.Run("build", func(b *testing.B) { measure(b, func() { build.Build(request.Intent, crowdFacts()) }) })
	observed := asHeld(built.Stack)
	opts := plan.Options{Applied: plan.AppliedOf(built.Stack), Quotas: crowdFacts().Quotas, Met: func(plan.Need) (bool, string) { return true, "" }}
	b.Run("diff", func(b *testing.B) {
		measure(b, func() {
			if p := plan.Diff(built.Stack, observed, opts); !p.Empty() {
				b.Fatal(p.Text())
			}
		})
	})
	next := edited(request.Intent)
	b.Run("build one", func(b *testing.B) {
		memory, both, turn := build.Memory{}, []intent.Intent{request.Intent, next}, 0
		memory.Build(request.Intent, crowdFacts())
		measure(b, func() {
			turn++
			memory.Build(both[turn%2], crowdFacts())
			if got := memory.Compiled(); got != 1 {
				b.Fatalf("%d routes were compiled", got)
			}
		})
	})
	after := build.Build(next, crowdFacts())
	b.Run("diff one", func(b *testing.B) {
		measure(b, func() {
			if p := plan.Diff(after.Stack, observed, opts); len(p.Changes) != 2 {
				b.Fatal(p.Text())
			}
		})
	})
}

// edited is an intent of which one route has another host.
func edited(in intent.Intent) intent.Intent {
	const at = 8 // the first is the Gateway
	in.Fragments = slices.Clone(in.Fragments)
	in.Fragments[at].Routes = slices.Clone(in.Fragments[at].Routes)
	in.Fragments[at].Routes[0].Match.Hosts = []string{"elsewhere.example.com"}
	return in
}

// asHeld is a stack as AWS holds it when all of it was made.
func asHeld(s model.Stack) model.Stack {
	lb := *s.LoadBalancer
	lb.ARN, lb.State = arnOf("loadbalancer/app", lb.ID), "active"
	s.LoadBalancer, s.TargetGroups, s.Listeners = &lb, slices.Clone(s.TargetGroups), slices.Clone(s.Listeners)
	for i := range s.TargetGroups {
		g := &s.TargetGroups[i]
		g.ARN, g.LoadBalancers, g.Backend = arnOf("targetgroup", g.ID), []model.ARN{lb.ARN}, model.Backend{}
	}
	for i := range s.Listeners {
		l := &s.Listeners[i]
		l.ARN, l.Rules = arnOf("listener/app", strconv.Itoa(l.Port)), slices.Clone(l.Rules)
		for j := range l.Rules {
			r := &l.Rules[j]
			r.ARN, r.Priority, r.Actions, r.Member = arnOf("listener-rule/app", strconv.Itoa(j)), 10*(j+1), slices.Clone(r.Actions), model.ObjectRef{}
			forward := *r.Actions[0].Forward
			forward.Groups = slices.Clone(forward.Groups)
			forward.Groups[0].ARN = arnOf("targetgroup", forward.Groups[0].Key)
			r.Actions[0].Forward = &forward
		}
	}
	return s
}

func arnOf(kind, name string) model.ARN {
	return model.ARN("arn:aws:elasticloadbalancing:eu-central-1:111122223333:" + kind + "/" + name + "/50dc6c495c0c9188")
}

// measure tells besides what it took what it took of the processor: on a machine with other work only that is to be compared.
func measure(b *testing.B, f func()) {
	b.Helper()
	b.ReportAllocs()
	before := processor(b)
	for b.Loop() {
		f()
	}
	b.ReportMetric(float64(processor(b)-before)/float64(b.N), "cpu-ns/op")
}

// processor is the time that this process had.
func processor(b *testing.B) int64 {
	b.Helper()
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return used.Utime.Nano() + used.Stime.Nano()
}
