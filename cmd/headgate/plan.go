package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/headgate/headgate/cloud"
	"github.com/headgate/headgate/cmd/headgate-controller/flags"
	"github.com/headgate/headgate/cmd/headgate-controller/verify"
	"github.com/headgate/headgate/cmd/headgate-controller/wire"
	"github.com/headgate/headgate/controllers/manifests"
	"github.com/headgate/headgate/controllers/preview"
	"github.com/headgate/headgate/controllers/stack"
	"github.com/headgate/headgate/model"
)

// exitChanges is the exit code of a plan that is not empty.
const exitChanges = 2

// exitError ends the program with a code; an empty text is not printed.
type exitError struct {
	code int
	text string
}

// Error is the text.
func (e exitError) Error() string { return e.text }

// ExitCode is what the program ends with.
func (e exitError) ExitCode() int { return e.code }

// planRetries is how often a refused read of AWS is tried again, as by the operator.
const planRetries = 10

// planOptions are the flags of the plan command. Those that the operator has too have its names and defaults.
type planOptions struct {
	files           []string
	facts, observed string
	output          string

	// set is what the operator's flags of these names say.
	set   wire.Settings
	doors wire.Doors
}

func newPlanCommand() *cobra.Command {
	o := &planOptions{set: wire.Settings{MaxRetries: planRetries}}
	cmd := &cobra.Command{
		Use:   "plan (-f DIR|FILE [--facts FILE] [--observed FILE] | --kubeconfig FILE)",
		Short: "Print what the operator would do",
		Long: `Print what the operator would do, and what it finds wrong, without doing it.

With -f it reads manifests, and needs neither a cluster nor an AWS account: it plans from nothing, or from the stacks of --observed. What it
must know of AWS it takes from --facts; without, it assumes a VPC with subnets in three zones, and every certificate, subnet and security
group that the manifests look for.
With --kubeconfig it reads a cluster and its AWS account, and prints what the operator would do now.

Exit codes: 0 nothing to do, 2 changes, 1 error. A document that cannot be read, a mistake in an object (a finding "Wrong") and a stack
that cannot be built are errors too; everything else is printed before.`,
		Example: `  headgate plan -f examples/shop
  headgate plan -f manifests/ --facts facts.yaml -o json
  headgate plan --kubeconfig ~/.kube/config --cluster-name prod --aws-region eu-west-1 --aws-vpc-id vpc-1`,
		Args: cobra.NoArgs, SilenceUsage: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			err := o.run(cmd.Context(), cmd.OutOrStdout())
			// That there are changes is an answer, not an error to print.
			cmd.SilenceErrors = errors.As(err, new(exitError))
			return err
		},
	}
	o.define(cmd)
	return cmd
}

func (o *planOptions) define(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringArrayVarP(&o.files, "filename", "f", nil, "manifest, or directory of manifests; may be repeated")
	f.StringVar(&o.facts, "facts", "", "YAML of what to know of AWS: VPC, subnets, certificates, …; see examples/facts.yaml and docs/reference/plan.md")
	f.StringVar(&o.observed, "observed", "", "YAML list of the stacks that AWS holds; see docs/reference/plan.md")
	f.StringVarP(&o.output, "output", "o", "text", "text, json or yaml")
	f.StringVar(&o.set.Kubeconfig, "kubeconfig", "", "plan for the cluster of this kubeconfig, from AWS as it is")
	f.StringVar(&o.set.Region, "aws-region", "", "AWS region, with --kubeconfig")
	f.StringVar(&o.set.VPC, "aws-vpc-id", "", "VPC of the cluster, with --kubeconfig")
	f.StringVar(&o.set.Cluster, "cluster-name", "", `name of the cluster: needed with --kubeconfig, "cluster" otherwise`)
	shared := flag.NewFlagSet("", flag.ContinueOnError)
	shared.Var(flags.Map{To: &o.set.Endpoints}, "aws-api-endpoints", "other endpoints of AWS services, with --kubeconfig: serviceID=URL,…")
	flags.Define(shared, &o.set)
	f.AddGoFlagSet(shared)
}

