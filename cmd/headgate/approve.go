package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"

	headgatev1alpha1 "github.com/headgate/headgate/apis/headgate/v1alpha1"
	"github.com/headgate/headgate/controllers/manifests"
	"github.com/headgate/headgate/controllers/outcome"
	"github.com/headgate/headgate/controllers/stack"
)

// access is how a command reaches a cluster: by the same files as kubectl, unless flags say otherwise.
type access struct{ kubeconfig, context string }

func (a *access) define(cmd *cobra.Command) {
	cmd.Flags().StringVar(&a.kubeconfig, "kubeconfig", "", "kubeconfig of the cluster; empty means what kubectl takes")
	cmd.Flags().StringVar(&a.context, "context", "", "context of the kubeconfig; empty means the current one")
}

func (a *access) connect() (client.Client, error) {
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.ExplicitPath = a.kubeconfig
	config, err := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, &clientcmd.ConfigOverrides{CurrentContext: a.context}).ClientConfig()
	if err != nil {
		return nil, fmt.Errorf("reading the kubeconfig (--kubeconfig names another one): %w", err)
	}
	scheme, err := manifests.Scheme()
	if err != nil {
		return nil, fmt.Errorf("connecting to the cluster: %w", err)
	}
	c, err := client.New(config, client.Options{Scheme: scheme})
	if err != nil {
		return nil, fmt.Errorf("connecting to the cluster: %w", err)
	}
	return c, nil
}

// approval is one plan that is looked at and approved.
type approval struct {
	client client.Client
	in     io.Reader
	out    io.Writer
	// hash is the plan that is meant; empty means the one that waits. yes says not to ask.
	hash string
	yes  bool
}

