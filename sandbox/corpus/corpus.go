// Package corpus applies manifests that strangers wrote to a running sandbox, and says of each object what became of it. The
// files are read in place; nothing of them is kept.
//
// It may import everything. Its invariant: every object gets a verdict, and no file stops the others.
package corpus

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// World is the sandbox that manifests are applied to.
type World struct {
	Client client.Client
	// Get sends a request to a load balancer by its DNS name and returns the status.
	Get func(ctx context.Context, r Request) (int, error)
	// Shape says what the load balancer with a DNS name is; nil says nothing.
	Shape func(ctx context.Context, dnsName string) (string, error)
	// Certify puts a certificate for hosts into the account, as authors have one whose Ingresses name none; nil makes none.
	Certify func(ctx context.Context, hosts []string) error
	Out     io.Writer
	// Patience is how long an object may take to get a verdict, and twice that how long a file may take to be deleted.
	Patience time.Duration
	// Workers is how many files are applied side by side. Default 1.
	Workers int
}

// Request is one request to a load balancer.
type Request struct {
	DNSName, Scheme, Host, Path string
	Port                        int
	// Method is GET where it is empty. Query is encoded.
	Method, Query string
	Header        map[string]string
	// GRPC sends a call, whose method nobody knows.
	GRPC bool
}

// Run applies every manifest below the folders of dir and returns a row for each object, in the order of the files. It fails where
// the folders cannot be listed, and where ctx ends, with the rows until then.
func Run(ctx context.Context, w World, dir string, folders []string) ([]Row, error) {
	var jobs []*job
	for _, folder := range folders {
		files, err := filepath.Glob(filepath.Join(dir, folder, "*.yaml"))
		if err != nil {
			return nil, fmt.Errorf("listing %s: %w", folder, err)
		}
		slices.Sort(files)
		for _, file := range files {
			j := &job{name: filepath.ToSlash(filepath.Join(folder, filepath.Base(file)))}
			j.objects, j.problem = read(file)
			j.filled = map[*unstructured.Unstructured]string{}
			for _, o := range j.objects {
				j.filled[o] = fill(o)
			}
			j.claims = w.claims(j.namespace(), j.objects)
			jobs = append(jobs, j)
		}
	}
	p := &pool{jobs: jobs, out: w.Out}
	p.run(ctx, max(w.Workers, 1), w.file)
	if err := context.Cause(ctx); err != nil {
		return p.rows(), fmt.Errorf("cut off: %w", err)
	}
	return p.rows(), nil
}

// job is one file.
type job struct {
	// name is folder/file.
	name    string
	objects []*unstructured.Unstructured
	// problem is the first document that is no object, nil without one.
	problem error
	// filled says what was filled into objects.
	filled map[*unstructured.Unstructured]string
	claims claims
	state  state
	rows   []Row
}

type state int

const (
	waits state = iota
	runs
	done
)

// namespace is where the file's objects go that name none.
func (j *job) namespace() string {
	name := "corpus-" + strings.Map(nameRune, strings.TrimSuffix(j.name, ".yaml"))
	return home(strings.TrimRight(name[:min(len(name), 60)], "-"), j.objects)
}

func nameRune(r rune) rune {
	if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
		return r
	}
	return '-'
}

// file applies one file, judges its objects and deletes them.
func (w World) file(ctx context.Context, j *job) []Row {
	var rows []Row
	if j.problem != nil {
		rows = append(rows, Row{File: j.name, Object: "(document)", Verdict: Refused, Detail: "no Kubernetes object: " + oneLine(j.problem.Error())})
	}
	t := &trial{World: w, namespace: j.namespace(), users: map[string]*unstructured.Unstructured{}}
	verdicts, problem := t.apply(ctx, j.objects)
	if problem != nil {
		rows = append(rows, Row{File: j.name, Object: "(stand-ins)", Verdict: Unclear, Detail: oneLine(problem.Error())})
	}
	for i, o := range j.objects {
		v := verdicts[i]
		if v.verdict == "" {
			v = t.judge(ctx, o, j.objects)
		}
		rows = append(rows, Row{File: j.name, Object: describe(o), Verdict: v.verdict, Detail: v.detail})
		verdicts[i] = v
	}
	// After all are judged: a load balancer is then what all of them make of it.
	for i, o := range j.objects {
		r := &rows[len(rows)-len(j.objects)+i]
		if r.Gives = t.gives(ctx, o, verdicts[i]); j.filled[o] != "" {
			r.Gives += "; filled in: " + j.filled[o]
		}
	}
	for _, r := range t.clean(ctx) {
		r.File = j.name
		rows = append(rows, r)
	}
	return rows
}

func describe(o client.Object) string {
	if o.GetNamespace() == "" {
		return kindOf(o) + " " + o.GetName()
	}
	return kindOf(o) + " " + o.GetNamespace() + "/" + o.GetName()
}

// kindOf is an object's kind; typed ones that were read do not say it.
func kindOf(o client.Object) string {
	if kind := o.GetObjectKind().GroupVersionKind().Kind; kind != "" {
		return kind
	}
	name := fmt.Sprintf("%T", o)
	return name[strings.LastIndex(name, ".")+1:]
}
