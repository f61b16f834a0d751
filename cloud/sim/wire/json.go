package wire

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"reflect"
	"time"
)

// JSON is the AWS JSON 1.1 protocol.
type JSON struct {
	// Invalid is the code for an input that cannot be read, as in ValidationException.
	Invalid string
}

// Decode fills a shape from a JSON document.
func (j JSON) Decode(body []byte, in any) error {
	if len(body) == 0 {
		return nil
	}
	if err := json.Unmarshal(body, in); err != nil {
		return Errorf("SerializationException", "%v", err)
	}
	if bad := badEnum(reflect.ValueOf(in).Elem(), ""); bad != "" {
		return Errorf(j.Invalid, "%s", bad)
	}
	return nil
}

// Encode gives the output shape.
func (j JSON) Encode(reply Reply) ([]byte, error) {
	tree := jsonValue(reflect.ValueOf(reply.Output))
	if tree == nil {
		tree = map[string]any{}
	}
	out, err := json.Marshal(tree)
	if err != nil {
		return nil, fmt.Errorf("encoding the answer of %s: %w", reply.Operation, err)
	}
	return out, nil
}

// Fail gives the error body.
func (j JSON) Fail(err *Error, _ string) []byte {
	out, failed := json.Marshal(map[string]string{"__type": err.Code, "message": err.Message})
	if failed != nil {
		return []byte(`{"__type":"InternalFailure"}`)
	}
	return out
}

// ContentType is the JSON 1.1 media type.
func (j JSON) ContentType() string { return "application/x-amz-json-1.1" }

// Tree gives shapes as maps, lists and plain values, without the fields that are absent.
func Tree(shapes any) any { return jsonValue(reflect.ValueOf(shapes)) }

// jsonValue turns a shape into what the JSON protocol writes: times are epoch seconds, blobs base64, absent fields left out.
func jsonValue(v reflect.Value) any {
	for v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface {
		if v.IsNil() {
			return nil
		}
		v = v.Elem()
	}
	switch {
	case !v.IsValid() || absent(v):
		return nil
	case isTime(v):
		if at, ok := reflect.TypeAssert[time.Time](v); ok {
			return float64(at.UnixMilli()) / millis
		}
		return nil
	case isBytes(v):
		return base64.StdEncoding.EncodeToString(v.Bytes())
	case v.Kind() == reflect.Struct:
		return jsonFields(v)
	case v.Kind() == reflect.Slice:
		list := make([]any, 0, v.Len())
		for i := range v.Len() {
			list = append(list, jsonValue(v.Index(i)))
		}
		return list
	case v.Kind() == reflect.Map:
		fields := map[string]any{}
		for _, k := range v.MapKeys() {
			fields[k.String()] = jsonValue(v.MapIndex(k))
		}
		return fields
	default:
		return v.Interface()
	}
}

const millis = 1000

func jsonFields(v reflect.Value) any {
	fields := map[string]any{}
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if !onWire(f) {
			continue
		}
		if value := jsonValue(v.Field(i)); value != nil {
			fields[f.Name] = value
		}
	}
	return fields
}
