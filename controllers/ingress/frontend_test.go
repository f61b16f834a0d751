package ingress

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/headgate/headgate/controllers/annotations"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/intent"
)

// TestBothAddressesAreShownAndOneIsTakenBack: a frontend's address stands beside the load balancer's, and the loop is told what is shown,
// so that it deletes no frontend whose address somebody may still read.
func TestBothAddressesAreShownAndOneIsTakenBack(t *testing.T) {
	c := newClient(t, newIngress(annotations.FrontendEnabled, "true", annotations.FrontendPorts, "8000=80"), newService("web"), newClass("alb", ""))
	loop := &plays{result: active()}
	loop.result.Frontend = &model.LoadBalancer{DNSName: "NLB-1.elb.us-west-2.amazonaws.com"}
	loop.result.FrontendPorts = []intent.PortMapping{{From: 8000, To: 80}, {From: 9000, To: 90}}
	r := New(c, loop, &told{}, settingsIP())
	reconcileKey(t, r, Implicit("shop", "web"))
	shown := map[string][]int32{}
	for _, one := range get(t, c, "web").Status.LoadBalancer.Ingress {
		shown[one.Hostname] = nil
		for _, p := range one.Ports {
			shown[one.Hostname] = append(shown[one.Hostname], p.Port)
		}
	}
	want := map[string][]int32{"lb-1.us-west-2.elb.amazonaws.com": {80}, "nlb-1.elb.us-west-2.amazonaws.com": {8000}}
	if diff := cmp.Diff(want, shown); diff != "" {
		t.Errorf("addresses (-want +got):\n%s", diff)
	}

	loop.result.Frontend, loop.result.FrontendPorts = nil, nil
	reconcileKey(t, r, Implicit("shop", "web"))
	if diff := cmp.Diff([]string{"lb-1.us-west-2.elb.amazonaws.com", "nlb-1.elb.us-west-2.amazonaws.com"}, loop.asked[1].Published); diff != "" {
		t.Errorf("published before the address is taken back (-want +got):\n%s", diff)
	}
	reconcileKey(t, r, Implicit("shop", "web"))
	if diff := cmp.Diff([]string{"lb-1.us-west-2.elb.amazonaws.com"}, loop.asked[2].Published); diff != "" {
		t.Errorf("published afterwards (-want +got):\n%s", diff)
	}
}

// TestHostsBehindAnotherPortOfTheFrontendMatchAnyPort: clients of port 8000 send it in the Host header.
func TestHostsBehindAnotherPortOfTheFrontendMatchAnyPort(t *testing.T) {
	for _, row := range []struct {
		ports string
		any   bool
		why   string
	}{
		{"80=80", false, "the usual port is in no Host header"},
		{"8000=80", true, "another one is"},
		{"80=80, 8000=80", true, "one of two is enough"},
	} {
		f, findings := made(t, newIngress(annotations.FrontendEnabled, "true", annotations.FrontendPorts, row.ports), newService("web"), newClass("alb", ""))
		mustBeClean(t, findings)
		if len(f.Routes) != 1 || f.Routes[0].Match.AnyPort != row.any {
			t.Errorf("%s: any port is %t: %s", row.ports, f.Routes[0].Match.AnyPort, row.why)
		}
	}
}
