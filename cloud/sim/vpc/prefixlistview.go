package vpc

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/headgate/headgate/cloud/sim/wire"
)

// listPage is the largest page of prefix lists and of their entries (API reference).
const listPage = 100

func prefixListFields() fields[*prefixList] {
	return fields[*prefixList]{
		"prefix-list-id":   func(p *prefixList) []string { return optional(p.PrefixListId) },
		"prefix-list-name": func(p *prefixList) []string { return optional(p.PrefixListName) },
		"owner-id":         func(p *prefixList) []string { return optional(p.OwnerId) },
	}
}

func (n *Network) describeManagedPrefixLists(in *sdk.DescribeManagedPrefixListsInput) (*sdk.DescribeManagedPrefixListsOutput, error) {
	for _, id := range in.PrefixListIds {
		if err := checkPrefixList(id); err != nil {
			return nil, err
		}
	}
	list, err := pick(n, selection{ids: in.PrefixListIds, filters: in.Filters}, &n.prefixLists, prefixListFields())
	if err != nil {
		return nil, err
	}
	some, next, err := cut(list, page{size: in.MaxResults, token: in.NextToken, least: 1, most: listPage})
	if err != nil {
		return nil, err
	}
	out := &sdk.DescribeManagedPrefixListsOutput{NextToken: next, PrefixLists: []ec2types.ManagedPrefixList{}}
	for _, p := range some {
		out.PrefixLists = append(out.PrefixLists, n.prefixListView(p))
	}
	return out, nil
}

// describePrefixLists shows the lists of AWS services with their blocks, as this older call does.
func (n *Network) describePrefixLists(in *sdk.DescribePrefixListsInput) (*sdk.DescribePrefixListsOutput, error) {
	for _, id := range in.PrefixListIds {
		if p, ok := n.prefixLists.Get(id); !ok || *p.OwnerId != awsOwner {
			return nil, wire.Errorf("InvalidPrefixListId.NotFound", "The prefix list ID '%s' does not exist", id)
		}
	}
	known := prefixListFields()
	delete(known, "owner-id")
	list, err := pick(n, selection{ids: in.PrefixListIds, filters: in.Filters}, &n.prefixLists, known)
	if err != nil {
		return nil, err
	}
	all := []ec2types.PrefixList{}
	for _, p := range list {
		if *p.OwnerId == awsOwner {
			all = append(all, ec2types.PrefixList{
				PrefixListId: p.PrefixListId, PrefixListName: p.PrefixListName,
				Cidrs: each(p.entries(), func(e ec2types.PrefixListEntry) *string { return e.Cidr }),
			})
		}
	}
	some, next, err := cut(all, page{size: in.MaxResults, token: in.NextToken})
	return &sdk.DescribePrefixListsOutput{NextToken: next, PrefixLists: some}, err
}

func (n *Network) prefixListEntries(in *sdk.GetManagedPrefixListEntriesInput) (*sdk.GetManagedPrefixListEntriesOutput, error) {
	p, err := n.list(in.PrefixListId)
	if err != nil {
		return nil, err
	}
	entries := p.entries()
	if in.TargetVersion != nil {
		if *in.TargetVersion < 1 || *in.TargetVersion > int64(len(p.versions)) {
			return nil, wire.Errorf("InvalidParameterValue", "The prefix list '%s' has no version %d.", *p.PrefixListId, *in.TargetVersion)
		}
		entries = p.versions[*in.TargetVersion-1]
	}
	some, next, err := cut(entries, page{size: in.MaxResults, token: in.NextToken, least: 1, most: listPage})
	return &sdk.GetManagedPrefixListEntriesOutput{NextToken: next, Entries: append([]ec2types.PrefixListEntry{}, some...)}, err
}

// prefixListAssociationsOutput is the answer to GetManagedPrefixListAssociations, its fields named as on the wire.
type prefixListAssociationsOutput struct {
	NextToken                *string
	PrefixListAssociationSet []ec2types.PrefixListAssociation
}

func (n *Network) prefixListAssociations(in *sdk.GetManagedPrefixListAssociationsInput) (*prefixListAssociationsOutput, error) {
	p, err := n.list(in.PrefixListId)
	if err != nil {
		return nil, err
	}
	all := []ec2types.PrefixListAssociation{}
	for _, id := range n.listUsers(*p.PrefixListId) {
		all = append(all, ec2types.PrefixListAssociation{ResourceId: aws.String(id), ResourceOwner: aws.String(n.account.ID)})
	}
	some, next, err := cut(all, page{size: in.MaxResults, token: in.NextToken, most: maxAssociations})
	return &prefixListAssociationsOutput{NextToken: next, PrefixListAssociationSet: some}, err
}

// maxAssociations is the largest page of associations of a prefix list (API reference).
const maxAssociations = 255
