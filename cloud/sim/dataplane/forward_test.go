package dataplane

import (
	"net/http"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/google/go-cmp/cmp"
)

// weighted forwards to the two groups of a test.
func weighted(one, two int32, sticky bool) elbtypes.Action {
	a := forwardTo(groupARN, groupTwoARN)
	a.ForwardConfig.TargetGroups[0].Weight = aws.Int32(one)
	a.ForwardConfig.TargetGroups[1].Weight = aws.Int32(two)
	if sticky {
		a.ForwardConfig.TargetGroupStickinessConfig = &elbtypes.TargetGroupStickinessConfig{Enabled: aws.Bool(true), DurationSeconds: aws.Int32(100)}
	}
	return a
}

func TestWeights(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		why      string
		one, two int32
		// least and most answers of the first group among 300.
		least, most int
	}{
		{"ten to twenty is a third", 10, 20, 97, 103},
		{"equal weights are halves", 1, 1, 148, 152},
		{"a weight of zero gets nothing", 0, 1, 0, 0},
	} {
		t.Run(row.why, func(t *testing.T) {
			t.Parallel()
			a, err := compileForward(weighted(row.one, row.two, false))
			if err != nil {
				t.Fatal(err)
			}
			f, ok := a.(*forward)
			if !ok {
				t.Fatalf("compiled to %T", a)
			}
			got := map[string]int{}
			for range 300 {
				got[f.next()]++
			}
			if got[groupARN] < row.least || got[groupARN] > row.most || got[groupARN]+got[groupTwoARN] != 300 {
				t.Errorf("shares %v, want the first between %d and %d", got, row.least, row.most)
			}
		})
	}
}

func TestWeightsDoNotFailOver(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	b := newBackend(t, "one", nil)
	w.group(groupARN, nil, b.address)
	w.group(groupTwoARN, nil)
	at := w.listen("HTTP", always(weighted(1, 1, false)))
	got := map[int]int{}
	for range 20 {
		got[get(t, "http://"+at).StatusCode]++
	}
	if got[http.StatusOK] < 9 || got[http.StatusServiceUnavailable] < 9 {
		t.Errorf("answers %v: the share of the empty group must be 503", got)
	}
	w.listener().Rules = []Rule{always(weighted(0, 0, false))}
	w.apply()
	if got := get(t, "http://"+at).StatusCode; got != http.StatusServiceUnavailable {
		t.Errorf("all weights zero: %d", got)
	}
}

func TestAlgorithms(t *testing.T) {
	t.Parallel()
	g := &group{server: New(Options{})}
	targets := []*target{{key: targetKey{"a", 1}}, {key: targetKey{"b", 1}}, {key: targetKey{"c", 1}}}
	count := func(algorithm string, n int) map[string]int {
		got := map[string]int{}
		for range n {
			got[g.pick(targets, &groupSettings{algorithm: algorithm}).key.id]++
		}
		return got
	}
	if diff := cmp.Diff(map[string]int{"a": 10, "b": 10, "c": 10}, count(roundRobin, 30)); diff != "" {
		t.Errorf("round robin (-want +got):\n%s", diff)
	}
	if got := count(weightedRandom, 300); len(got) != 3 {
		t.Errorf("random leaves targets out: %v", got)
	}
	targets[0].outstanding.Store(2)
	targets[2].outstanding.Store(1)
	if diff := cmp.Diff(map[string]int{"b": 30}, count(leastOutstanding, 30)); diff != "" {
		t.Errorf("least outstanding (-want +got):\n%s", diff)
	}
	if g.pick(nil, &groupSettings{}) != nil {
		t.Error("picked from nothing")
	}
}
