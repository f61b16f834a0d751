package waf_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/aws/aws-sdk-go-v2/service/resourcegroupstaggingapi"
	"github.com/aws/aws-sdk-go-v2/service/wafv2"
	waftypes "github.com/aws/aws-sdk-go-v2/service/wafv2/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/headgate/headgate/cloud/sim"
	"github.com/headgate/headgate/cloud/sim/account"
	"github.com/headgate/headgate/cloud/sim/contract"
	"github.com/headgate/headgate/cloud/sim/waf"
)

type fixture struct {
	*contract.Fixture

	waf *wafv2.Client
}

func start(t *testing.T, change ...func(*sim.Options)) *fixture {
	t.Helper()
	f := contract.Start(t, change...)
	return &fixture{f, wafv2.NewFromConfig(f.Config)}
}

const regional = waftypes.ScopeRegional

func visible(metric string) *waftypes.VisibilityConfig {
	return &waftypes.VisibilityConfig{MetricName: aws.String(metric)}
}

func allow() *waftypes.DefaultAction {
	return &waftypes.DefaultAction{Allow: &waftypes.AllowAction{}}
}

func (f *fixture) acl(name string, change ...func(*wafv2.CreateWebACLInput)) (*waftypes.WebACLSummary, error) {
	f.Helper()
	in := &wafv2.CreateWebACLInput{Name: aws.String(name), Scope: regional, DefaultAction: allow(), VisibilityConfig: visible(name)}
	for _, c := range change {
		c(in)
	}
	out, err := f.waf.CreateWebACL(f.Context(), in)
	if err != nil {
		return nil, fmt.Errorf("creating %s: %w", name, err)
	}
	return out.Summary, nil
}

// with puts rules into a web ACL.
func with(rules ...waftypes.Rule) func(*wafv2.CreateWebACLInput) {
	return func(in *wafv2.CreateWebACLInput) { in.Rules = rules }
}

// rule is one that blocks what its statement matches.
func rule(name string, priority int32, s *waftypes.Statement) waftypes.Rule {
	return waftypes.Rule{
		Name: aws.String(name), Priority: priority, Statement: s, VisibilityConfig: visible(name),
		Action: &waftypes.RuleAction{Block: &waftypes.BlockAction{}},
	}
}

// running is a rule that runs a rule group.
func running(name string, priority int32, s *waftypes.Statement) waftypes.Rule {
	r := rule(name, priority, s)
	r.Action, r.OverrideAction = nil, &waftypes.OverrideAction{None: &waftypes.NoneAction{}}
	return r
}

func geo() *waftypes.Statement {
	return &waftypes.Statement{GeoMatchStatement: &waftypes.GeoMatchStatement{CountryCodes: []waftypes.CountryCode{waftypes.CountryCodeAq}}}
}

func path(search string, position waftypes.PositionalConstraint, transformations ...waftypes.TextTransformationType) *waftypes.Statement {
	s := &waftypes.ByteMatchStatement{
		SearchString: []byte(search), PositionalConstraint: position, FieldToMatch: &waftypes.FieldToMatch{UriPath: &waftypes.UriPath{}},
	}
	s.TextTransformations = []waftypes.TextTransformation{}
	for i, t := range transformations {
		s.TextTransformations = append(s.TextTransformations, waftypes.TextTransformation{Priority: int32(i), Type: t})
	}
	return &waftypes.Statement{ByteMatchStatement: s}
}

func TestChecks(t *testing.T) {
	t.Parallel()
	a := &account.Account{Now: time.Now, Speed: 1}
	contract.WantChecks(t, waf.New(a, nil, waf.Options{}).Service(), waf.Checks())
	contract.WantChecks(t, waf.NewClassic(a, nil).Service(), waf.ClassicChecks())
}

