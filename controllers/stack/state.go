package stack

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"reflect"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	headgatev1alpha1 "github.com/headgate/headgate/apis/headgate/v1alpha1"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/intent"
	"github.com/headgate/headgate/model/plan"
)

// memory is what is remembered of one stack over a restart, and its form in the cluster.
type memory struct {
	object *headgatev1alpha1.StackState
	// stored is the object as the API server has it; nil before it is created.
	stored *headgatev1alpha1.StackState
	owner  model.Owner
	good   map[string]intent.Fragment
}

// StateName is the name of the StackState of an owner: readable, and unique by a hash.
func StateName(owner model.Owner) string {
	sum := sha256.Sum256([]byte(owner.Cluster + "\n" + owner.String()))
	readable := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return '-'
	}, strings.ToLower(owner.Stack))
	front, _, _ := strings.Cut(owner.Prefix, ".")
	return front + "-" + strings.Trim(readable[:min(len(readable), 40)], "-") + "-" + hex.EncodeToString(sum[:])[:10]
}

// recall reads what is remembered of owner. A memory that is lost, or that cannot be read, is empty: everything is found again
// by tags.
func recall(ctx context.Context, c client.Client, owner model.Owner) (*memory, error) {
	m := &memory{owner: owner, object: &headgatev1alpha1.StackState{}, good: map[string]intent.Fragment{}}
	err := c.Get(ctx, client.ObjectKey{Name: StateName(owner)}, m.object)
	if apierrors.IsNotFound(err) {
		m.object.Name = StateName(owner)
		m.object.Spec.Owner = owner.String()
		return m, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the state of %s: %w", owner, err)
	}
	m.stored = m.object.DeepCopy()
	for key, packed := range m.object.Spec.Fragments {
		if f, err := unpack(packed); err == nil {
			m.good[key] = f
		}
	}
	if m.object.Spec.Build != model.BuildVersion {
		for i := range m.object.Spec.Resources {
			m.object.Spec.Resources[i].Hash = ""
		}
	}
	return m, nil
}

// remember writes the good fragments before a plan uses them.
func (m *memory) remember(ctx context.Context, c client.Client, good map[string]intent.Fragment) error {
	packed := map[string][]byte{}
	for key, f := range good {
		if have, ok := m.good[key]; ok && reflect.DeepEqual(have, f) {
			packed[key] = m.object.Spec.Fragments[key]
			continue
		}
		data, err := pack(f)
		if err != nil {
			return fmt.Errorf("packing the fragment of %s: %w", key, err)
		}
		packed[key] = data
	}
	m.good, m.object.Spec.Fragments = good, packed
	return m.save(ctx, c)
}

// save writes the memory where it changed.
func (m *memory) save(ctx context.Context, c client.Client) error {
	m.object.Spec.Build = model.BuildVersion
	if m.stored == nil {
		if err := c.Create(ctx, m.object); err != nil {
			return fmt.Errorf("creating the state of %s: %w", m.owner, err)
		}
	} else if !reflect.DeepEqual(m.stored.Spec, m.object.Spec) {
		if err := c.Update(ctx, m.object); err != nil {
			return fmt.Errorf("writing the state of %s: %w", m.owner, err)
		}
	}
	m.stored = m.object.DeepCopy()
	return nil
}

// forget deletes the memory of a stack that is gone.
func (m *memory) forget(ctx context.Context, c client.Client) error {
	if m.stored == nil {
		return nil
	}
	if err := c.Delete(ctx, m.object); client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("deleting the state of %s: %w", m.owner, err)
	}
	m.stored = nil
	return nil
}

// hashes of the desired resources by key. Rules are part of their listener: their order is state.
func hashes(s model.Stack) map[model.Key]string {
	out := map[model.Key]string{}
	if s.LoadBalancer != nil {
		out[model.Key{Kind: model.KindLoadBalancer, ID: s.LoadBalancer.ID}] = model.HashOf(*s.LoadBalancer)
	}
	for _, g := range s.SecurityGroups {
		out[model.Key{Kind: model.KindSecurityGroup, ID: g.ID}] = model.HashOf(g)
	}
	for _, g := range s.TargetGroups {
		out[model.Key{Kind: model.KindTargetGroup, ID: g.ID}] = model.HashOf(g)
	}
	for _, l := range s.Listeners {
		out[listenerKey(l)] = model.HashOf(l)
	}
	return out
}

func listenerKey(l model.Listener) model.Key {
	return model.Key{Kind: model.KindListener, ID: fmt.Sprint(l.Port)}
}

