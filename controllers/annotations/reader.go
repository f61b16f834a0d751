package annotations

import (
	"maps"
	"slices"
	"strings"
)

// Reader gives the values of an object's annotations. A value that has not its form counts as not written: [Table.Check] tells
// of it.
type Reader struct {
	table  Table
	layers []map[string]string
}

// Reader over the annotations of one object.
func (t Table) Reader(values map[string]string) Reader {
	return Reader{table: t, layers: []map[string]string{values}}
}

// Over is r with what base says of the keys that r has not.
func (r Reader) Over(base Reader) Reader {
	r.layers = slices.Concat(r.layers, base.layers)
	return r
}

// Field is the full name of a key.
func (r Reader) Field(key string) string { return r.table.prefix + key }

// raw is a value that has its form.
func (r Reader) raw(key string) (string, bool) {
	for _, values := range r.layers {
		value, ok := values[r.table.prefix+key]
		if !ok {
			continue
		}
		value = strings.TrimSpace(value)
		spec, _, known := r.table.Find(key)
		return value, known && spec.Parse(value) == nil
	}
	return "", false
}

// Has tells whether a key is written, whatever its value.
func (r Reader) Has(key string) bool {
	return slices.ContainsFunc(r.layers, func(values map[string]string) bool {
		_, ok := values[r.table.prefix+key]
		return ok
	})
}

// Asks tells whether a key is written with a value that asks for something. A value that cannot be read asks.
func (r Reader) Asks(key string) bool {
	for _, values := range r.layers {
		if value, ok := values[r.table.prefix+key]; ok {
			spec, _, _ := r.table.Find(key)
			return !spec.off(strings.TrimSpace(value))
		}
	}
	return false
}

// String value of a key.
func (r Reader) String(key string) (string, bool) { return r.raw(key) }

// Int value of a key.
func (r Reader) Int(key string) (int, bool) {
	raw, ok := r.raw(key)
	if !ok {
		return 0, false
	}
	n, err := parseInt(raw)
	return n, err == nil
}

// Bool value of a key.
func (r Reader) Bool(key string) (value, ok bool) {
	raw, ok := r.raw(key)
	if !ok {
		return false, false
	}
	value, err := parseBool(raw)
	return value, err == nil
}

// List value of a key; an empty one counts as not written.
func (r Reader) List(key string) []string {
	raw, ok := r.raw(key)
	if !ok {
		return nil
	}
	return parseList(raw)
}

// Items are the values of a List key, those that have not their form included.
func (r Reader) Items(key string) []string {
	raw, _ := r.raw(key)
	return parseList(raw)
}

// Map value of a key; an empty one counts as not written.
func (r Reader) Map(key string) map[string]string {
	raw, ok := r.raw(key)
	if !ok || raw == "" {
		return nil
	}
	values, err := parseMap(raw)
	if err != nil {
		return nil
	}
	return values
}

// Decode the JSON value of a key.
func Decode[T any](r Reader, key string) (T, bool) {
	var none T
	raw, ok := r.raw(key)
	if !ok {
		return none, false
	}
	v, err := decode[T](raw)
	return v, err == nil
}

// Names that follow a Named key, sorted.
func (r Reader) Names(key string) []string {
	seen := map[string]bool{}
	for _, values := range r.layers {
		for full := range values {
			if suffix, ok := strings.CutPrefix(full, r.table.prefix); ok {
				if spec, name, found := r.table.Find(suffix); found && spec.Key == key && spec.Named {
					seen[name] = true
				}
			}
		}
	}
	return slices.Sorted(maps.Keys(seen))
}
