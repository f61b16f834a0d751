package isolation

import (
	"fmt"
	"slices"
	"strings"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	networkingv1 "k8s.io/api/networking/v1"
	kube "sigs.k8s.io/controller-runtime/pkg/client"

	headgatev1alpha1 "github.com/headgate/headgate/apis/headgate/v1alpha1"
	"github.com/headgate/headgate/model"
)

// trial is one damage with what is done besides.
type trial struct {
	*world

	d      damage
	victim *member
	base   *view
	// edits of neighbours so far.
	edits []edit
	// lost says that the operator remembers nothing of the time before.
	lost bool
	// deleted says that the victim was deleted while it was broken.
	deleted bool
	story   []string
}

func (t *trial) fault(format string, args ...any) {
	t.Helper()
	t.Errorf("%s, %s (%v): %s", t.d.name, t.victim.name, t.victim.flavours, fmt.Sprintf(format, args...)+"\n\tafter: "+strings.Join(t.story, "; "))
}

// step does what is to be done and compares.
func (t *trial) step(what string, do func()) {
	t.Helper()
	t.story = append(t.story, what)
	do()
	if err := t.settle(); err != nil {
		t.fault("%v", err)
	}
	now := t.look()
	t.checkAnswers(now)
	t.checkState(now)
	t.checkTold()
	t.sockets.compare(t, now)
}

// edited is what a neighbour did, nil where it did nothing.
func (t *trial) edited(m *member) *edit {
	for i := range t.edits {
		if t.edits[i].m == m {
			return &t.edits[i]
		}
	}
	return nil
}

// checkAnswers holds what requests meet.
func (t *trial) checkAnswers(now *view) {
	t.Helper()
	for _, m := range t.members {
		wants := m.wants
		if e := t.edited(m); e != nil {
			wants = e.wants
		}
		for a, want := range wants {
			got := now.answer(a)
			switch {
			case m == t.victim:
				if problem := t.becomes(want, got); problem != "" {
					t.fault("%v: %q became %q, %s", a, want, got, problem)
				}
			case want == "":
				if strings.Contains(got, "forward "+m.name) {
					t.fault("neighbour %s is gone, and %v meets %q", m.name, a, got)
				}
			case got != want:
				t.fault("neighbour %s (%v): %v meets %q, want %q", m.name, m.flavours, a, got, want)
			}
		}
	}
}

// becomes says what is wrong with what became of an answer of the victim.
func (t *trial) becomes(old, got string) string {
	// Where nothing is remembered, what nobody can read the port of may be nowhere.
	closed := strings.HasSuffix(got, "fixed 503") || t.lost && !strings.Contains(got, "forward")
	switch {
	case t.deleted || t.d.fate == leaves:
		if got == old {
			return "and it shall be gone"
		}
	case got == old:
	case t.lost && closed && t.victim.guarded():
	case t.d.fate == keeps:
		return "and it shall stay"
	case !closed:
		return "and it shall be closed at most"
	}
	return ""
}

// guarded tells whether the member lets only some in: what cannot be made out of that closes where nothing good is remembered.
func (m *member) guarded() bool {
	return slices.Contains([]string{"sign-in", "tokens", "clients"}, m.flavours[0])
}

// shrinks tells whether something left the group.
func (t *trial) shrinks() bool {
	return t.deleted || t.d.fate == leaves || slices.ContainsFunc(t.edits, func(e edit) bool { return e.gone })
}

// checkState holds what the account holds for the others.
func (t *trial) checkState(now *view) {
	t.Helper()
	set := []*member{t.victim}
	for _, e := range t.edits {
		set = append(set, e.m)
	}
	before, after := t.base.without(set...), now.without(set...)
	if t.shrinks() {
		before, after = t.essence(before, set), t.essence(after, set)
	}
	// Which certificate is the default goes by who had it first, and then by order: it is not held here.
	before, after = t.plain(before, set), t.plain(after, set)
	if diff := cmp.Diff(before, after); diff != "" {
		t.fault("what the others have changed (-before +after):\n%s", diff)
	}
}

