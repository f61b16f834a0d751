package elb_test

import (
	"fmt"
	"reflect"
)

// differs tells where what was asked for is not what there is: what was left open may be anything.
func differs(asked, found any) string {
	return differsAt(reflect.ValueOf(asked), reflect.ValueOf(found), "")
}

func differsAt(asked, found reflect.Value, at string) string {
	switch asked.Kind() {
	case reflect.Pointer:
		if asked.IsNil() {
			return ""
		}
		if found.IsNil() {
			return at + " is not there"
		}
		return differsAt(asked.Elem(), found.Elem(), at)
	case reflect.Struct:
		for i := range asked.NumField() {
			name := asked.Type().Field(i).Name
			other := found.FieldByName(name)
			if !asked.Type().Field(i).IsExported() || !other.IsValid() {
				continue
			}
			if d := differsAt(asked.Field(i), other, at+"."+name); d != "" {
				return d
			}
		}
	case reflect.Slice:
		return itemsDiffer(asked, found, at)
	default:
		if !asked.IsZero() && !asked.Equal(found) {
			return fmt.Sprintf("%s is %v, want %v", at, found, asked)
		}
	}
	return ""
}

func itemsDiffer(asked, found reflect.Value, at string) string {
	if asked.IsNil() {
		return ""
	}
	if asked.Len() != found.Len() {
		return fmt.Sprintf("%s has %d, want %d", at, found.Len(), asked.Len())
	}
	for i := range asked.Len() {
		if d := differsAt(asked.Index(i), found.Index(i), fmt.Sprintf("%s[%d]", at, i)); d != "" {
			return d
		}
	}
	return ""
}