func newApproveCommand() *cobra.Command {
	var from access
	var a approval
	cmd := &cobra.Command{
		Use:   "approve NAMESPACE/NAME",
		Short: "Look at a plan that waits for approval, and approve it",
		Long: `Prints the whole plan that waits for an Ingress or a Gateway, by namespace/name, or for a LoadBalancer, by its name, and asks whether it is
approved. What is approved is this plan with all its steps: one that has changed until then asks anew.

It covers the calls that it lists, and for each target group that it makes (lines with &) that the pods of its Service are registered, and
that the security groups of these pods admit the load balancer. What follows the pods of target groups that are there needs no approval:
that they are registered and deregistered, and that their security groups admit the load balancer.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return errors.New("name one Ingress or Gateway, as NAMESPACE/NAME, or one LoadBalancer: `kubectl get lb` lists them")
			}
			var err error
			if a.client, err = from.connect(); err != nil {
				return err
			}
			a.in, a.out = cmd.InOrStdin(), cmd.OutOrStdout()
			return a.approve(cmd.Context(), args[0])
		},
	}
	from.define(cmd)
	cmd.Flags().StringVar(&a.hash, "hash", "", "hash of the plan that you looked at: it is approved without a question, and no other is")
	cmd.Flags().BoolVar(&a.yes, "yes", false, "approve what waits without a question")
	return cmd
}

// approve prints the plan that waits for an object and approves it.
func (a approval) approve(ctx context.Context, name string) error {
	lb, err := a.find(ctx, name)
	if err != nil {
		return err
	}
	waiting, whole, err := a.show(lb)
	if err != nil {
		return err
	}
	if !whole && a.hash == "" && !a.yes {
		return fmt.Errorf("the plan is too large for the object, so that this is not all: `headgate plan --kubeconfig FILE` prints all; "+
			"--hash %s approves it then", waiting.Hash)
	}
	if a.hash != "" && a.hash != waiting.Hash {
		return fmt.Errorf("the plan that waits is %s, not %s: look at it again", waiting.Hash, a.hash)
	}
	if a.hash == "" && !a.yes && !a.confirmed() {
		return errors.New("nothing was approved")
	}
	before := lb.DeepCopy()
	lb.Spec.ApprovedPlan = waiting.Hash
	if err := a.client.Patch(ctx, lb, client.MergeFrom(before)); err != nil {
		return fmt.Errorf("approving plan %s: %w", waiting.Hash, err)
	}
	if _, err := fmt.Fprintf(a.out, "approved %s\n", waiting.Hash); err != nil {
		return fmt.Errorf("printing: %w", err)
	}
	return nil
}

// show prints the plan that waits; whole is false where that is not all of it.
func (a approval) show(lb *headgatev1alpha1.LoadBalancer) (waiting *headgatev1alpha1.PendingPlan, whole bool, err error) {
	if waiting = lb.Status.PendingPlan; waiting == nil {
		return nil, false, fmt.Errorf("no plan waits for LoadBalancer %s", lb.Name)
	}
	text, whole, err := stack.PlanText(*waiting)
	if err != nil {
		return nil, false, fmt.Errorf("reading plan %s of LoadBalancer %s: %w", waiting.Hash, lb.Name, err)
	}
	if _, err := fmt.Fprintf(a.out, "LoadBalancer %s, plan %s\n%s", lb.Name, waiting.Hash, text); err != nil {
		return nil, false, fmt.Errorf("printing the plan: %w", err)
	}
	return waiting, whole, mayApprove(lb)
}

// mayApprove tells whether an approval does anything: a plan also shows while it is carried out, and where none shall be.
func mayApprove(lb *headgatev1alpha1.LoadBalancer) error {
	c := meta.FindStatusCondition(lb.Status.Conditions, headgatev1alpha1.ConditionPlanApproved)
	switch {
	case c == nil || c.Status == metav1.ConditionTrue:
		return fmt.Errorf("the plan of LoadBalancer %s waits for nobody: it is carried out, as far as AWS lets it (`kubectl describe lb %s`)", lb.Name, lb.Name)
	case c.Reason == outcome.ReasonObserved:
		return fmt.Errorf("the plan of LoadBalancer %s is only shown: with headgate.dev/changes: Observe no approval counts; write Approve or Auto", lb.Name)
	}
	return nil
}

// confirmed asks.
func (a approval) confirmed() bool {
	_, _ = fmt.Fprint(a.out, "Approve this plan? [y/N] ")
	return confirmed(a.in)
}

// confirmed reads the answer to a question; none is a no.
func confirmed(in io.Reader) bool {
	answer, _ := bufio.NewReader(in).ReadString('\n')
	return slices.Contains([]string{"y", "yes"}, strings.ToLower(strings.TrimSpace(answer)))
}

// find is the LoadBalancer of a name, or of an object that it is for.
func (a approval) find(ctx context.Context, name string) (*headgatev1alpha1.LoadBalancer, error) {
	namespace, object, ok := strings.Cut(name, "/")
	if !ok {
		lb := &headgatev1alpha1.LoadBalancer{}
		if err := a.client.Get(ctx, client.ObjectKey{Name: name}, lb); err != nil {
			return nil, fmt.Errorf("reading LoadBalancer %s (an Ingress or a Gateway is written namespace/name): %w", name, err)
		}
		return lb, nil
	}
	var list headgatev1alpha1.LoadBalancerList
	if err := a.client.List(ctx, &list); err != nil {
		return nil, fmt.Errorf("listing LoadBalancers: %w", err)
	}
	var found []*headgatev1alpha1.LoadBalancer
	var names []string
	for i := range list.Items {
		if slices.ContainsFunc(list.Items[i].Status.Sources, func(s headgatev1alpha1.ObjectReference) bool {
			return s.Namespace == namespace && s.Name == object
		}) {
			found, names = append(found, &list.Items[i]), append(names, list.Items[i].Name)
		}
	}
	switch len(found) {
	case 0:
		return nil, fmt.Errorf("no LoadBalancer is for %s: `kubectl get lb` lists them", name)
	case 1:
		return found[0], nil
	}
	return nil, fmt.Errorf("several LoadBalancers are for %s: write the name of one of them: %s", name, strings.Join(names, ", "))
}
