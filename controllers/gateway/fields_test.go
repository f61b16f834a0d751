package gateway

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"
	"sigs.k8s.io/yaml"

	awsgwv1 "github.com/headgate/headgate/apis/gateway/v1"
)

// row says what becomes of one field, or of everything below it.
type row struct {
	// path is the field in the spec: "listenerConfigurations[].sslPolicy".
	path string
	// with is a spec that sets it. It is judged once as it is, and once without the field.
	with string
	// want is the finding that the field then yields, as "Severity Kind field"; empty where the field changes what is built, or what
	// status says.
	want string
	// cut is what is taken away instead of the field, where the field alone would leave something that nobody can write.
	cut string
	// where names the test that holds the field, for what is decided before anything is judged.
	where string
}

// table is the fields of one spec type.
type table struct {
	spec  any
	judge func(t *testing.T, spec string) *Verdict
	rows  []row
}

func tables() map[string]table {
	return map[string]table{
		"LoadBalancerConfiguration": {awsgwv1.LoadBalancerConfigurationSpec{}, judgeConfig, configRows()},
		"TargetGroupConfiguration":  {awsgwv1.TargetGroupConfigurationSpec{}, judgeGroup, groupRows()},
		"ListenerRuleConfiguration": {awsgwv1.ListenerRuleConfigurationSpec{}, judgeRule, ruleRows()},
		"Gateway":                   {gwv1.GatewaySpec{}, judgeGateway, gatewayRows()},
		"HTTPRoute":                 {gwv1.HTTPRouteSpec{}, judgeRoute, routeRows()},
		"GRPCRoute":                 {gwv1.GRPCRouteSpec{}, judgeCalls, callRows()},
	}
}

// TestNoFieldIsIgnored walks every field of the specs that this front door reads: each changes something, or is told.
func TestNoFieldIsIgnored(t *testing.T) {
	t.Parallel()
	for name, table := range tables() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			paths := leaves("", reflect.TypeOf(table.spec))
			for _, p := range paths {
				if !slices.ContainsFunc(table.rows, func(r row) bool { return r.covers(p) }) {
					t.Errorf("%s: accepted, and no row says what becomes of it", p)
				}
			}
			for _, r := range table.rows {
				if !slices.ContainsFunc(paths, r.covers) {
					t.Errorf("%s: a row for a field that does not exist", r.path)
				}
				r.check(t, table)
			}
		})
	}
}

// covers tells whether a row is about a leaf: its own, or, where it yields a finding, one below.
func (r row) covers(leaf string) bool {
	return leaf == r.path || r.want != "" && (strings.HasPrefix(leaf, r.path+".") || strings.HasPrefix(leaf, r.path+"[]"))
}

func (r row) check(t *testing.T, in table) {
	t.Helper()
	if r.where != "" {
		return
	}
	cut := r.path
	if r.cut != "" {
		cut = r.cut
	}
	bare, found := lacking(t, r.with, strings.Split(cut, "."))
	if !found {
		t.Errorf("%s: %s does not set it", r.path, r.with)
		return
	}
	with, less := in.judge(t, r.with), in.judge(t, bare)
	if r.want == "" {
		if shown(t, with) == shown(t, less) {
			t.Errorf("%s: nothing is built or told otherwise for it", r.path)
		}
		return
	}
	before := kinds(less)
	got := slices.DeleteFunc(kinds(with), func(f string) bool { return slices.Contains(before, f) })
	if !slices.Contains(got, r.want) {
		t.Errorf("%s: want the finding %q, got %q", r.path, r.want, got)
	}
}

// kinds are the findings of a verdict as "Severity Kind field".
func kinds(v *Verdict) []string {
	var out []string
	for _, f := range v.Findings {
		out = append(out, string(f.Severity)+" "+f.Object.Kind+" "+f.Field)
	}
	return out
}

// shown is everything that a verdict builds and says in status.
func shown(t *testing.T, v *Verdict) string {
	t.Helper()
	g := v.snapshot.Gateway.DeepCopy()
	v.gatewayStatus(g, up(80, 443))
	parts := []any{v.Intent, words(g.Status.Conditions)}
	for _, l := range g.Status.Listeners {
		parts = append(parts, l.Name, l.SupportedKinds, l.AttachedRoutes, words(l.Conditions))
	}
	for _, j := range v.routes {
		route := j.route.DeepCopy()
		v.routeStatus(j, &route.Status.RouteStatus, up(80, 443))
		for _, p := range route.Status.Parents {
			parts = append(parts, words(p.Conditions))
		}
	}
	data, err := json.Marshal(parts)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// leaves are the paths of all fields of a type that have no fields of their own.
func leaves(at string, of reflect.Type) []string {
	switch of.Kind() {
	case reflect.Pointer:
		return leaves(at, of.Elem())
	case reflect.Slice:
		return leaves(at+"[]", of.Elem())
	case reflect.Struct:
	default:
		return []string{strings.TrimSuffix(at, "[]")}
	}
	if of == reflect.TypeFor[metav1.LabelSelector]() {
		return []string{at}
	}
	var out []string
	for f := range of.Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case name == "":
			out = append(out, leaves(at, f.Type)...)
		case at == "":
			out = append(out, leaves(name, f.Type)...)
		default:
			out = append(out, leaves(at+"."+name, f.Type)...)
		}
	}
	return out
}

