package stack

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	headgatev1alpha1 "github.com/headgate/headgate/apis/headgate/v1alpha1"
	"github.com/headgate/headgate/model"
)

// populous is the memory of a stack of many members, as the API server has it.
func populous(t *testing.T, c client.Client, members int) *memory {
	t.Helper()
	m, err := recall(t.Context(), c, model.Owner{Cluster: "c1", Prefix: model.PrefixIngress, Stack: "shop"})
	if err != nil {
		t.Fatal(err)
	}
	spec := &m.object.Spec
	spec.Fragments = map[string][]byte{}
	for n := range members {
		spec.Fragments[fmt.Sprintf("Ingress/shop/m%04d", n)] = bytes.Repeat([]byte{byte(n)}, 500)
		spec.Resources = append(spec.Resources, headgatev1alpha1.AppliedResource{Key: fmt.Sprintf("Rule/%04d", n), Hash: "h"})
	}
	spec.Before = map[string][]byte{"Ingress/shop/m0000": []byte("before"), "Ingress/shop/m0001": {0}}
	if err := m.save(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	return m
}

func stateServer(t *testing.T) client.Client {
	t.Helper()
	scheme := runtime.NewScheme()
	if err := headgatev1alpha1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	return fake.NewClientBuilder().WithScheme(scheme).Build()
}

// TestMemoryIsAmended: what is sent leads from what the API server has to what is meant, whatever comes, goes and stays.
func TestMemoryIsAmended(t *testing.T) {
	t.Parallel()
	const a, b = "Ingress/shop/m0000", "Ingress/shop/m0001"
	rows := []struct {
		why  string
		edit func(*headgatev1alpha1.StackStateSpec)
	}{
		{"one changes", func(s *headgatev1alpha1.StackStateSpec) { s.Fragments[a] = []byte("new") }},
		{"one comes", func(s *headgatev1alpha1.StackStateSpec) { s.Fragments["Ingress/shop/z"] = []byte("new") }},
		{"one goes, the others stay", func(s *headgatev1alpha1.StackStateSpec) { delete(s.Fragments, a) }},
		{"one goes where one comes", func(s *headgatev1alpha1.StackStateSpec) {
			delete(s.Fragments, a)
			s.Fragments["Ingress/shop/z"] = []byte("new")
		}},
		{"all go", func(s *headgatev1alpha1.StackStateSpec) { s.Fragments, s.Before = nil, nil }},
		{"all go but one", func(s *headgatev1alpha1.StackStateSpec) { s.Fragments = map[string][]byte{b: s.Fragments[b]} }},
		{"what is remembered as nothing", func(s *headgatev1alpha1.StackStateSpec) { s.Before["Ingress/shop/m0002"] = []byte{0} }},
		{"a resource changes", func(s *headgatev1alpha1.StackStateSpec) { s.Resources[1].Hash = "other" }},
		{"a resource goes", func(s *headgatev1alpha1.StackStateSpec) { s.Resources = s.Resources[1:] }},
		{"no resource is left", func(s *headgatev1alpha1.StackStateSpec) { s.Resources = nil }},
		{"it is paused", func(s *headgatev1alpha1.StackStateSpec) { s.Paused = true }},
	}
	for _, row := range rows {
		t.Run(row.why, func(t *testing.T) {
			t.Parallel()
			api := stateServer(t)
			m := populous(t, api, 5)
			m.object.Spec.Fragments, m.object.Spec.Before = maps.Clone(m.object.Spec.Fragments), maps.Clone(m.object.Spec.Before)
			row.edit(&m.object.Spec)
			want := m.object.Spec.DeepCopy()
			if err := m.save(t.Context(), api); err != nil {
				t.Fatal(err)
			}
			var got headgatev1alpha1.StackState
			if err := api.Get(t.Context(), client.ObjectKeyFromObject(m.object), &got); err != nil {
				t.Fatal(err)
			}
			for name, have := range map[string]headgatev1alpha1.StackStateSpec{"API server": got.Spec, "operator": m.stored.Spec} {
				if diff := cmp.Diff(*want, have); diff != "" {
					t.Errorf("what the %s has (-want +got):\n%s", name, diff)
				}
			}
			other := populous(t, stateServer(t), 1)
			other.stored.Name, other.object.Name = m.object.Name, m.object.Name
			other.object.Spec.GivenTo = "another one"
			if err := other.save(t.Context(), api); !stale(err) {
				t.Errorf("who knows an older version only writes: %v", err)
			}
		})
	}
}

// TestOneMemberOfAThousandIsSent: what the API server is sent for a member does not grow with its neighbours.
func TestOneMemberOfAThousandIsSent(t *testing.T) {
	t.Parallel()
	m := populous(t, stateServer(t), 1000)
	m.object.Spec.Fragments = maps.Clone(m.object.Spec.Fragments)
	m.object.Spec.Fragments["Ingress/shop/m0500"] = []byte("new")
	sent := &sizes{}
	if err := m.save(t.Context(), sent); err != nil {
		t.Fatal(err)
	}
	if len(sent.patches) != 1 || len(sent.patches[0]) > 200 || !strings.Contains(sent.patches[0], `"resourceVersion"`) {
		t.Errorf("want one patch of at most 200 bytes under a lock, got %q", sent.patches)
	}
}

// sizes is an API server that keeps what it is sent. It serves patches only.
type sizes struct {
	client.Client

	patches []string
}

func (s *sizes) Patch(_ context.Context, o client.Object, p client.Patch, _ ...client.PatchOption) error {
	data, err := p.Data(o)
	s.patches = append(s.patches, string(data))
	return err
}
