package model_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/headgate/headgate/model"
)

func TestKeyReadsWhatItWrote(t *testing.T) {
	key := model.Key{Kind: model.KindTargetGroup, ID: "shop/web-web:80"}
	got, err := model.ParseKey(key.String())
	if err != nil || got != key {
		t.Errorf("%v %v", got, err)
	}
	for _, bad := range []string{"", "Rule", "/x", "Rule/"} {
		if _, err := model.ParseKey(bad); err == nil {
			t.Errorf("%q is no key", bad)
		}
	}
}

func TestOwnership(t *testing.T) {
	o := model.Owner{Cluster: "c", Prefix: model.PrefixIngress, Stack: "g"}
	if id, ok := o.Owns(o.Tags("LoadBalancer")); !ok || id != "LoadBalancer" {
		t.Errorf("%q %v", id, ok)
	}
	for why, tags := range map[string]map[string]string{
		"another cluster": model.Owner{Cluster: "d", Prefix: o.Prefix, Stack: "g"}.Tags("x"),
		"another stack":   model.Owner{Cluster: "c", Prefix: o.Prefix, Stack: "h"}.Tags("x"),
		"another front":   model.Owner{Cluster: "c", Prefix: model.PrefixService, Stack: "g"}.Tags("x"),
		"no resource":     o.Tags(""),
		"no tags":         nil,
	} {
		if _, ok := o.Owns(tags); ok {
			t.Errorf("%s is not ours", why)
		}
	}
	if got := o.String(); got != "ingress.k8s.aws:g" {
		t.Error(got)
	}
}

func TestObjectRef(t *testing.T) {
	a := model.ObjectRef{Kind: "Ingress", Namespace: "shop", Name: "web", UID: "1"}
	b := a
	b.UID = "2"
	if !a.Same(b) || a.Same(model.ObjectRef{Kind: "Ingress", Name: "web"}) {
		t.Error("the same object is the same whatever its UID")
	}
	f := model.Finding{Object: a, Severity: model.Wrong, Reason: "BadPath", Field: "spec.rules[0]", Message: "paths start with /"}
	if diff := cmp.Diff("Wrong Ingress shop/web spec.rules[0]: BadPath: paths start with /", f.String()); diff != "" {
		t.Error(diff)
	}
	if got := (model.ObjectRef{Kind: "GatewayClass", Name: "alb"}).String(); got != "GatewayClass alb" {
		t.Error(got)
	}
}

func TestQuotasDefault(t *testing.T) {
	got := model.Quotas{RulesPerLoadBalancer: 200}.WithDefaults()
	want := model.Quotas{
		RulesPerLoadBalancer: 200, TargetGroupsPerLoadBalancer: 100, CertificatesPerLoadBalancer: 25, ListenersPerLoadBalancer: 50,
		TargetsPerLoadBalancer: 1000, TargetsPerTargetGroup: 1000, RulesPerSecurityGroup: 60,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
