package fault_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/headgate/headgate/cloud/sim/fault"
)

func create() fault.Call { return fault.Call{Service: "elb", Action: "CreateRule", Kind: "write"} }

// pattern makes n calls and writes X for each that fails.
func pattern(j *fault.Injector, n int) string {
	var b strings.Builder
	for range n {
		if _, hit := j.Next(create()); hit {
			b.WriteString("X")
		} else {
			b.WriteString(".")
		}
	}
	return b.String()
}

func TestWhichCallsFail(t *testing.T) {
	t.Parallel()
	rows := []struct {
		why   string
		fault fault.Fault
		want  string
	}{
		{"without a number each fails", fault.Fault{}, "XXXXXXXX"},
		{"the nth, once", fault.Fault{Nth: 3}, "..X....."},
		{"every nth", fault.Fault{Every: 3}, "..X..X.."},
		{"at most so many times", fault.Fault{Every: 2, Times: 2}, ".X.X...."},
		{"of its action", fault.Fault{Action: "CreateRule"}, "XXXXXXXX"},
		{"of a pattern of actions", fault.Fault{Action: "Create*", Nth: 1}, "X......."},
		{"not of another action", fault.Fault{Action: "DeleteRule"}, "........"},
		{"not of another service", fault.Fault{Service: "ec2"}, "........"},
		{"not of another kind", fault.Fault{Kind: "read"}, "........"},
		{"all by chance", fault.Fault{Chance: 1}, "XXXXXXXX"},
	}
	for _, row := range rows {
		if err := row.fault.Check(); err != nil {
			t.Errorf("%s: %v", row.why, err)
		}
		if got := pattern(fault.NewInjector([]fault.Fault{row.fault}, 1), 8); got != row.want {
			t.Errorf("%s: %s, want %s", row.why, got, row.want)
		}
	}
}

func TestChanceHasASeed(t *testing.T) {
	t.Parallel()
	half := []fault.Fault{{Chance: 0.5}}
	const calls = 400
	one, again, other := pattern(fault.NewInjector(half, 1), calls), pattern(fault.NewInjector(half, 1), calls), pattern(fault.NewInjector(half, 2), calls)
	if one != again || one == other {
		t.Error("the same seed must fail the same calls, another one others")
	}
	if n := strings.Count(one, "X"); n < calls/3 || n > 2*calls/3 {
		t.Errorf("%d of %d calls failed", n, calls)
	}
}

func TestSeveralFaultsCountEachCall(t *testing.T) {
	t.Parallel()
	j := fault.NewInjector([]fault.Fault{{Nth: 1, Code: "First"}, {Code: "Second", Seen: 9}}, 1)
	first, _ := j.Next(create())
	second, _ := j.Next(create())
	if first.Code != "First" || second.Code != "Second" {
		t.Errorf("got %s, %s", first.Code, second.Code)
	}
	want := []fault.Fault{{Nth: 1, Code: "First", Seen: 2, Failed: 1}, {Code: "Second", Seen: 2, Failed: 1}}
	if diff := cmp.Diff(want, j.Faults()); diff != "" {
		t.Error(diff)
	}
}

func TestBadFaults(t *testing.T) {
	t.Parallel()
	rows := []struct {
		why   string
		fault fault.Fault
	}{
		{"when is before or after", fault.Fault{When: "during"}},
		{"kinds are known", fault.Fault{Kind: "list"}},
		{"numbers count", fault.Fault{Nth: -1}},
		{"chance is a share", fault.Fault{Chance: 2}},
		{"one choice of calls", fault.Fault{Nth: 1, Every: 2}},
		{"an error has the status of one", fault.Fault{Status: 200}},
		{"patterns are well formed", fault.Fault{Action: "["}},
	}
	for _, row := range rows {
		if row.fault.Check() == nil {
			t.Error(row.why)
		}
	}
}

