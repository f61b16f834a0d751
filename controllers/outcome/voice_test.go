package outcome_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/headgate/headgate/controllers/outcome"
)

// heard keeps what was said.
type heard []string

func (h *heard) Eventf(_, _ runtime.Object, eventtype, reason, _, text string, args ...any) {
	*h = append(*h, eventtype+" "+reason+" "+fmt.Sprintf(text, args...))
}

func TestVoice(t *testing.T) {
	t.Parallel()
	now := time.Unix(0, 0)
	var got heard
	v := outcome.NewVoice(&got, func() time.Time { return now })
	about := &corev1.Service{}
	named := func(name string) *corev1.ObjectReference { return &corev1.ObjectReference{Kind: "Service", Name: name} }
	a, b := outcome.Remark{Reason: "A", Text: "100% sure"}, outcome.Remark{Reason: "B", Text: "b"}
	for _, step := range []struct {
		why  string
		do   func()
		want heard
	}{
		{"what is new", func() { v.Warn("s", about, []outcome.Remark{a, a}) }, heard{"Warning A 100% sure"}},
		{"once", func() { v.Warn("s", about, []outcome.Remark{a, b}) }, heard{"Warning B b"}},
		{"another speaker knows of its own words", func() { v.Warn("other", about, []outcome.Remark{a}) }, heard{"Warning A 100% sure"}},
		{"what was mended is new again", func() { v.Warn("s", about, nil); v.Warn("s", about, []outcome.Remark{b}) }, heard{"Warning B b"}},
		{"after an hour", func() { now = now.Add(time.Hour); v.Warn("s", about, []outcome.Remark{b}) }, heard{"Warning B b"}},
		{"what was done, each time", func() { v.Tell(about, a); v.Tell(about, a) }, heard{"Normal A 100% sure", "Normal A 100% sure"}},
		{"references are told apart", func() { v.Warn("s", named("x"), []outcome.Remark{a}); v.Warn("s", named("y"), []outcome.Remark{a}) },
			heard{"Warning A 100% sure", "Warning A 100% sure"}},
	} {
		got = nil
		step.do()
		if diff := cmp.Diff(step.want, got); diff != "" {
			t.Errorf("%s: %s", step.why, diff)
		}
	}
}
