package gateway

import (
	"errors"
	"maps"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/headgate/headgate/controllers/stack"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/fault"
)

// up is a load balancer that listens on ports.
func up(ports ...int) reached {
	return reached{Result: stack.Result{
		LoadBalancer: &model.LoadBalancer{ARN: "arn:lb", DNSName: "LB-1.elb.example.com", State: "active"}, Ports: ports, Settled: true,
	}}
}

// words are conditions as "Type=Status/Reason", sorted by type.
func words(list []metav1.Condition) map[string]string {
	out := map[string]string{}
	for _, c := range list {
		out[c.Type] = string(c.Status) + "/" + c.Reason
	}
	return out
}

func TestGatewayStatus(t *testing.T) {
	t.Parallel()
	provisioning, failed, blocked, denied, drowned := up(80), up(80), up(), up(80), up(80)
	provisioning.LoadBalancer.State = "provisioning"
	failed.LoadBalancer.State = "failed"
	blocked.Blocked = "no subnets"
	denied.err = &fault.Error{Class: fault.Denied, Action: "elasticloadbalancing:CreateRule", Err: errors.New("no")}
	drowned.Outputs.Waiting = []model.Waiting{{Key: model.Key{Kind: model.KindSecurityGroup, ID: "x"}, For: "released"}}
	for _, c := range []struct {
		why, listeners string
		parameters     string
		got            reached
		accepted       string
		programmed     string
		message        string
	}{
		{"all is well; the message is the ARN", anyListener, "", up(80), "True/Accepted", "True/Programmed", "arn:lb"},
		{"AWS is at it", anyListener, "", provisioning, "True/Accepted", "Unknown/Pending", "provisioning"},
		{"AWS gave up", anyListener, "", failed, "True/Accepted", "False/Invalid", "could not"},
		{"nothing can be built", anyListener, "", blocked, "True/Accepted", "False/Invalid", "no subnets"},
		{"a right is missing", anyListener, "", denied, "True/Accepted", "False/PermissionDenied", "elasticloadbalancing:CreateRule"},
		{"something old waits to go: the new serves", anyListener, "", drowned, "True/Accepted", "True/Programmed", "arn:lb"},
		{"nothing is there", anyListener, "", reached{}, "True/Accepted", "False/NoResources", ""},
		{"parameters that are not there", anyListener, "names nothing", up(80), "False/InvalidParameters", "True/Programmed", ""},
		{"one of two listeners is not valid", `[{name: a, port: 80, protocol: HTTP}, {name: b, port: 81, protocol: TCP}]`, "", up(80),
			"True/ListenersNotValid", "True/Programmed", ""},
		{"no listener is valid", `[{name: b, port: 81, protocol: TCP}]`, "", up(), "False/ListenersNotValid", "False/Invalid", "no listener"},
		{"two that conflict are both not valid", `[{name: a, port: 80, protocol: HTTP}, {name: b, port: 80, protocol: HTTP}]`, "", up(),
			"False/ListenersNotValid", "False/Invalid", "no listener"},
	} {
		s := snapshotOf(t, c.listeners)
		s.ParameterProblem = c.parameters
		g := s.Gateway
		g.Status.Conditions = []metav1.Condition{{Type: "example.com/Foreign", Status: metav1.ConditionTrue, Reason: "Theirs", ObservedGeneration: 1}}
		verdictOf(s).gatewayStatus(g, c.got)
		want := map[string]string{"Accepted": c.accepted, "Programmed": c.programmed, "example.com/Foreign": "True/Theirs"}
		if diff := cmp.Diff(want, words(g.Status.Conditions)); diff != "" {
			t.Errorf("%s: %s", c.why, diff)
		}
		if p := meta.FindStatusCondition(g.Status.Conditions, "Programmed"); !strings.Contains(p.Message, c.message) || p.ObservedGeneration != 3 {
			t.Errorf("%s: %+v, want %q of generation 3", c.why, p, c.message)
		}
	}
}

func TestAddressIsNeverBlankedForAnError(t *testing.T) {
	t.Parallel()
	s := snapshotOf(t, anyListener)
	v := verdictOf(s)
	v.gatewayStatus(s.Gateway, up(80))
	if got := s.Gateway.Status.Addresses; len(got) != 1 || got[0].Value != "lb-1.elb.example.com" || *got[0].Type != gwv1.HostnameAddressType {
		t.Fatalf("addresses %+v", got)
	}
	v.gatewayStatus(s.Gateway, reached{err: errors.New("cut")})
	v.gatewayStatus(s.Gateway, reached{Result: stack.Result{Blocked: "no subnets"}})
	if got := s.Gateway.Status.Addresses; len(got) != 1 {
		t.Errorf("invariant 7: addresses %+v", got)
	}
	v.gatewayStatus(s.Gateway, reached{})
	if got := s.Gateway.Status.Addresses; len(got) != 0 {
		t.Errorf("there is no load balancer, and the address stays: %+v", got)
	}
}

