package waf_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/aws/aws-sdk-go-v2/service/wafregional"
	classictypes "github.com/aws/aws-sdk-go-v2/service/wafregional/types"
	"github.com/google/go-cmp/cmp"

	"github.com/headgate/headgate/cloud/sim/contract"
)

type classic struct {
	*contract.Fixture

	waf *wafregional.Client
}

func startClassic(t *testing.T) *classic {
	t.Helper()
	f := contract.Start(t)
	return &classic{f, wafregional.NewFromConfig(f.Config)}
}

func (f *classic) token() *string {
	f.Helper()
	out, err := f.waf.GetChangeToken(f.Context(), &wafregional.GetChangeTokenInput{})
	return contract.Must(f, out, err).ChangeToken
}

func (f *classic) acl(token *string, name, metric string, action classictypes.WafActionType) (*classictypes.WebACL, error) {
	f.Helper()
	out, err := f.waf.CreateWebACL(f.Context(), &wafregional.CreateWebACLInput{
		ChangeToken: token, Name: &name, MetricName: &metric, DefaultAction: &classictypes.WafAction{Type: action},
	})
	if err != nil {
		return nil, fmt.Errorf("creating %s: %w", name, err)
	}
	return out.WebACL, nil
}

func TestChangeTokens(t *testing.T) {
	t.Parallel()
	f := startClassic(t)
	status := func(token *string) classictypes.ChangeTokenStatus {
		out, err := f.waf.GetChangeTokenStatus(t.Context(), &wafregional.GetChangeTokenStatusInput{ChangeToken: token})
		return contract.Must(t, out, err).ChangeTokenStatus
	}
	token := f.token()
	if *f.token() != *token {
		t.Error("a token that nobody used was replaced")
	}
	got := []classictypes.ChangeTokenStatus{status(token)}
	_, err := f.acl(token, "web", "web", classictypes.WafActionTypeAllow)
	contract.WantCode(t, err, "")
	got = append(got, status(token))
	f.Pass(time.Minute)
	got = append(got, status(token))
	want := []classictypes.ChangeTokenStatus{classictypes.ChangeTokenStatusProvisioned, classictypes.ChangeTokenStatusPending, classictypes.ChangeTokenStatusInsync}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	_, err = f.acl(token, "again", "again", classictypes.WafActionTypeAllow)
	contract.WantCode(t, err, "WAFStaleDataException")
	_, err = f.waf.GetChangeTokenStatus(t.Context(), &wafregional.GetChangeTokenStatusInput{ChangeToken: aws.String("none")})
	contract.WantCode(t, err, "WAFNonexistentItemException")
	_, err = f.acl(f.token(), "web", "not a metric", classictypes.WafActionTypeAllow)
	contract.WantCode(t, err, "WAFInvalidParameterException")
	_, err = f.acl(f.token(), "web", "web", classictypes.WafActionTypeCount)
	contract.WantCode(t, err, "WAFInvalidParameterException")
}

