package model_test

import (
	"testing"

	"github.com/headgate/headgate/model"
)

func TestFindingText(t *testing.T) {
	for _, row := range []struct {
		why, field, message, want string
	}{
		{"the field comes first", "spec.x", "is 1; use 2", "spec.x: is 1; use 2"},
		{"but not twice", "spec.x", "spec.x is 1; use 2", "spec.x is 1; use 2"},
		{"an object as a whole", "", "is not there", "is not there"},
	} {
		if got := (model.Finding{Field: row.field, Message: row.message}).Text(); got != row.want {
			t.Errorf("%s: %q, want %q", row.why, got, row.want)
		}
	}
}
