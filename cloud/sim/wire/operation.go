package wire

import "fmt"

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
	// New makes an empty input shape.
	New func() any
	// Run takes the filled input shape and gives the output shape.
	Run func(in any) (any, error)
}

// Service is one AWS service behind the endpoint.
type Service struct {
	// Name is the signing name, as in the credential scope of a signature.
	Name string
	// Target is the prefix of X-Amz-Target for JSON services, else the API version.
	Target     string
	Protocol   Protocol
	Operations map[string]Operation
}

// Protocol turns bytes into shapes and back.
type Protocol interface {
	// Decode fills the input shape from the body of a request.
	Decode(body []byte, in any) error
	// Encode gives the body of a good answer.
	Encode(reply Reply) ([]byte, error)
	// Fail gives the body of an error.
	Fail(err *Error, requestID string) []byte
	// ContentType is the content type of answers.
	ContentType() string
}

// Reply is a good answer before it is encoded.
type Reply struct {
	Operation, RequestID string
	Output               any
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
