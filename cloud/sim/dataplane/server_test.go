package dataplane

import (
	"net/http"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

func TestForwardReachesAHealthyTarget(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	b := newBackend(t, "one", nil)
	w.group(groupARN, nil, b.address)
	at := w.listen("HTTP", always(forwardTo(groupARN)))
	w.await(groupARN, elbtypes.TargetHealthStateEnumHealthy)
	got := get(t, "http://"+at+"/x")
	if got.StatusCode != http.StatusOK || got.body != "one" {
		t.Errorf("got %d %q", got.StatusCode, got.body)
	}
}

func TestRedirect(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	at := w.listen("HTTP", always(elbtypes.Action{
		Type: elbtypes.ActionTypeEnumRedirect,
		RedirectConfig: &elbtypes.RedirectActionConfig{
			StatusCode: elbtypes.RedirectActionStatusCodeEnumHttp301, Protocol: aws.String("HTTPS"), Port: aws.String("443"),
		},
	}))
	got := send(t, client(t), "http://"+at+"/a/b?c=d", func(r *http.Request) { r.Host = "shop.example.com:81" })
	if got.StatusCode != http.StatusMovedPermanently {
		t.Errorf("status %d", got.StatusCode)
	}
	if want := "https://shop.example.com:443/a/b?c=d"; got.Header.Get("Location") != want {
		t.Errorf("Location %q, want %q", got.Header.Get("Location"), want)
	}
}
