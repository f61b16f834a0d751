package vpc

import (
	"reflect"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/headgate/headgate/cloud/sim/wire"
)

// done is a call that was made with a client token.
type done struct{ in, out any }

// once makes a call idempotent: the same client token gives the first answer again, and with other parameters an error (API reference,
// "Ensuring idempotency"). The function gives the place of the token in the input.
func once[In, Out any](n *Network, run func(*In) (*Out, error), token func(*In) **string) func(*In) (*Out, error) {
	return func(in *In) (*Out, error) {
		given := aws.ToString(*token(in))
		if given == "" {
			return run(in)
		}
		key := reflect.TypeFor[In]().Name() + given
		if before, ok := n.tokens[key]; ok {
			if out, same := before.out.(*Out); same && reflect.DeepEqual(before.in, in) {
				return out, nil
			}
			return nil, wire.Errorf("IdempotentParameterMismatch", "The client token '%s' was used with other parameters.", given)
		}
		out, err := run(in)
		if err == nil {
			n.tokens[key] = done{in, out}
		}
		return out, err
	}
}
