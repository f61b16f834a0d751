package wire

import (
	"encoding/base64"
	"fmt"
	"reflect"
	"strconv"
	"time"
)

// decoder fills shapes from a form or an XML document.
type decoder struct {
	// name gives the wire name of a field of a shape.
	name func(shape, field string) string
	// items gives the items of the list that is a field of a shape, from the node of that name.
	items func(n *node, shape, field string) []*node
}

func isTime(v reflect.Value) bool { return v.Type() == reflect.TypeFor[time.Time]() }

func isBytes(v reflect.Value) bool { return v.Type() == reflect.TypeFor[[]byte]() }

// decode sets a value from a node. The path names the parameter in errors.
func (d *decoder) decode(n *node, v reflect.Value, path string) error {
	switch {
	case v.Kind() == reflect.Pointer:
		fresh := reflect.New(v.Type().Elem())
		if err := d.decode(n, fresh.Elem(), path); err != nil {
			return err
		}
		v.Set(fresh)
		return nil
	case isTime(v) || isBytes(v):
		return d.special(n, v, path)
	case v.Kind() == reflect.Struct:
		return d.fields(n, v, path)
	case v.Kind() == reflect.Slice:
		return d.list(n.items(), v, path)
	case v.Kind() == reflect.Map:
		return d.entries(n, v, path)
	default:
		return scalar(n.value, v, path)
	}
}

func (d *decoder) fields(n *node, v reflect.Value, path string) error {
	t := v.Type()
	for i := range t.NumField() {
		if !onWire(t.Field(i)) {
			continue
		}
		name := d.name(t.Name(), t.Field(i).Name)
		c, ok := n.children[name]
		if !ok {
			continue
		}
		at := v.Field(i)
		if at.Kind() == reflect.Slice && !isBytes(at) {
			if err := d.list(d.items(c, t.Name(), t.Field(i).Name), at, join(path, name)); err != nil {
				return err
			}
			continue
		}
		if err := d.decode(c, at, join(path, name)); err != nil {
			return err
		}
	}
	return nil
}

func (d *decoder) list(all []*node, v reflect.Value, path string) error {
	v.Set(reflect.MakeSlice(v.Type(), len(all), len(all)))
	for i, c := range all {
		if err := d.decode(c, v.Index(i), fmt.Sprintf("%s.%d", path, i+1)); err != nil {
			return err
		}
	}
	return nil
}

func (d *decoder) entries(n *node, v reflect.Value, path string) error {
	v.Set(reflect.MakeMap(v.Type()))
	for _, entry := range n.child("entry").items() {
		value := reflect.New(v.Type().Elem()).Elem()
		if err := d.decode(entry.child("value"), value, path); err != nil {
			return err
		}
		v.SetMapIndex(reflect.ValueOf(entry.child("key").value).Convert(v.Type().Key()), value)
	}
	return nil
}

func (d *decoder) special(n *node, v reflect.Value, path string) error {
	if isBytes(v) {
		raw, err := base64.StdEncoding.DecodeString(n.value)
		if err != nil {
			return malformed(path, n.value)
		}
		v.SetBytes(raw)
		return nil
	}
	at, err := time.Parse(time.RFC3339, n.value)
	if err != nil {
		return malformed(path, n.value)
	}
	v.Set(reflect.ValueOf(at))
	return nil
}

func scalar(text string, v reflect.Value, path string) error {
	switch v.Kind() {
	case reflect.String:
		v.SetString(text)
	case reflect.Bool:
		b, err := strconv.ParseBool(text)
		if err != nil {
			return malformed(path, text)
		}
		v.SetBool(b)
	case reflect.Int32, reflect.Int64:
		i, err := strconv.ParseInt(text, 10, v.Type().Bits())
		if err != nil {
			return malformed(path, text)
		}
		v.SetInt(i)
	case reflect.Float64, reflect.Float32:
		f, err := strconv.ParseFloat(text, v.Type().Bits())
		if err != nil {
			return malformed(path, text)
		}
		v.SetFloat(f)
	default:
		return fmt.Errorf("parameter %s has kind %s, which no protocol carries", path, v.Kind())
	}
	return nil
}

func malformed(path, text string) error {
	return Errorf("MalformedInput", "Value (%s) for parameter %s is invalid", text, path)
}

// onWire reports whether a field of a shape travels: the SDK's own bookkeeping does not.
func onWire(f reflect.StructField) bool {
	return f.IsExported() && f.Name != "ResultMetadata"
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}
