package waf_test

import (
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/wafv2"
	waftypes "github.com/aws/aws-sdk-go-v2/service/wafv2/types"
	"github.com/google/go-cmp/cmp"

	"github.com/headgate/headgate/cloud/sim/contract"
)

func (f *fixture) set(name string, addresses ...string) (*waftypes.IPSetSummary, error) {
	f.Helper()
	out, err := f.waf.CreateIPSet(f.Context(), &wafv2.CreateIPSetInput{
		Name: aws.String(name), Scope: regional, IPAddressVersion: waftypes.IPAddressVersionIpv4, Addresses: addresses,
	})
	if err != nil {
		return nil, fmt.Errorf("creating %s: %w", name, err)
	}
	return out.Summary, nil
}

func TestIPSets(t *testing.T) {
	t.Parallel()
	f := start(t)
	made, err := f.set("office", "192.0.2.0/24", "198.51.100.1/32")
	contract.WantCode(t, err, "")
	for _, row := range []struct {
		why, code, name string
		addresses       []string
	}{
		{"a name is taken once", "WAFDuplicateItemException", "office", []string{}},
		{"blocks are of the version", "WAFInvalidParameterException", "a", []string{"2001:db8::/32"}},
		{"not everybody", "WAFInvalidParameterException", "a", []string{"0.0.0.0/0"}},
		{"blocks, not addresses", "WAFInvalidParameterException", "a", []string{"192.0.2.1"}},
		{"an empty set is one", "", "empty", []string{}},
	} {
		_, err := f.set(row.name, row.addresses...)
		t.Log(row.why)
		contract.WantCode(t, err, row.code)
	}
	acl, err := f.acl("web", with(rule("office", 1, &waftypes.Statement{NotStatement: &waftypes.NotStatement{Statement: &waftypes.Statement{
		IPSetReferenceStatement: &waftypes.IPSetReferenceStatement{ARN: made.ARN},
	}}})))
	contract.WantCode(t, err, "")
	changed, err := f.waf.UpdateIPSet(t.Context(), &wafv2.UpdateIPSetInput{
		Name: made.Name, Id: made.Id, Scope: regional, LockToken: made.LockToken, Addresses: []string{"192.0.2.7/32"},
	})
	next := contract.Must(t, changed, err).NextLockToken
	read, err := f.waf.GetIPSet(t.Context(), &wafv2.GetIPSetInput{Name: made.Name, Id: made.Id, Scope: regional})
	if diff := cmp.Diff([]string{"192.0.2.7/32"}, contract.Must(t, read, err).IPSet.Addresses); diff != "" {
		t.Error(diff)
	}
	remove := &wafv2.DeleteIPSetInput{Name: made.Name, Id: made.Id, Scope: regional, LockToken: made.LockToken}
	_, err = f.waf.DeleteIPSet(t.Context(), remove)
	contract.WantCode(t, err, "WAFOptimisticLockException")
	remove.LockToken = next
	_, err = f.waf.DeleteIPSet(t.Context(), remove)
	contract.WantCode(t, err, "WAFAssociatedItemException")
	_, err = f.waf.DeleteWebACL(t.Context(), &wafv2.DeleteWebACLInput{Name: acl.Name, Id: acl.Id, Scope: regional, LockToken: acl.LockToken})
	contract.WantCode(t, err, "")
	_, err = f.waf.DeleteIPSet(t.Context(), remove)
	contract.WantCode(t, err, "")
	_, err = f.waf.GetIPSet(t.Context(), &wafv2.GetIPSetInput{Name: made.Name, Id: made.Id, Scope: regional})
	contract.WantCode(t, err, "WAFNonexistentItemException")
}

