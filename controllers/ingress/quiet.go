package ingress

import (
	"fmt"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
)

// quietFor is how long the same thing is not told again.
const quietFor = time.Hour

// Quiet tells the same warning of the same object once an hour: a group that waits is looked at every few seconds.
type Quiet struct {
	to  Recorder
	now func() time.Time

	mu   sync.Mutex
	told map[string]time.Time
}

// NewQuiet wraps a recorder.
func NewQuiet(to Recorder, now func() time.Time) *Quiet {
	return &Quiet{to: to, now: now, told: map[string]time.Time{}}
}

// Eventf tells what was not told of late.
func (q *Quiet) Eventf(regarding, related runtime.Object, eventtype, reason, action, note string, args ...any) {
	text := fmt.Sprintf(note, args...)
	if eventtype != corev1.EventTypeNormal && q.toldLately(nameOf(regarding)+"\n"+reason+"\n"+text) {
		return
	}
	q.to.Eventf(regarding, related, eventtype, reason, action, "%s", text)
}

func (q *Quiet) toldLately(key string) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	now := q.now()
	if at, ok := q.told[key]; ok && now.Sub(at) < quietFor {
		return true
	}
	for k, at := range q.told {
		if now.Sub(at) >= quietFor {
			delete(q.told, k)
		}
	}
	q.told[key] = now
	return false
}

func nameOf(o runtime.Object) string {
	if ref, ok := o.(*corev1.ObjectReference); ok {
		return ref.Kind + "/" + ref.Namespace + "/" + ref.Name
	}
	m, err := meta.Accessor(o)
	if err != nil {
		return ""
	}
	return m.GetNamespace() + "/" + m.GetName() + "/" + string(m.GetUID())
}
