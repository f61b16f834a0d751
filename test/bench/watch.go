package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"
)

const (
	// quiet is how long nothing is written before a step counts as finished.
	quiet = 4 * time.Second
	// patience is how long a step may take.
	patience = 3 * time.Minute
)

var errLate = errors.New("it did not happen in time")

// until waits until the calls since a moment satisfy a condition, and gives when the last of them ended.
func (s *stage) until(ctx context.Context, since time.Time, enough func([]made) bool) (time.Time, error) {
	deadline := time.After(patience)
	for {
		calls, more := s.gate.since(since)
		if enough(calls) {
			return calls[len(calls)-1].ended, nil
		}
		select {
		case <-ctx.Done():
			return time.Time{}, fmt.Errorf("waiting for calls: %w", ctx.Err())
		case <-deadline:
			reads, writes, refused := count(calls)
			return time.Time{}, fmt.Errorf("%s: %d reads, %d writes, %d refused: %w", s.name, reads, writes, refused, errLate)
		case <-more:
		}
	}
}

// settle waits until nothing is written any more, and gives the calls since a moment and the end of the last write.
func (s *stage) settle(ctx context.Context, since time.Time) ([]made, time.Time, error) {
	for {
		calls, _ := s.gate.since(since)
		last := since
		for _, m := range calls {
			if m.Writes() && m.ended.After(last) {
				last = m.ended
			}
		}
		if time.Since(last) > quiet && time.Since(since) > quiet {
			return calls, last, nil
		}
		select {
		case <-ctx.Done():
			return nil, last, fmt.Errorf("waiting for the end: %w", ctx.Err())
		case <-time.After(quiet / 20):
		}
	}
}

// registered are the targets of accepted calls: pairs of a group and an address.
func registered(calls []made) map[string]bool {
	out := map[string]bool{}
	for _, m := range calls {
		if m.Action != "RegisterTargets" || m.refused {
			continue
		}
		form, err := url.ParseQuery(m.body)
		if err != nil {
			continue
		}
		for key, values := range form {
			if strings.HasSuffix(key, ".Id") {
				out[form.Get("TargetGroupArn")+" "+values[0]] = true
			}
		}
	}
	return out
}

func done(action string) func([]made) bool {
	return func(calls []made) bool {
		for _, m := range calls {
			if m.Action == action && !m.refused {
				return true
			}
		}
		return false
	}
}

// registers is whether a target of that address was registered.
func registers(address string) func([]made) bool {
	return func(calls []made) bool {
		for target := range registered(calls) {
			if strings.HasSuffix(target, " "+address) {
				return true
			}
		}
		return false
	}
}

// addressed waits until all objects show an address or are accepted, and says when the last one did.
func (s *stage) addressed(ctx context.Context, wanted int) (time.Time, error) {
	deadline := time.Now().Add(patience)
	for time.Now().Before(deadline) {
		got, err := s.addresses(ctx)
		if err != nil {
			return time.Time{}, err
		}
		if got >= wanted {
			return time.Now(), nil
		}
		select {
		case <-ctx.Done():
			return time.Time{}, fmt.Errorf("waiting for addresses: %w", ctx.Err())
		case <-time.After(20 * time.Millisecond):
		}
	}
	return time.Time{}, fmt.Errorf("%s: addresses: %w", s.name, errLate)
}

// addresses counts the Ingresses and Gateways that show an address, and the routes that are accepted.
func (s *stage) addresses(ctx context.Context) (int, error) {
	var ingresses networkingv1.IngressList
	var gateways gwv1.GatewayList
	var routes gwv1.HTTPRouteList
	for _, list := range []client.ObjectList{&ingresses, &gateways, &routes} {
		if err := s.client.List(ctx, list, client.InNamespace(s.name)); err != nil {
			return 0, fmt.Errorf("asking for addresses: %w", err)
		}
	}
	n := 0
	for i := range ingresses.Items {
		n += min(1, len(ingresses.Items[i].Status.LoadBalancer.Ingress))
	}
	for i := range gateways.Items {
		n += min(1, len(gateways.Items[i].Status.Addresses))
	}
	for i := range routes.Items {
		n += min(1, len(routes.Items[i].Status.Parents))
	}
	return n, nil
}

