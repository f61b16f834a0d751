package takeover

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	networkingv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	elbv2v1beta1 "github.com/headgate/headgate/apis/elbv2/v1beta1"
	headgatev1alpha1 "github.com/headgate/headgate/apis/headgate/v1alpha1"
	"github.com/headgate/headgate/test/world"
)

const (
	adopt, releaseTo = "headgate.dev/adopt", "headgate.dev/release-to"
	gatewayClass     = "handover"
)

// handover moves the load balancer of an Ingress to a Gateway and back, with the operator killed again and again on the way: it stays the
// same one, with its rules and target groups, and whoever does not give it keeps it.
func handover(t *testing.T, w *world.World) {
	t.Helper()
	s := newScene(t, w, "handover")
	s.serve("web")
	s.create(&gwv1.GatewayClass{ObjectMeta: metav1.ObjectMeta{Name: gatewayClass}, Spec: gwv1.GatewayClassSpec{ControllerName: "gateway.k8s.aws/alb"}})
	in := s.given()
	s.start(nil)
	s.Eventually("the Ingress has its load balancer", func() error { return s.addressOf(in) })
	s.Eventually("its targets are registered", func() error { // in a lane of their own, which may come after the address
		if calls := s.writes(); calls["RegisterTargets"] == 0 || calls["AuthorizeSecurityGroupIngress"] < 2 {
			return fmt.Errorf("calls %v: %w", calls, errNotYet)
		}
		return nil
	})
	before := s.balancers()
	s.Kill()

	s.create(s.edgeOf(map[string]string{adopt: "ingress/" + s.Name + "/web"}), s.route("shop.example.com", "/cart", "/"))
	s.start(nil)
	s.Eventually("a Gateway takes nothing that is not given", func() error { return s.told("does not give its load balancer away") })
	s.Kill()
	s.keeps("without consent", before)

	s.Sim.ResetCalls()
	s.note(in, releaseTo, "gateway/"+s.Name+"/edge")
	s.killOften(s.onGateway)
	s.onlyTags("to the Gateway", before)
	s.must(w.Client.Delete(t.Context(), in))
	s.Eventually("the Ingress is gone", func() error { return s.gone(in) })
	s.onlyTags("to the Gateway", before)
	s.Kill()

	s.Sim.ResetCalls()
	in = s.given()
	s.note(in, adopt, "gateway/"+s.Name+"/edge")
	gateway := s.edgeOf(nil)
	s.note(gateway, adopt, "")
	s.note(gateway, releaseTo, "ingress/"+s.Name+"/web")
	s.killOften(func() error { return s.onIngress(in) })
	s.onlyTags("back to the Ingress", before)
	s.must(w.Client.Delete(t.Context(), gateway))
	s.Eventually("the Gateway is gone", func() error { return s.gone(gateway) })
	s.onlyTags("back to the Ingress", before)
	s.oneBinding()
}

// given makes the Ingress.
func (s *scene) given() *networkingv1.Ingress {
	s.t.Helper()
	in := s.ingress("web", map[string]string{"target-type": "ip"}, rule("shop.example.com", "/cart", "web", "/", "web"))
	in.SetGroupVersionKind(networkingv1.SchemeGroupVersion.WithKind("Ingress"))
	return in
}

func (s *scene) edgeOf(notes map[string]string) *gwv1.Gateway {
	return &gwv1.Gateway{ObjectMeta: metav1.ObjectMeta{Namespace: s.Name, Name: "edge", Annotations: notes}, Spec: gwv1.GatewaySpec{
		GatewayClassName: gatewayClass, Listeners: []gwv1.Listener{{Name: "http", Port: 80, Protocol: gwv1.HTTPProtocolType}},
	}}
}

// note annotates an object; an empty value takes the annotation away.
func (s *scene) note(o client.Object, key, value string) {
	s.t.Helper()
	s.must(s.World.Client.Get(s.t.Context(), client.ObjectKeyFromObject(o), o))
	old, ok := o.DeepCopyObject().(client.Object)
	if !ok {
		s.t.Fatalf("%T is no object", o)
	}
	notes := o.GetAnnotations()
	if notes == nil {
		notes = map[string]string{}
	}
	if notes[key] = value; value == "" {
		delete(notes, key)
	}
	o.SetAnnotations(notes)
	s.must(s.World.Client.Patch(s.t.Context(), o, client.MergeFrom(old)))
}

// killOften kills the operator at more and more of its writes, until it comes through.
func (s *scene) killOften(through func() error) {
	s.t.Helper()
	for n := range 8 {
		b := newBlade(2 * n)
		settings := s.Settings(b.cut(s.meter, writesAWS))
		settings.Config.Wrap(func(next http.RoundTripper) http.RoundTripper { return b.cut(next, writing) })
		s.StartAs(settings)
		s.Eventually("the operator is killed, or comes through", func() error {
			select {
			case <-b.fell:
				return nil
			default:
				return through()
			}
		})
		s.Kill()
	}
	s.start(nil)
	s.Eventually("the operator comes through", through)
}

