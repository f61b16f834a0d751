package gateway

import (
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/headgate/headgate/controllers/stack"
)

func TestPolicyOfGatewayAndClass(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		why, gateway, class string
		want                stack.Changes
		findings            int
	}{
		{why: "nobody says anything", want: stack.Auto},
		{why: "the Gateway", gateway: "Observe", class: "Auto", want: stack.Observe},
		{why: "the class", gateway: "Auto", class: "ApproveDestructive", want: stack.ApproveDestructive},
		{why: "both cannot be read", gateway: "x", class: "y", want: stack.Approve, findings: 2},
	} {
		s := snapshotOf(t, `[{name: http, port: 80, protocol: HTTP}]`)
		plain := len(verdictOf(s).Request().Findings)
		s.Gateway.Annotations = map[string]string{"headgate.dev/changes": row.gateway}
		s.Class.Annotations = map[string]string{"headgate.dev/changes": row.class}
		if row.gateway == "" {
			s.Gateway.Annotations, s.Class.Annotations = nil, nil
		}
		req := verdictOf(s).Request()
		if req.Policy.Changes != row.want || len(req.Findings)-plain != row.findings {
			t.Errorf("%s: %v, want %v; %v", row.why, req.Policy.Changes, row.want, req.Findings)
		}
		now := metav1.Now()
		s.Gateway.DeletionTimestamp = &now
		if got := verdictOf(s).Request().Policy.Changes; got != row.want {
			t.Errorf("%s: of a Gateway that is deleted %v, want %v", row.why, got, row.want)
		}
	}
}

// TestPolicyOfAClassThatIsGone: what it said last counts, which the stack remembers.
func TestPolicyOfAClassThatIsGone(t *testing.T) {
	t.Parallel()
	s := snapshotOf(t, `[{name: http, port: 80, protocol: HTTP}]`)
	if verdictOf(s).Request().Policy.Unread {
		t.Error("the class is there")
	}
	s.Class = nil
	if !verdictOf(s).Request().Policy.Unread {
		t.Error("the class is gone, and what it said is not asked for")
	}
}

// TestPatienceOfTheClass: the class says how long target groups are waited for, and a Gateway does not.
func TestPatienceOfTheClass(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		why, gateway, class string
		want                time.Duration
		finding             string
	}{
		{why: "nobody says anything"},
		{why: "the class", class: "10m", want: 10 * time.Minute},
		{why: "the class, not to be read", class: "long", finding: "GatewayClass alb headgate.dev/target-group-patience"},
		{why: "the Gateway", gateway: "10m", finding: "headgate.dev/target-group-patience"},
	} {
		s := snapshotOf(t, `[{name: http, port: 80, protocol: HTTP}]`)
		say := func(o metav1.Object, value string) {
			if value != "" {
				o.SetAnnotations(map[string]string{"headgate.dev/target-group-patience": value})
			}
		}
		say(s.Gateway, row.gateway)
		say(s.Class, row.class)
		req, found := verdictOf(s).Request(), ""
		for _, f := range req.Findings {
			if strings.HasSuffix(f.Field, "target-group-patience") {
				found = f.Field
			}
		}
		if req.Policy.Patience != row.want || found != strings.Replace(row.finding, " alb ", " "+s.Class.Name+" ", 1) {
			t.Errorf("%s: %s, found %q", row.why, req.Policy.Patience, found)
		}
	}
}
