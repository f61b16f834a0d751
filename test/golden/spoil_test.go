package golden_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/headgate/headgate/controllers/preview"
	"github.com/headgate/headgate/model"
)

// spoil: where the invalid items were not there before, and all was well, the mistakes change nothing of what is served, but that some
// rules answer 503 (invariants 3 and 8).
func (h honest) spoil(t *testing.T) {
	t.Helper()
	stacks, err := preview.Run(t.Context(), h.objects, h.account(), h.flags.settings())
	if err != nil {
		t.Fatal(err)
	}
	objects := h.in
	for _, i := range h.Invalid {
		objects = objects.edited(t, i, func(object map[string]any) map[string]any {
			if i.ofClass() || blamed(stacks, object, i) {
				return nil
			}
			return valuesOf(object, i)
		})
	}
	account := preview.NewAccount(h.facts)
	states := h.settle(t, account, objects)
	good := ends(account)
	h.settle(t, account, append(h.members(t, good), states...))
	spoilt := ends(account)
	for n := range good {
		i := slices.IndexFunc(spoilt, func(s model.Stack) bool { return s.Owner == good[n].Owner })
		if i < 0 {
			t.Errorf("spoilt: nothing is left of %s", good[n].Owner)
			continue
		}
		want, got := closedAs(good[n], spoilt[i]), byMatch(spoilt[i])
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("spoilt: mistakes change what was good: -good +spoilt\n%s", diff)
		}
		open := openRules(spoilt[i])
		was := slices.DeleteFunc(openRules(good[n]), func(r string) bool { return !slices.Contains(open, r) })
		if diff := cmp.Diff(strings.Join(was, "\n"), strings.Join(open, "\n")); diff != "" {
			t.Errorf("spoilt: mistakes change the order of rules: -good +spoilt\n%s", diff)
		}
	}
}

// blamed tells whether a finding about an object names the item. A Service is told through the Ingresses that it is behind.
func blamed(stacks []preview.Stack, object map[string]any, i item) bool {
	meta, ok := object["metadata"].(map[string]any)
	return ok && slices.ContainsFunc(stacks, func(s preview.Stack) bool {
		return slices.ContainsFunc(s.Findings, func(f model.Finding) bool {
			return i.named(f.Field) && (f.Object.Name == meta["name"] || object["kind"] == "Service")
		})
	})
}

// members are the objects of in.yaml, with the finalizers that the operator gives to members of the stacks that there are.
func (h honest) members(t *testing.T, stacks []model.Stack) documents {
	t.Helper()
	out := h.in.edited(t, "", func(map[string]any) map[string]any { return nil })
	for _, object := range out {
		meta, ok := object["metadata"].(map[string]any)
		if !ok || object["kind"] != "Ingress" {
			continue
		}
		own := fmt.Sprint(meta["namespace"], "/", meta["name"])
		var finalizers []any
		for _, s := range stacks {
			switch {
			case s.Owner.Stack == own:
				finalizers = append(finalizers, "ingress.k8s.aws/resources")
			case !strings.Contains(s.Owner.Stack, "/"):
				finalizers = append(finalizers, "group.ingress.k8s.aws/"+s.Owner.Stack)
			}
		}
		meta["finalizers"] = finalizers
	}
	return out
}

// closedAs is a stack with its answers closed where those of another one are.
func closedAs(s, other model.Stack) model.Stack {
	s, other = byMatch(s), byMatch(other)
	for i, l := range s.Listeners {
		at := slices.IndexFunc(other.Listeners, func(o model.Listener) bool { return o.Port == l.Port })
		if at < 0 {
			continue
		}
		if is503(other.Listeners[at].DefaultActions) {
			s.Listeners[i].DefaultActions = other.Listeners[at].DefaultActions
		}
		for n, r := range l.Rules {
			same := slices.IndexFunc(other.Listeners[at].Rules, func(o model.Rule) bool { return matchText(o) == matchText(r) })
			if same >= 0 && is503(other.Listeners[at].Rules[same].Actions) {
				s.Listeners[i].Rules[n] = other.Listeners[at].Rules[same]
			}
		}
	}
	return s
}

// openRules are the rules that do not answer 503, by what they match.
func openRules(s model.Stack) []string {
	var out []string
	for _, l := range s.Listeners {
		for _, r := range l.Rules {
			if !is503(r.Actions) {
				out = append(out, strconv.Itoa(l.Port)+" "+matchText(r))
			}
		}
	}
	return out
}

func is503(actions []model.Action) bool {
	return len(actions) == 1 && actions[0].FixedResponse != nil && actions[0].FixedResponse.StatusCode == "503"
}

// byMatch is a stack with rules sorted by what they match: those that are closed may come after all others.
func byMatch(s model.Stack) model.Stack {
	s.Listeners = slices.Clone(s.Listeners)
	for i, l := range s.Listeners {
		s.Listeners[i].Rules = slices.SortedFunc(slices.Values(l.Rules), func(a, b model.Rule) int { return strings.Compare(matchText(a), matchText(b)) })
	}
	return s
}

func matchText(r model.Rule) string {
	r.Actions, r.Transforms = nil, nil
	return model.RuleID(0, r)
}
