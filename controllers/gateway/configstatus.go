package gateway

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	awsgwv1 "github.com/headgate/headgate/apis/gateway/v1"
	"github.com/headgate/headgate/controllers/outcome"
)

// Conditions of configurations and their reasons.
const (
	configAccepted   = "Accepted"
	configProgrammed = "Programmed"
	reasonAccepted   = "Accepted"
	reasonInvalid    = "Invalid"
	reasonProgrammed = "Programmed"
	reasonPending    = "Pending"
	reasonNotInUse   = "NotInUse"
)

// howUsed says of each kind of configuration how it comes to be used.
func howUsed(o client.Object) string {
	switch o.(type) {
	case *awsgwv1.LoadBalancerConfiguration:
		return "name it in spec.infrastructure.parametersRef of a Gateway, or in spec.parametersRef of a GatewayClass that has Gateways"
	case *awsgwv1.TargetGroupConfiguration:
		return "it counts where a route of a Gateway has the Service in spec.targetReference for a backend and no other TargetGroupConfiguration " +
			"counts for it, or where a LoadBalancerConfiguration in use has it for its spec.defaultTargetGroupConfiguration"
	}
	return "name it in a filter of type ExtensionRef of a route that a Gateway serves"
}

// describe writes what became of a configuration into its status, where that changes: without standings that nothing uses it.
func (k *keeper) describe(ctx context.Context, o client.Object, all []standing) error {
	old, ok := o.DeepCopyObject().(client.Object)
	said := fmt.Sprintf("%s %+v", o.GetUID(), all)
	if !ok || k.refused[client.ObjectKeyFromObject(o)] == said {
		return nil
	}
	if len(all) > 0 {
		setStatus(o, all)
	} else {
		setIdle(o)
	}
	if reflect.DeepEqual(old, o) {
		return nil
	}
	err := k.client.Status().Patch(ctx, o, underLock(old))
	switch {
	case apierrors.IsNotFound(err):
		return nil
	case err != nil:
		return fmt.Errorf("writing the status of %s %s: %w", k.kind, client.ObjectKeyFromObject(o), err)
	}
	delete(k.refused, client.ObjectKeyFromObject(o))
	if meta.FindStatusCondition(*conditionsOf(o), configAccepted) == nil {
		k.refused[client.ObjectKeyFromObject(o)] = said
	}
	return nil
}

// conditionsOf are the conditions of a configuration of any kind.
func conditionsOf(o client.Object) *[]metav1.Condition {
	switch o := o.(type) {
	case *awsgwv1.LoadBalancerConfiguration:
		return &o.Status.Conditions
	case *awsgwv1.TargetGroupConfiguration:
		return &o.Status.Conditions
	case *awsgwv1.ListenerRuleConfiguration:
		return &o.Status.Conditions
	}
	return &[]metav1.Condition{}
}

// setStatus brings the status of a configuration in line with its standings, of which there is one at least: conditions, and the fields that
// the incumbent has for it. Conditions of others stay.
func setStatus(o client.Object, all []standing) {
	conditions, generation := conditionsOf(o), o.GetGeneration()
	accepted := acceptance(all)
	accepted.ObservedGeneration = generation
	outcome.Set(conditions, accepted)
	have := meta.FindStatusCondition(*conditions, configProgrammed)
	if c, known := programmedFor(all, generation); known || have == nil || have.ObservedGeneration != generation {
		c.ObservedGeneration = generation
		outcome.Set(conditions, c)
	}
	gateways := applied(all, func(s standing) bool { return s.byGateway })
	classes := applied(all, func(s standing) bool { return s.byClass })
	switch o := o.(type) {
	case *awsgwv1.LoadBalancerConfiguration:
		note(&o.Status.ObservedGatewayConfigurationGeneration, gateways)
		note(&o.Status.ObservedGatewayClassConfigurationGeneration, classes)
	case *awsgwv1.TargetGroupConfiguration:
		note(&o.Status.ObservedGatewayConfigurationGeneration, gateways)
		note(&o.Status.ObservedGatewayClassConfigurationGeneration, classes)
	case *awsgwv1.ListenerRuleConfiguration:
		good := accepted.Status == metav1.ConditionTrue
		o.Status.Accepted, o.Status.Message, o.Status.ObservedGeneration = &good, &accepted.Message, &generation
	}
}

