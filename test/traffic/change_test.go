package traffic

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/headgate/headgate/cloud/sim"
	"github.com/headgate/headgate/controllers/preview"
)

// stages is how many load balancers share the pairs, askers how many clients send requests while a plan is applied.
const (
	stages = 2
	askers = 3
)

// delayed is a data plane that learns of rules some time after the call, as AWS's does, from calls that take their time: ten and four
// milliseconds of the test.
func delayed() sim.Options {
	return sim.Options{
		RuleDelay: time.Second, Disturbances: sim.Disturbances{Latency: map[string]time.Duration{"write": 400 * time.Millisecond}},
	}
}

// TestChangesOfRules holds invariant 4 for changes of rules between target groups that are there: while a plan is applied, every
// answer is one that the old configuration or the new one gives, also where a plan is cut and another one takes over. What they give is
// what they answer at rest. Backends that come or go are those of TestChangesOfBackends.
func TestChangesOfRules(t *testing.T) {
	t.Parallel()
	pairs, seed := number(t, "pairs"), number(t, "seed")
	for i := range stages {
		t.Run(strconv.Itoa(i), func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(uint64(seed), uint64(i)))
			s := newStage(t, delayed())
			s.apply(configuration(r))
			s.register(owner(), nil)
			sent, cuts := 0, 0
			for n := range pairs / stages {
				text := configuration(r)
				wrong, count := s.change(func() {
					if n%2 == 1 {
						cuts += s.cut(text, time.Duration(r.IntN(int(longestRun))))
					}
					s.apply(text)
				})
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

// longestRun is about how long a change takes that nothing cuts.
const longestRun = 60 * time.Millisecond

// cut begins a change and ends it at some call, as the death of an operator does: what it knew is forgotten. It gives 1 where that came
// before the end of the change.
func (s *stage) cut(text string, after time.Duration) int {
	s.t.Helper()
	from := s.objects(text)
	ctx, cancel := context.WithTimeout(s.t.Context(), after)
	defer cancel()
	_, err := preview.Run(ctx, from, s.cloud, settings())
	s.cloud.Forget(owner())
	if err == nil {
		return 0
	}
	if ctx.Err() == nil {
		s.t.Fatal(err)
	}
	return 1
}

// TestWrongTurnsAreSeen: the property can fail. It does where all rules go before the new ones come.
func TestWrongTurnsAreSeen(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 1))
	s := newStage(t, delayed())
	s.apply(configuration(r))
	s.register(owner(), nil)
	seen := 0
	for range 5 {
		text := configuration(r)
		wrong, _ := s.change(func() {
			s.apply(web(nil, []string{groupsInUse()}, "@gone"))
			time.Sleep(4 * ruleDelay)
			s.apply(text)
		})
		seen += len(wrong)
	}
	if seen == 0 {
		t.Error("no request was lost though there were no rules for a while: the property proves nothing")
	}
}

// ruleDelay is the delay of [delayed] in the time of the test.
const ruleDelay = time.Second / speed

func number(t *testing.T, name string) int {
	t.Helper()
	n, err := strconv.Atoi(flag.Lookup(name).Value.String())
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// change sends requests all the while something is done and until it has reached the data plane. It gives the answers that are
// neither those before nor those after, and how many requests were sent.
func (s *stage) change(do func()) (wrong []string, sent int) {
	s.t.Helper()
	seen := s.watched(do, watch{asks: all()})
	return seen.wrong, seen.sent
}

// watch is how a change is looked at: by which requests, with which pause between those of a client, and which answers are excused that
// are neither the old nor the new one. An excuse is a sentence of docs/design/planning.md; its name is counted.
type watch struct {
	asks    []ask
	pause   time.Duration
	excused func(a ask, answer string, old, now map[ask]string) (excuse string)
}

// sight is what came of a change.
type sight struct {
	sent    int
	wrong   []string
	excuses tally
}

// tally counts by name.
type tally map[string]int

func (t tally) add(more tally) {
	for name, n := range more {
		t[name] += n
	}
}

// String is the counts by name, sorted.
func (t tally) String() string {
	if len(t) == 0 {
		return "none"
	}
	var out []string
	for _, name := range slices.Sorted(maps.Keys(t)) {
		out = append(out, fmt.Sprintf("%s: %d", name, t[name]))
	}
	return strings.Join(out, ", ")
}

// watched does something while it is looked at.
func (s *stage) watched(do func(), w watch) sight {
	s.t.Helper()
	old := s.rest(w.asks)
	stop, done := make(chan struct{}), sync.WaitGroup{}
	var mu sync.Mutex
	out, got := sight{excuses: tally{}}, map[ask]map[string]int{}
	for i := range askers {
		c := s.newClient("")
		// Every second client makes a connection a request, as one does that has just learned the address.
		c.anew = i%2 == 1
		c.learn()
		done.Go(func() {
			defer s.directory.leave(c)
			for n := i; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				time.Sleep(w.pause)
				a := w.asks[n%len(w.asks)]
				c.learn()
				answer := c.ask(a)
				mu.Lock()
				out.sent++
				if got[a] == nil {
					got[a] = map[string]int{}
				}
				got[a][answer]++
				mu.Unlock()
			}
		})
	}
	do()
	time.Sleep(4 * ruleDelay)
	close(stop)
	done.Wait()
	out.judge(got, old, s.rest(w.asks), w)
	return out
}

// judge compares the answers with those before and after.
func (s *sight) judge(got map[ask]map[string]int, old, now map[ask]string, w watch) {
	for a, answers := range got {
		for answer, times := range answers {
			excuse := ""
			switch {
			case answer == old[a] || answer == now[a]:
				continue
			case w.excused != nil:
				excuse = w.excused(a, answer, old, now)
			}
			if excuse != "" {
				s.excuses[excuse] += times
				continue
			}
			s.wrong = append(s.wrong, fmt.Sprintf("%s %s: %s, neither %s nor %s", a.to, a.header, answer, old[a], now[a]))
		}
	}
	slices.Sort(s.wrong)
}

// rest is what requests are answered when all changes have arrived.
func (s *stage) rest(asks []ask) map[ask]string {
	s.t.Helper()
	s.sim.Settle(s.t.Context())
	c, out := s.newClient(""), map[ask]string{}
	c.anew = true
	for _, a := range asks {
		out[a] = c.ask(a)
	}
	return out
}

// hosts and urls are what configurations are about.
func hosts() []string { return []string{"s.example.com", "t.example.com", "*.example.com", ""} }

func urls() []string { return []string{"/", "/x", "/x/y", "/x/y/z", "/w"} }

// all are the requests of a change.
func all() []ask {
	var out []ask
	for _, h := range []string{"s.example.com", "t.example.com", "u.example.com", "example.org"} {
		for _, u := range urls() {
			out = append(out, ask{to: "GET http://" + h + u})
		}
		out = append(out, ask{to: "GET http://" + h + "/x", header: "X-Beta: yes"})
	}
	return out
}

// groupsInUse is a rule that keeps the target groups of all Services that changes are about.
func groupsInUse() string { return host("keep.example.org", "Exact /a a", "Exact /b b", "Exact /c c") }

// configuration is an Ingress by chance.
func configuration(r *rand.Rand) string {
	settings := []string{
		fmt.Sprintf(`actions.tea: {"type":"fixed-response","fixedResponseConfig":{"contentType":"text/plain","statusCode":"200","messageBody":"tea %d"}}`, r.IntN(2)),
		fmt.Sprintf(`actions.moved: {"type":"redirect","redirectConfig":{"host":"new%d.example.com","statusCode":"HTTP_302"}}`, r.IntN(2)),
	}
	if r.IntN(2) == 0 {
		settings = append(settings, `conditions.b: [{"field":"http-header","httpHeaderConfig":{"httpHeaderName":"X-Beta","values":["yes"]}}]`)
	}
	rules := []string{groupsInUse()}
	order := r.Perm(len(hosts()))
	for _, i := range order[:1+r.IntN(len(order))] {
		var paths []string
		for range 1 + r.IntN(4) {
			paths = append(paths, pick(r, "Exact", "Prefix", "ImplementationSpecific")+" "+pick(r, urls()...)+" "+pick(r, "a", "b", "c", "@tea", "@moved"))
		}
		rules = append(rules, host(hosts()[i], paths...))
	}
	return web(settings, rules, pick(r, "", "a", "c", "@tea"))
}

func pick[T any](r *rand.Rand, from ...T) T { return from[r.IntN(len(from))] }
