package sharing

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/headgate/headgate/test/rig"
)

var errCut = errors.New("the connection is cut")

// cut is what happens to a call.
type cut int

const (
	none cut = iota
	// before: the request never arrives; after: its answer is lost.
	before
	after
)

// wire hands calls to the simulator without a connection, counts the writes, and cuts where it is told to.
type wire struct {
	to http.Handler

	mu     sync.Mutex
	writes []string
	// cutting decides about a call; nil lets all pass.
	cutting func(action string) cut
	// done is told of each write that took effect.
	done func()
}

// RoundTrip makes a call.
func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	action, err := rig.Action(r)
	if err != nil {
		return nil, err
	}
	w.mu.Lock()
	what := none
	if w.cutting != nil {
		what = w.cutting(action)
	}
	if rig.IsWrite(action) && what != before {
		w.writes = append(w.writes, action)
	}
	done := w.done
	w.mu.Unlock()
	if what == before {
		return nil, errCut
	}
	answer, err := rig.InProcess{To: w.to}.RoundTrip(r)
	if done != nil && rig.IsWrite(action) {
		done()
	}
	if what == after {
		return nil, errCut
	}
	return answer, err
}

// took gives the writes since it was asked last, those of certificates and listeners alone.
func (w *wire) took() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := slices.DeleteFunc(w.writes, func(action string) bool {
		return !strings.Contains(action, "Certificate") && !strings.Contains(action, "Listener")
	})
	w.writes = nil
	return out
}