// planned is the output of the command.
type planned struct {
	Stacks []preview.Stack `json:"stacks"`
	// Problems of documents that could not be read.
	Problems []manifests.Problem `json:"problems,omitempty"`
	// Ignored counts documents of kinds that the operator does not read.
	Ignored map[string]int `json:"ignored,omitempty"`
	// Notes are about classes that are named and not among the manifests.
	Notes []string `json:"notes,omitempty"`
	// Assumed says that the facts of AWS are made up.
	Assumed bool `json:"assumed,omitempty"`
}

func (o *planOptions) run(ctx context.Context, out io.Writer) error {
	if !slices.Contains([]string{"text", "json", "yaml"}, o.output) {
		return fmt.Errorf("output %q is none of text, json, yaml", o.output)
	}
	if err := o.check(); err != nil {
		return err
	}
	var result planned
	var err error
	switch {
	case len(o.files) > 0 && o.set.Kubeconfig != "":
		return errors.New("-f and --kubeconfig exclude each other: leave one out")
	case len(o.files) > 0:
		result, err = o.offline(ctx)
	case o.set.Kubeconfig != "":
		result, err = o.live(ctx)
	default:
		return errors.New("nothing to plan for: give -f DIR|FILE or --kubeconfig FILE")
	}
	if err != nil && len(result.Stacks) == 0 {
		return err
	}
	if err := errors.Join(o.print(out, result), err); err != nil {
		return err
	}
	if flaws := result.flaws(); flaws != "" {
		return exitError{code: exitFailed, text: flaws}
	}
	if preview.Changes(result.Stacks) {
		return exitError{code: exitChanges}
	}
	return nil
}

// check refuses flags as the operator does.
func (o *planOptions) check() error {
	problems := verify.Flags{
		Authority: o.set.Authority, Authorities: o.set.Authorities, SecretsLabel: o.set.SecretsLabel, Bucket: o.set.Shelf.Bucket, Prefix: o.set.Shelf.Prefix,
		TargetType: o.set.TargetType, Scheme: o.set.Scheme, DefaultTags: o.set.DefaultTags, ExternalTags: o.set.ExternalTags, Endpoints: o.set.Endpoints,
	}.Problems()
	if o.set.Cluster == "" && o.set.Kubeconfig != "" && len(o.files) == 0 {
		problems = append(problems, "--cluster-name is needed with --kubeconfig: a plan under another name than the operator's would make everything anew")
	}
	if len(problems) > 0 {
		return errors.New(strings.Join(problems, "\n"))
	}
	o.set.Cluster = cmp.Or(o.set.Cluster, "cluster")
	var err error
	o.doors, err = wire.FrontDoors(o.set)
	return err //nolint:wrapcheck // it names the flag
}

// hint says which flags may help where AWS cannot be reached.
func hint(set wire.Settings) string {
	var flags []string
	if set.Region == "" {
		flags = append(flags, "--aws-region")
	}
	if set.VPC == "" {
		flags = append(flags, "--aws-vpc-id")
	}
	if len(flags) == 0 {
		return ""
	}
	return "\ngive " + strings.Join(flags, " and ")
}

// flaws counts what cannot be planned as it is written, empty where all can.
func (p planned) flaws() string {
	wrong, blocked := 0, 0
	for _, s := range p.Stacks {
		for _, f := range s.Findings {
			if f.Severity == model.Wrong {
				wrong++
			}
		}
		if s.Blocked != "" {
			blocked++
		}
	}
	if len(p.Problems)+wrong+blocked == 0 {
		return ""
	}
	return fmt.Sprintf("not all can be planned as it is written: %d documents that cannot be read, %d mistakes, %d stacks that cannot be built",
		len(p.Problems), wrong, blocked)
}

// settings are those of the front doors.
func (o *planOptions) settings() preview.Settings { return preview.Settings(o.doors) }

