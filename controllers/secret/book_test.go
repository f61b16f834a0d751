package secret

import (
	"context"
	"errors"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
)

var errListed = errors.New("nobody may list Secrets")

// server is an API server that counts watches, and lets nobody list.
func server(watches chan<- string, objects ...client.Object) client.WithWatch {
	return fake.NewClientBuilder().WithObjects(objects...).WithInterceptorFuncs(interceptor.Funcs{
		List: func(context.Context, client.WithWatch, client.ObjectList, ...client.ListOption) error {
			return errListed
		},
		Watch: func(ctx context.Context, c client.WithWatch, list client.ObjectList, opts ...client.ListOption) (watch.Interface, error) {
			var o client.ListOptions
			o.ApplyOptions(opts)
			watches <- o.Namespace + " " + o.FieldSelector.String()
			return c.Watch(ctx, list, client.InNamespace(o.Namespace))
		},
	}).Build()
}

func named(name, value string) *corev1.Secret {
	return &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name}, Data: map[string][]byte{"a": []byte(value)}}
}

// TestBookWatchesWhatIsNamedAndNothingElse: one watch for each Secret that somebody refers to, told once for each change.
func TestBookWatchesWhatIsNamedAndNothingElse(t *testing.T) {
	watches := make(chan string, 10)
	api := server(watches, named("tls", "1"), named("other", "1"))
	b := New(api)
	changes := b.Changes()
	ctx, end := context.WithCancel(t.Context())
	defer end()
	go func() { _ = b.Start(ctx) }()

	key := types.NamespacedName{Namespace: "shop", Name: "tls"}
	for range 3 {
		if got, err := b.Get(t.Context(), key); err != nil || string(got.Data["a"]) != "1" {
			t.Fatalf("got %v, %v", got, err)
		}
	}
	b.Keep("web", []types.NamespacedName{key})
	if got := <-watches; got != "shop metadata.name=tls" {
		t.Errorf("the watch is for %q", got)
	}
	fresh := named("tls", "2")
	if err := api.Update(t.Context(), fresh); err != nil {
		t.Fatal(err)
	}
	select {
	case e := <-changes:
		if e.Object.GetName() != "tls" || len(e.Object.(*corev1.Secret).Data) > 0 {
			t.Errorf("told of %v", e.Object)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("nobody is told of the change")
	}
	if got, err := b.Get(t.Context(), key); err != nil || string(got.Data["a"]) != "2" {
		t.Errorf("got %v, %v", got, err)
	}
	if len(watches) > 0 {
		t.Errorf("another watch began: %s", <-watches)
	}
	b.Keep("web", nil)
	b.mu.Lock()
	left := len(b.entries)
	b.mu.Unlock()
	if left > 0 {
		t.Errorf("%d Secrets are kept that nobody names", left)
	}
}

func TestSecretThatIsNotThere(t *testing.T) {
	b := New(server(make(chan string, 10)))
	if _, err := b.Get(t.Context(), types.NamespacedName{Namespace: "shop", Name: "tls"}); !apierrors.IsNotFound(err) {
		t.Errorf("got %v", err)
	}
}
