package build

import (
	"cmp"
	"strings"

	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/intent"
)

// Ranks of hosts and paths; the higher is the more specific.
const (
	hostAny = iota
	hostWildcard
	hostExact
)

const (
	pathAny = iota
	pathPrefix
	pathRegex
	pathExact
)

// bySpecificity is the order of the Gateway API (HTTPRouteRule.matches, GRPCRouteRule.matches): the most specific host, then service and
// method of a call, or path, then method, headers and query parameters; then the older route, then the name, then the order within the route,
// and of the fragments.
func bySpecificity(a, b *candidate) int {
	x, y := &a.rank, &b.rank
	return cmp.Or(
		x.compare(&y.hostRank), x.written.compare(&y.written), x.call.compare(y.call),
		-cmp.Compare(x.path, y.path), -cmp.Compare(x.pathLength, y.pathLength),
		-cmp.Compare(x.methods, y.methods), -cmp.Compare(x.headers, y.headers), -cmp.Compare(x.queries, y.queries),
		cmp.Compare(x.age, y.age), cmp.Compare(x.source.Namespace, y.source.Namespace), cmp.Compare(x.source.Name, y.source.Name),
		cmp.Compare(x.source.Kind, y.source.Kind), cmp.Compare(a.seq, b.seq), cmp.Compare(a.member, b.member))
}

type rank struct {
	hostRank

	// written is the rank of the host name that was written: a listener may be for a part of it only.
	written                   hostRank
	call                      callRank
	path, pathLength          int
	methods, headers, queries int
	age                       int64
	source                    model.ObjectRef
}

func rankOf(c *candidate) rank {
	if c.held != nil {
		return heldRank(c)
	}
	r := rank{headers: len(c.match.Headers), queries: len(c.match.Queries), age: c.route.Age, source: c.place().object}
	if len(c.match.Methods) > 0 {
		r.methods = 1
	}
	for _, h := range c.match.Hosts {
		r.rankHost(h)
	}
	if r.written = r.hostRank; c.match.Narrowed != "" {
		r.written = hostRank{}
		r.written.rankHost(c.match.Narrowed)
	}
	for _, p := range c.match.Paths {
		r.rankPath(p)
	}
	return r
}

// hostRank is how specific a host name is.
type hostRank struct{ host, dots, hostLength int }

func (r *hostRank) compare(o *hostRank) int {
	return cmp.Or(-cmp.Compare(r.host, o.host), -cmp.Compare(r.dots, o.dots), -cmp.Compare(r.hostLength, o.hostLength))
}

func (r *hostRank) rankHost(host string) {
	kind := hostExact
	switch {
	case host == "" || host == "*":
		kind = hostAny
	case strings.HasPrefix(host, "*."):
		kind = hostWildcard
	}
	if kind >= r.host {
		r.host, r.dots, r.hostLength = kind, strings.Count(host, "."), len(host)
	}
}

func (r *rank) rankPath(p intent.Path) {
	kind := pathPrefix
	switch p.Kind {
	case intent.PathExact:
		kind = pathExact
	case intent.PathRegex:
		kind = pathRegex
	case intent.PathCall, intent.PathCallRegex:
		r.call = callRankOf(p)
		return
	case intent.PathPrefix, intent.PathPattern:
	}
	if kind >= r.path {
		r.path, r.pathLength = kind, max(1, len(strings.TrimRight(p.Value, "/")))
	}
}

// heldRank reads the rank of an observed rule from its conditions.
func heldRank(c *candidate) rank {
	r := rank{source: c.fragment.Member}
	calls := c.fragment.Member.Kind == kindGRPCRoute
	if calls {
		r.rankPath(intent.Path{Kind: intent.PathCall})
	}
	for _, cond := range c.held.Rule.Conditions {
		switch cond.Field {
		case model.FieldHost:
			hosts, ok := model.PlainHosts(cond)
			if !ok {
				hosts = cond.Values
			}
			for _, h := range hosts {
				r.rankHost(h)
			}
			r.written = r.hostRank
		case model.FieldPath:
			for _, p := range observedPaths(cond) {
				if calls {
					p = observedCall(p)
				}
				r.rankPath(p)
			}
		case model.FieldMethod:
			r.methods = 1
		case model.FieldHeader:
			if !calls || !strings.EqualFold(cond.Header, contentType) {
				r.headers++
			}
		case model.FieldQuery:
			r.queries++
		}
	}
	return r
}

// observedPaths reads path values back: "/a" beside "/a/*" is a prefix, "/a" alone is exact.
func observedPaths(c model.Condition) []intent.Path {
	var out []intent.Path
	for _, v := range c.Regex {
		out = append(out, intent.Path{Kind: intent.PathRegex, Value: v})
	}
	for _, v := range c.Values {
		kind := intent.PathExact
		if base, ok := strings.CutSuffix(v, "/*"); ok {
			out = append(out, intent.Path{Kind: intent.PathPrefix, Value: base})
			continue
		}
		if len(c.Values) > 1 {
			kind = intent.PathPrefix
		}
		out = append(out, intent.Path{Kind: kind, Value: v})
	}
	return out
}
