package fault

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Bucket is the token bucket of a class of calls.
type Bucket struct {
	// Kind is read or write, and Actions are patterns of names. What is left out is any.
	Kind    string   `json:"kind,omitempty"`
	Actions []string `json:"actions,omitempty"`
	// Size is how many calls can come at once, and Refill how many tokens are added a second.
	Size   float64 `json:"size"`
	Refill float64 `json:"refill"`
}

// Limits are the buckets of a service by its signing name; those of "*" hold for services that are not named, each of which has its own. A
// call takes a token of the first bucket that it fits.
type Limits map[string][]Bucket

// Any names the services that have no buckets of their own.
const Any = "*"

var errLimits = errors.New("invalid limits")

// Check says what is wrong with limits.
func (l Limits) Check() error {
	for service, buckets := range l {
		for _, b := range buckets {
			if b.Size < 1 || b.Refill <= 0 {
				return fmt.Errorf("a bucket of %s has size %v and refill %v, not 1 or more and more than 0: %w", service, b.Size, b.Refill, errLimits)
			}
			if slices.ContainsFunc(b.Actions, func(p string) bool { return !validPattern(p) }) {
				return fmt.Errorf("a bucket of %s has an action that is no pattern: %w", service, errLimits)
			}
		}
	}
	return nil
}

// UnmarshalJSON also takes the text "aws" for the limits of AWS.
func (l *Limits) UnmarshalJSON(body []byte) error {
	if string(body) == `"aws"` {
		*l = AWS()
		return nil
	}
	var all map[string][]Bucket
	if err := json.Unmarshal(body, &all); err != nil {
		return fmt.Errorf("reading limits: %w", err)
	}
	*l = all
	return nil
}

// AWS gives the limits of AWS as far as they are known. Elastic Load Balancing: reads are documented, the other classes believed. EC2: its
// API throttling page. WAF: what controllers in the field allow themselves. Route 53: five calls a second. The rest is a guess.
func AWS() Limits {
	return Limits{
		"elasticloadbalancing": {
			{Actions: []string{"RegisterTargets", "DeregisterTargets"}, Size: 20, Refill: 4},
			{Actions: []string{"CreateLoadBalancer", "DeleteLoadBalancer", "SetSubnets"}, Size: 10, Refill: 0.2},
			{Kind: "read", Size: 40, Refill: 10},
			{Size: 20, Refill: 3},
		},
		"ec2": {{Kind: "read", Size: 100, Refill: 20}, {Size: 50, Refill: 5}},
		"wafv2": {
			{Actions: []string{"AssociateWebACL", "DisassociateWebACL"}, Size: 1, Refill: 0.5},
			{Actions: []string{"GetWebACLForResource", "ListResourcesForWebACL"}, Size: 1, Refill: 1},
			{Size: 20, Refill: 5},
		},
		"route53": {{Size: 5, Refill: 5}},
		Any:       {{Kind: "read", Size: 40, Refill: 10}, {Size: 20, Refill: 5}},
	}
}

// Limiter counts calls against limits. It is not safe for use by several goroutines.
type Limiter struct {
	limits Limits
	speed  float64
	levels map[level]*tokens
}

// level is a bucket of a service.
type level struct {
	service string
	bucket  int
}

type tokens struct {
	left float64
	at   time.Time
}

// NewLimiter makes a limiter with full buckets. With a speed they are refilled that much faster.
func NewLimiter(limits Limits, speed float64) *Limiter {
	return &Limiter{limits: limits, speed: speed, levels: map[level]*tokens{}}
}

// Limits gives the limits that hold.
func (l *Limiter) Limits() Limits { return l.limits }

// Allow takes a token for a call, and reports false if there is none.
func (l *Limiter) Allow(c Call, now time.Time) bool {
	buckets, ok := l.limits[c.Service]
	if !ok {
		buckets = l.limits[Any]
	}
	i := slices.IndexFunc(buckets, func(b Bucket) bool { return b.fits(c) })
	if i < 0 {
		return true
	}
	b, at := buckets[i], level{c.Service, i}
	t, ok := l.levels[at]
	if !ok {
		t = &tokens{b.Size, now}
		l.levels[at] = t
	}
	passed := max(0, now.Sub(t.at)).Seconds() * l.speed
	t.left, t.at = min(b.Size, t.left+passed*b.Refill), now
	if t.left < 1 {
		return false
	}
	t.left--
	return true
}

func (b Bucket) fits(c Call) bool {
	if b.Kind != "" && b.Kind != c.Kind {
		return false
	}
	return len(b.Actions) == 0 || slices.ContainsFunc(b.Actions, func(p string) bool { return like(p, c.Action) })
}
