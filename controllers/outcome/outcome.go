// Package outcome says what an error means: one function turns it into a reason, a message and the time of the next try, and
// it holds the constructors of all conditions.
//
// It may import package model and its children and apimachinery. Its invariant: no other package decides on a retry.
package outcome

import (
	"fmt"
	"strings"
	"time"

	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/fault"
)

// Reasons of conditions and events that errors of the cloud lead to.
const (
	ReasonThrottled = "Throttled"
	ReasonQuota     = "QuotaExceeded"
	ReasonDenied    = "PermissionDenied"
	ReasonWaiting   = "Waiting"
	ReasonRefused   = "RefusedByAWS"
	ReasonConflict  = "Conflict"
	ReasonFailed    = "FailedDeployModel"
	ReasonBlocked   = "CannotBuild"
	ReasonDone      = "SuccessfullyReconciled"
	ReasonApproval  = "WaitingForApproval"
	ReasonObserved  = "ObservedOnly"
	ReasonPaused    = "BreakerOpen"
	ReasonProtected = "DeletionProtected"
)

// Retry times: soon for what passes by itself, half a minute for what somebody has to mend. Failures in a row double them, up to
// longest: what has cleared is noticed within half a minute, whatever it was.
const (
	again   = 100 * time.Millisecond
	soon    = 2 * time.Second
	waiting = 3 * time.Second
	slow    = 30 * time.Second
	longest = 30 * time.Second
	// holding is how often a plan that somebody has to approve is made anew: an approval is heard at once.
	holding = 5 * time.Minute
)

// Outcome is what came of an attempt, in words and with the next try.
type Outcome struct {
	Reason  string
	Message string
	// RetryAfter is zero when nothing is left to do.
	RetryAfter time.Duration
}

// Held is why a plan is not carried out although it could be.
type Held struct {
	Reason, Message string
	// Note is the same without the plan's name, for who only previews it.
	Note string
	// Given says that AWS holds it: no approval helps.
	Given bool
	// Changed says that a part of it was done that waits for nobody: what is left is planned anew.
	Changed bool
}

// Attempt is what is known after a run over a stack.
type Attempt struct {
	// Err joins what failed; Failures counts the failures in a row, this one included.
	Err      error
	Failures int
	// Blocked says why nothing can be built now, empty when it can.
	Blocked string
	// Held says why the plan is not carried out now, nil where it is.
	Held *Held
	// Waits are the steps whose condition is not met yet.
	Waits []model.Waiting
	// Again says that the rest can only be planned now that a part was done.
	Again bool
	// Provisioning says that the load balancer comes up, and is to be looked at until it did.
	Provisioning bool
}

// Outcome judges the attempt.
func (a Attempt) Outcome() Outcome {
	switch {
	case a.Err != nil:
		out := ofError(a.Err)
		out.RetryAfter = Backoff(out.RetryAfter, a.Failures)
		return out
	case a.Blocked != "":
		return Outcome{Reason: ReasonBlocked, Message: a.Blocked, RetryAfter: Lookup}
	case a.Held != nil && a.Held.Changed:
		return Outcome{Reason: a.Held.Reason, Message: cut(a.Held.Message), RetryAfter: again}
	case a.Held != nil:
		return Outcome{Reason: a.Held.Reason, Message: cut(a.Held.Message), RetryAfter: holding}
	case a.Again:
		return Outcome{Reason: ReasonWaiting, Message: "the rest follows: it is planned from what was done", RetryAfter: again}
	}
	out := Of(nil, a.Waits)
	if a.Provisioning {
		out.RetryAfter = waiting
	}
	return out
}

// OK tells whether everything was done.
func (o Outcome) OK() bool { return o.Reason == ReasonDone }

// Of turns the joined error of an attempt and what still waits into an outcome.
func Of(err error, waits []model.Waiting) Outcome {
	if err != nil {
		return ofError(err)
	}
	if len(waits) > 0 {
		return Outcome{Reason: ReasonWaiting, Message: describe(waits), RetryAfter: waiting}
	}
	return Outcome{Reason: ReasonDone, Message: "everything is as it shall be"}
}

func ofError(err error) Outcome {
	out := Outcome{Reason: ReasonFailed, Message: cut(err.Error()), RetryAfter: soon}
	all := fault.All(err)
	if len(all) == 0 {
		return out
	}
	worst := gravest(all)
	switch worst.Class {
	case fault.Throttled:
		out.Reason = ReasonThrottled
	case fault.Quota:
		out.Reason, out.RetryAfter = ReasonQuota, slow
	case fault.Denied:
		out.Reason, out.RetryAfter = ReasonDenied, slow
		out.Message = fmt.Sprintf("AWS denied %s: allow it in the IAM policy of the operator's role (%v)", worst.Action, worst.Err)
	case fault.Invalid:
		out.Reason, out.RetryAfter = ReasonRefused, slow
	case fault.Conflict:
		out.Reason = ReasonConflict
	case fault.NotFound, fault.InUse, fault.Pending, fault.Unknown:
	}
	for _, e := range all {
		out.RetryAfter = max(out.RetryAfter, e.RetryAfter)
	}
	return out
}

// gravest is the error that somebody has to act on, where there is one.
func gravest(all []*fault.Error) *fault.Error {
	rank := map[fault.Class]int{fault.Denied: 4, fault.Invalid: 3, fault.Quota: 2, fault.Conflict: 1}
	worst := all[0]
	for _, e := range all[1:] {
		if rank[e.Class] > rank[worst.Class] {
			worst = e
		}
	}
	return worst
}

func describe(waits []model.Waiting) string {
	parts := make([]string, 0, len(waits))
	for _, w := range waits {
		parts = append(parts, fmt.Sprintf("%s until %s", w.Key, w.For))
	}
	return "waiting: " + strings.Join(parts, "; ")
}

// longestText is how many bytes of an error are shown: conditions and events take only so much.
const longestText = 1 << 12

func cut(s string) string { return shorten(s, longestText) }

func shorten(s string, longest int) string {
	if len(s) <= longest {
		return s
	}
	return strings.ToValidUTF8(s[:longest], "") + "…"
}
