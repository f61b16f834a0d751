package ingress

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	networkingv1 "k8s.io/api/networking/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	elbv2v1beta1 "github.com/headgate/headgate/apis/elbv2/v1beta1"
	"github.com/headgate/headgate/controllers/annotations"
	"github.com/headgate/headgate/controllers/stack"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/intent"
)

// requestOf is what the loop is asked for shop/web.
func requestOf(t *testing.T, objects ...client.Object) stack.Request {
	t.Helper()
	return Request(load(t, Implicit("shop", "web"), objects...), settingsIP())
}

// broken is an Ingress with a mistake of its own, whatever else is written.
func broken(pairs ...string) *networkingv1.Ingress {
	ing := newIngress(pairs...)
	ing.Spec.Rules[0].HTTP.Paths[0].Path = "no path"
	return ing
}

// closedPorts are the ports of a fragment on which every rule and default answers 503, and an error where they differ.
func closedPorts(t *testing.T, f intent.Fragment) (out []int) {
	t.Helper()
	state := map[int]bool{}
	for _, r := range f.Routes {
		for _, p := range r.Ports {
			state[p] = r.Forward == nil
		}
	}
	for _, l := range f.Listeners {
		if l.Default != nil && (l.Default.Forward == nil) != state[l.Port] {
			t.Errorf("port %d: its rules are closed %v, its default answer is not", l.Port, state[l.Port])
		}
		if state[l.Port] {
			out = append(out, l.Port)
		}
	}
	return out
}

// TestWhatRestrictsAccessClosesWhatWasGood: a restriction takes effect although something else of the Ingress is wrong.
func TestWhatRestrictsAccessClosesWhatWasGood(t *testing.T) {
	ports := []string{annotations.ListenPorts, `[{"HTTP":80},{"HTTPS":8443}]`, annotations.CertificateARN, certA}
	whole := newIngress(ports...)
	backend := backendTo("web", "80")
	whole.Spec.DefaultBackend = &backend
	class := newClass("alb", "p")
	good := requestOf(t, whole, newService("web"), class, newParams(elbv2v1beta1.IngressClassParamsSpec{})).Intent.Fragments[0]
	rows := []struct {
		why     string
		pairs   []string
		service []string
		class   elbv2v1beta1.IngressClassParamsSpec
		want    []int
	}{
		{why: "nothing is restricted"},
		{why: "login that cannot be served", pairs: []string{annotations.AuthType, "oidc"}, want: []int{80, 8443}},
		{why: "login that the Service asks for and cannot be served", service: []string{annotations.AuthType, "cognito"}, want: []int{80, 8443}},
		{why: "login that the Service takes back", pairs: []string{annotations.AuthType, "oidc"}, service: []string{annotations.AuthType, "none"}},
		{why: "certificates of clients are asked for, not refused", pairs: []string{annotations.MutualAuthentication, `[{"port":8443,"mode":"passthrough"}]`}},
		{why: "on ports that cannot be read", pairs: []string{annotations.MutualAuthentication, `[`}, want: []int{80, 8443}},
		{
			why: "on a port that it does not have: another one may be meant", want: []int{80, 8443},
			pairs: []string{annotations.MutualAuthentication, `[{"port":8444,"mode":"verify","trustStore":"t"}]`},
		},
		{
			why: "of several ports those that are named ask", want: []int{80},
			pairs: []string{annotations.MutualAuthentication, `[{"port":8443,"mode":"passthrough"},{"port":8444,"mode":"passthrough"}]`},
		},
		{why: "on no port that it does not have", pairs: []string{annotations.MutualAuthentication, `[{"port":8444,"mode":"off"}]`}},
		{
			why:   "on a port that takes the place of another",
			pairs: []string{annotations.MutualAuthentication, `[{"port":443,"mode":"passthrough"}]`, annotations.ListenPorts, `[{"HTTP":80},{"HTTPS":443}]`},
			want:  []int{8443},
		},
	}
	for _, row := range rows {
		req := requestOf(t, broken(append(slices.Clone(ports), row.pairs...)...), newService("web", row.service...), class, newParams(row.class))
		if !slices.ContainsFunc(req.Findings, func(f model.Finding) bool { return f.Severity == model.Wrong }) {
			t.Fatalf("%s: the Ingress is not wrong", row.why)
		}
		if diff := cmp.Diff(row.want, closedPorts(t, req.Permit(good))); diff != "" {
			t.Errorf("invariant 8: %s: closed ports: %s", row.why, diff)
		}
	}
}

