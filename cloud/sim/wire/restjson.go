package wire

import (
	"fmt"
	"net/http"
	"reflect"
)

// RESTJSON is the REST-JSON protocol: method and path choose the operation, bodies are JSON.
type RESTJSON struct {
	// Invalid is the code for an input that cannot be read, as in ValidationException.
	Invalid string
	// Unions are the members of the API's unions.
	Unions Unions
	// ISOTimes writes times as texts; else they are seconds since the epoch.
	ISOTimes bool
}

// Decode fills a shape from a request.
func (j RESTJSON) Decode(q *Request, in any) error {
	v := reflect.ValueOf(in).Elem()
	err := bindRequest(q, v, func(body []byte, at reflect.Value) error { return jsonDecoder{j.Unions}.document(body, at) })
	if err != nil {
		return asInvalid(err, j.Invalid)
	}
	if bad := badEnum(v, ""); bad != "" {
		return Errorf(j.Invalid, "%s", bad)
	}
	return nil
}

// Encode gives status, headers and body of an answer.
func (j RESTJSON) Encode(reply Reply) (Response, error) {
	e := newJSONEncoder(lowerName, j.ISOTimes)
	r, err := bindResponse(reply, func(v any) (Response, error) {
		body, err := e.document(v)
		return content(restJSONType, body), err
	})
	if err != nil {
		return Response{}, fmt.Errorf("encoding the answer of %s: %w", reply.Operation.Name, err)
	}
	return r, nil
}

const restJSONType = "application/json"

// Fail gives the error, its code in a header.
func (j RESTJSON) Fail(err *Error, _ string) Response {
	r := content(restJSONType, failureDocument(err, ""))
	r.Status = err.Status
	r.Header.Set("X-Amzn-Errortype", err.Code)
	if err.Status == http.StatusTooManyRequests {
		r.Header.Set("Retry-After", "1")
	}
	return r
}

func lowerName(_, field string) string { return lowerFirst(field) }
