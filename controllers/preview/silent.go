package preview

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"
)

var errNotServed = errors.New("a preview does not serve this")

// silent reads, and writes nothing.
type silent struct {
	client.Reader

	scheme *runtime.Scheme
	// wrote is told what would be written; nil when nobody asks. The loop writes side by side: telling takes turns.
	wrote func(client.Object)
	turn  *sync.Mutex
}

func (s silent) tell(object client.Object) {
	if s.wrote == nil {
		return
	}
	s.turn.Lock()
	defer s.turn.Unlock()
	s.wrote(object)
}

var _ client.Client = silent{}

func (silent) Apply(context.Context, runtime.ApplyConfiguration, ...client.ApplyOption) error {
	return nil
}

func (s silent) Create(_ context.Context, object client.Object, _ ...client.CreateOption) error {
	s.tell(object)
	return nil
}

func (silent) Delete(context.Context, client.Object, ...client.DeleteOption) error { return nil }

// Update is what the operator never does: it patches.
func (silent) Update(context.Context, client.Object, ...client.UpdateOption) error {
	return errNotServed
}

func (s silent) Patch(_ context.Context, object client.Object, _ client.Patch, _ ...client.PatchOption) error {
	s.tell(object)
	return nil
}

func (silent) DeleteAllOf(context.Context, client.Object, ...client.DeleteAllOfOption) error {
	return nil
}

func (silent) Status() client.SubResourceWriter { return silentStatus{} }

func (silent) SubResource(string) client.SubResourceClient { return silentStatus{} }

func (s silent) Scheme() *runtime.Scheme { return s.scheme }

func (silent) RESTMapper() meta.RESTMapper { return meta.NewDefaultRESTMapper(nil) }

func (s silent) GroupVersionKindFor(object runtime.Object) (schema.GroupVersionKind, error) {
	kind, err := apiutil.GVKForObject(object, s.scheme)
	if err != nil {
		return kind, fmt.Errorf("finding the kind of %T: %w", object, err)
	}
	return kind, nil
}

func (silent) IsObjectNamespaced(runtime.Object) (bool, error) { return false, errNotServed }

// silentStatus writes nothing.
type silentStatus struct{}

func (silentStatus) Get(context.Context, client.Object, client.Object, ...client.SubResourceGetOption) error {
	return errNotServed
}

func (silentStatus) Create(context.Context, client.Object, client.Object, ...client.SubResourceCreateOption) error {
	return nil
}

func (silentStatus) Update(context.Context, client.Object, ...client.SubResourceUpdateOption) error {
	return errNotServed
}

func (silentStatus) Patch(context.Context, client.Object, client.Patch, ...client.SubResourcePatchOption) error {
	return nil
}

func (silentStatus) Apply(context.Context, runtime.ApplyConfiguration, ...client.SubResourceApplyOption) error {
	return nil
}
