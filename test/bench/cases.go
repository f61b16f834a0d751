package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"time"

	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

func intPort(n int) intstr.IntOrString { return intstr.FromInt(n) }

// shape is a set of members.
type shape struct {
	members, paths, pods int
	// front is "group", "groups" (of perGroup members each), "own" or "gateway".
	front string
}

// perGroup is how many Ingresses share a load balancer where there are more than one group can hold.
const perGroup = 20

func (h shape) targets() int { return h.members * h.paths * h.pods }

// addresses are the objects that will show one, or be accepted.
func (h shape) addresses() int {
	if h.front == "gateway" {
		return h.members + 1
	}
	return h.members
}

func (h shape) objects(namespace string) []client.Object {
	var out []client.Object
	if h.front == "gateway" {
		out = append(out, gateway(namespace))
	}
	for i := range h.members {
		switch h.front {
		case "gateway":
			out = append(out, route(namespace, i, h.paths))
		case "group":
			out = append(out, ingress(namespace, namespace, i, h.paths))
		case "groups":
			out = append(out, ingress(namespace, namespace+"-"+strconv.Itoa(i/perGroup), i, h.paths))
		default:
			out = append(out, ingress(namespace, "", i, h.paths))
		}
	}
	return out
}

// play is a shape on a stage.
type play struct {
	*stage

	shape shape
	began time.Time
}

// begin makes the Services, lets the operator see them, and starts the clock with the members.
func (t *theatre) begin(ctx context.Context, through profile, h shape) (*play, error) {
	s, err := t.set(ctx, through)
	if err != nil {
		return nil, err
	}
	p := &play{stage: s, shape: h}
	if err := p.prepare(ctx); err != nil {
		return nil, errors.Join(err, s.strike(context.WithoutCancel(ctx)))
	}
	return p, nil
}

func (p *play) prepare(ctx context.Context) error {
	for _, b := range backends(p.shape) {
		if err := p.create(ctx, b.objects(p.name)...); err != nil {
			return err
		}
	}
	if _, _, err := p.settle(ctx, p.started); err != nil {
		return err
	}
	p.began = time.Now()
	return p.create(ctx, p.shape.objects(p.name)...)
}

// built waits until everything serves.
func (p *play) built(ctx context.Context) (address, targets time.Duration, calls []made, err error) {
	type moment struct {
		at  time.Time
		err error
	}
	shown := make(chan moment, 1)
	go func() {
		at, err := p.addressed(ctx, p.shape.addresses())
		shown <- moment{at, err}
	}()
	all, err := p.until(ctx, p.began, func(calls []made) bool { return len(registered(calls)) >= p.shape.targets() })
	m := <-shown
	if err := errors.Join(err, m.err); err != nil {
		return 0, 0, nil, err
	}
	calls, _, err = p.settle(ctx, p.began)
	return m.at.Sub(p.began), all.Sub(p.began), calls, err
}

func (p *play) build(ctx context.Context, row measured) (measured, error) {
	address, targets, calls, err := p.built(ctx)
	if err != nil {
		return row, err
	}
	return row.of(address, targets, calls), nil
}

// crowd is build, with when the first Ingress serves.
func (p *play) crowd(ctx context.Context, row measured) (measured, error) {
	address, targets, calls, err := p.built(ctx)
	if err != nil {
		return row, err
	}
	first, err := serving(calls)
	if err != nil {
		return row, err
	}
	const percent = 100
	_, _, refused := count(calls)
	row = row.of(address, targets, calls)
	row.here += "; " + seconds(first.Sub(p.began))
	row.got = append(row.got, percent*float64(refused)/float64(len(calls)), first.Sub(p.began).Seconds())
	return row, nil
}

