package plan_test

import (
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/plan"
)

// What is let go is nobody's here any more; what the load balancer does not have is not let go with it.
func TestRelease(t *testing.T) {
	t.Parallel()
	s := holding("a")
	imported := func(arn model.ARN) model.OwnCertificate {
		return model.OwnCertificate{
			ID: "imported/" + string(arn), ARN: arn, Type: model.CertificateImported, Tags: model.ImportedTags("c", "imported/"+string(arn)),
		}
	}
	s.LoadBalancer.Tags = s.Owner.Tags("LoadBalancer")
	s.TrustStores = []model.TrustStore{{ID: "store", ARN: "arn:store", Tags: s.Owner.Tags("store")}}
	s.Certificates = []model.OwnCertificate{imported("arn:worn"), imported("arn:shared"), imported("arn:idle")}
	s.Listeners[0].Certificates = []model.ARN{"arn:worn", "arn:shared"}
	p := plan.Release(s, &plan.Sharing{Certificates: map[model.ARN]plan.Share{"arn:shared": {Wanted: true}}})
	got := map[model.ARN]plan.Op{}
	for _, c := range p.Changes {
		got[c.ARN] = c.Op
	}
	want := []model.ARN{"arn:lb", "arn:store", "arn:worn"}
	if diff := cmp.Diff(want, slices.Sorted(maps.Keys(got))); diff != "" {
		t.Errorf("let go (-want +got):\n%s", diff)
	}
	after := s
	for _, c := range p.Changes {
		next, err := plan.Step(after, c)
		if err != nil {
			t.Fatal(err)
		}
		after = next
	}
	if _, ours := s.Owner.Owns(after.TrustStores[0].Tags); ours || len(p.Changes) != len(want) {
		t.Errorf("the trust store is still ours: %v; %s", after.TrustStores[0].Tags, p)
	}
}
