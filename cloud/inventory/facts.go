package inventory

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/headgate/headgate/cloud/acm"
	"github.com/headgate/headgate/cloud/route53"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/fault"
)

// How long facts are kept. What is not there yet is looked for again after patience, which with the time until somebody asks again
// (outcome.Lookup) makes less than half a minute.
const (
	networkLife = 10 * time.Minute
	patience    = 12 * time.Second
	nameLife    = time.Minute
	quotaLife   = time.Hour
)

// world is what all stacks of a cluster share and nobody owns.
type world struct {
	vpc          kept[model.VPC]
	subnets      kept[[]model.Subnet]
	quotas       kept[limits]
	certificates kept[[]acm.Listed]
	names        shelf[model.ARN, []string]
	states       shelf[model.ARN, string]
	zones        kept[route53.Zones]
	named        shelf[string, []string] // security groups by Name tag
	given        shelf[string, []string] // security groups by IDs
	lists        shelf[string, map[string]model.PrefixList]
	pods         interfaces
	trust        kept[map[string]model.ARN] // trust stores by name
}

// Facts are what a build must know of the world. A need without an owner's stack gets no subnets, quotas and load balancer. Facts that come
// with an error of the class Denied are whole: AWS's defaults stand for what may not be read.
func (i *Inventory) Facts(ctx context.Context, need model.Needs) (model.Facts, error) {
	out := model.Facts{Region: i.region}
	var denied error
	group, reading := errgroup.WithContext(ctx)
	run := func(f func(context.Context, model.Needs, *model.Facts) error) {
		group.Go(func() error { return f(reading, need, &out) })
	}
	run(i.vpcFacts)
	run(i.groupFacts)
	if need.Owner.Prefix != "" {
		run(i.subnetFacts)
		group.Go(func() (err error) {
			denied, err = i.quotaFacts(reading, need, &out)
			return err
		})
		run(i.existingFacts)
		run(i.frontendFacts)
	}
	if need.Certificates {
		run(i.certificateFacts)
	}
	if len(need.CertificateARNs) > 0 {
		run(i.lostCertificates)
	}
	if len(need.SecurityGroupIDs) > 0 {
		run(i.lostGroups)
	}
	if len(need.TargetGroupNames) > 0 {
		run(i.targetGroupFacts)
	}
	if len(need.TrustStores) > 0 {
		run(i.trustFacts)
	}
	if len(need.PrefixLists) > 0 {
		run(i.prefixListFacts)
	}
	if len(need.PodIPs) > 0 {
		run(i.podFacts)
	}
	if len(need.WebACLs)+len(need.ClassicWebACLs) > 0 {
		run(i.firewallFacts)
	}
	if need.Shield {
		run(i.shieldFacts)
	}
	if err := group.Wait(); err != nil {
		return model.Facts{}, fmt.Errorf("reading facts: %w", err)
	}
	out.Account = account(out)
	return out, denied
}

// account is the account's number by any ARN at hand: asking for it would be a call of its own.
func account(f model.Facts) string {
	var arns []model.ARN
	if f.Existing != nil {
		arns = append(arns, f.Existing.ARN)
	}
	for _, c := range f.Certificates {
		arns = append(arns, c.ARN)
	}
	for _, arn := range arns {
		if part := strings.Split(string(arn), ":"); len(part) > 4 {
			return part[4]
		}
	}
	return ""
}

func (i *Inventory) since(life time.Duration) time.Time { return i.now().Add(-life) }

// fresh is since when something must have been read for who needs it: whoever missed something is not told what was so long ago.
func (i *Inventory) fresh(need model.Needs, life time.Duration) time.Time {
	if need.Missed {
		life = min(life, patience)
	}
	return i.since(life)
}

func (i *Inventory) vpcFacts(ctx context.Context, _ model.Needs, out *model.Facts) (err error) {
	out.VPC, err = i.network(ctx)
	return err
}

// network is the cluster's VPC.
func (i *Inventory) network(ctx context.Context) (model.VPC, error) {
	return i.world.vpc.get(ctx, i.since(networkLife), i.now(), func(ctx context.Context) (model.VPC, error) {
		return i.ec2.VPC(ctx, i.vpc)
	})
}

// subnetFacts are the VPC's subnets, and those asked for by ID wherever they are.
func (i *Inventory) subnetFacts(ctx context.Context, need model.Needs, out *model.Facts) error {
	read := func(ctx context.Context) ([]model.Subnet, error) { return i.ec2.Subnets(ctx, i.vpc) }
	found, err := i.world.subnets.get(ctx, i.fresh(need, networkLife), i.now(), read)
	if err != nil {
		return err
	}
	if len(missingSubnets(need, found)) > 0 || namesMissing(need, found) {
		if found, err = i.world.subnets.get(ctx, i.since(patience), i.now(), read); err != nil {
			return err
		}
	}
	found = slices.Clone(found)
	if elsewhere := missingSubnets(need, found); len(elsewhere) > 0 {
		more, err := i.ec2.SubnetsByID(ctx, elsewhere)
		if err != nil {
			return fmt.Errorf("reading subnets by ID: %w", err)
		}
		found = append(found, more...)
	}
	slices.SortFunc(found, func(a, b model.Subnet) int { return cmp.Compare(a.ID, b.ID) })
	out.Subnets = found
	return nil
}

