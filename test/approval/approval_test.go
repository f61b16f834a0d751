package approval_test

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/go-logr/logr/funcr"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	headgatev1alpha1 "github.com/headgate/headgate/apis/headgate/v1alpha1"
	"github.com/headgate/headgate/test/world"
)

func TestMain(m *testing.M) {
	// The logger is one for the whole process, and outlives a test.
	log.SetLogger(funcr.New(func(_, line string) {
		if testing.Verbose() {
			fmt.Fprintln(os.Stderr, line)
		}
	}, funcr.Options{}))
	if err := world.Environment(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// scene is a cluster with an account, a class and a Service.
type scene struct {
	*world.Run

	t *testing.T
}

func newScene(t *testing.T, w *world.World, name string) *scene {
	t.Helper()
	s := &scene{Run: w.NewRun(t, name, nil), t: t}
	class := &networkingv1.IngressClass{ObjectMeta: metav1.ObjectMeta{Name: "alb"}}
	class.Spec.Controller = "ingress.k8s.aws/alb"
	if err := w.Client.Create(t.Context(), class); client.IgnoreAlreadyExists(err) != nil {
		t.Fatal(err)
	}
	service := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: s.Name, Name: "web"}}
	service.Spec.Selector = map[string]string{"app": "web"}
	service.Spec.Ports = []corev1.ServicePort{{Port: 80, TargetPort: intstr.FromInt32(8080)}}
	s.create(service)
	return s
}

func (s *scene) create(o client.Object) {
	s.t.Helper()
	if err := s.World.Client.Create(s.t.Context(), o); err != nil {
		s.t.Fatalf("creating %T %s: %v", o, o.GetName(), err)
	}
}

// ingress is one with a load balancer of its own and a rule for each host.
func (s *scene) ingress(name string, annotations map[string]string, hosts ...string) *networkingv1.Ingress {
	s.t.Helper()
	prefix := networkingv1.PathTypePrefix
	out := &networkingv1.Ingress{ObjectMeta: metav1.ObjectMeta{Namespace: s.Name, Name: name, Annotations: annotations}}
	out.Spec.IngressClassName = new("alb")
	for _, host := range hosts {
		out.Spec.Rules = append(out.Spec.Rules, networkingv1.IngressRule{Host: host, IngressRuleValue: networkingv1.IngressRuleValue{
			HTTP: &networkingv1.HTTPIngressRuleValue{Paths: []networkingv1.HTTPIngressPath{{Path: "/", PathType: &prefix, Backend: networkingv1.IngressBackend{
				Service: &networkingv1.IngressServiceBackend{Name: "web", Port: networkingv1.ServiceBackendPort{Number: 80}},
			}}}},
		}})
	}
	s.create(out)
	return out
}

// pages are the LoadBalancers of an Ingress.
func (s *scene) pages(ingress string) ([]headgatev1alpha1.LoadBalancer, error) {
	var list headgatev1alpha1.LoadBalancerList
	if err := s.World.Client.List(s.t.Context(), &list); err != nil {
		return nil, fmt.Errorf("listing: %w", err)
	}
	var out []headgatev1alpha1.LoadBalancer
	for _, lb := range list.Items {
		for _, source := range lb.Status.Sources {
			if source.Namespace == s.Name && source.Name == ingress {
				out = append(out, lb)
			}
		}
	}
	return out, nil
}

// waiting waits until a plan of an Ingress waits for approval, and gives its LoadBalancer.
func (s *scene) waiting(ingress string) headgatev1alpha1.LoadBalancer {
	s.t.Helper()
	var out headgatev1alpha1.LoadBalancer
	s.Eventually("a plan of "+ingress+" waits", func() error {
		pages, err := s.pages(ingress)
		if err != nil || len(pages) != 1 {
			return fmt.Errorf("%d LoadBalancers: %w", len(pages), err)
		}
		out = pages[0]
		c := meta.FindStatusCondition(out.Status.Conditions, headgatev1alpha1.ConditionPlanApproved)
		if c == nil || c.Reason != "WaitingForApproval" || out.Status.PendingPlan == nil {
			return fmt.Errorf("%+v", out.Status.Conditions)
		}
		return nil
	})
	return out
}

// approve approves what waits on a LoadBalancer.
func (s *scene) approve(lb headgatev1alpha1.LoadBalancer) {
	s.t.Helper()
	after := lb.DeepCopy()
	after.Spec.ApprovedPlan = lb.Status.PendingPlan.Hash
	if err := s.World.Client.Patch(s.t.Context(), after, client.MergeFrom(&lb)); err != nil {
		s.t.Fatal(err)
	}
}

var errNoAddress = errors.New("no address")

func (s *scene) published(ing *networkingv1.Ingress) {
	s.t.Helper()
	s.Eventually(ing.Name+" has an address", func() error {
		if err := s.World.Client.Get(s.t.Context(), client.ObjectKeyFromObject(ing), ing); err != nil {
			return fmt.Errorf("reading: %w", err)
		}
		if len(ing.Status.LoadBalancer.Ingress) == 0 {
			return errNoAddress
		}
		return nil
	})
}

// TestPlansWaitForApproval: of an Ingress that asks for it nothing is made, changed or deleted until the plan is approved.
func TestPlansWaitForApproval(t *testing.T) {
	s := newScene(t, world.Open(t), "approval")
	settings := s.Settings(nil)
	settings.LeaderElection, settings.LeaderID, settings.LeaderNamespace = true, "leader", s.Name
	s.StartAs(settings)
	ing := s.ingress("web", map[string]string{"headgate.dev/changes": "Approve"}, "a.example.com")
	made := s.waiting("web")
	if writes := s.Writes(); writes > 0 {
		t.Fatalf("%d calls of AWS before anything was approved", writes)
	}
	s.approve(made)
	s.published(ing)
	s.Eventually("the approval is used up", func() error {
		pages, err := s.pages("web")
		if err == nil && (len(pages) != 1 || pages[0].Spec.ApprovedPlan != "" || pages[0].Status.PendingPlan != nil) {
			err = fmt.Errorf("%+v", pages)
		}
		return err
	})

	writes := s.Writes()
	if err := s.World.Client.Delete(t.Context(), ing); err != nil {
		t.Fatal(err)
	}
	last := s.waiting("web")
	if !strings.Contains(last.Status.PendingPlan.Text, "DeleteLoadBalancer") || s.Writes() != writes {
		t.Errorf("the deletion waits: %d calls more, plan %s", s.Writes()-writes, last.Status.PendingPlan.Text)
	}
	s.Stop() // an operator that starts anew, when the lease was given back, approves nothing either
	s.StartAs(settings)
	s.approve(s.waiting("web"))
	s.Eventually("the Ingress is gone", func() error {
		err := s.World.Client.Get(t.Context(), client.ObjectKeyFromObject(ing), ing)
		if apierrors.IsNotFound(err) {
			return nil
		}
		pages, listErr := s.pages("web")
		return fmt.Errorf("it is there: %w, %+v", errors.Join(err, listErr), pages)
	})
}