func TestListenerStatus(t *testing.T) {
	t.Parallel()
	gateway := model.ObjectRef{Group: gwv1.GroupName, Kind: "Gateway", Namespace: "infra", Name: "gw"}
	noCertificate := up(80)
	noCertificate.Findings = []model.Finding{{
		Object: gateway, Severity: model.Wrong, Reason: "CertificateNotFound", Field: "spec.listeners[1]", Message: "no certificate is for x.com",
	}}
	configured := func(namespace string) reached {
		out := up(443, 8443)
		out.Findings = []model.Finding{{
			Object: gateway, Severity: model.Wrong, Reason: "InvalidAttribute", Message: "x is no attribute",
			Field: "LoadBalancerConfiguration " + namespace + "/c spec.listenerConfigurations[0].listenerAttributes",
		}}
		return out
	}
	good := map[string]string{"Accepted": "True/Accepted", "Programmed": "True/Programmed", "ResolvedRefs": "True/ResolvedRefs", "Conflicted": "False/NoConflicts"}
	but := func(changes ...string) map[string]string {
		out := maps.Clone(good)
		for i := 0; i < len(changes); i += 2 {
			out[changes[i]] = changes[i+1]
		}
		return out
	}
	for _, c := range []struct {
		why, listeners string
		got            reached
		want           map[string]string
		message        string
	}{
		{"well", `[{name: a, port: 80, protocol: HTTP}, {name: b, port: 81, protocol: HTTP}]`, up(80, 81), good, ""},
		{"not there yet", `[{name: a, port: 80, protocol: HTTP}, {name: b, port: 81, protocol: HTTP}]`, reached{err: errors.New("cut")}, but("Programmed", "False/Pending"), ""},
		{"what the build found", `[{name: a, port: 80, protocol: HTTP}, {name: b, port: 443, protocol: HTTPS, hostname: x.com}]`, noCertificate,
			but("Programmed", "False/Invalid"), "no certificate is for x.com"},
		{"a protocol that an ALB has not", `[{name: a, port: 80, protocol: HTTP}, {name: b, port: 53, protocol: UDP}]`, up(80),
			but("Accepted", "False/UnsupportedProtocol", "Programmed", "False/Invalid"), ""},
		{"a conflict", `[{name: a, port: 80, protocol: HTTP}, {name: b, port: 80, protocol: HTTP}]`, up(80),
			but("Accepted", "False/HostnameConflict", "Conflicted", "True/HostnameConflict", "Programmed", "False/Invalid"), ""},
		{"what is no listener of ours conflicts with nothing", `[{name: a, port: 80, protocol: TCP}, {name: b, port: 80, protocol: HTTP}]`, up(80), good, ""},
		{"kinds that are not served", `[{name: a, port: 80, protocol: HTTP}, {name: b, port: 81, protocol: HTTP, allowedRoutes: {kinds: [{kind: TCPRoute}]}}]`, up(80, 81),
			but("ResolvedRefs", "False/InvalidRouteKinds"), ""},
		{"what the build found in its configuration", `[{name: a, port: 443, protocol: HTTPS}, {name: b, port: 8443, protocol: HTTPS}]`, configured("c-ns"),
			but("Programmed", "False/Invalid"), "is no attribute"},
		{"or in that of another port", `[{name: a, port: 8443, protocol: HTTPS}, {name: b, port: 443, protocol: HTTPS}]`, configured("c-ns"), good, ""},
		{"or in that of another Gateway", `[{name: a, port: 443, protocol: HTTPS}, {name: b, port: 8443, protocol: HTTPS}]`, configured("other"), good, ""},
	} {
		s := snapshotOf(t, c.listeners)
		s.GatewayConfig = configOf(t, "c", `{listenerConfigurations: [{protocolPort: "HTTPS:8443", listenerAttributes: [{key: x, value: y}]}]}`)
		s.Gateway.Status.Listeners = []gwv1.ListenerStatus{{Name: "b", Conditions: []metav1.Condition{{Type: "example.com/Foreign", Status: "True", Reason: "Theirs"}}}, {Name: "gone"}}
		verdictOf(s).gatewayStatus(s.Gateway, c.got)
		list := s.Gateway.Status.Listeners
		if len(list) != 2 || list[1].Name != "b" {
			t.Fatalf("%s: %+v", c.why, list)
		}
		want := maps.Clone(c.want)
		want["example.com/Foreign"] = "True/Theirs"
		if diff := cmp.Diff(want, words(list[1].Conditions)); diff != "" {
			t.Errorf("%s: %s", c.why, diff)
		}
		if p := meta.FindStatusCondition(list[1].Conditions, "Programmed"); !strings.Contains(p.Message, c.message) {
			t.Errorf("%s: %q", c.why, p.Message)
		}
	}
}

