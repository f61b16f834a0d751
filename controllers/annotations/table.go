package annotations

import (
	"strings"
)

// Type is how a value is written.
type Type int

// The types of values.
const (
	// String is free text, or one of Values.
	String Type = iota
	// Bool is true or false, in any writing that strconv.ParseBool knows.
	Bool
	// Int is a decimal number from Min to Max.
	Int
	// List is values with commas between them.
	List
	// Map is k=v pairs with commas between them; a comma inside a value is written "\,".
	Map
	// JSON is a JSON text whose keys are compared without case.
	JSON
)

// Place is the objects that a key may be written on.
type Place int

// The places.
const (
	OnIngress Place = 1 << iota
	OnService
	Both = OnIngress | OnService
)

// Scope is how far a value reaches, and so what happens when the members of a group differ.
type Scope int

// The scopes.
const (
	// Own values concern only their member.
	Own Scope = iota
	// Exclusive values are one for the whole load balancer.
	Exclusive
	// Merge values add up over the members, key by key.
	Merge
	// PerPort values are one for each listener.
	PerPort
	// PerTargetGroup values concern the target group of one Ingress and Service port.
	PerTargetGroup
	// PerRule values concern the rules of their member.
	PerRule
	// Strictest values say how changes are made, not what is made: of all that the members and their classes say, the strictest counts.
	Strictest
	// Handover values say whose the load balancer is, not what it does.
	Handover
)

// Status is what becomes of a key.
type Status int

// The states of keys.
const (
	// Served keys do what they say.
	Served Status = iota
	// Closed keys restrict access in a way that is not served yet: who asks for it is answered 503.
	Closed
	// Unserved keys are not served yet, without harm to access: a warning says so.
	Unserved
	// Ignored keys are written by an operator, not by users.
	Ignored
)

// Spec is one key.
type Spec struct {
	// Key without the prefix. A Named key is followed by a dot and a name: "actions.<name>".
	Key   string
	Named bool
	Type  Type
	// Default is what holds without the key, in words.
	Default string
	On      Place
	Scope   Scope
	Status  Status
	// Values are all that a String may be; empty means any text.
	Values []string
	// Min and Max bound an Int.
	Min, Max int
	// Off are values that ask for nothing.
	Off []string
	// Check looks closer at a value of the right type: at each one of a List.
	Check func(string) error
	// Odd finds what is no mistake, but hardly meant.
	Odd func(string) error
	// Guards tells whether a value restricts access, of a key that is served. Closed keys restrict it with any value but Off.
	Guards func(string) bool
}

// guards tells whether a value asks to restrict access.
func (s Spec) guards(value string) bool {
	if s.Status == Closed {
		return !s.off(value)
	}
	return s.Guards != nil && s.Guards(value)
}

// Table is the keys of one prefix.
type Table struct {
	prefix string
	specs  map[string]Spec
	order  []string
}

// New makes a table of specs; prefix ends with a slash.
func New(prefix string, specs []Spec) Table {
	t := Table{prefix: prefix, specs: make(map[string]Spec, len(specs))}
	for _, s := range specs {
		t.specs[s.Key] = s
		t.order = append(t.order, s.Key)
	}
	return t
}

// Specs are the keys in the order of the table.
func (t Table) Specs() []Spec {
	out := make([]Spec, 0, len(t.order))
	for _, key := range t.order {
		out = append(out, t.specs[key])
	}
	return out
}

// Find gives the spec of a key without its prefix, and the name that follows a Named one.
func (t Table) Find(key string) (spec Spec, name string, ok bool) {
	if s, ok := t.specs[key]; ok && !s.Named {
		return s, "", true
	}
	// A name may hold dots, and "group.name" is no name of "group": the longest key wins.
	for head := key; ; {
		i := strings.LastIndexByte(head, '.')
		if i < 0 {
			return Spec{}, "", false
		}
		head = head[:i]
		if s, ok := t.specs[head]; ok && s.Named && key[i+1:] != "" {
			return s, key[i+1:], true
		}
	}
}

// near is the key that is spelled most like key, empty when none is close.
func (t Table) near(key string) string {
	best, bestAt := "", len(key)/3+1
	for _, known := range t.order {
		candidate, typed := known, key
		if t.specs[known].Named {
			head, name, ok := strings.Cut(key, ".")
			if !ok {
				continue
			}
			candidate, typed = known+"."+name, head+"."+name
		}
		if d := distance(typed, candidate); d < bestAt {
			best, bestAt = candidate, d
		}
	}
	return best
}

// distance is the count of letters to add, remove or change to get from a to b.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			next := min(row[j+1]+1, row[j]+1, diagonal+cost)
			diagonal, row[j+1] = row[j+1], next
		}
	}
	return row[len(b)]
}