func TestWebACLLife(t *testing.T) {
	t.Parallel()
	f := start(t)
	rules := []waftypes.Rule{rule("countries", 1, geo()), rule("admin", 2, path("/admin", waftypes.PositionalConstraintStartsWith, waftypes.TextTransformationTypeNone))}
	made, err := f.acl("web", with(rules...), func(in *wafv2.CreateWebACLInput) {
		in.Description, in.Tags = aws.String("the front"), []waftypes.Tag{{Key: aws.String("a"), Value: aws.String("1")}}
	})
	contract.WantCode(t, err, "")
	read, err := f.waf.GetWebACL(t.Context(), &wafv2.GetWebACLInput{Name: made.Name, Id: made.Id, Scope: regional})
	got := contract.Must(t, read, err)
	want := &waftypes.WebACL{
		ARN: made.ARN, Id: made.Id, Name: aws.String("web"), Description: aws.String("the front"), DefaultAction: allow(), VisibilityConfig: visible("web"),
		Rules: rules, Capacity: 3, LabelNamespace: aws.String("awswaf:123456789012:webacl:web:"),
	}
	if diff := cmp.Diff(want, got.WebACL, cmpopts.IgnoreUnexported(ignored()...)); diff != "" {
		t.Error(diff)
	}
	updated, err := f.waf.UpdateWebACL(t.Context(), &wafv2.UpdateWebACLInput{
		Name: made.Name, Id: made.Id, Scope: regional, LockToken: made.LockToken, VisibilityConfig: visible("web"),
		DefaultAction: &waftypes.DefaultAction{Block: &waftypes.BlockAction{}},
	})
	next := contract.Must(t, updated, err).NextLockToken
	read, err = f.waf.GetWebACL(t.Context(), &wafv2.GetWebACLInput{ARN: made.ARN})
	if got := contract.Must(t, read, err); got.WebACL.DefaultAction.Block == nil || len(got.WebACL.Rules) != 0 || *got.LockToken != *next {
		t.Errorf("after the update: %+v", got.WebACL)
	}
	remove := &wafv2.DeleteWebACLInput{Name: made.Name, Id: made.Id, Scope: regional, LockToken: made.LockToken}
	_, err = f.waf.DeleteWebACL(t.Context(), remove)
	contract.WantCode(t, err, "WAFOptimisticLockException")
	remove.LockToken = next
	_, err = f.waf.DeleteWebACL(t.Context(), remove)
	contract.WantCode(t, err, "")
	_, err = f.waf.DeleteWebACL(t.Context(), remove)
	contract.WantCode(t, err, "WAFNonexistentItemException")
}

func ignored() []any {
	return []any{
		waftypes.WebACL{}, waftypes.DefaultAction{}, waftypes.AllowAction{}, waftypes.VisibilityConfig{}, waftypes.Rule{}, waftypes.Statement{},
		waftypes.GeoMatchStatement{}, waftypes.ByteMatchStatement{}, waftypes.FieldToMatch{}, waftypes.UriPath{}, waftypes.TextTransformation{},
		waftypes.RuleAction{}, waftypes.BlockAction{},
	}
}

