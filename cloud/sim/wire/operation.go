package wire

import (
	"fmt"
	"net/http"
	"net/url"
)

// Kind says whether an operation changes anything.
type Kind string

// The kinds of operations.
const (
	Read  Kind = "read"
	Write Kind = "write"
)

// Operation is one action of a service.
type Operation struct {
	Name string
	Kind Kind
	// Route is how the operation of a REST service travels; nil elsewhere.
	Route *Route
	// New makes an empty input shape.
	New func() any
	// Run takes the filled input shape and gives the output shape.
	Run func(in any) (any, error)
}

// Service is one AWS service behind the endpoint.
type Service struct {
	// Name is the signing name, as in the credential scope of a signature.
	Name string
	// Target is the prefix of X-Amz-Target for JSON services, the API version for Query services, and empty for REST services.
	Target     string
	Protocol   Protocol
	Operations map[string]Operation
}

// Request is a call before it is decoded.
type Request struct {
	// Operation is the action that is asked for; of a REST service it is known when the service has found it.
	Operation, Method string
	// Path is escaped.
	Path   string
	Query  url.Values
	Header http.Header
	// Body is the body, or the query of a GET.
	Body []byte

	labels map[string]string
	route  *Route
}

// Response is an answer as it is sent. The status 0 is 200.
type Response struct {
	Status int
	Header http.Header
	Body   []byte
}

func content(kind string, body []byte) Response {
	return Response{Header: http.Header{"Content-Type": {kind}}, Body: body}
}

// Protocol turns bytes into shapes and back.
type Protocol interface {
	// Decode fills the input shape from a request.
	Decode(q *Request, in any) error
	// Encode gives a good answer.
	Encode(reply Reply) (Response, error)
	// Fail gives the answer of an error.
	Fail(err *Error, requestID string) Response
}

// Reply is a good answer before it is encoded.
type Reply struct {
	Operation Operation
	RequestID string
	Output    any
}

// Reads declares an operation that changes nothing.
func Reads[In, Out any](name string, run func(*In) (*Out, error)) Operation {
	return operation(name, Read, run)
}

// Writes declares an operation that changes something.
func Writes[In, Out any](name string, run func(*In) (*Out, error)) Operation {
	return operation(name, Write, run)
}

func operation[In, Out any](name string, kind Kind, run func(*In) (*Out, error)) Operation {
	return Operation{
		Name: name, Kind: kind,
		New: func() any { return new(In) },
		Run: func(in any) (any, error) {
			typed, ok := in.(*In)
			if !ok {
				return nil, fmt.Errorf("operation %s got input %T", name, in)
			}
			return run(typed)
		},
	}
}

// Table makes the map of a service's operations.
func Table(operations ...Operation) map[string]Operation {
	table := make(map[string]Operation, len(operations))
	for _, o := range operations {
		table[o.Name] = o
	}
	return table
}
