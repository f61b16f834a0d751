package isolation

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"

	networkingv1 "k8s.io/api/networking/v1"
	kube "sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/headgate/headgate/controllers/annotations"
	"github.com/headgate/headgate/model"
)

// fate is what becomes of the member that was damaged.
type fate int

const (
	// keeps: all that it had goes on.
	keeps fate = iota
	// guarded: what it had goes on or answers 503, as it says now whom it lets in.
	guarded
	// lacks: what it has no Service or action for answers 503, the rest goes on.
	lacks
	// leaves: nothing of it is left.
	leaves
)

// damage is a way to break a member.
type damage struct {
	name string
	fate fate
	// quiet damages are not told to the owner: they are nobody's mistake, or take the Ingress out of our hands.
	quiet bool
	// stands: who wins is decided by who had it before, which is remembered and nowhere else to be found.
	stands bool
	// fills: it takes all the room that AWS's quotas leave.
	fills bool
	// do breaks the member; false where it cannot be broken this way.
	do func(s *scene) bool
}

// scene is where a member is broken: its objects are copies, which are written when all is done.
type scene struct {
	*world

	m    *member
	ing  *networkingv1.Ingress
	rand *rand.Rand
}

// set writes an annotation, value being one of some.
func (s *scene) set(key string, values ...string) bool {
	s.ing.Annotations[annotations.IngressPrefix+key] = values[s.rand.IntN(len(values))]
	return true
}

func (s *scene) has(key string) bool {
	_, ok := s.ing.Annotations[annotations.IngressPrefix+key]
	return ok
}

// change edits another object of the member, where it has such a one.
func change[T kube.Object](s *scene, edit func(T)) bool {
	for _, o := range s.m.objects {
		if one, ok := o.DeepCopyObject().(T); ok {
			if err := s.api.Get(s.Context(), kube.ObjectKeyFromObject(o), one); err != nil {
				s.Fatal(err)
			}
			edit(one)
			if err := s.api.Update(s.Context(), one); err != nil {
				s.Fatal(err)
			}
			return true
		}
	}
	return false
}

// drop deletes another object of the member, where it has such a one.
func drop[T kube.Object](s *scene) bool {
	for _, o := range s.m.objects {
		if one, ok := o.DeepCopyObject().(T); ok {
			if err := s.api.Delete(s.Context(), one); err != nil {
				s.Fatal(err)
			}
			return true
		}
	}
	return false
}

// inflict breaks a member; false where the damage does not fit it.
func (w *world) inflict(d damage, m *member) bool {
	w.Helper()
	s := &scene{world: w, m: m, ing: &networkingv1.Ingress{}, rand: w.rand}
	if err := w.api.Get(w.Context(), kube.ObjectKeyFromObject(m.ing), s.ing); err != nil {
		w.Fatal(err)
	}
	if !d.do(s) {
		return false
	}
	if err := w.api.Update(w.Context(), s.ing); err != nil {
		w.Fatal(err)
	}
	return true
}

// damages are all ways.
func damages() []damage {
	return slices.Concat(annotationDamages(), valueDamages(), ruleDamages(), backendDamages(), accessDamages(), groupDamages(),
		classDamages(), quotaDamages(), attributeDamages(), refusedDamages())
}

// annotationDamages are values that no annotation takes: of each key what its type, its bounds and its form refuse.
func annotationDamages() []damage {
	var out []damage
	table := annotations.Ingress()
	for _, spec := range table.Specs() {
		if spec.Status != annotations.Served {
			continue
		}
		key := spec.Key
		switch {
		case spec.Key == annotations.ListenerAttributes:
			key += ".HTTP-80"
		case spec.Named:
			key += ".a"
		}
		var bad []string
		becomes := keeps
		for _, value := range refused(spec) {
			problems := table.Check(annotations.OnIngress, map[string]string{annotations.IngressPrefix + key: value})
			if !slices.ContainsFunc(problems, func(p annotations.Problem) bool { return p.Severity != model.Warning }) {
				continue
			}
			bad = append(bad, value)
			if spec.Guards != nil || strings.HasPrefix(key, "auth-") || key == annotations.ListenPorts {
				becomes = guarded
			}
		}
		if len(bad) > 0 {
			out = append(out, damage{name: "unreadable " + key, fate: becomes, do: func(s *scene) bool { return s.set(key, bad...) }})
		}
	}
	return out
}

// refused are values that a key may refuse.
func refused(spec annotations.Spec) []string {
	long, odd := strings.Repeat("x", 5000), "grüße\u202e☂"
	switch spec.Type {
	case annotations.Bool:
		return []string{"maybe", "", "1.0", odd}
	case annotations.Int:
		return []string{"many", "", strconv.Itoa(spec.Max + 1), strconv.Itoa(spec.Min - 1), "1e3", "99999999999999999999", odd}
	case annotations.JSON:
		return []string{`{"a":`, "[", "", `"text"`, "7", `[{"field":"colour"}]`, `{"type":"dance"}`, `[{"TELNET":23}]`, long, odd, `{} {}`}
	case annotations.Map:
		return []string{"=x", "alone", "a=b,,=c", odd}
	default:
	}
	return []string{"", "sideways", "!!", ",", "10.0.0.0/99", long, odd, "a b"}
}
