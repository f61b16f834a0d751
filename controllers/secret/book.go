// Package secret reads the Secrets that other objects refer to, and ConfigMaps likewise, and no others: it never lists them.
//
// It may import model, Kubernetes libraries, and nothing of AWS. Its invariants: a Secret is read only while somebody refers to it by name;
// what is read stays in memory and goes to nobody but who asks for it by name; and nothing of a key is ever printed.
package secret

import (
	"context"
	"fmt"
	"reflect"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
)

// pause is how long a watch that ended rests before it begins again.
const pause = time.Second

// API is the API server, past every cache.
type API interface {
	Get(ctx context.Context, key client.ObjectKey, obj client.Object, opts ...client.GetOption) error
	Watch(ctx context.Context, list client.ObjectList, opts ...client.ListOption) (watch.Interface, error)
}

// Objects are the objects of one kind that are referred to, each kept by a watch of its own. They are safe for concurrent use.
type Objects[T client.Object] struct {
	api   API
	kind  kind[T]
	pause time.Duration

	mu      sync.Mutex
	entries map[types.NamespacedName]*entry[T]
	// users are the objects that each user refers to.
	users map[string]map[types.NamespacedName]bool
	ears  []chan event.GenericEvent
	// begun are the watches that are to begin; wake tells of them.
	begun []types.NamespacedName
	wake  chan struct{}
}

// Book is the Secrets that are referred to.
type Book = Objects[*corev1.Secret]

// ConfigMaps are those that are referred to.
type ConfigMaps = Objects[*corev1.ConfigMap]

// kind is what differs between kinds.
type kind[T client.Object] struct {
	resource string
	one      func() T
	list     func() client.ObjectList
	// same tells whether two of them hold the same.
	same func(a, b T) bool
}

// entry is one object.
type entry[T client.Object] struct {
	// found is the object, where it is there.
	found       T
	there, read bool
	end         context.CancelFunc
}

// New returns an empty book of Secrets. It watches once it is started.
func New(api API) *Book {
	return open(api, kind[*corev1.Secret]{
		"secrets", func() *corev1.Secret { return &corev1.Secret{} }, func() client.ObjectList { return &corev1.SecretList{} },
		func(a, b *corev1.Secret) bool {
			return reflect.DeepEqual(a.Data, b.Data) && reflect.DeepEqual(a.Labels, b.Labels) && a.Type == b.Type
		},
	})
}

// NewConfigMaps returns an empty book of ConfigMaps. It watches once it is started.
func NewConfigMaps(api API) *ConfigMaps {
	return open(api, kind[*corev1.ConfigMap]{
		"configmaps", func() *corev1.ConfigMap { return &corev1.ConfigMap{} }, func() client.ObjectList { return &corev1.ConfigMapList{} },
		func(a, b *corev1.ConfigMap) bool { return reflect.DeepEqual(a.Data, b.Data) },
	})
}

func open[T client.Object](api API, of kind[T]) *Objects[T] {
	return &Objects[T]{
		api: api, kind: of, pause: pause, entries: map[types.NamespacedName]*entry[T]{}, users: map[string]map[types.NamespacedName]bool{},
		wake: make(chan struct{}, 1),
	}
}

// Changes tells of objects that changed, by an object with a name and nothing else.
func (b *Objects[T]) Changes() <-chan event.GenericEvent {
	b.mu.Lock()
	defer b.mu.Unlock()
	ear := make(chan event.GenericEvent)
	b.ears = append(b.ears, ear)
	return ear
}

