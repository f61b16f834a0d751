package vpc

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/headgate/headgate/cloud/sim/wire"
)

func (n *Network) modifyPrefixList(in *sdk.ModifyManagedPrefixListInput) (*sdk.ModifyManagedPrefixListOutput, error) {
	p, err := n.ownList(in.PrefixListId)
	if err != nil {
		return nil, err
	}
	edits := len(in.AddEntries) > 0 || len(in.RemoveEntries) > 0
	if err := checkListChange(p, in); err != nil {
		return nil, err
	}
	entries, err := p.changed(in.AddEntries, in.RemoveEntries)
	if err != nil {
		return nil, err
	}
	if in.MaxEntries != nil && len(entries) > int(*in.MaxEntries) {
		return nil, wire.Errorf("PrefixListMaxEntriesExceeded", "The prefix list has more entries than the maximum of %d.", *in.MaxEntries)
	}
	p.State, p.StateMessage = ec2types.PrefixListStateModifyComplete, nil
	if in.PrefixListName != nil {
		p.PrefixListName = in.PrefixListName
	}
	if edits {
		p.versions = append(p.versions, entries)
		p.Version = aws.Int64(int64(len(p.versions)))
	}
	if in.MaxEntries != nil {
		n.resize(p, *in.MaxEntries)
	}
	out := n.prefixListView(p)
	out.State, out.StateMessage = ec2types.PrefixListStateModifyInProgress, nil
	return &sdk.ModifyManagedPrefixListOutput{PrefixList: &out}, nil
}

func checkListChange(p *prefixList, in *sdk.ModifyManagedPrefixListInput) error {
	if in.CurrentVersion != nil && *in.CurrentVersion != *p.Version {
		return wire.Errorf("PrefixListVersionMismatch", "The prefix list has the incorrect version number.")
	}
	if in.PrefixListName != nil {
		if err := checkListName(in.PrefixListName); err != nil {
			return err
		}
	}
	if in.MaxEntries == nil {
		return nil
	}
	if len(in.AddEntries) > 0 || len(in.RemoveEntries) > 0 {
		return wire.Errorf("InvalidParameterCombination", "You cannot modify the entries of a prefix list and its size at the same time.")
	}
	return checkMaxEntries(*in.MaxEntries)
}

// resize changes the size of a list, or leaves it and says which groups have no room for it.
func (n *Network) resize(p *prefixList, size int32) {
	before := p.weight
	p.weight = int(size)
	var full []string
	for _, id := range n.listUsers(*p.PrefixListId) {
		if g, ok := n.groups.Get(id); ok && n.checkRuleCount(g, nil) != nil {
			full = append(full, id)
		}
	}
	if len(full) > 0 {
		p.weight, p.State = before, ec2types.PrefixListStateModifyFailed
		p.StateMessage = aws.String("The following resources do not support the new maximum size: " + strings.Join(full[:min(len(full), shownUsers)], ", "))
		return
	}
	p.MaxEntries = &size
}

// changed gives the entries of the next version. An entry that is added again gets its new description.
func (p *prefixList) changed(add []ec2types.AddPrefixListEntry, remove []ec2types.RemovePrefixListEntry) ([]ec2types.PrefixListEntry, error) {
	if len(add) > entriesAtOnce || len(remove) > entriesAtOnce {
		return nil, wire.Errorf("InvalidParameterValue", "You can add or remove at most %d entries at once.", entriesAtOnce)
	}
	entries := slices.Clone(p.entries())
	named := map[string]bool{}
	for _, x := range remove {
		cidr, err := p.entry(x.Cidr, named)
		if err != nil {
			return nil, err
		}
		at := slices.IndexFunc(entries, func(e ec2types.PrefixListEntry) bool { return *e.Cidr == cidr })
		if at < 0 {
			return nil, wire.Errorf("InvalidPrefixListModification", "The prefix list entry %s does not exist.", cidr)
		}
		entries = slices.Delete(entries, at, at+1)
	}
	for _, x := range add {
		cidr, err := p.entry(x.Cidr, named)
		if err != nil {
			return nil, err
		}
		if len(aws.ToString(x.Description)) > maxGroupText {
			return nil, wire.Errorf("InvalidParameterValue", "The description of %s has more than %d characters.", cidr, maxGroupText)
		}
		entries = slices.DeleteFunc(entries, func(e ec2types.PrefixListEntry) bool { return *e.Cidr == cidr })
		entries = append(entries, ec2types.PrefixListEntry{Cidr: &cidr, Description: x.Description})
	}
	if len(entries) > int(*p.MaxEntries) {
		return nil, wire.Errorf("PrefixListMaxEntriesExceeded", "You have exceeded the maximum number of %d entries for the prefix list.", *p.MaxEntries)
	}
	return entries, nil
}

