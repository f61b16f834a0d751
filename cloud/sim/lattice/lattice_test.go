package lattice_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/vpclattice"
	types "github.com/aws/aws-sdk-go-v2/service/vpclattice/types"
	"github.com/google/go-cmp/cmp"

	"github.com/headgate/headgate/cloud/sim/account"
	"github.com/headgate/headgate/cloud/sim/contract"
	"github.com/headgate/headgate/cloud/sim/lattice"
)

type fixture struct {
	*contract.Fixture

	api *sdk.Client
}

func start(t *testing.T) *fixture {
	t.Helper()
	f := contract.Start(t)
	return &fixture{f, sdk.NewFromConfig(f.Config)}
}

func (f *fixture) service(name string) *string {
	f.Helper()
	out, err := f.api.CreateService(f.Context(), &sdk.CreateServiceInput{Name: &name})
	return contract.Must(f, out, err).Id
}

func (f *fixture) network(name string) *string {
	f.Helper()
	out, err := f.api.CreateServiceNetwork(f.Context(), &sdk.CreateServiceNetworkInput{Name: &name})
	return contract.Must(f, out, err).Arn
}

func (f *fixture) group(name string) *string {
	f.Helper()
	out, err := f.api.CreateTargetGroup(f.Context(), &sdk.CreateTargetGroupInput{
		Name: &name, Type: types.TargetGroupTypeIp, Config: &types.TargetGroupConfig{VpcIdentifier: aws.String(f.Sim.World().VPC)},
	})
	id := contract.Must(f, out, err).Id
	f.Pass(time.Minute)
	return id
}

func forward(groups ...*string) types.RuleAction {
	var all []types.WeightedTargetGroup
	for _, g := range groups {
		all = append(all, types.WeightedTargetGroup{TargetGroupIdentifier: g})
	}
	return &types.RuleActionMemberForward{Value: types.ForwardAction{TargetGroups: all}}
}

func fixed(code int32) types.RuleAction {
	return &types.RuleActionMemberFixedResponse{Value: types.FixedResponseAction{StatusCode: &code}}
}

func path(prefix string) types.RuleMatch {
	return &types.RuleMatchMemberHttpMatch{Value: types.HttpMatch{PathMatch: &types.PathMatch{Match: &types.PathMatchTypeMemberPrefix{Value: prefix}}}}
}

func (f *fixture) listener(of *string, name string, port int32, action types.RuleAction) (*string, error) {
	out, err := f.api.CreateListener(f.Context(), &sdk.CreateListenerInput{
		ServiceIdentifier: of, Name: &name, Protocol: types.ListenerProtocolHttp, Port: &port, DefaultAction: action,
	})
	if err != nil {
		return nil, fmt.Errorf("creating a listener: %w", err)
	}
	return out.Id, nil
}

func (f *fixture) rule(of, listener *string, priority int32, match types.RuleMatch, action types.RuleAction) (*string, error) {
	name := fmt.Sprintf("p%d", priority) + "-x"
	out, err := f.api.CreateRule(f.Context(), &sdk.CreateRuleInput{
		ServiceIdentifier: of, ListenerIdentifier: listener, Name: &name, Priority: &priority, Match: match, Action: action,
	})
	if err != nil {
		return nil, fmt.Errorf("creating a rule: %w", err)
	}
	return out.Id, nil
}

const (
	taken   = "ConflictException"
	refused = "ValidationException"
	none    = "ResourceNotFoundException"
	many    = "ServiceQuotaExceededException"
)

func TestChecks(t *testing.T) {
	t.Parallel()
	contract.WantChecks(t, lattice.New(&account.Account{}, nil, lattice.Options{}).Service(), lattice.Checks())
}

