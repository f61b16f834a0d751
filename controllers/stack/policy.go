package stack

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/headgate/headgate/controllers/annotations"
	"github.com/headgate/headgate/model"
)

// Changes says which plans are carried out without asking. The greater, the stricter.
type Changes int

// The ways to make changes.
const (
	// Auto carries every plan out.
	Auto Changes = iota
	// ApproveDestructive asks before plans that delete or replace what is there.
	ApproveDestructive
	// Approve asks before every plan.
	Approve
	// Observe shows plans and carries none out.
	Observe
)

// Policy is how the changes of a stack are made. The zero value is what holds where nobody says anything.
type Policy struct {
	Changes Changes
	// Retain leaves in AWS what is there when the last owner is gone.
	Retain bool
	// Patience is how long target groups are waited for until their targets are healthy; zero is what the operator's setting says.
	Patience time.Duration
	// Retention is how long a load balancer that is replaced answers after its successor serves; zero likewise.
	Retention time.Duration
	// Unread says that an object which may say more is gone, such as a class: what it said last counts.
	Unread bool
}

// With is the stricter of two policies, each part by itself: nobody loosens what another one asks for. The longer times are the stricter.
func (p Policy) With(other Policy) Policy {
	return Policy{
		Changes: max(p.Changes, other.Changes), Retain: p.Retain || other.Retain, Patience: max(p.Patience, other.Patience),
		Retention: max(p.Retention, other.Retention), Unread: p.Unread || other.Unread,
	}
}

// words for what is remembered: the values of the annotation, of which Auto is empty.
func words() []string {
	return []string{
		Auto: "", ApproveDestructive: annotations.ChangesDestructive, Approve: annotations.ChangesApprove, Observe: annotations.ChangesObserve,
	}
}

// heed remembers the policy, or adds what is remembered of it.
func (a *attempt) heed() {
	spec := &a.state.object.Spec
	if a.req.Policy.Unread {
		last := Changes(max(slices.Index(words(), spec.Changes), 0))
		a.req.Policy = a.req.Policy.With(Policy{Changes: last, Retain: spec.Retain})
		return
	}
	spec.Changes, spec.Retain = words()[a.req.Policy.Changes], a.req.Policy.Retain
}

// Annotations of a class: how long target groups are waited for, and how long a load balancer that is replaced answers on.
const (
	PatienceKey  = annotations.ExtensionPrefix + "target-group-patience"
	RetentionKey = annotations.ExtensionPrefix + "replaced-load-balancer-retention"
)

// Bounds of these times.
const (
	leastTime     = time.Second
	mostPatience  = 24 * time.Hour
	mostRetention = 30 * 24 * time.Hour
)

// PolicyOfClass is [PolicyOf] of a class, which may say more.
func PolicyOfClass(values map[string]string) (Policy, []annotations.Problem) {
	out, problems := PolicyOf(values)
	for _, one := range []struct {
		key, most string
		bound     time.Duration
		to        *time.Duration
	}{{PatienceKey, "24h", mostPatience, &out.Patience}, {RetentionKey, "720h", mostRetention, &out.Retention}} {
		text, written := values[one.key]
		if !written {
			continue
		}
		took, err := time.ParseDuration(strings.TrimSpace(text))
		if err != nil || took < leastTime || took > one.bound {
			problems = append(problems, annotations.Problem{
				Key: one.key, Severity: model.Warning, Reason: annotations.ReasonInvalid, Message: fmt.Sprintf(
					"%q is no time from 1s to %s: write one such as 10m; until then the operator's --%s counts",
					text, one.most, strings.TrimPrefix(one.key, annotations.ExtensionPrefix)),
			})
			continue
		}
		*one.to = took
	}
	return out, problems
}

// PolicyOf is what the annotations of one object say, with what is wrong with them. Who writes what cannot be read wanted to be asked, and to
// keep: so it counts.
func PolicyOf(values map[string]string) (Policy, []annotations.Problem) {
	table := annotations.Extensions()
	var out Policy
	var problems []annotations.Problem
	read := func(key string) (value string, unreadable bool) {
		full := annotations.ExtensionPrefix + key
		value = strings.TrimSpace(values[full])
		spec, _, _ := table.Find(key)
		if _, written := values[full]; !written {
			return "", false
		}
		if err := spec.Parse(value); err != nil {
			problems = append(problems, annotations.Problem{
				Key: full, Severity: model.Warning, Reason: annotations.ReasonInvalid, Message: err.Error(),
			})
			return "", true
		}
		return value, false
	}
	value, unreadable := read(annotations.Changes)
	switch {
	case unreadable, value == annotations.ChangesApprove:
		out.Changes = Approve
	case value == annotations.ChangesDestructive:
		out.Changes = ApproveDestructive
	case value == annotations.ChangesObserve:
		out.Changes = Observe
	}
	value, unreadable = read(annotations.DeletionPolicy)
	out.Retain = unreadable || value == annotations.DeletionRetain
	return out, problems
}
