package takeover

import (
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/acm"
	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	headgatev1alpha1 "github.com/headgate/headgate/apis/headgate/v1alpha1"
	"github.com/headgate/headgate/sandbox/selfsigned"
	"github.com/headgate/headgate/test/world"
)

const sealed = "sealed"

// approvedHandover moves the load balancer of an explicit group, with the certificate of a Secret, to a Gateway that asks before every change:
// nothing is called before all members give it and the plan is approved, and then it goes with its certificate, which nobody imports anew.
func approvedHandover(t *testing.T, w *world.World) {
	t.Helper()
	s := newScene(t, w, "handover-approved")
	s.serve("web")
	s.create(&gwv1.GatewayClass{ObjectMeta: metav1.ObjectMeta{Name: gatewayClass}, Spec: gwv1.GatewayClassSpec{ControllerName: "gateway.k8s.aws/alb"}})
	s.seal("shop.example.com")
	crowd := []*networkingv1.Ingress{s.sealedIn("one", "/cart"), s.sealedIn("two", "/")}
	s.start(nil)
	for _, in := range crowd {
		s.Eventually("the group has its load balancer", func() error { return s.addressOf(in) })
	}
	s.Eventually("the certificate is served", func() error { return s.listens() })
	before, certificates := s.balancers(), s.certificates()

	s.Sim.ResetCalls()
	s.create(s.askingEdge(), s.route("shop.example.com", "/cart", "/"))
	s.note(crowd[0], releaseTo, "gateway/"+s.Name+"/edge")
	s.Eventually("nothing is taken that one of two gives", func() error { return s.told("does not give its load balancer away") })
	s.note(crowd[1], releaseTo, "gateway/"+s.Name+"/edge")
	waiting := s.waits()
	if calls := s.planned(); len(calls) > 0 {
		t.Fatalf("invariant 5: before it is approved there are calls %v", calls)
	}
	approved := waiting.DeepCopy()
	approved.Spec.ApprovedPlan = waiting.Status.PendingPlan.Hash
	s.must(w.Client.Patch(t.Context(), approved, client.MergeFrom(&waiting)))
	s.Eventually("what is approved is taken", s.onGateway)
	for _, in := range crowd {
		s.must(w.Client.Delete(t.Context(), in))
	}
	for _, in := range crowd {
		s.Eventually("the Ingress is gone", func() error { return s.gone(in) })
	}
	s.keeps("to the Gateway", before)
	for action := range s.planned() {
		switch action {
		case "CreateLoadBalancer", "CreateTargetGroup", "CreateListener", "DeleteListener", "ImportCertificate", "DeleteCertificate":
			t.Errorf("invariant 4: there are calls %s", action)
		}
	}
	if diff := cmp.Diff(certificates, s.certificates()); diff != "" {
		t.Errorf("invariant 4: the certificate of the Secret is another one, or gone: %s", diff)
	}
}

// seal makes a Secret with a certificate.
func (s *scene) seal(host string) {
	s.t.Helper()
	made, err := selfsigned.New(host)
	s.must(err)
	s.create(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: s.Name, Name: sealed}, Type: corev1.SecretTypeTLS, Data: map[string][]byte{
		corev1.TLSCertKey: made.Cert, corev1.TLSPrivateKeyKey: made.Key,
	}})
}

// sealedIn makes a member of the group whose certificate the Secret has.
func (s *scene) sealedIn(name, path string) *networkingv1.Ingress {
	s.t.Helper()
	in := s.ingress(name, map[string]string{"target-type": "ip", "group.name": "crowd"}, rule("shop.example.com", path, "web"))
	change(s, name, in, func(in *networkingv1.Ingress) {
		in.Spec.TLS = []networkingv1.IngressTLS{{Hosts: []string{"shop.example.com"}, SecretName: sealed}}
	})
	in.SetGroupVersionKind(networkingv1.SchemeGroupVersion.WithKind("Ingress"))
	return in
}

// askingEdge is a Gateway that takes the load balancer of the group once its plan is approved.
func (s *scene) askingEdge() *gwv1.Gateway {
	out := s.edgeOf(map[string]string{adopt: "ingress-group/crowd", "headgate.dev/changes": "Approve"})
	out.Spec.Listeners = append(out.Spec.Listeners, gwv1.Listener{
		Name: "https", Port: 443, Protocol: gwv1.HTTPSProtocolType,
		TLS: &gwv1.ListenerTLSConfig{CertificateRefs: []gwv1.SecretObjectReference{{Name: sealed}}},
	})
	return out
}

// waits gives the LoadBalancer on which the plan of the Gateway waits for approval, once it does.
func (s *scene) waits() headgatev1alpha1.LoadBalancer {
	s.t.Helper()
	var out headgatev1alpha1.LoadBalancer
	s.Eventually("the plan of the Gateway waits", func() error {
		var all headgatev1alpha1.LoadBalancerList
		if err := s.World.Client.List(s.t.Context(), &all); err != nil {
			return err
		}
		for _, one := range all.Items {
			mine := len(one.Status.Sources) > 0 && one.Status.Sources[0].Kind == "Gateway" && one.Status.Sources[0].Namespace == s.Name
			c := meta.FindStatusCondition(one.Status.Conditions, headgatev1alpha1.ConditionPlanApproved)
			if mine && c != nil && c.Reason == "WaitingForApproval" && one.Status.PendingPlan != nil {
				out = one
				return nil
			}
		}
		return errNotYet
	})
	return out
}

// planned are the calls that wrote, but for those of targets: they come and go without a plan.
func (s *scene) planned() map[string]int {
	out := s.writes()
	delete(out, "RegisterTargets")
	delete(out, "AuthorizeSecurityGroupIngress")
	return out
}

// listens tells whether both ports are there and all is done.
func (s *scene) listens() error {
	if calls := s.writes(); calls["CreateListener"] != 2 || calls["ImportCertificate"] != 1 {
		return fmt.Errorf("calls %v: %w", calls, errNotYet)
	}
	return s.shows("Ingress")
}

// certificates are those that ACM holds.
func (s *scene) certificates() []string {
	s.t.Helper()
	all, err := acm.NewFromConfig(s.AWS()).ListCertificates(s.t.Context(), &acm.ListCertificatesInput{})
	s.must(err)
	var out []string
	for _, c := range all.CertificateSummaryList {
		out = append(out, *c.CertificateArn)
	}
	return out
}
