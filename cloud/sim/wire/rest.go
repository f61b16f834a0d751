package wire

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// bindRequest fills an input from labels, query and headers, and the rest of it from the body as a document.
func bindRequest(q *Request, v reflect.Value, document func([]byte, reflect.Value) error) error {
	for name, value := range q.labels {
		if err := setField(v, name, []string{value}); err != nil {
			return err
		}
	}
	for name, field := range q.route.query {
		if err := setField(v, field, q.Query[name]); err != nil {
			return err
		}
	}
	for name, field := range q.route.headers {
		if err := setField(v, field, q.Header[name]); err != nil {
			return err
		}
	}
	switch {
	case q.route.payload != "":
		return bindPayload(q, v.FieldByName(q.route.payload), document)
	case q.Method == http.MethodGet, q.Method == http.MethodHead, q.Method == http.MethodDelete:
		return bindQuery(q, v)
	case len(q.Body) == 0:
		return nil
	default:
		return bindBody(q, v, document)
	}
}

// bindBody reads a document. It cannot set what travels elsewhere.
func bindBody(q *Request, v reflect.Value, document func([]byte, reflect.Value) error) error {
	all := reflect.New(v.Type()).Elem()
	if err := document(q.Body, all); err != nil {
		return err
	}
	for i := range v.NumField() {
		if f := v.Type().Field(i); onWire(f) && !q.route.bound(f.Name) {
			v.Field(i).Set(all.Field(i))
		}
	}
	return nil
}

// bindQuery sets what has no place of its own from the query, in the names that JSON members have.
func bindQuery(q *Request, v reflect.Value) error {
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if !onWire(f) || q.route.bound(f.Name) {
			continue
		}
		if err := setField(v, f.Name, q.Query[lowerFirst(f.Name)]); err != nil {
			return err
		}
	}
	return nil
}

func bindPayload(q *Request, v reflect.Value, document func([]byte, reflect.Value) error) error {
	switch {
	case v.Kind() == reflect.Interface:
		v.Set(reflect.ValueOf(bytes.NewReader(q.Body)))
		return nil
	case isBytes(v):
		v.SetBytes(q.Body)
		return nil
	case len(q.Body) == 0:
		return nil
	case v.Kind() == reflect.Pointer && v.Type().Elem().Kind() == reflect.Struct:
		v.Set(reflect.New(v.Type().Elem()))
		return document(q.Body, v.Elem())
	default:
		return setValue(v, []string{string(q.Body)}, "body")
	}
}

// setField sets a field from texts. Without texts it stays as it is.
func setField(v reflect.Value, field string, texts []string) error {
	f := v.FieldByName(field)
	if !f.IsValid() || len(texts) == 0 {
		return nil
	}
	return setValue(f, texts, lowerFirst(field))
}

func setValue(v reflect.Value, texts []string, path string) error {
	switch {
	case v.Kind() == reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		return setValue(v.Elem(), texts, path)
	case isTime(v):
		at, err := http.ParseTime(texts[0])
		if err != nil {
			at, err = time.Parse(time.RFC3339, texts[0])
		}
		if err != nil {
			return malformed(path, texts[0])
		}
		v.Set(reflect.ValueOf(at))
		return nil
	case v.Kind() == reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), len(texts), len(texts)))
		for i, text := range texts {
			if err := scalar(text, v.Index(i), path); err != nil {
				return err
			}
		}
		return nil
	default:
		return scalar(texts[0], v, path)
	}
}

// bindResponse puts an output into headers and body. The document gets a copy without the fields that are in headers.
func bindResponse(reply Reply, document func(any) (Response, error)) (Response, error) {
	route, v := reply.Operation.Route, reflect.ValueOf(reply.Output).Elem()
	rest := reflect.New(v.Type())
	rest.Elem().Set(v)
	headers := http.Header{}
	for _, name := range slices.Sorted(maps.Keys(route.headers)) {
		f := rest.Elem().FieldByName(route.headers[name])
		if !f.IsValid() {
			continue
		}
		if text, ok := headerText(f); ok {
			headers.Set(name, text)
		}
		f.SetZero()
	}
	r, err := bindAnswer(route, rest, document)
	if err != nil {
		return Response{}, err
	}
	r.Status = route.status
	maps.Copy(r.Header, headers)
	return r, nil
}

func bindAnswer(route *Route, output reflect.Value, document func(any) (Response, error)) (Response, error) {
	if route.status == http.StatusNoContent || route.method == http.MethodHead {
		return Response{Header: http.Header{}}, nil
	}
	if route.answer == "" {
		return document(output.Interface())
	}
	v := output.Elem().FieldByName(route.answer)
	switch body := v.Interface().(type) {
	case nil:
		return content("application/octet-stream", nil), nil
	case io.Reader:
		all, err := io.ReadAll(body)
		if err != nil {
			return Response{}, fmt.Errorf("reading the payload: %w", err)
		}
		return content("application/octet-stream", all), nil
	case []byte:
		return content("application/octet-stream", body), nil
	case *string:
		if body == nil {
			return content("text/plain", nil), nil
		}
		return content("text/plain", []byte(*body)), nil
	default:
		return document(body)
	}
}

// headerText gives a value as a header has it: times as HTTP dates. It reports false for what is absent.
func headerText(v reflect.Value) (string, bool) {
	for v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return "", false
		}
		v = v.Elem()
	}
	if at, ok := reflect.TypeAssert[time.Time](v); ok {
		return at.UTC().Format(http.TimeFormat), true
	}
	switch v.Kind() {
	case reflect.String:
		return v.String(), v.Len() > 0
	case reflect.Bool:
		return strconv.FormatBool(v.Bool()), true
	case reflect.Int32, reflect.Int64:
		return strconv.FormatInt(v.Int(), 10), true
	default:
		return "", false
	}
}

// asInvalid gives what could not be read the code of the service.
func asInvalid(err error, code string) error {
	known := AsError(err)
	if known.Status >= http.StatusInternalServerError || code == "" {
		return err
	}
	return Errorf(code, "%s", known.Message)
}

// Unwrapped takes the frames of aws-chunked off a body, which some SDKs put around what they stream. Any other body is given as it is.
func Unwrapped(header http.Header, body []byte) []byte {
	if !strings.Contains(header.Get("Content-Encoding"), "aws-chunked") {
		return body
	}
	var out []byte
	for len(body) > 0 {
		head, rest, _ := bytes.Cut(body, []byte("\r\n"))
		size, _, _ := strings.Cut(string(head), ";")
		n, err := strconv.ParseUint(strings.TrimSpace(size), 16, 31)
		if err != nil || n == 0 || int(n) > len(rest) {
			break
		}
		out = append(out, rest[:n]...)
		body = bytes.TrimPrefix(rest[n:], []byte("\r\n"))
	}
	return out
}

// parseQuery reads a query, and takes a broken one as far as it goes.
func parseQuery(raw string) url.Values {
	values, err := url.ParseQuery(raw)
	if err != nil && values == nil {
		return url.Values{}
	}
	return values
}

// NewRequest makes a request of an HTTP request and its body.
func NewRequest(r *http.Request, body []byte) *Request {
	return &Request{
		Method: r.Method, Path: r.URL.EscapedPath(), Query: parseQuery(r.URL.RawQuery), Header: r.Header, Body: Unwrapped(r.Header, body),
	}
}
