package traffic

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
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
	// names of bindings.
	names map[model.ARN]string
}

func newLane(o *operator) *lane {
	return &lane{operator: o, known: map[model.ARN][]model.Target{}, names: map[model.ARN]string{}}
}

func (l *lane) level(ctx context.Context) error {
	var bindings elbv2v1beta1.TargetGroupBindingList
	if err := l.operator.api.List(ctx, &bindings); err != nil {
		return fmt.Errorf("listing bindings: %w", err)
	}
	bound := map[model.ARN]bool{}
	for i := range bindings.Items {
		bound[model.ARN(bindings.Items[i].Spec.TargetGroupARN)] = true
		if err := l.follow(ctx, &bindings.Items[i]); err != nil && !fault.Is(err, fault.NotFound) {
			return err // of a group that is gone the binding is not yet
		}
	}
	for arn, targets := range l.known {
		if bound[arn] {
			continue
		}
		if err := l.operator.stage.cloud.Deregister(ctx, arn, targets); err != nil && !fault.Is(err, fault.NotFound) {
			return fmt.Errorf("deregistering: %w", err)
		}
		delete(l.known, arn)
		l.operator.loop.Board().Drop(arn)
		l.operator.cluster.Drop(l.names[arn])
	}
	if err := l.operator.cluster.Sync(ctx); err != nil && len(l.operator.stage.nodes) > 0 {
		return fmt.Errorf("having pods admit load balancers: %w", err)
	}
	return nil
}

// follow brings the targets of one group in line with its binding.
func (l *lane) follow(ctx context.Context, b *elbv2v1beta1.TargetGroupBinding) error {
	cloud, board, arn := l.operator.stage.cloud, l.operator.loop.Board(), model.ARN(b.Spec.TargetGroupARN)
	targets, addresses := l.operator.stage.targets(b)
	l.names[arn] = b.Namespace + "/" + b.Name
	l.operator.cluster.Set(l.names[arn], stack.Network{Addresses: addresses, Permissions: admissions(b)})
	if _, known := l.known[arn]; !known {
		if err := cloud.Register(ctx, arn, targets); err != nil {
			return fmt.Errorf("registering: %w", err)
		}
		l.known[arn] = targets
	}
	board.Want(arn, len(targets))
	health, err := cloud.Health(ctx, arn)
	if err != nil {
		return fmt.Errorf("looking: %w", err)
	}
	if err := board.Health(ctx, arn, health); err != nil {
		return fmt.Errorf("showing: %w", err)
	}
	return nil
}

// targets of a binding, with the addresses of the VPC that they have: the pods of its Service, or all nodes.
func (s *stage) targets(b *elbv2v1beta1.TargetGroupBinding) (targets []model.Target, addresses []string) {
	service := b.Spec.ServiceRef
	if b.Spec.TargetType != nil && *b.Spec.TargetType == elbv2v1beta1.TargetTypeInstance {
		for _, id := range slices.Sorted(maps.Keys(s.nodes)) {
			targets = append(targets, model.Target{ID: id, Port: nodePort(service.Name, service.Port.IntValue())})
			addresses = append(addresses, s.nodes[id])
		}
		return targets, addresses
	}
	for _, p := range s.pods[service.Name] {
		targets, addresses = append(targets, model.Target{ID: p.address, Port: podPort}), append(addresses, p.address)
	}
	return targets, addresses
}

// admissions are the ports that a binding asks pods to open to security groups.
func admissions(b *elbv2v1beta1.TargetGroupBinding) []model.Permission {
	if b.Spec.Networking == nil {
		return nil
	}
	var out []model.Permission
	for _, rule := range b.Spec.Networking.Ingress {
		for _, peer := range rule.From {
			for _, p := range rule.Ports {
				one := model.Permission{Protocol: "tcp", FromPort: 0, ToPort: 65535, Description: model.PermissionMark}
				if p.Port != nil {
					one.FromPort, one.ToPort = p.Port.IntValue(), p.Port.IntValue()
				}
				one.Source = model.GroupRef{ID: peer.SecurityGroup.GroupID}
				out = append(out, one)
			}
		}
	}
	return out
}

// newLaneOperator is an operator that registers targets and waits for their health. Its clock stands still until all that it changed has
// reached the data plane: a busy machine may take longer for that than any time that a test can wait.
func (s *stage) newLaneOperator() *operator {
	s.t.Helper()
	o := s.newOperator()
	o.linger = 30 * time.Second
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
		if err != nil && ctx.Err() == nil && !o.forgives() {
			t.Fatalf("%v\nafter the plans\n%s", err, o.stage.plans)
		}
		if err == nil && idle {
			break
		}
	}
	o.stage.connect()
	o.restart()
	o.grace = inFlight
	if ctx.Err() == nil {
		return 0
	}
	return 1
}

// briefly lets requests that are under way end in five seconds, after which a target group may go.
const briefly = "target-group-attributes: deregistration_delay.timeout_seconds=5"

// moving is an Ingress by chance whose target groups are others each time: of other Services and ports, or of another protocol.
func moving(r *rand.Rand) string {
	settings := []string{
		"backend-protocol: " + pick(r, "HTTP", "HTTP", "HTTPS"),
		briefly, "healthcheck-path: " + pick(r, "/", "/well"), "healthcheck-interval-seconds: " + pick(r, "5", "10"), "healthcheck-timeout-seconds: 2",
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

// unmissed excuses 503 of a load balancer in place of its own 404, of a request that a pod shall answer: "a default 404 is nobody" whose
// requests a new target group would have to wait for (docs/design/planning.md, "Who waits").
func unmissed(a ask, answer string, old, now map[ask]string) string {
	pod, _, answered := strings.Cut(now[a], ": ")
	if old[a] == nobodyHome && answer == noTargets && answered && !strings.Contains(pod, " ") {
		return "first rule for what nobody answered"
	}
	return ""
}

// What load balancers answer themselves where no rule matches, and where no target may be sent anything.
const (
	nobodyHome = "404 text/plain; charset=utf-8"
	noTargets  = "503 text/html"
)

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
			sent, cuts, excuses := 0, 0, tally{}
			for n := range pairs / stages {
				text := moving(r)
				got := s.watched(func() {
					if n%2 == 1 {
						cuts += o.cut(text, time.Duration(r.IntN(int(3*longestRun))))
					}
					o.apply(text)
				}, watch{asks: all(), pause: pace, excused: unmissed})
				sent += got.sent
				excuses.add(got.excuses)
				if len(got.wrong) > 0 {
					t.Fatalf("pair %d of -seed %d: %q\n%s\nby the plan\n%s", n, seed, got.wrong, text, s.plans)
				}
			}
			t.Logf("%d requests during %d changes, %d of which were cut; excused: %s", sent, pairs/stages, cuts, excuses)
			if sent < pairs/stages {
				t.Errorf("only %d requests were sent during %d changes", sent, pairs/stages)
			}
		})
	}
}

// pace is between two requests of a client: changes of backends take a while, most of it waiting.
const pace = 2 * time.Millisecond
