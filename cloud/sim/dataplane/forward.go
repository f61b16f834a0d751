package dataplane

import (
	"fmt"
	"math/bits"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// forward passes requests to one of several target groups.
type forward struct {
	choices []choice
	total   uint64
	// sticky keeps a client at its target group for this time; zero means not at all.
	sticky time.Duration
	turn   atomic.Uint64
}

// choice is a target group with its share.
type choice struct {
	arn    string
	weight uint64
}

func compileForward(a elbtypes.Action) (action, error) {
	f := &forward{}
	if c := a.ForwardConfig; c != nil {
		for _, t := range c.TargetGroups {
			weight := uint64(1)
			if t.Weight != nil {
				weight = uint64(max(0, *t.Weight))
			}
			f.choices = append(f.choices, choice{aws.ToString(t.TargetGroupArn), weight})
			f.total += weight
		}
		if s := c.TargetGroupStickinessConfig; s != nil && aws.ToBool(s.Enabled) {
			f.sticky = time.Duration(max(1, aws.ToInt32(s.DurationSeconds))) * time.Second
		}
	}
	if len(f.choices) == 0 && aws.ToString(a.TargetGroupArn) != "" {
		f.choices, f.total = []choice{{aws.ToString(a.TargetGroupArn), 1}}, 1
	}
	if len(f.choices) == 0 {
		return refusal{"forward without a target group"}, fmt.Errorf("forward without a target group: %w", errAction)
	}
	return f, nil
}

// next chooses a target group by weight. Consecutive numbers multiplied by the golden ratio spread evenly, so that the shares come true
// over few requests already. It gives an empty string when all weights are zero.
func (a *forward) next() string {
	if a.total == 0 {
		return ""
	}
	point, _ := bits.Mul64(a.turn.Add(1)*golden, a.total)
	for _, c := range a.choices {
		if point < c.weight {
			return c.arn
		}
		point -= c.weight
	}
	return ""
}

func (a *forward) has(arn string) bool {
	for _, c := range a.choices {
		if c.arn == arn {
			return true
		}
	}
	return false
}

// serve chooses group and target. Weights do not fail over: a group without targets answers 503 for its share.
func (a *forward) serve(x *exchange) {
	x.did("forward")
	var cookies []string
	arn := ""
	if a.sticky > 0 {
		if kept := x.server.seal.open(x.request, cookieGroup, x.server.now()); a.has(kept) {
			arn = kept
		}
	}
	if arn == "" {
		arn = a.next()
	}
	g := x.groups[arn]
	if g == nil {
		x.refuse(http.StatusServiceUnavailable)
		return
	}
	if a.sticky > 0 {
		cookies = x.server.seal.cookies(cookieGroup, arn, x.server.now(), x.server.scaled(a.sticky))
	}
	s := g.settings.Load()
	if !s.speaks(x.request) {
		x.refuse(statusIncompatibleTarget)
		return
	}
	t, stick := g.choose(x, s)
	if t == nil {
		x.refuse(http.StatusServiceUnavailable)
		return
	}
	x.proxy(call{group: g, settings: s, target: t, cookies: append(cookies, stick...)})
}
