package model

import (
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// slowly is a content as package encoding/json writes it, of copies that are normalised.
func slowly(r Rule) Content {
	r = NormalizeRule(r)
	actions := mapped(r.Actions, func(a Action) Action {
		a = sansSecret(normalizeAction(a))
		if a.Forward == nil {
			return a
		}
		for i := range a.Forward.Groups {
			g := &a.Forward.Groups[i]
			if g.Key != "" {
				g.ARN = ""
			}
			if len(a.Forward.Groups) == 1 && g.Weight != 0 {
				g.Weight = 1
			}
		}
		return a
	})
	plain, changed := slices.Clone(r.Conditions), false
	for i, c := range plain {
		if hosts, ok := PlainHosts(c); ok {
			plain[i].Values, plain[i].Regex, changed = hosts, nil, true
		}
	}
	out := Content{Conditions: encode(r.Conditions), Answer: encode(actions) + encode(slices.Concat(r.Transforms))}
	if out.Plain = out.Conditions; changed {
		out.Plain = encode(normalizeConditions(plain))
	}
	return out
}

// some draws from a list.
func some[T any](r *rand.Rand, list ...T) T { return list[r.IntN(len(list))] }

// text is a string with all that JSON escapes.
func text(r *rand.Rand) string {
	var out strings.Builder
	for range r.IntN(5) {
		out.WriteString(some(r, "a", "b/*", `"`, `\`, "<", ">", "&", "é", "\u2028", "\n", "\x00", "\x7f", "\xff", "#{host}", "^x$"))
	}
	return out.String()
}

func texts(r *rand.Rand) []string {
	if r.IntN(2) == 0 {
		return some(r, nil, []string{})
	}
	out := make([]string, r.IntN(4))
	for i := range out {
		out[i] = some(r, text(r), HostRegex("b.org"), HostRegex("*.a.org"))
	}
	return out
}

func randomCondition(r *rand.Rand) Condition {
	c := Condition{Field: some(r, FieldHost, FieldPath, FieldHeader, text(r)), Header: some(r, "", text(r)), Values: texts(r), Regex: texts(r)}
	for range r.IntN(3) {
		c.Query = append(c.Query, QueryPair{text(r), text(r)})
	}
	return c
}

func randomAction(r *rand.Rand) Action {
	switch r.IntN(6) {
	case 0:
		return Action{Type: ActionRedirect, Redirect: &Redirect{Host: text(r), Path: text(r)}}
	case 1:
		return Action{Type: ActionFixedResponse, FixedResponse: &FixedResponse{StatusCode: "404", Body: text(r)}}
	case 2:
		return Action{Type: ActionOIDC, OIDC: &OIDC{Issuer: text(r), Digest: text(r), KeepSecret: true}}
	case 3:
		return Action{Type: ActionJWT, JWT: &JWT{Issuer: text(r), Claims: []Claim{{Name: "b", Values: texts(r)}, {Name: "a"}}}}
	}
	f := Forward{Groups: some(r, nil, []WeightedGroup{}), StickySeconds: some(r, 0, 60)}
	for range r.IntN(4) {
		f.Groups = append(f.Groups, WeightedGroup{Key: text(r), ARN: ARN(text(r)), Weight: r.IntN(3)})
	}
	return Action{Type: some(r, ActionForward, text(r)), Forward: &f}
}

func randomRule(r *rand.Rand) Rule {
	var out Rule
	for range r.IntN(4) {
		out.Conditions = append(out.Conditions, randomCondition(r))
	}
	for range r.IntN(3) {
		out.Actions = append(out.Actions, randomAction(r))
	}
	for range r.IntN(2) {
		out.Transforms = append(out.Transforms, Transform{Type: text(r), Regex: text(r), Replace: text(r)})
	}
	return out
}

func TestTextIsThatOfEncodingJSON(t *testing.T) {
	t.Parallel()
	for seed := range uint64(5000) {
		r := rand.New(rand.NewPCG(seed, 1))
		rule := randomRule(r)
		before := encode(rule)
		if got, want := ContentOf(rule), slowly(rule); got != want {
			t.Fatalf("seed %d:\n%+v, want\n%+v", seed, got, want)
		}
		if encode(rule) != before {
			t.Fatalf("seed %d: the rule was changed: %s, was %s", seed, encode(rule), before)
		}
		want := digest("rule on 443", []string{slowly(rule).Conditions, slowly(rule).Answer})[:ruleHashLength]
		if got := RuleContentHash(443, rule); got != want {
			t.Fatalf("seed %d: hash %s, want %s", seed, got, want)
		}
	}
}

// TestTextKnowsEveryField fails when a field is added that the texts do not have.
func TestTextKnowsEveryField(t *testing.T) {
	t.Parallel()
	c := Condition{Field: "f", Header: "h", Values: []string{"v"}, Regex: []string{"r"}, Query: []QueryPair{{"k", "v"}}}
	f := Forward{Groups: []WeightedGroup{{"k", "a", 2}}, StickySeconds: 1}
	for _, both := range [][2]string{
		{string(appendConditions(nil, []Condition{c})), encode([]Condition{c})},
		{string(appendForward(nil, f)), encode(f)},
	} {
		if both[0] != both[1] {
			t.Errorf("%s, want %s", both[0], both[1])
		}
	}
	for of, want := range map[reflect.Type]int{
		reflect.TypeFor[Condition](): 5, reflect.TypeFor[QueryPair](): 2, reflect.TypeFor[Forward](): 2, reflect.TypeFor[WeightedGroup](): 3,
		reflect.TypeFor[Action](): 7,
	} {
		if of.NumField() != want {
			t.Errorf("%s has %d fields, want %d: write the new ones in text.go", of, of.NumField(), want)
		}
	}
}
