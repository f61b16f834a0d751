package demo

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	corev1 "k8s.io/api/core/v1"

	"github.com/headgate/headgate/sandbox"
)

func (t *tour) scale(ctx context.Context) error {
	for _, n := range []int{5, 1, 2} {
		if _, err := t.Kubectl(ctx, "-n", "cart", "scale", "deployment/cart", fmt.Sprintf("--replicas=%d", n)); err != nil {
			return err
		}
		begin := time.Now()
		if err := sandbox.Until(ctx, func(ctx context.Context) error { return t.healthy(ctx, "cart/cart:80", n) }); err != nil {
			return fmt.Errorf("waiting for it: %w", err)
		}
		t.ok("replicas: %d; healthy targets: %d, after %s", n, n, time.Since(begin).Round(100*time.Millisecond))
	}
	return nil
}

// healthy checks that a backend of the shop has n targets, all healthy.
func (t *tour) healthy(ctx context.Context, backend string, n int) error {
	shop, _, err := t.loadBalancers(ctx)
	if err != nil {
		return err
	}
	for _, g := range shop.Status.Targets {
		if g.Backend != backend {
			continue
		}
		if int(g.Healthy) == n && int(g.Total) == n {
			return nil
		}
		return errNot("backend %s has %d healthy of %d targets, expected %d", backend, g.Healthy, g.Total, n)
	}
	return errNot("LoadBalancer %s has no target group for %s", shop.Name, backend)
}

// breakOne adds a broken Ingress while requests to the other team go on.
func (t *tour) breakOne(ctx context.Context) error {
	shop, _, err := t.loadBalancers(ctx)
	if err != nil {
		return err
	}
	stop := make(chan struct{})
	failed := make(chan error, 1)
	sent := 0
	go func() {
		failed <- t.keepAsking(ctx, request{loadBalancer: shop.Status.DNSName, scheme: "http", host: shopHost, path: "/catalog"}, &sent, stop)
	}()
	err = t.addBroken(ctx)
	close(stop)
	if err := errors.Join(err, <-failed); err != nil {
		return err
	}
	t.ok("meanwhile %d requests to the other team's /catalog, none failed", sent)
	for path, pod := range map[string]string{"/cart": "cart-"} {
		r := request{loadBalancer: shop.Status.DNSName, scheme: "http", host: shopHost, path: path}
		if _, err := t.expect(ctx, r, 200, pod); err != nil {
			return err
		}
	}
	return nil
}

func (t *tour) keepAsking(ctx context.Context, r request, sent *int, stop <-chan struct{}) error {
	for {
		select {
		case <-stop:
			return nil
		case <-time.After(20 * time.Millisecond):
		}
		got, err := t.clients.do(ctx, r)
		if err != nil {
			return err
		}
		if got.status != 200 {
			return errNot("request %d to %s was answered %d", *sent, r.path, got.status)
		}
		*sent++
	}
}

