package wire

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"time"
)

// jsonDecoder fills shapes from JSON documents. Members are named as their fields, or so but with a small first letter.
type jsonDecoder struct{ unions Unions }

func (d jsonDecoder) document(body []byte, v reflect.Value) error {
	in := json.NewDecoder(bytes.NewReader(body))
	in.UseNumber()
	var tree any
	if err := in.Decode(&tree); err != nil {
		return Errorf("SerializationException", "%v", err)
	}
	if _, ok := tree.(map[string]any); !ok {
		return mistyped("", "an object")
	}
	return d.value(tree, v, "")
}

func mistyped(path, want string) error {
	return Errorf("SerializationException", "%s is not %s", path, want)
}

// value sets a value from a part of a document. The path names the member in errors.
func (d jsonDecoder) value(tree any, v reflect.Value, path string) error {
	switch {
	case tree == nil:
		return nil
	case v.Kind() == reflect.Pointer:
		fresh := reflect.New(v.Type().Elem())
		v.Set(fresh)
		return d.value(tree, fresh.Elem(), path)
	case v.Kind() == reflect.Interface:
		return d.union(tree, v, path)
	case isTime(v):
		return jsonTime(tree, v, path)
	case isBytes(v):
		return jsonBytes(tree, v, path)
	case v.Kind() == reflect.Struct:
		return d.fields(tree, v, path)
	case v.Kind() == reflect.Slice:
		return d.items(tree, v, path)
	case v.Kind() == reflect.Map:
		return d.entries(tree, v, path)
	default:
		return jsonScalar(tree, v, path)
	}
}

func (d jsonDecoder) fields(tree any, v reflect.Value, path string) error {
	members, ok := tree.(map[string]any)
	if !ok {
		return mistyped(path, "an object")
	}
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if !onWire(f) {
			continue
		}
		name := f.Name
		member, ok := members[name]
		if !ok {
			name = lowerFirst(name)
			member = members[name]
		}
		if err := d.value(member, v.Field(i), join(path, name)); err != nil {
			return err
		}
	}
	return nil
}

// union sets one of the members of a union: the one that the document has.
func (d jsonDecoder) union(tree any, v reflect.Value, path string) error {
	members, ok := tree.(map[string]any)
	if !ok {
		return mistyped(path, "an object")
	}
	for _, t := range d.unions {
		member, found := members[memberName(t)]
		if !found || member == nil || !reflect.PointerTo(t).Implements(v.Type()) {
			continue
		}
		fresh := reflect.New(t)
		v.Set(fresh)
		return d.value(member, fresh.Elem().Field(0), join(path, memberName(t)))
	}
	return mistyped(path, "one of the members of its union")
}

func (d jsonDecoder) items(tree any, v reflect.Value, path string) error {
	list, ok := tree.([]any)
	if !ok {
		return mistyped(path, "a list")
	}
	v.Set(reflect.MakeSlice(v.Type(), len(list), len(list)))
	for i, item := range list {
		if err := d.value(item, v.Index(i), fmt.Sprintf("%s.%d", path, i+1)); err != nil {
			return err
		}
	}
	return nil
}

func (d jsonDecoder) entries(tree any, v reflect.Value, path string) error {
	members, ok := tree.(map[string]any)
	if !ok {
		return mistyped(path, "an object")
	}
	v.Set(reflect.MakeMap(v.Type()))
	for key, member := range members {
		value := reflect.New(v.Type().Elem()).Elem()
		if err := d.value(member, value, join(path, key)); err != nil {
			return err
		}
		v.SetMapIndex(reflect.ValueOf(key).Convert(v.Type().Key()), value)
	}
	return nil
}

// jsonTime reads seconds since the epoch, or a text.
func jsonTime(tree any, v reflect.Value, path string) error {
	switch t := tree.(type) {
	case json.Number:
		seconds, err := t.Float64()
		if err != nil {
			return mistyped(path, "a time")
		}
		v.Set(reflect.ValueOf(time.UnixMilli(int64(seconds * millis)).UTC()))
		return nil
	case string:
		at, err := time.Parse(time.RFC3339, t)
		if err != nil {
			return mistyped(path, "a time")
		}
		v.Set(reflect.ValueOf(at))
		return nil
	default:
		return mistyped(path, "a time")
	}
}

func jsonBytes(tree any, v reflect.Value, path string) error {
	text, ok := tree.(string)
	if !ok {
		return mistyped(path, "base64")
	}
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return mistyped(path, "base64")
	}
	v.SetBytes(raw)
	return nil
}

// jsonScalar demands that the document has the kind that the shape has: "5" is no number.
func jsonScalar(tree any, v reflect.Value, path string) error {
	var text string
	want := v.Kind().String()
	switch t := tree.(type) {
	case string:
		if v.Kind() != reflect.String {
			return mistyped(path, want)
		}
		text = t
	case bool:
		if v.Kind() != reflect.Bool {
			return mistyped(path, want)
		}
		text = strconv.FormatBool(t)
	case json.Number:
		if !slices.Contains([]reflect.Kind{reflect.Int32, reflect.Int64, reflect.Float32, reflect.Float64}, v.Kind()) {
			return mistyped(path, want)
		}
		text = t.String()
	default:
		return mistyped(path, want)
	}
	if scalar(text, v, path) != nil {
		return mistyped(path, want)
	}
	return nil
}