// entry gives a block of the list's family in its canonical form. A call names each block once.
func (p *prefixList) entry(text *string, named map[string]bool) (string, error) {
	block, err := netip.ParsePrefix(aws.ToString(text))
	if err != nil || block.Addr().Is4() != (*p.AddressFamily == family4) {
		return "", wire.Errorf("InvalidParameterValue", "The CIDR block (%s) is not a valid %s block.", aws.ToString(text), *p.AddressFamily)
	}
	cidr := block.Masked().String()
	if named[cidr] {
		return "", wire.Errorf("InvalidParameterValue", "The CIDR block (%s) was specified more than once.", cidr)
	}
	named[cidr] = true
	return cidr, nil
}

// seedLists makes the lists that AWS owns. Their entries are made up, but for those of VPC Lattice, whose addresses are the same everywhere.
func (n *Network) seedLists() {
	region := "com.amazonaws." + n.account.Region + "."
	for _, list := range []struct {
		id, name, family, block string
		weight                  int
	}{
		{"pl-82a045eb", "com.amazonaws.global.cloudfront.origin-facing", family4, "198.51.100.0/25", 55},
		{"pl-82a045ec", "com.amazonaws.global.ipv6.cloudfront.origin-facing", family6, "2001:db8:1::/48", 55},
		{"pl-68a54001", region + "s3", family4, "198.51.100.128/26", 1},
		{"pl-00a54069", region + "dynamodb", family4, "198.51.100.192/28", 1},
		{"pl-01a54001", region + "s3express", family4, "198.51.100.208/28", 6},
		{"pl-01a54002", region + "ec2-instance-connect", family4, "198.51.100.224/29", 2},
		{"pl-01a54003", region + "ipv6.ec2-instance-connect", family6, "2001:db8:2::/48", 2},
		{"pl-01a54004", "com.amazonaws.global.groundstation", family4, "198.51.100.232/29", 5},
		{"pl-01a54005", region + "route53-healthchecks", family4, "198.51.100.240/29", 25},
		{"pl-01a54006", region + "ipv6.route53-healthchecks", family6, "2001:db8:3::/48", 25},
		{"pl-01a54007", region + "vpc-lattice", family4, "169.254.171.0/24", 10},
		{"pl-01a54008", region + "ipv6.vpc-lattice", family6, "fd00:ec2:80::/64", 10},
	} {
		arn := fmt.Sprintf("arn:%s:ec2:%s:aws:prefix-list/%s", n.account.Partition, n.account.Region, list.id)
		n.prefixLists.Put(list.id, &prefixList{
			ManagedPrefixList: ec2types.ManagedPrefixList{
				PrefixListId: aws.String(list.id), PrefixListName: aws.String(list.name), AddressFamily: aws.String(list.family),
				OwnerId: aws.String(awsOwner), PrefixListArn: &arn, State: ec2types.PrefixListStateCreateComplete,
			},
			versions: [][]ec2types.PrefixListEntry{{{Cidr: aws.String(list.block)}}}, weight: list.weight,
		})
	}
}
