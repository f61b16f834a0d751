package dataplane

import (
	"net/http"
	"testing"

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