func TestConditionsAreOfTheGenerationThatWasJudged(t *testing.T) {
	t.Parallel()
	s := snapshotOf(t, anyListener)
	v := verdictOf(s)
	g := s.Gateway.DeepCopy()
	g.Generation = 4 // its owner was quicker, and it was read again to write its status
	v.gatewayStatus(g, up(80))
	for _, c := range append(g.Status.Conditions, g.Status.Listeners[0].Conditions...) {
		if c.ObservedGeneration != 3 {
			t.Errorf("%s says that it is of generation %d, and nobody looked at that", c.Type, c.ObservedGeneration)
		}
	}
}

func TestAddressesOfAGateway(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		why, addresses, want string
		field                string
	}{
		{"none", `[]`, "True/Accepted", ""},
		{"any host name", `[{type: Hostname}]`, "True/Accepted", ""},
		{"a host name of the user's", `[{type: Hostname, value: x.example.com}]`, "False/UnsupportedAddress", "spec.addresses[0]"},
		{"an IP address", `[{type: Hostname}, {type: IPAddress, value: 192.0.2.1}]`, "False/UnsupportedAddress", "spec.addresses[1]"},
		{"the default type is an IP address", `[{value: 192.0.2.1}]`, "False/UnsupportedAddress", "spec.addresses[0]"},
		{"a type of somebody's", `[{type: example.com/lease, value: x}]`, "False/UnsupportedAddress", "spec.addresses[0]"},
	} {
		s := snapshotOf(t, anyListener)
		parse(t, c.addresses, &s.Gateway.Spec.Addresses)
		v := verdictOf(s)
		v.gatewayStatus(s.Gateway, up(80))
		if got := words(s.Gateway.Status.Conditions)["Accepted"]; got != c.want {
			t.Errorf("%s: %s, want %s", c.why, got, c.want)
		}
		wrong := wrongOf(v.Findings, gatewayRef(s.Gateway))
		if (c.field == "") != (len(wrong) == 0) || len(wrong) > 0 && wrong[0].Field != c.field {
			t.Errorf("invariant 11: %s: %v", c.why, wrong)
		}
	}
}

func TestOverlappingHostsAreTold(t *testing.T) {
	t.Parallel()
	s := snapshotOf(t, `[{name: a, port: 443, protocol: HTTPS, hostname: foo.example.com}, {name: b, port: 443, protocol: HTTPS, hostname: foo.example.org},
		{name: c, port: 443, protocol: HTTPS, hostname: "*.example.com"}, {name: d, port: 8443, protocol: HTTPS, hostname: foo.example.com},
		{name: e, port: 80, protocol: HTTP}, {name: f, port: 80, protocol: HTTP, hostname: foo.example.com}]`)
	var got []string
	for range 2 {
		got = nil
		verdictOf(s).gatewayStatus(s.Gateway, up(443))
		for _, l := range s.Gateway.Status.Listeners {
			if c := words(l.Conditions)["OverlappingTLSConfig"]; c != "" {
				got = append(got, string(l.Name)+" "+c)
			}
		}
		if diff := cmp.Diff([]string{"a True/OverlappingHostnames", "c True/OverlappingHostnames"}, got); diff != "" {
			t.Errorf("a browser may use one connection for both (Gateway API, OverlappingTLSConfig): %s", diff)
		}
	}
	s.Gateway.Spec.Listeners = s.Gateway.Spec.Listeners[:2]
	verdictOf(s).gatewayStatus(s.Gateway, up(443))
	if _, ok := words(s.Gateway.Status.Listeners[0].Conditions)["OverlappingTLSConfig"]; ok {
		t.Error("it is never set to False: it goes")
	}
}

