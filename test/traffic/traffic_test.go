package traffic

import (
	"slices"
	"testing"

	"github.com/headgate/headgate/cloud/sim"
	"github.com/headgate/headgate/model"
)

// row is an Ingress and what requests to it come to.
type row struct {
	name, why string
	// settings, rules and fallback make the Ingress; see [web].
	settings []string
	rules    []string
	fallback string
	// dead are pods that cannot be reached, states how targets are by their pod where that is not healthy.
	dead   []string
	states map[string]string
	// found are the reasons of all findings.
	found []string
	asks  []ask
}

func TestTraffic(t *testing.T) {
	t.Parallel()
	rows := slices.Concat(actions(), redirects(), conditions(), transforms(), paths(), fallbacks(), listeners(), groups())
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			t.Log(r.why)
			r.play(t)
		})
	}
}

// play puts the row's Ingress on a stage of its own and asks.
func (r row) play(t *testing.T) {
	t.Helper()
	s := newStage(t, sim.Options{RuleDelay: -1})
	for _, name := range r.dead {
		s.kill(name)
	}
	if got := reasons(s.apply(web(r.settings, r.rules, r.fallback))); !slices.Equal(got, r.found) {
		t.Errorf("found %v, want %v", got, r.found)
	}
	s.register(owner(), r.states)
	s.check(t, r.asks)
}

// reasons of findings, sorted.
func reasons(findings []model.Finding) []string {
	var out []string
	for _, f := range findings {
		out = append(out, f.Reason)
	}
	slices.Sort(out)
	return out
}
