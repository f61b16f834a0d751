package stack

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"strings"

	headgatev1alpha1 "github.com/headgate/headgate/apis/headgate/v1alpha1"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/plan"
)

const (
	// planText is how many bytes of a plan an object shows, wholePlan how many it holds compressed beside them: etcd takes 1.5 MB.
	planText  = 8 << 10
	wholePlan = 256 << 10
	// longestPlan is how many bytes a plan has at most that is printed.
	longestPlan = 64 << 20
)

// pendingPlan is a plan as an object shows it. One that waits for somebody is there as a whole: nobody shall approve what he cannot see.
func pendingPlan(a *attempt, res Result) *headgatev1alpha1.PendingPlan {
	if res.Settled || res.Plan.Empty() {
		return nil
	}
	text := res.Plan.Text() + comesWith(res.Plan, a.desired)
	out := &headgatev1alpha1.PendingPlan{Hash: res.Plan.Hash(), Summary: res.Plan.Summary(), Text: text}
	if len(text) <= planText {
		return out
	}
	if res.Held != nil && !res.Held.Given {
		if packed, err := new(packer).squeeze([]byte(text)); err == nil && len(packed) <= wholePlan {
			out.Whole = packed
		}
	}
	out.Text = cut(text, out.Whole != nil)
	return out
}

// cut is as many whole lines of a text as an object shows, and how many more there are.
func cut(text string, whole bool) string {
	shown := strings.ToValidUTF8(text[:planText], "")
	if i := strings.LastIndexByte(shown, '\n'); i >= 0 {
		shown = shown[:i+1]
	}
	see := "headgate plan --kubeconfig FILE"
	if whole {
		see = "headgate approve"
	}
	return shown + fmt.Sprintf("… and %d of %d lines more: `%s` prints all\n",
		strings.Count(text[len(shown):], "\n"), strings.Count(text, "\n"), see)
}

// comesWith says what a plan does that is no call of its own: the bindings of the target groups that it makes and deletes. They go with it.
func comesWith(p plan.Plan, desired model.Stack) string {
	var b strings.Builder
	for _, c := range p.Changes {
		if c.Op != plan.CreateTargetGroup {
			continue
		}
		for _, g := range desired.TargetGroups {
			if g.ID == c.Key.ID && g.Backend.Service != "" {
				fmt.Fprintf(&b, "& %s: the pods of Service %s/%s, port %s, are registered from then on, and their security groups admit the load balancer\n",
					c.Key, g.Backend.Namespace, g.Backend.Service, g.Backend.Port)
			}
		}
	}
	return b.String()
}

// PlanText is a plan that waits as it is printed; whole is false where the object does not hold all of it.
func PlanText(p headgatev1alpha1.PendingPlan) (text string, whole bool, err error) {
	if len(p.Whole) == 0 {
		return p.Text, len(p.Text) <= planText, nil
	}
	r, err := gzip.NewReader(bytes.NewReader(p.Whole))
	if err != nil {
		return p.Text, false, fmt.Errorf("decompressing the plan: %w", err)
	}
	out, err := io.ReadAll(io.LimitReader(r, longestPlan))
	if err != nil {
		return p.Text, false, fmt.Errorf("decompressing the plan: %w", err)
	}
	return string(out), true, nil
}
