// Package secret reads the Secrets that other objects refer to, and no others: it never lists them.
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

// Book is the Secrets that are referred to, each kept by a watch of its own. It is safe for concurrent use.
type Book struct {
	api   API
	pause time.Duration

	mu      sync.Mutex
	entries map[types.NamespacedName]*entry
	// users are the Secrets that each user refers to.
	users map[string]map[types.NamespacedName]bool
	ears  []chan event.GenericEvent
	// begun are the watches that are to begin; wake tells of them.
	begun []types.NamespacedName
	wake  chan struct{}
}

// entry is one Secret.
type entry struct {
	// secret is nil where there is none of that name.
	secret *corev1.Secret
	read   bool
	end    context.CancelFunc
}

// New returns an empty book. It watches once it is started.
func New(api API) *Book {
	return &Book{
		api: api, pause: pause, entries: map[types.NamespacedName]*entry{}, users: map[string]map[types.NamespacedName]bool{},
		wake: make(chan struct{}, 1),
	}
}

// Changes tells of Secrets that changed, by an object with a name and nothing else.
func (b *Book) Changes() <-chan event.GenericEvent {
	b.mu.Lock()
	defer b.mu.Unlock()
	ear := make(chan event.GenericEvent)
	b.ears = append(b.ears, ear)
	return ear
}

// Get is a Secret as it is, for somebody who names it. It is watched from then on, until nobody who [Book.Keep] was told of names it.
func (b *Book) Get(ctx context.Context, key types.NamespacedName) (*corev1.Secret, error) {
	b.mu.Lock()
	e, known := b.entries[key]
	if !known {
		e = &entry{}
		b.entries[key] = e
		b.begun = append(b.begun, key)
		select {
		case b.wake <- struct{}{}:
		default:
		}
	}
	found, read := e.secret, e.read
	b.mu.Unlock()
	if !read {
		var err error
		if found, _, err = b.refresh(ctx, key); err != nil {
			return nil, err
		}
	}
	if found == nil {
		return nil, fmt.Errorf("looking into the book: %w", apierrors.NewNotFound(corev1.Resource("secrets"), key.Name))
	}
	return found.DeepCopy(), nil
}

// Keep says which Secrets a user refers to now. Those that nobody refers to any more are forgotten.
func (b *Book) Keep(user string, keys []types.NamespacedName) {
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

func (b *Book) referred(key types.NamespacedName) bool {
	for _, keys := range b.users {
		if keys[key] {
			return true
		}
	}
	return false
}

// Start watches until ctx ends.
func (b *Book) Start(ctx context.Context) error {
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
			go b.watch(watching, key)
		}
		b.mu.Unlock()
	}
}

// watch follows one Secret until ctx ends.
func (b *Book) watch(ctx context.Context, key types.NamespacedName) {
	for ctx.Err() == nil {
		b.follow(ctx, key)
		select {
		case <-ctx.Done():
		case <-time.After(b.pause):
		}
	}
}

// follow reads the Secret at each event of one watch, and at its beginning: what happened between two watches is in none.
func (b *Book) follow(ctx context.Context, key types.NamespacedName) {
	w, err := b.api.Watch(ctx, &corev1.SecretList{}, client.InNamespace(key.Namespace), client.MatchingFields{metav1.ObjectNameField: key.Name})
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

// refresh reads a Secret, nil where there is none, and reports whether it is another than before.
func (b *Book) refresh(ctx context.Context, key types.NamespacedName) (found *corev1.Secret, changed bool, err error) {
	found = &corev1.Secret{}
	err = b.api.Get(ctx, key, found)
	if apierrors.IsNotFound(err) {
		found, err = nil, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("reading Secret %s: %w", key, err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	e := b.entries[key]
	if e == nil {
		return found, false, nil
	}
	changed = e.read && !equal(e.secret, found)
	e.secret, e.read = found, true
	return found, changed, nil
}

func equal(a, b *corev1.Secret) bool {
	if a == nil || b == nil {
		return a == b
	}
	return reflect.DeepEqual(a.Data, b.Data) && reflect.DeepEqual(a.Labels, b.Labels) && a.Type == b.Type
}

func (b *Book) tell(ctx context.Context, key types.NamespacedName) {
	b.mu.Lock()
	ears := b.ears
	b.mu.Unlock()
	for _, ear := range ears {
		about := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: key.Namespace, Name: key.Name}}
		select {
		case ear <- event.GenericEvent{Object: about}:
		case <-ctx.Done():
		}
	}
}

// Reader reads Secrets from the book and everything else from another reader.
type Reader struct {
	client.Reader

	Book *Book
}

// Get is an object by name.
func (r Reader) Get(ctx context.Context, key client.ObjectKey, obj client.Object, opts ...client.GetOption) error {
	into, ok := obj.(*corev1.Secret)
	if !ok {
		if err := r.Reader.Get(ctx, key, obj, opts...); err != nil {
			return fmt.Errorf("reading %s: %w", key, err)
		}
		return nil
	}
	found, err := r.Book.Get(ctx, key)
	if err != nil {
		return err
	}
	found.DeepCopyInto(into)
	return nil
}