// lacking is a spec without the field at a path, in every element of the lists on the way, and whether it was there.
func lacking(t *testing.T, spec string, path []string) (string, bool) {
	t.Helper()
	tree := map[string]any{}
	if err := yaml.Unmarshal([]byte(spec), &tree); err != nil {
		t.Fatalf("parsing %s: %v", spec, err)
	}
	found := cutOff(tree, path)
	data, err := json.Marshal(tree)
	if err != nil {
		t.Fatal(err)
	}
	return string(data), found
}

func cutOff(tree any, path []string) bool {
	switch node := tree.(type) {
	case []any:
		found := false
		for _, one := range node {
			found = cutOff(one, path) || found
		}
		return found
	case map[string]any:
		name := strings.TrimSuffix(path[0], "[]")
		below, ok := node[name]
		if ok && len(path) == 1 {
			delete(node, name)
			return true
		}
		return ok && cutOff(below, path[1:])
	}
	return false
}

func TestLeaves(t *testing.T) {
	t.Parallel()
	got := strings.Join(leaves("", reflect.TypeFor[awsgwv1.TargetGroupConfigurationSpec]()), " ")
	for _, p := range []string{"targetReference.kind", "routeConfigurations[].targetGroupProps.healthCheckConfig.matcher.httpCode", "defaultConfiguration.tags",
		"defaultConfiguration.nodeSelector", "defaultConfiguration.targetGroupAttributes[].key"} {
		if !strings.Contains(got, p) {
			t.Errorf("%s is no leaf of %s", p, got)
		}
	}
	if got := strings.Join(leaves("", reflect.TypeFor[gwv1.HTTPRouteSpec]()), " "); !strings.Contains(got, "rules[].backendRefs[].port") {
		t.Errorf("embedded fields are flat: %s", got)
	}
}

func judgeConfig(t *testing.T, spec string) *Verdict {
	t.Helper()
	s := snapshotOf(t, twoListeners, routeWith(`{backendRefs: [{name: web, port: 80}]}`), `{metadata: {namespace: infra, name: near},
		spec: {parentRefs: [{name: gw}], rules: [{backendRefs: [{name: web, port: 80}]}]}}`)
	s.GatewayConfig = configOf(t, "gateway", spec)
	group := awsgwv1.TargetGroupConfiguration{ObjectMeta: metav1.ObjectMeta{Namespace: "gateway-ns", Name: "d"}}
	parse(t, `{defaultConfiguration: {protocol: HTTPS}}`, &group.Spec)
	s.TargetGroups = append(s.TargetGroups, group)
	return verdictOf(s)
}

func judgeGroup(t *testing.T, spec string) *Verdict {
	t.Helper()
	s := snapshotOf(t, callListeners, routeWith(`{backendRefs: [{name: web, port: 80}]}`), callsWith(`{backendRefs: [{name: web, port: 80}]}`))
	s.TargetGroups = append(s.TargetGroups, groupOf(t, spec))
	return verdictOf(s)
}

// judgeRule judges a route with a redirect and a forward, both with the configuration.
func judgeRule(t *testing.T, spec string) *Verdict {
	t.Helper()
	return verdictOf(extendedBy(t, spec,
		`{matches: [{path: {value: /}}, {path: {value: /s}}], backendRefs: [{name: web, port: 80}], filters: [`+extension+`]}`,
		`{matches: [{path: {value: /r}}, {path: {value: /t}}], filters: [{type: RequestRedirect, requestRedirect: {hostname: x.com}}, `+extension+`]}`))
}

func judgeGateway(t *testing.T, spec string) *Verdict {
	t.Helper()
	s := snapshotOf(t, `[]`, routeWith(`{backendRefs: [{name: web, port: 80}]}`))
	s.Gateway.Spec = gwv1.GatewaySpec{}
	parse(t, over(t, `{gatewayClassName: alb, listeners: `+twoListeners+`}`, spec), &s.Gateway.Spec)
	return verdictOf(s)
}

func judgeRoute(t *testing.T, spec string) *Verdict {
	t.Helper()
	const base = `{parentRefs: [{name: gw, namespace: infra}], rules: [{backendRefs: [{name: web, port: 80}]}]}`
	return verdictOf(snapshotOf(t, `[{name: a, port: 80, protocol: HTTP, allowedRoutes: {namespaces: {from: All}}},
		{name: b, port: 81, protocol: HTTP, allowedRoutes: {namespaces: {from: All}}}]`,
		fmt.Sprintf(`{metadata: {namespace: app, name: r}, spec: %s}`, over(t, base, spec))))
}

func judgeCalls(t *testing.T, spec string) *Verdict {
	t.Helper()
	const base = `{parentRefs: [{name: gw, namespace: infra}], rules: [{backendRefs: [{name: web, port: 80}]}]}`
	return verdictOf(snapshotOf(t, `[{name: a, port: 80, protocol: HTTPS, allowedRoutes: {namespaces: {from: All}}},
		{name: b, port: 81, protocol: HTTPS, allowedRoutes: {namespaces: {from: All}}}]`,
		fmt.Sprintf(`{kind: GRPCRoute, metadata: {namespace: app, name: r}, spec: %s}`, over(t, base, spec))))
}

// over is a spec with what another one sets at its top.
func over(t *testing.T, base, spec string) string {
	t.Helper()
	tree := map[string]any{}
	parse(t, base, &tree)
	parse(t, spec, &tree)
	data, err := json.Marshal(tree)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