func TestServiceLife(t *testing.T) {
	t.Parallel()
	f := start(t)
	in := &sdk.CreateServiceInput{Name: aws.String("web"), ClientToken: aws.String("one"), Tags: map[string]string{"a": "1"}}
	first, err := f.api.CreateService(t.Context(), in)
	again, err2 := f.api.CreateService(t.Context(), in)
	id := contract.Must(t, first, err).Id
	if *contract.Must(t, again, err2).Id != *id || first.Status != types.ServiceStatusCreateInProgress {
		t.Errorf("%+v, then %+v", first, again)
	}
	in.AuthType = types.AuthTypeAwsIam
	_, err = f.api.CreateService(t.Context(), in)
	contract.WantCode(t, err, taken)
	_, err = f.api.CreateService(t.Context(), &sdk.CreateServiceInput{Name: aws.String("web")})
	contract.WantCode(t, err, taken)
	_, err = f.api.CreateService(t.Context(), &sdk.CreateServiceInput{Name: aws.String("-web")})
	if bad, ok := errors.AsType[*types.ValidationException](err); !ok || bad.Reason != types.ValidationExceptionReasonFieldValidationFailed || *bad.FieldList[0].Name != "name" {
		t.Errorf("a bad name: %v", err)
	}
	remove := func() (types.ServiceStatus, string) {
		out, err := f.api.DeleteService(t.Context(), &sdk.DeleteServiceInput{ServiceIdentifier: id})
		if err != nil {
			return "", contract.APICode(err)
		}
		return out.Status, ""
	}
	_, code := remove()
	f.Pass(time.Minute)
	got, err := f.api.GetService(t.Context(), &sdk.GetServiceInput{ServiceIdentifier: first.Arn})
	if now := contract.Must(t, got, err); now.Status != types.ServiceStatusActive || code != taken || !strings.HasPrefix(*now.DnsEntry.DomainName, "web-") {
		t.Errorf("early deletion: %q; %+v", code, now)
	}
	for range 2 {
		if status, _ := remove(); status != types.ServiceStatusDeleteInProgress {
			t.Errorf("deleted: %s", status)
		}
	}
	f.Pass(time.Minute)
	_, err = f.api.GetService(t.Context(), &sdk.GetServiceInput{ServiceIdentifier: id})
	if gone, ok := errors.AsType[*types.ResourceNotFoundException](err); !ok || *gone.ResourceType != "SERVICE" || *gone.ResourceId != *id {
		t.Errorf("gone: %v", err)
	}
}

func TestListenersAndRules(t *testing.T) {
	t.Parallel()
	f := start(t)
	web, other := f.service("web"), f.service("other")
	group, busy := f.group("one"), f.group("two")
	l, err := f.listener(web, "http", 80, forward(group))
	contract.WantCode(t, err, "")
	_, err = f.listener(other, "http", 80, forward(busy))
	contract.WantCode(t, err, "")
	for _, row := range []struct {
		why    string
		port   int32
		action types.RuleAction
		code   string
	}{
		{"the port is taken", 80, fixed(404), taken}, {"a group of another service", 81, forward(busy), taken}, {"no group", 81, forward(aws.String("tg-00000000000000000")), none},
		{"a status that is none", 81, fixed(200), refused}, {"a second one", 81, fixed(404), ""}, {"a third one", 82, fixed(404), many},
	} {
		_, err := f.listener(web, fmt.Sprintf("http-%d", row.port), row.port, row.action)
		if got := contract.APICode(errors.Unwrap(err)); err != nil && got != row.code || err == nil && row.code != "" {
			t.Errorf("%s: %v", row.why, err)
		}
	}
	var rules []*string
	for p := range int32(10) {
		r, err := f.rule(web, l, p+1, path("/a"), fixed(404))
		contract.WantCode(t, err, "")
		rules = append(rules, r)
	}
	_, err = f.rule(web, l, 50, path("/a"), fixed(404))
	if over, ok := errors.AsType[*types.ServiceQuotaExceededException](err); !ok || *over.ServiceCode != "vpc-lattice" {
		t.Errorf("too many: %v", err)
	}
	update := func(all ...types.RuleUpdate) (int, int) {
		out, err := f.api.BatchUpdateRule(t.Context(), &sdk.BatchUpdateRuleInput{ServiceIdentifier: web, ListenerIdentifier: l, Rules: all})
		got := contract.Must(t, out, err)
		return len(got.Successful), len(got.Unsuccessful)
	}
	to := func(i int, p int32) types.RuleUpdate { return types.RuleUpdate{RuleIdentifier: rules[i], Priority: &p} }
	if good, bad := update(to(0, 2), to(1, 1)); good != 2 || bad != 0 {
		t.Errorf("a change of places: %d %d", good, bad)
	}
	if good, bad := update(to(2, 50), to(3, 5), types.RuleUpdate{RuleIdentifier: aws.String("rule-00000000000000000")}); good != 1 || bad != 2 {
		t.Errorf("one good of three: %d %d", good, bad)
	}
	listed, err := f.api.ListRules(t.Context(), &sdk.ListRulesInput{ServiceIdentifier: web, ListenerIdentifier: l})
	all := contract.Must(t, listed, err).Items
	if last := all[len(all)-1]; *all[0].Id != *rules[1] || !*last.IsDefault {
		t.Errorf("first %v, last %v", all[0], last)
	}
	_, err = f.api.DeleteRule(t.Context(), &sdk.DeleteRuleInput{ServiceIdentifier: web, ListenerIdentifier: l, RuleIdentifier: all[len(all)-1].Id})
	contract.WantCode(t, err, refused)
	_, err = f.api.DeleteTargetGroup(t.Context(), &sdk.DeleteTargetGroupInput{TargetGroupIdentifier: group})
	contract.WantCode(t, err, taken)
}