func TestCreateWebACLErrors(t *testing.T) {
	f := start(t)
	if _, err := f.acl("taken"); err != nil {
		t.Fatal(err)
	}
	managed := func(vendor, name string) *waftypes.Statement {
		return &waftypes.Statement{ManagedRuleGroupStatement: &waftypes.ManagedRuleGroupStatement{VendorName: &vendor, Name: &name}}
	}
	both := geo()
	both.LabelMatchStatement = &waftypes.LabelMatchStatement{Key: aws.String("a"), Scope: waftypes.LabelMatchScopeLabel}
	rate := &waftypes.Statement{RateBasedStatement: &waftypes.RateBasedStatement{Limit: aws.Int64(100), AggregateKeyType: waftypes.RateBasedStatementAggregateKeyTypeIp}}
	nowhere := aws.String("arn:aws:wafv2:us-west-2:123456789012:regional/ipset/none/1")
	rows := []struct {
		why, code, name string
		change          func(*wafv2.CreateWebACLInput)
	}{
		{"a name is taken once", "WAFDuplicateItemException", "taken", nil},
		{"names have no spaces", "WAFInvalidParameterException", "my acl", nil},
		{"CloudFront is in another region", "WAFInvalidParameterException", "a", func(in *wafv2.CreateWebACLInput) { in.Scope = waftypes.ScopeCloudfront }},
		{"one default action, not two", "WAFInvalidParameterException", "a", func(in *wafv2.CreateWebACLInput) { in.DefaultAction.Block = &waftypes.BlockAction{} }},
		{"a default action", "WAFInvalidParameterException", "a", func(in *wafv2.CreateWebACLInput) { in.DefaultAction.Allow = nil }},
		{"a metric name", "WAFInvalidParameterException", "a", func(in *wafv2.CreateWebACLInput) { in.VisibilityConfig = visible("a b") }},
		{"tags are not aws:", "WAFInvalidParameterException", "a", func(in *wafv2.CreateWebACLInput) {
			in.Tags = []waftypes.Tag{{Key: aws.String("aws:a"), Value: aws.String("")}}
		}},
		{"a statement that is one", "WAFInvalidParameterException", "a", with(rule("a", 1, &waftypes.Statement{}))},
		{"one statement, not two", "WAFInvalidParameterException", "a", with(rule("a", 1, both))},
		{"priorities are unique", "WAFInvalidParameterException", "a", with(rule("a", 1, geo()), rule("b", 1, geo()))},
		{"names of rules are unique", "WAFInvalidParameterException", "a", with(rule("a", 1, geo()), rule("a", 2, geo()))},
		{"an action for a match", "WAFInvalidParameterException", "a", with(running("a", 1, geo()))},
		{"an override for a group", "WAFInvalidParameterException", "a", with(rule("a", 1, managed("AWS", "AWSManagedRulesCommonRuleSet")))},
		{"a group that is managed", "WAFNonexistentItemException", "a", with(running("a", 1, managed("AWS", "AWSManagedRulesNone")))},
		{"other vendors are subscribed to", "WAFSubscriptionNotFoundException", "a", with(running("a", 1, managed("Else", "Rules")))},
		{"a set that exists", "WAFNonexistentItemException", "a", with(rule("a", 1, &waftypes.Statement{
			IPSetReferenceStatement: &waftypes.IPSetReferenceStatement{ARN: nowhere},
		}))},
		{"rates stand at the top", "WAFInvalidParameterException", "a", with(rule("a", 1, &waftypes.Statement{NotStatement: &waftypes.NotStatement{Statement: rate}}))},
		{"and is of two", "WAFInvalidParameterException", "a", with(rule("a", 1, &waftypes.Statement{
			AndStatement: &waftypes.AndStatement{Statements: []waftypes.Statement{*geo()}},
		}))},
		{"a match transforms", "WAFInvalidParameterException", "a", with(rule("a", 1, path("/", waftypes.PositionalConstraintExactly)))},
	}
	for _, row := range rows {
		t.Run(row.why, func(t *testing.T) {
			change := []func(*wafv2.CreateWebACLInput){}
			if row.change != nil {
				change = append(change, row.change)
			}
			_, err := f.acl(row.name, change...)
			contract.WantCode(t, err, row.code)
		})
	}
}

func TestCapacity(t *testing.T) {
	t.Parallel()
	f := start(t)
	lower := waftypes.TextTransformationTypeLowercase
	rows := []struct {
		why  string
		want int64
		rule waftypes.Rule
	}{
		{"a country", 1, rule("a", 1, geo())},
		{"a prefix", 2, rule("a", 1, path("/", waftypes.PositionalConstraintStartsWith, waftypes.TextTransformationTypeNone))},
		{"a search in lower case", 20, rule("a", 1, path("/", waftypes.PositionalConstraintContains, lower))},
		{"two statements", 3, rule("a", 1, &waftypes.Statement{OrStatement: &waftypes.OrStatement{Statements: []waftypes.Statement{
			*geo(), *path("/", waftypes.PositionalConstraintExactly, waftypes.TextTransformationTypeNone),
		}}})},
		{"a rate below a country", 3, rule("a", 1, &waftypes.Statement{RateBasedStatement: &waftypes.RateBasedStatement{
			Limit: aws.Int64(100), AggregateKeyType: waftypes.RateBasedStatementAggregateKeyTypeIp, ScopeDownStatement: geo(),
		}})},
		{"a managed group", 700, running("a", 1, &waftypes.Statement{ManagedRuleGroupStatement: &waftypes.ManagedRuleGroupStatement{
			VendorName: aws.String("AWS"), Name: aws.String("AWSManagedRulesCommonRuleSet"),
		}})},
	}
	for _, row := range rows {
		out, err := f.waf.CheckCapacity(t.Context(), &wafv2.CheckCapacityInput{Scope: regional, Rules: []waftypes.Rule{row.rule}})
		if got := contract.Must(t, out, err).Capacity; got != row.want {
			t.Errorf("%s: %d units, want %d", row.why, got, row.want)
		}
	}
	var many []waftypes.Rule
	for i := range 8 {
		many = append(many, running(fmt.Sprint("a", i), int32(i), rows[5].rule.Statement))
	}
	_, err := f.waf.CheckCapacity(t.Context(), &wafv2.CheckCapacityInput{Scope: regional, Rules: many})
	contract.WantCode(t, err, "WAFLimitsExceededException")
	_, err = f.acl("large", with(many...))
	contract.WantCode(t, err, "WAFLimitsExceededException")
}

