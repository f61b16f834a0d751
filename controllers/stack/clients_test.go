package stack_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/headgate/headgate/controllers/stack"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/intent"
)

// onTwoPorts is a member that serves plain HTTP and HTTPS, on which its clients show certificates or do not.
func onTwoPorts(m *intent.MutualAuth) func(*intent.Fragment) {
	return func(f *intent.Fragment) {
		f.Listeners = append(f.Listeners, intent.Listener{
			Port: 443, Protocol: "HTTPS", Certificates: []string{"arn:aws:acm:eu-west-1:1:certificate/c"}, MutualAuth: m,
		})
		f.Routes[0].Ports = []int{80, 443}
	}
}

// TestLostStateAndCertificatesOfClients: of a member that is not known any more the port closes whose clients are to show certificates and
// cannot be asked for them; the rest stays, and the end is an end.
func TestLostStateAndCertificatesOfClients(t *testing.T) {
	t.Parallel()
	const openA, shutA = "a.example.com shop/a-svc:80", "a.example.com 503"
	for _, row := range []struct {
		why, observed string
		want          []string
	}{
		{"AWS asks for none", model.MutualOff, []string{shutA, openA, serveB}},
		{"AWS asks for them already", model.MutualVerify, []string{openA, openA, serveB}},
	} {
		w := newWorld(t)
		w.settle(request(member("a", onTwoPorts(nil)), member("b")))
		w.lose()
		w.restart()
		listeners := w.aws.stacks[owner()].Listeners
		i := slices.IndexFunc(listeners, func(l model.Listener) bool { return l.Port == 443 })
		listeners[i].MutualAuth = &model.MutualAuth{Mode: row.observed}
		broken := request(member("a", onTwoPorts(&intent.MutualAuth{Mode: model.MutualVerify, TrustStore: "gone", Field: "mutual"})), member("b"))
		for range 3 {
			w.settle(broken)
			got := w.answers()
			slices.Sort(got)
			if diff := cmp.Diff(row.want, got); diff != "" {
				t.Errorf("invariant 8: %s: %s", row.why, diff)
			}
		}
	}
}

// TestRankIsThatOfTheLastGoodState: while the rank of a member cannot be read its rules stay in their place, over a restart too.
func TestRankIsThatOfTheLastGoodState(t *testing.T) {
	t.Parallel()
	ranked := func(rank int) func(*intent.Fragment) { return func(f *intent.Fragment) { f.Rank = rank } }
	for _, row := range []struct {
		why         string
		good, wrong stack.Request
		want        []string
	}{
		{
			"it came last", request(member("b", ranked(5)), member("a", ranked(10))), request(member("a"), member("b", ranked(5))),
			[]string{serveB, serveA},
		},
		{
			"its name came last among equals", request(member("0", ranked(10)), member("a", ranked(10))), request(member("a"), member("0", ranked(10))),
			[]string{"0.example.com shop/0-svc:80", serveA},
		},
	} {
		w := newWorld(t)
		w.settle(row.good)
		if diff := cmp.Diff(row.want, w.answers()); diff != "" {
			t.Fatalf("%s: before: %s", row.why, diff)
		}
		broken := wrong(row.wrong, "group.order")
		w.settle(broken)
		w.restart()
		w.settle(broken)
		if diff := cmp.Diff(row.want, w.answers()); diff != "" {
			t.Errorf("invariant 3: %s: %s", row.why, diff)
		}
	}
}