// TestWhoMayConnectNowCounts: what an Ingress says of it takes effect although something else of it is wrong.
func TestWhoMayConnectNowCounts(t *testing.T) {
	const cidrs, lists, groups = annotations.InboundCIDRs, annotations.PrefixLists, annotations.SecurityGroups
	rows := []struct {
		why    string
		before []string
		now    []string
		class  elbv2v1beta1.IngressClassParamsSpec
		want   string
	}{
		{why: "as before", want: "open"},
		{why: "narrowed", now: []string{cidrs, "10.0.0.0/8"}, want: "10.0.0.0/8 open"},
		{why: "narrowed by the class", class: elbv2v1beta1.IngressClassParamsSpec{InboundCIDRs: []string{"10.0.0.0/8"}}, want: "10.0.0.0/8 open"},
		{why: "narrowed to a prefix list", before: []string{cidrs, "10.0.0.0/8"}, now: []string{lists, "pl-1"}, want: "pl-1 open"},
		{why: "widened by its owner", before: []string{cidrs, "10.0.0.0/8"}, now: []string{cidrs, "0.0.0.0/0"}, want: "0.0.0.0/0 open"},
		{why: "not said any more: the class that said it may be gone", before: []string{cidrs, "10.0.0.0/8"}, want: "10.0.0.0/8 open"},
		{why: "other groups", before: []string{groups, "sg-wide"}, now: []string{groups, "sg-narrow,corp"}, want: "sg-narrow corp open"},
		{why: "ranges in place of groups", before: []string{groups, "sg-wide"}, now: []string{cidrs, "10.0.0.0/8"}, want: "10.0.0.0/8 open"},
		{why: "groups in place of everybody", now: []string{groups, "sg-narrow", annotations.ManageBackendRules, "true"}, want: "sg-narrow manage=true open"},
		{why: "a range that cannot be read", now: []string{cidrs, "10.0.0.0/8,10.0.0.0.0/8"}, want: "closed"},
		{why: "a range that cannot be read, in place of groups", before: []string{groups, "sg-1"}, now: []string{cidrs, "x"}, want: "sg-1 closed"},
		{why: "a range of the class that cannot be read", class: elbv2v1beta1.IngressClassParamsSpec{InboundCIDRs: []string{"x"}}, want: "closed"},
		{why: "a list that cannot be read", before: []string{lists, "pl-1"}, now: []string{lists, "list"}, want: "pl-1 closed"},
		{
			why: "one more that cannot be read", before: []string{cidrs, "10.1.0.0/16", lists, "pl-1"},
			now: []string{cidrs, "10.0.0.0/8,x", lists, "pl-1"}, want: "10.1.0.0/16 pl-1 open",
		},
	}
	for _, row := range rows {
		class := newClass("alb", "p")
		good := requestOf(t, newIngress(row.before...), newService("web"), class, newParams(elbv2v1beta1.IngressClassParamsSpec{})).Intent.Fragments[0]
		req := requestOf(t, broken(row.now...), newService("web"), class, newParams(row.class))
		f := req.Permit(good)
		told := slices.ContainsFunc(req.Findings, func(o model.Finding) bool { return o.Severity == model.Closed })
		if shut := strings.HasSuffix(row.want, "closed"); shut && !told {
			t.Errorf("%s: nobody is told that it closes", row.why)
		}
		got := slices.Concat(f.Listeners[0].InboundCIDRs, f.Listeners[0].PrefixLists, f.Settings.SecurityGroups)
		if f.Settings.ManageBackendRules != "" {
			got = append(got, "manage="+f.Settings.ManageBackendRules)
		}
		if f.Routes[0].Forward != nil {
			got = append(got, "open")
		} else {
			got = append(got, "closed")
		}
		if diff := cmp.Diff(row.want, strings.Join(got, " ")); diff != "" {
			t.Errorf("invariant 8: %s: %s", row.why, diff)
		}
		if at := f.Settings.Fields["securityGroups"]; (at != "") != (len(f.Settings.SecurityGroups) > 0) {
			t.Errorf("%s: the groups are written at %q", row.why, at)
		}
	}
}

