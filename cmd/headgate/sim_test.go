package main

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// lines is a writer that a test can read while it is written to.
type lines struct {
	mu  sync.Mutex
	all bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all.String()
}

func TestSimCommand(t *testing.T) {
	t.Parallel()
	ctx, stop := context.WithCancel(t.Context())
	command := newSimCommand()
	var out lines
	command.SetOut(&out)
	command.SetArgs([]string{"--listen", "127.0.0.1:0", "--dns", "127.0.0.1:0", "--data-plane", "--speed", "100"})
	done := make(chan error, 1)
	go func() { done <- command.ExecuteContext(ctx) }()
	address := regexp.MustCompile(`AWS_ENDPOINT_URL=(\S+)`)
	var url string
	for range 500 {
		if m := address.FindStringSubmatch(out.String()); m != nil {
			url = m[1]
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if url == "" {
		t.Fatalf("no endpoint in %q", out.String())
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/_sim/world", nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(response.Body)
	if err != nil || response.Body.Close() != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(body), "vpc-") {
		t.Errorf("world is %s", body)
	}
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestReferenceListsSimFlags(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/reference/simulator.md")
	if err != nil {
		t.Fatal(err)
	}
	all := regexp.MustCompile(`--[a-z-]+`).FindAllString(newSimCommand().Flags().FlagUsages(), -1)
	for _, flag := range all {
		if !regexp.MustCompile("`" + flag + "[` ]").Match(page) {
			t.Errorf("the reference does not name %s", flag)
		}
	}
	if len(all) < 20 {
		t.Errorf("only %d flags were found", len(all))
	}
}
