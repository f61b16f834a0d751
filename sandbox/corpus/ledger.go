package corpus

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// Entry is a row of the table that is kept in the tree: what a manifest's author wanted of an object, what came of it, and what we
// hold of that. Wanted and Judged are written by people.
type Entry struct {
	File, Object, Wanted, Gives string
	Verdict                     Verdict
	Judged                      string
}

const ledgerHead = "| file | object | what its author wanted | what it gives | verdict | judged |\n|---|---|---|---|---|---|\n"

// ReadLedger reads the text before the table, and the table.
func ReadLedger(path string) (intro string, entries []Entry, err error) {
	data, err := os.ReadFile(filepath.Clean(path))
	if err != nil {
		return "", nil, fmt.Errorf("reading the table: %w", err)
	}
	intro, table, found := strings.Cut(string(data), ledgerHead)
	if !found {
		return intro, nil, nil
	}
	for line := range strings.Lines(table) {
		cells := strings.Split(strings.TrimSpace(line), " | ")
		if len(cells) != 6 {
			return "", nil, fmt.Errorf("%s: a row has %d cells instead of 6: %s", path, len(cells), strings.TrimSpace(line))
		}
		cells[0], cells[5] = strings.TrimPrefix(cells[0], "| "), strings.TrimSuffix(cells[5], " |")
		entries = append(entries, Entry{cells[0], cells[1], cells[2], cells[3], Verdict(cells[4]), cells[5]})
	}
	return intro, entries, nil
}

// WriteLedger writes the table after the intro.
func WriteLedger(path, intro string, entries []Entry) error {
	var b strings.Builder
	b.WriteString(intro + ledgerHead)
	for _, e := range entries {
		fmt.Fprintf(&b, "| %s |\n", strings.Join([]string{e.File, e.Object, e.Wanted, e.Gives, string(e.Verdict), e.Judged}, " | "))
	}
	if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil { //nolint:gosec // a page of the documentation
		return fmt.Errorf("writing the table: %w", err)
	}
	return nil
}

// unjudged stands where people have not written yet.
const unjudged = "?"

// Judge puts rows into the table; what people wrote of an object stays as long as the same comes of it. Rows of folders that the table does
// not have are left out, unless it is empty.
func Judge(entries []Entry, rows []Row) []Entry {
	var out []Entry
	for _, r := range rows {
		if len(entries) > 0 && !covers(entries, r.File) {
			continue
		}
		e := Entry{File: r.File, Object: r.Object, Wanted: unjudged, Gives: cell(r.Gives), Verdict: r.Verdict, Judged: unjudged}
		if i := slices.IndexFunc(entries, e.same); i >= 0 {
			e.Wanted = entries[i].Wanted
			if entries[i].Gives == e.Gives && entries[i].Verdict == e.Verdict {
				e.Judged = entries[i].Judged
			}
		}
		out = append(out, e)
	}
	return out
}

func (e Entry) same(o Entry) bool { return e.File == o.File && e.Object == o.Object }

func covers(entries []Entry, file string) bool {
	folder, _, _ := strings.Cut(file, "/")
	return slices.ContainsFunc(entries, func(e Entry) bool { return strings.HasPrefix(e.File, folder+"/") })
}

// Differences says where rows are not what the table has, and where nobody has judged them.
func Differences(entries []Entry, rows []Row) []string {
	var out []string
	now := Judge(entries, rows)
	for _, e := range entries {
		if !slices.ContainsFunc(now, e.same) {
			out = append(out, fmt.Sprintf("%s %s: is in the table, and nothing came of it", e.File, e.Object))
		}
	}
	for _, e := range now {
		i := slices.IndexFunc(entries, e.same)
		switch {
		case i < 0:
			out = append(out, fmt.Sprintf("%s %s: is not in the table", e.File, e.Object))
		case entries[i].Gives != e.Gives || entries[i].Verdict != e.Verdict:
			out = append(out, fmt.Sprintf("%s %s:\n  the table has %s: %s\n  it was        %s: %s",
				e.File, e.Object, entries[i].Verdict, entries[i].Gives, e.Verdict, e.Gives))
		case e.Wanted == unjudged || e.Judged == unjudged:
			out = append(out, fmt.Sprintf("%s %s: nobody has judged it", e.File, e.Object))
		}
	}
	return out
}

// cell is text that a cell of a table can hold.
func cell(s string) string {
	return strings.TrimSpace(strings.NewReplacer("|", "/", "\n", " ").Replace(s))
}

// told finds reason and field in what is said to the owner of an object.
var told = regexp.MustCompile(`([A-Z][A-Za-z0-9]+): ((?:alb\.ingress\.kubernetes\.io/|spec[.\[]|metadata[.])[^ ]*[^ :]): `)

// longestGist is how many bytes of a text without reason and field are kept.
const longestGist = 140

// gist is what a detail says without its wording: reasons with their fields, or else its beginning.
func gist(detail string) string {
	var out []string
	for _, match := range told.FindAllStringSubmatch(detail, -1) {
		out = append(out, match[1]+" at "+match[2])
	}
	if len(out) > 0 {
		slices.Sort(out)
		return strings.Join(slices.Compact(out), ", ")
	}
	if len(detail) > longestGist {
		return strings.ToValidUTF8(detail[:longestGist], "") + "…"
	}
	return detail
}