// TestObservedRulesAreShelteredToo: of a rule that was only observed the hosts, the Services and the addresses are known.
func TestObservedRulesAreShelteredToo(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		why     string
		sources []string
		open    bool
	}{
		{"it serves everybody, and the condition of its Service does not", nil, false},
		{"it serves more than the condition says", []string{"10.0.0.0/7"}, false},
		{"it serves what the condition says", []string{"10.0.0.0/8"}, true},
	} {
		ing := newIngress(annotations.Conditions+".web", `[{"field":"source-ip","sourceIPConfig":{"values":["10.0.0.0/8"]}}]`, annotations.HealthInterval, "soon")
		req := requestOf(t, ing, newService("web"), newClass("alb", ""))
		observed := requestOf(t, newIngress(), newService("web"), newClass("alb", "")).Intent.Fragments[0]
		route := &observed.Routes[0]
		route.Field, route.Match = "", intent.Match{Hosts: route.Match.Hosts, SourceIPs: row.sources}
		if open := req.Permit(observed).Routes[0].Forward != nil; open != row.open {
			t.Errorf("invariant 8: %s: open is %t", row.why, open)
		}
	}
}

// TestWhichAddressesAreServedNowCounts: what the conditions of a backend say of it takes effect although something else is wrong.
func TestWhichAddressesAreServedNowCounts(t *testing.T) {
	t.Parallel()
	const onWeb, onAct = annotations.Conditions + ".web", annotations.Conditions + ".act"
	sources := func(cidrs string) string {
		return `[{"field":"source-ip","sourceIPConfig":{"values":[` + cidrs + `]}}]`
	}
	act := []string{annotations.Actions + ".act", `{"type":"forward","forwardConfig":{"targetGroups":[{"serviceName":"web","servicePort":80}]}}`}
	rows := []struct {
		why         string
		before, now []string
		change      func(*networkingv1.Ingress)
		want        string
	}{
		{why: "as before, open", want: "open"},
		{why: "as before, restricted", before: []string{onWeb, sources(`"10.0.0.0/8"`)}, now: []string{onWeb, sources(`"10.0.0.0/8"`)}, want: "open"},
		{why: "restricted", now: []string{onWeb, sources(`"10.0.0.0/8"`)}, want: "closed"},
		{why: "narrowed", before: []string{onWeb, sources(`"10.0.0.0/8"`)}, now: []string{onWeb, sources(`"10.1.0.0/16"`)}, want: "closed"},
		{why: "widened", before: []string{onWeb, sources(`"10.1.0.0/16"`)}, now: []string{onWeb, sources(`"10.0.0.0/8"`)}, want: "open"},
		{why: "opened", before: []string{onWeb, sources(`"10.1.0.0/16"`)}, want: "open"},
		{why: "it cannot be read whom it admits", now: []string{onWeb, `[{"field":"source-ip"`}, want: "closed"},
		{why: "it cannot be read, of one that is restricted", before: []string{onWeb, sources(`"10.1.0.0/16"`)}, now: []string{onWeb, `[{"field":"source-ip"`}, want: "open"},
		{why: "by something else than addresses", now: []string{onWeb, `[{"field":"http-request-method","httpRequestMethodConfig":{"values":["GET"]}}]`}, want: "open"},
		{why: "of a name that no backend has", now: []string{onAct, sources(`"10.0.0.0/8"`)}, want: "closed"},
		{why: "at its place, for another Service", now: []string{onAct, sources(`"10.0.0.0/8"`)}, change: func(ing *networkingv1.Ingress) {
			ing.Spec.Rules[0].HTTP.Paths[0].Backend = backendTo("act", "80")
		}, want: "closed"},
		{why: "for its Service, by the name of an action", now: append([]string{onAct, sources(`"10.0.0.0/8"`)}, act...), change: func(ing *networkingv1.Ingress) {
			ing.Spec.Rules[0].HTTP.Paths[0] = pathTo("/other", networkingv1.PathTypePrefix, "act", useAnnotation)
		}, want: "closed"},
		{why: "for its Service, which another rule serves openly", now: append([]string{onAct, sources(`"10.0.0.0/8"`)}, act...), change: func(ing *networkingv1.Ingress) {
			ing.Spec.Rules[0].HTTP.Paths = append(ing.Spec.Rules[0].HTTP.Paths, pathTo("/other", networkingv1.PathTypePrefix, "act", useAnnotation))
		}, want: "open"},
	}
	for _, row := range rows {
		good := requestOf(t, newIngress(row.before...), newService("web"), newClass("alb", "")).Intent.Fragments[0]
		ing := newIngress(append(slices.Clone(row.now), annotations.HealthInterval, "soon")...)
		if row.change != nil {
			row.change(ing)
		}
		req := requestOf(t, ing, newService("web"), newService("act"), newClass("alb", ""))
		got := "closed"
		if req.Permit(good).Routes[0].Forward != nil {
			got = "open"
		}
		if got != row.want {
			t.Errorf("invariant 8: %s: %s, want %s", row.why, got, row.want)
		}
		if got == "closed" && !slices.ContainsFunc(req.Findings, func(f model.Finding) bool { return f.Severity == model.Closed }) {
			t.Errorf("%s: nobody is told that it closes: %v", row.why, req.Findings)
		}
	}
}

