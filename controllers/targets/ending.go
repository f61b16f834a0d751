package targets

import (
	"cmp"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	elbv2v1beta1 "github.com/headgate/headgate/apis/elbv2/v1beta1"
	"github.com/headgate/headgate/controllers/outcome"
	"github.com/headgate/headgate/model"
)

// Pods whose end costs requests are told of (docs/guide/rollouts.md): in namespaces that ask for readiness gates, for whoever asks for
// them wants rollouts without errors, and there pods are watched anyway.
const (
	reasonNoSleep    = "NoPreStopSleep"
	reasonShortGrace = "GracePeriodTooShort"
)

// leastSleep is the shortest sleep that is taken to cover the time until every node of a load balancer knows that a target goes.
const leastSleep = 10 * time.Second

// defaultGrace is the grace period of pods that say nothing (Kubernetes API, PodSpec.terminationGracePeriodSeconds).
const defaultGrace = 30

// ending is how a pod ends.
type ending struct {
	grace time.Duration
	// sleep of the preStop hooks, the longest, zero without one; where unsure is set, a hook waits for nobody knows how long.
	sleep  time.Duration
	unsure bool
}

func endingOf(pod *corev1.Pod) ending {
	out := ending{grace: time.Duration(ptr.Deref(pod.Spec.TerminationGracePeriodSeconds, defaultGrace)) * time.Second}
	for i := range pod.Spec.Containers {
		life := pod.Spec.Containers[i].Lifecycle
		if life == nil || life.PreStop == nil {
			continue
		}
		sleep, known := sleepOf(life.PreStop)
		out.sleep, out.unsure = max(out.sleep, sleep), out.unsure || !known
	}
	return out
}

// sleepCommand is how hooks sleep where Kubernetes does not do it for them.
var sleepCommand = regexp.MustCompile(`^(?:\S*/)?sleep (\d+)s?$`)

// sleepOf is how long a hook sleeps, and whether that is known.
func sleepOf(hook *corev1.LifecycleHandler) (time.Duration, bool) {
	if hook.Sleep != nil {
		return time.Duration(hook.Sleep.Seconds) * time.Second, true
	}
	if hook.Exec == nil {
		return 0, false
	}
	command := hook.Exec.Command
	if n := len(command); n == 3 && command[1] == "-c" {
		command = command[2:]
	}
	match := sleepCommand.FindStringSubmatch(strings.TrimSpace(strings.Join(command, " ")))
	if match == nil {
		return 0, false
	}
	seconds, err := strconv.Atoi(match[1])
	return time.Duration(seconds) * time.Second, err == nil
}

// hooks are containers that have nothing but a preStop hook, by its sleep: pods of the same end share them.
type hooks struct{ by sync.Map }

// slim is what is kept of a pod's containers: the hook that the pod's end depends on.
func (h *hooks) slim(e ending) []corev1.Container {
	if e.sleep == 0 && !e.unsure {
		return nil
	}
	e.grace = 0
	if have, ok := h.by.Load(e); ok {
		if shared, ok := have.([]corev1.Container); ok {
			return shared
		}
	}
	var out []corev1.Container
	if e.sleep > 0 {
		out = append(out, hooked(&corev1.LifecycleHandler{Sleep: &corev1.SleepAction{Seconds: int64(e.sleep / time.Second)}}))
	}
	if e.unsure {
		out = append(out, hooked(&corev1.LifecycleHandler{}))
	}
	h.by.Store(e, out)
	return out
}

func hooked(hook *corev1.LifecycleHandler) corev1.Container {
	return corev1.Container{Lifecycle: &corev1.Lifecycle{PreStop: hook}}
}

// cautions are what the owner of a binding's Service is told of how its pods end, for all of them together.
func (r *Reconciler) cautions(b *elbv2v1beta1.TargetGroupBinding, pods map[types.UID]*corev1.Pod) []outcome.Remark {
	var worst *ending
	for _, pod := range pods {
		if len(pod.Spec.ReadinessGates) == 0 {
			continue // of such nothing is kept, and what replaces them has gates
		}
		e := endingOf(pod)
		if worst == nil {
			worst = &e
			continue
		}
		worst.grace, worst.sleep, worst.unsure = min(worst.grace, e.grace), min(worst.sleep, e.sleep), worst.unsure && e.unsure
	}
	if worst == nil {
		return nil
	}
	group := cmp.Or(model.ARN(b.Spec.TargetGroupARN), r.file(types.NamespacedName{Namespace: b.Namespace, Name: b.Name}).group)
	return worst.cautions(b.Namespace+"/"+b.Spec.ServiceRef.Name, r.board.Drain(group))
}

// cautions say in words what of a pod's end costs requests. A drain of zero is one that is not known.
func (e ending) cautions(service string, drain time.Duration) []outcome.Remark {
	var out []outcome.Remark
	if !e.unsure && e.sleep < leastSleep {
		how := "have no preStop hook that sleeps"
		if e.sleep > 0 {
			how = fmt.Sprintf("have a preStop hook that sleeps %d s only", e.sleep/time.Second)
		}
		out = append(out, outcome.Remark{Reason: reasonNoSleep, Text: fmt.Sprintf(
			"pods of Service %s %s: for some seconds after a pod is deleted the load balancer still sends it requests, and they fail: "+
				"give a container lifecycle.preStop.sleep.seconds of %d or more", service, how, leastSleep/time.Second)})
	}
	switch {
	case e.sleep > 0 && e.grace <= e.sleep:
		out = append(out, outcome.Remark{Reason: reasonShortGrace, Text: fmt.Sprintf(
			"pods of Service %s are killed %d s after they are deleted, and their preStop hook sleeps %d s: no time is left to end requests: "+
				"set terminationGracePeriodSeconds to the sleep and the longest request together",
			service, e.grace/time.Second, e.sleep/time.Second)})
	case e.grace < drain:
		out = append(out, outcome.Remark{Reason: reasonShortGrace, Text: fmt.Sprintf(
			"pods of Service %s are killed %d s after they are deleted, and the load balancer waits %d s for their answers: requests that take longer "+
				"fail: set terminationGracePeriodSeconds to %d or more, or the target group's attribute deregistration_delay.timeout_seconds to %d or less",
			service, e.grace/time.Second, drain/time.Second, drain/time.Second, e.grace/time.Second)})
	}
	return out
}
