package main

import (
	"bytes"
	"context"
	"errors"
	"net"
	"strings"
	"syscall"
	"testing"

	"github.com/headgate/headgate/sandbox"
)

func TestEverySignalToEndEnds(t *testing.T) {
	for _, signal := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP} {
		ctx, stop := untilSignal(t.Context())
		if err := syscall.Kill(syscall.Getpid(), signal); err != nil {
			t.Fatal(err)
		}
		<-ctx.Done()
		stop()
	}
}

func TestAStartThatIsInterruptedIsNoFailure(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out bytes.Buffer
	err := runSandbox(ctx, sandbox.Options{Speed: 1, PortOffset: 8000}, &out)
	var coded exitError
	if !errors.As(err, &coded) || coded.ExitCode() != exitStopped || err.Error() != "stopped" {
		t.Errorf("an interrupted start ends with %v", err)
	}
}

func TestNumbersThatCannotBe(t *testing.T) {
	for _, row := range []struct {
		args []string
		want string
	}{
		{[]string{"sandbox", "--port-offset", "-5"}, "--port-offset is -5: use a number from 0"},
		{[]string{"sandbox", "--port-offset", "65500"}, "--port-offset is 65500"},
		{[]string{"sandbox", "--speed", "0"}, "--speed is 0: use more than 0"},
		{[]string{"demo", "--port-offset", "-5"}, "--port-offset is -5"},
		{[]string{"sim", "--listen", "127.0.0.1:0", "--speed", "-1"}, "--speed is -1"},
		{[]string{"sim", "--listen", "127.0.0.1:0", "--port-offset", "-1"}, "--port-offset is -1"},
	} {
		root := newRootCommand()
		root.SetArgs(row.args)
		root.SetOut(&bytes.Buffer{})
		if err := root.ExecuteContext(t.Context()); err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("headgate %v: %v, want %q", row.args, err, row.want)
		}
	}
}

func TestAnAddressInUseComesWithAWayOut(t *testing.T) {
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	command := newSimCommand()
	command.SetOut(&bytes.Buffer{})
	command.SetArgs([]string{"--listen", listener.Addr().String()})
	if err := command.ExecuteContext(t.Context()); err == nil || !strings.Contains(err.Error(), "--listen 127.0.0.1:0 takes any free port") {
		t.Errorf("sim ends with %v", err)
	}
}

func TestPortsOfADataPlaneAreTriedBefore(t *testing.T) {
	for _, row := range []struct {
		why  string
		err  error
		want string
	}{
		{"all is well", nil, ""},
		{"closed ports", sandbox.ErrLowPorts, "Warning: ports below 1024 are closed to this user"},
		{"no addresses", sandbox.ErrNoLoopback, "Warning: this machine has only 127.0.0.1"},
	} {
		if got := portWarning(row.err); got != row.want && (row.want == "" || !strings.Contains(got, row.want)) {
			t.Errorf("%s: %q, want %q", row.why, got, row.want)
		}
	}
}