func TestTargets(t *testing.T) {
	t.Parallel()
	f := start(t)
	group, web := f.group("one"), f.service("web")
	target := func(id string) types.Target { return types.Target{Id: &id} }
	put, err := f.api.RegisterTargets(t.Context(), &sdk.RegisterTargetsInput{
		TargetGroupIdentifier: group, Targets: []types.Target{target("10.0.0.9"), target("x"), target("2001:db8::1")},
	})
	if got := contract.Must(t, put, err); len(got.Successful) != 1 || len(got.Unsuccessful) != 2 {
		t.Errorf("registered %+v", got)
	}
	state := func() string {
		out, err := f.api.ListTargets(t.Context(), &sdk.ListTargetsInput{TargetGroupIdentifier: group})
		all := contract.Must(t, out, err).Items
		if len(all) == 0 {
			return ""
		}
		return fmt.Sprintf("%s %d %s", *all[0].Id, *all[0].Port, all[0].Status)
	}
	got := []string{state()}
	_, err = f.listener(web, "http", 80, forward(group))
	contract.WantCode(t, err, "")
	got = append(got, state())
	f.Pass(time.Minute)
	got = append(got, state())
	away := &sdk.DeregisterTargetsInput{TargetGroupIdentifier: group, Targets: []types.Target{target("10.0.0.9")}}
	for _, bad := range []int{0, 1} {
		out, err := f.api.DeregisterTargets(t.Context(), away)
		if n := len(contract.Must(t, out, err).Unsuccessful); n != bad {
			t.Errorf("%d unsuccessful, want %d", n, bad)
		}
	}
	got = append(got, state())
	f.Pass(time.Minute)
	got = append(got, state())
	if diff := cmp.Diff([]string{"10.0.0.9 80 UNUSED", "10.0.0.9 80 INITIAL", "10.0.0.9 80 HEALTHY", "10.0.0.9 80 DRAINING", ""}, got); diff != "" {
		t.Error(diff)
	}
}

