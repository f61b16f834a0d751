package calls_test

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
)

// The table stands between these lines of the document.
const (
	tableBegin = "<!-- the test writes from here -->\n"
	tableEnd   = "<!-- to here -->\n"
	tableHead  = "| What happens | Reads | Writes | Which reads | Which writes |\n|---|---|---|---|---|\n"
)

// row is a line of the table.
type row struct {
	what  string
	calls tally
}

func (r row) String() string {
	reads, writes := r.calls.part(false), r.calls.part(true)
	return fmt.Sprintf("| %s | %d | %d | %s | %s |\n", r.what, reads.sum(), writes.sum(), reads, writes)
}

// readTable reads the rows of a document. Sums are not read: they follow.
func readTable(t *testing.T, name string) map[string]tally {
	t.Helper()
	out := map[string]tally{}
	_, table, _ := strings.Cut(document(t, name), tableBegin)
	table, _, _ = strings.Cut(table, tableEnd)
	for line := range strings.Lines(strings.TrimPrefix(table, tableHead)) {
		cells := strings.Split(strings.TrimSpace(line), "|")
		const whole = 7 // five, and what is before the first and after the last line
		if len(cells) != whole {
			t.Fatalf("%s: this is no row: %s", name, line)
		}
		calls := tally{}
		for word := range strings.SplitSeq(cells[4]+","+cells[5], ",") {
			action, times, many := strings.Cut(strings.TrimSpace(word), " ×")
			if action == "" {
				continue
			}
			calls[action] = 1
			if many {
				n, err := strconv.Atoi(times)
				if err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				calls[action] = n
			}
		}
		out[strings.TrimSpace(cells[1])] = calls
	}
	return out
}

// writeTable puts the rows into a document.
func writeTable(t *testing.T, name string, rows []row) {
	t.Helper()
	text := document(t, name)
	before, rest, ok := strings.Cut(text, tableBegin)
	_, after, closed := strings.Cut(rest, tableEnd)
	if !ok || !closed {
		t.Fatalf("%s has no place for the table", name)
	}
	var table strings.Builder
	for _, r := range rows {
		table.WriteString(r.String())
	}
	const mode = 0o644
	if err := os.WriteFile(name, []byte(before+tableBegin+tableHead+table.String()+tableEnd+after), mode); err != nil {
		t.Fatal(err)
	}
}

func document(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
