package outcome

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// deaf hears nothing.
type deaf struct{}

func (deaf) Eventf(_, _ runtime.Object, _, _, _, _ string, _ ...any) {}

func TestVoiceForgetsWhoIsGone(t *testing.T) {
	t.Parallel()
	now := time.Unix(0, 0)
	v := NewVoice(deaf{}, func() time.Time { return now })
	a := []Remark{{Reason: "A", Text: "a"}}
	v.Warn("s", &corev1.ObjectReference{Name: "gone"}, a)
	now = now.Add(saidFor / 2)
	v.Warn("s", &corev1.ObjectReference{Name: "stays"}, a)
	now = now.Add(saidFor / 2)
	v.Warn("s", &corev1.ObjectReference{Name: "other"}, a)
	if len(v.said) != 2 {
		t.Errorf("%d objects are remembered, want those of the last hour", len(v.said))
	}
}
