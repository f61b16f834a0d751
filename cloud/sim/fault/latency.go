package fault

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Latency is how long calls take, by what they are: "read", "write", a service ("ec2") or an action of a service ("ec2:DescribeSubnets").
// The most specific one counts.
type Latency map[string]time.Duration

var errDuration = errors.New("invalid duration")

// Of gives how long a call takes.
func (l Latency) Of(c Call) time.Duration {
	for _, class := range []string{c.Service + ":" + c.Action, c.Service, c.Kind} {
		if d, ok := l[class]; ok {
			return d
		}
	}
	return 0
}

// ParseLatency reads "read=40ms,write=150ms,ec2:DescribeSubnets=1s".
func ParseLatency(text string) (Latency, error) {
	l := Latency{}
	for entry := range strings.SplitSeq(text, ",") {
		class, duration, ok := strings.Cut(strings.TrimSpace(entry), "=")
		if !ok {
			return nil, fmt.Errorf("%q is not CLASS=DURATION: %w", entry, errDuration)
		}
		d, err := parseDuration(duration)
		if err != nil {
			return nil, fmt.Errorf("latency of %s: %w", class, err)
		}
		l[class] = d
	}
	return l, nil
}

func parseDuration(text string) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 {
		return 0, fmt.Errorf("%q is not a duration as 150ms: %w", text, errDuration)
	}
	return d, nil
}

// MarshalJSON writes durations as 150ms.
func (l Latency) MarshalJSON() ([]byte, error) {
	texts := make(map[string]Duration, len(l))
	for class, d := range l {
		texts[class] = Duration(d)
	}
	out, err := json.Marshal(texts)
	if err != nil {
		return nil, fmt.Errorf("writing latencies: %w", err)
	}
	return out, nil
}

// UnmarshalJSON replaces all that there was.
func (l *Latency) UnmarshalJSON(body []byte) error {
	var texts map[string]Duration
	if err := json.Unmarshal(body, &texts); err != nil {
		return fmt.Errorf("reading latencies: %w", err)
	}
	*l = make(Latency, len(texts))
	for class, d := range texts {
		(*l)[class] = time.Duration(d)
	}
	return nil
}

// Duration is a duration that JSON has as text: 150ms.
type Duration time.Duration

// MarshalText writes 150ms.
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// UnmarshalText reads 150ms.
func (d *Duration) UnmarshalText(text []byte) error {
	parsed, err := parseDuration(string(text))
	*d = Duration(parsed)
	return err
}
