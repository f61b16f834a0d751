package sim_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/headgate/headgate/cloud/sim"
	"github.com/headgate/headgate/cloud/sim/contract"
)

// shapes lets unexported marker fields of SDK shapes be ignored.
func shapes() cmp.Option {
	return cmpopts.IgnoreUnexported(
		elbtypes.Action{}, elbtypes.ForwardActionConfig{}, elbtypes.TargetGroupTuple{}, elbtypes.TargetGroupStickinessConfig{},
		elbtypes.RedirectActionConfig{}, elbtypes.FixedResponseActionConfig{}, elbtypes.RuleCondition{}, elbtypes.HostHeaderConditionConfig{},
		elbtypes.PathPatternConditionConfig{}, elbtypes.HttpHeaderConditionConfig{}, elbtypes.QueryStringConditionConfig{},
		elbtypes.QueryStringKeyValuePair{}, elbtypes.SourceIpConditionConfig{}, elbtypes.HttpRequestMethodConditionConfig{},
		elbtypes.AuthenticateOidcActionConfig{}, elbtypes.RuleTransform{}, elbtypes.UrlRewriteConfig{}, elbtypes.RewriteConfig{},
	)
}

func (f *fixture) describeRule(arn *string) elbtypes.Rule {
	f.Helper()
	out, err := f.elb.DescribeRules(f.Context(), &elb.DescribeRulesInput{RuleArns: []string{*arn}})
	return contract.Must(f, out, err).Rules[0]
}

func TestRuleEchoesConditions(t *testing.T) {
	t.Parallel()
	f := start(t)
	l := f.listener(f.balancer("web"), 80, fixed("404"))
	rows := []struct {
		why      string
		in, want elbtypes.RuleCondition
	}{
		{
			"a path comes back in both places",
			elbtypes.RuleCondition{Field: aws.String("path-pattern"), PathPatternConfig: &elbtypes.PathPatternConditionConfig{Values: []string{"/a&b", "/c*"}}},
			elbtypes.RuleCondition{
				Field: aws.String("path-pattern"), Values: []string{"/a&b", "/c*"},
				PathPatternConfig: &elbtypes.PathPatternConditionConfig{Values: []string{"/a&b", "/c*"}},
			},
		},
		{
			"so does a host in the old form",
			elbtypes.RuleCondition{Field: aws.String("host-header"), Values: []string{"*.example.com"}},
			elbtypes.RuleCondition{
				Field: aws.String("host-header"), Values: []string{"*.example.com"},
				HostHeaderConfig: &elbtypes.HostHeaderConditionConfig{Values: []string{"*.example.com"}},
			},
		},
		{
			"others leave the values empty",
			elbtypes.RuleCondition{Field: aws.String("source-ip"), SourceIpConfig: &elbtypes.SourceIpConditionConfig{Values: []string{"10.0.0.0/8"}}},
			elbtypes.RuleCondition{Field: aws.String("source-ip"), SourceIpConfig: &elbtypes.SourceIpConditionConfig{Values: []string{"10.0.0.0/8"}}},
		},
		{
			"a query string has pairs",
			elbtypes.RuleCondition{Field: aws.String("query-string"), QueryStringConfig: &elbtypes.QueryStringConditionConfig{
				Values: []elbtypes.QueryStringKeyValuePair{{Key: aws.String("v"), Value: aws.String("1")}, {Value: aws.String("x")}},
			}},
			elbtypes.RuleCondition{Field: aws.String("query-string"), QueryStringConfig: &elbtypes.QueryStringConditionConfig{
				Values: []elbtypes.QueryStringKeyValuePair{{Key: aws.String("v"), Value: aws.String("1")}, {Value: aws.String("x")}},
			}},
		},
		{
			"regular expressions stand in both places too",
			elbtypes.RuleCondition{Field: aws.String("host-header"), HostHeaderConfig: &elbtypes.HostHeaderConditionConfig{RegexValues: []string{`^a(:\d+)?$`}}},
			elbtypes.RuleCondition{
				Field: aws.String("host-header"), RegexValues: []string{`^a(:\d+)?$`},
				HostHeaderConfig: &elbtypes.HostHeaderConditionConfig{RegexValues: []string{`^a(:\d+)?$`}},
			},
		},
	}
	for i, row := range rows {
		arn := f.rule(l, int32(i+1), []elbtypes.RuleCondition{row.in}, fixed("200"))
		if diff := cmp.Diff([]elbtypes.RuleCondition{row.want}, f.describeRule(arn).Conditions, shapes()); diff != "" {
			t.Errorf("%s: %s", row.why, diff)
		}
	}
}