// remaining counts the members that are still there.
func (s *stage) remaining(ctx context.Context) (int, error) {
	n := 0
	for _, list := range []client.ObjectList{&networkingv1.IngressList{}, &gwv1.GatewayList{}, &gwv1.HTTPRouteList{}} {
		if err := s.client.List(ctx, list, client.InNamespace(s.name)); err != nil {
			return 0, fmt.Errorf("asking what is left: %w", err)
		}
		switch l := list.(type) {
		case *networkingv1.IngressList:
			n += len(l.Items)
		case *gwv1.GatewayList:
			n += len(l.Items)
		case *gwv1.HTTPRouteList:
			n += len(l.Items)
		}
	}
	return n, nil
}

// sweep deletes what a case left in the cluster, without waiting for an operator that is gone.
func (s *stage) sweep(ctx context.Context) error {
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: s.name}}
	if err := s.client.Delete(ctx, namespace); client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("deleting the namespace: %w", err)
	}
	return nil
}

// cpu is the processor time that the operator used since its start.
func (s *stage) cpu() (time.Duration, error) {
	const user, system, ticks = 11, 12, 100
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.child.PID()))
	if err != nil {
		return 0, fmt.Errorf("asking for the operator's time: %w", err)
	}
	_, rest, _ := strings.Cut(string(data), ") ")
	fields := strings.Fields(rest)
	if len(fields) <= system {
		return 0, fmt.Errorf("reading the operator's time: %w", errNoFigure)
	}
	var sum int
	for _, i := range []int{user, system} {
		n, err := strconv.Atoi(fields[i])
		if err != nil {
			return 0, fmt.Errorf("reading the operator's time: %w", err)
		}
		sum += n
	}
	return time.Duration(sum) * time.Second / ticks, nil
}

// memory is what the operator holds now and held at most, in MiB.
func (s *stage) memory() (now, peak float64, err error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.child.PID()))
	if err != nil {
		return 0, 0, fmt.Errorf("asking for the operator's memory: %w", err)
	}
	for line := range strings.Lines(string(data)) {
		fields := strings.Fields(line)
		if len(fields) < 2 {
			continue
		}
		kib, err := strconv.ParseFloat(fields[1], 64)
		if err != nil {
			continue
		}
		switch fields[0] {
		case "VmRSS:":
			now = kib / 1024
		case "VmHWM:":
			peak = kib / 1024
		}
	}
	return now, peak, nil
}

// serving is when the first host had all its rules, each with a target behind it.
func serving(calls []made) (time.Time, error) {
	filled, byHost := filledGroups(calls), map[string][]time.Time{}
	for _, m := range calls {
		if m.Action != "CreateRule" || m.refused {
			continue
		}
		host, group := leads(m)
		if at, ok := filled[group]; ok {
			byHost[host] = append(byHost[host], slices.MaxFunc([]time.Time{at, m.ended}, time.Time.Compare))
		}
	}
	var first time.Time
	for _, all := range byHost {
		last := slices.MaxFunc(all, time.Time.Compare)
		if len(all) == pathsEach && (first.IsZero() || last.Before(first)) {
			first = last
		}
	}
	if first.IsZero() {
		return first, fmt.Errorf("%w: no host has %d rules", errNoFigure, pathsEach)
	}
	return first, nil
}

// filledGroups are the target groups that have a target, with since when.
func filledGroups(calls []made) map[string]time.Time {
	out := map[string]time.Time{}
	for _, m := range calls {
		form, err := url.ParseQuery(m.body)
		if err != nil || m.refused || m.Action != "RegisterTargets" {
			continue
		}
		group := form.Get("TargetGroupArn")
		if before, known := out[group]; !known || m.ended.Before(before) {
			out[group] = m.ended
		}
	}
	return out
}

// leads is the host of a rule that is made, and the target group that it forwards to.
func leads(m made) (host, group string) {
	form, err := url.ParseQuery(m.body)
	if err != nil {
		return "", ""
	}
	for key, values := range form {
		switch {
		case strings.Contains(key, "HostHeaderConfig.Values"):
			host = values[0]
		case strings.HasSuffix(key, "TargetGroupArn"):
			group = values[0]
		}
	}
	return host, group
}