func missingSubnets(need model.Needs, have []model.Subnet) []string {
	return slices.DeleteFunc(slices.Clone(need.SubnetIDs), func(id string) bool {
		return slices.ContainsFunc(have, func(s model.Subnet) bool { return s.ID == id })
	})
}

func namesMissing(need model.Needs, have []model.Subnet) bool {
	return slices.ContainsFunc(need.SubnetNames, func(name string) bool {
		return !slices.ContainsFunc(have, func(s model.Subnet) bool { return s.Tags["Name"] == name })
	})
}

// limits are the account's limits, or AWS's defaults with the error that denied to read them.
type limits struct {
	quotas model.Quotas
	// region has those of the region, by AWS's names.
	region map[string]int
	denied error
}

// quotaFacts are the account's limits. Where they may not be read (the incumbent's policy has no right to), AWS's defaults stand for
// them.
func (i *Inventory) quotaFacts(ctx context.Context, need model.Needs, out *model.Facts) (denied, err error) {
	got, err := i.world.quotas.get(ctx, i.fresh(need, quotaLife), i.now(), i.readLimits)
	if err == nil && got.denied != nil {
		got, err = i.world.quotas.get(ctx, i.fresh(need, networkLife), i.now(), i.readLimits)
	}
	out.Quotas = got.quotas
	return got.denied, err
}

func (i *Inventory) readLimits(ctx context.Context) (limits, error) {
	read, err := i.elb.Limits(ctx)
	if err != nil {
		err = fmt.Errorf("reading quotas: %w", err)
	}
	switch fault.Of(err) {
	case "":
	case fault.Denied:
		return limits{quotas: model.Quotas{}.WithDefaults(), denied: err}, nil
	case fault.Invalid: // an endpoint that does not know the action
		return limits{quotas: model.Quotas{}.WithDefaults()}, nil
	default:
		return limits{}, err
	}
	return limits{region: read, quotas: model.Quotas{
		RulesPerLoadBalancer:        read[model.QuotaRules],
		TargetGroupsPerLoadBalancer: read[model.QuotaGroupsPerBalancer],
		CertificatesPerLoadBalancer: read[model.QuotaCertificates],
		ListenersPerLoadBalancer:    read[model.QuotaListeners],
		TargetsPerLoadBalancer:      read[model.QuotaTargets],
	}.WithDefaults()}, nil
}

func (i *Inventory) existingFacts(ctx context.Context, need model.Needs, out *model.Facts) error {
	mine, err := i.balancersOf(ctx, need.Owner, model.ResourceLoadBalancer)
	if err != nil || len(mine) == 0 {
		return err
	}
	lb := behind(mine, need.Replaced)[0]
	out.Existing = &model.Existing{
		ARN: lb.ARN, Name: lb.Name, Scheme: lb.Scheme, IPAddressType: lb.IPAddressType, Subnets: slices.Clone(lb.Subnets),
		CustomerOwnedPool: lb.CustomerOwnedPool,
	}
	if need.GroupRules {
		out.Existing.GroupRules, err = i.mostRules(ctx, need.Owner)
	}
	return err
}

// groupFacts are the shared backend group, and the security groups by their Name tags.
func (i *Inventory) groupFacts(ctx context.Context, need model.Needs, out *model.Facts) (err error) {
	if need.Owner.Cluster != "" {
		if out.BackendSecurityGroup, err = i.BackendGroup(ctx); err != nil {
			return err
		}
	}
	for _, name := range need.SecurityGroupNames {
		ids, err := i.world.named.of(name).get(ctx, i.fresh(need, nameLife), i.now(), func(ctx context.Context) ([]string, error) {
			found, err := i.ec2.GroupsTagged(ctx, i.vpc, map[string]string{"Name": name})
			return project(found, func(g model.SecurityGroup) string { return string(g.ARN) }), err
		})
		if err != nil {
			return fmt.Errorf("reading security groups named %s: %w", name, err)
		}
		if out.SecurityGroups == nil {
			out.SecurityGroups = map[string][]string{}
		}
		if len(ids) > 0 {
			out.SecurityGroups[name] = ids
		}
	}
	return nil
}

// targetGroupFacts finds target groups by name: among all that are known, else in AWS.
func (i *Inventory) targetGroupFacts(ctx context.Context, need model.Needs, out *model.Facts) error {
	all, err := i.TargetGroups(ctx)
	if err != nil {
		return err
	}
	out.TargetGroups = map[string]model.ARN{}
	for arn, g := range all {
		if slices.Contains(need.TargetGroupNames, g.Name) {
			out.TargetGroups[g.Name] = arn
		}
	}
	for _, name := range need.TargetGroupNames {
		if out.TargetGroups[name] != "" {
			continue
		}
		g, err := i.elb.TargetGroupNamed(ctx, name)
		switch {
		case fault.Of(err) == fault.NotFound:
		case err != nil:
			return fmt.Errorf("looking for a target group: %w", err)
		default:
			out.TargetGroups[name] = g.ARN
		}
	}
	return nil
}
