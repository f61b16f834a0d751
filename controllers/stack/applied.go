package stack

import (
	"maps"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	headgatev1alpha1 "github.com/headgate/headgate/apis/headgate/v1alpha1"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/plan"
)

// hashes of the desired resources by key. Rules are part of their listener: their order is state.
func hashes(s model.Stack) map[model.Key]string {
	out := map[model.Key]string{}
	for _, part := range s.Parts() {
		hashesOf(part, out)
	}
	return out
}

// hashes are those of what is desired.
func (a *attempt) hashes() map[model.Key]string {
	if a.hashed == nil {
		a.hashed = hashes(a.desired)
	}
	return a.hashed
}

func hashesOf(s model.Stack, out map[model.Key]string) {
	if s.LoadBalancer != nil {
		out[model.Key{Kind: model.KindLoadBalancer, ID: s.LoadBalancer.ID}] = model.HashOf(*s.LoadBalancer)
	}
	for _, g := range s.SecurityGroups {
		out[model.Key{Kind: model.KindSecurityGroup, ID: g.ID}] = model.HashOf(g)
	}
	for _, g := range s.TargetGroups {
		out[model.Key{Kind: model.KindTargetGroup, ID: g.ID}] = model.HashOf(g)
	}
	for _, c := range s.Certificates {
		out[c.Key()] = model.HashOf(c)
	}
	for _, t := range s.TrustStores {
		out[t.Key()] = model.HashOf(t)
	}
	for _, l := range s.Listeners {
		out[plan.KeyOf(s, l)] = model.HashOf(l)
	}
}

// matches tells whether all that is desired was applied, and nothing else is left.
func (m *memory) matches(desired model.Stack, want map[model.Key]string) bool {
	seen := 0
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
	if seen == 0 || seen != len(want) {
		return false
	}
	return serves(desired, m.object.Spec.LoadBalancer) && (desired.Frontend == nil || serves(*desired.Frontend, m.object.Spec.Frontend))
}

// serves tells whether the load balancer of a part of a stack was active, where one is wanted.
func serves(part model.Stack, lb *headgatev1alpha1.AppliedLoadBalancer) bool {
	return part.LoadBalancer == nil || lb != nil && lb.State == stateActive
}

// outputs is what applying gave when it was done last, with what is only to be cleared away.
func (m *memory) outputs() model.Outputs {
	out := model.Outputs{ARNs: map[model.Key]model.ARN{}}
	for _, r := range m.object.Spec.Resources {
		if key, err := model.ParseKey(r.Key); err == nil {
			out.ARNs[key] = model.ARN(r.ARN)
		}
	}
	for _, w := range m.object.Spec.Waiting {
		if key, err := model.ParseKey(w.Key); err == nil && w.Until != nil {
			out.Waiting = append(out.Waiting, model.Waiting{Key: key, For: plan.StateReleased})
		}
	}
	out.LoadBalancer = recalled(m.object.Spec.LoadBalancer, model.ResourceLoadBalancer, out)
	out.Frontend = recalled(m.object.Spec.Frontend, model.ResourceFrontend, out)
	return out
}

func recalled(lb *headgatev1alpha1.AppliedLoadBalancer, id string, out model.Outputs) *model.LoadBalancer {
	if lb == nil {
		return nil
	}
	return &model.LoadBalancer{
		ID: id, ARN: out.ARNs[model.Key{Kind: model.KindLoadBalancer, ID: id}],
		Name: lb.Name, Type: lb.Type, Scheme: lb.Scheme, DNSName: lb.DNSName, State: lb.State,
	}
}

