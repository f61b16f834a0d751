package call

import "context"

// Lane is how urgent a call is: a lower one goes first.
type Lane int

// The lanes, most urgent first.
const (
	// Deregister takes targets out of service: late calls lose requests.
	Deregister Lane = iota
	// Register puts targets into service.
	Register
	// Edit is what a user waits for. It is the lane of a context that names none.
	Edit
	// Background verifies what nobody asked for.
	Background
)

const lanes = int(Background) + 1

// String is the lane in one word, as the metrics name it.
func (l Lane) String() string {
	return [lanes]string{"deregister", "register", "edit", "background"}[l]
}

type laneKey struct{}

// WithLane returns a context whose calls go in the lane.
func WithLane(ctx context.Context, lane Lane) context.Context {
	return context.WithValue(ctx, laneKey{}, lane)
}

func laneOf(ctx context.Context) Lane {
	if lane, ok := ctx.Value(laneKey{}).(Lane); ok && lane >= Deregister && lane <= Background {
		return lane
	}
	return Edit
}
