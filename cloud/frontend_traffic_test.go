package cloud_test

import (
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/headgate/headgate/cloud/sim"
)

// TestTrafficGoesThroughTheFrontend: what a client asks of the network load balancer, the load balancer behind answers.
func TestTrafficGoesThroughTheFrontend(t *testing.T) {
	a := accountOf(t, sim.Options{Speed: 1000, Provisioning: -1, RuleDelay: -1, DataPlane: true, PortOffset: 24000})
	desired := fronted("internet-facing", map[int]int{8000: 80})
	desired.Listeners[0].DefaultActions = answer("418")
	converge(t, a.client(t, nil), desired)
	address := ""
	for _, lb := range a.sim.LoadBalancers() {
		if lb.Name == desired.Frontend.LoadBalancer.Name {
			address = "http://" + net.JoinHostPort(lb.Address.String(), "32000")
		}
	}
	client := &http.Client{Timeout: time.Second}
	t.Cleanup(client.CloseIdleConnections)
	got := "no answer"
	for range 200 {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
		if err != nil {
			t.Fatal(err)
		}
		response, err := client.Do(request)
		if err == nil {
			got = response.Status
			if err := response.Body.Close(); err != nil {
				t.Fatal(err)
			}
			if response.StatusCode == http.StatusTeapot {
				return
			}
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Errorf("the frontend at %s answers %s, want 418 of the load balancer behind", address, got)
}
