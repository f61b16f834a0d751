package outcome_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/headgate/headgate/controllers/outcome"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/fault"
)

func classed(class fault.Class, after time.Duration) error {
	return fmt.Errorf("doing it: %w", &fault.Error{Class: class, Code: "Code", Action: "ec2:Do", RetryAfter: after, Err: errors.New("no")})
}

func TestOutcome(t *testing.T) {
	t.Parallel()
	waits := []model.Waiting{{Key: model.Key{Kind: model.KindLoadBalancer, ID: "LoadBalancer"}, For: "active"}}
	for _, c := range []struct {
		why     string
		attempt outcome.Attempt
		reason  string
		after   time.Duration
		says    string
	}{
		{"all is well", outcome.Attempt{}, "SuccessfullyReconciled", 0, ""},
		{"well, but AWS is still at it", outcome.Attempt{Provisioning: true}, "SuccessfullyReconciled", 3 * time.Second, ""},
		{"a step waits", outcome.Attempt{Waits: waits}, "Waiting", 3 * time.Second, "LoadBalancer/LoadBalancer until active"},
		{"the rest of a plan follows at once", outcome.Attempt{Again: true, Waits: waits}, "Waiting", 100 * time.Millisecond, "the rest follows"},
		{"blocked", outcome.Attempt{Blocked: "no subnets"}, "CannotBuild", 15 * time.Second, "no subnets"},
		{"an error goes before what follows", outcome.Attempt{Err: errors.New("cut"), Again: true}, "FailedDeployModel", 2 * time.Second, "cut"},
		{"a missing right is named, and how to mend it", outcome.Attempt{Err: classed(fault.Denied, 0)}, "PermissionDenied", 30 * time.Second, "allow it in the IAM policy"},
		{"a quota", outcome.Attempt{Err: classed(fault.Quota, 0)}, "QuotaExceeded", 30 * time.Second, ""},
		{"what AWS refuses", outcome.Attempt{Err: classed(fault.Invalid, 0)}, "RefusedByAWS", 30 * time.Second, ""},
		{"AWS says how long to wait", outcome.Attempt{Err: classed(fault.Throttled, 9*time.Second)}, "Throttled", 9 * time.Second, ""},
		{"a conflict", outcome.Attempt{Err: classed(fault.Conflict, 0)}, "Conflict", 2 * time.Second, ""},
		{"of several errors the one that somebody must act on", outcome.Attempt{
			Err: errors.Join(classed(fault.Throttled, 0), classed(fault.Denied, 0), classed(fault.Quota, 0)),
		}, "PermissionDenied", 30 * time.Second, "ec2:Do"},
		{"the third failure in a row waits longer", outcome.Attempt{Err: errors.New("cut"), Failures: 3}, "FailedDeployModel", 8 * time.Second, ""},
		{"but not for ever", outcome.Attempt{Err: errors.New("cut"), Failures: 100}, "FailedDeployModel", 30 * time.Second, ""},
		{"a long text is cut", outcome.Attempt{Err: errors.New(strings.Repeat("ü", 5000))}, "FailedDeployModel", 2 * time.Second, "…"},
	} {
		got := c.attempt.Outcome()
		if got.Reason != c.reason || got.RetryAfter != c.after || !strings.Contains(got.Message, c.says) {
			t.Errorf("%s: %+v, want %s after %s saying %q", c.why, got, c.reason, c.after, c.says)
		}
		if got.OK() != (c.reason == outcome.ReasonDone) {
			t.Errorf("%s: OK %v", c.why, got.OK())
		}
	}
}

// TestNobodyIsLate: whatever failed, and however often, it is tried again within half a minute, and not at once.
func TestNobodyIsLate(t *testing.T) {
	t.Parallel()
	for _, class := range []fault.Class{
		fault.NotFound, fault.InUse, fault.Throttled, fault.Quota, fault.Denied, fault.Pending, fault.Invalid, fault.Conflict, fault.Unknown,
	} {
		for failures := 1; failures <= 40; failures++ {
			out := outcome.Attempt{Err: classed(class, 0), Failures: failures}.Outcome()
			if out.RetryAfter < time.Second || out.RetryAfter > 30*time.Second || out.OK() {
				t.Errorf("class %v, failure %d: again after %s, %s", class, failures, out.RetryAfter, out.Reason)
			}
		}
	}
}

