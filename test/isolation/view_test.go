package isolation

import (
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/headgate/headgate/cloud/sim/dataplane"
	"github.com/headgate/headgate/model"
)

// view is what the account holds of the group at one moment, and what requests meet.
type view struct {
	stack  model.Stack
	groups map[string]string
	sim    interface {
		Router(arn string, port int) (*dataplane.Router, bool)
	}
	routers map[int]*dataplane.Router
}

func (w *world) look() *view {
	w.Helper()
	w.eye.Forget(owner())
	seen, err := w.eye.Observe(w.Context(), owner(), nil)
	if err != nil {
		w.Fatal(err)
	}
	v := &view{stack: model.Normalize(seen), groups: map[string]string{}, sim: w.sim, routers: map[int]*dataplane.Router{}}
	for _, g := range v.stack.TargetGroups {
		v.groups[string(g.ARN)] = g.ID[strings.Index(g.ID, "/")+1:]
	}
	return v
}

// answer is what a request meets, in words.
func (v *view) answer(a ask) string {
	if v.stack.LoadBalancer == nil {
		return "no load balancer"
	}
	router, ok := v.routers[a.port]
	if !ok {
		router, _ = v.sim.Router(string(v.stack.LoadBalancer.ARN), a.port)
		v.routers[a.port] = router
	}
	if router == nil {
		return "no listener"
	}
	from := a.from
	if from == "" {
		from = "10.77.0.1"
	}
	rule, ok := router.Rule(&http.Request{Method: http.MethodGet, Host: a.host, RequestURI: a.path, Header: http.Header{}}, netip.MustParseAddr(from))
	if !ok {
		return "no rule"
	}
	return v.told(rule)
}

// told puts the actions of a rule into words.
func (v *view) told(rule dataplane.Rule) string {
	var out []string
	if len(rule.Transforms) > 0 {
		out = append(out, "transformed")
	}
	for _, action := range rule.Actions {
		out = append(out, v.action(action))
	}
	return strings.Join(out, ", ")
}

func (v *view) action(a elbtypes.Action) string {
	switch a.Type {
	case elbtypes.ActionTypeEnumFixedResponse:
		return "fixed " + aws.ToString(a.FixedResponseConfig.StatusCode)
	case elbtypes.ActionTypeEnumRedirect:
		return "redirect " + aws.ToString(a.RedirectConfig.Host)
	case elbtypes.ActionTypeEnumForward:
		var groups []string
		for _, g := range a.ForwardConfig.TargetGroups {
			name := v.groups[aws.ToString(g.TargetGroupArn)]
			if len(a.ForwardConfig.TargetGroups) > 1 {
				name += fmt.Sprintf("*%d", aws.ToInt32(g.Weight))
			}
			groups = append(groups, name)
		}
		slices.Sort(groups)
		return "forward " + strings.Join(groups, " ")
	default:
		return string(a.Type)
	}
}

// without is the stack without the rules and target groups of members.
func (v *view) without(members ...*member) model.Stack {
	s := v.stack
	s.Listeners = slices.Clone(s.Listeners)
	for i, l := range s.Listeners {
		l.Rules = slices.DeleteFunc(slices.Clone(l.Rules), func(r model.Rule) bool {
			return slices.ContainsFunc(members, func(m *member) bool { return m.owns(r) })
		})
		for j := range l.Rules {
			l.Rules[j].Priority = 0
		}
		s.Listeners[i] = l
	}
	s.TargetGroups = slices.DeleteFunc(slices.Clone(s.TargetGroups), func(g model.TargetGroup) bool {
		return slices.ContainsFunc(members, func(m *member) bool { return strings.HasPrefix(g.ID, m.namespace()+"/") })
	})
	return s
}

// owns tells whether a rule is the member's: by where it leads, its host, or its path under the shared host.
func (m *member) owns(r model.Rule) bool {
	for _, a := range r.Actions {
		if a.Forward != nil && slices.ContainsFunc(a.Forward.Groups, func(g model.WeightedGroup) bool {
			return strings.HasPrefix(g.Key, m.namespace()+"/")
		}) {
			return true
		}
	}
	for _, c := range r.Conditions {
		text := fmt.Sprintf("%v", c)
		if strings.Contains(text, m.name+".example") || strings.Contains(text, m.name+`\.example`) || strings.Contains(text, "/"+m.name) {
			return true
		}
	}
	return false
}
