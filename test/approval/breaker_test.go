package approval_test

import (
	"fmt"
	"testing"

	networkingv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	headgatev1alpha1 "github.com/headgate/headgate/apis/headgate/v1alpha1"
	"github.com/headgate/headgate/test/world"
)

// TestManyDeletionsPause: of seven load balancers whose Ingresses are all deleted at once, three at least stay until somebody approves.
func TestManyDeletionsPause(t *testing.T) {
	const total, free = 7, 4
	s := newScene(t, world.Open(t), "breaker")
	settings := s.Settings(nil)
	settings.BreakerPercent = 20
	s.StartAs(settings)
	all := make([]*networkingv1.Ingress, 0, total)
	for i := range total {
		name := fmt.Sprintf("web-%d", i)
		all = append(all, s.ingress(name, nil, name+".example.com"))
	}
	for _, ing := range all {
		s.published(ing)
	}
	s.settled(all)
	for _, ing := range all {
		if err := s.World.Client.Delete(t.Context(), ing); err != nil {
			t.Fatal(err)
		}
	}
	paused := s.paused()
	if len(paused) < total-free {
		t.Fatalf("%d of %d deletions wait", len(paused), total)
	}
	for _, lb := range paused {
		s.approve(lb)
	}
	s.Eventually("all are gone", func() error {
		for _, ing := range all {
			if err := s.World.Client.Get(t.Context(), client.ObjectKeyFromObject(ing), ing.DeepCopy()); !apierrors.IsNotFound(err) {
				return fmt.Errorf("%s is there: %w", ing.Name, err)
			}
		}
		return nil
	})
}

// settled waits until AWS holds what the Ingresses ask for.
func (s *scene) settled(all []*networkingv1.Ingress) {
	s.t.Helper()
	s.Eventually("all are settled", func() error {
		for _, ing := range all {
			pages, err := s.pages(ing.Name)
			if err != nil || len(pages) != 1 || !meta.IsStatusConditionTrue(pages[0].Status.Conditions, headgatev1alpha1.ConditionProgrammed) {
				return fmt.Errorf("%s: %d LoadBalancers: %w", ing.Name, len(pages), err)
			}
		}
		return nil
	})
}

// paused waits until the breaker holds whatever is left, and gives it.
func (s *scene) paused() []headgatev1alpha1.LoadBalancer {
	s.t.Helper()
	var paused []headgatev1alpha1.LoadBalancer
	s.Eventually("some go, and the rest waits", func() error {
		paused = nil
		var list headgatev1alpha1.LoadBalancerList
		if err := s.World.Client.List(s.t.Context(), &list); err != nil {
			return fmt.Errorf("listing: %w", err)
		}
		for _, lb := range list.Items {
			c := meta.FindStatusCondition(lb.Status.Conditions, headgatev1alpha1.ConditionPlanApproved)
			if c == nil || c.Reason != "BreakerOpen" || lb.Status.PendingPlan == nil {
				return fmt.Errorf("%s: %+v", lb.Name, lb.Status.Conditions)
			}
			paused = append(paused, lb)
		}
		return nil
	})
	return paused
}
