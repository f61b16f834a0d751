// Package corpus applies manifests that strangers wrote to a running sandbox, and says of each object what became of it. The
// files are read in place; nothing of them is kept.
//
// It may import everything. Its invariant: every object gets a verdict, and no file stops the others.
package corpus

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// World is the sandbox that manifests are applied to.
type World struct {
	Client client.Client
	// Get sends a request to a load balancer by its DNS name and returns the status.
	Get func(ctx context.Context, r Request) (int, error)
	Out io.Writer
	// Patience is how long an object may take to get a verdict.
	Patience time.Duration
}

// Request is one request to a load balancer.
type Request struct {
	DNSName, Scheme, Host, Path string
	Port                        int
}

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
}

// Run applies every manifest below the folders of dir and returns a row for each object. It fails only where the sandbox does.
func Run(ctx context.Context, w World, dir string, folders []string) ([]Row, error) {
	var rows []Row
	for _, folder := range folders {
		files, err := filepath.Glob(filepath.Join(dir, folder, "*.yaml"))
		if err != nil {
			return nil, fmt.Errorf("listing %s: %w", folder, err)
		}
		slices.Sort(files)
		for _, file := range files {
			name := filepath.ToSlash(filepath.Join(folder, filepath.Base(file)))
			got, err := w.file(ctx, file, name)
			if err != nil {
				return rows, fmt.Errorf("%s: %w", name, err)
			}
			for _, r := range got {
				fmt.Fprintf(w.Out, "%-52s %-44s %-10s %s\n", r.File, r.Object, r.Verdict, r.Detail)
			}
			rows = append(rows, got...)
		}
	}
	return rows, nil
}

// file applies one file in a namespace of its own, judges its objects and deletes them.
func (w World) file(ctx context.Context, path, name string) ([]Row, error) {
	objects, problem := read(path)
	var rows []Row
	if problem != nil {
		rows = append(rows, Row{name, "(document)", Refused, "no Kubernetes object: " + oneLine(problem.Error())})
	}
	namespace := "corpus-" + strings.Map(nameRune, strings.TrimSuffix(name, ".yaml"))
	c := &trial{World: w, namespace: namespace[:min(len(namespace), 60)]}
	if err := c.prepare(ctx, objects); err != nil {
		return rows, err
	}
	first := len(rows)
	for _, o := range objects {
		verdict, detail := c.apply(ctx, o)
		rows = append(rows, Row{File: name, Object: describe(o), Verdict: verdict, Detail: detail})
	}
	for i, o := range objects {
		if row := &rows[first+i]; row.Verdict == "" {
			row.Verdict, row.Detail = c.judge(ctx, o)
		}
	}
	return rows, c.clean(ctx)
}

func nameRune(r rune) rune {
	if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
		return r
	}
	return '-'
}

// read returns the objects of a file, and the first problem of a document that is none.
func read(path string) ([]*unstructured.Unstructured, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("opening: %w", err)
	}
	defer func() { _ = f.Close() }()
	decoder := yaml.NewYAMLOrJSONDecoder(f, 4096)
	var out []*unstructured.Unstructured
	var problem error
	for {
		o := &unstructured.Unstructured{}
		err := decoder.Decode(&o.Object)
		switch {
		case errors.Is(err, io.EOF):
			return out, problem
		case err != nil:
			// A reader that lost its place cannot find the next document.
			return out, fmt.Errorf("reading a document: %w", err)
		case len(o.Object) == 0:
		case o.GetKind() == "" || o.GetAPIVersion() == "":
			problem = errors.New("a document has no kind or apiVersion")
		default:
			out = append(out, o)
		}
	}
}

func describe(o *unstructured.Unstructured) string {
	if o.GetNamespace() == "" {
		return o.GetKind() + " " + o.GetName()
	}
	return o.GetKind() + " " + o.GetNamespace() + "/" + o.GetName()
}

func oneLine(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if len(s) > 300 {
		s = s[:300] + "…"
	}
	return s
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