// plain is a stack without the order of certificates, without who may connect to ports that only some members have, and without ports that a
// broken one asks for alone.
func (t *trial) plain(s model.Stack, without []*member) model.Stack {
	all := t.ports(nil)
	s.Listeners = slices.DeleteFunc(slices.Clone(s.Listeners), func(l model.Listener) bool { return !all[l.Port] })
	for i, l := range s.Listeners {
		s.Listeners[i].Certificates = slices.Compact(slices.Sorted(slices.Values(l.Certificates)))
	}
	ports := t.ports(without)
	s.SecurityGroups = slices.Clone(s.SecurityGroups)
	for i, g := range s.SecurityGroups {
		s.SecurityGroups[i].Ingress = slices.DeleteFunc(slices.Clone(g.Ingress), func(p model.Permission) bool { return !ports[p.FromPort] })
	}
	return s
}

// ports are those of all members but some.
func (t *trial) ports(without []*member) map[int]bool {
	ports := map[int]bool{}
	for _, m := range t.members {
		if !slices.Contains(without, m) {
			for _, p := range m.ports {
				ports[p] = true
			}
		}
	}
	return ports
}

// essence is what a stack holds for the members that are not among some, whatever those say of the load balancer as a whole.
func (t *trial) essence(s model.Stack, without []*member) model.Stack {
	ports := t.ports(without)
	out := model.Stack{Owner: s.Owner, TargetGroups: s.TargetGroups}
	if s.LoadBalancer != nil {
		out.LoadBalancer = &model.LoadBalancer{ARN: s.LoadBalancer.ARN, Scheme: s.LoadBalancer.Scheme}
	}
	for _, l := range s.Listeners {
		if ports[l.Port] {
			out.Listeners = append(out.Listeners, model.Listener{ARN: l.ARN, Port: l.Port, Protocol: l.Protocol, Rules: l.Rules})
		}
	}
	return out
}

// checkTold holds who is told what.
func (t *trial) checkTold() {
	t.Helper()
	t.told.mu.Lock()
	defer t.told.mu.Unlock()
	for name, all := range t.told.all {
		if about := others(all); name != t.victim.name && name != "another object" && len(about) > 0 {
			t.fault("neighbour %s is told: %v", name, about)
		}
	}
	if t.d.quiet || t.deleted {
		return
	}
	if len(t.told.all[t.victim.name]) == 0 {
		t.fault("its owner is not told")
	}
	if t.d.fate == leaves {
		return
	}
	shown := t.shown(t.victim)
	if shown == nil || shown.Message == "served as written" {
		t.fault("its problem is not shown on the LoadBalancer: %v", shown)
	}
}

// others are warnings without those that only say whose word counts now.
func others(all []string) []string {
	return slices.DeleteFunc(slices.Clone(all), func(text string) bool {
		return strings.HasPrefix(text, "UnusedAnnotation: ") || strings.HasPrefix(text, "OverriddenByClass: ")
	})
}

// shown is the condition of a member on the LoadBalancer.
func (t *trial) shown(m *member) *metav1.Condition {
	t.Helper()
	var list headgatev1alpha1.LoadBalancerList
	if err := t.api.List(t.Context(), &list); err != nil {
		t.Fatal(err)
	}
	if len(list.Items) != 1 {
		t.fault("there are %d LoadBalancer objects", len(list.Items))
		return nil
	}
	for _, one := range list.Items[0].Status.Members {
		if one.Name == m.name && one.Namespace == m.namespace() && len(one.Conditions) > 0 {
			return &one.Conditions[0]
		}
	}
	return nil
}

// mend makes everything right again and checks that it is.
func (t *trial) mend() {
	t.Helper()
	for _, m := range t.members {
		if m == t.victim || t.edited(m) != nil {
			t.create(m)
		}
	}
	t.story = append(t.story, "all is mended")
	if err := t.settle(); err != nil {
		t.fault("%v", err)
	}
	now := t.look()
	for _, m := range t.members {
		for a, want := range m.wants {
			if got := now.answer(a); got != want {
				t.fault("%s (%v): %v meets %q, want %q", m.name, m.flavours, a, got, want)
			}
		}
		if shown := t.shown(m); shown == nil || shown.Message != "served as written" {
			t.fault("%s (%v) is shown as %v", m.name, m.flavours, shown)
		}
	}
}

// vanished tells whether the victim's Ingress is gone.
func (t *trial) vanished() bool {
	err := t.api.Get(t.Context(), kube.ObjectKeyFromObject(t.victim.ing), &networkingv1.Ingress{})
	return err != nil && kube.IgnoreNotFound(err) == nil
}
