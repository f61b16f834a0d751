package gateway

import (
	"github.com/headgate/headgate/controllers/annotations"
	"github.com/headgate/headgate/controllers/stack"
	"github.com/headgate/headgate/model"
)

// policy is how the changes of a Gateway are made: the stricter of what it says and of what its class says, with what is wrong with either.
func (s *Snapshot) policy() (stack.Policy, []model.Finding) {
	if s.Gateway == nil {
		return stack.Policy{}, nil
	}
	var findings []model.Finding
	find := func(prefix string, problems []annotations.Problem) {
		for _, p := range problems {
			findings = append(findings, model.Finding{
				Object: gatewayRef(s.Gateway), Severity: p.Severity, Reason: p.Reason, Field: prefix + p.Key, Message: p.Message,
			})
		}
	}
	out, problems := stack.PolicyOf(s.Gateway.Annotations)
	find("", problems)
	for _, key := range []string{stack.PatienceKey, stack.RetentionKey} {
		if _, written := s.Gateway.Annotations[key]; !written {
			continue
		}
		find("", []annotations.Problem{{
			Key: key, Severity: model.Warning, Reason: annotations.ReasonMisplaced,
			Message: "has no effect here: write it on the GatewayClass",
		}})
	}
	if s.Class == nil {
		out.Unread = true
		return out, findings
	}
	class, problems := stack.PolicyOfClass(s.Class.Annotations)
	find("GatewayClass "+s.Class.Name+" ", problems)
	return out.With(class), findings
}