// addBroken applies the broken Ingress, waits until its owner is told, then edits a good Ingress of the group and waits until that
// edit serves: the broken one holds nobody up.
func (t *tour) addBroken(ctx context.Context) error {
	if _, err := t.Kubectl(ctx, "apply", "-f", t.Broken); err != nil {
		return err
	}
	var said string
	err := sandbox.Until(ctx, func(ctx context.Context) error {
		var err error
		said, err = t.warning(ctx, "cart", "broken")
		return err
	})
	if err != nil {
		return fmt.Errorf("waiting for it: %w", err)
	}
	t.ok("its owner is told, by an event on Ingress cart/broken: %s", said)
	patch := `[{"op":"add","path":"/spec/rules/0/http/paths/-","value":{"path":"/new","pathType":"Prefix",` +
		`"backend":{"service":{"name":"catalog","port":{"number":80}}}}}]`
	if _, err := t.Kubectl(ctx, "-n", "catalog", "patch", "ingress", "catalog", "--type=json", "-p", patch); err != nil {
		return err
	}
	shop, _, err := t.loadBalancers(ctx)
	if err != nil {
		return err
	}
	err = sandbox.Until(ctx, func(ctx context.Context) error {
		got, err := t.clients.do(ctx, request{loadBalancer: shop.Status.DNSName, scheme: "http", host: shopHost, path: "/new"})
		if err == nil && got.status != 200 {
			err = errNot("/new is answered %d", got.status)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("a good change of another member should land: %w", err)
	}
	t.ok("a change of another member of the group lands: /new is served")
	return nil
}

// warning is the text of a warning event about an Ingress.
func (t *tour) warning(ctx context.Context, namespace, name string) (string, error) {
	var list corev1.EventList
	if err := t.Client.List(ctx, &list); err != nil {
		return "", fmt.Errorf("listing events: %w", err)
	}
	for _, e := range list.Items {
		o := e.InvolvedObject
		if e.Type == corev1.EventTypeWarning && o.Kind == "Ingress" && o.Namespace == namespace && o.Name == name {
			return e.Reason + ": " + e.Message, nil
		}
	}
	return "", errNot("Ingress %s/%s has no warning event", namespace, name)
}

// steady waits for the calls to end, and then counts those that write.
func (t *tour) steady(ctx context.Context) error {
	const window = 3 * time.Second
	err := sandbox.Until(ctx, func(ctx context.Context) error {
		before := t.writes()
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(window):
		}
		if more := t.writes() - before; more > 0 {
			return errNot("%d calls wrote within %s", more, window)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("waiting for it: %w", err)
	}
	t.ok("no call wrote anything for %s", window)
	return nil
}

func (t *tour) deleteAll(ctx context.Context) error {
	if _, err := t.Kubectl(ctx, "delete", "-f", t.Broken, "--wait=false"); err != nil {
		return err
	}
	// The namespaces, with the pods in them, go last.
	for _, f := range slices.Backward(t.files) {
		if _, err := t.Kubectl(ctx, "delete", "-f", f, "--timeout=80s"); err != nil {
			return err
		}
	}
	t.ok("all objects are gone, finalizers and all")
	if err := sandbox.Until(ctx, t.empty); err != nil {
		return fmt.Errorf("waiting for it: %w", err)
	}
	t.ok("the account has no load balancer, no target group and no security group of ours")
	return t.clean()
}

// empty checks that nothing that Headgate made is left in the account.
func (t *tour) empty(ctx context.Context) error {
	elb := elasticloadbalancingv2.NewFromConfig(t.Sim.AWSConfig())
	balancers, err := elb.DescribeLoadBalancers(ctx, &elasticloadbalancingv2.DescribeLoadBalancersInput{})
	if err != nil {
		return fmt.Errorf("describing load balancers: %w", err)
	}
	groups, err := elb.DescribeTargetGroups(ctx, &elasticloadbalancingv2.DescribeTargetGroupsInput{})
	if err != nil {
		return fmt.Errorf("describing target groups: %w", err)
	}
	security, err := ec2.NewFromConfig(t.Sim.AWSConfig()).DescribeSecurityGroups(ctx, &ec2.DescribeSecurityGroupsInput{})
	if err != nil {
		return fmt.Errorf("describing security groups: %w", err)
	}
	var left []string
	for _, lb := range balancers.LoadBalancers {
		left = append(left, *lb.LoadBalancerName)
	}
	for _, g := range groups.TargetGroups {
		left = append(left, *g.TargetGroupName)
	}
	for _, g := range security.SecurityGroups {
		if strings.HasPrefix(*g.GroupName, "k8s-") {
			left = append(left, *g.GroupName)
		}
	}
	if len(left) > 0 {
		return errNot("left in the account: %s", strings.Join(left, ", "))
	}
	return nil
}

// writes counts the AWS calls that wrote, so far.
func (t *tour) writes() int { return t.Sim.Calls().Writes }
