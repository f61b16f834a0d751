package lattice

import (
	"strings"
	"time"
)

// life is how a resource comes and goes. Its last change is done at ready; a deletion ends it then, unless it fails.
type life struct {
	created, updated, ready time.Time
	doing                   string
	failure                 *Failure
}

// Failure is how what was begun ends when it does not end well.
type Failure struct {
	Code, Message string
}

// What is going on with a resource until it is ready.
const (
	creating = "CREATE_IN_PROGRESS"
	updating = "UPDATE_IN_PROGRESS"
	deleting = "DELETE_IN_PROGRESS"
	active   = "ACTIVE"
	// unmade is what has to be deleted and made again.
	unmade = "CREATE_FAILED"
)

// settling is how long a creation, change or deletion takes (a guess: users see half a minute to a minute).
const settling = 30 * time.Second

// Begins reports whether an operation begins something that goes on after its answer, and so can fail later.
func Begins(operation string) bool {
	switch operation {
	case "CreateService", "DeleteService", "CreateTargetGroup", "DeleteTargetGroup", "CreateServiceNetworkServiceAssociation",
		"DeleteServiceNetworkServiceAssociation", "CreateServiceNetworkVpcAssociation", "UpdateServiceNetworkVpcAssociation",
		"DeleteServiceNetworkVpcAssociation":
		return true
	default:
		return false
	}
}

// begin starts what takes its time, and may end badly.
func (m *Mesh) begin(l *life, doing string) {
	m.stamp(l, doing)
	if m.options.Failure != nil {
		l.failure = m.options.Failure()
	}
}

// stamp notes a change. What is done at once never fails.
func (m *Mesh) stamp(l *life, doing string) {
	l.doing, l.updated, l.failure = doing, m.account.Now(), nil
	l.ready = l.updated.Add(m.account.Scale(settling))
	if doing == creating {
		l.created = l.updated
	}
}

func (m *Mesh) status(l life) string {
	switch {
	case m.account.Now().Before(l.ready):
		return l.doing
	case l.failure != nil:
		return strings.Replace(l.doing, "IN_PROGRESS", "FAILED", 1)
	default:
		return active
	}
}

// failed gives code and message of what has failed; nothing before that.
func (m *Mesh) failed(l life) (code, message *string) {
	if l.failure == nil || m.account.Now().Before(l.ready) {
		return nil, nil
	}
	return &l.failure.Code, &l.failure.Message
}

func (m *Mesh) gone(l life) bool {
	return l.doing == deleting && l.failure == nil && !m.account.Now().Before(l.ready)
}

// remove begins a deletion. One that has begun goes on, and one that failed begins anew; what is still being made or changed is refused.
func (m *Mesh) remove(l *life, kind, id string) error {
	switch is := m.status(*l); is {
	case creating, updating:
		return conflict(kind, id, "%s %s is in the state %s", kind, id, is)
	case deleting:
	default:
		m.begin(l, deleting)
	}
	return nil
}
