package contract

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/headgate/headgate/cloud/sim/wire"
)

// Demand says what the tests of a service have to see through the SDK: of each operation one success and each error that AWS documents for
// it, and each error that the service's code can give at all.
type Demand struct {
	Service wire.Service
	// ID is how the SDK calls the service, as in "Route 53".
	ID string
	// Left are the documented errors that the simulator does not give, as "Operation Code" or "* Code", and operations that never
	// succeed, and why. A reason that is not true, or
	// no longer, fails.
	Left map[string]string
	// Elsewhere are codes of the code that no call through the SDK can bring about, and why.
	Elsewhere map[string]string
}

// Main runs the tests of a package, and then demands of them what services say. Without all tests of the package it demands nothing.
//
// The documented errors are in testdata/NAME.txt, where NAME is the signing name of the service: a line for each operation, "Operation: Code
// Code". A service without that file has none documented by operation, as EC2: there each operation has to fail in some way.
func Main(m *testing.M, demands ...func() Demand) {
	code := m.Run()
	if code != 0 || !whole() {
		os.Exit(code)
	}
	var missing []string
	codes, elsewhere := map[string]bool{}, map[string]string{}
	for _, demand := range demands {
		d := demand()
		got := d.answered()
		for _, of := range got {
			maps.Copy(codes, of)
		}
		maps.Copy(elsewhere, d.Elsewhere)
		missing = append(missing, d.missing(got)...)
	}
	missing = append(missing, missingCodes(codes, elsewhere)...)
	for _, line := range missing {
		fmt.Println("contract: " + line)
	}
	os.Exit(min(1, len(missing)))
}

// whole reports whether all tests of the package ran.
func whole() bool {
	for _, name := range []string{"test.run", "test.skip", "test.list", "test.fuzz"} {
		if f := flag.Lookup(name); f != nil && f.Value.String() != "" {
			return false
		}
	}
	return !testing.Short()
}

// missing says what no test saw.
func (d Demand) missing(got map[string]map[string]bool) []string {
	documented, err := readDocumented("testdata/" + d.Service.Name + ".txt")
	if err != nil {
		return []string{err.Error()}
	}
	var missing []string
	for _, name := range slices.Sorted(maps.Keys(d.Service.Operations)) {
		switch {
		case d.Left[name] != "" && got[name] != nil && !got[name][""]:
			continue
		case d.Left[name] != "":
			missing = append(missing, fmt.Sprintf("%s %s: no test calls it, or it succeeds, but: %s", d.Service.Name, name, d.Left[name]))
		case !got[name][""]:
			missing = append(missing, fmt.Sprintf("%s %s: no test has it succeed", d.Service.Name, name))
		}
		missing = append(missing, d.missingErrors(name, documented, got[name])...)
	}
	return append(missing, d.idle(documented)...)
}

// answered gives what was seen of the service, by operation and code.
func (d Demand) answered() map[string]map[string]bool {
	seen.Lock()
	defer seen.Unlock()
	got := map[string]map[string]bool{}
	for a := range seen.answers {
		if a.service != d.ID {
			continue
		}
		if got[a.operation] == nil {
			got[a.operation] = map[string]bool{}
		}
		got[a.operation][a.code] = true
	}
	return got
}

func (d Demand) missingErrors(name string, documented map[string][]string, got map[string]bool) []string {
	if documented == nil {
		failed := len(got) > 1 || len(got) == 1 && !got[""]
		if failed == (d.Left[name+" *"] != "") {
			return []string{fmt.Sprintf("%s %s: a test has it fail: %v, and why none has: %q", d.Service.Name, name, failed, d.Left[name+" *"])}
		}
		return nil
	}
	codes, ok := documented[name]
	if !ok {
		return []string{fmt.Sprintf("%s %s: testdata does not say its errors", d.Service.Name, name)}
	}
	var missing []string
	for _, code := range codes {
		one := d.Left[name+" "+code]
		switch {
		case one != "" && got[code]:
			missing = append(missing, fmt.Sprintf("%s %s: %s was seen, but is left out: %s", d.Service.Name, name, code, one))
		case one == "" && d.Left["* "+code] == "" && faults()[code] == "" && !got[code]:
			missing = append(missing, fmt.Sprintf("%s %s: no test sees %s", d.Service.Name, name, code))
		}
	}
	return missing
}

// idle gives reasons that are for nothing documented.
func (d Demand) idle(documented map[string][]string) []string {
	var idle []string
	for _, pair := range slices.Sorted(maps.Keys(d.Left)) {
		name, code, _ := strings.Cut(pair, " ")
		_, offered := d.Service.Operations[name]
		switch {
		case documented == nil && offered, code == "" && offered, offered && slices.Contains(documented[name], code):
		case name == "*" && slices.ContainsFunc(slices.Collect(maps.Values(documented)), func(codes []string) bool { return slices.Contains(codes, code) }):
		default:
			idle = append(idle, fmt.Sprintf("%s: %s is left out, but is not documented", d.Service.Name, pair))
		}
	}
	return idle
}

// missingCodes says which codes of the code no call brought about.
func missingCodes(got map[string]bool, elsewhere map[string]string) []string {
	codes, err := Codes(".")
	if err != nil {
		return []string{err.Error()}
	}
	var missing []string
	for _, code := range codes {
		if got[code] == (elsewhere[code] != "") {
			missing = append(missing, fmt.Sprintf("%s: a test saw it: %v, and why none can: %q", code, got[code], elsewhere[code]))
		}
	}
	return missing
}

// faults are errors that are no answer to what a call says: they can be injected into any call.
func faults() map[string]string {
	const fault = "a fault of AWS itself"
	const rate = "calls that come too fast are answered as the buckets of the throttle say"
	return map[string]string{
		"InternalErrorException": fault, "InternalServiceErrorException": fault, "InternalServiceException": fault, "ServiceFailure": fault,
		"WAFInternalErrorException": fault, "WAFTagOperationInternalErrorException": fault,
		"TooManyRequestsException": rate, "ThrottlingException": rate, "ThrottledException": rate, "Throttling": rate,
	}
}

// readDocumented reads the errors of each operation; nil without the file.
func readDocumented(file string) (map[string][]string, error) {
	body, err := os.ReadFile(file)
	if os.IsNotExist(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the documented errors: %w", err)
	}
	all := map[string][]string{}
	for line := range strings.Lines(string(body)) {
		name, codes, ok := strings.Cut(strings.TrimSpace(line), ":")
		if ok && !strings.HasPrefix(line, "#") {
			all[name] = strings.Fields(codes)
		}
	}
	return all, nil
}
