package outcome

import (
	"fmt"
	"hash/crc32"
	"maps"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
)

// Recorder records events (client-go, package events).
type Recorder interface {
	Eventf(regarding, related runtime.Object, eventtype, reason, action, note string, args ...any)
}

// Remark is something that an object's owner is told.
type Remark struct{ Reason, Text string }

// Voice tells owners of objects what is new: a remark once, again an hour later if it still holds (events do not live longer), and
// anew when it was mended meanwhile. It is safe for concurrent use.
type Voice struct {
	to  Recorder
	now func() time.Time

	mu   sync.Mutex
	said map[string]map[Remark]time.Time
	// swept is when what nobody asks for any more was forgotten last.
	swept time.Time
}

// NewVoice speaks through a recorder.
func NewVoice(to Recorder, now func() time.Time) *Voice {
	return &Voice{to: to, now: now, said: map[string]map[Remark]time.Time{}}
}

const (
	// saidFor is how long a remark is not repeated.
	saidFor = time.Hour
	// longestNote is how many bytes the API server takes of an event's text, less some room.
	longestNote = 1000
)

// actionOf is what an event says was being done. Events that differ in their text alone are one to client-go, which shows the first text
// and counts the others: so the action differs with the text.
func actionOf(r Remark) string {
	return fmt.Sprintf("Reconcile-%08x", crc32.ChecksumIEEE([]byte(r.Text)))
}

// Warn tells of an object all that is wrong with it now, as far as the speaker knows: what it said before and does not say any
// more is over.
func (v *Voice) Warn(speaker string, about runtime.Object, remarks []Remark) {
	for _, r := range v.fresh(speaker+"\n"+nameOf(about), remarks) {
		v.to.Eventf(about, nil, corev1.EventTypeWarning, r.Reason, actionOf(r), "%s", note(r.Text))
	}
}

// Tell tells of an object what was done, each time.
func (v *Voice) Tell(about runtime.Object, r Remark) {
	v.to.Eventf(about, nil, corev1.EventTypeNormal, r.Reason, actionOf(r), "%s", note(r.Text))
}

// fresh are the remarks that were not made of late, in their order.
func (v *Voice) fresh(key string, remarks []Remark) []Remark {
	v.mu.Lock()
	defer v.mu.Unlock()
	before, now, after := v.said[key], v.now(), map[Remark]time.Time{}
	v.forget(now)
	var out []Remark
	for _, r := range remarks {
		if _, twice := after[r]; twice {
			continue
		}
		at, ok := before[r]
		if !ok || now.Sub(at) >= saidFor {
			out, at = append(out, r), now
		}
		after[r] = at
	}
	if len(after) == 0 {
		delete(v.said, key)
	} else if !maps.Equal(before, after) {
		v.said[key] = after
	}
	return out
}

// forget drops what may be repeated by now: much of it is about objects that are gone. The lock is held.
func (v *Voice) forget(now time.Time) {
	if now.Sub(v.swept) < saidFor {
		return
	}
	v.swept = now
	for key, remarks := range v.said {
		maps.DeleteFunc(remarks, func(_ Remark, at time.Time) bool { return now.Sub(at) >= saidFor })
		if len(remarks) == 0 {
			delete(v.said, key)
		}
	}
}

func nameOf(o runtime.Object) string {
	if ref, ok := o.(*corev1.ObjectReference); ok {
		return ref.Kind + "/" + ref.Namespace + "/" + ref.Name + "/" + string(ref.UID)
	}
	m, err := meta.Accessor(o)
	if err != nil {
		return ""
	}
	return o.GetObjectKind().GroupVersionKind().Kind + "/" + m.GetNamespace() + "/" + m.GetName() + "/" + string(m.GetUID())
}

func note(s string) string {
	return shorten(s, longestNote)
}
