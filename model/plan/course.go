package plan

import (
	"context"

	"github.com/headgate/headgate/model"
)

// Course is what whoever had a plan made has to do with it while it is applied. Both may be nil, and are called by several goroutines.
type Course struct {
	// Newer says that a newer plan is asked for: no further change is begun, and those that were are finished. It is asked before each change.
	Newer func() bool
	// Made is told of each resource that was made, before anything that comes after it is begun. It must not block.
	Made func(model.Key, model.ARN)
}

type courseKey struct{}

// WithCourse is a context for applying a plan.
func WithCourse(ctx context.Context, c Course) context.Context {
	return context.WithValue(ctx, courseKey{}, c)
}

// CourseOf is the course of a context. Its functions can be called.
func CourseOf(ctx context.Context) Course {
	c, _ := ctx.Value(courseKey{}).(Course)
	if c.Newer == nil {
		c.Newer = func() bool { return false }
	}
	if c.Made == nil {
		c.Made = func(model.Key, model.ARN) {}
	}
	return c
}
