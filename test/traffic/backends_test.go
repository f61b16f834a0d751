package traffic

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"

	elbv2v1beta1 "github.com/headgate/headgate/apis/elbv2/v1beta1"
	"github.com/headgate/headgate/controllers/stack"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/fault"
)

// lane stands for the targets lane: it registers the pods of each binding's Service, tells the board of their health, and takes targets out
// of the groups of bindings that are gone.
type lane struct {
	operator *operator
	known    map[model.ARN][]model.Target
}

func newLane(o *operator) *lane { return &lane{operator: o, known: map[model.ARN][]model.Target{}} }

func (l *lane) level(ctx context.Context) error {
	var bindings elbv2v1beta1.TargetGroupBindingList
	if err := l.operator.api.List(ctx, &bindings); err != nil {
		return fmt.Errorf("listing bindings: %w", err)
	}
	cloud, board, bound := l.operator.stage.cloud, l.operator.loop.Board(), map[model.ARN]bool{}
	for i := range bindings.Items {
		arn := model.ARN(bindings.Items[i].Spec.TargetGroupARN)
		bound[arn] = true
		if _, known := l.known[arn]; !known {
			targets := []model.Target{}
			for _, p := range l.operator.stage.pods[bindings.Items[i].Spec.ServiceRef.Name] {
				targets = append(targets, model.Target{ID: p.address, Port: podPort})
			}
			err := cloud.Register(ctx, arn, targets)
			if fault.Is(err, fault.NotFound) {
				continue // the group is gone, its binding not yet
			}
			if err != nil {
				return fmt.Errorf("registering: %w", err)
			}
			l.known[arn] = targets
		}
		board.Want(arn, len(l.known[arn]))
		health, err := cloud.Health(ctx, arn)
		if fault.Is(err, fault.NotFound) {
			continue
		}
		if err != nil {
			return fmt.Errorf("looking: %w", err)
		}
		if err := board.Health(ctx, arn, health); err != nil {
			return fmt.Errorf("showing: %w", err)
		}
	}
	for arn, targets := range l.known {
		if bound[arn] {
			continue
		}
		if err := cloud.Deregister(ctx, arn, targets); err != nil && !fault.Is(err, fault.NotFound) {
			return fmt.Errorf("deregistering: %w", err)
		}
		delete(l.known, arn)
		board.Drop(arn)
	}
	return nil
}

// newLaneOperator is an operator that registers targets and waits for their health. Its clock stands still until all that it changed has
// reached the data plane: a busy machine may take longer for that than any time that a test can wait.
func (s *stage) newLaneOperator() *operator {
	s.t.Helper()
	o := s.newOperator()
	o.opts = stack.Options{Patience: 10000 * time.Hour, Now: func() time.Time { return o.now }}
	o.lane = newLane(o)
	o.restart()
	return o
}

// cut ends a change at some call, as the death of an operator does, and starts the operator again. It gives 1 where that came before the
// end of the change.
func (o *operator) cut(text string, after time.Duration) int {
	t := o.stage.t
	t.Helper()
	from := o.stage.objects(text)
	ctx, cancel := context.WithTimeout(t.Context(), after)
	defer cancel()
	for ctx.Err() == nil {
		idle, err := o.run(ctx, from)
		if err != nil && ctx.Err() == nil {
			t.Fatal(err)
		}
		if idle {
			break
		}
	}
	o.stage.cloud.Forget(owner())
	o.restart()
	if ctx.Err() == nil {
		return 0
	}
	return 1
}

// moving is an Ingress by chance whose target groups are others each time: of other Services and ports, or of another protocol.
func moving(r *rand.Rand) string {
	settings := []string{
		"backend-protocol: " + pick(r, "HTTP", "HTTP", "HTTPS"),
		"healthcheck-path: " + pick(r, "/", "/well"), "healthcheck-interval-seconds: " + pick(r, "5", "10"), "healthcheck-timeout-seconds: 2",
		fmt.Sprintf(`actions.tea: {"type":"fixed-response","fixedResponseConfig":{"contentType":"text/plain","statusCode":"200","messageBody":"tea %d"}}`, r.IntN(2)),
	}
	var rules []string
	order := r.Perm(len(hosts()))
	for _, i := range order[:1+r.IntN(len(order))] {
		var paths []string
		for range 1 + r.IntN(3) {
			paths = append(paths, pick(r, "Exact", "Prefix")+" "+pick(r, urls()...)+" "+pick(r, "a", "b", "c", "a:81", "b:81", "@tea"))
		}
		rules = append(rules, host(hosts()[i], paths...))
	}
	return web(settings, rules, pick(r, "", "", "a", "c:81", "@tea"))
}

// unmissed excuses 503 in place of what nobody answered before: a first rule for a host waits for nothing.
func unmissed(old, answer string) bool {
	return strings.HasPrefix(old, "404 ") && strings.HasPrefix(answer, "503 ")
}

// TestChangesOfBackends holds invariant 4 where target groups come, go and are replaced: new ones are healthy before they are used, old
// ones stay until no node uses them. Every second change is cut and taken over by an operator that was started again.
func TestChangesOfBackends(t *testing.T) {
	t.Parallel()
	pairs, seed := number(t, "pairs"), number(t, "seed")
	for i := range stages {
		t.Run(strconv.Itoa(i), func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(uint64(seed), uint64(100+i)))
			s := newStage(t, delayed())
			o := s.newLaneOperator()
			o.apply(moving(r))
			sent, cuts := 0, 0
			for n := range pairs / stages {
				text := moving(r)
				wrong, count := s.changeBut(func() {
					if n%2 == 1 {
						cuts += o.cut(text, time.Duration(r.IntN(int(3*longestRun))))
					}
					o.apply(text)
				}, pace, unmissed)
				sent += count
				if len(wrong) > 0 {
					t.Fatalf("pair %d of -seed %d: %q\n%s\nby the plan\n%s", n, seed, wrong, text, s.plans)
				}
			}
			t.Logf("%d requests during %d changes, %d of which were cut", sent, pairs/stages, cuts)
			if sent < pairs/stages {
				t.Errorf("only %d requests were sent during %d changes", sent, pairs/stages)
			}
		})
	}
}

// pace is between two requests of a client: changes of backends take a while, most of it waiting.
const pace = 2 * time.Millisecond
