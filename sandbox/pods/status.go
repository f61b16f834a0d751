package pods

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// ReadyAnnotation on a pod, with the value "false", lets its readiness fail as a probe would.
const ReadyAnnotation = "sandbox.headgate.dev/ready"

// status is what a kubelet says of a pod that runs.
func (p *pod) status(object *corev1.Pod) corev1.PodStatus {
	status := scheduled(object)
	status.Phase = corev1.PodRunning
	status.HostIP = p.node.Address.String()
	status.HostIPs = []corev1.HostIP{{IP: status.HostIP}}
	status.PodIP = p.address.String()
	status.PodIPs = []corev1.PodIP{{IP: status.PodIP}}
	status.StartTime = &p.started
	containersReady := object.Annotations[ReadyAnnotation] != "false"
	for _, c := range object.Spec.Containers {
		status.ContainerStatuses = append(status.ContainerStatuses, containerStatus(object, c, corev1.ContainerState{
			Running: &corev1.ContainerStateRunning{StartedAt: p.started},
		}, containersReady))
	}
	conditions := conditionsOf(object, &status)
	conditions.set(corev1.PodReadyToStartContainers, yes())
	conditions.set(corev1.PodInitialized, yes())
	if !containersReady {
		not := verdict{corev1.ConditionFalse, "ContainersNotReady", "annotation " + ReadyAnnotation + " is false"}
		conditions.set(corev1.ContainersReady, not)
		conditions.set(corev1.PodReady, not)
		return status
	}
	conditions.set(corev1.ContainersReady, yes())
	conditions.set(corev1.PodReady, gates(object))
	return status
}

// gates is the verdict on a pod whose containers are ready: only its readiness gates may hold it back.
func gates(object *corev1.Pod) verdict {
	for _, gate := range object.Spec.ReadinessGates {
		open := slices.ContainsFunc(object.Status.Conditions, func(c corev1.PodCondition) bool {
			return c.Type == gate.ConditionType && c.Status == corev1.ConditionTrue
		})
		if !open {
			message := fmt.Sprintf("the status of pod readiness gate %q is not \"True\"", gate.ConditionType)
			return verdict{corev1.ConditionFalse, "ReadinessGatesNotReady", message}
		}
	}
	return yes()
}

// waiting is the status of a pod that cannot start, with the reason.
func waiting(object *corev1.Pod, reason error) corev1.PodStatus {
	status := scheduled(object)
	status.Phase = corev1.PodPending
	for _, c := range object.Spec.Containers {
		status.ContainerStatuses = append(status.ContainerStatuses, containerStatus(object, c, corev1.ContainerState{
			Waiting: &corev1.ContainerStateWaiting{Reason: "ContainerCreating", Message: reason.Error()},
		}, false))
	}
	not := verdict{corev1.ConditionFalse, "ContainersNotReady", reason.Error()}
	conditions := conditionsOf(object, &status)
	conditions.set(corev1.ContainersReady, not)
	conditions.set(corev1.PodReady, not)
	return status
}

// completed is the status of a pod whose containers have ended well.
func completed(object *corev1.Pod) corev1.PodStatus {
	status := scheduled(object)
	status.Phase = corev1.PodSucceeded
	now := metav1.Now()
	for _, c := range object.Spec.Containers {
		status.ContainerStatuses = append(status.ContainerStatuses, containerStatus(object, c, corev1.ContainerState{
			Terminated: &corev1.ContainerStateTerminated{Reason: "Completed", StartedAt: now, FinishedAt: now},
		}, false))
	}
	done := verdict{corev1.ConditionFalse, "PodCompleted", ""}
	conditions := conditionsOf(object, &status)
	conditions.set(corev1.PodInitialized, verdict{corev1.ConditionTrue, "PodCompleted", ""})
	conditions.set(corev1.ContainersReady, done)
	conditions.set(corev1.PodReady, done)
	return status
}

