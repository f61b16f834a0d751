package examples_test

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// example is a file, or a directory of files, with what a guide says of it.
type example struct {
	// dir is the directory below examples; ingress where it is empty. The task is the file, or the whole of the directory of this name.
	dir, task string
	// namespace and name of the object whose load balancer is visited, an Ingress or else a Gateway; the task and "shop" where they are empty.
	namespace, name string
	check           func(context.Context, visitor) error
}

// files are the manifests of an example.
func (e example) files() ([]string, error) {
	pattern := e.task + ".yaml"
	if e.dir == e.task {
		pattern = "*.yaml"
	}
	files, err := filepath.Glob(filepath.Join(root, e.dir, pattern))
	if err == nil && len(files) == 0 {
		err = fmt.Errorf("there is no %s in %s", pattern, e.dir)
	}
	return files, err
}

// complete fills in what an example leaves out.
func complete(all []example) []example {
	for i := range all {
		e := &all[i]
		space := e.task
		if e.dir != "" {
			space = e.dir + "-" + e.task // tasks of both have the same names
		}
		e.dir, e.namespace, e.name = cmp.Or(e.dir, ofIngress), cmp.Or(e.namespace, space), cmp.Or(e.name, "shop")
	}
	return all
}

// unchecked are the files that no example has.
func unchecked(all []example) ([]string, error) {
	var left []string
	for _, dir := range dirs() {
		files, err := filepath.Glob(filepath.Join(root, dir, "*.yaml"))
		if err != nil {
			return nil, err
		}
		left = append(left, files...)
	}
	for _, e := range all {
		files, err := e.files()
		if err != nil {
			return nil, err
		}
		left = slices.DeleteFunc(left, func(file string) bool { return slices.Contains(files, file) || file == filepath.Clean(backends) })
	}
	return left, nil
}

// TestExamples applies every example and asks the load balancers that come of them.
func TestExamples(t *testing.T) {
	all := complete(slices.Concat(examples(), gatewayExamples()))
	left, err := unchecked(all)
	if err != nil || len(left) > 0 {
		t.Fatalf("not checked are %v: %v", left, err)
	}
	s := start(t)
	t.Run("tasks", func(t *testing.T) {
		for _, e := range all {
			t.Run(e.dir+" "+e.task, func(t *testing.T) {
				t.Parallel()
				s.try(t, e)
			})
		}
		t.Run("move", func(t *testing.T) {
			t.Parallel()
			s.move(t)
		})
	})
	if t.Failed() {
		s.showLog(t)
	}
}

// try applies one example and waits until its check holds.
func (s *stage) try(t *testing.T, e example) {
	t.Helper()
	if err := s.put(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	visit := s.visit
	if e.dir != ofIngress {
		visit = s.visitGateway
	}
	err := until(t.Context(), func(ctx context.Context) error {
		v, err := visit(ctx, e.namespace, e.name)
		if err != nil {
			return err
		}
		return e.check(ctx, v)
	})
	if err != nil {
		t.Error(err)
	}
}

// showLog shows the end of what the operator said.
func (s *stage) showLog(t *testing.T) {
	t.Helper()
	const tail = 8 << 10
	data, err := os.ReadFile(filepath.Join(s.LogDir(), "controller.log"))
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("the operator's log ends with:\n%s", data[max(0, len(data)-tail):])
}