// TestNobodyIsLateForWhatPassesInAWS: the other times after which something is tried again. What is read is kept for up to twelve seconds.
func TestNobodyIsLateForWhatPassesInAWS(t *testing.T) {
	t.Parallel()
	const kept = 12 * time.Second
	for why, after := range map[string]time.Duration{
		"what AWS refused":              outcome.AfterRefusal(0),
		"what the account lacks":        outcome.Lookup + kept,
		"what keeps a stack from being": outcome.Attempt{Blocked: "no subnets"}.Outcome().RetryAfter + kept,
	} {
		if after <= 0 || after >= 30*time.Second {
			t.Errorf("%s is tried again after %s", why, after)
		}
	}
	for dear := range 20 {
		if after := outcome.AfterRefusal(dear); after > 5*time.Minute {
			t.Errorf("what costs more is tried again after %s", after)
		}
	}
	for reason, want := range map[string]bool{"CertificateNotFound": true, "SubnetsNotUsable": true, "QuotaExceeded": true, "InvalidValue": false, "RefusedByAWS": false} {
		if outcome.MayClear(model.Finding{Reason: reason}) != want {
			t.Errorf("%s may clear in AWS: want %v", reason, want)
		}
	}
}

func TestMember(t *testing.T) {
	t.Parallel()
	warning := model.Finding{Severity: model.Warning, Reason: "NotServedYet", Field: "f", Message: "m"}
	mistake := model.Finding{Severity: model.Wrong, Reason: "InvalidValue", Field: "spec.x", Message: "is 1; use 2"}
	for _, c := range []struct {
		why      string
		by       outcome.Source
		problems []model.Finding
		status   metav1.ConditionStatus
		reason   string
		says     string
	}{
		{"as written", outcome.AsWritten, nil, metav1.ConditionTrue, "Served", "served as written"},
		{"a warning changes nothing", outcome.AsWritten, []model.Finding{warning}, metav1.ConditionTrue, "Served", "f: m"},
		{"a mistake", outcome.AsWritten, []model.Finding{warning, mistake}, metav1.ConditionFalse, "InvalidValue", "spec.x: is 1; use 2"},
		{"its last good state", outcome.LastGood, []model.Finding{mistake}, metav1.ConditionFalse, "InvalidValue", "its last good state serves: spec.x"},
		{"not all was applied", outcome.InPart, nil, metav1.ConditionFalse, "Waiting", "AWS does not hold all of its rules yet"},
		{"held for what another object is told", outcome.LastGood, nil, metav1.ConditionFalse, "LastGoodStateServes", "its last good state serves"},
	} {
		got := outcome.Member(c.by, c.problems)
		if got.Status != c.status || got.Reason != c.reason || !strings.Contains(got.Message, c.says) {
			t.Errorf("%s: %+v", c.why, got)
		}
	}
}

func TestLongMessagesAreCut(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("ü", 20000)
	var set []metav1.Condition
	outcome.Set(&set, metav1.Condition{Type: "T", Status: metav1.ConditionTrue, Message: long})
	for _, c := range []metav1.Condition{
		set[0], outcome.Member(outcome.LastGood, []model.Finding{{Severity: model.Wrong, Message: long}}), outcome.Programmed(outcome.Outcome{Message: long}),
	} {
		if len(c.Message) > 32768 || !strings.HasSuffix(c.Message, "…") {
			t.Errorf("the API server refuses a message of %d bytes in %s", len(c.Message), c.Type)
		}
	}
}

func TestReady(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		why, state string
		programmed metav1.ConditionStatus
		healthy    string
		reason     string
	}{
		{"comes up", "provisioning", metav1.ConditionTrue, "1/1", "NotActive"},
		{"no state yet", "", metav1.ConditionFalse, "0/0", "NotActive"},
		{"not what was asked for", "active", metav1.ConditionFalse, "1/1", "NotActive"},
		{"nobody answers", "active", metav1.ConditionTrue, "0/0", "NoTargets"},
		{"some answer", "active", metav1.ConditionTrue, "1/2", "TargetsUnhealthy"},
		{"all answer", "active", metav1.ConditionTrue, "2/2", "Ready"},
	} {
		if got := outcome.Ready(c.state, c.programmed, c.healthy); got.Reason != c.reason || (got.Status == metav1.ConditionTrue) != (c.reason == "Ready") {
			t.Errorf("%s: %+v", c.why, got)
		}
	}
}