// matches tells whether all that is desired was applied, and nothing else is left.
func (m *memory) matches(desired model.Stack) bool {
	want, seen := hashes(desired), 0
	for _, r := range m.object.Spec.Resources {
		key, err := model.ParseKey(r.Key)
		if err == nil && key.Kind == model.KindRule {
			continue
		}
		if err != nil || r.Hash == "" || want[key] != r.Hash {
			return false
		}
		seen++
	}
	// Nothing wanted and nothing remembered is also what a lost memory looks like: that is no match.
	if seen == 0 || seen != len(want) || len(m.object.Spec.Waiting) > 0 {
		return false
	}
	lb := m.object.Spec.LoadBalancer
	return desired.LoadBalancer == nil || lb != nil && lb.State == "active"
}

// outputs is what applying gave when it was done last.
func (m *memory) outputs() model.Outputs {
	out := model.Outputs{ARNs: map[model.Key]model.ARN{}}
	for _, r := range m.object.Spec.Resources {
		if key, err := model.ParseKey(r.Key); err == nil {
			out.ARNs[key] = model.ARN(r.ARN)
		}
	}
	if lb := m.object.Spec.LoadBalancer; lb != nil {
		out.LoadBalancer = &model.LoadBalancer{
			ID: "LoadBalancer", ARN: out.ARNs[model.Key{Kind: model.KindLoadBalancer, ID: "LoadBalancer"}],
			Name: lb.Name, Type: lb.Type, Scheme: lb.Scheme, DNSName: lb.DNSName, State: lb.State,
		}
	}
	return out
}

// before is what we set last, by resource.
func (m *memory) before() map[model.Key]plan.Applied {
	out := map[model.Key]plan.Applied{}
	for _, r := range m.object.Spec.Resources {
		if key, err := model.ParseKey(r.Key); err == nil {
			out[key] = plan.Applied{Attributes: keysOnly(r.Attributes), Tags: keysOnly(r.Tags)}
		}
	}
	return out
}

// keysOnly: what a setting was is not remembered, only that it was ours.
func keysOnly(keys []string) map[string]string {
	out := map[string]string{}
	for _, k := range keys {
		out[k] = ""
	}
	return out
}

// applied takes the desired stack as done.
func (m *memory) applied(desired model.Stack, outputs model.Outputs) {
	want, set := hashes(desired), plan.AppliedOf(desired)
	all := maps.Clone(want)
	for key, a := range set {
		// A rule's hash is part of its listener's; only its user tags are to be remembered.
		if key.Kind == model.KindRule && len(a.Tags) > 0 {
			all[key] = ""
		}
	}
	keys := slices.SortedFunc(maps.Keys(all), func(a, b model.Key) int { return strings.Compare(a.String(), b.String()) })
	m.object.Spec.Resources = nil
	for _, key := range keys {
		m.object.Spec.Resources = append(m.object.Spec.Resources, headgatev1alpha1.AppliedResource{
			Key: key.String(), ARN: string(outputs.ARNs[key]), Hash: want[key],
			Attributes: slices.Sorted(maps.Keys(set[key].Attributes)), Tags: slices.Sorted(maps.Keys(set[key].Tags)),
		})
	}
	m.object.Spec.Waiting = nil
	m.describe(outputs)
}

// unsettled keeps what is known of the load balancer and drops the hashes: what AWS holds now is to be observed.
func (m *memory) unsettled(outputs model.Outputs) {
	for i := range m.object.Spec.Resources {
		m.object.Spec.Resources[i].Hash = ""
	}
	m.describe(outputs)
}

func (m *memory) describe(outputs model.Outputs) {
	m.object.Spec.LoadBalancer = nil
	if lb := outputs.LoadBalancer; lb != nil {
		m.object.Spec.LoadBalancer = &headgatev1alpha1.AppliedLoadBalancer{
			Name: lb.Name, DNSName: lb.DNSName, Scheme: lb.Scheme, Type: lb.Type, State: lb.State,
		}
	}
}

func pack(f intent.Fragment) ([]byte, error) {
	data, err := json.Marshal(f)
	if err != nil {
		return nil, fmt.Errorf("encoding: %w", err)
	}
	var buf bytes.Buffer
	w := gzip.NewWriter(&buf)
	if _, err := w.Write(data); err != nil {
		return nil, fmt.Errorf("compressing: %w", err)
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("compressing: %w", err)
	}
	return buf.Bytes(), nil
}

func unpack(packed []byte) (intent.Fragment, error) {
	var f intent.Fragment
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return f, fmt.Errorf("decompressing: %w", err)
	}
	data, err := io.ReadAll(r)
	if err != nil {
		return f, fmt.Errorf("decompressing: %w", err)
	}
	if err := json.Unmarshal(data, &f); err != nil {
		return f, fmt.Errorf("decoding: %w", err)
	}
	return f, nil
}
