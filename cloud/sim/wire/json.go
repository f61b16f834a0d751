package wire

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"time"
)

// JSON is the AWS JSON 1.1 protocol.
type JSON struct {
	// Invalid is the code for an input that cannot be read, as in ValidationException.
	Invalid string
}

// Decode fills a shape from a JSON document.
func (j JSON) Decode(q *Request, in any) error {
	v := reflect.ValueOf(in).Elem()
	if len(q.Body) > 0 {
		if err := (jsonDecoder{}).document(q.Body, v); err != nil {
			return err
		}
	}
	if bad := badEnum(v, ""); bad != "" {
		return Errorf(j.Invalid, "%s", bad)
	}
	return nil
}

// Encode gives the output shape.
func (j JSON) Encode(reply Reply) (Response, error) {
	body, err := newJSONEncoder(sameName, false).document(reply.Output)
	if err != nil {
		return Response{}, fmt.Errorf("encoding the answer of %s: %w", reply.Operation.Name, err)
	}
	return content(jsonType, body), nil
}

// Fail gives the error body.
func (j JSON) Fail(err *Error, _ string) Response {
	r := content(jsonType, failureDocument(err, "__type"))
	r.Status = err.Status
	return r
}

const jsonType = "application/x-amz-json-1.1"

// failureDocument gives an error as JSON. The code goes into a member if that has a name.
func failureDocument(err *Error, code string) []byte {
	members := map[string]any{"message": err.Message}
	maps.Copy(members, err.Details)
	if code != "" {
		members[code] = err.Code
	}
	out, failed := json.Marshal(members)
	if failed != nil {
		return []byte(`{"message":"the error cannot be shown"}`)
	}
	return out
}

// Tree gives shapes as maps, lists and plain values, without the fields that are absent.
func Tree(shapes any) any { return newJSONEncoder(sameName, false).value(reflect.ValueOf(shapes)) }

// jsonEncoder turns shapes into what the JSON protocols write: blobs are base64, absent fields are left out.
type jsonEncoder struct {
	// name gives the member name of a field of a shape.
	name func(shape, field string) string
	// iso writes times as texts; else they are seconds since the epoch.
	iso bool
	// known are the member names of shapes, by the index of the field; empty for fields that do not travel.
	known map[reflect.Type][]string
}

func newJSONEncoder(name func(shape, field string) string, iso bool) jsonEncoder {
	return jsonEncoder{name, iso, map[reflect.Type][]string{}}
}

func (e jsonEncoder) document(output any) ([]byte, error) {
	tree := e.value(reflect.ValueOf(output))
	if tree == nil {
		tree = map[string]any{}
	}
	out, err := json.Marshal(tree)
	if err != nil {
		return nil, fmt.Errorf("writing JSON: %w", err)
	}
	return out, nil
}

func (e jsonEncoder) value(v reflect.Value) any {
	for v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface {
		if v.IsNil() {
			return nil
		}
		if member, ok := unionMember(v); ok {
			return map[string]any{member: e.value(v.Elem().Elem().Field(0))}
		}
		v = v.Elem()
	}
	switch {
	case !v.IsValid() || absent(v):
		return nil
	case isTime(v):
		return e.time(v)
	case isBytes(v):
		return base64.StdEncoding.EncodeToString(v.Bytes())
	case v.Kind() == reflect.Struct:
		return e.fields(v)
	case v.Kind() == reflect.Slice:
		list := make([]any, 0, v.Len())
		for i := range v.Len() {
			list = append(list, e.value(v.Index(i)))
		}
		return list
	case v.Kind() == reflect.Map:
		fields := map[string]any{}
		for _, k := range v.MapKeys() {
			fields[k.String()] = e.value(v.MapIndex(k))
		}
		return fields
	default:
		return v.Interface()
	}
}

const millis = 1000

func (e jsonEncoder) time(v reflect.Value) any {
	at, ok := reflect.TypeAssert[time.Time](v)
	switch {
	case !ok:
		return nil
	case e.iso:
		return at.UTC().Format(timeFormat)
	default:
		return float64(at.UnixMilli()) / millis
	}
}

func (e jsonEncoder) fields(v reflect.Value) any {
	fields := map[string]any{}
	for i, name := range e.names(v.Type()) {
		if name == "" {
			continue
		}
		if value := e.value(v.Field(i)); value != nil {
			fields[name] = value
		}
	}
	return fields
}

// names gives the member names of a shape.
func (e jsonEncoder) names(t reflect.Type) []string {
	known, ok := e.known[t]
	if ok {
		return known
	}
	names := make([]string, t.NumField())
	for f := range t.Fields() {
		if onWire(f) {
			names[f.Index[0]] = e.name(t.Name(), f.Name)
		}
	}
	e.known[t] = names
	return names
}
