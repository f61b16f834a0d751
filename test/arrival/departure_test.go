package arrival_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/headgate/headgate/controllers/gateway"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/test/world"
)

// shop is a Gateway with a route in a run's namespace.
type shop struct {
	*testing.T

	world *world.World
	run   *world.Run
	class *gwv1.GatewayClass
	edge  *gwv1.Gateway
	route *gwv1.HTTPRoute
}

func newShop(t *testing.T) *shop {
	t.Helper()
	w := open(t)
	r := w.NewRun(t, "departure", nil)
	settings := r.Settings(nil)
	settings.Arrivals = 100 * time.Millisecond
	r.StartAs(settings)
	s := &shop{T: t, world: w, run: r}
	service := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: r.Name, Name: "web"}}
	service.Spec.Ports = []corev1.ServicePort{{Port: 80}}
	create(t, w.Client, service)
	s.makeClass()
	s.makeGateway()
	s.makeRoute()
	return s
}

func (s *shop) makeClass() {
	s.Helper()
	s.class = &gwv1.GatewayClass{ObjectMeta: metav1.ObjectMeta{Name: "departure"}}
	s.class.Spec.ControllerName = "gateway.k8s.aws/alb"
	create(s.T, s.world.Client, s.class)
}

func (s *shop) makeGateway() {
	s.Helper()
	s.edge = &gwv1.Gateway{ObjectMeta: metav1.ObjectMeta{Namespace: s.run.Name, Name: "edge"}}
	s.edge.Spec.GatewayClassName = "departure"
	s.edge.Spec.Listeners = []gwv1.Listener{{Name: "http", Port: 80, Protocol: gwv1.HTTPProtocolType}}
	create(s.T, s.world.Client, s.edge)
}

func (s *shop) makeRoute() {
	s.Helper()
	s.route = &gwv1.HTTPRoute{ObjectMeta: metav1.ObjectMeta{Namespace: s.run.Name, Name: "web"}}
	s.route.Spec.ParentRefs = []gwv1.ParentReference{{Name: "edge"}}
	s.route.Spec.Rules = []gwv1.HTTPRouteRule{{BackendRefs: []gwv1.HTTPBackendRef{{BackendRef: gwv1.BackendRef{
		BackendObjectReference: gwv1.BackendObjectReference{Name: "web", Port: new(gwv1.PortNumber(80))},
	}}}}}
	create(s.T, s.world.Client, s.route)
}

// holds is what AWS holds for the Gateway.
func (s *shop) holds() model.Stack {
	s.Helper()
	got, err := s.run.State(gateway.Owner(s.run.Name, types.NamespacedName{Namespace: s.run.Name, Name: "edge"}))
	if err != nil {
		s.Fatal(err)
	}
	return got[0]
}

// served waits until AWS holds a rule for the route, and gives all that it holds.
func (s *shop) served() model.Stack {
	s.Helper()
	until(s.T, s.world.Client, s.edge, func() bool { return meta.IsStatusConditionTrue(s.edge.Status.Conditions, "Programmed") })
	var got model.Stack
	s.run.Eventually("the route is served", func() error {
		if got = s.holds(); len(got.Listeners) != 1 || len(got.Listeners[0].Rules) != 1 || len(got.TargetGroups) != 1 {
			return fmt.Errorf("listeners %+v, %d target groups", got.Listeners, len(got.TargetGroups))
		}
		return nil
	})
	return got
}

// take takes the definition of a kind away, and gives it.
func (s *shop) take(plural string) client.Object {
	s.Helper()
	definition := &unstructured.Unstructured{}
	definition.SetGroupVersionKind(schema.GroupVersionKind{Group: "apiextensions.k8s.io", Version: "v1", Kind: "CustomResourceDefinition"})
	if err := s.world.Client.Get(s.Context(), client.ObjectKey{Name: plural + "." + gwv1.GroupName}, definition); err != nil {
		s.Fatal(err)
	}
	take(s.T, s.world.Client, definition)
	return definition
}

// same tells that AWS holds what it held.
func (s *shop) same(why string, was model.Stack) {
	s.Helper()
	if diff := cmp.Diff(was, s.holds()); diff != "" {
		s.Errorf("%s: AWS does not hold what it held: %s", why, diff)
	}
}

// TestKindsThatGoAway: a definition that is taken away takes the objects of its kind with it, and nothing of what was made for them. The
// class says what is missing, and without a restart all is served again when it is back.
func TestKindsThatGoAway(t *testing.T) {
	s := newShop(t)
	was := s.served()

	routes := s.take("httproutes")
	until(t, s.world.Client, s.class, func() bool {
		c := meta.FindStatusCondition(s.class.Status.Conditions, "Accepted")
		return c != nil && c.Status == metav1.ConditionFalse && strings.Contains(c.Message, "HTTPRoute")
	})
	s.same("the definition of routes is gone", was)
	create(t, s.world.Client, routes)
	s.makeRoute()
	until(t, s.world.Client, s.class, func() bool { return meta.IsStatusConditionTrue(s.class.Status.Conditions, "Accepted") })
	s.run.Eventually("the route is accepted again", func() error {
		if err := s.world.Client.Get(t.Context(), client.ObjectKeyFromObject(s.route), s.route); err != nil {
			return err
		}
		if len(s.route.Status.Parents) != 1 {
			return fmt.Errorf("%+v", s.route.Status)
		}
		return nil
	})
	was = s.served()

	// With a finalizer of ours on each, none of these keeps its definition.
	gateways, classes := s.take("gateways"), s.take("gatewayclasses")
	s.same("the definitions of Gateways and classes are gone", was)
	create(t, s.world.Client, classes)
	create(t, s.world.Client, gateways)
	s.makeClass()
	s.makeGateway()
	s.served()
	s.same("all is back by its name", was)
}
