package examples_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// examples are the files by task, each with its check.
func examples() []example {
	serves := answers(fromShop(plain + "/"))
	next := func(url, header string) want { return want{url: url, header: header, status: 200, app: "next"} }
	return []example{
		{task: "tls", check: tlsByName},
		{task: "tls-discovery", check: answers(fromShop(secure + "/"))},
		{task: "tls-secret", check: answers(fromShop("https://shop.example.net/"))},
		{task: "redirect", check: answers(want{url: plain + "/a?b=c", status: 301, location: secure + ":443/a?b=c"}, fromShop(secure+"/a"))},
		{task: "groups", namespace: "groups-front", name: "front", check: shared},
		{task: "claims", namespace: "claims-shop", check: claimed},
		{task: "oidc", check: signIn(providerHost)},
		{task: "cognito", check: signIn(poolHost)},
		{task: "jwt", check: tokens},
		{task: "mtls", check: mutual},
		{task: "canary", check: shares(plain + "/")},
		{task: "blue-green", check: switched},
		{task: "conditions", check: answers(
			fromShop(plain+"/"), next(plain+"/", "X-Preview: yes"), next(plain+"/?preview=yes", ""), fromShop(plain+"/?preview=no"),
		)},
		{task: "rewrite", check: rewritten},
		{task: "fold", check: folded},
		{task: "grpc", check: called},
		{task: "websocket", check: spoken},
		{task: "internal", check: all(serves, schemeIs("internal"))},
		{task: "frontend-nlb", check: all(serves, inFront)},
		{task: "waf", check: all(serves, guarded)},
		{task: "security-groups", check: all(serves, ownGroups)},
		{task: "inbound", check: all(serves, admits("198.51.100.0/24", "203.0.113.7/32"))},
		{task: "instance", check: nodes},
		{task: "health-checks", check: all(serves, probed)},
		{task: "binding", check: serves},
		{task: "readiness-gates", check: all(answers(want{url: plain + "/", status: 200, app: "gated"}), gateOpen)},
	}
}

// fromShop is a page of the Service shop.
func fromShop(url string) want { return want{url: url, status: 200, app: "shop"} }

// answers checks that requests are answered as wanted.
func answers(all ...want) func(context.Context, visitor) error {
	return func(ctx context.Context, v visitor) error { return v.expect(ctx, all...) }
}

// all checks one after the other.
func all(checks ...func(context.Context, visitor) error) func(context.Context, visitor) error {
	return func(ctx context.Context, v visitor) error {
		for _, check := range checks {
			if err := check(ctx, v); err != nil {
				return err
			}
		}
		return nil
	}
}

// folded checks that seven paths are answered by three rules.
func folded(ctx context.Context, v visitor) error {
	for path, app := range map[string]string{"/a": "shop", "/d": "shop", "/new/x": "next", "/newer": "next", "/else": "shop"} {
		if err := v.expect(ctx, want{url: plain + path, status: 200, app: app}); err != nil {
			return err
		}
	}
	rules, err := v.rules(ctx)
	if err == nil && rules != 3 {
		err = fmt.Errorf("there are %d rules", rules)
	}
	return err
}

func tlsByName(ctx context.Context, v visitor) error {
	got, err := v.get(ctx, secure+"/")
	if err != nil {
		return err
	}
	if got.status != 200 || len(got.tls.PeerCertificates) != 1 || !slices.Contains(got.tls.PeerCertificates[0].DNSNames, "*.example.com") {
		return fmt.Errorf("%d, by the certificate %v", got.status, got.tls.PeerCertificates)
	}
	return v.expect(ctx, want{url: plain + "/", status: 200, app: "shop"})
}

// shared checks that two namespaces have one load balancer, and that the lower order is asked first.
func shared(ctx context.Context, v visitor) error {
	other, err := v.stage.visit(ctx, "groups-search", "search")
	if err != nil {
		return err
	}
	if other.balancer != v.balancer {
		return fmt.Errorf("two load balancers: %s and %s", v.balancer, other.balancer)
	}
	for path, namespace := range map[string]string{"/search": "groups-search", "/": "groups-front"} {
		got, err := v.get(ctx, plain+path)
		if err != nil {
			return err
		}
		if got.status != 200 || got.echo.Namespace != namespace {
			return fmt.Errorf("%s: %d from %q, expected %s", path, got.status, got.echo.Namespace, namespace)
		}
	}
	return nil
}

// signIn checks that a stranger is sent to a provider, and that one who signs in there comes to the pods, which learn who it is.
func signIn(host string) func(context.Context, visitor) error {
	return func(ctx context.Context, v visitor) error {
		stranger, err := v.get(ctx, secure+"/page")
		if err != nil {
			return err
		}
		if stranger.status != 302 || !strings.HasPrefix(stranger.location, "https://"+host+"/oauth2/authorize?") {
			return fmt.Errorf("a stranger gets %d, location %q", stranger.status, stranger.location)
		}
		v.signsIn = true
		got, err := v.get(ctx, secure+"/page")
		if err != nil {
			return err
		}
		if got.status != 200 || got.echo.Path != "/page" || !slices.Equal(got.echo.Headers["X-Amzn-Oidc-Identity"], []string{"ada"}) {
			return fmt.Errorf("who signed in gets %d of %q as %v", got.status, got.echo.Path, got.echo.Headers["X-Amzn-Oidc-Identity"])
		}
		return nil
	}
}

func tokens(ctx context.Context, v visitor) error {
	good, err := v.stage.account.tokens.Sign(map[string]any{"scope": "orders profile"})
	if err != nil {
		return err
	}
	other, err := v.stage.account.tokens.Sign(map[string]any{"scope": "profile"})
	if err != nil {
		return err
	}
	return v.expect(ctx,
		want{url: secure + "/", header: "Authorization: Bearer " + good, status: 200, app: "shop"},
		want{url: secure + "/", header: "Authorization: Bearer " + other, status: 401},
		want{url: secure + "/", status: 401},
	)
}

func mutual(ctx context.Context, v visitor) error {
	partner := v
	partner.certificate = &v.stage.account.partner
	if err := partner.expect(ctx, want{url: secure + "/", status: 200, app: "shop"}); err != nil {
		return err
	}
	if got, err := v.get(ctx, secure+"/"); err == nil {
		return fmt.Errorf("a client without a certificate gets %d", got.status)
	}
	return nil
}

// shares checks that about one request in ten goes to the next version.
func shares(url string) func(context.Context, visitor) error {
	return func(ctx context.Context, v visitor) error {
		const n = 200
		found := 0
		for range n {
			got, err := v.get(ctx, url)
			if err != nil {
				return err
			}
			if got.status != 200 {
				return fmt.Errorf("an answer is %d", got.status)
			}
			if strings.HasPrefix(got.echo.Pod, "next-") {
				found++
			}
		}
		if found < n*2/100 || found > n*25/100 {
			return fmt.Errorf("%d of %d requests went to the next version", found, n)
		}
		return nil
	}
}

func rewritten(ctx context.Context, v visitor) error {
	got, err := v.get(ctx, plain+"/api/v1/items/7")
	if err != nil {
		return err
	}
	if got.status != 200 || got.echo.Path != "/items/7" || got.echo.Host != "shop.internal" {
		return fmt.Errorf("%d; the pod sees %q of %q", got.status, got.echo.Path, got.echo.Host)
	}
	return nil
}