// setIdle says in the status of a configuration that nothing uses it: nobody judged what it says, and AWS holds nothing for it. Conditions of
// others stay.
func setIdle(o client.Object) {
	text := "no Gateway that is served here uses it: " + howUsed(o)
	for _, c := range []metav1.Condition{
		{Type: configAccepted, Status: metav1.ConditionUnknown}, {Type: configProgrammed, Status: metav1.ConditionFalse},
	} {
		c.Reason, c.Message, c.ObservedGeneration = reasonNotInUse, text, o.GetGeneration()
		outcome.Set(conditionsOf(o), c)
	}
	switch o := o.(type) {
	case *awsgwv1.LoadBalancerConfiguration:
		o.Status.ObservedGatewayConfigurationGeneration, o.Status.ObservedGatewayClassConfigurationGeneration = nil, nil
	case *awsgwv1.TargetGroupConfiguration:
		o.Status.ObservedGatewayConfigurationGeneration, o.Status.ObservedGatewayClassConfigurationGeneration = nil, nil
	case *awsgwv1.ListenerRuleConfiguration:
		o.Status.Accepted, o.Status.Message, o.Status.ObservedGeneration = nil, &text, nil
	}
}

// note writes a generation down, unless it is not known.
func note(into **int64, generation int64) {
	if generation > 0 {
		*into = &generation
	}
}

// acceptance is whether a configuration can be served as it is written, by all of its Gateways.
func acceptance(all []standing) metav1.Condition {
	out := metav1.Condition{Type: configAccepted, Status: metav1.ConditionTrue, Reason: reasonAccepted}
	var wrong, remarks []string
	for _, s := range all {
		wrong, remarks = append(wrong, s.wrong...), append(remarks, s.remarks...)
	}
	slices.Sort(wrong)
	slices.Sort(remarks)
	if len(wrong) > 0 {
		out.Status, out.Reason = metav1.ConditionFalse, reasonInvalid
	}
	out.Message = brief(append(slices.Compact(wrong), slices.Compact(remarks)...))
	return out
}

// mostTold is how many findings a condition names.
const mostTold = 20

// brief are findings in one message.
func brief(texts []string) string {
	if more := len(texts) - mostTold; more > 0 {
		texts = append(slices.Clone(texts[:mostTold]), fmt.Sprintf("and %d more", more))
	}
	return strings.Join(texts, "; ")
}

// programmedFor is whether AWS holds a generation for all Gateways that use it. It is not known while one could not find out.
func programmedFor(all []standing, generation int64) (c metav1.Condition, known bool) {
	c = metav1.Condition{Type: configProgrammed, Status: metav1.ConditionTrue, Reason: reasonProgrammed}
	known = true
	var late []string
	for _, s := range all {
		if s.applied != generation {
			late, known = append(late, s.gateway.String()), known && s.applied > 0
		}
	}
	if len(late) > 0 {
		c.Status, c.Reason = metav1.ConditionFalse, reasonPending
		c.Message = "AWS does not hold all of it yet for these Gateways: " + brief(late)
	}
	return c, known
}

// applied is the generation that AWS holds for all of the chosen standings; zero where that is not known, or none was chosen.
func applied(all []standing, chosen func(standing) bool) int64 {
	var out int64
	for _, s := range all {
		switch {
		case !chosen(s):
		case s.applied == 0:
			return 0
		case out == 0 || s.applied < out:
			out = s.applied
		}
	}
	return out
}
