package flags

import (
	"fmt"
	"slices"
	"strings"
)

// Map is a flag of the form k=v,k2=v2.
type Map struct{ To *map[string]string }

// String is the pairs, sorted.
func (m Map) String() string {
	if m.To == nil {
		return ""
	}
	parts := make([]string, 0, len(*m.To))
	for k, v := range *m.To {
		parts = append(parts, k+"="+v)
	}
	slices.Sort(parts)
	return strings.Join(parts, ",")
}

// Set adds the pairs of s.
func (m Map) Set(s string) error {
	if *m.To == nil {
		*m.To = map[string]string{}
	}
	if s == "" {
		return nil
	}
	for pair := range strings.SplitSeq(s, ",") {
		key, value, ok := strings.Cut(pair, "=")
		if key = strings.TrimSpace(key); !ok || key == "" {
			return fmt.Errorf("%q is not of the form key=value", pair)
		}
		(*m.To)[key] = strings.TrimSpace(value)
	}
	return nil
}

// List is a flag of the form a,b,c.
type List struct{ To *[]string }

// String is the list.
func (l List) String() string {
	if l.To == nil {
		return ""
	}
	return strings.Join(*l.To, ",")
}

// Set replaces the list by that of s.
func (l List) Set(s string) error {
	*l.To = nil
	for part := range strings.SplitSeq(s, ",") {
		if part = strings.TrimSpace(part); part != "" {
			*l.To = append(*l.To, part)
		}
	}
	return nil
}
