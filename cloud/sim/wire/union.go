package wire

import (
	"reflect"
	"strings"
)

// Unions are the members of the unions of an API, as the structs that the SDK generates: types.RuleActionMemberForward. The SDK gives no
// list of them.
type Unions []reflect.Type

// NewUnions lists members by an empty value of each.
func NewUnions(members ...any) Unions {
	var all Unions
	for _, m := range members {
		all = append(all, reflect.TypeOf(m))
	}
	return all
}

// memberName reads the name on the wire out of the name of a member's struct: RuleActionMemberFixedResponse is fixedResponse.
func memberName(t reflect.Type) string {
	_, name, _ := strings.Cut(t.Name(), "Member")
	return lowerFirst(name)
}

// unionMember gives the name of the member that an interface holds, and false for what is no union.
func unionMember(v reflect.Value) (string, bool) {
	if v.Kind() != reflect.Interface || v.Type().NumMethod() == 0 || v.Elem().Kind() != reflect.Pointer {
		return "", false
	}
	t := v.Elem().Type().Elem()
	if t.Kind() != reflect.Struct || !strings.HasPrefix(t.Name(), v.Type().Name()+"Member") {
		return "", false
	}
	return memberName(t), true
}

func lowerFirst(name string) string {
	if name == "" {
		return ""
	}
	return strings.ToLower(name[:1]) + name[1:]
}
