package corpus

import (
	"errors"
	"fmt"
	"io"
	"os"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"
)

var errNoObject = errors.New("a document has no kind or apiVersion")

// read returns the objects of a file, and the first problem of a document that is none.
func read(path string) ([]*unstructured.Unstructured, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("opening: %w", err)
	}
	defer func() { _ = f.Close() }()
	decoder := yaml.NewYAMLOrJSONDecoder(f, 4096)
	var out []*unstructured.Unstructured
	var problem error
	for {
		o := &unstructured.Unstructured{}
		err := decoder.Decode(&o.Object)
		switch {
		case errors.Is(err, io.EOF):
			return out, problem
		case err != nil:
			// A reader that lost its place cannot find the next document.
			return out, fmt.Errorf("reading a document: %w", err)
		case len(o.Object) == 0:
		case o.GetKind() == "" || o.GetAPIVersion() == "":
			problem = errNoObject
		default:
			modern(o)
			out = append(out, o)
		}
	}
}
