package pods

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// sync brings one pod a step further. It says after which time to look again, if by itself nothing will
// happen.
func (r *Runner) sync(ctx context.Context, key types.NamespacedName) (time.Duration, error) {
	object, err := r.pods.Pods(key.Namespace).Get(key.Name)
	if apierrors.IsNotFound(err) {
		return 0, r.forget(ctx, key)
	}
	if err != nil {
		return 0, fmt.Errorf("looking the pod up: %w", err)
	}
	if known := r.known(key); known != nil && known.uid != object.UID {
		if err := r.forget(ctx, key); err != nil {
			return 0, err
		}
	}
	_, ours := r.nodes[object.Spec.NodeName]
	switch {
	case object.DeletionTimestamp != nil && (ours || object.Spec.NodeName == ""):
		return r.terminate(ctx, key, object)
	case finished(object):
		return 0, r.forget(ctx, key)
	case object.Spec.NodeName == "":
		return 0, r.bind(ctx, object)
	case ours:
		return 0, r.run(ctx, key, object)
	}
	return 0, nil
}

func finished(p *corev1.Pod) bool {
	return p.Status.Phase == corev1.PodSucceeded || p.Status.Phase == corev1.PodFailed
}

// run makes the pod serve, and then say so.
func (r *Runner) run(ctx context.Context, key types.NamespacedName, object *corev1.Pod) error {
	if object.Spec.RestartPolicy != corev1.RestartPolicyAlways {
		return r.patchStatus(ctx, object, completed(object)) // an echo has nothing to complete
	}
	p := r.known(key)
	if p == nil {
		started, err := r.admit(ctx, object)
		if err != nil {
			return errors.Join(err, r.patchStatus(ctx, object, waiting(object, err)))
		}
		p = started
		r.mu.Lock()
		r.running[key] = p
		r.mu.Unlock()
	}
	if err := r.serve(ctx, p, object); err != nil {
		return err
	}
	return r.patchStatus(ctx, object, p.status(object))
}

// admit gives a pod an address and its containers.
func (r *Runner) admit(ctx context.Context, object *corev1.Pod) (*pod, error) {
	on := r.nodes[object.Spec.NodeName]
	p := &pod{uid: object.UID, node: on, address: on.Address, started: metav1.Now(), ports: map[portKey]string{}}
	if object.Status.StartTime != nil {
		p.started = *object.Status.StartTime
	}
	if err := r.fillContainers(ctx, p, object); err != nil {
		return nil, err
	}
	if object.Spec.HostNetwork {
		return p, nil
	}
	wanted, err := netip.ParseAddr(object.Status.PodIP)
	if err != nil {
		wanted = netip.Addr{} // it has none yet
	}
	if p.address, err = on.claim(wanted); err != nil {
		return nil, errors.Join(err, p.close(ctx))
	}
	p.claimed = true
	return p, nil
}

// serve listens on the ports that the pod does not serve yet, and tells the network.
func (r *Runner) serve(ctx context.Context, p *pod, object *corev1.Pod) error {
	if !p.attached {
		if err := p.node.attach(ctx, r.network); err != nil {
			return err
		}
		p.attached = true
	}
	services, err := r.servicesOf(object)
	if err != nil {
		return err
	}
	added, err := p.listen(ctx, wantedPorts(object, services))
	if len(added) > 0 {
		err = errors.Join(err, r.network.Reach(ctx, added))
	}
	if err != nil {
		return fmt.Errorf("serving the pod's ports: %w", err)
	}
	return nil
}

// terminate lets a deleted pod answer a while longer, as real ones do while load balancers learn of it, then
// stops it and removes the object.
func (r *Runner) terminate(ctx context.Context, key types.NamespacedName, object *corev1.Pod) (time.Duration, error) {
	if p := r.known(key); p != nil {
		if left := r.lingers(p, object); left > 0 {
			return left, nil
		}
	}
	if err := r.forget(ctx, key); err != nil {
		return 0, err
	}
	if len(object.Finalizers) > 0 && !finished(object) {
		// Whoever holds the finalizer waits for the end of the containers.
		if err := r.patchStatus(ctx, object, completed(object)); err != nil {
			return 0, err
		}
	}
	now := int64(0)
	err := r.client.CoreV1().Pods(key.Namespace).Delete(ctx, key.Name, metav1.DeleteOptions{
		GracePeriodSeconds: &now, Preconditions: &metav1.Preconditions{UID: &object.UID},
	})
	if err != nil && !apierrors.IsNotFound(err) && !apierrors.IsConflict(err) {
		return 0, fmt.Errorf("removing the pod: %w", err)
	}
	return 0, nil
}

// lingers is how long the pod still has: its preStop hook's sleep, else DefaultLinger, and never more than
// its grace period. It counts from when the deletion was seen: the API server rounds when it was to seconds.
func (r *Runner) lingers(p *pod, object *corev1.Pod) time.Duration {
	grace := time.Duration(0)
	if object.DeletionGracePeriodSeconds != nil {
		grace = time.Duration(*object.DeletionGracePeriodSeconds) * time.Second
	}
	linger := DefaultLinger
	if sleep := preStop(object); sleep > 0 {
		linger = time.Duration(float64(sleep) / r.speed)
	}
	if p.ending.IsZero() {
		p.ending = time.Now()
	}
	return time.Until(p.ending.Add(min(linger, grace)))
}

// sleepCommand is how images without a shutdown of their own wait for load balancers.
var sleepCommand = regexp.MustCompile(`(?:^|[\s/;&])sleep (\d+)`)

// preStop is the longest sleep of the containers' preStop hooks.
func preStop(object *corev1.Pod) time.Duration {
	longest := time.Duration(0)
	for _, c := range object.Spec.Containers {
		if c.Lifecycle == nil || c.Lifecycle.PreStop == nil {
			continue
		}
		if hook := c.Lifecycle.PreStop; hook.Sleep != nil {
			longest = max(longest, time.Duration(hook.Sleep.Seconds)*time.Second)
		} else if hook.Exec != nil {
			longest = max(longest, sleepOf(strings.Join(hook.Exec.Command, " ")))
		}
	}
	return longest
}

func sleepOf(command string) time.Duration {
	match := sleepCommand.FindStringSubmatch(command)
	if match == nil {
		return 0
	}
	seconds, err := strconv.Atoi(match[1])
	if err != nil {
		return 0
	}
	return time.Duration(seconds) * time.Second
}

// forget stops a pod that is gone and gives its address back. The ports stop first: an address is never
// another pod's while this one still answers.
func (r *Runner) forget(ctx context.Context, key types.NamespacedName) error {
	p := r.known(key)
	if p == nil {
		return nil
	}
	failures := []error{p.drain(ctx), r.network.Reach(ctx, p.unreachable())}
	if p.claimed {
		p.node.release(p.address)
		failures = append(failures, p.node.attach(ctx, r.network))
	}
	r.mu.Lock()
	delete(r.running, key)
	r.mu.Unlock()
	if err := errors.Join(failures...); err != nil {
		return fmt.Errorf("stopping pod %s: %w", key, err)
	}
	return nil
}

func (r *Runner) known(key types.NamespacedName) *pod {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.running[key]
}