func TestAssociations(t *testing.T) {
	t.Parallel()
	f := start(t)
	network, web, vpc := f.network("net"), f.service("web"), f.Sim.World().VPC
	link := func() (*string, string) {
		out, err := f.api.CreateServiceNetworkServiceAssociation(t.Context(), &sdk.CreateServiceNetworkServiceAssociationInput{
			ServiceIdentifier: web, ServiceNetworkIdentifier: network,
		})
		if err != nil {
			return nil, contract.APICode(err)
		}
		return out.Id, ""
	}
	id, first := link()
	_, second := link()
	unlink := func() string {
		_, err := f.api.DeleteServiceNetworkServiceAssociation(t.Context(), &sdk.DeleteServiceNetworkServiceAssociationInput{ServiceNetworkServiceAssociationIdentifier: id})
		return contract.APICode(err)
	}
	early := unlink()
	joined, err := f.api.CreateServiceNetworkVpcAssociation(t.Context(), &sdk.CreateServiceNetworkVpcAssociationInput{
		ServiceNetworkIdentifier: network, VpcIdentifier: &vpc, SecurityGroupIds: []string{f.Sim.World().NodeSecurityGroup},
	})
	join := contract.Must(t, joined, err).Id
	_, err = f.api.CreateServiceNetworkVpcAssociation(t.Context(), &sdk.CreateServiceNetworkVpcAssociationInput{ServiceNetworkIdentifier: network, VpcIdentifier: &vpc})
	contract.WantCode(t, err, taken)
	f.Pass(time.Minute)
	_, err = f.api.DeleteService(t.Context(), &sdk.DeleteServiceInput{ServiceIdentifier: web})
	inUse := contract.APICode(err)
	if diff := cmp.Diff([]string{"", taken, taken, taken, ""}, []string{first, second, early, inUse, unlink()}); diff != "" {
		t.Error(diff)
	}
	_, again := link()
	f.Pass(time.Minute)
	_, later := link()
	if again != taken || later != "" {
		t.Errorf("%q while it goes, %q after", again, later)
	}
	_, err = f.api.UpdateServiceNetworkVpcAssociation(t.Context(), &sdk.UpdateServiceNetworkVpcAssociationInput{
		ServiceNetworkVpcAssociationIdentifier: join, SecurityGroupIds: []string{"sg-0"},
	})
	contract.WantCode(t, err, refused)
	_, err = f.api.DeleteServiceNetwork(t.Context(), &sdk.DeleteServiceNetworkInput{ServiceNetworkIdentifier: network})
	if err == nil || !strings.Contains(err.Error(), "has VPC(s) associated") {
		t.Errorf("a network in use: %v", err)
	}
}

func TestPoliciesLogsAndTags(t *testing.T) {
	t.Parallel()
	f := start(t)
	network := f.network("net")
	log := func(destination string) string {
		_, err := f.api.CreateAccessLogSubscription(t.Context(), &sdk.CreateAccessLogSubscriptionInput{ResourceIdentifier: network, DestinationArn: &destination})
		return contract.APICode(err)
	}
	if diff := cmp.Diff([]string{"", taken, "", refused}, []string{log("arn:aws:s3:::a"), log("arn:aws:s3:::b"), log("arn:aws:logs:us-west-2:1:log-group:a"), log("x")}); diff != "" {
		t.Error(diff)
	}
	put := func(policy string) string {
		out, err := f.api.PutAuthPolicy(t.Context(), &sdk.PutAuthPolicyInput{ResourceIdentifier: network, Policy: &policy})
		if err != nil {
			return contract.APICode(err)
		}
		return string(out.State)
	}
	const good = `{"Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}]}`
	states := []string{put("x"), put(good + "\n"), put(good)}
	_, err := f.api.UpdateServiceNetwork(t.Context(), &sdk.UpdateServiceNetworkInput{ServiceNetworkIdentifier: network, AuthType: types.AuthTypeAwsIam})
	contract.WantCode(t, err, "")
	if diff := cmp.Diff([]string{refused, refused, "Inactive", "Active"}, append(states, put(good))); diff != "" {
		t.Error(diff)
	}
	_, err = f.api.TagResource(t.Context(), &sdk.TagResourceInput{ResourceArn: network, Tags: map[string]string{"a": "1", "b": "2"}})
	contract.WantCode(t, err, "")
	_, err = f.api.UntagResource(t.Context(), &sdk.UntagResourceInput{ResourceArn: network, TagKeys: []string{"a"}})
	contract.WantCode(t, err, "")
	tags, err := f.api.ListTagsForResource(t.Context(), &sdk.ListTagsForResourceInput{ResourceArn: network})
	if diff := cmp.Diff(map[string]string{"b": "2"}, contract.Must(t, tags, err).Tags); diff != "" {
		t.Error(diff)
	}
}