func TestAttachedRoutesAreCounted(t *testing.T) {
	t.Parallel()
	s := snapshotOf(t, `[{name: a, port: 80, protocol: HTTP, allowedRoutes: {namespaces: {from: All}}}, {name: b, port: 81, protocol: HTTP}]`,
		routeWith(`{backendRefs: [{name: web, port: 80}]}`), strings.Replace(routeWith(`{timeouts: {request: 1s}}`), "name: r", "name: wrong", 1),
		`{metadata: {namespace: infra, name: near}, spec: {parentRefs: [{name: gw}, {name: gw, sectionName: b}]}}`)
	verdictOf(s).gatewayStatus(s.Gateway, up(80, 81))
	got := []int32{s.Gateway.Status.Listeners[0].AttachedRoutes, s.Gateway.Status.Listeners[1].AttachedRoutes}
	if diff := cmp.Diff([]int32{2, 1}, got); diff != "" {
		t.Errorf("each route that is accepted counts once on each listener (Gateway API, ListenerStatus.attachedRoutes): %s", diff)
	}
}

func TestRouteStatus(t *testing.T) {
	t.Parallel()
	const rule = `{backendRefs: [{name: web, port: 80}]}`
	wrong := up(80)
	wrong.Findings = []model.Finding{{
		Object: model.ObjectRef{Group: gwv1.GroupName, Kind: "HTTPRoute", Namespace: "app", Name: "r"}, Severity: model.Wrong,
		Reason: "InvalidMatch", Field: "spec.rules[0].matches[0]", Message: "is too long",
	}}
	for _, c := range []struct {
		why, listeners, rule string
		parameters           string
		got                  reached
		want                 map[string]string
		message              string
	}{
		{"well", anyListener, rule, "", up(80), map[string]string{"Accepted": "True/Accepted", "ResolvedRefs": "True/ResolvedRefs"}, ""},
		{"whether AWS holds it is no matter of acceptance", anyListener, rule, "", reached{err: errors.New("cut")},
			map[string]string{"Accepted": "True/Accepted", "ResolvedRefs": "True/ResolvedRefs"}, ""},
		{"the namespace is not allowed", `[{name: a, port: 80, protocol: HTTP}]`, rule, "", up(80),
			map[string]string{"Accepted": "False/NotAllowedByListeners", "ResolvedRefs": "True/ResolvedRefs"}, "its owner can allow them"},
		{"what an ALB cannot do", anyListener, `{retry: {attempts: 2}}`, "", up(80),
			map[string]string{"Accepted": "False/UnsupportedValue", "ResolvedRefs": "True/ResolvedRefs"}, "spec.rules[0].retry: "},
		{"what the build found", anyListener, rule, "", wrong,
			map[string]string{"Accepted": "False/UnsupportedValue", "ResolvedRefs": "True/ResolvedRefs"}, "spec.rules[0].matches[0]: is too long"},
		{"a backend that is missing", anyListener, `{backendRefs: [{name: absent, port: 80}]}`, "", up(80),
			map[string]string{"Accepted": "True/Accepted", "ResolvedRefs": "False/BackendNotFound"}, ""},
		{"one of two", anyListener, `{backendRefs: [{name: web, port: 80}, {name: absent, port: 80}]}`, "", up(80),
			map[string]string{"Accepted": "True/Accepted", "ResolvedRefs": "False/BackendNotFound", "PartiallyInvalid": "True/UnsupportedValue"}, ""},
		{"its Gateway's parameters are not known", anyListener, rule, "names nothing", up(80),
			map[string]string{"Accepted": "False/Pending", "ResolvedRefs": "True/ResolvedRefs"}, "the parameters of the Gateway"},
	} {
		s := snapshotOf(t, c.listeners, routeWith(c.rule))
		s.ParameterProblem = c.parameters
		s.Routes[0].Generation = 7
		v := verdictOf(s)
		route := s.Routes[0].DeepCopy()
		v.routeStatus(v.routes[0], &route.Status.RouteStatus, c.got)
		if diff := cmp.Diff(c.want, words(route.Status.Parents[0].Conditions)); diff != "" {
			t.Errorf("%s: %s", c.why, diff)
		}
		if p := meta.FindStatusCondition(route.Status.Parents[0].Conditions, "Accepted"); !strings.Contains(p.Message, c.message) || p.ObservedGeneration != 7 {
			t.Errorf("%s: %+v", c.why, p)
		}
	}
}

