package stack

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	headgatev1alpha1 "github.com/headgate/headgate/apis/headgate/v1alpha1"
	"github.com/headgate/headgate/controllers/outcome"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/fault"
	"github.com/headgate/headgate/model/intent"
	"github.com/headgate/headgate/model/plan"
)

// doubts are changes that failed in a way that may pass, by their key: they are tried once more before anybody is blamed.
type doubts map[string]bool

// attempts is how often a run starts again when what it remembered turns out to be out of date, or AWS refused what members ask for.
const attempts = 6

// try makes attempts like one until nothing comes of another.
func (l *Loop) try(ctx context.Context, s *slot, like attempt) (a *attempt, err error) {
	seen := doubts{}
	for range attempts {
		one := like
		a = &one
		err = l.advance(ctx, a, s)
		a.release()
		if stale(err) {
			s.state = nil
			continue
		}
		again, failed := l.refuse(ctx, a, err, seen)
		if err = errors.Join(err, failed); !again || failed != nil {
			break
		}
	}
	return a, err
}

// withhold has nothing tried that AWS refused, and tells whose it is.
func (a *attempt) withhold() {
	refused := a.state.refusals(a.req, a.trying)
	a.roster.refuse(refused)
	a.findings = merge(a.findings, refused)
}

// refuse has the members that asked for what AWS refused served by what they had before, and tells whether that, or a second try, may help.
func (l *Loop) refuse(ctx context.Context, a *attempt, err error, seen doubts) (again bool, failed error) {
	blamed, last := map[string][]model.Finding{}, map[string]string{}
	for _, f := range plan.Failures(err) {
		switch verdict(f) {
		case mayPass:
			key := nameOfChange(f.Change)
			if len(a.culprits(f.Change)) > 0 && !seen[key] {
				seen[key], again = true, true
				continue
			}
		case isRefusal:
		default:
			continue
		}
		for _, at := range a.culprits(f.Change) {
			key := memberKey(at.Object)
			at.Message = refusalText(f)
			blamed[key], last[key] = append(blamed[key], at), nameOfChange(f.Change)
		}
	}
	for key, findings := range blamed {
		again = a.state.refuse(key, refusal{findings, a.roster.from[key], hashOf(a.req, key), last[key]}, l.opts.Now()) || again
	}
	if len(blamed) == 0 {
		return again, nil
	}
	return again, a.state.save(ctx, l.client)
}

// judgement is what a failure says of who asked.
type judgement int

const (
	othersFault judgement = iota
	// mayPass: what the request refers to was not found, or is another's; a look at AWS may show that it was we who were late.
	mayPass
	// isRefusal: AWS does not take the request as it is.
	isRefusal
)

func verdict(f *plan.ChangeError) judgement {
	if f.Change.Action == plan.Delete {
		return othersFault
	}
	switch classed, _ := errors.AsType[*fault.Error](f.Err); {
	case classed == nil || classed.Code == "":
		return othersFault
	case classed.Class == fault.Invalid:
		return isRefusal
	case (classed.Class == fault.NotFound || classed.Class == fault.InUse) && strange(f.Change):
		return mayPass
	}
	return othersFault
}

// strange tells whether a change leads to a target group that a user named: what is ours was seen a moment ago.
func strange(c plan.Change) bool {
	var actions []model.Action
	switch {
	case c.Rule != nil:
		actions = c.Rule.Actions
	case c.Listener != nil:
		actions = c.Listener.DefaultActions
	}
	return slices.ContainsFunc(actions, func(a model.Action) bool {
		return a.Forward != nil && slices.ContainsFunc(a.Forward.Groups, func(g model.WeightedGroup) bool { return g.Key == "" })
	})
}

func refusalText(f *plan.ChangeError) string {
	classed, _ := errors.AsType[*fault.Error](f.Err)
	return fmt.Sprintf("AWS refuses %s of %s: %v (%s); correct it, or take it away: what was served before goes on till then. "+
		"It is tried again at once when it changes, and else every half minute", f.Change.Op, f.Change.Key, classed.Err, classed.Code)
}

// refusal is what AWS refused of a member, where what it was served by then came from, the hash of what the member wrote, and the change
// that was refused last.
type refusal struct {
	findings []model.Finding
	from     source
	hash     string
	last     string
}

// hashOf is the hash of what a member writes now.
func hashOf(req Request, key string) string {
	for _, f := range req.Intent.Fragments {
		if memberKey(f.Member) == key {
			text, err := json.Marshal(f)
			if err != nil {
				return ""
			}
			sum := sha256.Sum256(text)
			return hex.EncodeToString(sum[:])
		}
	}
	return ""
}