// TestAddressesThatRestrictNothingClose: who names addresses wants no others served, also at a name or a place where they do not count.
func TestAddressesThatRestrictNothingClose(t *testing.T) {
	t.Parallel()
	const sources = `[{"field":"source-ip","sourceIPConfig":{"values":["10.0.0.0/8"]}}]`
	const onWeb, misspelt = annotations.Conditions + ".web", annotations.Conditions + ".wbe"
	withDefault := func(pairs ...string) *networkingv1.Ingress {
		ing := newIngress(pairs...)
		backend := backendTo("web", "80")
		ing.Spec.DefaultBackend = &backend
		return ing
	}
	good, _ := simple(t, withDefault())
	open := func(routes ...intent.Route) string {
		if slices.ContainsFunc(routes, func(r intent.Route) bool { return r.Forward != nil }) {
			return "open"
		}
		return "closed"
	}
	for _, row := range []struct {
		why, key, value, rules, fallback, was string
		told                                  model.Severity
	}{
		{why: "a name that is misspelt", key: misspelt, value: sources, rules: "closed", fallback: "closed", was: "closed, closed", told: model.Closed},
		{why: "one that cannot be read", key: misspelt, value: `[{"field":"source-ip"`, rules: "closed", fallback: "closed", was: "closed, closed", told: model.Closed},
		{
			why: "one that names no addresses", key: misspelt, value: `[{"field":"http-request-method","httpRequestMethodConfig":{"values":["GET"]}}]`,
			rules: "open", fallback: "open", was: "open, open", told: model.Warning,
		},
		{why: "a default backend", key: onWeb, value: sources, rules: "open", fallback: "closed", was: "closed, closed", told: model.Closed},
	} {
		f, findings := simple(t, withDefault(row.key, row.value))
		if got := open(f.Routes...) + " " + open(*f.Listeners[0].Default); got != row.rules+" "+row.fallback {
			t.Errorf("%s: %s, want %s %s (%v)", row.why, got, row.rules, row.fallback, findings)
		}
		if !slices.ContainsFunc(findings, func(f model.Finding) bool { return f.Severity == row.told && strings.HasSuffix(f.Field, row.key) }) {
			t.Errorf("%s: no %s at %s in %v", row.why, row.told, row.key, findings)
		}
		held := requestOf(t, withDefault(row.key, row.value, annotations.HealthInterval, "soon"), newService("web"), newClass("alb", "")).Permit(good)
		if got := open(held.Routes...) + ", " + open(*held.Listeners[0].Default); got != row.was {
			t.Errorf("invariant 8: %s, of what was good once: %s, want %s", row.why, got, row.was)
		}
	}
}

