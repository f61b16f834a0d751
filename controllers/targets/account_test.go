package targets

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	elbv2v1beta1 "github.com/headgate/headgate/apis/elbv2/v1beta1"
	"github.com/headgate/headgate/model"
)

func TestBindingIsComparedWithItsTargetGroup(t *testing.T) {
	t.Parallel()
	has := model.TargetGroup{TargetType: "ip", IPAddressType: "ipv4", VPC: "vpc-1", Protocol: "HTTP"}
	for _, c := range []struct {
		why    string
		change func(*elbv2v1beta1.TargetGroupBinding)
		says   string
	}{
		{"says what AWS has", func(b *elbv2v1beta1.TargetGroupBinding) {
			b.Spec.IPAddressType, b.Spec.VpcID = new(elbv2v1beta1.TargetGroupIPAddressTypeIPv4), "vpc-1"
			b.Spec.TargetGroupProtocol = new(elbv2v1beta1.Protocol("HTTP"))
		}, ""},
		{"says nothing", func(b *elbv2v1beta1.TargetGroupBinding) { b.Spec.TargetType = nil }, ""},
		{"another type", toNodes, "TargetGroupMismatch: spec.targetType: it says instance, and AWS has ip"},
		{"another family", func(b *elbv2v1beta1.TargetGroupBinding) {
			b.Spec.IPAddressType = new(elbv2v1beta1.TargetGroupIPAddressTypeIPv6)
		}, "spec.ipAddressType: it says ipv6, and AWS has ipv4"},
		{"another VPC", func(b *elbv2v1beta1.TargetGroupBinding) { b.Spec.VpcID = "vpc-2" }, "spec.vpcID: it says vpc-2, and AWS has vpc-1"},
		{"another protocol", func(b *elbv2v1beta1.TargetGroupBinding) {
			b.Spec.TargetGroupProtocol = new(elbv2v1beta1.Protocol("TCP"))
		}, "spec.targetGroupProtocol: it says TCP, and AWS has HTTP"},
	} {
		w := newWorld(t, service(), binding("web", c.change))
		w.aws.shape = has
		w.endpoints("10.0.0.1")
		for range 2 {
			w.reconcile("web")
		}
		if got := len(w.aws.registered()); got != 1 == (c.says == "") {
			t.Errorf("%s: %d targets", c.why, got)
		}
		if said, _ := w.ready("web"); !strings.Contains(said, c.says) || strings.HasPrefix(said, "True") != (c.says == "") {
			t.Errorf("invariant 8: %s: %q", c.why, said)
		}
		if w.aws.described != 1 {
			t.Errorf("%s: was described %d times, want once", c.why, w.aws.described)
		}
	}
}

func TestTypeOfTargetsIsLeftToAWS(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nodePorts(), node("1", "10.0.1.1"), binding("web", func(b *elbv2v1beta1.TargetGroupBinding) { b.Spec.TargetType = nil }))
	w.aws.shape = model.TargetGroup{TargetType: "instance"}
	w.reconcile("web")
	if diff := cmp.Diff([]string{"i-1:30080"}, w.aws.registered()); diff != "" {
		t.Error(diff)
	}
	if b := w.binding("web"); b.Spec.TargetType != nil {
		t.Errorf("nobody writes what a user did not: %v", *b.Spec.TargetType)
	}
}

func TestSteadyBindingIsNotDescribedAfterARestart(t *testing.T) {
	t.Parallel()
	w := newWorld(t, service(), binding("web"))
	w.endpoints("10.0.0.1")
	w.reconcile("web")
	w.restart()
	w.reconcile("web")
	if w.aws.described != 1 {
		t.Errorf("was described %d times, want once", w.aws.described)
	}
}

func TestAddressesInAnotherVPC(t *testing.T) {
	t.Parallel()
	for why, change := range map[string]func(*elbv2v1beta1.TargetGroupBinding){
		"as the binding says": func(b *elbv2v1beta1.TargetGroupBinding) { b.Spec.VpcID = "vpc-2" },
		"as AWS says":         func(*elbv2v1beta1.TargetGroupBinding) {},
	} {
		w := newWorld(t, service(), binding("web", change))
		w.aws.shape.VPC = "vpc-2"
		w.endpoints("10.0.0.1")
		w.reconcile("web")
		if diff := cmp.Diff([]string{"10.0.0.1:8080 all"}, w.aws.registered()); diff != "" {
			t.Errorf("a target group of a peered VPC, %s: %s", why, diff)
		}
	}
}

