package cluster

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

const (
	crdTimeout = time.Minute
	crdKind    = "CustomResourceDefinition"
	fieldOwner = "headgate-sandbox"
	yamlBuffer = 4096
)

// install creates or updates the definitions found in paths, and waits until all are served.
func install(ctx context.Context, config *rest.Config, paths []string) error {
	definitions, err := readCRDs(paths)
	if err != nil {
		return err
	}
	writer, err := client.New(config, client.Options{})
	if err != nil {
		return fmt.Errorf("making a client for definitions: %w", err)
	}
	for _, definition := range definitions {
		desired := client.ApplyConfigurationFromUnstructured(definition)
		if err := writer.Apply(ctx, desired, client.FieldOwner(fieldOwner), client.ForceOwnership); err != nil {
			return fmt.Errorf("installing %s: %w", definition.GetName(), err)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, crdTimeout)
	defer cancel()
	for _, definition := range definitions {
		if err := awaitEstablished(ctx, writer, definition); err != nil {
			return err
		}
	}
	return nil
}

// awaitEstablished returns when the API server serves the definition.
func awaitEstablished(ctx context.Context, reader client.Reader, definition *unstructured.Unstructured) error {
	for {
		if err := reader.Get(ctx, client.ObjectKeyFromObject(definition), definition); err != nil {
			return fmt.Errorf("waiting for %s: %w", definition.GetName(), err)
		}
		if isEstablished(definition) {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for %s to be established: %w", definition.GetName(), ctx.Err())
		case <-time.After(readyPoll):
		}
	}
}

// isEstablished takes conditions that are absent or null, as they are at first, for none.
func isEstablished(definition *unstructured.Unstructured) bool {
	field, _, err := unstructured.NestedFieldNoCopy(definition.Object, "status", "conditions")
	conditions, isList := field.([]any)
	return err == nil && isList && slices.ContainsFunc(conditions, func(condition any) bool {
		fields, ok := condition.(map[string]any)
		return ok && fields["type"] == "Established" && fields["status"] == "True"
	})
}

// readCRDs reads the definitions in the files and, not descending, in the directories.
func readCRDs(paths []string) ([]*unstructured.Unstructured, error) {
	objects, err := readObjects(paths)
	if err != nil {
		return nil, err
	}
	var definitions []*unstructured.Unstructured
	for _, object := range objects {
		if object.GetKind() == crdKind {
			unstructured.RemoveNestedField(object.Object, "status")
			definitions = append(definitions, object)
		}
	}
	return definitions, nil
}

// readObjects reads the objects in the files and, not descending, in the directories.
func readObjects(paths []string) ([]*unstructured.Unstructured, error) {
	var objects []*unstructured.Unstructured
	for _, path := range paths {
		files, err := yamlFiles(path)
		if err != nil {
			return nil, fmt.Errorf("looking for manifests: %w", err)
		}
		for _, file := range files {
			found, err := readFile(file)
			if err != nil {
				return nil, fmt.Errorf("reading %s: %w", file, err)
			}
			objects = append(objects, found...)
		}
	}
	return objects, nil
}

// yamlFiles is the file itself, or the YAML files of a directory.
func yamlFiles(path string) ([]string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("looking at it: %w", err)
	}
	if !info.IsDir() {
		return []string{path}, nil
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, fmt.Errorf("listing the directory: %w", err)
	}
	var files []string
	for _, entry := range entries {
		if isYAML(entry) {
			files = append(files, filepath.Join(path, entry.Name()))
		}
	}
	return files, nil
}

func isYAML(entry fs.DirEntry) bool {
	extension := filepath.Ext(entry.Name())
	return !entry.IsDir() && (extension == ".yaml" || extension == ".yml") && entry.Name() != "kustomization.yaml"
}

func readFile(path string) ([]*unstructured.Unstructured, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("opening: %w", err)
	}
	var objects []*unstructured.Unstructured
	for decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(content), yamlBuffer); ; {
		object := &unstructured.Unstructured{}
		if err := decoder.Decode(&object.Object); errors.Is(err, io.EOF) {
			return objects, nil
		} else if err != nil {
			return nil, fmt.Errorf("decoding: %w", err)
		}
		if object.GetKind() != "" { // a document may hold comments only
			objects = append(objects, object)
		}
	}
}