func TestRuleGroups(t *testing.T) {
	t.Parallel()
	f := start(t)
	create := func(name string, capacity int64, rules ...waftypes.Rule) (*waftypes.RuleGroupSummary, error) {
		out, err := f.waf.CreateRuleGroup(t.Context(), &wafv2.CreateRuleGroupInput{
			Name: aws.String(name), Scope: regional, Capacity: aws.Int64(capacity), VisibilityConfig: visible(name), Rules: rules,
		})
		if err != nil {
			return nil, fmt.Errorf("creating %s: %w", name, err)
		}
		return out.Summary, nil
	}
	made, err := create("group", 2, rule("a", 1, geo()))
	contract.WantCode(t, err, "")
	_, err = create("group", 1)
	contract.WantCode(t, err, "WAFDuplicateItemException")
	_, err = create("small", 1, rule("a", 1, geo()), rule("b", 2, geo()))
	contract.WantCode(t, err, "WAFLimitsExceededException")
	reference := &waftypes.Statement{RuleGroupReferenceStatement: &waftypes.RuleGroupReferenceStatement{ARN: made.ARN}}
	_, err = create("outer", 9, running("a", 1, reference))
	contract.WantCode(t, err, "WAFInvalidParameterException")
	acl, err := f.acl("web", with(running("a", 1, reference)))
	contract.WantCode(t, err, "")
	changed, err := f.waf.UpdateRuleGroup(t.Context(), &wafv2.UpdateRuleGroupInput{
		Name: made.Name, Id: made.Id, Scope: regional, LockToken: made.LockToken, VisibilityConfig: visible("group"),
	})
	next := contract.Must(t, changed, err).NextLockToken
	read, err := f.waf.GetRuleGroup(t.Context(), &wafv2.GetRuleGroupInput{ARN: made.ARN})
	if got := contract.Must(t, read, err); *got.LockToken != *next || len(got.RuleGroup.Rules) != 0 || *got.RuleGroup.Capacity != 2 {
		t.Errorf("rule group: %+v", got.RuleGroup)
	}
	listed, err := f.waf.ListRuleGroups(t.Context(), &wafv2.ListRuleGroupsInput{Scope: regional})
	if n := len(contract.Must(t, listed, err).RuleGroups); n != 1 {
		t.Errorf("%d rule groups", n)
	}
	remove := &wafv2.DeleteRuleGroupInput{Name: made.Name, Id: made.Id, Scope: regional, LockToken: next}
	_, err = f.waf.DeleteRuleGroup(t.Context(), remove)
	contract.WantCode(t, err, "WAFAssociatedItemException")
	_, err = f.waf.DeleteWebACL(t.Context(), &wafv2.DeleteWebACLInput{Name: acl.Name, Id: acl.Id, Scope: regional, LockToken: acl.LockToken})
	contract.WantCode(t, err, "")
	_, err = f.waf.DeleteRuleGroup(t.Context(), remove)
	contract.WantCode(t, err, "")
}

func TestPages(t *testing.T) {
	t.Parallel()
	f := start(t)
	for i := range 3 {
		_, err := f.set(fmt.Sprint("set", i), "192.0.2.0/24")
		contract.WantCode(t, err, "")
		_, err = f.acl(fmt.Sprint("acl", i))
		contract.WantCode(t, err, "")
	}
	var names []string
	in := &wafv2.ListIPSetsInput{Scope: regional, Limit: aws.Int32(2)}
	for {
		out, err := f.waf.ListIPSets(t.Context(), in)
		for _, s := range contract.Must(t, out, err).IPSets {
			names = append(names, *s.Name)
		}
		if in.NextMarker = out.NextMarker; in.NextMarker == nil {
			break
		}
	}
	if diff := cmp.Diff([]string{"set0", "set1", "set2"}, names); diff != "" {
		t.Error(diff)
	}
	listed, err := f.waf.ListWebACLs(t.Context(), &wafv2.ListWebACLsInput{Scope: regional})
	if n := len(contract.Must(t, listed, err).WebACLs); n != 3 {
		t.Errorf("%d web ACLs", n)
	}
	_, err = f.waf.ListWebACLs(t.Context(), &wafv2.ListWebACLsInput{Scope: regional, NextMarker: aws.String("?")})
	contract.WantCode(t, err, "WAFInvalidParameterException")
	_, err = f.waf.ListWebACLs(t.Context(), &wafv2.ListWebACLsInput{Scope: regional, Limit: aws.Int32(101)})
	contract.WantCode(t, err, "WAFInvalidParameterException")
}
