package fault

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
)

// Call is a call to a service.
type Call struct {
	// Service is the signing name, Action the operation, and Kind read or write.
	Service, Action, Kind string
	// Begins says that the call begins something that goes on after its answer.
	Begins bool
}

// When a call fails.
const (
	// Before the call has any effect.
	Before = "before"
	// After it took effect: only the answer is lost.
	After = "after"
	// Later, when what the call began has had its time: the call is answered as one that succeeds. Only calls that begin something can.
	Later = "later"
)

// Fault is calls that fail. It matches calls by service, action and kind, each of which may be left out; the action may have *.
type Fault struct {
	Service string `json:"service,omitempty"`
	Action  string `json:"action,omitempty"`
	// Kind is read or write.
	Kind string `json:"kind,omitempty"`

	// Nth is the one matching call that fails, counted from 1. Every makes each call fail whose number it divides. Chance is the share of
	// matching calls that fail, up to 1. Without any of the three every matching call fails.
	Nth    int     `json:"nth,omitempty"`
	Every  int     `json:"every,omitempty"`
	Chance float64 `json:"chance,omitempty"`
	// Times is how many calls fail at most; 0 for any number.
	Times int `json:"times,omitempty"`

	// When is before (also if it is empty), after or later.
	When string `json:"when,omitempty"`
	// Code, Status and Message are the error; InternalFailure, 500 and a sentence without them. Later, code and message are what describes
	// the failure, and there is no status.
	Code    string `json:"code,omitempty"`
	Status  int    `json:"status,omitempty"`
	Message string `json:"message,omitempty"`
	// Cut closes the connection instead of answering.
	Cut bool `json:"cut,omitempty"`

	// Seen and Failed are how many calls matched and how many of them failed so far. They are shown, and ignored when they are given.
	Seen   int `json:"seen"`
	Failed int `json:"failed"`
}

var errFault = errors.New("invalid fault")

// Check says what is wrong with a fault.
func (f Fault) Check() error {
	switch {
	case !slices.Contains([]string{"", Before, After, Later}, f.When):
		return fmt.Errorf("when is %q, not before, after or later: %w", f.When, errFault)
	case f.When == Later && (f.Cut || f.Status != 0):
		return fmt.Errorf("a call whose failure comes later has an answer, without cut and status: %w", errFault)
	case !slices.Contains([]string{"", "read", "write"}, f.Kind):
		return fmt.Errorf("kind is %q, not read or write: %w", f.Kind, errFault)
	case min(f.Nth, f.Every, f.Times) < 0:
		return fmt.Errorf("nth, every and times are not negative: %w", errFault)
	case f.Chance < 0 || f.Chance > 1:
		return fmt.Errorf("chance %v is not between 0 and 1: %w", f.Chance, errFault)
	case f.choices() > 1:
		return fmt.Errorf("of nth, every and chance there can be one: %w", errFault)
	case f.Status != 0 && (f.Status < 400 || f.Status > 599):
		return fmt.Errorf("status %d is no error: %w", f.Status, errFault)
	case !validPattern(f.Action):
		return fmt.Errorf("action %q is no pattern: %w", f.Action, errFault)
	default:
		return nil
	}
}

// choices counts the ways in which the fault chooses among the calls that match.
func (f Fault) choices() int {
	n := 0
	for _, chosen := range []bool{f.Nth > 0, f.Every > 0, f.Chance > 0} {
		if chosen {
			n++
		}
	}
	return n
}

func validPattern(text string) bool {
	_, err := path.Match(text, "")
	return err == nil
}

// matches compares a call with the fault.
func (f Fault) matches(c Call) bool {
	fits := func(want, got string) bool { return want == "" || want == got }
	return (f.When != Later || c.Begins) && fits(f.Service, c.Service) && fits(f.Kind, c.Kind) && like(f.Action, c.Action)
}

// like compares a name with a pattern with *. The empty pattern is any name.
func like(pattern, name string) bool {
	if pattern == "" {
		return true
	}
	ok, err := path.Match(pattern, name)
	return err == nil && ok
}

// Injector makes calls fail. It is not safe for use by several goroutines.
type Injector struct {
	faults []Fault
	// state is that of a SplitMix64 generator.
	state uint64
}

// NewInjector makes an injector whose chances come from a seed.
func NewInjector(faults []Fault, seed uint64) *Injector {
	all := slices.Clone(faults)
	for i := range all {
		all[i].Seen, all[i].Failed = 0, 0
	}
	return &Injector{faults: all, state: seed}
}

// Faults gives the faults with their counts.
func (j *Injector) Faults() []Fault { return slices.Clone(j.faults) }

// Next counts a call and gives the fault that it meets, if it meets one: the first that strikes.
func (j *Injector) Next(c Call) (Fault, bool) {
	hit := -1
	for i := range j.faults {
		f := &j.faults[i]
		if !f.matches(c) {
			continue
		}
		f.Seen++
		if hit < 0 && j.strikes(*f) {
			hit = i
			f.Failed++
		}
	}
	if hit < 0 {
		return Fault{}, false
	}
	return j.faults[hit], true
}

func (j *Injector) strikes(f Fault) bool {
	switch {
	case f.Times > 0 && f.Failed >= f.Times:
		return false
	case f.Nth > 0:
		return f.Seen == f.Nth
	case f.Every > 0:
		return f.Seen%f.Every == 0
	case f.Chance > 0:
		return j.roll() < f.Chance
	default:
		return true
	}
}

// roll gives the next number below 1, by SplitMix64.
func (j *Injector) roll() float64 {
	const precision = 53
	j.state += 0x9e3779b97f4a7c15
	z := j.state
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	z ^= z >> 31
	return float64(z>>(64-precision)) / (1 << precision)
}

// ParseFault reads "action=CreateRule,nth=3,when=after,code=Throttling,status=400" or "kind=write,every=7,cut".
func ParseFault(text string) (Fault, error) {
	var f Fault
	for entry := range strings.SplitSeq(text, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(entry), "=")
		if err := set(&f, name, value); err != nil {
			return f, fmt.Errorf("fault %q: %w", text, err)
		}
	}
	return f, f.Check()
}

func set(f *Fault, name, value string) error {
	texts := map[string]*string{
		"service": &f.Service, "action": &f.Action, "kind": &f.Kind, "when": &f.When, "code": &f.Code, "message": &f.Message,
	}
	numbers := map[string]*int{"nth": &f.Nth, "every": &f.Every, "times": &f.Times, "status": &f.Status}
	var err error
	switch {
	case texts[name] != nil:
		*texts[name] = value
	case numbers[name] != nil:
		*numbers[name], err = strconv.Atoi(value)
	case name == "chance":
		f.Chance, err = strconv.ParseFloat(value, 64)
	case name == "cut" && value == "":
		f.Cut = true
	default:
		return fmt.Errorf("%q is none of its settings: %w", name, errFault)
	}
	if err != nil {
		return fmt.Errorf("%s is %q, no number: %w", name, value, errFault)
	}
	return nil
}