// of is a row of what was built.
func (row measured) of(address, targets time.Duration, calls []made) measured {
	reads, writes, refused := count(calls)
	row.here = fmt.Sprintf("%s / %s; %d + %d", seconds(address), seconds(targets), reads, writes)
	row.got = []float64{address.Seconds(), targets.Seconds(), float64(reads), float64(writes)}
	if refused > 0 {
		row.here += fmt.Sprintf("; %d refused", refused)
	}
	return row
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.2f s", d.Seconds()) }

// edit gives the first member one more path, to a Service that it has.
func (p *play) edit(ctx context.Context, row measured) (measured, error) {
	began := time.Now()
	if err := p.addPath(ctx, 0); err != nil {
		return row, err
	}
	seen, err := p.until(ctx, began, done("CreateRule"))
	if err != nil {
		return row, err
	}
	calls, last, err := p.settle(ctx, began)
	if err != nil {
		return row, err
	}
	each, err := p.cpuOfEdits(ctx)
	reads, writes, _ := count(calls)
	row.here = fmt.Sprintf("%s / %s; %d + %d; %d ms", seconds(seen.Sub(began)), seconds(last.Sub(began)), reads, writes, each.Milliseconds())
	row.got = []float64{seen.Sub(began).Seconds(), last.Sub(began).Seconds(), float64(reads), float64(writes), float64(each.Milliseconds())}
	return row, err
}

// cpuOfEdits is the time of a processor that one of several edits takes, without what the operator takes meanwhile for nothing. They leave the
// first member as it is.
func (p *play) cpuOfEdits(ctx context.Context) (time.Duration, error) {
	const edits, idling = 20, 5 * time.Second
	spent := func(do func() error) (busy, took time.Duration, err error) {
		before, err := p.cpu()
		if err != nil {
			return 0, 0, err
		}
		began := time.Now()
		if err := do(); err != nil {
			return 0, 0, err
		}
		after, err := p.cpu()
		return after - before, time.Since(began), err
	}
	idle, rest, err := spent(func() error { time.Sleep(idling); return nil })
	if err != nil {
		return 0, err
	}
	busy, window, err := spent(func() error {
		for n := range edits {
			if err := p.editBack(ctx, n%2 == 1); err != nil {
				return err
			}
		}
		return nil
	})
	return (busy - time.Duration(float64(idle)*window.Seconds()/rest.Seconds())) / edits, err
}

// editBack gives the first member another path, or takes it back, and waits until that is done.
func (p *play) editBack(ctx context.Context, back bool) error {
	began, call := time.Now(), "CreateRule"
	err := p.change(ctx, 0, func(paths []networkingv1.HTTPIngressPath) []networkingv1.HTTPIngressPath {
		if back {
			call = "DeleteRule"
			return paths[:len(paths)-1]
		}
		return append(paths, ingressPath("/another", serviceName(0, 0)))
	})
	if err == nil {
		_, err = p.until(ctx, began, done(call))
	}
	return err
}

func (p *play) addPath(ctx context.Context, member int) error {
	return p.change(ctx, member, func(paths []networkingv1.HTTPIngressPath) []networkingv1.HTTPIngressPath {
		return append(paths, ingressPath("/more", serviceName(member, 0)))
	})
}

// change edits the paths of a member.
func (p *play) change(ctx context.Context, member int, how func([]networkingv1.HTTPIngressPath) []networkingv1.HTTPIngressPath) error {
	in := &networkingv1.Ingress{}
	if err := p.client.Get(ctx, client.ObjectKey{Namespace: p.name, Name: memberName(member)}, in); err != nil {
		return fmt.Errorf("reading a member: %w", err)
	}
	in.Spec.Rules[0].HTTP.Paths = how(in.Spec.Rules[0].HTTP.Paths)
	if err := p.client.Update(ctx, in); err != nil {
		return fmt.Errorf("editing a member: %w", err)
	}
	return nil
}

// again restarts the operator with nothing to do.
func (p *play) again(ctx context.Context, row measured) (measured, error) {
	began := time.Now()
	if err := p.restart(ctx); err != nil {
		return row, err
	}
	calls, _, err := p.settle(ctx, began)
	if err != nil {
		return row, err
	}
	reads, writes, _ := count(calls)
	last := lastCall(began, calls).Sub(began)
	row.here = fmt.Sprintf("%d + %d; %s", reads, writes, seconds(last))
	row.got = []float64{float64(reads), float64(writes), last.Seconds()}
	return row, nil
}

func lastCall(began time.Time, calls []made) time.Time {
	last := began
	for _, m := range calls {
		if m.ended.After(last) {
			last = m.ended
		}
	}
	return last
}

// meanwhile restarts the operator and edits a member while it starts.
func (p *play) meanwhile(ctx context.Context, row measured) (measured, error) {
	began := time.Now()
	if err := p.restart(ctx); err != nil {
		return row, err
	}
	if err := p.addPath(ctx, 0); err != nil {
		return row, err
	}
	landed, err := p.until(ctx, began, done("CreateRule"))
	row.here, row.got = seconds(landed.Sub(began)), []float64{landed.Sub(began).Seconds()}
	return row, err
}

// broken breaks one member and edits another.
func (p *play) broken(ctx context.Context, row measured) (measured, error) {
	bad := &networkingv1.Ingress{}
	if err := p.client.Get(ctx, client.ObjectKey{Namespace: p.name, Name: memberName(1)}, bad); err != nil {
		return row, fmt.Errorf("reading a member: %w", err)
	}
	bad.Annotations["alb.ingress.kubernetes.io/healthcheck-interval-seconds"] = "soon"
	began := time.Now()
	if err := p.client.Update(ctx, bad); err != nil {
		return row, fmt.Errorf("breaking a member: %w", err)
	}
	if err := p.addPath(ctx, 0); err != nil {
		return row, err
	}
	at, err := p.until(ctx, began, done("CreateRule"))
	row.here, row.got = seconds(at.Sub(began)), []float64{at.Sub(began).Seconds()}
	return row, err
}

// end deletes all members and Services.
func (p *play) end(ctx context.Context, row measured) (measured, error) {
	began := time.Now()
	for _, o := range p.shape.objects(p.name) {
		if err := p.client.Delete(ctx, o); err != nil {
			return row, fmt.Errorf("deleting members: %w", err)
		}
	}
	for {
		left, err := p.remaining(ctx)
		if err != nil || time.Since(began) > patience {
			return row, errors.Join(err, errLate)
		}
		if left == 0 {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	gone := time.Since(began)
	calls, _, err := p.settle(ctx, began)
	reads, writes, _ := count(calls)
	row.here, row.got = fmt.Sprintf("%s; %d + %d", seconds(gone), reads, writes), []float64{gone.Seconds(), float64(reads), float64(writes)}
	return row, err
}

// weigh tells the operator's memory.
func (p *play) weigh(_ context.Context, row measured) (measured, error) {
	now, peak, err := p.memory()
	row.here, row.got = fmt.Sprintf("%.0f MiB (peak %.0f)", now, peak), []float64{math.Round(now)}
	return row, err
}

// weighAgain tells the operator's memory after a restart: what it holds when it has nothing to do, and the most that its start took.
func (p *play) weighAgain(ctx context.Context, row measured) (measured, error) {
	began := time.Now()
	if err := p.restart(ctx); err != nil {
		return row, err
	}
	if _, _, err := p.settle(ctx, began); err != nil {
		return row, err
	}
	now, peak, err := p.memory()
	row.here, row.got = fmt.Sprintf("%.0f MiB (peak %.0f, %.2f ×)", now, peak, peak/now), []float64{math.Round(now), peak / now}
	return row, err
}

// operate measures the operator.
func operate(ctx context.Context, root string, s settings, out io.Writer) ([]measured, error) {
	var wanted []scene
	for _, sc := range scenes() {
		if slices.ContainsFunc(sc.steps, func(st step) bool { return s.only.MatchString(st.row.name) }) {
			wanted = append(wanted, sc)
		}
	}
	if len(wanted) == 0 {
		return nil, nil
	}
	t, err := open(ctx, root, s, out)
	if err != nil {
		return nil, err
	}
	var rows []measured
	for _, sc := range wanted {
		fmt.Fprintf(out, "%d members (%s), %s\n", sc.shape.members, sc.shape.front, sc.profile.name)
		got, err := t.perform(ctx, sc)
		rows = append(rows, got...)
		if err != nil {
			return rows, errors.Join(err, t.close(context.WithoutCancel(ctx)))
		}
	}
	return rows, t.close(context.WithoutCancel(ctx))
}

func (t *theatre) perform(ctx context.Context, sc scene) ([]measured, error) {
	p, err := t.begin(ctx, sc.profile, sc.shape)
	if err != nil {
		return nil, err
	}
	var rows []measured
	for _, st := range sc.steps {
		row, err := st.act(p, ctx, st.row)
		if err != nil {
			return rows, errors.Join(fmt.Errorf("%s: %w", st.row.name, err), p.strike(context.WithoutCancel(ctx)))
		}
		rows = append(rows, row)
	}
	return rows, p.strike(context.WithoutCancel(ctx))
}
