package contract

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/headgate/headgate/cloud/sim/wire"
)

// reader fills input shapes from JSON with the names of the SDK. A member of a union is written as an object of its name, as in
// {"Forward": {…}} for a RuleActionMemberForward.
type reader struct{ unions wire.Unions }

func (r reader) fill(tree any, v reflect.Value) error {
	object, isObject := tree.(map[string]any)
	list, isList := tree.([]any)
	switch {
	case tree == nil:
		return nil
	case v.Kind() == reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		return r.fill(tree, v.Elem())
	case v.Kind() == reflect.Interface && isObject:
		return r.union(object, v)
	case v.Kind() == reflect.Struct && isObject && v.Type() != reflect.TypeFor[time.Time]():
		return r.fields(object, v)
	case v.Kind() == reflect.Slice && isList:
		v.Set(reflect.MakeSlice(v.Type(), len(list), len(list)))
		for i, one := range list {
			if err := r.fill(one, v.Index(i)); err != nil {
				return err
			}
		}
		return nil
	default:
		return leaf(tree, v)
	}
}

func (r reader) fields(object map[string]any, v reflect.Value) error {
	for name, tree := range object {
		field := v.FieldByNameFunc(func(known string) bool { return strings.EqualFold(known, name) })
		if !field.IsValid() {
			return fmt.Errorf("%s has no field %s: %w", v.Type(), name, errUnexpected)
		}
		if err := r.fill(tree, field); err != nil {
			return err
		}
	}
	return nil
}

func (r reader) union(object map[string]any, v reflect.Value) error {
	for name, tree := range object {
		for _, t := range r.unions {
			if strings.HasSuffix(t.Name(), "Member"+name) && reflect.PointerTo(t).Implements(v.Type()) {
				member := reflect.New(t)
				v.Set(member)
				return r.fill(tree, member.Elem().FieldByName("Value"))
			}
		}
	}
	return fmt.Errorf("%v is no member of %s: %w", object, v.Type(), errUnexpected)
}

// leaf lets the library read what has no shapes in it.
func leaf(tree any, v reflect.Value) error {
	text, err := json.Marshal(tree)
	if err == nil {
		err = json.Unmarshal(text, v.Addr().Interface())
	}
	if err != nil {
		return fmt.Errorf("reading a %s: %w", v.Type(), err)
	}
	return nil
}
