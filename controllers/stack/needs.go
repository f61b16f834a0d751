package stack

import (
	"fmt"
	"slices"
	"strings"

	"github.com/headgate/headgate/controllers/outcome"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/fault"
	"github.com/headgate/headgate/model/intent"
)

// Needs says which facts the build of in will want.
func Needs(in intent.Intent) model.Needs {
	need := model.Needs{Owner: in.Owner}
	for _, f := range in.Fragments {
		for _, s := range f.Settings.Subnets {
			if strings.HasPrefix(s, "subnet-") {
				need.SubnetIDs = append(need.SubnetIDs, s)
			} else {
				need.SubnetNames = append(need.SubnetNames, s)
			}
		}
		for _, s := range f.Settings.SecurityGroups {
			if !strings.HasPrefix(s, "sg-") {
				need.SecurityGroupNames = append(need.SecurityGroupNames, s)
			}
		}
		needsOfListeners(&need, f)
		for _, r := range f.Routes {
			needsOfRoute(&need, r)
		}
	}
	for _, list := range []*[]string{&need.SubnetIDs, &need.SubnetNames, &need.SecurityGroupNames, &need.TargetGroupNames} {
		slices.Sort(*list)
		*list = slices.Compact(*list)
	}
	return need
}

func needsOfListeners(need *model.Needs, f intent.Fragment) {
	for _, l := range f.Listeners {
		if l.Protocol == "HTTPS" && len(l.Certificates) == 0 {
			need.Certificates = true
		}
		if l.Default != nil {
			needsOfRoute(need, *l.Default)
		}
	}
}

func needsOfRoute(need *model.Needs, r intent.Route) {
	if r.Forward == nil {
		return
	}
	for _, b := range r.Forward.Backends {
		if b.TargetGroupName != "" {
			need.TargetGroupNames = append(need.TargetGroupNames, b.TargetGroupName)
		}
	}
}

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