func TestRangesThatDoNotCountAreTold(t *testing.T) {
	objects := []client.Object{
		newIngress(annotations.GroupName, "g", annotations.InboundCIDRs, "10.0.0.0/8"),
		named("lists", annotations.GroupName, "g", annotations.PrefixLists, "pl-1"),
		named("plain", annotations.GroupName, "g"), newService("web"), newClass("alb", ""),
	}
	if _, findings := intentOf(load(t, Explicit("g"), objects...), settingsIP()); len(findings) > 0 {
		t.Errorf("they count: %v", findings)
	}
	objects = append(objects, named("own", annotations.GroupName, "g", annotations.SecurityGroups, "sg-1"))
	_, findings := intentOf(load(t, Explicit("g"), objects...), settingsIP())
	mustFind(t, findings, annotations.InboundCIDRs, model.Warning)
	mustFind(t, findings, annotations.PrefixLists, model.Warning)
	if len(findings) != 2 {
		t.Errorf("findings %v", findings)
	}
}

func TestPermitWithoutItsClass(t *testing.T) {
	narrow := newParams(elbv2v1beta1.IngressClassParamsSpec{InboundCIDRs: []string{"10.0.0.0/8"}})
	ing := newIngress(annotations.InboundCIDRs, "0.0.0.0/0")
	good := requestOf(t, ing, newService("web"), newClass("alb", "p"), narrow).Intent.Fragments[0]
	ing.Finalizers = []string{finalizerImplicit}
	req := requestOf(t, ing, newService("web"), newClass("alb", "p"))
	if diff := cmp.Diff(good, req.Permit(good)); diff != "" {
		t.Errorf("what the class said is not known, and what it overrides does not count: %s", diff)
	}
}

func TestPermitChangesNothingWithoutAReason(t *testing.T) {
	for _, pairs := range [][]string{
		nil, {annotations.InboundCIDRs, "10.0.0.0/8"}, {annotations.SecurityGroups, "sg-1"}, {annotations.AuthType, "oidc"},
		{annotations.Conditions + ".web", `[{"field":"source-ip","sourceIPConfig":{"values":["10.0.0.0/8"]}}]`},
		{annotations.ListenPorts, `[{"HTTP":80},{"HTTP":8080}]`, annotations.MutualAuthentication, `[{"port":8080,"mode":"verify"}]`},
	} {
		req := requestOf(t, newIngress(pairs...), newService("web"), newClass("alb", ""))
		for _, f := range req.Intent.Fragments {
			if diff := cmp.Diff(f, req.Permit(f)); diff != "" {
				t.Errorf("invariant 1: %v: %s", pairs, diff)
			}
		}
		other := intent.Fragment{Member: model.ObjectRef{Kind: "Ingress", Namespace: "shop", Name: "other"}}
		if diff := cmp.Diff(other, req.Permit(other)); diff != "" {
			t.Error(diff)
		}
	}
}