func TestAssociation(t *testing.T) {
	f := start(t)
	first, err := f.acl("first")
	contract.WantCode(t, err, "")
	second, err := f.acl("second")
	contract.WantCode(t, err, "")
	web, net := f.Balancer("web", elbtypes.LoadBalancerTypeEnumApplication), f.Balancer("net", elbtypes.LoadBalancerTypeEnumNetwork)
	gone := aws.String(*web + "0")
	rows := []struct {
		why, code string
		acl, on   *string
	}{
		{"network load balancers have none", "WAFInvalidParameterException", first.ARN, net},
		{"an ARN is one", "WAFInvalidParameterException", first.ARN, aws.String("an application load balancer")},
		{"the load balancer exists", "WAFNonexistentItemException", first.ARN, gone},
		{"the web ACL exists", "WAFNonexistentItemException", aws.String(*first.ARN + "0"), web},
		{"the web ACL is one", "WAFInvalidParameterException", web, web},
		{"a load balancer gets one", "", first.ARN, web},
		{"and then another", "", second.ARN, web},
	}
	for _, row := range rows {
		t.Run(row.why, func(t *testing.T) {
			_, err := f.waf.AssociateWebACL(t.Context(), &wafv2.AssociateWebACLInput{WebACLArn: row.acl, ResourceArn: row.on})
			contract.WantCode(t, err, row.code)
		})
	}
	held, err := f.waf.GetWebACLForResource(t.Context(), &wafv2.GetWebACLForResourceInput{ResourceArn: web})
	if got := contract.Must(t, held, err).WebACL; got == nil || *got.Name != "second" {
		t.Errorf("web ACL: %+v", got)
	}
	listed, err := f.waf.ListResourcesForWebACL(t.Context(), &wafv2.ListResourcesForWebACLInput{WebACLArn: second.ARN})
	if diff := cmp.Diff([]string{*web}, contract.Must(t, listed, err).ResourceArns); diff != "" {
		t.Error(diff)
	}
	remove := &wafv2.DeleteWebACLInput{Name: second.Name, Id: second.Id, Scope: regional, LockToken: second.LockToken}
	_, err = f.waf.DeleteWebACL(t.Context(), remove)
	contract.WantCode(t, err, "WAFAssociatedItemException")
	f.DeleteBalancer(web)
	_, err = f.waf.GetWebACLForResource(t.Context(), &wafv2.GetWebACLForResourceInput{ResourceArn: web})
	contract.WantCode(t, err, "WAFNonexistentItemException")
	_, err = f.waf.DeleteWebACL(t.Context(), remove)
	contract.WantCode(t, err, "")
}

func TestDisassociation(t *testing.T) {
	t.Parallel()
	f := start(t)
	acl, err := f.acl("web")
	contract.WantCode(t, err, "")
	web := f.Balancer("web", elbtypes.LoadBalancerTypeEnumApplication)
	_, err = f.waf.AssociateWebACL(t.Context(), &wafv2.AssociateWebACLInput{WebACLArn: acl.ARN, ResourceArn: web})
	contract.WantCode(t, err, "")
	for range 2 {
		_, err = f.waf.DisassociateWebACL(t.Context(), &wafv2.DisassociateWebACLInput{ResourceArn: web})
		contract.WantCode(t, err, "")
	}
	held, err := f.waf.GetWebACLForResource(t.Context(), &wafv2.GetWebACLForResourceInput{ResourceArn: web})
	if got := contract.Must(t, held, err).WebACL; got != nil {
		t.Errorf("web ACL: %+v", got)
	}
	_, err = f.waf.DisassociateWebACL(t.Context(), &wafv2.DisassociateWebACLInput{ResourceArn: aws.String(*web + "0")})
	contract.WantCode(t, err, "WAFNonexistentItemException")
}

