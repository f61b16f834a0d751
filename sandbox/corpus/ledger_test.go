package corpus

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestTableInTheTreeIsJudged(t *testing.T) {
	t.Parallel()
	intro, entries, err := ReadLedger("../../docs/reference/corpus.md")
	if err != nil {
		t.Fatal(err)
	}
	if intro == "" || len(entries) == 0 {
		t.Fatal("the table is empty")
	}
	for _, e := range entries {
		if e.Wanted == unjudged || e.Judged == unjudged || e.Verdict == Unclear || strings.Contains(e.Judged, "defect") {
			t.Errorf("%s %s: %s, wanted %q, judged %q", e.File, e.Object, e.Verdict, e.Wanted, e.Judged)
		}
	}
}

func TestLedgerComparesAndKeepsWhatPeopleWrote(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "corpus.md")
	was := []Entry{
		{"ingress/1.yaml", "Ingress a/b", "a host", "HTTP:80", Serves, "as wanted"},
		{"ingress/1.yaml", "Ingress a/c", "a path", "HTTP:80", Serves, "as wanted"},
		{"ingress/1.yaml", "Ingress a/d", "nothing", "", NotForUs, "not ours"},
	}
	if err := WriteLedger(path, "# Head\n\n", was); err != nil {
		t.Fatal(err)
	}
	intro, read, err := ReadLedger(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(was, read); diff != "" || intro != "# Head\n\n" {
		t.Errorf("%q %s", intro, diff)
	}
	rows := []Row{
		{File: "ingress/1.yaml", Object: "Ingress a/b", Verdict: Serves, Gives: "HTTP:80"},
		{File: "ingress/1.yaml", Object: "Ingress a/c", Verdict: Serves, Gives: "HTTP:81 | x"},
		{File: "ingress/2.yaml", Object: "Ingress a/e", Verdict: Finding, Gives: "told"},
		{File: "gateway/1.yaml", Object: "Gateway a/f", Verdict: Serves},
	}
	want := []Entry{
		was[0],
		{"ingress/1.yaml", "Ingress a/c", "a path", "HTTP:81 / x", Serves, "?"},
		{"ingress/2.yaml", "Ingress a/e", "?", "told", Finding, "?"},
	}
	if diff := cmp.Diff(want, Judge(read, rows)); diff != "" {
		t.Error(diff)
	}
	if got := Differences(read, rows); len(got) != 3 {
		t.Errorf("a changed, a new and a missing row: %q", got)
	}
	if got := Differences(want[1:2], rows[1:2]); len(got) != 1 || !strings.Contains(got[0], "judged") {
		t.Errorf("a row that nobody judged: %q", got)
	}
	if got := Differences(want[:1], rows[:1]); len(got) != 0 {
		t.Errorf("nothing changed: %q", got)
	}
}

func TestGist(t *testing.T) {
	t.Parallel()
	for detail, want := range map[string]string{
		"InvalidAnnotation: alb.ingress.kubernetes.io/scheme: \"x\" is no scheme: write one · BackendNotFound: spec.rules[0].http: gone": "BackendNotFound at spec.rules[0].http, InvalidAnnotation at alb.ingress.kubernetes.io/scheme",
		"Ready=False InvalidTargetGroup: spec.targetGroupARN: no":                                                                        "InvalidTargetGroup at spec.targetGroupARN",
		"no such kind: v1 X": "no such kind: v1 X",
	} {
		if got := gist(detail); got != want {
			t.Errorf("%s: %s, want %s", detail, got, want)
		}
	}
}
