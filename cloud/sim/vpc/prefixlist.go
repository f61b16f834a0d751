package vpc

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/headgate/headgate/cloud/sim/wire"
)

// prefixList is a prefix list with the entries of each of its versions, the first one being version 1.
type prefixList struct {
	ec2types.ManagedPrefixList
	versions [][]ec2types.PrefixListEntry
	// weight is the number of rules that a reference counts as: of a list of the account its MaxEntries.
	weight int
}

func (n *Network) prefixListOperations() []wire.Operation {
	return []wire.Operation{
		wire.Writes("CreateManagedPrefixList", once(n, n.createPrefixList, func(in *sdk.CreateManagedPrefixListInput) **string { return &in.ClientToken })),
		wire.Writes("ModifyManagedPrefixList", n.modifyPrefixList),
		wire.Writes("DeleteManagedPrefixList", n.deletePrefixList),
		wire.Reads("DescribeManagedPrefixLists", n.describeManagedPrefixLists),
		wire.Reads("DescribePrefixLists", n.describePrefixLists),
		wire.Reads("GetManagedPrefixListEntries", n.prefixListEntries),
		wire.Reads("GetManagedPrefixListAssociations", n.prefixListAssociations),
	}
}

// Limits of prefix lists (VPC quotas; API reference).
const (
	entriesAtOnce = 100
	mostEntries   = 1000
	awsOwner      = "AWS"
	family4       = "IPv4"
	family6       = "IPv6"
)

func (p *prefixList) entries() []ec2types.PrefixListEntry {
	return p.versions[len(p.versions)-1]
}

func (n *Network) createPrefixList(in *sdk.CreateManagedPrefixListInput) (*sdk.CreateManagedPrefixListOutput, error) {
	p, err := n.plannedList(in)
	if err != nil {
		return nil, err
	}
	entries, err := p.changed(in.Entries, nil)
	if err != nil {
		return nil, err
	}
	tags, err := n.specified(in.TagSpecifications, ec2types.ResourceTypePrefixList)
	if err != nil {
		return nil, err
	}
	id := n.identify("pl")
	p.PrefixListId, p.PrefixListArn = &id, aws.String(n.account.ARN("ec2", "prefix-list/"+id))
	p.versions = [][]ec2types.PrefixListEntry{entries}
	n.prefixLists.Put(id, p)
	n.setTags(id, tags)
	out := n.prefixListView(p)
	out.State = ec2types.PrefixListStateCreateInProgress
	return &sdk.CreateManagedPrefixListOutput{PrefixList: &out}, nil
}

// plannedList checks what a new list shall be.
func (n *Network) plannedList(in *sdk.CreateManagedPrefixListInput) (*prefixList, error) {
	family := aws.ToString(in.AddressFamily)
	switch {
	case in.MaxEntries == nil:
		return nil, missing("MaxEntries")
	case family == "":
		return nil, missing("AddressFamily")
	case family != family4 && family != family6:
		return nil, wire.Errorf("InvalidParameterValue", "Value (%s) for parameter AddressFamily is invalid. Valid values are IPv4, IPv6.", family)
	case n.ownLists() >= n.Quotas.PrefixLists:
		return nil, wire.Errorf("PrefixListLimitExceeded", "The maximum number of prefix lists has been reached.")
	}
	if err := checkListName(in.PrefixListName); err != nil {
		return nil, err
	}
	if err := checkMaxEntries(*in.MaxEntries); err != nil {
		return nil, err
	}
	return &prefixList{
		ManagedPrefixList: ec2types.ManagedPrefixList{
			AddressFamily: in.AddressFamily, MaxEntries: in.MaxEntries, OwnerId: aws.String(n.account.ID), PrefixListName: in.PrefixListName,
			State: ec2types.PrefixListStateCreateComplete, Version: aws.Int64(1),
		},
		versions: [][]ec2types.PrefixListEntry{nil}, weight: int(*in.MaxEntries),
	}, nil
}

func (n *Network) ownLists() int {
	count := 0
	for _, p := range n.prefixLists.All() {
		if *p.OwnerId != awsOwner {
			count++
		}
	}
	return count
}

func checkListName(name *string) error {
	text := aws.ToString(name)
	if text == "" {
		return missing("PrefixListName")
	}
	if len(text) > maxGroupText || strings.HasPrefix(text, "com.amazonaws") {
		return wire.Errorf("InvalidParameterValue", "Value (%s) for parameter PrefixListName is invalid. "+
			"It must have up to %d characters and must not start with com.amazonaws.", text, maxGroupText)
	}
	return nil
}

func checkMaxEntries(count int32) error {
	if count < 1 || count > mostEntries {
		return wire.Errorf("InvalidParameterValue", "Value (%d) for parameter MaxEntries is invalid. It must be between 1 and %d.", count, mostEntries)
	}
	return nil
}

func (n *Network) prefixListView(p *prefixList) ec2types.ManagedPrefixList {
	out := p.ManagedPrefixList
	out.Tags = n.tagList(*p.PrefixListId)
	return out
}

// deletePrefixList begins a deletion. While something refers to the list, it fails later, and the list stays with that state.
func (n *Network) deletePrefixList(in *sdk.DeleteManagedPrefixListInput) (*sdk.DeleteManagedPrefixListOutput, error) {
	p, err := n.ownList(in.PrefixListId)
	if err != nil {
		return nil, err
	}
	out := n.prefixListView(p)
	out.State, out.StateMessage = ec2types.PrefixListStateDeleteInProgress, nil
	if users := n.listUsers(*p.PrefixListId); len(users) > 0 {
		p.State = ec2types.PrefixListStateDeleteFailed
		p.StateMessage = aws.String("The prefix list is referenced by: " + strings.Join(users[:min(len(users), shownUsers)], ", "))
		return &sdk.DeleteManagedPrefixListOutput{PrefixList: &out}, nil
	}
	n.forget(&n.prefixLists, *p.PrefixListId)
	return &sdk.DeleteManagedPrefixListOutput{PrefixList: &out}, nil
}

// shownUsers is how many resources a state message names.
const shownUsers = 10

// listUsers gives the security groups and route tables that refer to a list.
func (n *Network) listUsers(id string) []string {
	var all []string
	for _, g := range n.groups.All() {
		for _, r := range g.rules.All() {
			if r.prefixList == id {
				all = append(all, g.id)
				break
			}
		}
	}
	for _, t := range n.routes.All() {
		for _, r := range t.Routes {
			if aws.ToString(r.DestinationPrefixListId) == id {
				all = append(all, *t.RouteTableId)
			}
		}
	}
	return all
}

// list finds a list by its identifier.
func (n *Network) list(id *string) (*prefixList, error) {
	if aws.ToString(id) == "" {
		return nil, missing("PrefixListId")
	}
	if err := checkPrefixList(*id); err != nil {
		return nil, err
	}
	p, ok := n.prefixLists.Get(*id)
	if !ok {
		return nil, notFound(*id)
	}
	return p, nil
}

// ownList finds a list that the account may change.
func (n *Network) ownList(id *string) (*prefixList, error) {
	p, err := n.list(id)
	if err != nil {
		return nil, err
	}
	if *p.OwnerId == awsOwner {
		return nil, &wire.Error{
			Code: "UnauthorizedOperation", Status: http.StatusForbidden,
			Message: fmt.Sprintf("You are not authorized to perform this operation on the AWS-managed prefix list '%s'.", *id),
		}
	}
	return p, nil
}
