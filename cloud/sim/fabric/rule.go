package fabric

import (
	"math/bits"
	"net/http"
	"strings"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/aws"
	types "github.com/aws/aws-sdk-go-v2/service/vpclattice/types"
)

// rule is a compiled rule.
type rule struct {
	tests []func(*http.Request) bool
	// status is that of a fixed response; without one the rule forwards.
	status  int
	choices []choice
	total   uint64
	turn    atomic.Uint64
}

// choice is a target group with its share.
type choice struct {
	arn    string
	weight uint64
}

func compile(r Rule) *rule {
	c := &rule{}
	if m, ok := r.Match.(*types.RuleMatchMemberHttpMatch); ok {
		c.tests = tests(m.Value)
	}
	switch a := r.Action.(type) {
	case *types.RuleActionMemberFixedResponse:
		c.status = int(aws.ToInt32(a.Value.StatusCode))
	case *types.RuleActionMemberForward:
		for _, g := range a.Value.TargetGroups {
			weight := uint64(max(0, aws.ToInt32(g.Weight)))
			c.choices = append(c.choices, choice{aws.ToString(g.TargetGroupIdentifier), weight})
			c.total += weight
		}
	}
	return c
}

func (r *rule) matches(in *http.Request) bool {
	for _, test := range r.tests {
		if !test(in) {
			return false
		}
	}
	return true
}

const golden = 0x9E3779B97F4A7C15

// next chooses a target group for one request by weight, so that the shares come true over few requests. It gives an empty text where all
// weights are zero.
func (r *rule) next() string {
	if r.total == 0 {
		return ""
	}
	point, _ := bits.Mul64(r.turn.Add(1)*golden, r.total)
	for _, c := range r.choices {
		if point < c.weight {
			return c.arn
		}
		point -= c.weight
	}
	return ""
}

// tests are what a request must pass, all of it.
func tests(m types.HttpMatch) []func(*http.Request) bool {
	var all []func(*http.Request) bool
	if m.Method != nil {
		all = append(all, func(r *http.Request) bool { return r.Method == *m.Method })
	}
	if p := m.PathMatch; p != nil {
		all = append(all, pathTest(*p))
	}
	for _, h := range m.HeaderMatches {
		all = append(all, headerTest(h))
	}
	return all
}

// folded gives a text, in small letters where case does not count.
func folded(text string, sensitive *bool) string {
	if aws.ToBool(sensitive) {
		return text
	}
	return strings.ToLower(text)
}

func never(*http.Request) bool { return false }

func pathTest(p types.PathMatch) func(*http.Request) bool {
	got := func(r *http.Request) string { return folded(r.URL.EscapedPath(), p.CaseSensitive) }
	switch m := p.Match.(type) {
	case *types.PathMatchTypeMemberExact:
		want := folded(m.Value, p.CaseSensitive)
		return func(r *http.Request) bool { return got(r) == want }
	case *types.PathMatchTypeMemberPrefix:
		want := folded(m.Value, p.CaseSensitive)
		return func(r *http.Request) bool { return strings.HasPrefix(got(r), want) }
	default:
		return never
	}
}

func headerTest(h types.HeaderMatch) func(*http.Request) bool {
	var want string
	var compare func(got, want string) bool
	switch m := h.Match.(type) {
	case *types.HeaderMatchTypeMemberExact:
		want, compare = m.Value, func(got, want string) bool { return got == want }
	case *types.HeaderMatchTypeMemberPrefix:
		want, compare = m.Value, strings.HasPrefix
	case *types.HeaderMatchTypeMemberContains:
		want, compare = m.Value, strings.Contains
	default:
		return never
	}
	want = folded(want, h.CaseSensitive)
	name := aws.ToString(h.Name)
	return func(r *http.Request) bool {
		for _, value := range headerValues(r, name) {
			if compare(folded(value, h.CaseSensitive), want) {
				return true
			}
		}
		return false
	}
}

// headerValues gives the lines of a header. That of the host is not among the others.
func headerValues(r *http.Request, name string) []string {
	if strings.EqualFold(name, "Host") {
		return []string{r.Host}
	}
	return r.Header.Values(name)
}
