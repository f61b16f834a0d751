package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"

	"github.com/spf13/cobra"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/headgate/headgate/cloud"
	"github.com/headgate/headgate/cmd/headgate-controller/flags"
	"github.com/headgate/headgate/cmd/headgate-controller/wire"
	"github.com/headgate/headgate/controllers/orphan"
	"github.com/headgate/headgate/controllers/stack"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/plan"
)

// holdings is AWS as the command sees it.
type holdings interface {
	stack.Cloud
	Owners(ctx context.Context) ([]model.Owner, error)
	Unused(ctx context.Context) ([]model.OwnCertificate, error)
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
		Long: "Prints the stacks that carry the cluster's ownership tags and that no Ingress, no Gateway and no memory of the operator is for, also where\n" +
			"nothing is left of them but certificates or trust stores, and imported certificates that nothing has. Only with --delete anything is\n" +
			"changed. What belongs to other clusters, to Services, and what a load balancer of somebody else uses is left alone.",
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
	wanted, err := orphan.Look(ctx, o.objects, o.cluster)
	if err != nil {
		return fmt.Errorf("looking at the cluster: %w", err)
	}
	found := 0
	var errs []error
	for _, owner := range owners {
		if wanted.Owners[owner] {
			continue
		}
		found++
		errs = append(errs, o.one(ctx, owner))
	}
	// After the load balancers, which may have had them.
	shared, err := o.imported(ctx, wanted)
	if err == nil && len(shared.Certificates) > 0 {
		found++
		err = o.remove(ctx, shared)
	}
	if found == 0 && err == nil {
		fmt.Fprintln(o.out, "no orphans")
	}
	return errors.Join(append(errs, err)...)
}

// imported are the certificates of Secrets, which belong to the cluster and no stack, that nothing in AWS has and nobody remembers.
func (o *orphanage) imported(ctx context.Context, wanted orphan.Wanted) (model.Stack, error) {
	unused, err := o.aws.Unused(ctx)
	if err != nil {
		return model.Stack{}, fmt.Errorf("looking at AWS: %w", err)
	}
	unused = slices.DeleteFunc(unused, func(c model.OwnCertificate) bool { return wanted.Resources[c.ARN] })
	return model.Stack{Owner: model.Owner{Cluster: o.cluster}, Certificates: unused}, nil
}

// detailed are the keys of what is observed only where somebody asks for it.
func detailed() []model.Key {
	return []model.Key{{Kind: model.KindCertificate}, {Kind: model.KindTrustStore}}
}

// one prints an orphan, and deletes it where that is asked for.
func (o *orphanage) one(ctx context.Context, owner model.Owner) error {
	observed, err := o.aws.Observe(ctx, owner, detailed())
	if err != nil {
		return fmt.Errorf("looking at %s: %w", owner, err)
	}
	// Those that the cluster imported may be others' too.
	observed.Certificates = slices.DeleteFunc(observed.Certificates, func(c model.OwnCertificate) bool {
		_, own := owner.Owns(c.Tags)
		return !own
	})
	if user := usedBy(observed); user != "" {
		fmt.Fprintf(o.out, "# %s\nkept: %s, which is not part of it, uses one of its target groups\n", owner, user)
		return nil
	}
	return o.remove(ctx, observed)
}

// remove prints what it takes to delete an orphan, and does it where that is asked for.
func (o *orphanage) remove(ctx context.Context, observed model.Stack) error {
	owner := observed.Owner
	p := plan.Diff(model.Stack{Owner: owner}, observed, plan.Options{})
	fmt.Fprintf(o.out, "# %s\n%s", title(owner), p)
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

// title says whose something is.
func title(owner model.Owner) string {
	if owner.Prefix == "" {
		return "certificates of Secrets, which the cluster imported and nothing has"
	}
	return owner.String()
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
