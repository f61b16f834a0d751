package calls_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/headgate/headgate/test/world"
)

// slow is an AWS that takes its time to make rules, and notes for which paths it did.
type slow struct {
	mu    sync.Mutex
	paths []string
}

const takes = 400 * time.Millisecond

// RoundTrip carries a call.
func (s *slow) RoundTrip(req *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, fmt.Errorf("reading a call: %w", err)
	}
	req.Body = io.NopCloser(bytes.NewReader(body))
	if form, err := url.ParseQuery(string(body)); err == nil && form.Get("Action") == "CreateRule" {
		time.Sleep(takes)
		s.note(form)
	}
	return http.DefaultTransport.RoundTrip(req)
}

func (s *slow) note(form url.Values) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for key, values := range form {
		if strings.Contains(key, "PathPatternConfig.Values") && !strings.HasSuffix(values[0], "/*") {
			s.paths = append(s.paths, values[0])
		}
	}
}

func (s *slow) made() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.paths)
}

// TestEditOvertakesALongPlan: one member has many rules made, one after the other, and a neighbour who edits his own in the middle of that does
// not wait for them. Nothing is made twice.
func TestEditOvertakesALongPlan(t *testing.T) {
	log.SetLogger(logr.Discard())
	if err := world.Environment(); err != nil {
		t.Fatal(err)
	}
	w := world.Open(t)
	const many, few = 80, 3
	for name, front := range map[string]front{"ingress": ingresses{}, "gateway": routes{}} {
		t.Run(name, func(t *testing.T) {
			r := w.NewRun(t, "overtake-"+name, nil)
			aws := &slow{}
			r.Start(aws)
			create := func(objects ...client.Object) {
				for _, o := range objects {
					if err := w.Client.Create(t.Context(), o); client.IgnoreAlreadyExists(err) != nil {
						t.Fatal(err)
					}
				}
			}
			wait := func(what string, n int) {
				r.Eventually(what, func() error {
					if made := aws.made(); len(made) < n {
						return fmt.Errorf("only %q were made", made)
					}
					return nil
				})
			}
			create(front.common(r.Name)...)
			create(front.member(r.Name, "small", 1))
			wait("the neighbour's first rule", 1)
			create(front.member(r.Name, "big", many))
			wait("the first rules of many", few)
			small := front.member(r.Name, "small", 2)
			if err := w.Client.Patch(t.Context(), small, client.Apply, client.ForceOwnership, client.FieldOwner("test")); err != nil { //nolint:staticcheck // typed objects have no apply configurations here
				t.Fatal(err)
			}
			wait("all rules", many+2)
			made := aws.made()
			// A plan has a second in any case, and what was begun is finished.
			if at := slices.Index(made, "/small1"); at < 0 || at > len(made)/2 {
				t.Errorf("the edit waits for the plan: its rule is number %d of %d: %q", at+1, len(made), made)
			}
			if once := slices.Compact(slices.Sorted(slices.Values(made))); len(once) != many+2 || len(made) != many+2 {
				t.Errorf("%d rules were made, %d of them different", len(made), len(once))
			}
		})
	}
}

// front makes members with rules that forward nowhere.
type front interface {
	common(namespace string) []client.Object
	member(namespace, name string, paths int) client.Object
}

type ingresses struct{}

func (ingresses) common(string) []client.Object {
	return []client.Object{&networkingv1.IngressClass{
		ObjectMeta: metav1.ObjectMeta{Name: "alb"}, Spec: networkingv1.IngressClassSpec{Controller: "ingress.k8s.aws/alb"},
	}}
}

func (ingresses) member(namespace, name string, paths int) client.Object {
	var rules networkingv1.HTTPIngressRuleValue
	for i := range paths {
		rules.Paths = append(rules.Paths, networkingv1.HTTPIngressPath{
			Path: fmt.Sprintf("/%s%d", name, i), PathType: new(networkingv1.PathTypeExact),
			Backend: networkingv1.IngressBackend{Service: &networkingv1.IngressServiceBackend{
				Name: "told", Port: networkingv1.ServiceBackendPort{Name: "use-annotation"},
			}},
		})
	}
	return &networkingv1.Ingress{
		TypeMeta: metav1.TypeMeta{APIVersion: "networking.k8s.io/v1", Kind: "Ingress"},
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, Annotations: map[string]string{
			"alb.ingress.kubernetes.io/group.name": namespace,
			"alb.ingress.kubernetes.io/actions.told": `{"type":"fixed-response","fixedResponseConfig":{"contentType":"text/plain","statusCode":"200","messageBody":"` +
				name + `"}}`,
		}},
		Spec: networkingv1.IngressSpec{IngressClassName: new("alb"), Rules: []networkingv1.IngressRule{{
			Host: name + ".example.com", IngressRuleValue: networkingv1.IngressRuleValue{HTTP: &rules},
		}}},
	}
}

type routes struct{}

func (routes) common(namespace string) []client.Object {
	return []client.Object{
		&gwv1.GatewayClass{ObjectMeta: metav1.ObjectMeta{Name: "alb"}, Spec: gwv1.GatewayClassSpec{ControllerName: "gateway.k8s.aws/alb"}},
		&gwv1.Gateway{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "web"}, Spec: gwv1.GatewaySpec{
			GatewayClassName: "alb", Listeners: []gwv1.Listener{{Name: "http", Port: 80, Protocol: gwv1.HTTPProtocolType}},
		}},
	}
}

// member has several matches a rule: a route has sixteen rules at most.
func (routes) member(namespace, name string, paths int) client.Object {
	route := &gwv1.HTTPRoute{
		TypeMeta:   metav1.TypeMeta{APIVersion: "gateway.networking.k8s.io/v1", Kind: "HTTPRoute"},
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Spec: gwv1.HTTPRouteSpec{
			CommonRouteSpec: gwv1.CommonRouteSpec{ParentRefs: []gwv1.ParentReference{{Name: "web"}}},
			Hostnames:       []gwv1.Hostname{gwv1.Hostname(name + ".example.com")},
		},
	}
	const each = 8
	for i := range paths {
		if i%each == 0 {
			route.Spec.Rules = append(route.Spec.Rules, gwv1.HTTPRouteRule{Filters: []gwv1.HTTPRouteFilter{{
				Type:            gwv1.HTTPRouteFilterRequestRedirect,
				RequestRedirect: &gwv1.HTTPRequestRedirectFilter{Hostname: new(gwv1.PreciseHostname("elsewhere.example.com")), StatusCode: new(302)},
			}}})
		}
		last := &route.Spec.Rules[len(route.Spec.Rules)-1]
		last.Matches = append(last.Matches, gwv1.HTTPRouteMatch{Path: &gwv1.HTTPPathMatch{
			Type: new(gwv1.PathMatchExact), Value: new(fmt.Sprintf("/%s%d", name, i)),
		}})
	}
	return route
}
