package main

import (
	"context"
	"errors"
	"fmt"
	"os/signal"
	"syscall"

	"github.com/headgate/headgate/sandbox"
)

// exitStopped is the exit code of a program that was told to end before it was done, as shells have it.
const exitStopped = 130

// errStopped is the end of what a signal ended before it was done.
var errStopped = exitError{code: exitStopped, text: "stopped"}

// untilSignal is a context that ends with the first signal to end: Ctrl-C, a service manager's, or a terminal that closes.
func untilSignal(ctx context.Context) (context.Context, context.CancelFunc) {
	return signal.NotifyContext(ctx, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
}

// stopped is err, or errStopped where the context's end is what made it fail.
func stopped(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return errStopped
	}
	return err
}

// largestOffset leaves the listeners on 443 and below a port.
const largestOffset = 65000

// checkNumbers refuses flags that would be taken for something else further down.
func checkNumbers(portOffset int, speed float64) error {
	if portOffset < 0 || portOffset > largestOffset {
		return fmt.Errorf("--port-offset is %d: use a number from 0 to %d", portOffset, largestOffset)
	}
	if speed <= 0 {
		return fmt.Errorf("--speed is %v: use more than 0", speed)
	}
	return nil
}

// startSandbox brings a sandbox up. Options that cannot be are refused before anything starts.
func startSandbox(ctx context.Context, options sandbox.Options) (*sandbox.Sandbox, error) {
	if err := checkNumbers(options.PortOffset, options.Speed); err != nil {
		return nil, err
	}
	s, err := sandbox.Start(ctx, options)
	switch {
	case errors.Is(err, sandbox.ErrLowPorts):
		return nil, fmt.Errorf("%w\nFor example: --port-offset 8000", err)
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("starting the sandbox: %w%s", err, portHint("--aws-listen"))
	case err != nil:
		return nil, stopped(ctx, fmt.Errorf("starting the sandbox: %w", err))
	}
	return s, nil
}

// portHint says how not to need a certain port.
func portHint(flag string) string {
	return fmt.Sprintf("\n%s 127.0.0.1:0 takes any free port, and so does --dns 127.0.0.1:0", flag)
}
