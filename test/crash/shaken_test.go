package crash

import (
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/headgate/headgate/sandbox/binaries"
	"github.com/headgate/headgate/test/world"
)

// TestControlPlaneRestarts kills the API server and etcd while the operator works (invariant 2): it goes on when they are back, nothing is
// made twice, and nothing is lost.
func TestControlPlaneRestarts(t *testing.T) {
	t.Parallel()
	undisturbed(t)
	p := newPlay(t, world.Open(t), "shaken")
	p.start(nil, p.World.Config())
	programs := map[string][]string{
		"create": {binaries.APIServer}, "change": {binaries.Etcd}, "replace": {binaries.Etcd, binaries.APIServer}, "delete": {binaries.APIServer},
	}
	for _, phase := range phases {
		p.begin(phase.name, phase.act)
		for _, program := range programs[phase.name] {
			if err := p.World.Restart(t.Context(), program); err != nil {
				t.Fatal(err)
			}
		}
		p.reach(phase.name, common.reference[phase.name])
	}
	p.gone()
}

// TestClockJumps puts the operator's clock forward and back while it works: it ends as it does undisturbed, and waits for nothing that it had
// begun to wait for in what is now the future, also not after a restart.
func TestClockJumps(t *testing.T) {
	t.Parallel()
	undisturbed(t)
	p := newPlay(t, common.World, "clock")
	var ahead atomic.Int64
	begin := func() {
		settings := p.Settings(nil)
		settings.Config = alone(common.Config(), p.class())
		settings.TargetHold, settings.TargetPatience, settings.Retention = time.Second, time.Minute, retiring
		settings.Now = func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
		p.StartAs(settings)
	}
	begin()
	const day = 24 * time.Hour
	for i, phase := range phases {
		p.begin(phase.name, phase.act)
		ahead.Store(int64([]time.Duration{2 * day, -day, -3 * day, day}[i%4]))
		p.Stop()
		begin()
		p.reach(phase.name, common.reference[phase.name])
	}
	p.gone()
}

// begin acts, and waits until the operator has made a call of it.
func (p *play) begin(phase string, act func(*play)) {
	p.t.Helper()
	before := p.Writes()
	act(p)
	p.Eventually("the operator begins to "+phase, func() error {
		if p.Writes() == before {
			return errors.New("no call")
		}
		return nil
	})
}
