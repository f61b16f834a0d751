package inventory

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"
)

func noon() time.Time { return time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC) }

// ever is so long ago that nothing is too old.
func ever() time.Time { return time.Time{} }

func reads(values ...int) (func(context.Context) (int, error), *int) {
	n := 0
	return func(context.Context) (int, error) {
		n++
		return values[min(n, len(values))-1], nil
	}, &n
}

func TestKeptReadsOnce(t *testing.T) {
	var k kept[int]
	read, n := reads(1, 2)
	for range 3 {
		if got, err := k.get(t.Context(), ever(), noon(), read); got != 1 || err != nil {
			t.Fatalf("got %d, %v; want what was read first", got, err)
		}
	}
	if *n != 1 {
		t.Errorf("read %d times, want once", *n)
	}
	later := noon().Add(time.Hour)
	if got, _ := k.get(t.Context(), later, later, read); got != 2 {
		t.Errorf("got %d, want it read again when it is too old", got)
	}
}

func TestKeptKnowsOurOwnWrites(t *testing.T) {
	tests := []struct {
		name string
		// during happens while the first read is under way.
		during func(k *kept[int])
		want   int
		reads  int
		why    string
	}{
		{"nothing", func(*kept[int]) {}, 1, 1, "what was read"},
		{"change", func(k *kept[int]) { k.change(func(v int) int { return v + 10 }) }, 11, 1,
			"the read may have seen the state before the write"},
		{"drop", func(k *kept[int]) { k.drop() }, 2, 2, "what was read may be older than the write that dropped it"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var k kept[int]
			read, n := reads(1, 2)
			got, err := k.get(t.Context(), ever(), noon(), func(ctx context.Context) (int, error) {
				if *n == 0 {
					defer tt.during(&k)
				}
				return read(ctx)
			})
			if got != tt.want || err != nil || *n != tt.reads {
				t.Errorf("got %d (%v) after %d reads, want %d after %d: %s", got, err, *n, tt.want, tt.reads, tt.why)
			}
			if again, _ := k.get(t.Context(), ever(), noon(), read); again != tt.want {
				t.Errorf("kept %d, want %d", again, tt.want)
			}
		})
	}
}

func TestKeptIsReadByOne(t *testing.T) {
	var k kept[int]
	begun, proceed := make(chan struct{}), make(chan struct{})
	results := make(chan int, 2)
	read := func(ctx context.Context) (int, error) {
		close(begun) // a second read would panic
		<-proceed
		return 7, ctx.Err()
	}
	for range 2 {
		go func() {
			v, err := k.get(context.Background(), ever(), noon(), read)
			if err != nil {
				v = -1
			}
			results <- v
		}()
	}
	<-begun
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := k.get(ctx, ever(), noon(), read); !errors.Is(err, context.Canceled) {
		t.Errorf("a waiter whose context ended got %v", err)
	}
	close(proceed)
	for range 2 {
		if v := <-results; v != 7 {
			t.Errorf("got %d, want 7", v)
		}
	}
}

func TestKeptFailsWithoutRemembering(t *testing.T) {
	var k kept[int]
	broken := errors.New("no")
	if _, err := k.get(t.Context(), ever(), noon(), func(context.Context) (int, error) { return 0, broken }); !errors.Is(err, broken) {
		t.Fatalf("got %v, want the read's error", err)
	}
	if got, err := k.get(t.Context(), ever(), noon(), func(context.Context) (int, error) { return 3, nil }); got != 3 || err != nil {
		t.Errorf("got %d, %v; want a new read", got, err)
	}
}

func TestARNsOfParts(t *testing.T) {
	const (
		lb       = "arn:aws:elasticloadbalancing:us-west-2:1:loadbalancer/app/a/0123456789abcdef"
		listener = "arn:aws:elasticloadbalancing:us-west-2:1:listener/app/a/0123456789abcdef/11"
		rule     = "arn:aws:elasticloadbalancing:us-west-2:1:listener-rule/app/a/0123456789abcdef/11/22"
		other    = "arn:aws:elasticloadbalancing:us-west-2:1:listener/app/a/0123456789abcdef0/11"
	)
	if got := listenerOf(rule); got != listener {
		t.Errorf("listener of the rule is %s", got)
	}
	if got := balancerOf(listener); got != lb {
		t.Errorf("load balancer of the listener is %s", got)
	}
	below := partOf(lb)
	if got := []bool{below(listener), below(rule), below(other), below(lb)}; !slices.Equal(got, []bool{true, true, false, false}) {
		t.Errorf("parts are %v", got)
	}
}
