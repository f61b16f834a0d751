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
	ReasonDone      = "SuccessfullyReconciled"
)

// Retry times by class: soon for what passes by itself, half a minute for what somebody has to mend.
const (
	soon    = 2 * time.Second
	waiting = 3 * time.Second
	slow    = 30 * time.Second
)

// Outcome is what came of an attempt, in words and with the next try.
type Outcome struct {
	Reason  string
	Message string
	// RetryAfter is zero when nothing is left to do.
	RetryAfter time.Duration
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
	out := Outcome{Reason: ReasonFailed, Message: err.Error(), RetryAfter: soon}
	all := fault.All(err)
	if len(all) == 0 {
		return out
	}
	switch worst := gravest(all); worst.Class {
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
