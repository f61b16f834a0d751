// Package manifests reads the objects of YAML and JSON files as if an API server held them.
//
// It owns which kinds are read and how documents become objects; it may import apis, model and Kubernetes libraries. Its
// invariants: it fills in no defaults of fields, since whoever reads objects must do without them anyway; and a document that cannot
// be read is a problem to be told, never the end of the others.
package manifests

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"
	gwv1beta1 "sigs.k8s.io/gateway-api/apis/v1beta1"
	"sigs.k8s.io/yaml"

	elbv2v1alpha1 "github.com/headgate/headgate/apis/elbv2/v1alpha1"
	elbv2v1beta1 "github.com/headgate/headgate/apis/elbv2/v1beta1"
	awsgwv1 "github.com/headgate/headgate/apis/gateway/v1"
	awsgwv1beta1 "github.com/headgate/headgate/apis/gateway/v1beta1"
	headgatev1alpha1 "github.com/headgate/headgate/apis/headgate/v1alpha1"
)

// Problem is a document that could not be read, or not in full.
type Problem struct {
	// Source is the file, with the number of the document in it.
	Source string `json:"source"`
	// Message says what is wrong.
	Message string `json:"message"`
}

// String is the problem in one line.
func (p Problem) String() string { return p.Source + ": " + p.Message }

// Set is the objects of manifests. It is a [client.Reader].
type Set struct {
	scheme  *runtime.Scheme
	objects map[schema.GroupKind]map[client.ObjectKey][]byte
	// Problems of the documents that were added.
	Problems []Problem
	// Ignored counts the documents of kinds that are not read, by kind.
	Ignored map[string]int
}

// Scheme knows the kinds that are read.
func Scheme() (*runtime.Scheme, error) {
	s := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{
		corev1.AddToScheme, networkingv1.AddToScheme, discoveryv1.AddToScheme, gwv1.Install, gwv1beta1.Install,
		elbv2v1beta1.AddToScheme, elbv2v1alpha1.AddToScheme, awsgwv1.AddToScheme, awsgwv1beta1.AddToScheme, headgatev1alpha1.AddToScheme,
	} {
		if err := add(s); err != nil {
			return nil, fmt.Errorf("building the scheme: %w", err)
		}
	}
	return s, nil
}

// New returns an empty set.
func New() (*Set, error) {
	s, err := Scheme()
	if err != nil {
		return nil, err
	}
	return &Set{scheme: s, objects: map[schema.GroupKind]map[client.ObjectKey][]byte{}, Ignored: map[string]int{}}, nil
}

// Read adds all manifests of a file, or of a directory and what is below it.
func (s *Set) Read(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("reading manifests: %w", err)
	}
	if !info.IsDir() {
		data, err := os.ReadFile(path)
		if err != nil {
			return fmt.Errorf("reading manifests: %w", err)
		}
		s.Add(path, data)
		return nil
	}
	root := os.DirFS(path)
	err = fs.WalkDir(root, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return fmt.Errorf("looking through %s: %w", name, err)
		}
		if entry.IsDir() || !slices.Contains([]string{".yaml", ".yml", ".json"}, filepath.Ext(name)) {
			return nil
		}
		data, err := fs.ReadFile(root, name)
		if err != nil {
			return fmt.Errorf("reading %s: %w", name, err)
		}
		s.Add(filepath.Join(path, name), data)
		return nil
	})
	if err != nil {
		return fmt.Errorf("reading manifests: %w", err)
	}
	return nil
}

// Add adds the documents of one file. Of two documents about the same object the later one counts, as when they are applied.
func (s *Set) Add(source string, data []byte) {
	reader := utilyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(data)))
	for n := 1; ; n++ {
		at := fmt.Sprintf("%s (document %d)", source, n)
		document, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			s.problem(at, "not readable: %v", err)
			return
		}
		s.document(at, document)
	}
}

func (s *Set) problem(at, format string, args ...any) {
	s.Problems = append(s.Problems, Problem{Source: at, Message: fmt.Sprintf(format, args...)})
}