func TestRuleEchoesActions(t *testing.T) {
	t.Parallel()
	f := start(t)
	l := f.listener(f.balancer("web"), 80, fixed("404"))
	one, two := f.group("one"), f.group("two")
	off := &elbtypes.TargetGroupStickinessConfig{Enabled: aws.Bool(false)}
	rows := []struct {
		why  string
		in   []elbtypes.Action
		want elbtypes.Action
	}{
		{"one target group comes back in both forms", forward(one), elbtypes.Action{
			Type: elbtypes.ActionTypeEnumForward, TargetGroupArn: one,
			ForwardConfig: &elbtypes.ForwardActionConfig{
				TargetGroups: []elbtypes.TargetGroupTuple{{TargetGroupArn: one, Weight: aws.Int32(1)}}, TargetGroupStickinessConfig: off,
			},
		}},
		{"several only in the configuration", forward(one, two), elbtypes.Action{
			Type: elbtypes.ActionTypeEnumForward,
			ForwardConfig: &elbtypes.ForwardActionConfig{
				TargetGroups: []elbtypes.TargetGroupTuple{{TargetGroupArn: one, Weight: aws.Int32(1)}, {TargetGroupArn: two, Weight: aws.Int32(1)}}, TargetGroupStickinessConfig: off,
			},
		}},
		{"a redirect keeps what it does not name", []elbtypes.Action{{
			Type: elbtypes.ActionTypeEnumRedirect, Order: aws.Int32(1),
			RedirectConfig: &elbtypes.RedirectActionConfig{StatusCode: elbtypes.RedirectActionStatusCodeEnumHttp301, Protocol: aws.String("HTTPS")},
		}}, elbtypes.Action{
			Type: elbtypes.ActionTypeEnumRedirect, Order: aws.Int32(1), RedirectConfig: &elbtypes.RedirectActionConfig{
				StatusCode: elbtypes.RedirectActionStatusCodeEnumHttp301, Protocol: aws.String("HTTPS"), Host: aws.String("#{host}"),
				Port: aws.String("#{port}"), Path: aws.String("/#{path}"), Query: aws.String("#{query}"),
			},
		}},
	}
	for i, row := range rows {
		arn := f.rule(l, int32(i+1), path("/"), row.in)
		if diff := cmp.Diff([]elbtypes.Action{row.want}, f.describeRule(arn).Actions, shapes()); diff != "" {
			t.Errorf("%s: %s", row.why, diff)
		}
	}
}

func host(values ...string) []elbtypes.RuleCondition {
	return []elbtypes.RuleCondition{{Field: aws.String("host-header"), HostHeaderConfig: &elbtypes.HostHeaderConditionConfig{Values: values}}}
}

func header(name string, values ...string) elbtypes.RuleCondition {
	return elbtypes.RuleCondition{Field: aws.String("http-header"), HttpHeaderConfig: &elbtypes.HttpHeaderConditionConfig{HttpHeaderName: aws.String(name), Values: values}}
}

