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
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/headgate/headgate/cloud"
	"github.com/headgate/headgate/cmd/headgate-controller/flags"
	"github.com/headgate/headgate/cmd/headgate-controller/verify"
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
	in      io.Reader
	// delete says to delete what is found, yes not to ask before.
	delete, yes bool
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
			"changed, after a question; a cluster that remembers no stack of that name is taken for another one.\n" +
			"What belongs to other clusters, to Services, and what a load balancer of somebody else uses is left alone.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if set.Cluster == "" {
				return errors.New("--cluster-name is needed: ownership tags name the cluster")
			}
			if problems := verify.Endpoints(set.Endpoints); len(problems) > 0 {
				return errors.New(strings.Join(problems, "; "))
			}
			objects, err := from.connect()
			if err != nil {
				return err
			}
			aws, err := cloud.New(cmd.Context(), wire.CloudOptions(set))
			if err != nil {
				return fmt.Errorf("connecting to AWS: %w%s", err, hint(set))
			}
			o.cluster, o.objects, o.aws = set.Cluster, objects, aws
			o.in, o.out = cmd.InOrStdin(), cmd.OutOrStdout()
			return o.run(cmd.Context())
		},
	}
	from.define(cmd)
	f := cmd.Flags()
	f.BoolVar(&o.delete, "delete", false, "delete what is found, after a question")
	f.BoolVar(&o.yes, "yes", false, "with --delete: ask nothing, also where the cluster remembers nothing of that name")
	f.StringVar(&set.Cluster, "cluster-name", "", "name of the cluster, as the operator has it")
	f.StringVar(&set.Region, "aws-region", "", "AWS region")
	f.StringVar(&set.VPC, "aws-vpc-id", "", "VPC of the cluster")
	shared := flag.NewFlagSet("", flag.ContinueOnError)
	shared.Var(flags.Map{To: &set.Endpoints}, "aws-api-endpoints", "other endpoints of AWS services: serviceID=URL,…")
	f.AddGoFlagSet(shared)
	return cmd
}

// run prints what it takes to delete all orphans, and does it where that is asked for.
func (o *orphanage) run(ctx context.Context) error {
	owners, err := o.aws.Owners(ctx)
	if err != nil {
		return fmt.Errorf("looking at AWS: %w", err)
	}
	wanted, err := orphan.Look(ctx, o.objects, o.cluster)
	if err != nil {
		return fmt.Errorf("looking at the cluster: %w", err)
	}
	found, used := []plan.Plan(nil), 0
	for _, owner := range owners {
		if wanted.Owners[owner] {
			continue
		}
		p, free, err := o.one(ctx, owner)
		if err != nil {
			return err
		}
		if free {
			found = append(found, p)
		} else {
			used++
		}
	}
	// After the load balancers, which may have had them.
	shared, err := o.imported(ctx, wanted)
	if err != nil {
		return err
	}
	if len(shared.Certificates) > 0 {
		found = append(found, o.show(shared))
	}
	switch {
	case len(found) == 0 && used == 0:
		fmt.Fprintln(o.out, "no orphans")
		return nil
	case len(found) == 0 || !o.delete:
		return nil
	}
	if err := o.meant(wanted, len(found)); err != nil {
		return err
	}
	return o.removeAll(ctx, found)
}

// removeAll deletes what is still wanted by nobody: an answer may take its time.
func (o *orphanage) removeAll(ctx context.Context, found []plan.Plan) error {
	wanted, err := orphan.Look(ctx, o.objects, o.cluster)
	if err != nil {
		return fmt.Errorf("looking at the cluster once more: %w", err)
	}
	var errs []error
	for _, p := range found {
		remembered := func(c plan.Change) bool { return p.Known[c.Key] != "" && wanted.Resources[p.Known[c.Key]] }
		if wanted.Owners[p.Owner] || slices.ContainsFunc(p.Changes, remembered) {
			fmt.Fprintf(o.out, "kept %s: somebody wants it now\n", title(p.Owner))
			continue
		}
		errs = append(errs, o.remove(ctx, p))
	}
	return errors.Join(errs...)
}

// meant tells whether the user means to delete so much. A cluster that knows nothing of its own is likely another one.
func (o *orphanage) meant(wanted orphan.Wanted, found int) error {
	if o.yes {
		return nil
	}
	if wanted.Remembered == 0 {
		return fmt.Errorf("nothing was deleted: the operator of this cluster remembers no stack of --cluster-name %s, so that this may be another cluster: "+
			"check --kubeconfig and --context; --yes deletes all the same", o.cluster)
	}
	fmt.Fprintf(o.out, "Delete these %d? What two clusters of one name share would be gone for both. [y/N] ", found)
	if !confirmed(o.in) {
		return errors.New("nothing was deleted")
	}
	return nil
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

// one prints an orphan with what it takes to delete it; free says that nobody else uses it.
func (o *orphanage) one(ctx context.Context, owner model.Owner) (p plan.Plan, free bool, err error) {
	observed, err := o.aws.Observe(ctx, owner, detailed())
	if err != nil {
		return plan.Plan{}, false, fmt.Errorf("looking at %s: %w", owner, err)
	}
	// Those that the cluster imported may be others' too.
	observed.Certificates = slices.DeleteFunc(observed.Certificates, func(c model.OwnCertificate) bool {
		_, own := owner.Owns(c.Tags)
		return !own
	})
	if user := usedBy(observed); user != "" {
		fmt.Fprintf(o.out, "# %s\nkept: %s, which is not part of it, uses one of its target groups\n", owner, user)
		return plan.Plan{}, false, nil
	}
	return o.show(observed), true, nil
}

// show prints what it takes to delete an orphan.
func (o *orphanage) show(observed model.Stack) plan.Plan {
	p := plan.Diff(model.Stack{Owner: observed.Owner}, observed, plan.Options{})
	fmt.Fprintf(o.out, "# %s\n%s", title(observed.Owner), p)
	return p
}

// remove deletes an orphan.
func (o *orphanage) remove(ctx context.Context, p plan.Plan) error {
	done, err := o.aws.Apply(ctx, p)
	for _, w := range done.Waiting {
		fmt.Fprintf(o.out, "%s stays until %s: run this again then\n", w.Key, w.For)
	}
	if err != nil {
		return fmt.Errorf("deleting %s: %w", p.Owner, err)
	}
	fmt.Fprintf(o.out, "deleted %s\n", title(p.Owner))
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
