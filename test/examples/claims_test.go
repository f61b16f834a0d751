package examples_test

import (
	"context"
	"errors"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// claimed checks that each namespace has its own hosts, and that who asks for a neighbour's is told and has no rule.
func claimed(ctx context.Context, v visitor) error {
	if err := v.expect(ctx, want{url: "http://search.example.com/", status: 200, app: "shop"}, fromShop(plain+"/search")); err != nil {
		return err
	}
	for url, namespace := range map[string]string{"http://search.example.com/": "claims-search", plain + "/search": "claims-shop"} {
		if got, err := v.get(ctx, url); err != nil || got.echo.Namespace != namespace {
			return errors.Join(err, errors.New(url+" is answered by "+got.echo.Namespace))
		}
	}
	var events corev1.EventList
	if err := v.stage.client.List(ctx, &events, client.InNamespace("claims-search")); err != nil {
		return err
	}
	for _, e := range events.Items {
		if e.InvolvedObject.Name == "greedy" && e.Reason == "HostNotClaimed" && strings.Contains(e.Message, "may not claim "+shop) {
			return nil
		}
	}
	return errors.New("nobody told the Ingress that asks for a neighbour's host")
}