func TestRuleConditionErrors(t *testing.T) {
	f := start(t)
	l := f.listener(f.balancer("web"), 80, fixed("404"))
	long := strings.Repeat("a", 129)
	rows := []struct {
		why, code  string
		conditions []elbtypes.RuleCondition
	}{
		{"a rule has conditions", "ValidationError", []elbtypes.RuleCondition{}},
		{"fields are known", "ValidationError", []elbtypes.RuleCondition{{Field: aws.String("cookie"), Values: []string{"a"}}}},
		{"a path is at most 128 long", "ValidationError", path("/" + long)},
		{"a path has no space", "ValidationError", path("/a b")},
		{"a path may lack its slash", "", path("never")},
		{"five values a rule", "ValidationError", path("/1", "/2", "/3", "/4", "/5", "/6")},
		{"five over all conditions", "ValidationError", append(path("/1", "/2", "/3"), host("a.com", "b.com", "c.com")...)},
		{"five wildcards a rule", "ValidationError", path("/*/*/*/*/*/*")},
		{"a host has a dot", "ValidationError", host("localhost")},
		{"a host has no port", "ValidationError", host("a.com:80")},
		{"a host ends in letters", "ValidationError", host("10.0.0.1")},
		{"one host condition a rule", "ValidationError", append(host("a.com"), host("b.com")...)},
		{"two header conditions", "", []elbtypes.RuleCondition{header("A", "1"), header("A", "2")}},
		{"a header name is a token", "ValidationError", []elbtypes.RuleCondition{header("a b", "1")}},
		{"the host header has its own field", "ValidationError", []elbtypes.RuleCondition{header("Host", "1")}},
		{"a header has values", "ValidationError", []elbtypes.RuleCondition{header("A")}},
		{"methods are upper case", "ValidationError", []elbtypes.RuleCondition{{
			Field: aws.String("http-request-method"), HttpRequestMethodConfig: &elbtypes.HttpRequestMethodConditionConfig{Values: []string{"get"}},
		}}},
		{"a source is a block", "ValidationError", []elbtypes.RuleCondition{{
			Field: aws.String("source-ip"), SourceIpConfig: &elbtypes.SourceIpConditionConfig{Values: []string{"10.0.0.1"}},
		}}},
		{"broadcast is no source", "ValidationError", []elbtypes.RuleCondition{{
			Field: aws.String("source-ip"), SourceIpConfig: &elbtypes.SourceIpConditionConfig{Values: []string{"255.255.255.255/32"}},
		}}},
		{"values are not for headers", "ValidationError", []elbtypes.RuleCondition{{Field: aws.String("http-header"), Values: []string{"a"}}}},
		{"values in one place", "ValidationError", []elbtypes.RuleCondition{{
			Field: aws.String("path-pattern"), Values: []string{"/a"}, PathPatternConfig: &elbtypes.PathPatternConditionConfig{Values: []string{"/a"}},
		}}},
		{"the configuration fits the field", "ValidationError", []elbtypes.RuleCondition{{
			Field: aws.String("path-pattern"), HostHeaderConfig: &elbtypes.HostHeaderConditionConfig{Values: []string{"a.com"}},
		}}},
		{"an expression compiles", "ValidationError", []elbtypes.RuleCondition{{
			Field: aws.String("path-pattern"), PathPatternConfig: &elbtypes.PathPatternConditionConfig{RegexValues: []string{"(?=a)"}},
		}}},
		{"values or expressions", "ValidationError", []elbtypes.RuleCondition{{
			Field: aws.String("path-pattern"), PathPatternConfig: &elbtypes.PathPatternConditionConfig{Values: []string{"/"}, RegexValues: []string{"/"}},
		}}},
		{"an escaped wildcard is none", "", []elbtypes.RuleCondition{{
			Field: aws.String("query-string"), QueryStringConfig: &elbtypes.QueryStringConditionConfig{
				Values: []elbtypes.QueryStringKeyValuePair{{Value: aws.String(`\*\*\*\*\*\*`)}},
			},
		}}},
	}
	for i, row := range rows {
		t.Run(row.why, func(t *testing.T) {
			_, err := f.elb.CreateRule(t.Context(), &elb.CreateRuleInput{
				ListenerArn: l, Priority: aws.Int32(int32(i + 1)), Conditions: row.conditions, Actions: fixed("200"),
			})
			contract.WantCode(t, err, row.code)
		})
	}
}

