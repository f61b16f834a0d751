package ingress

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/util/intstr"

	elbv2v1beta1 "github.com/headgate/headgate/apis/elbv2/v1beta1"
	"github.com/headgate/headgate/controllers/annotations"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/intent"
)

func groupOf(t *testing.T, f intent.Fragment) intent.GroupSettings {
	t.Helper()
	if f.Routes[0].Forward == nil {
		t.Fatalf("no forward: %+v", f.Routes[0])
	}
	return f.Routes[0].Forward.Backends[0].Service.Group
}

func TestGroupSettings(t *testing.T) {
	p := annotations.IngressPrefix
	everything := []string{
		annotations.TargetType, "ip", annotations.BackendProtocol, "HTTPS", annotations.BackendVersion, "GRPC",
		annotations.TargetGroupAttrs, "a=1", annotations.TargetNodeLabels, "b=2,a=1", annotations.MultiCluster, "true", annotations.HealthPort, "8081", annotations.HealthProtocol, "HTTP",
		annotations.HealthPath, "/ok", annotations.HealthInterval, "30", annotations.HealthTimeout, "6",
		annotations.HealthyThreshold, "3", annotations.UnhealthyThreshold, "4", annotations.SuccessCodes, "200-299", annotations.Tags, "t=1",
	}
	all := intent.GroupSettings{
		TargetType: "ip", Protocol: "HTTPS", ProtocolVersion: "GRPC", Attributes: map[string]string{"a": "1"}, Tags: map[string]string{"t": "1"},
		HealthCheck: intent.HealthCheck{
			Protocol: "HTTP", Port: "8081", Path: "/ok", IntervalSeconds: 30, TimeoutSeconds: 6, HealthyThreshold: 3, UnhealthyThreshold: 4,
			Matcher: "200-299",
		},
		Nodes: "a=1,b=2", MultiCluster: true,
		Fields: map[string]string{},
	}
	for field, key := range groupFields() {
		all.Fields[field] = p + key
	}
	f, findings := simple(t, newIngress(everything...))
	mustBeClean(t, findings)
	if diff := cmp.Diff(all, groupOf(t, f)); diff != "" {
		t.Errorf("on the Ingress: %s", diff)
	}
	f, findings = made(t, newIngress(), newService("web", everything...), newClass("alb", ""))
	mustBeClean(t, findings)
	if diff := cmp.Diff(all, groupOf(t, f)); diff != "" {
		t.Errorf("on the Service: %s", diff)
	}
}

func TestWhoWinsOfTargetGroups(t *testing.T) {
	ing := newIngress(annotations.HealthPath, "/ingress", annotations.TargetType, "instance", annotations.Tags, "a=ing,b=ing,c=ing",
		annotations.TargetGroupAttrs, "x=1,y=1", annotations.SuccessCodes, "204")
	service := newService("web", annotations.HealthPath, "/service", annotations.TargetType, "instance", annotations.Tags, "b=svc,c=svc",
		annotations.TargetGroupAttrs, "x=2")
	params := newParams(elbv2v1beta1.IngressClassParamsSpec{
		TargetType: new(elbv2v1beta1.TargetTypeIP), Tags: []elbv2v1beta1.Tag{{Key: "c", Value: "class"}},
	})
	f, findings := made(t, ing, service, newClass("alb", "p"), params)
	mustBeClean(t, findings)
	got := groupOf(t, f)
	got.Fields = nil
	want := intent.GroupSettings{
		TargetType: "ip", Tags: map[string]string{"a": "ing", "b": "svc", "c": "class"}, Attributes: map[string]string{"x": "2"},
		HealthCheck: intent.HealthCheck{Path: "/service", Matcher: "204"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("class before Service before Ingress; attributes as a whole value, tags key by key: %s", diff)
	}
	if diff := cmp.Diff(map[string]string{"a": "ing", "b": "ing", "c": "class"}, f.Routes[0].Tags); diff != "" {
		t.Errorf("rules have the tags of the Ingress: %s", diff)
	}
}

func TestHealthPort(t *testing.T) {
	rows := []struct {
		value      string
		targetType string
		target     intstr.IntOrString
		want       string
		wrong      bool
		why        string
	}{
		{value: "traffic-port", want: "traffic-port", why: "AWS's word"},
		{value: "9000", want: "9000", why: "a number"},
		{value: "http", target: intstr.FromInt32(8080), want: "8080", why: "the target port of pods"},
		{value: "http", targetType: "instance", target: intstr.FromInt32(8080), want: "30080", why: "the node port of nodes"},
		{value: "http", target: intstr.FromString("named"), wrong: true, why: "pods may differ"},
		{value: "http", targetType: "instance", target: intstr.FromString("named"), want: "30080", why: "nodes do not"},
		{value: "grpc", target: intstr.FromInt32(8080), wrong: true, why: "the Service has no such port"},
	}
	for _, row := range rows {
		ing := newIngress(annotations.HealthPort, row.value)
		if row.targetType != "" {
			ing.Annotations[annotations.IngressPrefix+annotations.TargetType] = row.targetType
		}
		service := newService("web")
		service.Spec.Ports[0].TargetPort = row.target
		f, findings := made(t, ing, service, newClass("alb", ""))
		if row.wrong {
			mustFind(t, findings, annotations.HealthPort, model.Wrong)
			continue
		}
		mustBeClean(t, findings)
		if got := groupOf(t, f).HealthCheck.Port; got != row.want {
			t.Errorf("%s (%s) is %q, want %q: %s", row.value, row.targetType, got, row.want, row.why)
		}
	}
}

func TestMistakeOfAServiceHoldsItsIngress(t *testing.T) {
	_, findings := made(t, newIngress(), newService("web", annotations.HealthPath, "nope", annotations.Scheme, "internal"), newClass("alb", ""))
	told := map[string]model.Severity{}
	for _, f := range findings {
		told[f.Object.Kind+" "+f.Field] = f.Severity
	}
	p := annotations.IngressPrefix
	want := map[string]model.Severity{
		"Service " + p + "healthcheck-path": model.Wrong, "Ingress " + p + "healthcheck-path": model.Wrong, "Service " + p + "scheme": model.Warning,
	}
	if diff := cmp.Diff(want, told); diff != "" {
		t.Error(diff)
	}
}
