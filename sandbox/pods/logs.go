package pods

import (
	"bytes"
	"sync"
	"time"
)

// maxLines is how many lines of a container's log are kept.
const maxLines = 10000

// line of a log.
type line struct {
	at   time.Time
	text string
}

// logbook keeps a container's last lines, and lets readers wait for more.
type logbook struct {
	mu      sync.Mutex
	lines   []line
	dropped int // lines before the first one kept
	partial []byte
	closed  bool
	changed chan struct{} // closed and replaced with every change
}

func newLogbook() *logbook { return &logbook{changed: make(chan struct{})} }

// Write takes a piece of log; a line is kept when it is complete.
func (l *logbook) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.partial = append(l.partial, p...)
	for {
		text, rest, complete := bytes.Cut(l.partial, []byte("\n"))
		if !complete {
			break
		}
		l.lines = append(l.lines, line{at: time.Now(), text: string(text)})
		l.partial = rest
	}
	if over := len(l.lines) - maxLines; over > 0 {
		l.lines = append([]line(nil), l.lines[over:]...)
		l.dropped += over
	}
	l.announce()
	return len(p), nil
}

// from gives the lines from position on, the position after them, and a channel that is closed when there is
// more; it is nil when there will never be more.
func (l *logbook) from(position int) (lines []line, next int, more <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	start := max(0, position-l.dropped)
	lines = append(lines, l.lines[min(start, len(l.lines)):]...)
	if l.closed {
		return lines, l.dropped + len(l.lines), nil
	}
	return lines, l.dropped + len(l.lines), l.changed
}

func (l *logbook) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.closed {
		l.closed = true
		l.announce()
	}
}

// announce wakes the readers; the lock is held.
func (l *logbook) announce() {
	close(l.changed)
	l.changed = make(chan struct{})
}