// offline plans from files.
func (o *planOptions) offline(ctx context.Context) (planned, error) {
	set, err := manifests.New()
	if err != nil {
		return planned{}, fmt.Errorf("planning: %w", err)
	}
	for _, file := range o.files {
		if err := set.Read(file); err != nil {
			return planned{}, fmt.Errorf("planning: %w", err)
		}
	}
	if objects, err := set.Objects(); err == nil && len(objects)+len(set.Problems)+len(set.Ignored) == 0 {
		return planned{}, fmt.Errorf("no manifest found in %s", strings.Join(o.files, ", "))
	}
	notes, err := preview.AddClass(ctx, set, o.set.IngressClass)
	if err != nil {
		return planned{}, fmt.Errorf("planning: %w", err)
	}
	account, assumed, err := o.account(ctx, set)
	if err != nil {
		return planned{}, err
	}
	out := planned{Problems: set.Problems, Ignored: set.Ignored, Assumed: assumed, Notes: notes}
	out.Stacks, err = preview.Run(ctx, preview.Source{Reader: set, Scheme: set.Scheme()}, account, o.settings())
	if err != nil {
		return out, fmt.Errorf("planning: %w", err)
	}
	return out, nil
}

// account is AWS as the files describe it.
func (o *planOptions) account(ctx context.Context, r client.Reader) (account stack.Cloud, assumed bool, err error) {
	var facts model.Facts
	var observed []model.Stack
	if err := readYAML(o.observed, &observed); err != nil {
		return nil, false, err
	}
	if o.facts != "" {
		err := readYAML(o.facts, &facts)
		return preview.NewAccount(facts, observed...), false, err
	}
	requests, err := preview.Requests(ctx, r, o.settings())
	if err != nil {
		return nil, false, fmt.Errorf("planning: %w", err)
	}
	return preview.NewAccount(preview.Assume(requests), observed...), true, nil
}

func readYAML(name string, into any) error {
	if name == "" {
		return nil
	}
	data, err := os.ReadFile(name)
	if err != nil {
		return fmt.Errorf("reading facts: %w", err)
	}
	if err := yaml.UnmarshalStrict(data, into); err != nil {
		return fmt.Errorf("reading %s: %w", name, err)
	}
	return nil
}

// live plans for a cluster and its AWS account.
func (o *planOptions) live(ctx context.Context) (planned, error) {
	config, err := clientcmd.BuildConfigFromFlags("", o.set.Kubeconfig)
	if err != nil {
		return planned{}, fmt.Errorf("reading --kubeconfig: %w", err)
	}
	scheme, err := manifests.Scheme()
	if err != nil {
		return planned{}, fmt.Errorf("planning: %w", err)
	}
	reader, err := client.New(config, client.Options{Scheme: scheme})
	if err != nil {
		return planned{}, fmt.Errorf("connecting to the cluster: %w", err)
	}
	aws, err := cloud.New(ctx, wire.CloudOptions(o.set))
	if err != nil {
		return planned{}, fmt.Errorf("connecting to AWS: %w%s", err, hint(o.set))
	}
	stacks, err := preview.Run(ctx, preview.Source{Reader: reader, Scheme: scheme}, preview.Onlooker{Cloud: aws}, o.settings())
	if err != nil {
		err = fmt.Errorf("planning: %w", err)
	}
	return planned{Stacks: stacks}, err
}

func (o *planOptions) print(out io.Writer, result planned) error {
	var text []byte
	var err error
	switch o.output {
	case "json":
		text, err = json.MarshalIndent(result, "", "  ")
		text = append(text, '\n')
	case "yaml":
		text, err = yaml.Marshal(result)
	default:
		text = result.text()
	}
	if err != nil {
		return fmt.Errorf("printing the plan: %w", err)
	}
	if _, err := out.Write(text); err != nil {
		return fmt.Errorf("printing the plan: %w", err)
	}
	return nil
}

func (p planned) text() []byte {
	var text []byte
	for _, problem := range p.Problems {
		text = fmt.Appendf(text, "! %s\n", problem)
	}
	for _, kind := range slices.Sorted(maps.Keys(p.Ignored)) {
		text = fmt.Appendf(text, "# not read: %d of %s\n", p.Ignored[kind], kind)
	}
	for _, note := range p.Notes {
		text = fmt.Appendf(text, "# %s\n", note)
	}
	if p.Assumed {
		text = append(text, "# AWS is assumed: subnets in three zones, and every certificate and name that is looked for; --facts tells how it is\n"...)
	}
	return append(text, preview.Text(p.Stacks)...)
}
