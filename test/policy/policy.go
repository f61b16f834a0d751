// Package policy judges AWS calls by IAM policies, as far as the policies of load balancer controllers go: actions, resources, and
// conditions on the tags of requests and resources.
//
// It imports the standard library only. Its invariant: what it does not know of IAM is an error when a policy is read, never a yes.
package policy

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path"
	"slices"
	"strings"
)

// Policy is an IAM policy document, https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements.html.
type Policy struct {
	Version    string      `json:"Version"`
	Statements []Statement `json:"Statement"`
}

// Statement allows actions.
type Statement struct {
	Sid       string                      `json:"Sid"`
	Effect    string                      `json:"Effect"`
	Actions   Words                       `json:"Action"`
	Resources Words                       `json:"Resource"`
	Condition map[string]map[string]Words `json:"Condition"`
}

// Words are a list, which a document may write as one string.
type Words []string

// UnmarshalJSON reads a string or a list.
func (w *Words) UnmarshalJSON(data []byte) error {
	var one string
	if json.Unmarshal(data, &one) == nil {
		*w = Words{one}
		return nil
	}
	var all []string
	if err := json.Unmarshal(data, &all); err != nil {
		return fmt.Errorf("reading a string or a list of them: %w", err)
	}
	*w = all
	return nil
}

var errUnknown = errors.New("this package does not know how to judge it")

// Read reads a policy document.
func Read(name string) (Policy, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return Policy{}, fmt.Errorf("reading a policy: %w", err)
	}
	var p Policy
	if err := json.Unmarshal(data, &p); err != nil {
		return Policy{}, fmt.Errorf("reading the policy in %s: %w", name, err)
	}
	return p, p.check()
}

// check refuses what Allows would misjudge.
func (p Policy) check() error {
	for _, s := range p.Statements {
		if s.Effect != "Allow" {
			return fmt.Errorf("statement %s has the effect %q: %w", s.Sid, s.Effect, errUnknown)
		}
		for operator := range s.Condition {
			if operator != opNull && operator != opEquals {
				return fmt.Errorf("statement %s has the condition %q: %w", s.Sid, operator, errUnknown)
			}
		}
	}
	return nil
}

// The operators of conditions.
const (
	opNull   = "Null"
	opEquals = "StringEquals"
)

// Allows tells whether a statement grants the right.
func (p Policy) Allows(r Right) bool {
	return slices.ContainsFunc(p.Statements, func(s Statement) bool { return s.grants(r) })
}

// Unused lists what is granted and none of the rights needs, as "Sid action".
func (p Policy) Unused(rights []Right) []string {
	var out []string
	for _, s := range p.Statements {
		for _, action := range s.Actions {
			one := s
			one.Actions = Words{action}
			if !slices.ContainsFunc(rights, one.grants) {
				out = append(out, s.Sid+" "+action)
			}
		}
	}
	return out
}

func (s Statement) grants(r Right) bool {
	return matches(s.Actions, r.Action) && matches(s.Resources, r.Resource) && s.holds(r.Context)
}

// matches compares as IAM does: an asterisk stands for anything, slashes and colons too.
func matches(patterns Words, text string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool { return matchesOne(pattern, text) })
}

func matchesOne(pattern, text string) bool {
	// path.Match stops at slashes: put something else in their place.
	plain := strings.NewReplacer("/", "\x00").Replace
	ok, err := path.Match(plain(pattern), plain(text))
	return err == nil && ok
}

// holds tells whether all conditions do.
func (s Statement) holds(context map[string]string) bool {
	for operator, keys := range s.Condition {
		for key, values := range keys {
			have, present := context[key]
			switch {
			case operator == opNull && slices.Contains(values, "true") == present:
				return false
			case operator == opEquals && (!present || !slices.Contains(values, have)):
				return false
			}
		}
	}
	return true
}