func TestTargetGroupOfAnotherAccount(t *testing.T) {
	t.Parallel()
	const away = model.ARN("arn:aws:elasticloadbalancing:eu-west-1:2:targetgroup/far/1")
	role := model.Role{ARN: "arn:aws:iam::2:role/targets", ExternalID: "secret"}
	for why, change := range map[string]func(*elbv2v1beta1.TargetGroupBinding){
		"by its ARN":  func(b *elbv2v1beta1.TargetGroupBinding) { b.Spec.TargetGroupARN = string(away) },
		"by its name": func(b *elbv2v1beta1.TargetGroupBinding) { b.Spec.TargetGroupARN, b.Spec.TargetGroupName = "", "far" },
	} {
		w := newWorld(t, service(), binding("web", change, func(b *elbv2v1beta1.TargetGroupBinding) {
			b.Spec.IamRoleArnToAssume, b.Spec.AssumeRoleExternalID = role.ARN, role.ExternalID
		}))
		other := &account{groups: map[model.ARN]map[model.Target]string{away: {}}, shape: model.TargetGroup{VPC: "vpc-2"}}
		var asked []model.Role
		w.opts.As = func(r model.Role) Account {
			asked = append(asked, r)
			return other
		}
		w.endpoints("10.0.0.1")
		w.reconcile("web")
		if _, ok := other.groups[away][model.Target{ID: "10.0.0.1", Port: 8080, Zone: "all"}]; !ok || len(w.aws.calls) > 0 {
			t.Errorf("%s: %v, and in our own account %v (%v)", why, other.groups[away], w.aws.calls, w.notes.all)
		}
		if slices.ContainsFunc(asked, func(r model.Role) bool { return r != role }) {
			t.Errorf("%s: asked for %v", why, asked)
		}
		w.remove("web")
		if other.groups[away][model.Target{ID: "10.0.0.1", Port: 8080, Zone: "all"}] != "draining" {
			t.Errorf("%s: after the binding is gone: %v", why, other.groups[away])
		}
		if strings.Contains(strings.Join(w.notes.all, ""), role.ExternalID) {
			t.Errorf("invariant 9: %v", w.notes.all)
		}
	}
}

func TestBoundOfTargets(t *testing.T) {
	t.Parallel()
	w := newWorld(t, service(), binding("web"))
	w.endpoints("10.0.0.3", "10.0.0.4")
	w.reconcile("web")
	w.opts.MaxTargets = 3
	for _, c := range []struct {
		why       string
		endpoints []string
		want      []string
		told      bool
	}{
		{"who is in stays in", []string{"10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4"}, []string{"10.0.0.1:8080", "10.0.0.3:8080", "10.0.0.4:8080"}, true},
		{"one that goes makes room", []string{"10.0.0.1", "10.0.0.2", "10.0.0.4"}, []string{"10.0.0.1:8080", "10.0.0.2:8080", "10.0.0.4:8080"}, false},
	} {
		w.endpoints(c.endpoints...)
		w.reconcile("web")
		if diff := cmp.Diff(c.want, w.aws.registered()); diff != "" {
			t.Errorf("%s: %s", c.why, diff)
		}
		if said, _ := w.ready("web"); strings.Contains(said, "TooManyTargets") != c.told {
			t.Errorf("%s: %q", c.why, said)
		}
		if _, calls := w.reconcile("web"); len(calls) > 0 {
			t.Errorf("%s: invariant 1: %v", c.why, calls)
		}
	}
	w.opts.MaxTargets = 1
	w.reconcile("web")
	if diff := cmp.Diff([]string{"10.0.0.1:8080"}, w.aws.registered()); diff != "" {
		t.Errorf("a bound below what is there takes the rest out: %s", diff)
	}
}
