package calls_test

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/headgate/headgate/test/policy"
)

// counter counts the calls of an operator.
type counter struct {
	mu    sync.Mutex
	calls tally
	last  time.Time
	// early counts the deletions of security groups that were refused because their time had not come.
	early int
}

// looks are not counted: how many there are depends on how long targets take to become healthy.
const looks = "DescribeTargetHealth"

// groups reads security groups.
const groups = "DescribeSecurityGroups"

// RoundTrip carries a call, and counts it if AWS accepts it: what is refused because its time has not come is tried again.
func (c *counter) RoundTrip(req *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, fmt.Errorf("reading a call: %w", err)
	}
	req.Body = io.NopCloser(bytes.NewReader(body))
	call, err := policy.ReadCall(req, body)
	if err != nil {
		return nil, fmt.Errorf("reading a call: %w", err)
	}
	response, err := http.DefaultTransport.RoundTrip(req)
	if err == nil && response.StatusCode == http.StatusOK && call.Action != looks {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.calls[call.Action]++
		c.last = time.Now()
	}
	if err == nil && response.StatusCode != http.StatusOK && call.Action == "DeleteSecurityGroup" {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.early++
	}
	return response, err
}

// now is what was counted since the last reset, and how long nothing was added.
func (c *counter) now() (tally, time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := maps.Clone(c.calls)
	// Before a refused deletion is tried again the groups may be read again.
	if again := min(c.early, out[groups]); again > 0 {
		if out[groups] -= again; out[groups] == 0 {
			delete(out, groups)
		}
	}
	return out, time.Since(c.last)
}

func (c *counter) reset() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.calls, c.last, c.early = tally{}, time.Now(), 0
}

// tally is a number of calls by action.
type tally map[string]int

// together is a read for all addresses of pods that come within a moment of each other. On a machine with much to do, those of two
// Services come in two moments; for more than two, there is no excuse.
const together = "DescribeNetworkInterfaces"

// coalesced is the tally as if nobody had been late.
func (t tally) coalesced() tally {
	if t[together] == 2 {
		t[together] = 1
	}
	return t
}

// part is the tally of the calls that write, or of those that read.
func (t tally) part(writing bool) tally {
	out := tally{}
	for action, n := range t {
		if (policy.Call{Action: action}).Writes() == writing {
			out[action] = n
		}
	}
	return out
}

func (t tally) sum() int {
	total := 0
	for _, n := range t {
		total += n
	}
	return total
}

// reaches tells whether t holds at least what want does.
func (t tally) reaches(want tally) bool {
	for action, n := range want {
		if t[action] < n {
			return false
		}
	}
	return true
}

// String lists the actions: "CreateRule, DescribeTags ×2".
func (t tally) String() string {
	words := make([]string, 0, len(t))
	for _, action := range slices.Sorted(maps.Keys(t)) {
		word := action
		if n := t[action]; n > 1 {
			word = fmt.Sprintf("%s ×%d", action, n)
		}
		words = append(words, word)
	}
	return strings.Join(words, ", ")
}
