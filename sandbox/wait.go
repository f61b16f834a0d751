package sandbox

import (
	"context"
	"fmt"
	"net"
	"time"
)

// look is how long [Until] rests between two checks.
const look = 50 * time.Millisecond

// Until calls check until it says nil, or the context is over: then its last error comes back.
func Until(ctx context.Context, check func(context.Context) error) error {
	var last error
	for {
		err := check(ctx)
		if err == nil {
			return nil
		}
		if ctx.Err() == nil || last == nil {
			last = err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("it did not happen in time: %w", last)
		case <-time.After(look):
		}
	}
}

// FreeAddress is a loopback address that nobody listens on.
func FreeAddress(ctx context.Context) (string, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("looking for a free port: %w", err)
	}
	address := listener.Addr().String()
	if err := listener.Close(); err != nil {
		return "", fmt.Errorf("giving the port back: %w", err)
	}
	return address, nil
}
