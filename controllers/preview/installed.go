package preview

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// installed reads a cluster that may not know all kinds yet: of a kind that is not installed there are no objects. So a switch can be
// looked at before anything of the operator's is in the cluster.
type installed struct{ client.Reader }

// Get reads one object.
func (i installed) Get(ctx context.Context, key client.ObjectKey, object client.Object, opts ...client.GetOption) error {
	err := i.Reader.Get(ctx, key, object, opts...)
	if meta.IsNoMatchError(err) {
		err = apierrors.NewNotFound(schema.GroupResource{Resource: fmt.Sprintf("%T", object)}, key.Name)
	}
	if err != nil {
		return fmt.Errorf("previewing: %w", err)
	}
	return nil
}

// List reads objects.
func (i installed) List(ctx context.Context, list client.ObjectList, opts ...client.ListOption) error {
	err := i.Reader.List(ctx, list, opts...)
	if err != nil && !meta.IsNoMatchError(err) {
		return fmt.Errorf("previewing: %w", err)
	}
	return nil
}
