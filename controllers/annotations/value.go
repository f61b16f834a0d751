package annotations

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// shown is how much of a value a message repeats.
const shown = 80

func quote(s string) string {
	if len(s) > shown {
		s = strings.ToValidUTF8(s[:shown], "") + "…"
	}
	return strconv.Quote(s)
}

func parseBool(raw string) (bool, error) {
	v, err := strconv.ParseBool(raw)
	if err != nil {
		return false, fmt.Errorf("%s is neither true nor false: write one of the two", quote(raw))
	}
	return v, nil
}

func parseInt(raw string) (int, error) {
	v, err := strconv.ParseInt(raw, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%s is not a whole number", quote(raw))
	}
	return int(v), nil
}

// parseList splits at commas, and drops what is empty.
func parseList(raw string) []string {
	var out []string
	for part := range strings.SplitSeq(raw, ",") {
		if part = strings.TrimSpace(part); part != "" {
			out = append(out, part)
		}
	}
	return out
}

// parseMap splits at commas that no backslash precedes.
func parseMap(raw string) (map[string]string, error) {
	out := map[string]string{}
	for _, pair := range splitPairs(raw) {
		key, value, ok := strings.Cut(pair, "=")
		key, value = strings.TrimSpace(key), strings.TrimSpace(value)
		if !ok || key == "" {
			return nil, fmt.Errorf("%s is not of the form key=value: write key=value pairs with commas between them", quote(pair))
		}
		out[key] = value
	}
	return out, nil
}

func splitPairs(raw string) []string {
	var out []string
	var pair strings.Builder
	flush := func() {
		if p := strings.TrimSpace(pair.String()); p != "" {
			out = append(out, p)
		}
		pair.Reset()
	}
	for i := 0; i < len(raw); i++ {
		switch {
		case raw[i] == '\\' && i+1 < len(raw) && raw[i+1] == ',':
			pair.WriteByte(',')
			i++
		case raw[i] == ',':
			flush()
		default:
			pair.WriteByte(raw[i])
		}
	}
	flush()
	return out
}

// decode reads a JSON text. Errors repeat nothing of it but names of fields: a condition may hold a token.
func decode[T any](raw string) (T, error) {
	var out T
	err := json.Unmarshal([]byte(raw), &out)
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case err == nil:
		return out, nil
	case errors.As(err, &syntax):
		return out, fmt.Errorf("is not JSON (at character %d): check quotes, commas and brackets", syntax.Offset)
	case errors.As(err, &kind) && kind.Field != "":
		return out, fmt.Errorf("field %s does not take a JSON %s", kind.Field, jsonKind(kind.Value))
	case errors.As(err, &kind):
		return out, fmt.Errorf("is a JSON %s, which is not the form of this annotation", jsonKind(kind.Value))
	}
	return out, errors.New("is not JSON of the form of this annotation")
}

// jsonKind cuts the value that the decoder adds to "number".
func jsonKind(s string) string {
	kind, _, _ := strings.Cut(s, " ")
	return kind
}

// unknownField tells of a field that T does not have, where the rest is well.
func unknownField[T any](raw string) error {
	d := json.NewDecoder(bytes.NewReader([]byte(raw)))
	d.DisallowUnknownFields()
	var out T
	if err := d.Decode(&out); err != nil && !errors.Is(err, io.EOF) {
		if name, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
			return fmt.Errorf("field %s is unknown: it may be misspelled", name)
		}
	}
	return nil
}

// shaped is a JSON value that knows its own rules.
type shaped interface{ Validate() error }

// shape is the check of a JSON value of type T.
func shape[T shaped](raw string) error {
	v, err := decode[T](raw)
	if err != nil {
		return err
	}
	if err := v.Validate(); err != nil {
		return fmt.Errorf("is not right: %w", err)
	}
	return nil
}
