package preview

import (
	"fmt"
	"strings"
)

// Text is what the operator would do, for people: for each stack its findings and its plan.
func Text(stacks []Stack) string {
	var b strings.Builder
	if len(stacks) == 0 {
		b.WriteString("no Ingress and no Gateway is for this operator: nothing to do\n")
	}
	for i, s := range stacks {
		if i > 0 {
			b.WriteString("\n")
		}
		fmt.Fprintf(&b, "%s\n", s.Owner)
		for _, f := range s.Findings {
			fmt.Fprintf(&b, "  ! %s\n", f)
		}
		if s.Blocked != "" {
			fmt.Fprintf(&b, "  blocked: %s\n", s.Blocked)
			continue
		}
		if s.Error != "" {
			fmt.Fprintf(&b, "  failed: %s\n", strings.ReplaceAll(s.Error, "\n", "; "))
			continue
		}
		for line := range strings.Lines(s.Plan.Text()) {
			b.WriteString("  " + line)
		}
	}
	return b.String()
}

// Changes tells whether any of the stacks has something to do.
func Changes(stacks []Stack) bool {
	for _, s := range stacks {
		if !s.Plan.Empty() {
			return true
		}
	}
	return false
}
