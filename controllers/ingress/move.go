package ingress

import (
	"maps"
	"slices"

	networkingv1 "k8s.io/api/networking/v1"

	elbv2v1beta1 "github.com/headgate/headgate/apis/elbv2/v1beta1"
	"github.com/headgate/headgate/controllers/annotations"
	"github.com/headgate/headgate/controllers/stack"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/intent"
)

// remain keeps an Ingress whose annotations are wrong in the group that it is in, and does not let it move: what was good of it serves
// there only. A group that a class has for itself keeps nobody who has another class now, whoever would permit it.
func (c *catalog) remain(ing *networkingv1.Ingress, class *Class, wanted GroupKey) (GroupKey, *model.Finding) {
	stay := before(ing, wanted)
	if stay == wanted || !mistaken(ing) || c.reserved(stay) {
		return wanted, nil
	}
	field := annotations.IngressPrefix + annotations.GroupName
	if class != nil && class.Params != nil && class.Params.Spec.Group != nil {
		field = paramsKind + " " + class.Params.Name + " spec.group.name"
	}
	return stay, refusal(ing, ReasonGroup, field,
		"the Ingress stays in group "+stay.String()+" until its other annotations are mended, and moves to "+wanted.String()+" then")
}

// mistaken tells whether an annotation can be seen to be wrong by itself.
func mistaken(ing *networkingv1.Ingress) bool {
	problems := slices.Concat(
		annotations.Ingress().Check(annotations.OnIngress, ing.Annotations), annotations.Extensions().Check(annotations.OnIngress, ing.Annotations))
	return slices.ContainsFunc(problems, func(p annotations.Problem) bool {
		return p.Severity == model.Wrong || p.Severity == model.Closed
	})
}

// reserved tells whether parameters of some class name the group.
func (c *catalog) reserved(key GroupKey) bool {
	return slices.ContainsFunc(slices.Collect(maps.Values(c.params)), func(p *elbv2v1beta1.IngressClassParams) bool {
		return key.Name != "" && p.Spec.Group != nil && p.Spec.Group.Name == key.Name
	})
}

// fence is what a group says of one who was in it.
type fence struct {
	barred bool
	claims *hostClaims
}

// fences are those of the groups that an Ingress was in and goes from, wherever it goes.
func (c *catalog) fences(ing *networkingv1.Ingress, now GroupKey) (map[GroupKey]fence, error) {
	var out map[GroupKey]fence
	for _, key := range keysByFinalizer(ing) {
		if key == now || key.Name == "" {
			continue
		}
		one, err := c.around(key, ing)
		if err != nil {
			return nil, err
		}
		if out == nil {
			out = map[GroupKey]fence{}
		}
		out[key] = one
	}
	return out, nil
}

// around is the fence of a group. Parameters that name the group and select nobody's namespace that this is bar it; what cannot be read keeps
// nobody out who is served.
func (c *catalog) around(key GroupKey, ing *networkingv1.Ingress) (fence, error) {
	var out fence
	for _, name := range slices.Sorted(maps.Keys(c.params)) {
		p := c.params[name]
		if p.Spec.Group == nil || p.Spec.Group.Name != key.Name {
			continue
		}
		if field, _ := readable(p.Spec.NamespaceSelector); field != "" {
			return fence{}, nil
		}
		selected, err := c.selects(p.Spec.NamespaceSelector, ing.Namespace)
		if err != nil {
			return fence{}, err
		}
		if selected {
			claims, _, err := c.claims(ing, p)
			return fence{claims: claims}, err
		}
		out.barred = true
	}
	return out, nil
}

// moves tells whether the Ingress goes on in another group of ours, and may stay here until that serves it.
func (l Leaver) moves() bool { return l.Elsewhere && !l.Barred }

// moving are the members that leave for another group, and those that come from one.
func (g Group) moving(set Settings) (moving, arriving []stack.Move) {
	move := func(ing *networkingv1.Ingress, other GroupKey) stack.Move {
		return stack.Move{Member: refOf(ing), Other: other.Owner(set.ClusterName), Published: hostnames(ing)}
	}
	for _, l := range g.Leaving {
		if l.moves() {
			moving = append(moving, move(l.Ingress, l.To))
		}
	}
	for _, m := range g.Members {
		for _, key := range keysByFinalizer(m.Ingress) {
			if key != g.Key {
				arriving = append(arriving, move(m.Ingress, key))
			}
		}
	}
	return moving, arriving
}

// hostnames are the addresses that an Ingress shows.
func hostnames(ing *networkingv1.Ingress) []string {
	var out []string
	for _, one := range ing.Status.LoadBalancer.Ingress {
		out = append(out, one.Hostname)
	}
	return out
}

// permitMoving has reserved hosts bind those who move, too: of what was good of them goes what their namespace may not claim any more. The rest of what they
// say now is for the group that they are in.
func (g Group) permitMoving(f intent.Fragment) intent.Fragment {
	for _, l := range g.Leaving {
		if !l.moves() || !refOf(l.Ingress).Same(f.Member) {
			continue
		}
		if l.Class != nil {
			f = l.Class.claims.leave(f)
		}
		return l.claims.leave(f)
	}
	return f
}

// leave is what is left of a fragment.
func (c *hostClaims) leave(f intent.Fragment) intent.Fragment {
	if c == nil {
		return f
	}
	f.Routes = slices.DeleteFunc(slices.Clone(f.Routes), func(r intent.Route) bool { return c.outside(r.Match) != "" })
	f.Listeners = slices.Clone(f.Listeners)
	for i := range f.Listeners {
		if c.outside(intent.Match{}) != "" {
			f.Listeners[i].Default = nil
		}
	}
	return f
}

// shown are the Ingresses that show the load balancer's address: all members, but those of another one's till they are served here, and who
// left and is not served there.
func (g Group) shown(in news) []**networkingv1.Ingress {
	var out []**networkingv1.Ingress
	for i := range g.Members {
		ing := &g.Members[i].Ingress
		if !in.coming[bare(refOf(*ing))] || len((*ing).Status.LoadBalancer.Ingress) == 0 {
			out = append(out, ing)
		}
	}
	for i := range g.Leaving {
		if ing := &g.Leaving[i].Ingress; in.remaining[bare(refOf(*ing))] {
			out = append(out, ing)
		}
	}
	return out
}