// before is what we set last, by resource.
func (m *memory) before() map[model.Key]plan.Applied {
	out := map[model.Key]plan.Applied{}
	for _, r := range m.object.Spec.Resources {
		if key, err := model.ParseKey(r.Key); err == nil {
			out[key] = plan.Applied{
				Attributes: keysOnly(r.Attributes), Tags: keysOnly(r.Tags), Secret: r.SecretDigest, Addons: addonsOf(r.Addons),
			}
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
func (m *memory) applied(desired model.Stack, want map[model.Key]string, outputs model.Outputs) {
	clear(m.replaced)
	m.object.Spec.Before = nil
	m.object.Spec.Refused = slices.DeleteFunc(m.object.Spec.Refused, func(r headgatev1alpha1.RefusedMember) bool { return !m.withheld[r.Member] })
	maps.DeleteFunc(m.trials, func(key string, _ *trial) bool { return !m.withheld[key] })
	set := plan.AppliedOf(desired)
	all := maps.Clone(want)
	for key, a := range set {
		// A rule's hash is part of its listener's; only its user tags and its secret are to be remembered.
		if key.Kind == model.KindRule && len(a.Tags)+len(a.Secret) > 0 {
			all[key] = ""
		}
	}
	keys := slices.SortedFunc(maps.Keys(all), func(a, b model.Key) int { return strings.Compare(a.String(), b.String()) })
	m.object.Spec.Resources = nil
	for _, key := range keys {
		m.object.Spec.Resources = append(m.object.Spec.Resources, headgatev1alpha1.AppliedResource{
			Key: key.String(), ARN: string(outputs.ARNs[key]), Hash: want[key],
			Attributes: slices.Sorted(maps.Keys(set[key].Attributes)), Tags: slices.Sorted(maps.Keys(set[key].Tags)),
			SecretDigest: set[key].Secret,
			Addons:       addonNames(set[key].Addons),
		})
	}
	m.object.Spec.Begun = ""
	m.describe(outputs.LoadBalancer, outputs.Frontend)
}

// begin notes, before a plan is applied, that AWS may hold what is desired from now on, or a part of it: no hash counts until it
// is known, and whatever the plan sets is ours to reset.
func (m *memory) begin(desired model.Stack, want map[model.Key]string) {
	m.doubt()
	set := plan.AppliedOf(desired)
	for key := range want {
		if _, ok := set[key]; !ok {
			set[key] = plan.Applied{}
		}
	}
	resource := m.resources()
	for key, a := range set {
		r := resource(key)
		r.Attributes = union(r.Attributes, a.Attributes)
		r.Tags = union(r.Tags, a.Tags)
		if r.SecretDigest != a.Secret {
			r.SecretDigest = secretInDoubt
		}
		r.Addons = slices.Compact(slices.Sorted(slices.Values(slices.Concat(r.Addons, addonNames(a.Addons)))))
	}
	for _, c := range desired.Certificates {
		resource(c.Key()) // so that they are looked for until they are gone
	}
	for _, t := range desired.TrustStores {
		resource(t.Key())
	}
	slices.SortFunc(m.object.Spec.Resources, func(a, b headgatev1alpha1.AppliedResource) int { return strings.Compare(a.Key, b.Key) })
}

// secretInDoubt is no digest: AWS may have been given the secret, or not. It is given again.
const secretInDoubt = "?"

// resources finds entries by their key. One is made where there is none, after which those that were found before are not to be used.
func (m *memory) resources() func(model.Key) *headgatev1alpha1.AppliedResource {
	list := &m.object.Spec.Resources
	at := make(map[string]int, len(*list))
	for i, r := range *list {
		at[r.Key] = i
	}
	return func(key model.Key) *headgatev1alpha1.AppliedResource {
		name := key.String()
		i, ok := at[name]
		if !ok {
			i, at[name] = len(*list), len(*list)
			*list = append(*list, headgatev1alpha1.AppliedResource{Key: name})
		}
		return &(*list)[i]
	}
}

func union(have []string, add map[string]string) []string {
	return slices.Compact(slices.Sorted(slices.Values(slices.Concat(have, slices.Collect(maps.Keys(add))))))
}

// doubt drops the hashes: what AWS holds is to be observed.
func (m *memory) doubt() {
	for i := range m.object.Spec.Resources {
		m.object.Spec.Resources[i].Hash = ""
	}
}

// unsettled takes what a plan reached that is not done, with the load balancers as they are known now.
func (m *memory) unsettled(outputs model.Outputs) {
	m.doubt()
	for i := range m.object.Spec.Resources {
		r := &m.object.Spec.Resources[i]
		if key, err := model.ParseKey(r.Key); err == nil && outputs.ARNs[key] != "" {
			r.ARN = string(outputs.ARNs[key])
		}
	}
	m.describe(outputs.LoadBalancer, outputs.Frontend)
}

// wait notes since when each step waits, and for how long where that is known.
func (m *memory) wait(steps []model.Waiting, now metav1.Time, lasts func(model.Waiting) (time.Duration, bool)) {
	before := m.object.Spec.Waiting
	m.object.Spec.Waiting = nil
	for _, w := range steps {
		step := headgatev1alpha1.WaitingStep{Key: w.Key.String(), Since: now}
		same := func(s headgatev1alpha1.WaitingStep) bool { return s.Key == step.Key }
		if slices.ContainsFunc(m.object.Spec.Waiting, same) {
			continue
		}
		// A clock that was put back would have it wait for as long again.
		if i := slices.IndexFunc(before, same); i >= 0 && before[i].Since.Before(&now) {
			step.Since = before[i].Since
		}
		if d, ok := lasts(w); ok {
			step.Until = new(metav1.NewTime(step.Since.Add(d)))
		}
		m.object.Spec.Waiting = append(m.object.Spec.Waiting, step)
	}
}

// describe takes how AWS described the load balancer and its frontend.
func (m *memory) describe(lb, front *model.LoadBalancer) {
	m.object.Spec.LoadBalancer, m.object.Spec.Frontend = described(lb), described(front)
}

func described(lb *model.LoadBalancer) *headgatev1alpha1.AppliedLoadBalancer {
	if lb == nil {
		return nil
	}
	return &headgatev1alpha1.AppliedLoadBalancer{
		Name: lb.Name, DNSName: lb.DNSName, Scheme: lb.Scheme, Type: lb.Type, State: lb.State,
	}
}