func TestParentsOfOthersStay(t *testing.T) {
	t.Parallel()
	s := snapshotOf(t, anyListener, routeWith(`{backendRefs: [{name: web, port: 80}]}`))
	namespace := gwv1.Namespace("infra")
	parent := func(name, controller string) gwv1.RouteParentStatus {
		return gwv1.RouteParentStatus{
			ParentRef:      gwv1.ParentReference{Namespace: &namespace, Name: gwv1.ObjectName(name)},
			ControllerName: gwv1.GatewayController(controller),
			Conditions:     []metav1.Condition{{Type: "X", Status: "True", Reason: "Y"}},
		}
	}
	section := gwv1.SectionName("left")
	old := parent("gw", ControllerName)
	old.ParentRef.SectionName = &section
	s.Routes[0].Status.Parents = []gwv1.RouteParentStatus{
		parent("gw", "example.com/other"), parent("gw", ControllerName), parent("other", ControllerName), old,
	}
	v := verdictOf(s)
	route := s.Routes[0].DeepCopy()
	v.routeStatus(v.routes[0], &route.Status.RouteStatus, up(80))
	var got []string
	for _, p := range route.Status.Parents {
		got = append(got, string(p.ParentRef.Name)+" "+string(p.ControllerName))
	}
	want := []string{"gw example.com/other", "gw " + ControllerName, "other " + ControllerName}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("others' parents stay in their places, ours that the route left goes: %s", diff)
	}
	if words(route.Status.Parents[1].Conditions)["X"] != "True/Y" || words(route.Status.Parents[1].Conditions)["Accepted"] != "True/Accepted" {
		t.Errorf("conditions of others on our parent stay: %+v", route.Status.Parents[1])
	}
	again := route.DeepCopy()
	v.routeStatus(v.routes[0], &again.Status.RouteStatus, up(80))
	if diff := cmp.Diff(route.Status, again.Status); diff != "" {
		t.Errorf("invariant 1: a second time changes %s", diff)
	}
}

// TestRoutesWithoutRoom: what a quota has no room for is told on its route: of a part that it is not served, of all that it is not accepted.
func TestRoutesWithoutRoom(t *testing.T) {
	t.Parallel()
	v := verdictOf(snapshotOf(t, anyListener, routeWith(`{matches: [{path: {value: /a}}], backendRefs: [{name: web, port: 80}]}, {backendRefs: [{name: web, port: 80}]}`)))
	j := v.routes[0]
	for _, c := range []struct {
		why, accepted, partly string
		fields                []string
	}{
		{"all fit", "True/Accepted", "", nil},
		{"one has no room", "True/Accepted", "True/UnsupportedValue", []string{"spec.rules[1].matches[0]"}},
		{"none has", "False/UnsupportedValue", "", []string{"spec.rules[0].matches[0]", "spec.rules[1].matches[0]"}},
	} {
		got := up(80)
		for _, field := range c.fields {
			got.Findings = append(got.Findings, model.Finding{
				Object: j.fragment.Member, Severity: model.Answered, Reason: "QuotaExceeded", Field: field, Message: "no room for 1 rule",
			})
		}
		var status gwv1.RouteStatus
		v.routeStatus(j, &status, got)
		said := words(status.Parents[0].Conditions)
		if said["Accepted"] != c.accepted || said["PartiallyInvalid"] != c.partly {
			t.Errorf("%s: %v", c.why, said)
		}
		if p := meta.FindStatusCondition(status.Parents[0].Conditions, "PartiallyInvalid"); p != nil && !strings.HasPrefix(p.Message, "Dropped Rule "+c.fields[0]) {
			t.Errorf("%s: the specification wants another beginning: %s", c.why, p.Message)
		}
	}
}

// TestRoutesThatRedirectToThemselves: a rule that is not served for it is told as one that is dropped, and a route that has no other is refused.
func TestRoutesThatRedirectToThemselves(t *testing.T) {
	t.Parallel()
	const twoPorts = `[{name: a, port: 80, protocol: HTTP, allowedRoutes: {namespaces: {from: All}}},
		{name: b, port: 81, protocol: HTTP, allowedRoutes: {namespaces: {from: All}}}]`
	v := verdictOf(snapshotOf(t, twoPorts, routeWith(`{filters: [{type: RequestRedirect, requestRedirect: {port: 81}}]}`)))
	for _, c := range []struct {
		why, accepted, partly string
		ports                 []string
	}{
		{"on one of its ports", "True/Accepted", "True/UnsupportedValue", []string{"81"}},
		{"on all", "False/UnsupportedValue", "", []string{"80", "81"}},
	} {
		got := up(80, 81)
		for _, port := range c.ports {
			number, _ := strconv.Atoi(port)
			got.Findings = append(got.Findings, model.Finding{
				Object: v.routes[0].fragment.Member, Severity: model.Answered, Reason: model.ReasonLoop, Field: "spec.rules[0].matches[0]", Port: number,
				Message: "on port " + port,
			})
		}
		var status gwv1.RouteStatus
		v.routeStatus(v.routes[0], &status, got)
		said := words(status.Parents[0].Conditions)
		if said["Accepted"] != c.accepted || said["PartiallyInvalid"] != c.partly {
			t.Errorf("%s: %v", c.why, said)
		}
	}
}
