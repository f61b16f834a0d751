package call

import (
	"context"
	"time"

	"github.com/aws/smithy-go"
)

// Term says how long calls may be made: in how long none may begin any more, and how long one that begins now may last. Bounded is false
// where nothing ends.
type Term func() (begin, last time.Duration, bounded bool)

// OverCode is the code of a call that was not begun because the term is over.
const OverCode = "LeaseOver"

// bound gives a call the end of the term, or refuses it where that is too near.
func (t Term) bound(ctx context.Context) (context.Context, context.CancelFunc, error) {
	if err := t.over(); err != nil {
		return ctx, nil, err
	}
	if t == nil {
		return ctx, func() {}, nil
	}
	_, last, bounded := t()
	if !bounded {
		return ctx, func() {}, nil
	}
	bound, cancel := context.WithTimeout(ctx, last)
	return bound, cancel, nil
}

// over is an error where no call may begin any more.
func (t Term) over() error {
	if t == nil {
		return nil
	}
	if begin, last, bounded := t(); bounded && (begin <= 0 || last <= 0) {
		return &smithy.GenericAPIError{
			Code: OverCode, Message: "the lease could not be renewed: somebody else may lead by now, and no call is begun",
		}
	}
	return nil
}
