package main

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/headgate/headgate/test/policy"
)

func TestFiguresAreRead(t *testing.T) {
	t.Parallel()
	got := figures(`goos: linux
BenchmarkEvaluate/hosts-2   	 3000000	       250.5 ns/op	     128 B/op	       2 allocs/op
BenchmarkCrowd/Memory-16    	       2	  90000000 ns/op	       310.0 MiB
PASS
`)
	want := map[string]float64{
		"BenchmarkEvaluate/hosts": 250.5, "BenchmarkEvaluate/hosts B/op": 128, "BenchmarkEvaluate/hosts allocs/op": 2,
		"BenchmarkCrowd/Memory": 9e7, "BenchmarkCrowd/Memory MiB": 310,
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("figures (-want +got):\n%s", d)
	}
	for _, of := range suites() {
		for _, f := range of.rows {
			if _, ok := f.of(nil); ok {
				t.Errorf("%s has a figure where nothing was measured", f.name)
			}
		}
	}
}

func TestRefusedRegistrationsDoNotCount(t *testing.T) {
	t.Parallel()
	call := func(group, target string, refused bool) made {
		form := url.Values{"Action": {"RegisterTargets"}, "TargetGroupArn": {group}, "Targets.member.1.Id": {target}}
		return made{Call: policy.Call{Service: "elasticloadbalancing", Action: "RegisterTargets"}, refused: refused, body: form.Encode()}
	}
	calls := []made{call("a", "10.0.0.1", false), call("a", "10.0.0.1", false), call("b", "10.0.0.1", false), call("b", "10.0.0.2", true)}
	if got := registered(calls); len(got) != 2 {
		t.Errorf("%v, want two targets", got)
	}
	reads, writes, refused := count(append(calls, made{Call: policy.Call{Service: "ec2", Action: "DescribeVpcs"}}))
	if reads != 1 || writes != 4 || refused != 1 {
		t.Errorf("%d reads, %d writes, %d refused", reads, writes, refused)
	}
}

func TestWhenTheFirstServes(t *testing.T) {
	t.Parallel()
	began := time.Unix(0, 0)
	call := func(action, group, host string, second int) made {
		form := url.Values{"Action": {action}}
		if action == "CreateRule" {
			form.Set("Conditions.member.1.HostHeaderConfig.Values.member.1", host)
			form.Set("Actions.member.1.ForwardConfig.TargetGroups.member.1.TargetGroupArn", group)
		} else {
			form.Set("TargetGroupArn", group)
		}
		return made{Call: policy.Call{Service: "elasticloadbalancing", Action: action}, ended: began.Add(time.Duration(second) * time.Second), body: form.Encode()}
	}
	calls := []made{
		call("CreateRule", "a", "one", 1), call("CreateRule", "b", "one", 2), call("CreateRule", "c", "two", 3), call("CreateRule", "d", "two", 4),
		call("RegisterTargets", "a", "", 5), call("RegisterTargets", "b", "", 9), call("RegisterTargets", "c", "", 2), call("RegisterTargets", "d", "", 6),
	}
	if got, err := serving(calls); err != nil || got.Sub(began) != 6*time.Second {
		t.Errorf("it serves after %s, %v; want 6 s, when all of the second host is there", got.Sub(began), err)
	}
	if _, err := serving(calls[:1]); err == nil {
		t.Error("a half counts as the whole")
	}
	if _, err := serving(calls[:4]); err == nil {
		t.Error("rules without targets serve")
	}
}

func TestMissedGoalsAreExplained(t *testing.T) {
	t.Parallel()
	row := func(missed string, got ...float64) measured {
		return measured{name: "row", most: []float64{1.2, anything, 10}, got: got, missed: missed}
	}
	for name, r := range map[string]struct {
		row        measured
		over, told bool
	}{
		"reached":             {row("", 1.2, 7, 10), false, false},
		"as the page shows":   {row("", 1.204, 7, 10), false, false},
		"over":                {row("", 1.21, 7, 10), true, true},
		"over, and why":       {row("because", 1, 7, 11), true, false},
		"not wholly measured": {row("", 1, 7), true, true},
	} {
		if r.row.over() != r.over || (unexplained([]measured{r.row}) != nil) != r.told {
			t.Errorf("%s: over %v, unexplained %v", name, r.row.over(), unexplained([]measured{r.row}))
		}
		if got := strings.Contains(document(nil, []measured{r.row}), "- *row:*"); got != r.over {
			t.Errorf("%s: the page lists it among those over their goals: %v", name, got)
		}
	}
	for _, sc := range scenes() {
		for _, st := range sc.steps {
			if (st.row.goal == "") != (len(st.row.most) == 0) {
				t.Errorf("%s: the goal %q has the numbers %v", st.row.name, st.row.goal, st.row.most)
			}
		}
	}
}
