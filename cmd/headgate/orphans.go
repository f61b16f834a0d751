package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	networkingv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	elbv2v1beta1 "github.com/headgate/headgate/apis/elbv2/v1beta1"
	headgatev1alpha1 "github.com/headgate/headgate/apis/headgate/v1alpha1"
	"github.com/headgate/headgate/cloud"
	"github.com/headgate/headgate/cmd/headgate-controller/flags"
	"github.com/headgate/headgate/cmd/headgate-controller/wire"
	"github.com/headgate/headgate/controllers/annotations"
	"github.com/headgate/headgate/controllers/stack"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/plan"
)

// holdings is AWS as the command sees it.
type holdings interface {
	stack.Cloud
	Owners(ctx context.Context) ([]model.Owner, error)
}

// orphanage looks for what AWS holds of a cluster and nobody there wants.
type orphanage struct {
	cluster string
	objects client.Reader
	aws     holdings
	out     io.Writer
	// delete says to delete what is found.
	delete bool
}

func newOrphansCommand() *cobra.Command {
	var from access
	var o orphanage
	set := wire.Settings{MaxRetries: planRetries}
	cmd := &cobra.Command{
		Use:   "orphans",
		Short: "Print what AWS holds of a cluster and nobody there wants, and delete it when asked",
		Long: "Prints the stacks that carry the cluster's ownership tags and that no Ingress, no Gateway and no memory of the operator is for. Only with\n" +
			"--delete anything is changed. What belongs to other clusters, to Services, and what a load balancer of somebody else uses is left alone.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if set.Cluster == "" {
				return errors.New("--cluster-name is needed: ownership tags name the cluster")
			}
			objects, err := from.connect()
			if err != nil {
				return err
			}
			aws, err := cloud.New(cmd.Context(), wire.CloudOptions(set))
			if err != nil {
				return fmt.Errorf("connecting to AWS: %w", err)
			}
			o.cluster, o.objects, o.aws, o.out = set.Cluster, objects, aws, cmd.OutOrStdout()
			return o.run(cmd.Context())
		},
	}
	from.define(cmd)
	f := cmd.Flags()
	f.BoolVar(&o.delete, "delete", false, "delete what is found")
	f.StringVar(&set.Cluster, "cluster-name", "", "name of the cluster, as the operator has it")
	f.StringVar(&set.Region, "aws-region", "", "AWS region")
	f.StringVar(&set.VPC, "aws-vpc-id", "", "VPC of the cluster")
	shared := flag.NewFlagSet("", flag.ContinueOnError)
	shared.Var(flags.Map{To: &set.Endpoints}, "aws-api-endpoints", "other endpoints of AWS services: serviceID=URL,…")
	f.AddGoFlagSet(shared)
	return cmd
}

func (o *orphanage) run(ctx context.Context) error {
	owners, err := o.aws.Owners(ctx)
	if err != nil {
		return fmt.Errorf("looking at AWS: %w", err)
	}
	wanted, err := o.wanted(ctx)
	if err != nil {
		return err
	}
	found := 0
	var errs []error
	for _, owner := range owners {
		if wanted[owner] {
			continue
		}
		found++
		errs = append(errs, o.one(ctx, owner))
	}
	if found == 0 {
		fmt.Fprintln(o.out, "no orphans")
	}
	return errors.Join(errs...)
}

// one prints an orphan, and deletes it where that is asked for.
func (o *orphanage) one(ctx context.Context, owner model.Owner) error {
	observed, err := o.aws.Observe(ctx, owner, nil)
	if err != nil {
		return fmt.Errorf("looking at %s: %w", owner, err)
	}
	if user := usedBy(observed); user != "" {
		fmt.Fprintf(o.out, "# %s\nkept: %s, which is not part of it, uses one of its target groups\n", owner, user)
		return nil
	}
	p := plan.Diff(model.Stack{Owner: owner}, observed, plan.Options{})
	fmt.Fprintf(o.out, "# %s\n%s", owner, p)
	if !o.delete {
		return nil
	}
	done, err := o.aws.Apply(ctx, p)
	for _, w := range done.Waiting {
		fmt.Fprintf(o.out, "%s stays until %s: run this again then\n", w.Key, w.For)
	}
	if err != nil {
		return fmt.Errorf("deleting %s: %w", owner, err)
	}
	return nil
}

// usedBy is a load balancer beside a stack's own that uses one of its target groups.
func usedBy(observed model.Stack) model.ARN {
	own := map[model.ARN]bool{}
	for _, lb := range observed.Balancers() {
		own[lb.ARN] = true
	}
	for _, part := range observed.Parts() {
		for _, g := range part.TargetGroups {
			for _, lb := range g.LoadBalancers {
				if !own[lb] {
					return lb
				}
			}
		}
	}
	return ""
}

// wanted are the owners that somebody in the cluster is for: the operator remembers them, or there is an object, whatever its class.
func (o *orphanage) wanted(ctx context.Context) (map[model.Owner]bool, error) {
	out := map[model.Owner]bool{}
	add := func(prefix, name string) { out[model.Owner{Cluster: o.cluster, Prefix: prefix, Stack: name}] = true }
	var states headgatev1alpha1.StackStateList
	var params elbv2v1beta1.IngressClassParamsList
	var ingresses networkingv1.IngressList
	var gateways gwv1.GatewayList
	for _, list := range []client.ObjectList{&states, &params, &ingresses, &gateways} {
		if err := o.objects.List(ctx, list); err != nil && !meta.IsNoMatchError(err) && !apierrors.IsNotFound(err) {
			return nil, fmt.Errorf("listing what is wanted: %w", err)
		}
	}
	for _, s := range states.Items {
		_, owner, _ := strings.Cut(s.Spec.Owner, " ")
		prefix, name, _ := strings.Cut(owner, ":")
		add(prefix, name)
	}
	for _, p := range params.Items {
		if p.Spec.Group != nil {
			add(model.PrefixIngress, p.Spec.Group.Name)
		}
	}
	for i := range ingresses.Items {
		for _, name := range groupsOfIngress(&ingresses.Items[i]) {
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

// groupsOfIngress are the stacks that an Ingress may be in.
func groupsOfIngress(ing *networkingv1.Ingress) []string {
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
