package cluster

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Apply applies the objects of files, or of the YAML files of directories, in their order. Objects without a
// namespace that need one go to "default".
func (c *Cluster) Apply(ctx context.Context, paths ...string) error {
	objects, err := readObjects(paths)
	if err != nil {
		return err
	}
	writer, err := client.New(c.config, client.Options{})
	if err != nil {
		return fmt.Errorf("making a client: %w", err)
	}
	for _, object := range objects {
		if err := place(writer, object); err != nil {
			return err
		}
		if err := asKubectl(object); err != nil {
			return err
		}
		desired := client.ApplyConfigurationFromUnstructured(object)
		if err := writer.Apply(ctx, desired, client.FieldOwner(fieldOwner), client.ForceOwnership); err != nil {
			return fmt.Errorf("applying %s %s: %w", object.GetKind(), object.GetName(), err)
		}
	}
	return nil
}

// asKubectl puts the object as it is into the annotation by which `kubectl apply` knows what it may change: it warns of objects that
// have none.
func asKubectl(object *unstructured.Unstructured) error {
	text, err := object.MarshalJSON()
	if err != nil {
		return fmt.Errorf("encoding %s %s: %w", object.GetKind(), object.GetName(), err)
	}
	annotations := object.GetAnnotations()
	if annotations == nil {
		annotations = map[string]string{}
	}
	annotations[corev1.LastAppliedConfigAnnotation] = string(text)
	object.SetAnnotations(annotations)
	return nil
}

func place(writer client.Client, object *unstructured.Unstructured) error {
	namespaced, err := writer.IsObjectNamespaced(object)
	if err != nil {
		return fmt.Errorf("looking up kind %s: %w", object.GetKind(), err)
	}
	if namespaced && object.GetNamespace() == "" {
		object.SetNamespace("default")
	}
	return nil
}
