package examples_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// ofMove is the directory of the Ingress that becomes a Gateway.
const ofMove = "move"

// move takes the Ingress of examples/move to a Gateway and back under continuous load, with the operator killed on the way.
func (s *stage) move(t *testing.T) {
	t.Helper()
	must0(t, s.put(t.Context(), example{dir: ofMove, task: "10-ingress"}))
	var v visitor
	served := []want{{url: plain + "/", status: 200, app: "shop"}, {url: plain + "/next/x", status: 200, app: "next"}}
	must0(t, until(t.Context(), func(ctx context.Context) (err error) {
		if v, err = s.visit(ctx, ofMove, "shop"); err != nil {
			return err
		}
		return v.expect(ctx, served...)
	}))
	arn := v.arns(t)
	load := v.ask(t.Context(), served)
	must0(t, s.put(t.Context(), example{dir: ofMove, task: "20-gateway"}))
	s.annotate(t, "ingress", "headgate.dev/release-to=gateway/move/shop")
	must0(t, errors.Join(s.KillOperator(), s.RestartOperator(t.Context())))
	must0(t, until(t.Context(), func(ctx context.Context) error { return v.same(s.visitGateway(ctx, ofMove, "shop")) }))
	must0(t, v.same(s.visit(t.Context(), ofMove, "shop")))
	must0(t, s.kubectl(t.Context(), nil, "delete", "ingress", "shop", "-n", ofMove, "--timeout=60s"))

	must0(t, s.returns(t.Context()))
	s.annotate(t, "gateway", "headgate.dev/adopt-", "headgate.dev/release-to=ingress/move/shop")
	must0(t, errors.Join(s.KillOperator(), s.RestartOperator(t.Context())))
	must0(t, until(t.Context(), func(ctx context.Context) error { return v.same(s.visit(ctx, ofMove, "shop")) }))
	must0(t, s.kubectl(t.Context(), nil, "delete", "gateway", "shop", "-n", ofMove, "--timeout=60s"))
	sent, failed := load()
	t.Logf("%d requests, failed: %v", sent, failed)
	if len(failed) > 0 || sent < 100 {
		t.Errorf("invariant 4: of %d requests failed %d: %v", sent, len(failed), failed)
	}
	if now := v.arns(t); now != arn {
		t.Errorf("invariant 7: the load balancer was %s and is %s", arn, now)
	}
}

// must0 is [must] for calls that give nothing.
func must0(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// returns applies the Ingress again, as one that takes the load balancer of the Gateway.
func (s *stage) returns(ctx context.Context) error {
	manifest, err := example{dir: ofMove, task: "10-ingress"}.read()
	if err != nil {
		return err
	}
	const before = "\n  annotations:\n"
	text := strings.Replace(string(manifest), before, before+"    headgate.dev/adopt: gateway/move/shop\n", 1)
	return s.kubectl(ctx, []byte(text), "apply", "-f", "-")
}

func (s *stage) annotate(t *testing.T, kind string, notes ...string) {
	t.Helper()
	must0(t, s.kubectl(t.Context(), nil, append([]string{"annotate", kind, "shop", "-n", ofMove}, notes...)...))
}

var errElsewhere = errors.New("it has another address")

// same tells whether another visitor is one of the same load balancer.
func (v visitor) same(other visitor, err error) error {
	if err == nil && !strings.EqualFold(v.balancer, other.balancer) {
		err = fmt.Errorf("%s, not %s: %w", other.balancer, v.balancer, errElsewhere)
	}
	return err
}

// arns are the ARNs of all load balancers of the move, by which it is seen that none was made.
func (v visitor) arns(t *testing.T) string {
	t.Helper()
	lb, err := v.described(t.Context())
	must0(t, err)
	var others int
	for _, one := range v.stage.Simulator().LoadBalancers() {
		if strings.HasPrefix(one.Name, "k8s-move-") {
			others++
		}
	}
	return fmt.Sprintf("%s, 1 of %d", aws.ToString(lb.LoadBalancerArn), others)
}

// ask sends requests all the while, and gives in the end how many they were, and what went wrong.
func (v visitor) ask(ctx context.Context, all []want) func() (sent int, failed []string) {
	ctx, cancel := context.WithCancel(ctx)
	var mu sync.Mutex
	var askers sync.WaitGroup
	sent, failed := 0, []string(nil)
	for _, w := range all {
		askers.Go(func() {
			for ctx.Err() == nil {
				err := v.expect(context.WithoutCancel(ctx), w)
				mu.Lock()
				if sent++; err != nil {
					failed = append(failed, err.Error())
				}
				mu.Unlock()
			}
		})
	}
	return func() (int, []string) {
		cancel()
		askers.Wait()
		return sent, failed
	}
}
