package manifests

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"
)

var errFieldSelector = errors.New("field selectors are not served from manifests")

// Get reads one object. Versions of a kind share their fields here, so that an object is found whichever version it was written in.
func (s *Set) Get(_ context.Context, key client.ObjectKey, object client.Object, _ ...client.GetOption) error {
	kind, err := apiutil.GVKForObject(object, s.scheme)
	if err != nil {
		return fmt.Errorf("finding the kind of %T: %w", object, err)
	}
	data, ok := s.objects[kind.GroupKind()][key]
	if !ok {
		missing := apierrors.NewNotFound(schema.GroupResource{Group: kind.Group, Resource: kind.Kind}, key.String())
		return fmt.Errorf("reading manifests: %w", missing)
	}
	return decode(data, object)
}

// List reads all objects of a kind, by namespace and name.
func (s *Set) List(_ context.Context, list client.ObjectList, opts ...client.ListOption) error {
	kind, err := apiutil.GVKForObject(list, s.scheme)
	if err != nil {
		return fmt.Errorf("finding the kind of %T: %w", list, err)
	}
	kind.Kind = strings.TrimSuffix(kind.Kind, "List")
	o := client.ListOptions{}
	o.ApplyOptions(opts)
	if o.FieldSelector != nil {
		return errFieldSelector
	}
	objects := s.objects[kind.GroupKind()]
	var items []runtime.Object
	for _, key := range slices.SortedFunc(maps.Keys(objects), compareKeys) {
		if o.Namespace != "" && key.Namespace != o.Namespace {
			continue
		}
		item, err := s.item(kind, objects[key], o.LabelSelector)
		if err != nil {
			return err
		}
		if item != nil {
			items = append(items, item)
		}
	}
	if err := meta.SetList(list, items); err != nil {
		return fmt.Errorf("listing %s: %w", kind.Kind, err)
	}
	return nil
}

// item reads an object, nil where the selector leaves it out.
func (s *Set) item(kind schema.GroupVersionKind, data []byte, selector labels.Selector) (runtime.Object, error) {
	fresh, err := s.scheme.New(kind)
	if err != nil {
		return nil, fmt.Errorf("listing %s: %w", kind.Kind, err)
	}
	object, ok := fresh.(client.Object)
	if !ok {
		return nil, fmt.Errorf("listing %s: %T is no object", kind.Kind, fresh)
	}
	if err := decode(data, object); err != nil {
		return nil, err
	}
	if selector != nil && !selector.Matches(labels.Set(object.GetLabels())) {
		return nil, nil
	}
	return object, nil
}

// decode makes object what the data says and nothing else.
func decode(data []byte, object client.Object) error {
	value := reflect.ValueOf(object).Elem()
	value.Set(reflect.Zero(value.Type()))
	if err := json.Unmarshal(data, object); err != nil {
		return fmt.Errorf("reading %T: %w", object, err)
	}
	return nil
}

func compareKeys(a, b client.ObjectKey) int {
	return strings.Compare(a.Namespace+"/"+a.Name, b.Namespace+"/"+b.Name)
}

// Objects are all objects that were read, by kind, namespace and name.
func (s *Set) Objects() ([]client.Object, error) {
	var out []client.Object
	for _, kind := range slices.SortedFunc(maps.Keys(s.objects), func(a, b schema.GroupKind) int { return strings.Compare(a.String(), b.String()) }) {
		for _, key := range slices.SortedFunc(maps.Keys(s.objects[kind]), compareKeys) {
			object, err := s.typed(kind, s.objects[kind][key])
			if err != nil {
				return nil, err
			}
			out = append(out, object)
		}
	}
	return out, nil
}

// typed reads an object in the version that it was written in.
func (s *Set) typed(kind schema.GroupKind, data []byte) (client.Object, error) {
	var head struct {
		APIVersion string `json:"apiVersion"`
	}
	if err := json.Unmarshal(data, &head); err != nil {
		return nil, fmt.Errorf("reading a %s: %w", kind.Kind, err)
	}
	version, err := schema.ParseGroupVersion(head.APIVersion)
	if err != nil || head.APIVersion == "" {
		version = schema.GroupVersion{Group: kind.Group, Version: "v1"}
	}
	fresh, err := s.scheme.New(version.WithKind(kind.Kind))
	if err != nil {
		return nil, fmt.Errorf("reading a %s: %w", kind.Kind, err)
	}
	object, ok := fresh.(client.Object)
	if !ok {
		return nil, fmt.Errorf("reading a %s: %T is no object", kind.Kind, fresh)
	}
	return object, decode(data, object)
}

// Scheme knows the kinds of the set.
func (s *Set) Scheme() *runtime.Scheme { return s.scheme }
