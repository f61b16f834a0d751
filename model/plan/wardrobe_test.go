package plan_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/plan"
)

// dressed is a load balancer with listeners of these certificates, by port from 443 on.
func dressed(listeners ...[]model.ARN) model.Stack {
	s := guarded("", nil)
	like := s.Listeners[0]
	like.Rules, like.DefaultActions = nil, like.DefaultActions[1:]
	s.Listeners = nil
	for i, certificates := range listeners {
		l := like
		l.ARN, l.Port, l.Certificates = model.ARN("l"+string(rune('0'+i))), 443+i, certificates
		s.Listeners = append(s.Listeners, l)
	}
	return s
}

// TestQuotaOfCertificates: AWS takes so many certificates a load balancer, without the defaults. At no time there are more, in the end all are
// there, and each that goes before its successor is there is named.
func TestQuotaOfCertificates(t *testing.T) {
	t.Parallel()
	opts := plan.Options{Quotas: model.Quotas{CertificatesPerLoadBalancer: 2}}
	for _, row := range []struct {
		why        string
		have, want model.Stack
		named      []string
	}{
		{"there is room for one: it comes first", dressed([]model.ARN{"d", "a"}), dressed([]model.ARN{"d", "b"}), nil},
		{"full: the old go, each before one that is new", dressed([]model.ARN{"d", "a", "b"}), dressed([]model.ARN{"d", "x", "y"}), []string{"a", "b"}},
		{"full, and one stays", dressed([]model.ARN{"d", "a", "b"}), dressed([]model.ARN{"d", "a", "y"}), []string{"b"}},
		{"the room is on another port", dressed([]model.ARN{"d", "a"}, []model.ARN{"d", "b"}), dressed([]model.ARN{"d", "a", "x"}, []model.ARN{"d"}), []string{"b"}},
		{"a port goes with its certificates: nobody is exposed", dressed([]model.ARN{"d"}, []model.ARN{"d", "a", "b"}), dressed([]model.ARN{"d", "x", "y"}), nil},
		{
			"a port ends TLS, and the other begins it: nobody is exposed",
			plain(dressed([]model.ARN{"d"}, []model.ARN{"d", "a", "b"}), 443), plain(dressed([]model.ARN{"d", "x", "y"}, []model.ARN{"d"}), 444), nil,
		},
		{"the default is listed as well: nobody is exposed", dressed([]model.ARN{"d", "d", "b"}), dressed([]model.ARN{"d", "b", "x"}), nil},
		{"so is one that is the default no more", dressed([]model.ARN{"a", "a", "b"}), dressed([]model.ARN{"d", "b", "x"}), nil},
		{"one becomes the default, and all room is asked for", dressed([]model.ARN{"d", "a", "b"}), dressed([]model.ARN{"a", "x", "y"}), []string{"a", "b"}},
		{"the default changes, and one becomes it", dressed([]model.ARN{"d", "a", "b"}), dressed([]model.ARN{"a", "x"}), []string{"b"}},
	} {
		p := plan.Diff(row.want, row.have, opts)
		at := row.have
		for _, c := range p.Changes {
			at = follow(t, at, plan.Plan{Owner: p.Owner, Changes: []plan.Change{c}, Known: p.Known})
			if n := extras(at); n > 2 {
				t.Errorf("%s: %d certificates after change %d:\n%s", row.why, n, c.ID, p)
			}
		}
		for _, c := range p.Changes {
			if c.Op == plan.AddListenerCertificates && !ordered(p, c.ID) {
				t.Errorf("%s: change %d may come before those that make room for it:\n%s", row.why, c.ID, p)
			}
		}
		for _, name := range []string{"a", "b"} {
			got := slices.ContainsFunc(p.Notes, func(n string) bool { return strings.Contains(n, "that of "+name+" goes") })
			if got != slices.Contains(row.named, name) {
				t.Errorf("%s: %s is named: %t, of %q", row.why, name, got, p.Notes)
			}
		}
		converges(t, row.want, row.have, opts)
	}
}

// plain takes TLS from a port.
func plain(s model.Stack, port int) model.Stack {
	for i := range s.Listeners {
		if l := &s.Listeners[i]; l.Port == port {
			l.Protocol, l.Certificates, l.SSLPolicy, l.MutualAuth = "HTTP", nil, "", nil
		}
	}
	return s
}

// extras counts the certificates that are no default.
func extras(s model.Stack) int {
	n := 0
	for _, l := range s.Listeners {
		n += max(len(l.Certificates)-1, 0)
	}
	return n
}

// ordered tells whether a change comes after all removals, and deletions of listeners, that are listed before it.
func ordered(p plan.Plan, id int) bool {
	var earlier []int
	for _, c := range p.Changes[:id-1] {
		if c.Op == plan.RemoveListenerCertificates || c.Op == plan.DeleteListener {
			earlier = append(earlier, c.ID)
		}
	}
	return len(earlier) == 0 || after(p, id, earlier[len(earlier)-1:])
}

// TestCertificatesComeBeforeTheDefaultChanges: also where clients have to show certificates of their own from now on, and the default answer is
// another one.
func TestCertificatesComeBeforeTheDefaultChanges(t *testing.T) {
	t.Parallel()
	have, want := dressed([]model.ARN{"old"}), dressed([]model.ARN{"other", "new"})
	want.Listeners[0].MutualAuth = &model.MutualAuth{Mode: "passthrough"}
	want.Listeners[0].DefaultActions = []model.Action{{Type: model.ActionFixedResponse, FixedResponse: &model.FixedResponse{StatusCode: "204"}}}
	p := plan.Diff(want, have, plan.Options{})
	var added []int
	for _, c := range p.Changes {
		if c.Op == plan.AddListenerCertificates {
			added = append(added, c.ID)
		}
		if c.Op == plan.ModifyListener && (len(added) != 1 || !after(p, c.ID, added)) {
			t.Errorf("the default changes before the certificate for its names is there:\n%s", p)
		}
	}
	converges(t, want, have, plan.Options{})
}
