package outcome_test

import (
	"slices"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/events"

	"github.com/google/go-cmp/cmp"

	"github.com/headgate/headgate/controllers/outcome"
)

// Only the real recorder knows which events it takes for one.
func TestEachRemarkIsAnEventOfItsOwn(t *testing.T) {
	t.Parallel()
	api := fake.NewClientset().EventsV1()
	broadcaster := events.NewBroadcaster(&events.EventSinkImpl{Interface: api})
	if err := broadcaster.StartRecordingToSinkWithContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer broadcaster.Shutdown()
	voice := outcome.NewVoice(broadcaster.NewRecorder(scheme.Scheme, "headgate"), time.Now)
	about := &corev1.ObjectReference{APIVersion: "v1", Kind: "Service", Namespace: "shop", Name: "web", UID: "u", ResourceVersion: "7"}
	voice.Warn("", about, []outcome.Remark{{"InvalidAnnotation", "the first mistake"}, {"InvalidAnnotation", "the second mistake"}})
	voice.Warn("", about, []outcome.Remark{{"InvalidAnnotation", "the second mistake"}, {"InvalidAnnotation", "a later one"}})

	want := []string{"a later one", "the first mistake", "the second mistake"}
	var got []string
	for range 200 {
		list, err := api.Events("shop").List(t.Context(), metav1.ListOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if got = notes(list.Items); len(got) >= len(want) {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("invariant 8: events (-want +got):\n%s", diff)
	}
}

func notes(all []eventsv1.Event) []string {
	out := make([]string, 0, len(all))
	for _, e := range all {
		out = append(out, e.Note)
	}
	slices.Sort(out)
	return out
}
