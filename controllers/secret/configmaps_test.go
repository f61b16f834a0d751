package secret

import (
	"context"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// TestConfigMapsByABook: a ConfigMap that is named is watched by itself, whoever reads it gets what it holds now, and none is listed.
func TestConfigMapsByABook(t *testing.T) {
	t.Parallel()
	held := func(text string) *corev1.ConfigMap {
		return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "ca"}, Data: map[string]string{"ca.crt": text}}
	}
	watches := make(chan string, 10)
	api := server(watches, held("1"), named("ca", "secret"))
	maps := NewConfigMaps(api)
	changes := maps.Changes()
	ctx, end := context.WithCancel(t.Context())
	defer end()
	go func() { _ = maps.Start(ctx) }()
	r := Reader{Reader: api, Book: New(api), ConfigMaps: maps}
	key := types.NamespacedName{Namespace: "shop", Name: "ca"}
	got := &corev1.ConfigMap{}
	if err := r.Get(t.Context(), key, got); err != nil || got.Data["ca.crt"] != "1" {
		t.Fatalf("%v, %v", got.Data, err)
	}
	maps.Keep("infra/gw", []types.NamespacedName{key})
	if at := <-watches; at != "shop metadata.name=ca" {
		t.Errorf("the watch is for %q", at)
	}
	if err := api.Update(t.Context(), held("2")); err != nil {
		t.Fatal(err)
	}
	select {
	case e := <-changes:
		if about, ok := e.Object.(*corev1.ConfigMap); !ok || about.Name != "ca" || len(about.Data) > 0 {
			t.Errorf("told of %v", e.Object)
		}
	case <-time.After(60 * time.Second):
		t.Fatal("nobody is told of the change")
	}
	if err := r.Get(t.Context(), key, got); err != nil || got.Data["ca.crt"] != "2" {
		t.Errorf("%v, %v", got.Data, err)
	}
	if err := api.Delete(t.Context(), held("2")); err != nil {
		t.Fatal(err)
	}
	<-changes
	if err := r.Get(t.Context(), key, got); !apierrors.IsNotFound(err) {
		t.Errorf("one that is gone: %v", err)
	}
	other := &corev1.ConfigMap{}
	if err := (Reader{Reader: api, Book: New(api)}).Get(t.Context(), client.ObjectKey{Namespace: "shop", Name: "none"}, other); !apierrors.IsNotFound(err) {
		t.Errorf("without a book of them they are read as ever: %v", err)
	}
}
