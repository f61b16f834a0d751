package plan

import (
	"fmt"

	"github.com/headgate/headgate/model/fault"
)

// ChangeError is a change that was not made, and why.
type ChangeError struct {
	// Change as it was tried. Of attributes it has only those that AWS does not take, where that is known.
	Change Change
	Err    error
}

// Error names the call and its subject.
func (f *ChangeError) Error() string {
	return fmt.Sprintf("%s of %s: %v", f.Change.Op, f.Change.Key, f.Err)
}

// Unwrap returns the cause.
func (f *ChangeError) Unwrap() error { return f.Err }

// Failures are those in err's tree.
func Failures(err error) []*ChangeError { return fault.Find[*ChangeError](err) }
