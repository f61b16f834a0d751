package examples_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// example is a file with what the guide says of it.
type example struct {
	task string
	// namespace and name of the Ingress whose load balancer is visited; the task and "shop" where they are empty.
	namespace, name string
	check           func(context.Context, visitor) error
}

// TestExamples applies every example and asks the load balancers that come of them.
func TestExamples(t *testing.T) {
	all := examples()
	var tasks []string
	for _, e := range all {
		tasks = append(tasks, e.task)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if task := strings.TrimSuffix(filepath.Base(file), ".yaml"); file != filepath.Clean(backends) && !slices.Contains(tasks, task) {
			t.Errorf("%s is not checked", file)
		}
	}
	s := start(t)
	t.Run("tasks", func(t *testing.T) {
		for _, e := range all {
			t.Run(e.task, func(t *testing.T) {
				t.Parallel()
				s.try(t, e)
			})
		}
	})
	if t.Failed() {
		s.showLog(t)
	}
}

// try applies one example and waits until its check holds.
func (s *stage) try(t *testing.T, e example) {
	t.Helper()
	if e.namespace == "" {
		e.namespace = e.task
	}
	if e.name == "" {
		e.name = "shop"
	}
	if err := s.put(t.Context(), e.task); err != nil {
		t.Fatal(err)
	}
	err := until(t.Context(), func(ctx context.Context) error {
		v, err := s.visit(ctx, e.namespace, e.name)
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
