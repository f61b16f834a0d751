package dataplane

import (
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// view is what the rules see of a request. It is made once for a request.
type view struct {
	// host is the Host header in lower case, with its port if it has one: a port counts.
	host string
	// path is the path as it came in, percent-encoding and double slashes included.
	path string
	// query is the text after the first question mark, not decoded, in lower case.
	query  string
	method string
	header http.Header
	// source is the address of the TCP peer.
	source netip.Addr
}

// newView splits a request target as the rules see it. The source is the TCP peer.
func newView(r *http.Request, host string, source netip.Addr) view {
	path, query := splitTarget(r)
	return view{
		host:   strings.ToLower(host),
		path:   path,
		query:  strings.ToLower(query),
		method: r.Method,
		header: r.Header,
		source: source,
	}
}

// splitTarget gives the path and the query of a request as received. An absolute-form target loses scheme and host.
func splitTarget(r *http.Request) (string, string) {
	target := r.RequestURI
	if _, rest, absolute := strings.Cut(target, "://"); absolute && !strings.HasPrefix(target, "/") {
		target = rest[strings.IndexAny(rest+"/", "/?"):]
		if !strings.HasPrefix(target, "/") {
			target = "/" + target
		}
	}
	path, query, _ := strings.Cut(target, "?")
	return path, query
}

// matcher is one condition of a rule.
type matcher interface {
	match(v *view) bool
}

// evaluator holds the rules of a listener, compiled. It is immutable and safe for concurrent use.
type evaluator struct {
	rules []*rule
	hosts map[string]*index
	other *index
}

// evaluate gives the first rule that matches, or nil.
func (e *evaluator) evaluate(v *view) *rule {
	paths, ok := e.hosts[v.host]
	if !ok {
		paths = e.other
	}
	for _, r := range paths.candidates(firstSegment(v.path)) {
		if r.matches(v) {
			return r
		}
	}
	return nil
}

// newEvaluator indexes rules, which come in evaluation order, by host and then by the first segment of the path.
func newEvaluator(rules []*rule) *evaluator {
	byHost := newIndex(rules, func(r *rule) []string { return r.hosts })
	bySegment := func(r *rule) []string { return r.segments }
	e := &evaluator{rules: rules, hosts: make(map[string]*index, len(byHost.by)), other: newIndex(byHost.other, bySegment)}
	for host, some := range byHost.by {
		e.hosts[host] = newIndex(some, bySegment)
	}
	return e
}

// index narrows rules down by a key that many of them name exactly.
type index struct {
	// by holds, for each key that a rule names, every rule that could match it, in order.
	by map[string][]*rule
	// other are the rules for all remaining keys.
	other []*rule
}

// newIndex sorts rules under their keys. A rule without keys could match any of them.
func newIndex(rules []*rule, keys func(*rule) []string) *index {
	x := &index{by: map[string][]*rule{}}
	for _, r := range rules {
		for _, key := range keys(r) {
			x.by[key] = nil
		}
	}
	for _, r := range rules {
		if own := keys(r); len(own) > 0 {
			for _, key := range own {
				x.by[key] = append(x.by[key], r)
			}
			continue
		}
		x.other = append(x.other, r)
		for key := range x.by {
			x.by[key] = append(x.by[key], r)
		}
	}
	return x
}

func (x *index) candidates(key string) []*rule {
	if some, ok := x.by[key]; ok {
		return some
	}
	return x.other
}

// firstSegment is the path up to its second slash, without it.
func firstSegment(path string) string {
	if path == "" {
		return ""
	}
	if at := strings.IndexByte(path[1:], '/'); at >= 0 {
		return path[:at+1]
	}
	return path
}

// rule is a compiled [Rule].
type rule struct {
	source Rule
	// hosts are the host names that the rule is for, in lower case, when it names exact ones only. The index uses them and
	// the host condition is then not among the matchers.
	hosts []string
	// segments are the first segments that the path must have, when the path condition settles them. It stays among the matchers.
	segments   []string
	matchers   []matcher
	transforms transforms
	action     action
}

func (r *rule) matches(v *view) bool {
	for _, m := range r.matchers {
		if !m.match(v) {
			return false
		}
	}
	return true
}

// compileRule prepares a rule. A part that cannot be compiled gives an error and a rule that never opens anything: a broken
// condition does not match, a broken action or transform refuses.
func compileRule(source Rule) (*rule, error) {
	r := &rule{source: source}
	errs := make([]error, 0, len(source.Conditions)+1)
	for _, c := range source.Conditions {
		m, err := compileCondition(c)
		if err != nil {
			errs = append(errs, fmt.Errorf("rule %s: %w", source.ARN, err))
			m = never{}
		}
		r.matchers = append(r.matchers, m)
	}
	r.index()
	var err error
	if r.transforms, err = compileTransforms(source.Transforms); err != nil {
		errs = append(errs, fmt.Errorf("rule %s: %w", source.ARN, err))
	}
	if r.action, err = compileActions(&source); err != nil {
		errs = append(errs, fmt.Errorf("rule %s: %w", source.ARN, err))
	}
	return r, errors.Join(errs...)
}

// index finds what the evaluator can look the rule up by. The host condition is taken out of the matchers when the map of
// host names answers it.
func (r *rule) index() {
	at := -1
	for _, m := range r.matchers {
		if p, ok := m.(*pathMatcher); ok {
			r.segments = p.text.segments()
			break
		}
	}
	for i, m := range r.matchers {
		h, ok := m.(*hostMatcher)
		if !ok {
			continue
		}
		if at >= 0 || !h.text.exactOnly() {
			return
		}
		at = i
	}
	if at < 0 {
		return
	}
	host, ok := r.matchers[at].(*hostMatcher)
	if !ok {
		return
	}
	r.hosts = host.text.literals()
	r.matchers = append(r.matchers[:at:at], r.matchers[at+1:]...)
}

// never is a condition that could not be compiled.
type never struct{}

func (never) match(*view) bool { return false }

// conditionValues gives the plain and the regular expression values of a host, path or header condition, wherever they stand.
func conditionValues(c elbtypes.RuleCondition) ([]string, []string) {
	values, regex := c.Values, c.RegexValues
	if h := c.HostHeaderConfig; h != nil {
		values, regex = append(slices.Clip(values), h.Values...), append(slices.Clip(regex), h.RegexValues...)
	}
	if p := c.PathPatternConfig; p != nil {
		values, regex = append(slices.Clip(values), p.Values...), append(slices.Clip(regex), p.RegexValues...)
	}
	if h := c.HttpHeaderConfig; h != nil {
		values, regex = append(slices.Clip(values), h.Values...), append(slices.Clip(regex), h.RegexValues...)
	}
	return values, regex
}
