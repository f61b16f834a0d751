package plan

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/headgate/headgate/model"
)

// fields collects what differs.
type fields []Field

// text notes a difference of two values.
func (f *fields) text(name, have, want string) {
	if have != want {
		*f = append(*f, Field{Name: name, Old: have, New: want})
	}
}

// asked notes a difference where something is wanted at all.
func (f *fields) asked(name, have, want string) {
	if want != "" {
		f.text(name, have, want)
	}
}

func (f *fields) number(name string, have, want int) {
	f.text(name, digits(have), digits(want))
}

// askedNumber notes a difference where a number is wanted at all.
func (f *fields) askedNumber(name string, have, want int) {
	if want != 0 {
		f.number(name, have, want)
	}
}

// settings notes every key of want that have lacks or has otherwise, in the order of keys.
func (f *fields) settings(prefix string, have, want map[string]string) {
	for _, key := range slices.Sorted(maps.Keys(want)) {
		old, ok := have[key]
		if !ok || old != want[key] {
			*f = append(*f, Field{Name: prefix + key, Old: old, New: want[key]})
		}
	}
}

func digits(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

func joined[T ~string](values []T) string {
	out := make([]string, len(values))
	for i, v := range values {
		out[i] = string(v)
	}
	return strings.Join(out, ",")
}

// refNames are the security groups as print shows them, sorted.
func refNames(refs []model.GroupRef) []string {
	out := make([]string, len(refs))
	for i, r := range refs {
		out[i] = r.Key + r.ID
	}
	slices.Sort(out)
	return out
}
