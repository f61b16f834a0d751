package build

import (
	"cmp"
	"regexp"
	"slices"
	"strings"

	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/intent"
)

// A gRPC call is a POST to /service/method with a content type of its own (gRPC over HTTP/2, "Requests").
const (
	contentType = "content-type"
	callTypes   = "application/grpc*"
)

// callConditions tell calls from other requests, where a host has both.
func callConditions(m intent.Match) ([]model.Condition, string) {
	if !m.Calls {
		return nil, ""
	}
	return []model.Condition{{Field: model.FieldHeader, Header: contentType, Values: []string{callTypes}}}, ""
}

// call matches calls as the incumbent does: what may be any is a wildcard.
func (t *texts) call(p intent.Path) {
	if p.Kind == intent.PathCallRegex {
		t.callRegex(p)
		return
	}
	switch {
	case strings.ContainsRune(p.Value+p.Method, '/'):
		t.refuse("the service %q and the method %q of a call may have no /", p.Value, p.Method)
	case p.Value == "" && p.Method == "":
		t.patterns = append(t.patterns, "/*")
	case p.Value != "" && p.Method != "":
		path := "/" + p.Value + "/" + p.Method
		t.literal(path, only(path, pathCharacters))
	case !only(p.Value+p.Method, pathCharacters):
		t.callRegex(intent.Path{Value: regexp.QuoteMeta(p.Value), Method: regexp.QuoteMeta(p.Method)})
	default:
		t.patterns = append(t.patterns, "/"+cmp.Or(p.Value, "*")+"/"+cmp.Or(p.Method, "*"))
	}
}

func (t *texts) callRegex(p intent.Path) {
	for _, s := range []string{p.Value, p.Method} {
		if _, err := regexp.Compile(s); err != nil {
			t.refuse("%q is no regular expression that AWS takes; correct it, and use no lookaround and no backreferences", s)
			return
		}
	}
	t.regex("^/" + whole(p.Value) + "/" + whole(p.Method) + "$")
}

// whole is an expression as a part of a larger one; none is any.
func whole(expression string) string {
	if expression == "" {
		return "[^/]+"
	}
	expression = strings.TrimPrefix(expression, "^")
	if !strings.HasSuffix(expression, `\$`) {
		expression = strings.TrimSuffix(expression, "$")
	}
	return "(?:" + expression + ")"
}

// Ranks of the services and methods of calls; the higher is the more specific.
const (
	nameAny = iota
	nameRegex
	nameExact
)

// callRank is the rank of a match among those of calls (Gateway API, GRPCRouteRule.matches): the more characters of the service, then of
// the method; expressions come after names.
type callRank struct {
	// is tells calls from other requests, of which they are a part: they come first.
	is                         int
	service, serviceLength     int
	procedure, procedureLength int
}

func callRankOf(p intent.Path) callRank {
	rank := func(name string) int {
		switch {
		case name == "":
			return nameAny
		case p.Kind == intent.PathCallRegex:
			return nameRegex
		}
		return nameExact
	}
	return callRank{1, rank(p.Value), len(p.Value), rank(p.Method), len(p.Method)}
}

func (r callRank) compare(o callRank) int {
	return slices.Compare(
		[]int{o.is, o.service, o.serviceLength, o.procedure, o.procedureLength},
		[]int{r.is, r.service, r.serviceLength, r.procedure, r.procedureLength})
}

// kindGRPCRoute is the kind of members whose observed rules are for calls.
const kindGRPCRoute = "GRPCRoute"

// observedCall reads a path as that of a call.
func observedCall(p intent.Path) intent.Path {
	if p.Kind == intent.PathRegex {
		return intent.Path{Kind: intent.PathCallRegex, Value: p.Value}
	}
	service, method, _ := strings.Cut(strings.TrimPrefix(p.Value, "/"), "/")
	return intent.Path{Kind: intent.PathCall, Value: strings.Trim(service, "*"), Method: strings.Trim(method, "*")}
}