func TestRuleActionErrors(t *testing.T) {
	f := start(t)
	l := f.listener(f.balancer("web"), 80, fixed("404"))
	groups := make([]*string, 6)
	for i := range groups {
		groups[i] = f.group(fmt.Sprint("g", i))
	}
	response := func(change func(*elbtypes.FixedResponseActionConfig)) []elbtypes.Action {
		all := fixed("200")
		change(all[0].FixedResponseConfig)
		return all
	}
	redirect := func(change func(*elbtypes.RedirectActionConfig)) []elbtypes.Action {
		c := &elbtypes.RedirectActionConfig{StatusCode: elbtypes.RedirectActionStatusCodeEnumHttp302, Host: aws.String("a.com")}
		change(c)
		return []elbtypes.Action{{Type: elbtypes.ActionTypeEnumRedirect, RedirectConfig: c}}
	}
	rows := []struct {
		why, code string
		actions   []elbtypes.Action
	}{
		{"five target groups an action", "TooManyTargetGroups", forward(groups...)},
		{"a target group once", "ValidationError", forward(groups[0], groups[0])},
		{"a weight is at most 999", "ValidationError", func() []elbtypes.Action {
			a := forward(groups[0], groups[1])
			a[0].ForwardConfig.TargetGroups[0].Weight = aws.Int32(1000)
			return a
		}()},
		{"both forms name the same group", "InvalidLoadBalancerAction", func() []elbtypes.Action {
			a := forward(groups[0], groups[1])
			a[0].TargetGroupArn = groups[0]
			return a
		}()},
		{"group stickiness has a duration", "ValidationError", func() []elbtypes.Action {
			a := forward(groups[0], groups[1])
			a[0].ForwardConfig.TargetGroupStickinessConfig = &elbtypes.TargetGroupStickinessConfig{Enabled: aws.Bool(true)}
			return a
		}()},
		{"an action has its configuration", "InvalidLoadBalancerAction", []elbtypes.Action{{Type: elbtypes.ActionTypeEnumForward}}},
		{"two actions have an order", "InvalidLoadBalancerAction", append(fixed("200"), fixed("404")...)},
		{"an order is from 1", "ValidationError", func() []elbtypes.Action { a := fixed("200"); a[0].Order = aws.Int32(0); return a }()},
		{"a code is 2XX, 4XX or 5XX", "ValidationError", fixed("302")},
		{"content types are five", "InvalidLoadBalancerAction", response(func(c *elbtypes.FixedResponseActionConfig) { c.ContentType = aws.String("image/png") })},
		{"a body is at most 1024", "ValidationError", response(func(c *elbtypes.FixedResponseActionConfig) { c.MessageBody = aws.String(strings.Repeat("a", 1025)) })},
		{"a redirect changes something", "InvalidLoadBalancerAction", redirect(func(c *elbtypes.RedirectActionConfig) { c.Host = nil })},
		{"a redirect path is absolute", "ValidationError", redirect(func(c *elbtypes.RedirectActionConfig) { c.Path = aws.String("a") })},
		{"a redirect port is a port", "ValidationError", redirect(func(c *elbtypes.RedirectActionConfig) { c.Port = aws.String("0") })},
		{"which is written plainly", "ValidationError", redirect(func(c *elbtypes.RedirectActionConfig) { c.Port = aws.String("0443") })},
		{"keywords are five", "ValidationError", redirect(func(c *elbtypes.RedirectActionConfig) { c.Query = aws.String("a=#{method}") })},
		{"of which a host takes its own", "ValidationError", redirect(func(c *elbtypes.RedirectActionConfig) { c.Host = aws.String("#{port}.com") })},
		{"and a path all but protocol and query", "ValidationError", redirect(func(c *elbtypes.RedirectActionConfig) { c.Path = aws.String("/#{query}") })},
		{"a host is a name", "ValidationError", redirect(func(c *elbtypes.RedirectActionConfig) { c.Host = aws.String("a.com/b") })},
		{"a path has no spaces", "ValidationError", redirect(func(c *elbtypes.RedirectActionConfig) { c.Path = aws.String("/a b") })},
		{"a fragment and keywords are fine", "", redirect(func(c *elbtypes.RedirectActionConfig) {
			c.Host, c.Path, c.Query = aws.String("www.#{host}"), aws.String("/#{port}/#/#{path}"), aws.String("from=#{protocol}&#{query}")
		})},
		{"a query has no question mark", "ValidationError", redirect(func(c *elbtypes.RedirectActionConfig) { c.Query = aws.String("?a") })},
	}
	for i, row := range rows {
		t.Run(row.why, func(t *testing.T) {
			_, err := f.elb.CreateRule(t.Context(), &elb.CreateRuleInput{
				ListenerArn: l, Priority: aws.Int32(int32(i + 1)), Conditions: path("/"), Actions: row.actions,
			})
			contract.WantCode(t, err, row.code)
		})
	}
}

func TestRuleTransforms(t *testing.T) {
	t.Parallel()
	f := start(t)
	l := f.listener(f.balancer("web"), 80, fixed("404"))
	rewrite := func(regex, replace string) elbtypes.RuleTransform {
		return elbtypes.RuleTransform{
			Type:             elbtypes.TransformTypeEnumUrlRewrite,
			UrlRewriteConfig: &elbtypes.UrlRewriteConfig{Rewrites: []elbtypes.RewriteConfig{{Regex: aws.String(regex), Replace: aws.String(replace)}}},
		}
	}
	create := func(transforms ...elbtypes.RuleTransform) (*elb.CreateRuleOutput, error) {
		return f.elb.CreateRule(t.Context(), &elb.CreateRuleInput{
			ListenerArn: l, Priority: aws.Int32(1), Conditions: path("/"), Actions: fixed("200"), Transforms: transforms,
		})
	}
	_, err := create(rewrite("^/a", "/b"), rewrite("^/c", "/d"))
	contract.WantCode(t, err, "ValidationError")
	_, err = create(rewrite("(", "/b"))
	contract.WantCode(t, err, "ValidationError")
	_, err = create(rewrite("^/a", "/$1"))
	contract.WantCode(t, err, "ValidationError")
	out, err := create(rewrite("^/a/(.*)$", "/$1"))
	made := contract.Must(t, out, err).Rules[0]
	if diff := cmp.Diff([]elbtypes.RuleTransform{rewrite("^/a/(.*)$", "/$1")}, made.Transforms, shapes()); diff != "" {
		t.Error(diff)
	}
	_, err = f.elb.ModifyRule(t.Context(), &elb.ModifyRuleInput{RuleArn: made.RuleArn, ResetTransforms: aws.Bool(true)})
	contract.WantCode(t, err, "")
	if n := len(f.describeRule(made.RuleArn).Transforms); n != 0 {
		t.Errorf("%d transforms after the reset", n)
	}
}

