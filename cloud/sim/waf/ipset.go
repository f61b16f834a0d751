package waf

import (
	"net/netip"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/wafv2"
	waftypes "github.com/aws/aws-sdk-go-v2/service/wafv2/types"

	"github.com/headgate/headgate/cloud/sim/wire"
)

func (f *Firewall) setOperations() []wire.Operation {
	return []wire.Operation{
		wire.Writes("CreateIPSet", f.createSet), wire.Reads("GetIPSet", f.getSet), wire.Writes("UpdateIPSet", f.updateSet),
		wire.Writes("DeleteIPSet", f.deleteSet), wire.Reads("ListIPSets", f.listSets),
	}
}

// maxAddresses is the quota of addresses in an IP set.
const maxAddresses = 10000

// checkAddresses demands blocks of the version, and never all addresses.
func checkAddresses(all []string, version waftypes.IPAddressVersion) error {
	if all == nil {
		return invalid("A list of addresses must be given., field: IP_ADDRESS")
	}
	if len(all) > maxAddresses {
		return limited("%d addresses in an IP set", maxAddresses)
	}
	seen := map[netip.Prefix]bool{}
	for _, text := range all {
		block, err := netip.ParsePrefix(text)
		if err != nil || block.Bits() == 0 || block.Addr().Is4() != (version == waftypes.IPAddressVersionIpv4) || seen[block] {
			return invalid("The parameter contains formatting that is not valid., field: IP_ADDRESS, parameter: %s", text)
		}
		seen[block] = true
	}
	return nil
}

func (f *Firewall) createSet(in *sdk.CreateIPSetInput) (*sdk.CreateIPSetOutput, error) {
	e, tags, err := f.begin(draft{"ipset", in.Scope, in.Name, in.Description, in.Tags})
	if err != nil {
		return nil, err
	}
	if in.IPAddressVersion == "" {
		return nil, invalid("The version of the addresses must be given., field: IP_ADDRESS_VERSION")
	}
	if err := checkAddresses(in.Addresses, in.IPAddressVersion); err != nil {
		return nil, err
	}
	if err := roomFor(&f.sets, e); err != nil {
		return nil, err
	}
	s := &ipSet{entity: e, shape: waftypes.IPSet{
		ARN: aws.String(e.arn), Id: aws.String(e.id), Name: aws.String(e.name), Description: in.Description,
		Addresses: in.Addresses, IPAddressVersion: in.IPAddressVersion,
	}}
	f.sets.Put(s.arn, s)
	f.Tags.Put(s.arn, tags)
	return &sdk.CreateIPSetOutput{Summary: s.summary()}, nil
}

func (s *ipSet) summary() *waftypes.IPSetSummary {
	return &waftypes.IPSetSummary{
		ARN: s.shape.ARN, Id: s.shape.Id, Name: s.shape.Name, Description: description(s.shape.Description), LockToken: aws.String(s.lock),
	}
}

func (f *Firewall) getSet(in *sdk.GetIPSetInput) (*sdk.GetIPSetOutput, error) {
	s, err := find(f, &f.sets, address{nil, in.Name, in.Id, in.Scope})
	if err != nil {
		return nil, err
	}
	return &sdk.GetIPSetOutput{IPSet: &s.shape, LockToken: aws.String(s.lock)}, nil
}

func (f *Firewall) updateSet(in *sdk.UpdateIPSetInput) (*sdk.UpdateIPSetOutput, error) {
	s, err := change(f, &f.sets, address{nil, in.Name, in.Id, in.Scope}, in.LockToken)
	if err != nil {
		return nil, err
	}
	if err := checkDescription(in.Description); err != nil {
		return nil, err
	}
	if err := checkAddresses(in.Addresses, s.shape.IPAddressVersion); err != nil {
		return nil, err
	}
	s.shape.Addresses, s.shape.Description, s.lock = in.Addresses, in.Description, f.account.UUID()
	return &sdk.UpdateIPSetOutput{NextLockToken: aws.String(s.lock)}, nil
}

func (f *Firewall) deleteSet(in *sdk.DeleteIPSetInput) (*sdk.DeleteIPSetOutput, error) {
	s, err := change(f, &f.sets, address{nil, in.Name, in.Id, in.Scope}, in.LockToken)
	if err != nil {
		return nil, err
	}
	if f.named(s.arn) {
		return nil, associated()
	}
	f.sets.Delete(s.arn)
	f.Tags.Drop(s.arn)
	return &sdk.DeleteIPSetOutput{}, nil
}

func (f *Firewall) listSets(in *sdk.ListIPSetsInput) (*sdk.ListIPSetsOutput, error) {
	page, next, err := list(f, &f.sets, in.Scope, in.Limit, in.NextMarker)
	out := &sdk.ListIPSetsOutput{NextMarker: next, IPSets: []waftypes.IPSetSummary{}}
	for _, s := range page {
		out.IPSets = append(out.IPSets, *s.summary())
	}
	return out, err
}