func TestLatency(t *testing.T) {
	t.Parallel()
	l, err := fault.ParseLatency("read=40ms, write=150ms,ec2=1s,ec2:CreateTags=2s")
	if err != nil {
		t.Fatal(err)
	}
	rows := []struct {
		call fault.Call
		want time.Duration
	}{
		{fault.Call{Service: "elb", Action: "DescribeRules", Kind: "read"}, 40 * time.Millisecond},
		{fault.Call{Service: "elb", Action: "CreateRule", Kind: "write"}, 150 * time.Millisecond},
		{fault.Call{Service: "ec2", Action: "DescribeVpcs", Kind: "read"}, time.Second},
		{fault.Call{Service: "ec2", Action: "CreateTags", Kind: "write"}, 2 * time.Second},
	}
	for _, row := range rows {
		if got := l.Of(row.call); got != row.want {
			t.Errorf("%v takes %v, want %v", row.call, got, row.want)
		}
	}
	body, err := json.Marshal(l)
	var back fault.Latency
	if err != nil || json.Unmarshal(body, &back) != nil {
		t.Fatal(string(body), err)
	}
	if diff := cmp.Diff(l, back); diff != "" {
		t.Error(diff)
	}
	for _, bad := range []string{"read", "read=fast", "read=-1s"} {
		if _, err := fault.ParseLatency(bad); err == nil {
			t.Errorf("%q is no latency", bad)
		}
	}
}

func TestLimiter(t *testing.T) {
	t.Parallel()
	now := time.Unix(0, 0)
	l := fault.NewLimiter(fault.Limits{
		"elb":     {{Actions: []string{"Register*"}, Size: 1, Refill: 1}, {Kind: "write", Size: 2, Refill: 1}},
		fault.Any: {{Size: 1, Refill: 1}},
	}, 10)
	other := fault.Call{Service: "acm", Action: "ListCertificates", Kind: "read"}
	third := fault.Call{Service: "sts", Action: "GetCallerIdentity", Kind: "read"}
	rows := []struct {
		why   string
		call  fault.Call
		after time.Duration
		want  bool
	}{
		{"a full bucket", create(), 0, true},
		{"its last token", create(), 0, true},
		{"an empty bucket", create(), 0, false},
		{"a bucket of its own", fault.Call{Service: "elb", Action: "RegisterTargets", Kind: "write"}, 0, true},
		{"what no bucket holds is free", fault.Call{Service: "elb", Action: "DescribeRules", Kind: "read"}, 0, true},
		{"not yet refilled, though time runs ten times faster", create(), 99 * time.Millisecond, false},
		{"refilled", create(), 2 * time.Millisecond, true},
		{"another service", other, 0, true},
		{"has one bucket", other, 0, false},
		{"and shares it with none", third, 0, true},
	}
	for _, row := range rows {
		now = now.Add(row.after)
		if got := l.Allow(row.call, now); got != row.want {
			t.Errorf("%s: %v", row.why, got)
		}
	}
}

func TestLimitsOfAWS(t *testing.T) {
	t.Parallel()
	var l fault.Limits
	if err := json.Unmarshal([]byte(`"aws"`), &l); err != nil || l.Check() != nil {
		t.Fatal(err, l.Check())
	}
	if diff := cmp.Diff(fault.AWS(), l); diff != "" {
		t.Error(diff)
	}
	limiter, n := fault.NewLimiter(l, 1), 0
	for limiter.Allow(fault.Call{Service: "elasticloadbalancing", Action: "DescribeRules", Kind: "read"}, time.Unix(0, 0)) {
		n++
	}
	if n != 40 {
		t.Errorf("%d reads at once, AWS allows 40", n)
	}
	for _, bad := range []fault.Limits{{"a": {{Size: 0, Refill: 1}}}, {"a": {{Size: 1}}}, {"a": {{Size: 1, Refill: 1, Actions: []string{"["}}}}} {
		if bad.Check() == nil {
			t.Errorf("%v is no limit", bad)
		}
	}
}

func TestParseFault(t *testing.T) {
	t.Parallel()
	got, err := fault.ParseFault("service=ec2, action=Create*,kind=write,nth=3,times=1,when=after,code=X,status=503,message=no luck")
	want := fault.Fault{Service: "ec2", Action: "Create*", Kind: "write", Nth: 3, Times: 1, When: fault.After, Code: "X", Status: 503, Message: "no luck"}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Error(diff, err)
	}
	if got, err := fault.ParseFault("every=7,cut"); err != nil || !got.Cut || got.Every != 7 {
		t.Error(got, err)
	}
	for _, bad := range []string{"", "nth", "nth=x", "cut=no", "chance=often", "size=1", "when=never"} {
		if _, err := fault.ParseFault(bad); err == nil {
			t.Errorf("%q is no fault", bad)
		}
	}
}
