package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/headgate/headgate/model"
)

// MarshalText writes an action as its sign.
func (a Action) MarshalText() ([]byte, error) { return []byte(string(rune(a))), nil }

// UnmarshalText reads a sign.
func (a *Action) UnmarshalText(text []byte) error {
	for _, known := range []Action{Create, Update, Replace, Delete} {
		if string(rune(known)) == string(text) {
			*a = known
			return nil
		}
	}
	return fmt.Errorf("%q is no action", text)
}

// String is the sign.
func (a Action) String() string { return string(rune(a)) }

// Hash names the plan: equal plans have equal hashes. It is what a user approves. Of what is deleted its ARN counts, not the state that it
// was seen in; and not whether targets are healthy by now, nor what a reader is told of that: it comes and goes while nobody looks.
func (p Plan) Hash() string {
	p.Changes, p.Notes = slices.Clone(p.Changes), nil
	for i, c := range p.Changes {
		c.Needs = slices.DeleteFunc(slices.Clone(c.Needs), func(n Need) bool {
			return n.State == StateHealthy || n.State == StateReleased || n.State == StateRetired
		})
		p.Changes[i].Needs = c.Needs
		if c.Action == Delete {
			c.LoadBalancer, c.TargetGroup, c.Listener, c.Rule, c.SecurityGroup, c.Certificate = nil, nil, nil, nil, nil, nil
			p.Changes[i] = c
		}
		if c.Op == ImportCertificate { // who else has it, and whether they agree yet, is nothing that users approve
			p.Changes[i].Users, p.Changes[i].Needs = nil, nil
		}
	}
	text, err := json.Marshal(p)
	if err != nil {
		text = []byte(p.Text())
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])[:16]
}

// Summary counts resources: "3 to create, 1 to update, 0 to delete". Replacements are named where there are some.
func (p Plan) Summary() string {
	counts := map[Action]int{}
	for _, g := range p.groups() {
		counts[g[0].Action]++
	}
	out := fmt.Sprintf("%d to create, %d to update, %d to delete", counts[Create], counts[Update], counts[Delete])
	if n := counts[Replace]; n > 0 {
		out += fmt.Sprintf(", %d to replace", n)
	}
	return out
}

// String is [Plan.Text].
func (p Plan) String() string { return p.Text() }

// Text is the plan for people: a block a resource, with its sign, the calls, and what differs and why.
func (p Plan) Text() string {
	var b strings.Builder
	if p.Empty() {
		b.WriteString("nothing to do\n")
	} else {
		fmt.Fprintf(&b, "%s (%s)\n", p.Summary(), countText(len(p.Changes), "call"))
	}
	for _, group := range p.groups() {
		fmt.Fprintf(&b, "%s %s\n", group[0].Action, group[0].Key)
		for _, c := range group {
			fmt.Fprintf(&b, "    %s%s\n", c.Op, c.comment())
			for _, f := range c.Fields {
				fmt.Fprintf(&b, "        %s\n", f)
			}
		}
	}
	for _, n := range p.Notes {
		fmt.Fprintf(&b, "! %s\n", n)
	}
	if p.Again {
		b.WriteString("! this is not all: the rest is planned when it has been done\n")
	}
	return b.String()
}

// comment is why, and what the change waits for.
func (c Change) comment() string {
	var parts []string
	if c.Why != "" {
		parts = append(parts, c.Why)
	}
	for _, n := range c.Needs {
		parts = append(parts, "when "+n.Key.String()+" is "+n.State)
	}
	if len(parts) == 0 {
		return ""
	}
	return "  # " + strings.Join(parts, "; ")
}

// String is "name: old -> new", or "name: value" where there is only one.
func (f Field) String() string {
	switch {
	case f.Old == "":
		return f.Name + ": " + f.New
	case f.New == "":
		return f.Name + ": was " + f.Old
	default:
		return f.Name + ": " + f.Old + " -> " + f.New
	}
}

// groups are the changes by resource, in the order of their first changes.
func (p Plan) groups() [][]Change {
	var out [][]Change
	at := map[model.Key]int{}
	for _, c := range p.Changes {
		i, ok := at[c.Key]
		if !ok {
			i = len(out)
			at[c.Key] = i
			out = append(out, nil)
		}
		out[i] = append(out[i], c)
	}
	return out
}

func countText(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// matchText is what a rule matches, in a line.
func matchText(r model.Rule) string {
	var parts []string
	for _, c := range r.Conditions {
		parts = append(parts, conditionText(c))
	}
	return strings.Join(parts, ", ")
}

func conditionText(c model.Condition) string {
	name := map[string]string{
		model.FieldHost: "host", model.FieldPath: "path", model.FieldMethod: "method", model.FieldQuery: "query",
		model.FieldSourceIP: "source", model.FieldHeader: "header " + c.Header,
	}[c.Field]
	values := slices.Clone(c.Values)
	for _, r := range c.Regex {
		values = append(values, "~"+r)
	}
	for _, q := range c.Query {
		values = append(values, q.Key+"="+q.Value)
	}
	return name + " " + strings.Join(values, "|")
}

// answerText is what a rule does, in a line.
func answerText(actions []model.Action, transforms []model.Transform) string {
	var parts []string
	for _, t := range transforms {
		parts = append(parts, fmt.Sprintf("%s %s => %s", t.Type, t.Regex, t.Replace))
	}
	for _, a := range actions {
		parts = append(parts, actionText(a))
	}
	return strings.Join(parts, ", ")
}

func actionText(a model.Action) string {
	switch {
	case a.Forward != nil:
		return forwardText(*a.Forward)
	case a.Redirect != nil:
		r := a.Redirect
		return fmt.Sprintf("redirect %s to %s://%s:%s%s?%s", r.StatusCode, r.Protocol, r.Host, r.Port, r.Path, r.Query)
	case a.FixedResponse != nil:
		return strings.TrimSpace("respond " + a.FixedResponse.StatusCode + " " + a.FixedResponse.Body)
	case a.Guards():
		return guardText(a)
	default:
		return a.Type
	}
}

func forwardText(f model.Forward) string {
	var groups []string
	for _, g := range f.Groups {
		name := g.Key
		if name == "" {
			name = string(g.ARN)
		}
		if len(f.Groups) > 1 || g.Weight == 0 {
			name += fmt.Sprintf(" (%d)", g.Weight)
		}
		groups = append(groups, name)
	}
	out := "forward " + strings.Join(groups, ", ")
	if f.StickySeconds > 0 {
		out += fmt.Sprintf(", sticky %ds", f.StickySeconds)
	}
	return out
}
