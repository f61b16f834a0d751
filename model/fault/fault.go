// Package fault classes errors of the cloud. It imports the standard library only. Its invariant: a class is decided once, at
// the edge where AWS's code is known, and never by message text.
package fault

import (
	"errors"
	"fmt"
	"time"
)

// Class is what an error means for who called.
type Class string

const (
	// NotFound: the thing does not exist (any more).
	NotFound Class = "NotFound"
	// InUse: something else still uses the thing; it passes by itself.
	InUse Class = "InUse"
	// Throttled: too many calls; try again later.
	Throttled Class = "Throttled"
	// Quota: a limit of the account or the resource is reached.
	Quota Class = "Quota"
	// Denied: a permission is missing. Action names it.
	Denied Class = "Denied"
	// Pending: a state is not reached yet (provisioning, draining).
	Pending Class = "Pending"
	// Invalid: AWS refuses the request as it is; trying again without a change is of no use.
	Invalid Class = "Invalid"
	// Conflict: a thing of that name, port or priority exists already.
	Conflict Class = "Conflict"
	// Unknown: everything else, cut connections among them.
	Unknown Class = "Unknown"
)

// Error is an error with its class.
type Error struct {
	Class Class
	// Code is AWS's error code.
	Code string
	// Action is the API action, as an IAM policy writes it: "elasticloadbalancing:CreateRule".
	Action string
	// RetryAfter is how long to wait, zero where the class decides.
	RetryAfter time.Duration
	// Err is the cause.
	Err error
}

// Error names class, action and cause.
func (e *Error) Error() string {
	return fmt.Sprintf("%s (%s, %s): %v", e.Action, e.Class, e.Code, e.Err)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Of is the class of the first classed error in err's tree: Unknown when there is none, empty for nil.
func Of(err error) Class {
	if err == nil {
		return ""
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Class
	}
	return Unknown
}

// Is tells whether any error in err's tree has the class.
func Is(err error, class Class) bool {
	for _, e := range All(err) {
		if e.Class == class {
			return true
		}
	}
	return false
}

// All returns every classed error in err's tree.
func All(err error) []*Error { return Find[*Error](err) }

// Find returns every error of a type in err's tree, the outer ones first.
func Find[T error](err error) []T {
	var out []T
	walk(err, func(e error) {
		if one, ok := any(e).(T); ok {
			out = append(out, one)
		}
	})
	return out
}

func walk(err error, visit func(error)) {
	if err == nil {
		return
	}
	visit(err)
	switch e := err.(type) { //nolint:errorlint // the tree is walked here, one error at a time
	case interface{ Unwrap() error }:
		walk(e.Unwrap(), visit)
	case interface{ Unwrap() []error }:
		for _, one := range e.Unwrap() {
			walk(one, visit)
		}
	}
}
