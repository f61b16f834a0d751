package outcome

import (
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	headgatev1alpha1 "github.com/headgate/headgate/apis/headgate/v1alpha1"
	"github.com/headgate/headgate/model"
)

// Reasons of the conditions of a LoadBalancer and its members.
const (
	ReasonServed     = "Served"
	ReasonHeld       = "LastGoodStateServes"
	ReasonMoving     = "MovingAway"
	ReasonReady      = "Ready"
	ReasonNotActive  = "NotActive"
	ReasonUnhealthy  = "TargetsUnhealthy"
	ReasonNoTargets  = "NoTargets"
	ReasonProgrammed = "Programmed"
	ReasonApproved   = "Approved"
)

// Set sets a condition whose message may be of any length: the API server takes only so much, and refuses the whole status else.
func Set(conditions *[]metav1.Condition, c metav1.Condition) {
	c.Message = cut(c.Message)
	meta.SetStatusCondition(conditions, c)
}

// Source is what a member of a stack is served by.
type Source int

// The sources.
const (
	// AsWritten is what the member says now.
	AsWritten Source = iota
	// LastGood is what it said, or what was observed of it, when it was right.
	LastGood
	// InPart is what the member says, of which AWS does not hold everything yet.
	InPart
)

// Member is the condition Ready of a member of a stack: whether it is served as it is written.
func Member(by Source, problems []model.Finding) metav1.Condition {
	c := metav1.Condition{
		Type: headgatev1alpha1.ConditionReady, Status: metav1.ConditionTrue, Reason: ReasonServed, Message: "served as written",
	}
	if len(problems) == 0 && by == AsWritten {
		return c
	}
	texts := make([]string, 0, len(problems))
	for _, p := range problems {
		texts = append(texts, p.Text())
		if p.Severity != model.Warning {
			c.Status, c.Reason = metav1.ConditionFalse, p.Reason
		}
	}
	c.Message = strings.Join(texts, "; ")
	if by == InPart {
		c.Status = metav1.ConditionFalse
		if c.Reason == ReasonServed {
			c.Reason = ReasonWaiting
		}
		c.Message = strings.TrimSuffix("AWS does not hold all of its rules yet: "+c.Message, ": ")
	}
	if by == LastGood {
		c.Status = metav1.ConditionFalse
		if c.Reason == ReasonServed {
			c.Reason = ReasonHeld
		}
		c.Message = strings.TrimSuffix("its last good state serves: "+c.Message, ": ")
	}
	c.Message = cut(c.Message)
	return c
}

// Programmed is whether AWS holds what was last asked for.
func Programmed(o Outcome) metav1.Condition {
	c := metav1.Condition{
		Type: headgatev1alpha1.ConditionProgrammed, Status: metav1.ConditionTrue, Reason: ReasonProgrammed,
		Message: "AWS holds what was asked for",
	}
	if !o.OK() {
		c.Status, c.Reason, c.Message = metav1.ConditionFalse, o.Reason, cut(o.Message)
	}
	return c
}

// Ready is whether a load balancer is active and programmed, and its targets are healthy; healthy has the form "healthy/total".
func Ready(state string, programmed metav1.ConditionStatus, healthy string) metav1.Condition {
	c := metav1.Condition{Type: headgatev1alpha1.ConditionReady, Status: metav1.ConditionFalse}
	count, total, _ := strings.Cut(healthy, "/")
	switch {
	case state != "active":
		c.Reason, c.Message = ReasonNotActive, "the load balancer is "+strings.TrimSpace(state+" ")+", not active"
	case programmed != metav1.ConditionTrue:
		c.Reason, c.Message = ReasonNotActive, "AWS does not hold what was asked for yet"
	case total == "0":
		c.Reason, c.Message = ReasonNoTargets, "no targets are registered"
	case count != total:
		c.Reason, c.Message = ReasonUnhealthy, healthy+" targets are healthy"
	default:
		c.Status, c.Reason, c.Message = metav1.ConditionTrue, ReasonReady, "active, and all "+total+" targets are healthy"
	}
	return c
}

// Approval is whether the plan of a load balancer is approved: held is why it is not carried out, nil where it is.
func Approval(held *Held) metav1.Condition {
	c := metav1.Condition{
		Type: headgatev1alpha1.ConditionPlanApproved, Status: metav1.ConditionTrue, Reason: ReasonApproved,
		Message: "the plan that is approved is being carried out",
	}
	if held != nil {
		c.Status, c.Reason, c.Message = metav1.ConditionFalse, held.Reason, cut(held.Message)
	}
	return c
}
