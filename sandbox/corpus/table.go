package corpus

import (
	"fmt"
	"strings"
)

// Verdict is what became of an object.
type Verdict string

// The verdicts.
const (
	Serves   Verdict = "serves"
	Finding  Verdict = "finding"
	Refused  Verdict = "refused by the API server"
	NotForUs Verdict = "not for us"
	// Unclear is a defect of ours: the object neither serves nor is anything said about it.
	Unclear Verdict = "UNCLEAR"
)

// Row is one line of the table.
type Row struct {
	File    string
	Object  string
	Verdict Verdict
	Detail  string
	// Gives is what came of the object without the wording of messages: the same at every run.
	Gives string
}

// Markdown is the table of the rows.
func Markdown(rows []Row) string {
	var b strings.Builder
	b.WriteString("| file | object | verdict | detail |\n|---|---|---|---|\n")
	for _, r := range rows {
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", r.File, r.Object, r.Verdict, strings.ReplaceAll(r.Detail, "|", "\\|"))
	}
	return b.String()
}

// Summary counts the verdicts, and tells whether each object got one.
func Summary(rows []Row) (string, bool) {
	count := map[Verdict]int{}
	for _, r := range rows {
		count[r.Verdict]++
	}
	text := fmt.Sprintf("%d objects: %d serve, %d findings, %d refused by the API server, %d not for us, %d unclear",
		len(rows), count[Serves], count[Finding], count[Refused], count[NotForUs], count[Unclear])
	return text, count[Unclear] == 0 && len(rows) > 0
}

// longest is how many bytes of a detail the table shows.
const longest = 600

func oneLine(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if len(s) > longest {
		s = strings.ToValidUTF8(s[:longest], "") + "…"
	}
	return s
}
