package main

import (
	"context"
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
	"github.com/headgate/headgate/model/plan"
)

// manyRoutes are the routes of one Gateway, each with a host of its own and one backend.
const manyRoutes = 1000

// crowded is a Gateway with many routes, as a cache holds it: every reader gets copies.
type crowded struct {
	client.Reader

	routes []gwv1.HTTPRoute
	common client.Reader
}

// Get is that of what is not many.
func (c *crowded) Get(ctx context.Context, key client.ObjectKey, o client.Object, opts ...client.GetOption) error {
	return c.common.Get(ctx, key, o, opts...)
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

func newCrowd(b *testing.B) *crowded {
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
	for i := range manyRoutes {
		r := route("shop", i, 1)
		r.CreationTimestamp, r.Spec.ParentRefs = metav1.NewTime(time.Unix(int64(i%7), 0)), []gwv1.ParentReference{{Name: "edge"}}
		r.Spec.Rules[0].BackendRefs[0].Name = "web"
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
		VPC: model.VPC{ID: "vpc-1", CIDRs: []string{"10.0.0.0/16"}}, Quotas: model.Quotas{RulesPerLoadBalancer: 2000, TargetGroupsPerLoadBalancer: 2000},
		Subnets: []model.Subnet{subnet("subnet-a", "1a", "10.0.0.0/20"), subnet("subnet-b", "1b", "10.0.16.0/20")},
	}
}

// BenchmarkThousandRoutes is what the operator computes for one change among a thousand routes, step by step.
func BenchmarkThousandRoutes(b *testing.B) {
	crowd, set := newCrowd(b), doors.Settings{ClusterName: "c", DefaultTargetType: "ip", DefaultScheme: "internal"}
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
	built := build.Build(request.Intent, crowdFacts())
	if n := len(built.Stack.Listeners[0].Rules); n != manyRoutes {
		b.Fatalf("%d rules", n)
	}
	b.Run("load", func(b *testing.B) {
		for b.Loop() {
			load()
		}
	})
	b.Run("judge", func(b *testing.B) {
		for b.Loop() {
			doors.Judge(snapshot, set, owner)
		}
	})
	b.Run("build", func(b *testing.B) {
		for b.Loop() {
			build.Build(request.Intent, crowdFacts())
		}
	})
	b.Run("diff", func(b *testing.B) {
		for b.Loop() {
			if p := plan.Diff(built.Stack, built.Stack, plan.Options{}); !p.Empty() {
				b.Fatal(p.Text())
			}
		}
	})
}