// Get is an object as it is, for somebody who names it. It is watched from then on, until nobody who [Book.Keep] was told of names it.
func (b *Objects[T]) Get(ctx context.Context, key types.NamespacedName) (T, error) {
	var none T
	b.mu.Lock()
	e, known := b.entries[key]
	if !known {
		e = &entry[T]{}
		b.entries[key] = e
		b.begun = append(b.begun, key)
		select {
		case b.wake <- struct{}{}:
		default:
		}
	}
	got := *e
	b.mu.Unlock()
	if !got.read {
		var err error
		if got, _, err = b.refresh(ctx, key); err != nil {
			return none, err
		}
	}
	out, ok := got.found.DeepCopyObject().(T)
	if !got.there || !ok {
		return none, fmt.Errorf("looking into the book: %w", apierrors.NewNotFound(corev1.Resource(b.kind.resource), key.Name))
	}
	return out, nil
}

// Keep says which objects a user refers to now. Those that nobody refers to any more are forgotten.
func (b *Objects[T]) Keep(user string, keys []types.NamespacedName) {
	b.mu.Lock()
	defer b.mu.Unlock()
	before := b.users[user]
	delete(b.users, user)
	if len(keys) > 0 {
		now := make(map[types.NamespacedName]bool, len(keys))
		for _, k := range keys {
			now[k] = true
		}
		b.users[user] = now
	}
	for key := range before {
		if b.referred(key) {
			continue
		}
		if e := b.entries[key]; e != nil && e.end != nil {
			e.end()
		}
		delete(b.entries, key)
	}
}

func (b *Objects[T]) referred(key types.NamespacedName) bool {
	for _, keys := range b.users {
		if keys[key] {
			return true
		}
	}
	return false
}

// Start watches until ctx ends.
func (b *Objects[T]) Start(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-b.wake:
		}
		b.mu.Lock()
		begun := b.begun
		b.begun = nil
		for _, key := range begun {
			e := b.entries[key]
			if e == nil || e.end != nil {
				continue
			}
			watching, end := context.WithCancel(ctx)
			e.end = end
			go func() {
				defer end()
				b.watch(watching, key)
			}()
		}
		b.mu.Unlock()
	}
}

// watch follows one object until ctx ends.
func (b *Objects[T]) watch(ctx context.Context, key types.NamespacedName) {
	for ctx.Err() == nil {
		b.follow(ctx, key)
		select {
		case <-ctx.Done():
		case <-time.After(b.pause):
		}
	}
}

// follow reads the object at each event of one watch, and at its beginning: what happened between two watches is in none.
func (b *Objects[T]) follow(ctx context.Context, key types.NamespacedName) {
	w, err := b.api.Watch(ctx, b.kind.list(), client.InNamespace(key.Namespace), client.MatchingFields{metav1.ObjectNameField: key.Name})
	if err != nil {
		return
	}
	defer w.Stop()
	for {
		if _, changed, err := b.refresh(ctx, key); err != nil {
			return
		} else if changed {
			b.tell(ctx, key)
		}
		select {
		case <-ctx.Done():
			return
		case got, open := <-w.ResultChan():
			if !open || got.Type == watch.Error {
				return
			}
		}
	}
}

// refresh reads an object, and reports whether it is another than before.
func (b *Objects[T]) refresh(ctx context.Context, key types.NamespacedName) (now entry[T], changed bool, err error) {
	now = entry[T]{found: b.kind.one(), there: true, read: true}
	err = b.api.Get(ctx, key, now.found)
	if apierrors.IsNotFound(err) {
		now.there, err = false, nil
	}
	if err != nil {
		return now, false, fmt.Errorf("reading %s of %s: %w", b.kind.resource, key, err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	e := b.entries[key]
	if e == nil {
		return now, false, nil
	}
	changed = e.read && (e.there != now.there || now.there && !b.kind.same(e.found, now.found))
	e.found, e.there, e.read = now.found, now.there, true
	return now, changed, nil
}

func (b *Objects[T]) tell(ctx context.Context, key types.NamespacedName) {
	b.mu.Lock()
	ears := b.ears
	b.mu.Unlock()
	for _, ear := range ears {
		about := b.kind.one()
		about.SetNamespace(key.Namespace)
		about.SetName(key.Name)
		select {
		case ear <- event.GenericEvent{Object: about}:
		case <-ctx.Done():
		}
	}
}
