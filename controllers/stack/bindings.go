package stack

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	elbv2v1beta1 "github.com/headgate/headgate/apis/elbv2/v1beta1"
	"github.com/headgate/headgate/model"
)

// bindingLabels mark the bindings of a stack, as the incumbent labels them.
func bindingLabels(owner model.Owner) map[string]string {
	if namespace, name, ok := strings.Cut(owner.Stack, "/"); ok {
		return map[string]string{owner.Prefix + "/stack-namespace": namespace, owner.Prefix + "/stack-name": name}
	}
	return map[string]string{owner.Prefix + "/stack": owner.Stack}
}

// Made tells whether a binding was made for a stack, not by a user: its target group goes with the stack.
func Made(b *elbv2v1beta1.TargetGroupBinding) bool {
	for key := range b.Labels {
		if strings.HasSuffix(key, ".k8s.aws/stack") || strings.HasSuffix(key, ".k8s.aws/stack-name") ||
			strings.HasPrefix(key, "gateway.k8s.aws.") && strings.Contains(key, "/stack") {
			return true
		}
	}
	return false
}

// bind makes one binding for each target group that exists, and deletes those whose target group is not wanted any more.
func (l *Loop) bind(ctx context.Context, a *attempt) error {
	owner := a.req.Intent.Owner
	var have elbv2v1beta1.TargetGroupBindingList
	if err := l.client.List(ctx, &have, client.MatchingLabels(bindingLabels(owner))); err != nil {
		return fmt.Errorf("listing the bindings of %s: %w", owner, err)
	}
	byARN := map[string]*elbv2v1beta1.TargetGroupBinding{}
	for i := range have.Items {
		byARN[have.Items[i].Spec.TargetGroupARN] = &have.Items[i]
	}
	var errs []error
	for _, g := range a.desired.TargetGroups {
		arn := a.outputs.ARNs[model.Key{Kind: model.KindTargetGroup, ID: g.ID}]
		if arn == "" {
			continue
		}
		existing := byARN[string(arn)]
		delete(byARN, string(arn))
		if g.Backend.Service != "" {
			errs = append(errs, l.ensureBinding(ctx, a, g, arn, existing))
		}
	}
	for _, stale := range byARN {
		errs = append(errs, client.IgnoreNotFound(l.client.Delete(ctx, stale)))
	}
	return errors.Join(errs...)
}

func (l *Loop) ensureBinding(
	ctx context.Context, a *attempt, g model.TargetGroup, arn model.ARN, have *elbv2v1beta1.TargetGroupBinding,
) error {
	want := binding(a.req.Intent.Owner, g, arn, a.facts.BackendSecurityGroup)
	if have == nil {
		want.Name = nameOfTargetGroup(arn)
		if err := l.client.Create(ctx, want); err != nil && !apierrors.IsAlreadyExists(err) {
			return fmt.Errorf("creating the binding of target group %s: %w", g.ID, err)
		}
		return nil
	}
	spec := want.Spec
	if spec.Networking == nil {
		// Facts are read only when something changes: what admits traffic stays until then.
		spec.Networking = have.Spec.Networking
	}
	if reflect.DeepEqual(spec, have.Spec) {
		return nil
	}
	updated := have.DeepCopy()
	updated.Spec = spec
	if err := l.client.Patch(ctx, updated, client.MergeFrom(have)); err != nil {
		return fmt.Errorf("updating the binding of target group %s: %w", g.ID, err)
	}
	return nil
}

// nameOfTargetGroup is the name in a target group's ARN (…:targetgroup/<name>/<id>): bindings are named like it.
func nameOfTargetGroup(arn model.ARN) string {
	parts := strings.Split(string(arn), "/")
	return parts[max(len(parts)-2, 0)]
}

func binding(owner model.Owner, g model.TargetGroup, arn model.ARN, backendGroup string) *elbv2v1beta1.TargetGroupBinding {
	targetType := elbv2v1beta1.TargetType(g.TargetType)
	family := elbv2v1beta1.TargetGroupIPAddressType(g.IPAddressType)
	protocol := elbv2v1beta1.Protocol(g.Protocol)
	return &elbv2v1beta1.TargetGroupBinding{
		ObjectMeta: metav1.ObjectMeta{Namespace: g.Backend.Namespace, Labels: bindingLabels(owner)},
		Spec: elbv2v1beta1.TargetGroupBindingSpec{
			TargetGroupARN:      string(arn),
			TargetType:          &targetType,
			TargetGroupProtocol: &protocol,
			IPAddressType:       &family,
			VpcID:               g.VPC,
			ServiceRef:          elbv2v1beta1.ServiceReference{Name: g.Backend.Service, Port: portValue(g.Backend.Port)},
			Networking:          networking(g.Backend.Network, backendGroup),
		},
	}
}

func portValue(s string) intstr.IntOrString {
	if n, err := strconv.ParseInt(s, 10, 32); err == nil {
		return intstr.FromInt32(int32(n))
	}
	return intstr.FromString(s)
}

// networking says in the binding's words what the pods must admit.
func networking(permissions []model.Permission, backendGroup string) *elbv2v1beta1.TargetGroupBindingNetworking {
	var rules []elbv2v1beta1.NetworkingIngressRule
	for _, p := range permissions {
		peer := elbv2v1beta1.NetworkingPeer{}
		switch {
		case p.CIDR != "":
			peer.IPBlock = &elbv2v1beta1.IPBlock{CIDR: p.CIDR}
		case p.Source.ID != "":
			peer.SecurityGroup = &elbv2v1beta1.SecurityGroup{GroupID: p.Source.ID}
		case p.Source.Key == model.ResourceBackendSecurityGroup && backendGroup != "":
			peer.SecurityGroup = &elbv2v1beta1.SecurityGroup{GroupID: backendGroup}
		default:
			continue
		}
		protocol := elbv2v1beta1.NetworkingProtocol(strings.ToUpper(p.Protocol))
		port := intstr.FromInt32(int32(p.FromPort)) //nolint:gosec // ports fit
		ports := []elbv2v1beta1.NetworkingPort{{Protocol: &protocol, Port: &port}}
		if p.FromPort != p.ToPort {
			ports = []elbv2v1beta1.NetworkingPort{{Protocol: &protocol}}
		}
		rules = append(rules, elbv2v1beta1.NetworkingIngressRule{From: []elbv2v1beta1.NetworkingPeer{peer}, Ports: ports})
	}
	if len(rules) == 0 {
		return nil
	}
	return &elbv2v1beta1.TargetGroupBindingNetworking{Ingress: rules}
}