func TestRuleLife(t *testing.T) {
	t.Parallel()
	f := start(t, func(o *sim.Options) { o.Quotas.RulesPerLoadBalancer = 3 })
	lb := f.balancer("web")
	l := f.listener(lb, 80, fixed("404"))
	three, one := f.rule(l, 3, path("/3"), fixed("200")), f.rule(l, 1, path("/1"), fixed("200"))
	out, err := f.elb.DescribeRules(t.Context(), &elb.DescribeRulesInput{ListenerArn: l})
	var order []string
	for _, r := range contract.Must(t, out, err).Rules {
		order = append(order, *r.Priority)
	}
	if diff := cmp.Diff([]string{"1", "3", "default"}, order); diff != "" {
		t.Error(diff)
	}
	byDefault := out.Rules[2].RuleArn
	create := func(priority int32) error {
		_, err := f.elb.CreateRule(t.Context(), &elb.CreateRuleInput{
			ListenerArn: l, Priority: aws.Int32(priority), Conditions: path("/x"), Actions: fixed("200"),
		})
		return err
	}
	contract.WantCode(t, create(3), "PriorityInUse")
	contract.WantCode(t, create(50001), "ValidationError")
	contract.WantCode(t, create(50000), "")
	contract.WantCode(t, create(4), "TooManyRules")
	_, err = f.elb.ModifyRule(t.Context(), &elb.ModifyRuleInput{RuleArn: one})
	contract.WantCode(t, err, "ValidationError")
	_, err = f.elb.ModifyRule(t.Context(), &elb.ModifyRuleInput{RuleArn: byDefault, Actions: fixed("200")})
	contract.WantCode(t, err, "OperationNotPermitted")
	_, err = f.elb.ModifyRule(t.Context(), &elb.ModifyRuleInput{RuleArn: one, Actions: fixed("201")})
	contract.WantCode(t, err, "")
	if got := f.describeRule(one); *got.Actions[0].FixedResponseConfig.StatusCode != "201" || got.Conditions[0].Values[0] != "/1" {
		t.Errorf("after modifying: %+v", got)
	}
	_, err = f.elb.DeleteRule(t.Context(), &elb.DeleteRuleInput{RuleArn: byDefault})
	contract.WantCode(t, err, "OperationNotPermitted")
	_, err = f.elb.DeleteRule(t.Context(), &elb.DeleteRuleInput{RuleArn: three})
	contract.WantCode(t, err, "")
	_, err = f.elb.DeleteRule(t.Context(), &elb.DeleteRuleInput{RuleArn: three})
	contract.WantCode(t, err, "RuleNotFound")
	_, err = f.elb.DescribeRules(t.Context(), &elb.DescribeRulesInput{RuleArns: []string{*three}})
	contract.WantCode(t, err, "RuleNotFound")
}

