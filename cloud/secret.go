package cloud

import (
	"context"
	"errors"
	"fmt"

	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/fault"
)

// Secrets reads the data of a Secret that a plan refers to. What is secret travels this way alone: it is in no intent, stack, plan or
// state. A Secret that is not there is an error of the class NotFound.
type Secrets func(ctx context.Context, ref model.SecretRef) (map[string][]byte, error)

var errNoSecrets = errors.New("this client reads no Secrets")

// secret is the data of a Secret.
func (c *Client) secret(ctx context.Context, ref model.SecretRef) (map[string][]byte, error) {
	if c.secrets == nil {
		return nil, &fault.Error{Class: fault.Invalid, Action: "reading Secret " + ref.String(), Err: errNoSecrets}
	}
	data, err := c.secrets(ctx, ref)
	if err != nil {
		return nil, fmt.Errorf("reading Secret %s: %w", ref, err)
	}
	return data, nil
}