func TestClassicAssociation(t *testing.T) {
	t.Parallel()
	f := startClassic(t)
	acl, err := f.acl(f.token(), "web", "web", classictypes.WafActionTypeBlock)
	contract.WantCode(t, err, "")
	web, net := f.Balancer("web", elbtypes.LoadBalancerTypeEnumApplication), f.Balancer("net", elbtypes.LoadBalancerTypeEnumNetwork)
	for _, row := range []struct {
		why, code string
		id, on    *string
	}{
		{"network load balancers have none", "WAFInvalidParameterException", acl.WebACLId, net},
		{"the load balancer exists", "WAFNonexistentItemException", acl.WebACLId, aws.String(*web + "0")},
		{"the web ACL exists", "WAFNonexistentItemException", aws.String("none"), web},
		{"a load balancer gets one", "", acl.WebACLId, web},
	} {
		_, err := f.waf.AssociateWebACL(t.Context(), &wafregional.AssociateWebACLInput{WebACLId: row.id, ResourceArn: row.on})
		t.Log(row.why)
		contract.WantCode(t, err, row.code)
	}
	held, err := f.waf.GetWebACLForResource(t.Context(), &wafregional.GetWebACLForResourceInput{ResourceArn: web})
	if got := contract.Must(t, held, err).WebACLSummary; got == nil || *got.WebACLId != *acl.WebACLId {
		t.Errorf("web ACL: %+v", got)
	}
	listed, err := f.waf.ListResourcesForWebACL(t.Context(), &wafregional.ListResourcesForWebACLInput{WebACLId: acl.WebACLId})
	if diff := cmp.Diff([]string{*web}, contract.Must(t, listed, err).ResourceArns); diff != "" {
		t.Error(diff)
	}
	_, err = f.waf.DeleteWebACL(t.Context(), &wafregional.DeleteWebACLInput{WebACLId: acl.WebACLId, ChangeToken: f.token()})
	contract.WantCode(t, err, "WAFReferencedItemException")
	_, err = f.waf.DisassociateWebACL(t.Context(), &wafregional.DisassociateWebACLInput{ResourceArn: web})
	contract.WantCode(t, err, "")
	held, err = f.waf.GetWebACLForResource(t.Context(), &wafregional.GetWebACLForResourceInput{ResourceArn: web})
	if got := contract.Must(t, held, err).WebACLSummary; got != nil {
		t.Errorf("web ACL: %+v", got)
	}
	_, err = f.waf.DeleteWebACL(t.Context(), &wafregional.DeleteWebACLInput{WebACLId: acl.WebACLId, ChangeToken: f.token()})
	contract.WantCode(t, err, "")
	_, err = f.waf.GetWebACL(t.Context(), &wafregional.GetWebACLInput{WebACLId: acl.WebACLId})
	contract.WantCode(t, err, "WAFNonexistentItemException")
}

func TestClassicUpdatesAndTags(t *testing.T) {
	t.Parallel()
	f := startClassic(t)
	acl, err := f.acl(f.token(), "web", "web", classictypes.WafActionTypeBlock)
	contract.WantCode(t, err, "")
	update := &wafregional.UpdateWebACLInput{
		WebACLId: acl.WebACLId, ChangeToken: f.token(), DefaultAction: &classictypes.WafAction{Type: classictypes.WafActionTypeAllow},
	}
	_, err = f.waf.UpdateWebACL(t.Context(), update)
	contract.WantCode(t, err, "")
	_, err = f.waf.UpdateWebACL(t.Context(), update)
	contract.WantCode(t, err, "WAFStaleDataException")
	update.ChangeToken, update.Updates = f.token(), []classictypes.WebACLUpdate{{
		Action: classictypes.ChangeActionInsert, ActivatedRule: &classictypes.ActivatedRule{Priority: aws.Int32(1), RuleId: aws.String("none")},
	}}
	_, err = f.waf.UpdateWebACL(t.Context(), update)
	contract.WantCode(t, err, "WAFNonexistentItemException")
	read, err := f.waf.GetWebACL(t.Context(), &wafregional.GetWebACLInput{WebACLId: acl.WebACLId})
	if got := contract.Must(t, read, err).WebACL; got.DefaultAction.Type != classictypes.WafActionTypeAllow || *got.Name != "web" {
		t.Errorf("web ACL: %+v", got)
	}
	listed, err := f.waf.ListWebACLs(t.Context(), &wafregional.ListWebACLsInput{Limit: 10})
	if got := contract.Must(t, listed, err).WebACLs; len(got) != 1 || *got[0].Name != "web" {
		t.Errorf("list: %+v", got)
	}
	_, err = f.waf.TagResource(t.Context(), &wafregional.TagResourceInput{ResourceARN: acl.WebACLArn, Tags: []classictypes.Tag{
		{Key: aws.String("a"), Value: aws.String("1")}, {Key: aws.String("b"), Value: aws.String("2")},
	}})
	contract.WantCode(t, err, "")
	_, err = f.waf.UntagResource(t.Context(), &wafregional.UntagResourceInput{ResourceARN: acl.WebACLArn, TagKeys: []string{"a"}})
	contract.WantCode(t, err, "")
	tags, err := f.waf.ListTagsForResource(t.Context(), &wafregional.ListTagsForResourceInput{ResourceARN: acl.WebACLArn})
	if got := contract.Must(t, tags, err).TagInfoForResource.TagList; len(got) != 1 || *got[0].Key != "b" {
		t.Errorf("tags: %+v", got)
	}
	_, err = f.waf.ListTagsForResource(t.Context(), &wafregional.ListTagsForResourceInput{ResourceARN: aws.String(*acl.WebACLArn + "0")})
	contract.WantCode(t, err, "WAFNonexistentItemException")
}
