package ingress

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/headgate/headgate/controllers/annotations"
	"github.com/headgate/headgate/controllers/secret"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/intent"
)

// Group is one group of Ingresses with all that its intent is made of.
type Group struct {
	Key GroupKey
	// Members by group order, then namespace and name.
	Members []Member
	// Leaving are Ingresses that were members: their finalizer goes when their rules are gone.
	Leaving []Leaver
	// Refused are findings about Ingresses that ask for the group and are not taken.
	Refused []Refusal
	// Params are findings about parameters of classes that decide who is a member.
	Params []model.Finding
	// Services that members refer to, as far as they are there.
	Services map[types.NamespacedName]*corev1.Service
	// Clients that members sign users in with, by their Secrets.
	Clients map[model.SecretRef]secret.Client
	// Secrets that members name, as far as everybody may see them.
	Secrets map[model.SecretRef]intent.Secret
}

// Member is one Ingress of a group.
type Member struct {
	Ingress *networkingv1.Ingress
	// Class is nil for an Ingress with the legacy annotation, or without a class.
	Class *Class
	Order int
	// Problem is why the Ingress is in the group that it was in before, not in the one that it asks for.
	Problem *model.Finding
}

// Leaver is an Ingress on its way out.
type Leaver struct {
	Ingress *networkingv1.Ingress
	// Class as of a [Member].
	Class *Class
	// Elsewhere says that it is a member of another group now, To.
	Elsewhere bool
	To        GroupKey
	// Barred says that the group may not serve it any more, as the parameters say that name the group; claims are the hosts that they leave to
	// it, nil for all.
	Barred bool
	claims *hostClaims
}

// Refusal is an Ingress that is ours and not served.
type Refusal struct {
	Ingress *networkingv1.Ingress
	Finding model.Finding
}

// Empty tells whether the group has never had anything to do with AWS.
func (g Group) Empty() bool { return len(g.Members) == 0 && len(g.Leaving) == 0 }

// place is where one Ingress belongs.
type place struct {
	ingress *networkingv1.Ingress
	claim   claim
	// key of the group that it is, or would be, a member of; set where the claim is ours.
	key GroupKey
	// problem of the class, or of the group's name.
	problem *model.Finding
	// fences are what the groups that it was in say of who may be in them, where they say anything.
	fences map[GroupKey]fence
}

// member tells whether the Ingress is served.
func (p place) member() bool {
	known := slices.Contains(keysByFinalizer(p.ingress), p.key)
	return p.claim.ours && p.claim.refusal == nil && p.ingress.DeletionTimestamp.IsZero() && (p.problem == nil || known)
}

func (c *catalog) place(ing *networkingv1.Ingress) (place, error) {
	p := place{ingress: ing}
	var err error
	if p.claim, err = c.claim(ing); err != nil || !p.claim.ours {
		return p, err
	}
	p.key, p.problem = c.group(ing, p.claim)
	p.fences, err = c.fences(ing, p.key)
	return p, err
}

// keys are all groups that the Ingress concerns.
func (p place) keys() []GroupKey {
	out := keysByFinalizer(p.ingress)
	if p.claim.ours && !slices.Contains(out, p.key) {
		out = append(out, p.key)
	}
	return out
}

