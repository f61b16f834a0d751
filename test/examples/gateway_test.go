package examples_test

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"
)

// gatewayExamples are those of Gateways.
func gatewayExamples() []example {
	const ofGateway = "gateway"
	return []example{
		{dir: ofGateway, task: "expose", check: answers(fromShop(plain + "/"))},
		{dir: ofGateway, task: "tls-secret", check: all(answers(fromShop("https://shop.example.net/")), certified("https://shop.example.net", "shop.example.net"))},
		{dir: ofGateway, task: "tls-named", check: answers(fromShop(secure + "/"))},
		{dir: ofGateway, task: "tls-discovery", check: answers(fromShop(secure + "/"))},
		{dir: ofGateway, task: "sign-in", check: all(answers(want{url: secure + "/open", status: 200, app: "next"}), signIn(providerHost))},
		{dir: ofGateway, task: "fixed-answers", check: answers(
			want{url: plain + "/cart/1", status: 503}, want{url: plain + "/admin", status: 404}, fromShop(plain+"/catalog"),
		)},
		{dir: ofGateway, task: "clients", check: mutual},
		{dir: ofGateway, task: "refused", check: all(answers(fromShop(plain+"/")), refused)},
		{dir: "platform", task: "platform", namespace: "platform", name: "public", check: all(
			certified("https://shop.example.com", "*.example.com"), certified("https://pay.example.net", "pay.example.net"),
			platform, shares("https://shop.example.com/"),
		)},
	}
}

// visitGateway is a visitor of the load balancer of the Gateway, once that has an address.
func (s *stage) visitGateway(ctx context.Context, namespace, name string) (visitor, error) {
	gateway := &gwv1.Gateway{}
	if err := s.client.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, gateway); err != nil {
		return visitor{}, fmt.Errorf("reading the Gateway: %w", err)
	}
	if len(gateway.Status.Addresses) == 0 {
		return visitor{}, errors.New("the Gateway has no address")
	}
	return visitor{stage: s, balancer: gateway.Status.Addresses[0].Value}, nil
}

// refused checks that the route that asks for too much is told so.
func refused(ctx context.Context, v visitor) error {
	route := &gwv1.HTTPRoute{}
	if err := v.stage.client.Get(ctx, client.ObjectKey{Namespace: "gateway-refused", Name: "shop"}, route); err != nil {
		return err
	}
	for _, parent := range route.Status.Parents {
		c := meta.FindStatusCondition(parent.Conditions, string(gwv1.RouteConditionAccepted))
		if c != nil && c.Status == "False" && c.Reason == "UnsupportedValue" && strings.HasPrefix(c.Message, "spec.rules[0].filters[0]: ") {
			return nil
		}
	}
	return fmt.Errorf("it is told %v", route.Status.Parents)
}

// certified checks which certificate is shown to who asks for a host.
func certified(url, name string) func(context.Context, visitor) error {
	return func(ctx context.Context, v visitor) error {
		got, err := v.get(ctx, url+"/")
		if err != nil {
			return err
		}
		if names := got.tls.PeerCertificates[0].DNSNames; len(names) != 1 || names[0] != name {
			return fmt.Errorf("%s: the certificate is for %v", url, names)
		}
		return nil
	}
}

// platform checks what each team of the platform has: redirects, preview, rewrites, the neighbour's Service, and a domain of its own.
func platform(ctx context.Context, v visitor) error {
	const storefront, finder, pay = "https://shop.example.com", "https://search.example.com", "https://pay.example.net"
	moved := func(host, path string) want {
		return want{url: "http://" + host + path, status: 301, location: "https://" + host + ":443" + path}
	}
	err := v.expect(ctx, moved("shop.example.com", "/a?b=c"), moved("pay.example.net", "/pay"),
		want{url: storefront + "/", header: "X-Preview: yes", status: 200, app: "next"},
		want{url: pay + "/pay/1", status: 200, app: "payment"}, want{url: pay + "/payment", status: 404},
		want{url: storefront + "/search/shoes", status: 200, app: "search"}, want{url: finder + "/other", status: 404},
	)
	if err != nil {
		return err
	}
	for url, reaches := range map[string]string{storefront + "/search/shoes": "shop.example.com/shoes", finder + "/api/v1/find": "search.internal/find"} {
		got, err := v.get(ctx, url)
		if err != nil {
			return err
		}
		if seen := got.echo.Host + got.echo.Path; got.status != 200 || !strings.HasPrefix(got.echo.Pod, "search-") || seen != reaches {
			return fmt.Errorf("%s: %d from %q, which sees %s", url, got.status, got.echo.Pod, seen)
		}
	}
	return nil
}