// document adds one document, or each item of a list.
func (s *Set) document(at string, document []byte) {
	var head struct {
		metav1.TypeMeta `json:",inline"`

		Items []json.RawMessage `json:"items"`
	}
	text, err := yaml.YAMLToJSON(document)
	if err != nil {
		s.problem(at, "not YAML: %v", err)
		return
	}
	if string(text) == "null" {
		return
	}
	if err := json.Unmarshal(text, &head); err != nil || head.Kind == "" {
		s.problem(at, "not an object: it has no kind")
		return
	}
	if strings.HasSuffix(head.Kind, "List") && head.Items != nil {
		for i, item := range head.Items {
			s.document(fmt.Sprintf("%s item %d", at, i), item)
		}
		return
	}
	s.object(at, head.GroupVersionKind(), text)
}

func (s *Set) object(at string, kind schema.GroupVersionKind, text []byte) {
	if !s.scheme.Recognizes(kind) {
		s.Ignored[kind.GroupVersion().String()+" "+kind.Kind]++
		return
	}
	fresh, err := s.scheme.New(kind)
	if err != nil {
		s.problem(at, "not an object: %v", err)
		return
	}
	object, ok := fresh.(client.Object)
	if !ok {
		s.Ignored[kind.GroupVersion().String()+" "+kind.Kind]++
		return
	}
	if err := json.Unmarshal(text, object); err != nil {
		s.problem(at, "%s: %v", kind.Kind, err)
		return
	}
	if object.GetName() == "" {
		s.problem(at, "%s has no metadata.name", kind.Kind)
		return
	}
	s.strict(at, kind, text)
	if namespaced(kind.GroupKind()) && object.GetNamespace() == "" {
		object.SetNamespace(metav1.NamespaceDefault)
	}
	s.put(at, kind.GroupKind(), object)
}

// strict tells of fields that the kind does not have: an API server drops them.
func (s *Set) strict(at string, kind schema.GroupVersionKind, text []byte) {
	fresh, err := s.scheme.New(kind)
	if err == nil {
		err = yaml.UnmarshalStrict(text, fresh)
	}
	if err != nil {
		s.problem(at, "%s: %s", kind.Kind, strings.TrimPrefix(err.Error(), "error unmarshaling JSON: while decoding JSON: json: "))
	}
}

func (s *Set) put(at string, kind schema.GroupKind, object client.Object) {
	if kind.Kind == "Namespace" {
		labelNamespace(object)
	}
	data, err := json.Marshal(object)
	if err != nil {
		s.problem(at, "%s: %v", kind.Kind, err)
		return
	}
	if s.objects[kind] == nil {
		s.objects[kind] = map[client.ObjectKey][]byte{}
	}
	s.objects[kind][client.ObjectKeyFromObject(object)] = data
	if namespace := object.GetNamespace(); namespace != "" {
		s.ensureNamespace(at, namespace)
	}
}

// ensureNamespace stands in for a namespace that the manifests use and do not hold.
func (s *Set) ensureNamespace(at, name string) {
	kind := schema.GroupKind{Kind: "Namespace"}
	if _, known := s.objects[kind][client.ObjectKey{Name: name}]; !known {
		s.put(at, kind, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}})
	}
}

// labelNamespace gives a namespace the label that every API server gives it.
func labelNamespace(object client.Object) {
	labels := object.GetLabels()
	if labels == nil {
		labels = map[string]string{}
	}
	labels[corev1.LabelMetadataName] = object.GetName()
	object.SetLabels(labels)
}

func namespaced(kind schema.GroupKind) bool {
	return !slices.Contains([]schema.GroupKind{
		{Kind: "Namespace"}, {Kind: "Node"}, {Kind: "PersistentVolume"},
		{Group: "networking.k8s.io", Kind: "IngressClass"}, {Group: "gateway.networking.k8s.io", Kind: "GatewayClass"},
		{Group: "elbv2.k8s.aws", Kind: "IngressClassParams"},
		{Group: "headgate.dev", Kind: "LoadBalancer"}, {Group: "headgate.dev", Kind: "StackState"},
	}, kind)
}
