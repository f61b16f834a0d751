package secret

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Reader reads Secrets from a book, ConfigMaps likewise where there is one of them, and everything else from another reader.
type Reader struct {
	client.Reader

	Book       *Book
	ConfigMaps *ConfigMaps
}

// Get is an object by name.
func (r Reader) Get(ctx context.Context, key client.ObjectKey, obj client.Object, opts ...client.GetOption) error {
	switch into := obj.(type) {
	case *corev1.Secret:
		found, err := r.Book.Get(ctx, key)
		if err != nil {
			return err
		}
		found.DeepCopyInto(into)
		return nil
	case *corev1.ConfigMap:
		if r.ConfigMaps == nil {
			break
		}
		found, err := r.ConfigMaps.Get(ctx, key)
		if err != nil {
			return err
		}
		found.DeepCopyInto(into)
		return nil
	}
	if err := r.Reader.Get(ctx, key, obj, opts...); err != nil {
		return fmt.Errorf("reading %s: %w", key, err)
	}
	return nil
}
