// Package attribute owns the attributes that AWS gives to load balancers, target groups and listeners: their keys by kind, their defaults,
// and what values each takes (ELBv2 API: LoadBalancerAttribute, TargetGroupAttribute, ListenerAttribute).
//
// It imports the standard library only, for the build and the simulator both read it. Its invariant: a value that a table refuses is refused
// by AWS, whatever else is asked for. AWS adds keys as time goes by, so that a key that no table has is not wrong for that.
package attribute

import "slices"

// Attribute is one key that a resource has.
type Attribute struct {
	Key, Default string
	// Check says what AWS refuses of a value, to be read after the key and the value; empty where it takes it.
	Check func(value string) string
}

// Find is the attribute of a key.
func Find(all []Attribute, key string) (Attribute, bool) {
	i := slices.IndexFunc(all, func(a Attribute) bool { return a.Key == key })
	if i < 0 {
		return Attribute{}, false
	}
	return all[i], true
}

// Defaults are the values of a new resource by key.
func Defaults(all []Attribute) map[string]string {
	values := make(map[string]string, len(all))
	for _, a := range all {
		values[a.Key] = a.Default
	}
	return values
}

// Problem says what AWS refuses of a key with its value, to be read after both: a value that the attribute does not take, or a key that only
// other resources have. It is empty for what AWS may take, which every key is that is in no table: others are keys of any resource of the kind.
func Problem(mine, others []Attribute, key, value string) string {
	if a, ok := Find(mine, key); ok {
		return a.Check(value)
	}
	if _, ok := Find(others, key); ok {
		return elsewhere
	}
	return ""
}

// elsewhere is what is wrong with a key that AWS knows, and not here.
const elsewhere = "is an attribute of other types or protocols only"
