package orphan

import (
	"context"
	"fmt"
	"slices"
	"strings"

	networkingv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	elbv2v1beta1 "github.com/headgate/headgate/apis/elbv2/v1beta1"
	headgatev1alpha1 "github.com/headgate/headgate/apis/headgate/v1alpha1"
	"github.com/headgate/headgate/controllers/annotations"
	"github.com/headgate/headgate/model"
)

// Wanted is what somebody in a cluster is for.
type Wanted struct {
	// Owners that the operator remembers, or that there is an object for, whatever its class.
	Owners map[model.Owner]bool
	// Remembered is how many stacks of the cluster's name the operator remembers.
	Remembered int
	// Resources that the operator remembers.
	Resources map[model.ARN]bool
}

// Look reads what is wanted.
func Look(ctx context.Context, objects client.Reader, cluster string) (Wanted, error) {
	out := Wanted{Owners: map[model.Owner]bool{}, Resources: map[model.ARN]bool{}}
	add := func(prefix, name string) {
		out.Owners[model.Owner{Cluster: cluster, Prefix: prefix, Stack: name}] = true
	}
	var states headgatev1alpha1.StackStateList
	var params elbv2v1beta1.IngressClassParamsList
	var ingresses networkingv1.IngressList
	var gateways gwv1.GatewayList
	for _, list := range []client.ObjectList{&states, &params, &ingresses, &gateways} {
		if err := objects.List(ctx, list); err != nil && !meta.IsNoMatchError(err) && !apierrors.IsNotFound(err) {
			return Wanted{}, fmt.Errorf("listing what is wanted: %w", err)
		}
	}
	for _, s := range states.Items {
		name, owner, _ := strings.Cut(s.Spec.Owner, " ")
		if name == cluster {
			out.Remembered++
		}
		prefix, stack, _ := strings.Cut(owner, ":")
		add(prefix, stack)
		for _, r := range s.Spec.Resources {
			out.Resources[model.ARN(r.ARN)] = true
		}
	}
	for _, p := range params.Items {
		if p.Spec.Group != nil {
			add(model.PrefixIngress, p.Spec.Group.Name)
		}
	}
	for i := range ingresses.Items {
		for _, name := range groupsOf(&ingresses.Items[i]) {
			add(model.PrefixIngress, name)
		}
	}
	for _, g := range gateways.Items {
		add(model.PrefixGatewayALB, g.Namespace+"/"+g.Name)
	}
	return out, nil
}

// groupFinalizer is followed by the name of a group that an Ingress is in, or was.
const groupFinalizer = "group.ingress.k8s.aws/"

// groupsOf are the stacks that an Ingress may be in.
func groupsOf(ing *networkingv1.Ingress) []string {
	out := []string{ing.Namespace + "/" + ing.Name}
	if name := strings.TrimSpace(ing.Annotations[annotations.IngressPrefix+annotations.GroupName]); name != "" {
		out = append(out, name)
	}
	for _, f := range ing.Finalizers {
		if name, ok := strings.CutPrefix(f, groupFinalizer); ok {
			out = append(out, name)
		}
	}
	return slices.Compact(out)
}
