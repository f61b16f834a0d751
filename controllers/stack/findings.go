package stack

import (
	"fmt"
	"slices"

	"github.com/headgate/headgate/controllers/outcome"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/fault"
	"github.com/headgate/headgate/model/intent"
)

// missingRights are the actions that AWS denied while facts were read that can be built on all the same; none where something else
// failed, or where nothing can be built.
func missingRights(facts model.Facts, err error) []string {
	all := fault.All(err)
	if facts.VPC.ID == "" || slices.ContainsFunc(all, func(e *fault.Error) bool { return e.Class != fault.Denied }) {
		return nil
	}
	out := make([]string, 0, len(all))
	for _, e := range all {
		out = append(out, e.Action)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// rightsFindings tell every member of rights that are missing: nobody but the cluster's administrator can mend it, and each of them
// may wonder why.
func rightsFindings(in intent.Intent, rights []string) []model.Finding {
	var out []model.Finding
	for _, f := range in.Fragments {
		for _, action := range rights {
			out = append(out, model.Finding{
				Object: f.Member, Severity: model.Warning, Reason: outcome.ReasonDenied, Message: fmt.Sprintf(
					"AWS denied %s: allow it in the IAM policy of the operator's role; until then AWS's defaults are assumed", action),
			})
		}
	}
	return out
}

// renames tell the members that ask for another name than the load balancer has: AWS cannot rename one, and for a name alone it is not
// replaced under everybody.
func renames(fragments []intent.Fragment, facts model.Facts, desired model.Stack) []model.Finding {
	have, want := facts.Existing, desired.LoadBalancer
	if have == nil || want == nil || have.Scheme != want.Scheme {
		return nil
	}
	var out []model.Finding
	for _, f := range fragments {
		if f.Settings.Name == "" || f.Settings.Name == have.Name {
			continue
		}
		field := f.Settings.Fields["name"]
		if field == "" {
			field = "name"
		}
		out = append(out, model.Finding{
			Object: f.Member, Severity: model.Warning, Reason: "NameNotChanged", Field: field, Message: fmt.Sprintf(
				"the load balancer exists and keeps its name %s: AWS cannot rename it; write that name, or delete it and make it anew",
				have.Name),
		})
	}
	return out
}
