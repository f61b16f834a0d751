package build

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/intent"
)

// Characters beside letters and digits that AWS takes in plain values (ELBv2 API, RuleCondition).
const (
	hostCharacters = "-."
	pathCharacters = "_-.$/~\"'@:+&"
	nameCharacters = "!#$%&'*+-.^_`|~"
	maxHeaderName  = 40
	maxMethod      = 40
)

// texts collects the values of one condition. AWS takes either plain values or expressions in one, so that plain ones become
// expressions where both come together.
type texts struct {
	patterns, regexes []string
	problem           string
}

func (t *texts) refuse(format string, args ...any) {
	if t.problem == "" {
		t.problem = fmt.Sprintf(format, args...)
	}
}

// literal adds a value that shall match itself: plain where AWS takes its characters, else as an expression.
func (t *texts) literal(s string, isPlain bool) {
	if isPlain && !strings.ContainsAny(s, `*?\`) {
		t.patterns = append(t.patterns, s)
		return
	}
	t.regexes = append(t.regexes, "^"+regexp.QuoteMeta(s)+"$")
}

func (t *texts) regex(s string) {
	if _, err := regexp.Compile(s); err != nil || s == "" {
		t.refuse("%q is no regular expression that AWS takes; correct it, and use no lookaround and no backreferences", s)
		return
	}
	t.regexes = append(t.regexes, s)
}

func (t *texts) condition(field, header string) ([]model.Condition, string) {
	c := model.Condition{Field: field, Header: header, Values: t.patterns, Regex: t.regexes}
	if len(t.regexes) > 0 {
		for _, p := range t.patterns {
			c.Regex = append(c.Regex, patternRegex(p))
		}
		c.Values = nil
	}
	for _, v := range slices.Concat(c.Values, c.Regex) {
		switch {
		case v == "":
			t.refuse("an empty value of %s matches nothing; write one, or leave it out", field)
		case len(v) > maxLength:
			t.refuse("%q has %d characters as a value of %s, and AWS takes %d; write a shorter one, or a regular expression of a part of it",
				v, len(v), field, maxLength)
		case !isVisible(v):
			t.refuse("%q has characters that AWS does not match by; write them percent-encoded", v)
		}
	}
	if t.problem != "" || size(c) == 0 {
		return nil, t.problem
	}
	return []model.Condition{c}, ""
}

// patternRegex is the expression of a pattern with wildcards.
func patternRegex(pattern string) string {
	quoted := regexp.QuoteMeta(pattern)
	return "^" + strings.NewReplacer(`\*`, ".*", `\?`, ".").Replace(quoted) + "$"
}

// isVisible tells whether s is of visible ASCII characters and spaces only: rules see nothing else.
func isVisible(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r < 0x20 || r > 0x7e })
}

func only(s, extra string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return !isAlphanumeric(r) && !strings.ContainsRune(extra, r) })
}

func hostConditions(m intent.Match) ([]model.Condition, string) {
	var t texts
	for _, h := range m.Hosts {
		if h == "" || h == "*" {
			return nil, ""
		}
		t.host(h, m.AnyPort)
	}
	for _, p := range m.HostPatterns {
		if !only(p, hostCharacters+"*?") || p == "" {
			t.refuse("the host pattern %q may have letters, digits and - . * ? only", p)
		}
		t.patterns = append(t.patterns, p)
	}
	for _, r := range m.HostRegexes {
		t.regex(r)
	}
	return t.condition(model.FieldHost, "")
}

// host adds a host name; a leading "*." is a wildcard. Names that AWS does not take as plain values become expressions.
func (t *texts) host(h string, anyPort bool) {
	name := strings.TrimPrefix(h, "*.")
	if name == "" || !only(name, hostCharacters+"_") {
		t.refuse("%q is no host name; write it as a.example.com or *.example.com", h)
		return
	}
	expression := model.HostRegex(h)
	plain := only(name, hostCharacters) && isPlainHost(h)
	if plain && (!anyPort || len(expression) > maxLength) {
		t.patterns = append(t.patterns, h)
		return
	}
	t.regexes = append(t.regexes, expression)
}

// isPlainHost tells whether AWS takes the name as a value: it has a dot, and letters only after the last one.
func isPlainHost(h string) bool {
	i := strings.LastIndexByte(h, '.')
	return i >= 0 && i < len(h)-1 && !strings.ContainsFunc(h[i+1:], func(r rune) bool { return r >= '0' && r <= '9' || r == '-' })
}

func pathConditions(m intent.Match) ([]model.Condition, string) {
	var t texts
	for _, p := range m.Paths {
		switch p.Kind {
		case intent.PathExact, intent.PathPrefix:
			t.absolute(p)
		case intent.PathCall, intent.PathCallRegex:
			t.call(p)
		case intent.PathPattern:
			if p.Value == model.ParkingPath {
				t.refuse("the path pattern %q is the operator's own: use one that begins with / or a wildcard", p.Value)
			}
			if !only(p.Value, pathCharacters+"*?") {
				t.refuse("the path pattern %q may have letters, digits and %s*? only", p.Value, pathCharacters)
			}
			t.patterns = append(t.patterns, p.Value)
		case intent.PathRegex:
			t.regex(p.Value)
		default:
			t.refuse("%q is no kind of path; use an exact one, a prefix or a regular expression", p.Kind)
		}
	}
	return t.condition(model.FieldPath, "")
}

func (t *texts) absolute(p intent.Path) {
	switch {
	case !strings.HasPrefix(p.Value, "/"):
		t.refuse("the path %q does not begin with /; write it so", p.Value)
	case p.Kind == intent.PathPrefix:
		t.prefix(p.Value)
	default:
		t.literal(p.Value, only(p.Value, pathCharacters))
	}
}

// prefix matches whole segments: "/a" is "/a" and "/a/*", and "/" is everything.
func (t *texts) prefix(p string) {
	p = strings.TrimRight(p, "/")
	switch {
	case p == "":
		t.patterns = append(t.patterns, "/*")
	case only(p, pathCharacters):
		t.patterns = append(t.patterns, p, p+"/*")
	default:
		t.regexes = append(t.regexes, "^"+regexp.QuoteMeta(p)+"(/.*)?$")
	}
}

func headerConditions(m intent.Match) ([]model.Condition, string) {
	var out []model.Condition
	for _, h := range m.Headers {
		if h.Name == "" || len(h.Name) > maxHeaderName || !only(h.Name, nameCharacters) || strings.EqualFold(h.Name, "host") {
			return nil, fmt.Sprintf("AWS does not match by the header %q: a name has up to %d characters and is not Host; match by another one, "+
				"or by host names", h.Name, maxHeaderName)
		}
		var t texts
		for _, v := range h.Values {
			if h.Pattern {
				t.patterns = append(t.patterns, v)
			} else {
				t.literal(v, true)
			}
		}
		for _, r := range h.Regexes {
			t.regex(r)
		}
		one, problem := t.condition(model.FieldHeader, h.Name)
		if problem != "" {
			return nil, problem
		}
		if len(one) == 0 {
			return nil, fmt.Sprintf("the match by the header %s has no value; write one, or leave it out", h.Name)
		}
		out = append(out, one...)
	}
	return out, ""
}

func queryConditions(m intent.Match) ([]model.Condition, string) {
	var out []model.Condition
	for _, q := range m.Queries {
		c := model.Condition{Field: model.FieldQuery}
		for _, pair := range q.Pairs {
			if !q.Pattern {
				pair.Key, pair.Value = escaped(pair.Key), escaped(pair.Value)
			}
			if pair.Value == "" || len(pair.Key) > maxLength || len(pair.Value) > maxLength || !isVisible(pair.Key+pair.Value) {
				return nil, fmt.Sprintf("the query parameter %q=%q must have a value, and %d visible characters at most", pair.Key, pair.Value, maxLength)
			}
			c.Query = append(c.Query, pair)
		}
		if len(c.Query) == 0 {
			return nil, "the match by query parameters names none; write one, or leave it out"
		}
		out = append(out, c)
	}
	return out, ""
}

// escaped takes the meaning of wildcards from a text.
func escaped(s string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`).Replace(s)
}

func methodConditions(m intent.Match) ([]model.Condition, string) {
	c := model.Condition{Field: model.FieldMethod}
	for _, method := range m.Methods {
		bad := strings.ContainsFunc(method, func(r rune) bool { return (r < 'A' || r > 'Z') && r != '-' && r != '_' })
		if bad || method == "" || len(method) > maxMethod {
			return nil, fmt.Sprintf("%q is no method that AWS matches by: up to %d capital letters, - and _", method, maxMethod)
		}
		c.Values = append(c.Values, method)
	}
	if len(c.Values) == 0 {
		return nil, ""
	}
	return []model.Condition{c}, ""
}

func sourceConditions(m intent.Match) ([]model.Condition, string) {
	c := model.Condition{Field: model.FieldSourceIP}
	for _, s := range m.SourceIPs {
		as, problem := intent.SourceRange(s)
		if problem != "" {
			return nil, problem
		}
		c.Values = append(c.Values, as)
	}
	if len(c.Values) == 0 {
		return nil, ""
	}
	return []model.Condition{c}, ""
}
