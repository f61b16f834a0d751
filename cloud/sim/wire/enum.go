package wire

import (
	"fmt"
	"reflect"
	"strings"
)

// badEnum finds the first enum in a shape with a value that the API does not have. The empty string means that none is wrong.
func badEnum(v reflect.Value, path string) string {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			return ""
		}
		return badEnum(v.Elem(), path)
	case reflect.Struct:
		return badEnumInFields(v, path)
	case reflect.Slice:
		for i := range v.Len() {
			if bad := badEnum(v.Index(i), fmt.Sprintf("%s.%d.member", path, i+1)); bad != "" {
				return bad
			}
		}
	case reflect.String:
		return checkEnum(v, path)
	default:
		return ""
	}
	return ""
}

func badEnumInFields(v reflect.Value, path string) string {
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if !onWire(f) || isTime(v.Field(i)) {
			continue
		}
		if bad := badEnum(v.Field(i), join(path, strings.ToLower(f.Name[:1])+f.Name[1:])); bad != "" {
			return bad
		}
	}
	return ""
}

// checkEnum compares a string with the values that its type lists by the Values method that the SDK generates.
func checkEnum(v reflect.Value, path string) string {
	if v.Len() == 0 || v.Type().NumMethod() == 0 {
		return ""
	}
	values := v.MethodByName("Values")
	if !values.IsValid() || values.Type().NumIn() != 0 || values.Type().NumOut() != 1 {
		return ""
	}
	known := values.Call(nil)[0]
	names := make([]string, 0, known.Len())
	for i := range known.Len() {
		if known.Index(i).String() == v.String() {
			return ""
		}
		names = append(names, known.Index(i).String())
	}
	return fmt.Sprintf("1 validation error detected: Value '%s' at '%s' failed to satisfy constraint: "+
		"Member must satisfy enum value set: [%s]", v.String(), path, strings.Join(names, ", "))
}
