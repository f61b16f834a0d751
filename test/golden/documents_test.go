package golden_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"

	"github.com/headgate/headgate/controllers/annotations"
	"github.com/headgate/headgate/controllers/manifests"
	"github.com/headgate/headgate/controllers/preview"
)

// documents are manifests that can be edited: YAML objects in their order.
type documents []map[string]any

// manifest reads the objects of files, one after the other; a file that is not there has none.
func manifest(t *testing.T, names ...string) documents {
	t.Helper()
	var out documents
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		for reader := utilyaml.NewDocumentDecoder(io.NopCloser(bytes.NewReader(data))); ; {
			text := make([]byte, len(data)+1)
			n, err := reader.Read(text)
			if errors.Is(err, io.EOF) {
				break
			}
			var object map[string]any
			if err == nil {
				err = yaml.Unmarshal(text[:n], &object)
			}
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if object != nil {
				out = append(out, object)
			}
		}
	}
	return out
}

// source is the documents as the operator reads them. Of two about one object the later one counts.
func (d documents) source(t *testing.T) preview.Source {
	t.Helper()
	set, err := manifests.New()
	if err != nil {
		t.Fatal(err)
	}
	for i, object := range d {
		text, err := yaml.Marshal(object)
		if err != nil {
			t.Fatal(err)
		}
		set.Add(fmt.Sprintf("object %d", i), text)
	}
	for _, p := range set.Problems {
		t.Error(p)
	}
	return preview.Source{Reader: set, Scheme: set.Scheme()}
}

// item is what a case proves something of: a key of an annotation without the incumbent's prefix, or a field of IngressClassParams, "spec.…".
type item string

const classKind = "IngressClassParams"

func (i item) ofClass() bool { return strings.HasPrefix(string(i), "spec.") }

// full is the item as a finding names it.
func (i item) full() string {
	if i.ofClass() {
		return string(i)
	}
	if i.extends() {
		return string(i)
	}
	return annotations.IngressPrefix + string(i)
}

// extends tells whether the item is a key that the incumbent does not know: it is named with its prefix.
func (i item) extends() bool { return strings.HasPrefix(string(i), annotations.ExtensionPrefix) }

// named tells whether a finding's field is this item; keys of some annotations go on with a name.
func (i item) named(field string) bool {
	if i.ofClass() {
		return strings.HasSuffix(field, i.full()) || strings.Contains(field, i.full()+".")
	}
	if i.extends() {
		return field == string(i)
	}
	key, ours := strings.CutPrefix(field, annotations.IngressPrefix)
	spec, _, known := annotations.Ingress().Find(key)
	return ours && known && spec.Key == string(i)
}

// id of an object, to know it again in another manifest.
func id(object map[string]any) string {
	meta, _ := object["metadata"].(map[string]any)
	return fmt.Sprint(object["kind"], " ", meta["namespace"], "/", meta["name"])
}

// values are those of the item by object and name.
func (d documents) values(i item) map[string]any {
	out := map[string]any{}
	for _, object := range d {
		maps.DeleteFunc(out, func(at string, _ any) bool { return strings.HasPrefix(at, id(object)+" ") })
		for name, value := range valuesOf(object, i) {
			out[id(object)+" "+name] = value
		}
	}
	return out
}

func valuesOf(object map[string]any, i item) map[string]any {
	out := map[string]any{}
	if i.ofClass() {
		if parent, last := parentOf(object, i); object["kind"] == classKind && parent[last] != nil {
			out[last] = parent[last]
		}
		return out
	}
	for name, value := range annotationsOf(object) {
		if i.named(name) {
			out[name] = value
		}
	}
	return out
}

func annotationsOf(object map[string]any) map[string]any {
	meta, _ := object["metadata"].(map[string]any)
	values, _ := meta["annotations"].(map[string]any)
	return values
}

// parentOf is the map that holds a field, and the field's name; the map is nil where it is not there.
func parentOf(object map[string]any, i item) (map[string]any, string) {
	path := strings.Split(string(i), ".")
	at := object
	for _, step := range path[:len(path)-1] {
		at, _ = at[step].(map[string]any)
	}
	return at, path[len(path)-1]
}

// edited is a copy of the documents in which each object's item is as edit says.
func (d documents) edited(t *testing.T, i item, edit func(object map[string]any) map[string]any) documents {
	t.Helper()
	text, err := yaml.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	var out documents
	if err := yaml.Unmarshal(text, &out); err != nil {
		t.Fatal(err)
	}
	for _, object := range out {
		put(object, i, edit(object))
	}
	return out
}

// put writes the values of an item into an object in place of those that it has.
func put(object map[string]any, i item, values map[string]any) {
	if reflect.DeepEqual(values, valuesOf(object, i)) {
		return
	}
	if i.ofClass() {
		if object["kind"] == classKind {
			putField(object, i, values)
		}
		return
	}
	meta, ok := object["metadata"].(map[string]any)
	if !ok {
		return
	}
	have := annotationsOf(object)
	maps.DeleteFunc(have, func(name string, _ any) bool { return i.named(name) })
	if have == nil {
		have = map[string]any{}
	}
	maps.Copy(have, values)
	meta["annotations"] = have
}

// putField writes a field of a class, and makes or removes what holds nothing else.
func putField(object map[string]any, i item, values map[string]any) {
	path := strings.Split(string(i), ".")
	at, above := object, []map[string]any{}
	for _, step := range path[:len(path)-1] {
		next, ok := at[step].(map[string]any)
		if !ok {
			next = map[string]any{}
			at[step] = next
		}
		above, at = append(above, at), next
	}
	last := path[len(path)-1]
	if at[last] = values[last]; values[last] == nil {
		delete(at, last)
	}
	for n := len(above) - 1; n > 0; n-- {
		if inner, _ := above[n][path[n]].(map[string]any); len(inner) == 0 {
			delete(above[n], path[n])
		}
	}
}

// without is the documents without the item.
func (d documents) without(t *testing.T, i item) documents {
	t.Helper()
	return d.edited(t, i, func(map[string]any) map[string]any { return nil })
}

// as is the documents with the item as it is in others: that of the last object of the same name.
func (d documents) as(t *testing.T, others documents, i item) documents {
	t.Helper()
	return d.edited(t, i, func(object map[string]any) map[string]any {
		values := valuesOf(object, i)
		for _, other := range others {
			if id(other) == id(object) {
				values = valuesOf(other, i)
			}
		}
		return values
	})
}

// with is the documents with the item written out wherever it may be: in every class, or on every Ingress, or Service where it is not
// for Ingresses.
func (d documents) with(t *testing.T, i item, value string) documents {
	t.Helper()
	return d.edited(t, i, func(object map[string]any) map[string]any {
		switch {
		case i.ofClass() && object["kind"] == classKind:
			var v any
			if err := yaml.Unmarshal([]byte(value), &v); err != nil {
				t.Fatal(err)
			}
			path := strings.Split(string(i), ".")
			return map[string]any{path[len(path)-1]: v}
		case !i.ofClass() && object["kind"] == "Ingress":
			return map[string]any{i.full(): value}
		}
		return valuesOf(object, i)
	})
}

// inDir is the path of a case's file.
func (c golden) inDir(name string) string { return filepath.Join(c.dir, name) }
