package isolation

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime/debug"
	"testing"

	"github.com/go-logr/logr"
	ctrl "sigs.k8s.io/controller-runtime"
	kube "sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/headgate/headgate/cloud/sim"
)

// perWorld is how many damages one world sees, one after the other.
const perWorld = 25

func TestMain(m *testing.M) {
	flag.Int("damages", 2000, "how many members are broken")
	flag.Uint64("seed", 1, "which worlds, members and damages these are")
	flag.String("only", "", "the name of the only damage")
	flag.Parse()
	ctrl.SetLogger(logr.Discard())
	debug.SetGCPercent(800) // what is made is short-lived, and there is little of it
	os.Exit(m.Run())
}

func given[T any](name string) T {
	return flag.Lookup(name).Value.(flag.Getter).Get().(T)
}

// TestNoMemberBreaksAnother breaks one member after the other, and compares what the others have. What was broken is shown by its seed and
// world: run it again with -args -seed S -damages N.
func TestNoMemberBreaksAnother(t *testing.T) {
	t.Parallel()
	t.Logf("seed %d, %d kinds of damage", given[uint64]("seed"), len(damages()))
	for n := range given[int]("damages") / perWorld {
		t.Run(fmt.Sprint("world ", n), func(t *testing.T) {
			t.Parallel()
			play(t, uint64(n))
		})
	}
}

// play is what happens in one world.
func play(t *testing.T, n uint64) {
	t.Helper()
	r := rand.New(rand.NewPCG(given[uint64]("seed"), n))
	w := newWorld(t, r, sim.Options{})
	w.populate(4 + r.IntN(3))
	if err := w.settle(); err != nil {
		t.Fatal(err)
	}
	all := damages()
	for i := range perWorld {
		d := all[(int(n)*perWorld+i)%len(all)]
		if only := given[string]("only"); only != "" && d.name != only {
			continue
		}
		w.try(d)
		if t.Failed() {
			return
		}
	}
}

// try breaks some member in one way, with what else happens meanwhile, and mends it.
func (w *world) try(d damage) {
	w.Helper()
	t := &trial{world: w, d: d, base: w.look()}
	w.told.forget()
	w.sockets.start(t.base)
	order := w.rand.Perm(len(w.members))
	for _, i := range order {
		if t.victim = w.members[i]; w.inflict(d, t.victim) {
			break
		}
		t.victim = nil
	}
	if t.victim == nil {
		return
	}
	chance := func(percent int) bool { return w.rand.IntN(100) < percent }
	neighbour := func() {
		if m := w.members[order[w.rand.IntN(len(order))]]; m != t.victim && t.edited(m) == nil && m != w.members[0] {
			t.edits = append(t.edits, w.edit(m, d.fills))
			t.story = append(t.story, m.name+" "+t.edits[len(t.edits)-1].what)
		}
	}
	together, takeOver := chance(30), chance(15) && !d.stands
	t.step(fmt.Sprintf("broken (taken over: %v)", takeOver), func() {
		if takeOver {
			t.lost = true
			w.lose()
		}
		if together {
			neighbour()
		}
	})
	if chance(25) {
		t.step("the operator starts again", w.restart)
	}
	if chance(30) {
		t.step("a neighbour acts", neighbour)
	}
	if chance(15) {
		t.deleted = true
		t.step("it is deleted", func() {
			if err := w.api.Delete(w.Context(), t.victim.ing.DeepCopy()); kube.IgnoreNotFound(err) != nil {
				w.Fatal(err)
			}
		})
		if !t.vanished() {
			t.fault("it is deleted, and does not go")
		}
	}
	t.mend()
}