// writesAWS tells the calls that change something: of reads, killing at one is like killing at the next write.
func writesAWS(req *http.Request) bool {
	if req.GetBody == nil {
		return false
	}
	body, err := req.GetBody()
	if err != nil {
		return false
	}
	text := make([]byte, 64)
	n, _ := body.Read(text)
	return !strings.Contains(string(text[:n]), "Action=Describe")
}

// balancers are the names and DNS names that the account has.
func (s *scene) balancers() map[string]string {
	out := map[string]string{}
	for _, lb := range s.Sim.LoadBalancers() {
		out[lb.Name] = strings.ToLower(lb.DNSName)
	}
	return out
}

func (s *scene) keeps(when string, before map[string]string) {
	s.t.Helper()
	if diff := cmp.Diff(before, s.balancers()); diff != "" {
		s.t.Fatalf("invariant 7: %s the load balancers are others: %s", when, diff)
	}
}

// onlyTags: nothing was made, deleted or pointed elsewhere. Health checks have other thresholds by default on either side.
func (s *scene) onlyTags(when string, before map[string]string) {
	s.t.Helper()
	s.keeps(when, before)
	for action, count := range s.writes() {
		if !strings.HasSuffix(action, "Tags") && action != "ModifyTargetGroup" {
			s.t.Errorf("invariant 4: %s there are %d calls %s", when, count, action)
		}
	}
}

var errNotYet = errors.New("not yet")

func (s *scene) addressOf(in *networkingv1.Ingress) error {
	if err := s.World.Client.Get(s.t.Context(), client.ObjectKeyFromObject(in), in); err != nil {
		return err
	}
	for _, host := range s.balancers() {
		if at := in.Status.LoadBalancer.Ingress; len(at) == 1 && at[0].Hostname == host {
			return nil
		}
	}
	return fmt.Errorf("its status is %v: %w", in.Status.LoadBalancer.Ingress, errNotYet)
}

// shows tells whether the load balancer is shown as one kind's, all done.
func (s *scene) shows(kind string) error {
	var all headgatev1alpha1.LoadBalancerList
	if err := s.World.Client.List(s.t.Context(), &all); err != nil {
		return err
	}
	for i := range all.Items {
		one := &all.Items[i]
		if s.balancers()[one.Name] == "" {
			continue
		}
		if !meta.IsStatusConditionTrue(one.Status.Conditions, headgatev1alpha1.ConditionProgrammed) || len(one.Status.Sources) == 0 || one.Status.Sources[0].Kind != kind {
			return fmt.Errorf("%s is shown as of %v, %v: %w", one.Name, one.Status.Sources, one.Status.Conditions, errNotYet)
		}
		return nil
	}
	return fmt.Errorf("it is not shown: %w", errNotYet)
}

func (s *scene) onGateway() error {
	g := s.edgeOf(nil)
	if err := s.World.Client.Get(s.t.Context(), client.ObjectKeyFromObject(g), g); err != nil {
		return err
	}
	c := meta.FindStatusCondition(g.Status.Conditions, string(gwv1.GatewayConditionProgrammed))
	if c == nil || c.Status != metav1.ConditionTrue || len(g.Status.Addresses) != 1 || g.Status.Addresses[0].Value != s.hosts()[0] {
		return fmt.Errorf("it says %+v, address %v: %w", c, g.Status.Addresses, errNotYet)
	}
	return s.shows("Gateway")
}

func (s *scene) onIngress(in *networkingv1.Ingress) error {
	if err := s.addressOf(in); err != nil {
		return err
	}
	return s.shows("Ingress")
}

// told looks for words in what the Gateway says of itself.
func (s *scene) told(words string) error {
	g := s.edgeOf(nil)
	if err := s.World.Client.Get(s.t.Context(), client.ObjectKeyFromObject(g), g); err != nil {
		return err
	}
	c := meta.FindStatusCondition(g.Status.Conditions, string(gwv1.GatewayConditionProgrammed))
	if c == nil || c.Status != metav1.ConditionFalse || !strings.Contains(c.Message, words) {
		return fmt.Errorf("it says %+v: %w", c, errNotYet)
	}
	return nil
}

func (s *scene) gone(o client.Object) error {
	err := s.World.Client.Get(s.t.Context(), client.ObjectKeyFromObject(o), o)
	if apierrors.IsNotFound(err) {
		return nil
	}
	return errors.Join(err, errNotYet)
}

// oneBinding: of the target groups one is left for each, and of one stack.
func (s *scene) oneBinding() {
	s.t.Helper()
	var list elbv2v1beta1.TargetGroupBindingList
	s.must(s.World.Client.List(s.t.Context(), &list, client.InNamespace(s.Name)))
	if len(list.Items) != 1 || list.Items[0].Labels["ingress.k8s.aws/stack-name"] != "web" || len(list.Items[0].Labels) != 2 {
		s.t.Errorf("the bindings are %d, with labels %v", len(list.Items), list.Items[0].Labels)
	}
}
