package gateway

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/headgate/headgate/controllers/stack"
	"github.com/headgate/headgate/model"
)

const (
	byName    = `{group: gateway.k8s.aws, kind: TargetGroupName, name: legacy`
	theirs    = `{name: web, namespace: infra, port: 80}`
	ourBack   = `{name: web, port: 80}`
	ownGroups = `spec.rules[0].backendRefs[0]`
)

func TestTargetGroupsByName(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		why, backends string
		want          []string
		whole         int
	}{
		{"a weight is one where none is written", byName + `}`, []string{"legacy 1"}, 500},
		{"beside a Service", ourBack + `, ` + byName + `, weight: 3}`, []string{"web 1", "legacy 3"}, 500},
		{"a Service alone is known to be there", ourBack, []string{"web 1"}, 0},
		{"beside a Service that may not be named the whole rule answers", byName + `}, ` + theirs, nil, 0},
		{"a weight of nothing", byName + `, weight: 0}`, nil, 0},
	} {
		v := verdictOf(snapshotOf(t, anyListener, routeWith(`{backendRefs: [`+c.backends+`]}`)))
		r := v.routes[0].fragment.Routes[0]
		if c.want == nil {
			if r.Fixed == nil || r.Fixed.StatusCode != 500 {
				t.Errorf("%s: %+v", c.why, r)
			}
			continue
		}
		var got []string
		for _, b := range r.Forward.Backends {
			name := b.TargetGroupName
			if b.Service != nil {
				name = b.Service.Name
			}
			got = append(got, fmt.Sprintf("%s %d", name, b.Weight))
		}
		if diff := cmp.Diff(c.want, got); diff != "" || r.Forward.Whole != c.whole || len(v.Findings) > 0 {
			t.Errorf("%s: %s, answers %d, %v", c.why, diff, r.Forward.Whole, v.Findings)
		}
	}
}

// A call without a backend ends with 503, which clients of gRPC understand.
func TestTargetGroupsOfCalls(t *testing.T) {
	t.Parallel()
	v := verdictOf(snapshotOf(t, `[{name: secure, port: 443, protocol: HTTPS, hostname: x.com, allowedRoutes: {namespaces: {from: All}}}]`, `{kind: GRPCRoute, metadata: {namespace: app, name: r}, spec: {parentRefs: [{name: gw, namespace: infra}],
		rules: [{backendRefs: [`+byName+`}]}]}}`))
	if routes := v.routes[0].fragment.Routes; len(routes) != 1 || routes[0].Forward == nil || routes[0].Forward.Whole != 503 {
		t.Errorf("%+v", routes)
	}
}

func TestTargetGroupsThatAreNotThere(t *testing.T) {
	t.Parallel()
	v := verdictOf(snapshotOf(t, anyListener, routeWith(`{backendRefs: [`+byName+`}]}`)))
	j := v.routes[0]
	lost := model.Finding{Object: j.fragment.Member, Severity: model.Answered, Reason: model.ReasonNoTargetGroup, Field: ownGroups, Message: "no"}
	partly := model.Finding{Object: j.fragment.Member, Severity: model.Answered, Reason: model.ReasonPartly, Field: "spec.rules[0]", Message: "in part"}
	for _, c := range []struct {
		why   string
		finds []model.Finding
		want  map[string]string
	}{
		{"it is there", nil, map[string]string{"Accepted": "True/Accepted", "ResolvedRefs": "True/ResolvedRefs"}},
		{"it is not", []model.Finding{lost}, map[string]string{"Accepted": "True/Accepted", "ResolvedRefs": "False/BackendNotFound"}},
		{"it is not, beside others", []model.Finding{lost, partly}, map[string]string{
			"Accepted": "True/Accepted", "ResolvedRefs": "False/BackendNotFound", "PartiallyInvalid": "True/UnsupportedValue",
		}},
	} {
		got := reached{Result: stack.Result{Findings: c.finds}}
		status := j.route.Status.RouteStatus.DeepCopy()
		v.routeStatus(j, status, got)
		if diff := cmp.Diff(c.want, words(status.Parents[0].Conditions)); diff != "" {
			t.Errorf("%s: %s", c.why, diff)
		}
	}
}

// Nobody grants leave for a target group: it is in no namespace, and what was good stays.
func TestTargetGroupsNeedNoGrant(t *testing.T) {
	t.Parallel()
	v := verdictOf(snapshotOf(t, anyListener, routeWith(`{backendRefs: [`+byName+`, namespace: other, port: 80}]}`)))
	if diff := cmp.Diff([]string{
		ownGroups + ".port changes nothing: targets of a target group have ports of their own: remove it",
		ownGroups + ".namespace changes nothing: target groups are in no namespace: remove it",
	}, messages(v.Findings)); diff != "" {
		t.Error(diff)
	}
	kept := v.permit(v.routes[0].fragment)
	if len(kept.Routes) != 1 || kept.Routes[0].Forward == nil || kept.Routes[0].Forward.Backends[0].TargetGroupName != "legacy" {
		t.Errorf("%+v", kept)
	}
}