func places(ctx context.Context, r client.Reader, set Settings) ([]place, error) {
	c, err := newCatalog(ctx, r, set)
	if err != nil {
		return nil, err
	}
	var list networkingv1.IngressList
	if err := r.List(ctx, &list, client.InNamespace(set.WatchNamespace)); err != nil {
		return nil, fmt.Errorf("listing Ingresses: %w", err)
	}
	out := make([]place, 0, len(list.Items))
	for i := range list.Items {
		p, err := c.place(&list.Items[i])
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, nil
}

// Groups lists all groups that have members, leavers or refused Ingresses, sorted.
func Groups(ctx context.Context, r client.Reader, set Settings) ([]GroupKey, error) {
	all, err := places(ctx, r, set)
	if err != nil {
		return nil, err
	}
	var out []GroupKey
	for _, p := range all {
		out = append(out, p.keys()...)
	}
	slices.SortFunc(out, func(a, b GroupKey) int { return strings.Compare(a.String(), b.String()) })
	return slices.Compact(out), nil
}

// Load reads one group. An object that a member refers to and that is not there is no error.
func Load(ctx context.Context, r client.Reader, set Settings, key GroupKey) (Group, error) {
	g := Group{Key: key, Services: map[types.NamespacedName]*corev1.Service{}, Secrets: map[model.SecretRef]intent.Secret{}}
	all, err := places(ctx, r, set)
	if err != nil {
		return g, err
	}
	for _, p := range all {
		put(&g, p)
	}
	slices.SortFunc(g.Members, func(a, b Member) int {
		return cmp.Or(
			cmp.Compare(a.Order, b.Order),
			strings.Compare(a.Ingress.Namespace+"/"+a.Ingress.Name, b.Ingress.Namespace+"/"+b.Ingress.Name),
		)
	})
	for _, m := range g.Members {
		if err := loadServices(ctx, r, g.Services, m.Ingress); err != nil {
			return g, err
		}
		if err := g.loadSecrets(ctx, r, set, m); err != nil {
			return g, err
		}
	}
	return g, loadClients(ctx, r, set, &g)
}

// put sorts an Ingress among members, leavers or the refused, where it concerns the group.
func put(g *Group, p place) {
	mine := p.claim.ours && p.key == g.Key
	alive := p.ingress.DeletionTimestamp.IsZero()
	if mine && alive && p.claim.params != nil {
		g.Params = append(g.Params, *p.claim.params)
	}
	switch {
	case mine && p.member():
		g.Members = append(g.Members, Member{
			Ingress: p.ingress, Class: p.claim.class, Order: orderOf(p.ingress), Problem: p.problem,
		})
		return
	case mine && alive && p.claim.refusal != nil:
		g.Refused = append(g.Refused, Refusal{Ingress: p.ingress, Finding: *p.claim.refusal})
	case mine && alive && p.problem != nil:
		g.Refused = append(g.Refused, Refusal{Ingress: p.ingress, Finding: *p.problem})
	}
	if slices.Contains(keysByFinalizer(p.ingress), g.Key) {
		around := p.fences[g.Key]
		l := Leaver{Ingress: p.ingress, Class: p.claim.class, Elsewhere: p.member(), Barred: around.barred, claims: around.claims}
		if l.Elsewhere {
			l.To = p.key
		}
		g.Leaving = append(g.Leaving, l)
	}
}

// orderOf is the group order; what is no order counts as 0, and is found when the intent is made.
func orderOf(ing *networkingv1.Ingress) int {
	n, err := strconv.Atoi(strings.TrimSpace(ing.Annotations[annotations.IngressPrefix+annotations.GroupOrder]))
	if err != nil || n < -1000 || n > 1000 {
		return 0
	}
	return n
}

func loadServices(
	ctx context.Context, r client.Reader, into map[types.NamespacedName]*corev1.Service, ing *networkingv1.Ingress,
) error {
	for _, name := range servicesOf(ing) {
		key := types.NamespacedName{Namespace: ing.Namespace, Name: name}
		if _, ok := into[key]; ok {
			continue
		}
		service := &corev1.Service{}
		err := r.Get(ctx, key, service)
		if apierrors.IsNotFound(err) {
			continue
		}
		if err != nil {
			return fmt.Errorf("reading Service %s: %w", key, err)
		}
		into[key] = service
	}
	return nil
}

// servicesOf are the names of the Services that an Ingress refers to, in its backends and in its actions.
func servicesOf(ing *networkingv1.Ingress) []string {
	var out []string
	reader := annotations.Ingress().Reader(ing.Annotations)
	if ing.Spec.DefaultBackend != nil {
		out = append(out, namesOf(reader, ing.Spec.DefaultBackend.Service)...)
	}
	for _, rule := range ing.Spec.Rules {
		if rule.HTTP == nil {
			continue
		}
		for _, path := range rule.HTTP.Paths {
			out = append(out, namesOf(reader, path.Backend.Service)...)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// namesOf are the names of the Services that a backend stands for.
func namesOf(read annotations.Reader, b *networkingv1.IngressServiceBackend) []string {
	switch {
	case b == nil || b.Name == "":
		return nil
	case b.Port.Name != useAnnotation:
		return []string{b.Name}
	}
	var out []string
	action, _ := annotations.Decode[annotations.Action](read, annotations.Actions+"."+b.Name)
	for _, t := range action.Groups() {
		if t.ServiceName != "" {
			out = append(out, t.ServiceName)
		}
	}
	return out
}
