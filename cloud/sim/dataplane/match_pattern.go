package dataplane

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"
)

var (
	errNoValue = errors.New("a condition value must be specified")
	errUnknown = errors.New("not known")
)

// letterCase says whether a comparison tells upper from lower case.
type letterCase int

const (
	keepCase letterCase = iota
	foldCase
)

// text matches a string against several values; one that fits is enough. With foldCase the caller gives it lower case input.
type text struct {
	patterns []pattern
	regex    []*regexp.Regexp
}

func (t *text) matches(s string) bool {
	for i := range t.patterns {
		if t.patterns[i].matches(s) {
			return true
		}
	}
	for _, re := range t.regex {
		if re.MatchString(s) {
			return true
		}
	}
	return false
}

// exactOnly reports whether no value has a wildcard and none is a regular expression.
func (t *text) exactOnly() bool {
	for i := range t.patterns {
		if t.patterns[i].shape != exact {
			return false
		}
	}
	return len(t.regex) == 0
}

func (t *text) literals() []string {
	all := make([]string, 0, len(t.patterns))
	seen := map[string]bool{}
	for i := range t.patterns {
		if l := t.patterns[i].literal; !seen[l] {
			seen[l] = true
			all = append(all, l)
		}
	}
	return all
}

// segments gives the first path segments that the values allow, or nil if a value leaves them open.
func (t *text) segments() []string {
	if len(t.regex) > 0 {
		return nil
	}
	var all []string
	for i := range t.patterns {
		p := &t.patterns[i]
		segment := firstSegment(p.literal)
		if p.shape == general || p.shape == prefix && segment == p.literal {
			return nil
		}
		if !slices.Contains(all, segment) {
			all = append(all, segment)
		}
	}
	return all
}

// compileText prepares plain values with wildcards and regular expressions, which are not anchored.
func compileText(values, regex []string, letters letterCase) (text, error) {
	if len(values)+len(regex) == 0 {
		return text{}, errNoValue
	}
	var t text
	for _, v := range values {
		if letters == foldCase {
			v = strings.ToLower(v)
		}
		t.patterns = append(t.patterns, newPattern(wildcards(v)))
	}
	for _, v := range regex {
		if letters == foldCase {
			v = "(?i)" + v
		}
		re, err := regexp.Compile(v)
		if err != nil {
			return text{}, fmt.Errorf("regular expression: %w", err)
		}
		t.regex = append(t.regex, re)
	}
	return t, nil
}

// Tokens of a pattern that are not a byte.
const (
	star     int16 = -1 // any text
	question int16 = -2 // one character
)

// shape is the form of a pattern; the frequent forms need no search.
type shape int

const (
	exact shape = iota
	prefix
	general
)

// pattern is a value with wildcards.
type pattern struct {
	shape   shape
	literal string  // exact and prefix
	tokens  []int16 // general
}

// newPattern finds the simplest shape for tokens.
func newPattern(tokens []int16) pattern {
	literal := make([]byte, 0, len(tokens))
	for i, t := range tokens {
		if t == star && i == len(tokens)-1 {
			return pattern{shape: prefix, literal: string(literal)}
		}
		if t < 0 {
			return pattern{shape: general, tokens: tokens}
		}
		literal = append(literal, byte(t&math.MaxUint8))
	}
	return pattern{shape: exact, literal: string(literal)}
}

// wildcards reads a value in which * and ? are always wildcards.
func wildcards(value string) []int16 {
	tokens := make([]int16, 0, len(value))
	for i := range len(value) {
		tokens = append(tokens, token(value[i]))
	}
	return tokens
}

// compileEscaped reads a query string value: a backslash before *, ? or a backslash takes its meaning away. Case is folded.
func compileEscaped(value string) pattern {
	value = strings.ToLower(value)
	tokens := make([]int16, 0, len(value))
	for i := 0; i < len(value); i++ {
		if value[i] == '\\' && i+1 < len(value) && strings.IndexByte(`*?\`, value[i+1]) >= 0 {
			i++
			tokens = append(tokens, int16(value[i]))
			continue
		}
		tokens = append(tokens, token(value[i]))
	}
	return newPattern(tokens)
}

func token(b byte) int16 {
	switch b {
	case '*':
		return star
	case '?':
		return question
	default:
		return int16(b)
	}
}

func (p *pattern) matches(s string) bool {
	switch p.shape {
	case exact:
		return s == p.literal
	case prefix:
		return strings.HasPrefix(s, p.literal)
	default:
		return p.search(s)
	}
}

// search walks text and tokens side by side. On a mismatch it goes back to the last star and lets it take one character more,
// so the cost is at most the product of the two lengths.
func (p *pattern) search(s string) bool {
	at, i := 0, 0
	lastStar, resume := -1, 0
	for i < len(s) {
		switch {
		case at < len(p.tokens) && p.tokens[at] == star:
			lastStar, resume = at, i
			at++
		case at < len(p.tokens) && (p.tokens[at] == question || p.tokens[at] == int16(s[i])):
			at++
			i++
		case lastStar >= 0:
			resume++
			at, i = lastStar+1, resume
		default:
			return false
		}
	}
	for at < len(p.tokens) && p.tokens[at] == star {
		at++
	}
	return at == len(p.tokens)
}
