// Package table keeps resources by identifier in the order in which they were made, the order in which list calls give them. It
// imports the standard library only.
package table

import (
	"cmp"
	"iter"
	"slices"
)

// Table is a map that remembers insertion order. The zero value is empty and ready.
type Table[T any] struct {
	rows map[string]row[T]
	keys []ordered
	next uint64
}

type row[T any] struct {
	order uint64
	value T
}

type ordered struct {
	order uint64
	key   string
}

// Put adds or replaces a row. A replaced row keeps its place.
func (t *Table[T]) Put(key string, value T) {
	if t.rows == nil {
		t.rows = map[string]row[T]{}
	}
	if old, ok := t.rows[key]; ok {
		t.rows[key] = row[T]{old.order, value}
		return
	}
	t.next++
	t.rows[key] = row[T]{t.next, value}
	t.keys = append(t.keys, ordered{t.next, key})
}

// Get finds a row.
func (t *Table[T]) Get(key string) (T, bool) {
	r, ok := t.rows[key]
	return r.value, ok
}

// Delete removes a row if it is there.
func (t *Table[T]) Delete(key string) {
	r, ok := t.rows[key]
	if !ok {
		return
	}
	delete(t.rows, key)
	at, found := slices.BinarySearchFunc(t.keys, r.order, func(o ordered, order uint64) int { return cmp.Compare(o.order, order) })
	if found {
		t.keys = slices.Delete(t.keys, at, at+1)
	}
}

// Len is the number of rows.
func (t *Table[T]) Len() int { return len(t.rows) }

// All gives the rows in order. The table must not be changed meanwhile: see Values.
func (t *Table[T]) All() iter.Seq2[string, T] {
	return func(yield func(string, T) bool) {
		for _, k := range t.keys {
			if !yield(k.key, t.rows[k.key].value) {
				return
			}
		}
	}
}

// Values gives the rows as a list, which stays as it is when the table changes.
func (t *Table[T]) Values() []T {
	all := make([]T, 0, len(t.keys))
	for _, v := range t.All() {
		all = append(all, v)
	}
	return all
}
