// Package shape finds in the input and output shapes of any service what is common to them: the resources that a call names, those that
// it made or lists, and tags. It goes by the conventions of AWS's APIs, by reflection over the shapes of the SDK, knows no service and
// imports the standard library only. Its invariant: it changes a shape only where it says so, and what does not follow the conventions is
// passed over.
package shape

import (
	"iter"
	"reflect"
	"slices"
	"strings"
	"time"
)

// Texts gives all texts in a shape with the name of the field that holds them, as deep as they are.
func Texts(in any) iter.Seq2[string, string] {
	return func(yield func(string, string) bool) { walk(reflect.ValueOf(in), "", yield) }
}

// walk visits texts and reports whether to go on.
func walk(v reflect.Value, field string, visit func(string, string) bool) bool {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		return v.IsNil() || walk(v.Elem(), field, visit)
	case reflect.String:
		return visit(field, v.String())
	case reflect.Slice:
		for i := range v.Len() {
			if !walk(v.Index(i), field, visit) {
				return false
			}
		}
		return true
	case reflect.Struct:
		return walkFields(v, visit)
	default:
		return true
	}
}

func walkFields(v reflect.Value, visit func(string, string) bool) bool {
	if v.Type() == reflect.TypeFor[time.Time]() {
		return true
	}
	for f, value := range v.Fields() {
		if f.IsExported() && f.Name != "ResultMetadata" && !walk(value, f.Name, visit) {
			return false
		}
	}
	return true
}

// Tags gives the tags that an input sets: in Tags, as a list or a map, or in TagSpecifications.
func Tags(in any) map[string]string {
	tags := map[string]string{}
	v := reflect.Indirect(reflect.ValueOf(in))
	if v.Kind() != reflect.Struct {
		return tags
	}
	collectTags(v.FieldByName("Tags"), tags)
	if specifications := v.FieldByName("TagSpecifications"); specifications.IsValid() {
		for i := range specifications.Len() {
			collectTags(specifications.Index(i).FieldByName("Tags"), tags)
		}
	}
	return tags
}

func collectTags(v reflect.Value, tags map[string]string) {
	switch {
	case !v.IsValid():
	case v.Kind() == reflect.Map:
		for _, k := range v.MapKeys() {
			tags[k.String()] = v.MapIndex(k).String()
		}
	case v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.Struct:
		for i := range v.Len() {
			tags[text(v.Index(i), "Key")] = text(v.Index(i), "Value")
		}
	}
}

// TagKeys gives the keys that an input names without values, to take them away.
func TagKeys(in any) []string {
	v := reflect.Indirect(reflect.ValueOf(in))
	if v.Kind() != reflect.Struct {
		return nil
	}
	for _, name := range []string{"TagKeys", "RemoveTagKeys"} {
		field := v.FieldByName(name)
		if !field.IsValid() {
			continue
		}
		if keys, ok := reflect.TypeAssert[[]string](field); ok {
			return keys
		}
	}
	return nil
}

// text gives a text field of a struct, or "" without one.
func text(v reflect.Value, field string) string {
	f := v.FieldByName(field)
	if f.Kind() == reflect.Pointer {
		f = f.Elem()
	}
	if f.Kind() != reflect.String {
		return ""
	}
	return f.String()
}

// Thing is a resource in an output.
type Thing struct {
	// IDs are its ARN and its identifier, those that it has.
	IDs  []string
	Name string
}

// thing reads the identity of a resource. It reports false for a struct that is none.
func thing(v reflect.Value) (Thing, bool) {
	if v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	if v.Kind() != reflect.Struct {
		return Thing{}, false
	}
	kind := v.Type().Name()
	for _, end := range []string{"Summary", "Description", "Detail", "Output"} {
		kind = strings.TrimSuffix(kind, end)
	}
	var t Thing
	for _, field := range []string{kind + "Arn", kind + "Id", "Arn", "ARN", "Id", "GroupId", "CertificateArn", "AllocationId"} {
		if id := text(v, field); id != "" && !slices.Contains(t.IDs, id) {
			t.IDs = append(t.IDs, id)
		}
	}
	for _, field := range []string{"Name", kind + "Name", "GroupName"} {
		if t.Name == "" {
			t.Name = text(v, field)
		}
	}
	return t, len(t.IDs) > 0
}

// Things gives the resources of an output: the output itself, what it holds, and the items of its lists.
func Things(out any) []Thing {
	v := reflect.Indirect(reflect.ValueOf(out))
	if v.Kind() != reflect.Struct {
		return nil
	}
	var all []Thing
	add := func(one reflect.Value) {
		if t, ok := thing(one); ok {
			all = append(all, t)
		}
	}
	add(v)
	for f, value := range v.Fields() {
		switch {
		case !f.IsExported() || f.Name == "ResultMetadata":
		case value.Kind() == reflect.Pointer && !value.IsNil():
			add(value)
		case value.Kind() == reflect.Slice:
			for i := range value.Len() {
				add(value.Index(i))
			}
		}
	}
	return all
}

// Keep takes out of the lists of an output the resources that are not wanted. The lists are made anew, so that nobody else's change.
func Keep(out any, wanted func(Thing) bool) {
	v := reflect.Indirect(reflect.ValueOf(out))
	if v.Kind() != reflect.Struct {
		return
	}
	for f, value := range v.Fields() {
		if !f.IsExported() || value.Kind() != reflect.Slice || value.IsNil() {
			continue
		}
		kept := reflect.MakeSlice(value.Type(), 0, value.Len())
		for i := range value.Len() {
			if t, ok := thing(value.Index(i)); !ok || wanted(t) {
				kept = reflect.Append(kept, value.Index(i))
			}
		}
		value.Set(kept)
	}
}

// Named gives the texts that an input holds itself, alone or in a list, with the names of their fields.
func Named(in any) iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		v := reflect.Indirect(reflect.ValueOf(in))
		if v.Kind() != reflect.Struct {
			return
		}
		for f, value := range v.Fields() {
			kind := value.Type()
			if kind.Kind() == reflect.Slice || kind.Kind() == reflect.Pointer {
				kind = kind.Elem()
			}
			if f.IsExported() && kind.Kind() == reflect.String && !walk(value, f.Name, yield) {
				return
			}
		}
	}
}
