package golden_test

import (
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/headgate/headgate/controllers/annotations"
	"github.com/headgate/headgate/controllers/preview"
	"github.com/headgate/headgate/model"
)

// TestHonest holds each case to what it says it proves.
func TestHonest(t *testing.T) {
	dirs, err := filepath.Glob("ingress/*/covers.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range dirs {
		dir := filepath.Dir(path)
		t.Run(filepath.Base(dir), func(t *testing.T) {
			c, said := read(t, dir), coversOf(t, dir)
			h := honest{golden: c, covers: *said, in: manifest(t, c.inDir("in.yaml")), before: manifest(t, c.inDir("in.yaml"), c.inDir("before.yaml"))}
			h.out = c.after(t, c.account(), append(h.in, c.states...))
			for _, i := range said.Set {
				h.set(t, i)
			}
			for _, i := range slices.Sorted(maps.Keys(said.Default)) {
				h.byDefault(t, i)
			}
			for _, i := range slices.Concat(said.Changed, said.Removed) {
				h.moved(t, i)
			}
			if len(said.Changed)+len(said.Removed) > 0 {
				h.reset(t)
			}
			for _, i := range said.Invalid {
				h.invalid(t, i)
			}
			if len(said.Invalid) > 0 {
				h.spoil(t)
			}
		})
	}
}

// honest is one case and what it says.
type honest struct {
	golden
	covers

	in, before documents
	out        string
}

func (h honest) set(t *testing.T, i item) {
	t.Helper()
	if len(h.in.values(i)) == 0 {
		t.Errorf("set: %s is not in in.yaml", i)
	}
	if h.after(t, h.account(), append(h.in.without(t, i), h.states...)) == h.out {
		t.Errorf("set: without %s the outcome is the same", i)
	}
}

func (h honest) byDefault(t *testing.T, i item) {
	t.Helper()
	if len(h.in.values(i)) > 0 {
		t.Errorf("default: %s is in in.yaml", i)
	}
	value := h.Default[i]
	if spec, _, ok := annotations.Ingress().Find(string(i)); ok && spec.Parse(spec.Default) == nil && literal(spec) && spec.Default != value {
		t.Errorf("default: that of %s is %q, the case proves %q", i, spec.Default, value)
	}
	if value == "" {
		return
	}
	if got := h.after(t, h.account(), append(h.in.with(t, i, value), h.states...)); plain(got) != plain(h.out) {
		t.Errorf("default: with %s written out as %q the outcome is another one", i, value)
	}
}

// literal tells whether the default of a key is a value, and not words about it.
func literal(s annotations.Spec) bool {
	return s.Default != "" && (len(s.Values) > 0 || s.Type == annotations.Int || s.Type == annotations.Bool)
}

// moved: it makes a difference, be it to what is now or to what was before; the value of one is then put into the other.
func (h honest) moved(t *testing.T, i item) {
	t.Helper()
	was, is := h.before.values(i), h.in.values(i)
	if removed := slices.Contains(h.Removed, i); len(was) == 0 || removed != (len(is) == 0) {
		t.Errorf("%s is %v in before.yaml and %v in in.yaml: that is no such change", i, was, is)
	}
	if h.anew(t, h.in.as(t, h.before, i)) == h.anew(t, h.in) && h.anew(t, h.before.as(t, h.in, i)) == h.anew(t, h.before) {
		t.Errorf("changed or removed: %s makes no difference", i)
	}
}

// reset: what is reached from before is what there would be if there had been no before, but for what is kept.
func (h honest) reset(t *testing.T) {
	t.Helper()
	objects := h.in
	for _, i := range h.Kept {
		if !slices.Contains(h.Changed, i) && !slices.Contains(h.Removed, i) {
			t.Errorf("kept: %s is neither changed nor removed", i)
		}
		objects = objects.as(t, h.before, i)
	}
	if diff := cmp.Diff(plain(h.anew(t, objects)), plain(h.out)); diff != "" {
		t.Errorf("something is left of before.yaml: -what there would be without it +what there is\n%s", diff)
	}
}

// plain is an outcome without what is made up when something is created and means nothing to anybody: hashes in names and in the tags
// of rules. Mutual authentication that is off is none.
func plain(outcome string) string {
	outcome = madeUp.ReplaceAllString(outcome, "")
	return mutualOff.ReplaceAllString(outcome, "")
}

var (
	madeUp    = regexp.MustCompile(`(name: k8s-[a-z0-9-]+|ingress\.k8s\.aws/resource: [0-9]+:[0-9a-f]{10})\n`)
	mutualOff = regexp.MustCompile(` +mutualAuth:\n +mode: "off"\n`)
)

func (h honest) invalid(t *testing.T, i item) {
	t.Helper()
	if len(h.in.values(i)) == 0 {
		t.Errorf("invalid: %s is not in in.yaml", i)
	}
	stacks, err := preview.Run(t.Context(), h.objects, h.account(), h.flags.settings())
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range stacks {
		if slices.ContainsFunc(s.Findings, func(f model.Finding) bool {
			return i.named(f.Field) && f.Severity != model.Warning && f.Message != ""
		}) {
			return
		}
	}
	t.Errorf("invalid: no finding is about %s", i)
}
