package model

import (
	"encoding/json"
	"slices"
	"strconv"
)

// The text of a rule is made for each rule of a stack several times a run, and is hashed into resource IDs that are tags in AWS. So it is
// written here by hand, byte for byte as package encoding/json writes it: tests compare the two.

// textSize is room for the text of most rules.
const textSize = 512

// null is how JSON writes a list that is nil.
const null = "null"

func appendConditions(b []byte, list []Condition) []byte {
	if len(list) == 0 {
		return append(b, null...)
	}
	return appendList(b, list, func(b []byte, c Condition) []byte {
		b = appendString(append(b, `{"field":`...), c.Field)
		if c.Header != "" {
			b = appendString(append(b, `,"header":`...), c.Header)
		}
		if len(c.Values) > 0 {
			b = appendList(append(b, `,"values":`...), c.Values, appendString)
		}
		if len(c.Regex) > 0 {
			b = appendList(append(b, `,"regex":`...), c.Regex, appendString)
		}
		if len(c.Query) > 0 {
			b = appendList(append(b, `,"query":`...), c.Query, appendPair)
		}
		return append(b, '}')
	})
}

func appendPair(b []byte, p QueryPair) []byte {
	b = append(b, '{')
	if p.Key != "" {
		b = append(appendString(append(b, `"key":`...), p.Key), ',')
	}
	return append(appendString(append(b, `"value":`...), p.Value), '}')
}

// appendActions writes actions that [canonical] gave.
func appendActions(b []byte, list []Action) []byte {
	if len(list) == 0 {
		return append(b, null...)
	}
	return appendList(b, list, func(b []byte, a Action) []byte {
		if a.Forward == nil || a.Redirect != nil || a.FixedResponse != nil || a.OIDC != nil || a.Cognito != nil || a.JWT != nil {
			return append(b, encode(a)...)
		}
		b = appendString(append(b, `{"type":`...), a.Type)
		b = appendForward(append(b, `,"forward":`...), *a.Forward)
		return append(b, '}')
	})
}

func appendForward(b []byte, f Forward) []byte {
	b = append(b, `{"groups":`...)
	if f.Groups == nil {
		b = append(b, null...)
	} else {
		b = appendList(b, f.Groups, appendGroup)
	}
	if f.StickySeconds != 0 {
		b = strconv.AppendInt(append(b, `,"stickySeconds":`...), int64(f.StickySeconds), 10)
	}
	return append(b, '}')
}

func appendGroup(b []byte, g WeightedGroup) []byte {
	b = append(b, '{')
	if g.Key != "" {
		b = append(appendString(append(b, `"key":`...), g.Key), ',')
	}
	if g.ARN != "" {
		b = append(appendString(append(b, `"arn":`...), string(g.ARN)), ',')
	}
	return append(strconv.AppendInt(append(b, `"weight":`...), int64(g.Weight), 10), '}')
}

func appendList[T any](b []byte, list []T, one func([]byte, T) []byte) []byte {
	b = append(b, '[')
	for i, v := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = one(b, v)
	}
	return append(b, ']')
}

// appendString writes a string with the escapes of package encoding/json, to which it leaves what is not plain ASCII.
func appendString(b []byte, s string) []byte {
	start := len(b)
	b = append(b, '"')
	for i := range len(s) {
		switch c := s[i]; {
		case c < ' ' || c > '~':
			return append(b[:start], encode(s)...)
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c == '<' || c == '>' || c == '&':
			b = append(b, `\u00`...)
			b = append(b, hexDigits[c>>4], hexDigits[c&15])
		default:
			b = append(b, c)
		}
	}
	return append(b, '"')
}

const hexDigits = "0123456789abcdef"

// encode is the JSON of a value of this package. They hold nothing that JSON cannot say.
func encode(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

// normalConditions are conditions with their sets sorted: themselves where they are.
func normalConditions(in []Condition) []Condition {
	for i, c := range in {
		if !isSet(c.Values) || !isSet(c.Regex) || len(c.Query) > 1 || i > 0 && compareConditions(in[i-1], c) > 0 {
			return normalizeConditions(in)
		}
	}
	return in
}

// isSet tells whether values are sorted and without duplicates.
func isSet(values []string) bool {
	for i := 1; i < len(values); i++ {
		if values[i-1] >= values[i] {
			return false
		}
	}
	return true
}

// canonical are actions with nothing in them that says nothing: see [ActionsText].
func canonical(actions []Action) []Action {
	if !slices.ContainsFunc(actions, mattersLess) {
		return actions
	}
	return mapped(actions, func(a Action) Action {
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
}

// mattersLess tells whether an action may be written in another form that says the same.
func mattersLess(a Action) bool {
	switch {
	case a.OIDC != nil || a.Cognito != nil || a.JWT != nil:
		return true
	case a.Forward == nil || len(a.Forward.Groups) == 0:
		return false
	case len(a.Forward.Groups) > 1:
		return true
	}
	g := a.Forward.Groups[0]
	return g.Key != "" && g.ARN != "" || g.Weight != 0 && g.Weight != 1
}