// unschedulable is the status of a pod for which there is no node.
func unschedulable(object *corev1.Pod, reason error) corev1.PodStatus {
	status := corev1.PodStatus{Phase: corev1.PodPending, ObservedGeneration: object.Generation}
	conditions := conditionsOf(object, &status)
	conditions.set(corev1.PodScheduled, verdict{corev1.ConditionFalse, corev1.PodReasonUnschedulable, reason.Error()})
	return status
}

func scheduled(object *corev1.Pod) corev1.PodStatus {
	status := corev1.PodStatus{ObservedGeneration: object.Generation}
	conditions := conditionsOf(object, &status)
	conditions.set(corev1.PodScheduled, yes())
	for _, c := range object.Spec.InitContainers {
		now := metav1.Now()
		if object.Status.StartTime != nil {
			now = *object.Status.StartTime
		}
		state := corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{Reason: "Completed", StartedAt: now, FinishedAt: now}}
		status.InitContainerStatuses = append(status.InitContainerStatuses, containerStatus(object, c, state, true))
	}
	return status
}

func containerStatus(object *corev1.Pod, c corev1.Container, state corev1.ContainerState, ready bool) corev1.ContainerStatus {
	running := state.Running != nil
	return corev1.ContainerStatus{
		Name: c.Name, Image: c.Image, ImageID: c.Image, ContainerID: "echo://" + string(object.UID) + "/" + c.Name,
		State: state, Ready: ready, Started: &running,
	}
}

// verdict is a condition's value and why.
type verdict struct {
	status          corev1.ConditionStatus
	reason, message string
}

func yes() verdict { return verdict{status: corev1.ConditionTrue} }

// conditions writes conditions into a status, keeping the times of those that stay as they were.
type conditions struct {
	object *corev1.Pod
	status *corev1.PodStatus
}

func conditionsOf(object *corev1.Pod, status *corev1.PodStatus) conditions {
	return conditions{object, status}
}

func (c conditions) set(kind corev1.PodConditionType, v verdict) {
	condition := corev1.PodCondition{
		Type: kind, Status: v.status, Reason: v.reason, Message: v.message,
		LastTransitionTime: metav1.Now(), ObservedGeneration: c.object.Generation,
	}
	for _, before := range c.object.Status.Conditions {
		if before.Type == kind && before.Status == v.status {
			condition.LastTransitionTime = before.LastTransitionTime
		}
	}
	c.status.Conditions = append(c.status.Conditions, condition)
}

// patchStatus writes the status if it says anything new. Conditions of others, such as readiness gates, stay:
// a strategic merge goes by their type.
func (r *Runner) patchStatus(ctx context.Context, object *corev1.Pod, status corev1.PodStatus) error {
	if said(object.Status, status) {
		return nil
	}
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"uid": object.UID}, "status": status})
	if err != nil {
		return fmt.Errorf("encoding the status: %w", err)
	}
	_, err = r.client.CoreV1().Pods(object.Namespace).Patch(ctx, object.Name, types.StrategicMergePatchType, patch, metav1.PatchOptions{}, "status")
	if apierrors.IsNotFound(err) || apierrors.IsConflict(err) {
		return nil // it is gone, or another one by now
	}
	if err != nil {
		return fmt.Errorf("writing the status: %w", err)
	}
	return nil
}

// said tells whether the object's status has all of what is to be said.
func said(before, status corev1.PodStatus) bool {
	merged := *before.DeepCopy()
	for _, condition := range status.Conditions {
		i := slices.IndexFunc(merged.Conditions, func(c corev1.PodCondition) bool { return c.Type == condition.Type })
		if i < 0 || !equality.Semantic.DeepEqual(merged.Conditions[i], condition) {
			return false
		}
	}
	status.Conditions, merged.Conditions = nil, nil
	status.QOSClass, merged.QOSClass = "", ""
	if status.StartTime == nil {
		merged.StartTime = nil
	}
	return equality.Semantic.DeepEqual(merged, status)
}
