package plan_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/plan"
)

func guarded(digest string, mutual *model.MutualAuth) model.Stack {
	fixed := model.Action{Type: model.ActionFixedResponse, FixedResponse: &model.FixedResponse{StatusCode: "200"}}
	oidc := model.Action{Type: model.ActionOIDC, OIDC: &model.OIDC{
		Issuer: "https://i", ClientID: "web", Secret: model.SecretRef{Namespace: "shop", Name: "idp"}, Digest: digest,
	}}
	return model.Stack{
		Owner:        model.Owner{Cluster: "c", Prefix: model.PrefixIngress, Stack: "s"},
		LoadBalancer: &model.LoadBalancer{ID: "LoadBalancer", ARN: "lb", Name: "n", Type: "application", Scheme: "internal", State: "active"},
		Listeners: []model.Listener{{
			ARN: "l", Port: 443, Protocol: "HTTPS", Certificates: []model.ARN{"arn:c"}, MutualAuth: mutual, DefaultActions: []model.Action{oidc, fixed},
			Rules: []model.Rule{{
				ARN: "r", Priority: 1, Conditions: []model.Condition{{Field: model.FieldPath, Values: []string{"/a"}}}, Actions: []model.Action{oidc, fixed},
			}},
		}},
	}
}

// seen is what AWS shows of a stack.
func seen(s model.Stack) model.Stack {
	l := s.Listeners[0]
	l.DefaultActions = model.SansSecrets(l.DefaultActions)
	r := l.Rules[0]
	r.Actions = model.SansSecrets(r.Actions)
	l.Rules = []model.Rule{r}
	s.Listeners = []model.Listener{l}
	return s
}

func TestNewSecretIsGivenOnce(t *testing.T) {
	t.Parallel()
	applied := plan.AppliedOf(guarded("one", nil))
	doubt := plan.AppliedOf(guarded("?", nil))
	scope := guarded("one", nil)
	scope.Listeners[0].Rules[0].Actions = append([]model.Action{}, scope.Listeners[0].Rules[0].Actions...)
	changed := *scope.Listeners[0].Rules[0].Actions[0].OIDC
	changed.Session.Scope = "email"
	scope.Listeners[0].Rules[0].Actions[0].OIDC = &changed
	for _, row := range []struct {
		why     string
		want    model.Stack
		applied map[model.Key]plan.Applied
		keeps   map[plan.Op]bool
	}{
		{"the same secret", guarded("one", nil), applied, map[plan.Op]bool{}},
		{"a secret of which nothing is remembered counts as the same", guarded("one", nil), nil, map[plan.Op]bool{}},
		{"another one", guarded("two", nil), applied, map[plan.Op]bool{plan.ModifyRule: false, plan.ModifyListener: false}},
		{"one that may have been given", guarded("one", nil), doubt, map[plan.Op]bool{plan.ModifyRule: false, plan.ModifyListener: false}},
		{"something else changes: AWS keeps what it has", scope, applied, map[plan.Op]bool{plan.ModifyRule: true}},
		{"and so where nothing is remembered", scope, nil, map[plan.Op]bool{plan.ModifyRule: true}},
	} {
		got := map[plan.Op]bool{}
		for _, c := range plan.Diff(row.want, seen(guarded("", nil)), plan.Options{Applied: row.applied}).Changes {
			switch c.Op {
			case plan.ModifyRule:
				got[c.Op] = c.Rule.Actions[0].OIDC.KeepSecret
			default:
				got[c.Op] = c.Listener.DefaultActions[0].OIDC.KeepSecret
			}
		}
		if diff := cmp.Diff(row.keeps, got); diff != "" {
			t.Errorf("%s: what keeps its secret (-want +got): %s", row.why, diff)
		}
	}
}

func TestMutualAuthenticationIsResetOnlyIfWeSetIt(t *testing.T) {
	t.Parallel()
	verify := &model.MutualAuth{Mode: model.MutualVerify, TrustStore: "arn:t"}
	passes := &model.MutualAuth{Mode: model.MutualPassthrough}
	off := &model.MutualAuth{Mode: model.MutualOff}
	ours := plan.AppliedOf(guarded("", verify))
	for _, row := range []struct {
		why        string
		want, have *model.MutualAuth
		applied    map[model.Key]plan.Applied
		mode       string
	}{
		{"nobody asks, and we did not set it", nil, verify, nil, ""},
		{"nobody asks any more, and we had set it", nil, verify, ours, model.MutualOff},
		{"it is off already", nil, nil, ours, ""},
		{"off is off", off, nil, nil, ""},
		{"switched off", off, verify, nil, model.MutualOff},
		{"asked for", verify, nil, nil, model.MutualVerify},
		{"as it is", verify, verify, nil, ""},
		{"otherwise", passes, verify, nil, model.MutualPassthrough},
	} {
		var modes []string
		for _, c := range plan.Diff(guarded("", row.want), seen(guarded("", row.have)), plan.Options{Applied: row.applied}).Changes {
			modes = append(modes, c.Listener.MutualAuth.Mode)
		}
		if got := strings.Join(modes, " "); got != row.mode {
			t.Errorf("%s: %q, want %q", row.why, got, row.mode)
		}
	}
}

// TestMutualAuthenticationStaysWhereItCannotBeServed: what somebody asks for and cannot have is not what nobody asks for.
func TestMutualAuthenticationStaysWhereItCannotBeServed(t *testing.T) {
	t.Parallel()
	verify := &model.MutualAuth{Mode: model.MutualVerify, TrustStore: "arn:t"}
	want := guarded("", nil)
	want.Listeners[0].KeepMutualAuth = true
	got := plan.Diff(want, seen(guarded("", verify)), plan.Options{Applied: plan.AppliedOf(guarded("", verify))})
	if len(got.Changes) > 0 {
		t.Errorf("it is changed:\n%s", got)
	}
}
