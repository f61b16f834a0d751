package stack

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/plan"
)

// demand is what all bindings need at one moment.
type demand struct {
	bindings map[string]Network
	complete bool
	// signature tells demands apart. Addresses of pods count: a new node may bring a new group.
	signature string
}

func (c *Cluster) demand() demand {
	c.mu.Lock()
	defer c.mu.Unlock()
	d := demand{bindings: maps.Clone(c.bindings), complete: c.complete}
	h := sha256.New()
	for _, k := range slices.Sorted(maps.Keys(d.bindings)) {
		fmt.Fprintf(h, "%s %v %v\n", k, d.bindings[k].Addresses, d.bindings[k].Permissions)
	}
	fmt.Fprintln(h, d.complete)
	d.signature = hex.EncodeToString(h.Sum(nil))
	return d
}

// addresses that must admit something, sorted.
func (d demand) addresses() []string {
	var out []string
	for _, n := range d.bindings {
		if len(n.Permissions) > 0 {
			out = append(out, n.Addresses...)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// ErrAddresses says that AWS knows no security group for some addresses of targets: a network interface that is new, say. What
// could be authorised was.
var ErrAddresses = errors.New("no network interface with one security group to change is known")

// patience is how long nothing at all is revoked for an address that AWS knows no security group for. From then on its binding is told,
// and keeps only the rules that admit what it asks for.
const patience = 2 * time.Minute

// SyncError is an error of [Cluster.Sync] with what it means for each binding.
type SyncError struct {
	// Bindings have the cause by the binding's name. One whose addresses may just be new is not among them.
	Bindings map[string]error

	causes []error
}

// Error joins the causes.
func (e *SyncError) Error() string { return errors.Join(e.causes...).Error() }

// Unwrap returns the causes.
func (e *SyncError) Unwrap() []error { return e.causes }

// concern adds a cause for the bindings that match.
func (e *SyncError) concern(cause error, d demand, match func(Network) bool) {
	e.causes = append(e.causes, cause)
	for name, n := range d.bindings {
		if match(n) {
			e.Bindings[name] = errors.Join(e.Bindings[name], cause)
		}
	}
}

// ofAll is an error that keeps every target from being admitted.
func (d demand) ofAll(err error) error {
	out := &SyncError{Bindings: map[string]error{}}
	out.concern(err, d, func(n Network) bool { return len(n.Addresses) > 0 && len(n.Permissions) > 0 })
	return out
}

// Doubt has the next [Cluster.Sync] compare the rules with AWS although nothing changed.
func (c *Cluster) Doubt() {
	c.work.Lock()
	defer c.work.Unlock()
	c.applied = ""
	c.opts.Forget(c.owner())
}

// Sync authorises what the bindings need on the security groups of their pods, and revokes what none needs any more. Its errors are
// of type [*SyncError].
func (c *Cluster) Sync(ctx context.Context) error {
	c.work.Lock()
	defer c.work.Unlock()
	d := c.demand()
	if d.signature == c.applied {
		return nil
	}
	facts, err := c.cloud.Facts(ctx, model.Needs{Owner: c.owner(), PodIPs: d.addresses()})
	if err != nil {
		return d.ofAll(fmt.Errorf("finding the security groups of pods: %w", err))
	}
	observed, err := c.observe(ctx)
	if err != nil {
		return d.ofAll(err)
	}
	failed := &SyncError{Bindings: map[string]error{}}
	old, young := c.missing(d, facts, failed)
	desired, opts := c.desired(d, facts, observed), plan.Options{AuthoriseOnly: !d.complete || young}
	if opts.AuthoriseOnly {
		desired = withoutCovered(desired, observed)
	} else {
		desired = withHeld(desired, observed, c.ranged(old, c.backendOf(observed)))
		desired = c.withSurplus(desired, observed)
	}
	p := plan.Diff(desired, observed, opts)
	c.applied = "" // a plan that fails may have done a part
	if _, err := c.cloud.Apply(ctx, p); err != nil {
		err = fmt.Errorf("changing the rules on the security groups of pods: %w", err)
		failed.concern(err, d, func(n Network) bool { return n.touches(p, facts) })
	}
	if len(failed.causes) > 0 {
		return failed
	}
	c.authorised(d)
	if len(c.surplus) == 0 {
		c.applied = d.signature
	}
	return nil
}

// authorised notes what bindings have.
func (c *Cluster) authorised(d demand) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.met = d.bindings
}

// admits tells whether the targets of a group, which its binding is named after, admit a security group.
func (c *Cluster) admits(targetGroup, group string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for binding, n := range c.met {
		if strings.HasSuffix(binding, "/"+targetGroup) {
			return len(n.Addresses) == 0 || slices.ContainsFunc(n.Permissions, func(p model.Permission) bool { return p.Source.ID == group })
		}
	}
	return false
}

// withSurplus keeps the rules for a while that nobody asks for any more.
func (c *Cluster) withSurplus(desired, observed model.Stack) model.Stack {
	since, now := map[string]time.Time{}, c.opts.Now()
	for _, have := range observed.SecurityGroups {
		if !have.Foreign {
			continue
		}
		i := slices.IndexFunc(desired.SecurityGroups, func(g model.SecurityGroup) bool { return g.Foreign && g.ID == have.ID })
		var wanted []model.Permission
		if i >= 0 {
			wanted = desired.SecurityGroups[i].Ingress
		}
		var kept []model.Permission
		for _, rule := range uncovered(have.Ingress, wanted) {
			key := fmt.Sprint(have.ID, rule.Identity())
			at, ok := c.surplus[key]
			if !ok {
				at = now
			}
			if now.Sub(at) < c.opts.Linger {
				since[key] = at
				kept = append(kept, rule)
			}
		}
		switch {
		case len(kept) == 0:
		case i < 0:
			desired.SecurityGroups = append(desired.SecurityGroups, foreign(have.ID, kept))
		default:
			desired.SecurityGroups[i].Ingress = slices.Concat(wanted, kept)
		}
	}
	c.surplus = since
	return model.Normalize(desired)
}

// Rest is how long it is until a rule may go that nobody asks for; zero when there is none.
func (c *Cluster) Rest() time.Duration {
	c.work.Lock()
	defer c.work.Unlock()
	var rest time.Duration
	for _, at := range c.surplus {
		left := max(at.Add(c.opts.Linger).Sub(c.opts.Now()), time.Second)
		if rest == 0 || left < rest {
			rest = left
		}
	}
	return rest
}

// touches tells whether a plan changes a security group of the addresses.
func (n Network) touches(p plan.Plan, facts model.Facts) bool {
	return len(n.Permissions) > 0 && slices.ContainsFunc(n.Addresses, func(a string) bool {
		return slices.ContainsFunc(p.Changes, func(c plan.Change) bool { return c.Key.ID == facts.PodGroups[a] })
	})
}

// missing notes the bindings with addresses that AWS knows no group for: old ones are those that had some for long.
func (c *Cluster) missing(d demand, facts model.Facts, failed *SyncError) (old []model.Permission, young bool) {
	since, now := map[string]time.Time{}, c.opts.Now()
	for _, name := range slices.Sorted(maps.Keys(d.bindings)) {
		n := d.bindings[name]
		unknown := slices.DeleteFunc(slices.Clone(n.Addresses), func(a string) bool { return facts.PodGroups[a] != "" })
		if len(n.Permissions) == 0 || len(unknown) == 0 {
			continue
		}
		cause := fmt.Errorf("%w: %s", ErrAddresses, strings.Join(unknown, ", "))
		failed.causes = append(failed.causes, cause)
		at, ok := c.lost[name]
		if !ok {
			at = now
		}
		if since[name] = at; now.Sub(at) < patience {
			young = true
			continue
		}
		failed.Bindings[name] = cause
		old = append(old, n.Permissions...)
	}
	c.lost = since
	return old, young
}

// desired keeps the backend group as it is observed and gives each security group of pods what its bindings need.
func (c *Cluster) desired(d demand, facts model.Facts, observed model.Stack) model.Stack {
	out := model.Stack{Owner: c.owner()}
	for _, g := range observed.SecurityGroups {
		if !g.Foreign {
			out.SecurityGroups = append(out.SecurityGroups, g)
		}
	}
	backend := c.backendOf(observed)
	wanted := map[string][]model.Permission{}
	for _, n := range d.bindings {
		for _, a := range n.Addresses {
			if id := facts.PodGroups[a]; id != "" {
				wanted[id] = append(wanted[id], n.Permissions...)
			}
		}
	}
	for id, permissions := range wanted {
		out.SecurityGroups = append(out.SecurityGroups, foreign(id, merged(c.ranged(permissions, backend))))
	}
	return model.Normalize(out)
}

func foreign(id string, ingress []model.Permission) model.SecurityGroup {
	return model.SecurityGroup{ID: id, Foreign: true, ARN: model.ARN(id), Ingress: ingress}
}

// withoutCovered leaves out what an observed range admits already: it is not known yet how far the range shall go.
func withoutCovered(desired, observed model.Stack) model.Stack {
	for i, want := range desired.SecurityGroups {
		for _, have := range observed.SecurityGroups {
			if want.Foreign && have.ID == want.ID {
				desired.SecurityGroups[i].Ingress = uncovered(want.Ingress, have.Ingress)
			}
		}
	}
	return desired
}

// withHeld keeps the observed rules that admit some of what is wanted: of whose addresses the group is not known, it may be any.
func withHeld(desired, observed model.Stack, wanted []model.Permission) model.Stack {
	for _, have := range observed.SecurityGroups {
		kept := slices.DeleteFunc(slices.Clone(have.Ingress), func(o model.Permission) bool {
			return !slices.ContainsFunc(wanted, func(p model.Permission) bool {
				return samePeer(p, o) && o.FromPort <= p.ToPort && p.FromPort <= o.ToPort
			})
		})
		if !have.Foreign || len(kept) == 0 {
			continue
		}
		i := slices.IndexFunc(desired.SecurityGroups, func(g model.SecurityGroup) bool { return g.Foreign && g.ID == have.ID })
		if i < 0 {
			desired.SecurityGroups = append(desired.SecurityGroups, foreign(have.ID, kept))
			continue
		}
		desired.SecurityGroups[i].Ingress = append(uncovered(desired.SecurityGroups[i].Ingress, kept), kept...)
	}
	return model.Normalize(desired)
}

// uncovered are those of want that no range of have admits.
func uncovered(want, have []model.Permission) []model.Permission {
	return slices.DeleteFunc(slices.Clone(want), func(p model.Permission) bool {
		return slices.ContainsFunc(have, func(o model.Permission) bool {
			return samePeer(p, o) && o.FromPort <= p.FromPort && p.ToPort <= o.ToPort
		})
	})
}

// samePeer tells whether two permissions differ in their ports only.
func samePeer(p, o model.Permission) bool {
	p.FromPort, p.ToPort = o.FromPort, o.ToPort
	return p.Identity() == o.Identity()
}

// ranged are permissions as they are observed. Bindings name the backend group by its ID, observations by its key: the key it is.
func (c *Cluster) ranged(permissions []model.Permission, backend string) []model.Permission {
	out := slices.Clone(permissions)
	for i := range out {
		p := &out[i]
		if c.opts.OpenAllPorts {
			p.FromPort, p.ToPort = 0, 65535
		}
		if backend != "" && p.Source.ID == backend {
			p.Source = model.GroupRef{Key: model.ResourceBackendSecurityGroup}
		}
		p.Description = model.PermissionMark
	}
	return out
}

// merged makes one permission, from the least port to the greatest, of all that have the same protocol and the same security group as
// their source, as the incumbent does. From a range of addresses each port stays as it is.
func merged(permissions []model.Permission) []model.Permission {
	all := map[model.Permission]model.Permission{}
	for _, p := range permissions {
		key := p.Identity()
		if p.Source != (model.GroupRef{}) {
			key.FromPort, key.ToPort = 0, 0
		}
		if have, ok := all[key]; ok {
			p.FromPort, p.ToPort = min(p.FromPort, have.FromPort), max(p.ToPort, have.ToPort)
		}
		all[key] = p
	}
	return slices.Collect(maps.Values(all))
}