// refuse takes a refusal down. The member is served by what it had when all that it asked for was applied; it tells whether there is
// anything left to take back.
func (m *memory) refuse(key string, r refusal, now time.Time) bool {
	entry := m.refused(key)
	if entry == nil {
		m.object.Spec.Refused = append(m.object.Spec.Refused, headgatev1alpha1.RefusedMember{Member: key})
		entry = m.refused(key)
	}
	fresh := entry.Fragment != r.hash || !entry.Retry.After(now)
	if entry.Fragment != r.hash {
		entry.Tries = 0
	}
	if fresh {
		entry.Tries++
		entry.Problems = nil
	}
	before := len(entry.Problems)
	for _, f := range r.findings {
		p := headgatev1alpha1.RefusedSetting{Field: f.Field, Message: f.Message}
		if !slices.Contains(entry.Problems, p) {
			entry.Problems = append(entry.Problems, p)
		}
	}
	entry.Fragment = r.hash
	t := m.trialOf(key)
	t.refusedAgain(r.last, now)
	entry.Retry = metav1.NewTime(t.due)
	switch r.from {
	case asWritten:
		m.revert(key)
		return true
	case lastGood:
		m.undo(key)
		return true
	case held, bare:
	}
	return fresh || len(entry.Problems) > before
}

// provisional keeps what members had when all was applied last, of those that change now.
func (m *memory) provisional(good map[string]intent.Fragment) {
	before := map[string][]byte{}
	for key, f := range good {
		packed, noted := m.object.Spec.Before[key]
		have, known := m.good[key]
		switch {
		case noted:
			before[key] = packed
		case !known:
			before[key] = []byte{0} // the API server takes no empty one; it is nobody's fragment
		case !have.Equal(&f):
			before[key] = m.object.Spec.Fragments[key]
		}
	}
	m.object.Spec.Before = before
	if len(before) == 0 {
		m.object.Spec.Before = nil
	}
}

// revert takes what a member had when all was applied last for good again; nothing where it had none. Where it did not change since,
// that is what is good now.
func (m *memory) revert(key string) {
	packed, noted := m.object.Spec.Before[key]
	if !noted {
		return
	}
	delete(m.object.Spec.Before, key)
	f, err := unpack(packed)
	if err != nil {
		m.lose(key)
		return
	}
	m.good[key], m.object.Spec.Fragments[key] = f, packed
}

// undo is [memory.revert] where what is good now was never done whole; else there is nothing better, and it is lost.
func (m *memory) undo(key string) {
	if _, noted := m.object.Spec.Before[key]; noted {
		m.revert(key)
		return
	}
	m.lose(key)
}

// lose forgets what was good of a member.
func (m *memory) lose(key string) {
	delete(m.good, key)
	delete(m.object.Spec.Fragments, key)
}

func (m *memory) refused(key string) *headgatev1alpha1.RefusedMember {
	i := slices.IndexFunc(m.object.Spec.Refused, func(r headgatev1alpha1.RefusedMember) bool { return r.Member == key })
	if i < 0 {
		return nil
	}
	return &m.object.Spec.Refused[i]
}

// refusals are what is not asked for, since AWS refused it and nobody changed it, but of those members whom AWS is tried with. Entries of
// members that are gone, or that write something else, are dropped.
func (m *memory) refusals(req Request, trying map[string]bool) []model.Finding {
	var out []model.Finding
	m.object.Spec.Refused = slices.DeleteFunc(m.object.Spec.Refused, func(r headgatev1alpha1.RefusedMember) bool {
		return r.Fragment != hashOf(req, r.Member)
	})
	m.withheld = map[string]bool{}
	for _, r := range m.object.Spec.Refused {
		if trying[r.Member] {
			continue
		}
		m.withheld[r.Member] = true
		i := slices.IndexFunc(req.Intent.Fragments, func(f intent.Fragment) bool { return memberKey(f.Member) == r.Member })
		for _, p := range r.Problems {
			out = append(out, model.Finding{
				Object: req.Intent.Fragments[i].Member, Severity: model.Wrong, Reason: outcome.ReasonRefused, Field: p.Field, Message: p.Message,
			})
		}
	}
	return out
}

// refuse moves the members of whom AWS refused something: to what was good of them, else to their observed rules, without the settings that
// are refused.
func (r *roster) refuse(findings []model.Finding) {
	for _, f := range r.req.Intent.Fragments {
		key := memberKey(f.Member)
		for _, p := range wrongs(f, findings) {
			if _, good := r.good[key]; good {
				r.from[key] = lastGood
				continue
			}
			r.from[key] = max(r.from[key], held)
			if isSetting(f.Settings, p.Field) {
				r.accuse(f.Member, p.Field)
				r.from[key] = bare
			}
		}
	}
}