// fixed is an account with one load balancer that has a state.
type fixed string

func (s fixed) Balancer(string) (string, bool) { return string(s), true }

// TestPropagation calls the operation without a simulator, because only its owner sets the time.
func TestPropagation(t *testing.T) {
	t.Parallel()
	now := time.Now()
	a := &account.Account{ID: "1", Region: "us-west-2", Partition: "aws", Now: func() time.Time { return now }, Speed: 2}
	web := aws.String("arn:aws:elasticloadbalancing:us-west-2:1:loadbalancer/app/web/1")
	for _, row := range []struct {
		why, code string
		state     fixed
		age       time.Duration
	}{
		{"a new web ACL", "WAFUnavailableEntityException", "active", time.Second},
		{"an old web ACL", "", "active", 5 * time.Second},
		{"a new load balancer", "WAFUnavailableEntityException", "provisioning", 5 * time.Second},
	} {
		service := waf.New(a, row.state, waf.Options{Propagation: 10 * time.Second}).Service()
		made, err := contract.Run[wafv2.CreateWebACLOutput](service, "CreateWebACL", &wafv2.CreateWebACLInput{
			Name: aws.String("web"), Scope: regional, DefaultAction: allow(), VisibilityConfig: visible("web"),
		})
		acl := contract.Must(t, made, err).Summary.ARN
		now = now.Add(row.age)
		_, err = contract.Run[wafv2.AssociateWebACLOutput](service, "AssociateWebACL", &wafv2.AssociateWebACLInput{WebACLArn: acl, ResourceArn: web})
		if got := contract.Code(err); got != row.code {
			t.Errorf("%s: code %q, want %q", row.why, got, row.code)
		}
	}
}

func TestTags(t *testing.T) {
	t.Parallel()
	f := start(t)
	acl, err := f.acl("web")
	contract.WantCode(t, err, "")
	_, err = f.waf.TagResource(t.Context(), &wafv2.TagResourceInput{ResourceARN: acl.ARN, Tags: []waftypes.Tag{
		{Key: aws.String("b"), Value: aws.String("2")}, {Key: aws.String("a"), Value: aws.String("1")},
	}})
	contract.WantCode(t, err, "")
	found, err := resourcegroupstaggingapi.NewFromConfig(f.Config).GetResources(t.Context(), &resourcegroupstaggingapi.GetResourcesInput{
		ResourceTypeFilters: []string{"wafv2"},
	})
	if got := contract.Must(t, found, err).ResourceTagMappingList; len(got) != 1 || *got[0].ResourceARN != *acl.ARN {
		t.Errorf("tagged: %+v", got)
	}
	_, err = f.waf.UntagResource(t.Context(), &wafv2.UntagResourceInput{ResourceARN: acl.ARN, TagKeys: []string{"a", "c"}})
	contract.WantCode(t, err, "")
	listed, err := f.waf.ListTagsForResource(t.Context(), &wafv2.ListTagsForResourceInput{ResourceARN: acl.ARN})
	if got := contract.Must(t, listed, err).TagInfoForResource.TagList; len(got) != 1 || *got[0].Key != "b" {
		t.Errorf("tags: %+v", got)
	}
	_, err = f.waf.ListTagsForResource(t.Context(), &wafv2.ListTagsForResourceInput{ResourceARN: aws.String(*acl.ARN + "0")})
	contract.WantCode(t, err, "WAFNonexistentItemException")
	_, err = f.waf.TagResource(t.Context(), &wafv2.TagResourceInput{ResourceARN: aws.String("arn:aws:wafv2"), Tags: []waftypes.Tag{{Key: aws.String("a"), Value: aws.String("")}}})
	contract.WantCode(t, err, "WAFInvalidParameterException")
}