func TestSetRulePriorities(t *testing.T) {
	f := start(t)
	lb := f.balancer("web")
	l := f.listener(lb, 80, fixed("404"))
	a, b, c := f.rule(l, 1, path("/a"), fixed("200")), f.rule(l, 2, path("/b"), fixed("200")), f.rule(l, 3, path("/c"), fixed("200"))
	elsewhere := f.rule(f.listener(lb, 81, fixed("404")), 1, path("/d"), fixed("200"))
	rules, err := f.elb.DescribeRules(t.Context(), &elb.DescribeRulesInput{ListenerArn: l})
	byDefault := contract.Must(t, rules, err).Rules[3].RuleArn
	type move struct {
		rule     *string
		priority int32
	}
	rows := []struct {
		why, code string
		moves     []move
		want      [3]string
	}{
		{"two rules change places", "", []move{{a, 2}, {b, 1}}, [3]string{"2", "1", "3"}},
		{"three go round", "", []move{{a, 3}, {b, 2}, {c, 1}}, [3]string{"3", "2", "1"}},
		{"a rule that stays is in the way", "PriorityInUse", []move{{a, 2}}, [3]string{"3", "2", "1"}},
		{"one bad move, none done", "ValidationError", []move{{a, 10}, {b, 0}}, [3]string{"3", "2", "1"}},
		{"a priority twice", "ValidationError", []move{{a, 10}, {b, 10}}, [3]string{"3", "2", "1"}},
		{"the default rule does not move", "OperationNotPermitted", []move{{byDefault, 10}}, [3]string{"3", "2", "1"}},
		{"rules of one listener", "ValidationError", []move{{a, 10}, {elsewhere, 11}}, [3]string{"3", "2", "1"}},
		{"rules exist", "RuleNotFound", []move{{aws.String(*a + "0"), 10}}, [3]string{"3", "2", "1"}},
	}
	for _, row := range rows {
		t.Run(row.why, func(t *testing.T) {
			in := &elb.SetRulePrioritiesInput{}
			for _, m := range row.moves {
				in.RulePriorities = append(in.RulePriorities, elbtypes.RulePriorityPair{RuleArn: m.rule, Priority: aws.Int32(m.priority)})
			}
			_, err := f.elb.SetRulePriorities(t.Context(), in)
			contract.WantCode(t, err, row.code)
			got := [3]string{*f.describeRule(a).Priority, *f.describeRule(b).Priority, *f.describeRule(c).Priority}
			if diff := cmp.Diff(row.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestClientSecretsStay(t *testing.T) {
	t.Parallel()
	f := start(t)
	made, err := f.elb.CreateListener(t.Context(), secureInput(f.balancer("web"), f.certificate("example.com")))
	l := contract.Must(t, made, err).Listeners[0].ListenerArn
	signIn := func(change func(*elbtypes.AuthenticateOidcActionConfig)) []elbtypes.Action {
		c := &elbtypes.AuthenticateOidcActionConfig{
			Issuer: aws.String("https://i"), AuthorizationEndpoint: aws.String("https://a"), TokenEndpoint: aws.String("https://t"),
			UserInfoEndpoint: aws.String("https://u"), ClientId: aws.String("c"),
		}
		change(c)
		response := fixed("200")[0]
		response.Order = aws.Int32(2)
		return []elbtypes.Action{{Type: elbtypes.ActionTypeEnumAuthenticateOidc, Order: aws.Int32(1), AuthenticateOidcConfig: c}, response}
	}
	secret := func(c *elbtypes.AuthenticateOidcActionConfig) { c.ClientSecret = aws.String("very-secret") }
	keep := func(c *elbtypes.AuthenticateOidcActionConfig) { c.UseExistingClientSecret = aws.Bool(true) }
	create := func(priority int32, actions []elbtypes.Action) (*elb.CreateRuleOutput, error) {
		return f.elb.CreateRule(t.Context(), &elb.CreateRuleInput{
			ListenerArn: l, Priority: aws.Int32(priority), Conditions: path("/"), Actions: actions,
		})
	}
	_, err = create(1, signIn(func(*elbtypes.AuthenticateOidcActionConfig) {}))
	contract.WantCode(t, err, "ValidationError")
	_, err = create(1, signIn(keep))
	contract.WantCode(t, err, "ValidationError")
	out, err := create(1, signIn(secret))
	got := contract.Must(t, out, err).Rules[0]
	want := signIn(func(c *elbtypes.AuthenticateOidcActionConfig) {
		c.Scope, c.SessionCookieName, c.SessionTimeout = aws.String("openid"), aws.String("AWSELBAuthSessionCookie"), aws.Int64(604800)
		c.OnUnauthenticatedRequest = elbtypes.AuthenticateOidcActionConditionalBehaviorEnumAuthenticate
	})
	if diff := cmp.Diff(want, got.Actions, shapes()); diff != "" {
		t.Error(diff)
	}
	_, err = f.elb.ModifyRule(t.Context(), &elb.ModifyRuleInput{RuleArn: got.RuleArn, Actions: signIn(keep)})
	contract.WantCode(t, err, "")
	if strings.Contains(fmt.Sprint(f.Sim.State()), "very-secret") {
		t.Error("the state shows a client secret")
	}
}
