package demo

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/acm"
	networkingv1 "k8s.io/api/networking/v1"

	headgatev1alpha1 "github.com/headgate/headgate/apis/headgate/v1alpha1"
	"github.com/headgate/headgate/sandbox"
)

// The names of the shop.
const (
	shopHost    = "shop.example.com"
	searchHost  = "search.example.com"
	paymentHost = "payment.example.com"
)

var certificateARN = regexp.MustCompile(`arn:aws:acm:[^\s]+`)

// errNot is the error of a check that does not hold.
func errNot(format string, args ...any) error { return fmt.Errorf(format, args...) }

func (t *tour) importCertificate(ctx context.Context) error {
	c, err := newCertificate("*.example.com")
	if err != nil {
		return err
	}
	out, err := acm.NewFromConfig(t.Sim.AWSConfig()).ImportCertificate(ctx, &acm.ImportCertificateInput{Certificate: c.cert, PrivateKey: c.key})
	if err != nil {
		return fmt.Errorf("importing the certificate into ACM: %w", err)
	}
	c.arn = aws.ToString(out.CertificateArn)
	t.certificate = c
	resolver := &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, t.Sim.DNSAddr())
	}}
	t.clients = clients{resolver: resolver, pool: c.pool, offset: t.PortOffset}
	t.ok("ACM has %s", c.arn)
	return t.prepare()
}

// prepare copies the example with the certificate's ARN put in.
func (t *tour) prepare() error {
	dir, err := os.MkdirTemp("", "headgate-demo-")
	if err != nil {
		return fmt.Errorf("making a directory: %w", err)
	}
	names, err := filepath.Glob(filepath.Join(t.Examples, "[0-9]*.yaml"))
	if err != nil || len(names) == 0 {
		return errors.Join(errNot("no manifests in %s", t.Examples), err)
	}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			return fmt.Errorf("reading the example: %w", err)
		}
		data = certificateARN.ReplaceAll(data, []byte(t.certificate.arn))
		path := filepath.Join(dir, filepath.Base(name))
		if err := os.WriteFile(path, data, 0o600); err != nil {
			return fmt.Errorf("writing the example: %w", err)
		}
		t.files = append(t.files, path)
	}
	return nil
}

func (t *tour) dir() string { return filepath.Dir(t.files[0]) }

func (t *tour) plan(ctx context.Context) error {
	// As the sandbox runs its operator.
	out, err := t.Headgate(ctx, "plan", "-f", t.dir(), "--cluster-name=headgate", "--default-target-type=ip")
	exit, ok := errors.AsType[*exec.ExitError](err)
	if err != nil && !ok {
		return err
	}
	t.print(out)
	if err == nil || exit.ExitCode() != 2 {
		return errNot("headgate plan should end with 2, for there is something to do: %v", err)
	}
	if n := strings.Count(out, "LoadBalancer/"); n < 2 {
		return errNot("the plan should name two load balancers, it names %d", n)
	}
	if strings.Contains(out, "503") {
		return errNot("the plan closes what the shop asks for")
	}
	t.ok("the plan was made from YAML alone, and exit code 2 says that there are changes")
	return nil
}

func (t *tour) apply(ctx context.Context) error {
	for _, f := range t.files {
		out, err := t.Kubectl(ctx, "apply", "-f", f)
		t.print(out)
		if err != nil {
			return err
		}
	}
	t.ok("the API server took all objects")
	return nil
}

// loadBalancers are the LoadBalancer objects, the Ingress group's first.
func (t *tour) loadBalancers(ctx context.Context) (shop, gateway headgatev1alpha1.LoadBalancer, err error) {
	var list headgatev1alpha1.LoadBalancerList
	if err := t.Client.List(ctx, &list); err != nil {
		return shop, gateway, fmt.Errorf("listing LoadBalancers: %w", err)
	}
	if len(list.Items) != 2 {
		return shop, gateway, errNot("there should be 2 LoadBalancers, there are %d", len(list.Items))
	}
	for _, lb := range list.Items {
		if len(lb.Status.Sources) > 0 && lb.Status.Sources[0].Kind == "Ingress" {
			shop = lb
		} else {
			gateway = lb
		}
	}
	return shop, gateway, nil
}

func (t *tour) active(ctx context.Context) error {
	err := sandbox.Until(ctx, func(ctx context.Context) error {
		shop, gateway, err := t.loadBalancers(ctx)
		if err != nil {
			return err
		}
		for _, lb := range []headgatev1alpha1.LoadBalancer{shop, gateway} {
			if lb.Status.State != "active" || !ready(lb) {
				return errNot("LoadBalancer %s is %q, targets healthy %s", lb.Name, lb.Status.State, lb.Status.Summary.Healthy)
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("waiting for it: %w", err)
	}
	t.ok("2 load balancers are active and all their targets are healthy")
	return nil
}

func ready(lb headgatev1alpha1.LoadBalancer) bool {
	for _, c := range lb.Status.Conditions {
		if c.Type == headgatev1alpha1.ConditionReady {
			return c.Status == "True"
		}
	}
	return false
}

func (t *tour) show(ctx context.Context) error {
	for _, args := range [][]string{{"get", "lb"}, {"get", "ingress,gateway,httproute", "-A"}} {
		out, err := t.Kubectl(ctx, args...)
		if err != nil {
			return err
		}
		fmt.Fprintf(t.Out, "   $ kubectl %s\n", strings.Join(args, " "))
		t.print(out)
	}
	shop, _, err := t.loadBalancers(ctx)
	if err != nil {
		return err
	}
	var list networkingv1.IngressList
	if err := t.Client.List(ctx, &list); err != nil {
		return fmt.Errorf("listing Ingresses: %w", err)
	}
	for _, i := range list.Items {
		in := i.Status.LoadBalancer.Ingress
		if len(in) != 1 || in[0].Hostname != strings.ToLower(shop.Status.DNSName) {
			return errNot("the status of Ingress %s/%s should hold %s, it is %v", i.Namespace, i.Name, shop.Status.DNSName, in)
		}
	}
	t.ok("both Ingresses have the address of one load balancer in their status")
	return nil
}

// expect sends a request and checks the answer: the pod's name must begin with pod; with "" the load balancer itself answers.
func (t *tour) expect(ctx context.Context, r request, status int, pod string) (response, error) {
	got, err := t.clients.do(ctx, r)
	if err != nil {
		return got, err
	}
	if got.status != status || !strings.HasPrefix(got.pod, pod) || pod == "" && got.pod != "" {
		return got, errNot("%s://%s%s: answer %d from pod %q, expected %d from %q", r.scheme, r.host, r.path, got.status, got.pod, status, pod)
	}
	who := "pod " + got.pod
	if got.pod == "" {
		who = "the load balancer"
	}
	if got.location != "" {
		who += ", Location: " + got.location
	}
	t.ok("%s → %d, %s", r, got.status, who)
	return got, nil
}

func (t *tour) ingressTraffic(ctx context.Context) error {
	shop, _, err := t.loadBalancers(ctx)
	if err != nil {
		return err
	}
	to := func(path string) request {
		return request{loadBalancer: shop.Status.DNSName, scheme: "http", host: shopHost, path: path}
	}
	for _, c := range []struct {
		path   string
		status int
		pod    string
	}{{"/catalog", 200, "catalog-"}, {"/catalog/books", 200, "catalog-"}, {"/cart", 200, "cart-"}, {"/nothing", 404, ""}} {
		if _, err := t.expect(ctx, to(c.path), c.status, c.pod); err != nil {
			return err
		}
	}
	got, err := t.expect(ctx, to("/old-catalog"), 301, "")
	if err != nil {
		return err
	}
	if !strings.HasSuffix(got.location, "/catalog") {
		return errNot("the redirect leads to %s", got.location)
	}
	return nil
}

func (t *tour) gatewayTraffic(ctx context.Context) error {
	_, gateway, err := t.loadBalancers(ctx)
	if err != nil {
		return err
	}
	base := request{loadBalancer: gateway.Status.DNSName, scheme: "https"}
	search, pay, plain := base, base, base
	search.host, search.path = searchHost, "/"
	pay.host, pay.path = paymentHost, "/pay/now"
	plain.scheme, plain.host, plain.path = "http", paymentHost, "/pay"
	if _, err := t.expect(ctx, pay, 200, "payment-"); err != nil {
		return err
	}
	if got, err := t.expect(ctx, plain, 301, ""); err != nil || !strings.HasPrefix(got.location, "https://"+paymentHost) {
		return errors.Join(errNot("the redirect leads to %s", got.location), err)
	}
	preview := search
	preview.header = map[string]string{"X-Preview": "yes"}
	if _, err := t.expect(ctx, preview, 200, "search-v2-"); err != nil {
		return err
	}
	return t.shares(ctx, search)
}

// shares sends many requests and checks that the weights 90 and 10 are kept.
func (t *tour) shares(ctx context.Context, r request) error {
	const n = 300
	second := 0
	for range n {
		got, err := t.clients.do(ctx, r)
		if err != nil {
			return err
		}
		if strings.HasPrefix(got.pod, "search-v2-") {
			second++
		}
	}
	if second < n*3/100 || second > n*20/100 {
		return errNot("%d of %d requests went to v2, expected about one in ten", second, n)
	}
	t.ok("of %d requests %d went to v2, whose weight is 10 of 100", n, second)
	return nil
}

// clean deletes the copy of the example.
func (t *tour) clean() error {
	if err := os.RemoveAll(t.dir()); err != nil {
		return fmt.Errorf("removing the copy of the example: %w", err)
	}
	return nil
}
