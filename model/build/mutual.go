package build

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/intent"
)

// maxTrustStores is the count of trust stores of one load balancer, which AWS never raises.
const maxTrustStores = 2

// clients settles on each port whether its clients show certificates. What is behind a port that asks for them, and that AWS does not let
// ask, answers 503.
func (b *builder) clients(p ports) {
	crowded := b.crowdedOut(p)
	for _, n := range slices.Sorted(maps.Keys(p.by)) {
		one := p.by[n]
		b.describeMutual(one, crowded)
		one.closeUnguarded()
	}
}

// mutualPlace is where mutual authentication was written.
func mutualPlace(w wish) place {
	if m := w.listener.MutualAuth; m != nil && m.Field != "" {
		return place{w.fragment.Member, m.Field}
	}
	return w.place()
}

func (b *builder) describeMutual(one *port, crowded map[model.ARN]bool) {
	claims := make([]claim, len(one.wishes))
	found := make([]*model.MutualAuth, len(one.wishes))
	for i, w := range one.wishes {
		claims[i], found[i] = b.mutualClaim(w, one, crowded)
		if reason, problem := b.mutualProblem(w.listener.MutualAuth, one, crowded); reason != "" && one.isNews(w, found[i]) {
			b.wrong(mutualPlace(w), reason, "%s%s", problem, meanwhile(w, one))
		}
	}
	won := decide(claims, "", func(_, _ claim) {})
	if won < 0 {
		return
	}
	one.mutual = found[won]
	b.trusts(one.wishes[won], one.mutual.TrustStore)
	for i, c := range claims {
		if w := one.wishes[i]; c.asked && c.value != claims[won].value && !w.listener.MutualAuth.Held {
			b.wrong(c.at, "ConflictingSetting", "conflicts with how %s asks for certificates of clients on port %d; use the same or another port%s",
				claims[won].at.object, one.number, meanwhile(w, one))
		}
	}
}

// isNews tells whether the owner of a wish hears that it cannot be served. Of a good fragment he has heard; but where not even what was good
// before can be made, only what is observed may guard as much.
func (one *port) isNews(w wish, found *model.MutualAuth) bool {
	m := w.listener.MutualAuth
	return !m.Held || found == nil && m.Good != nil && strictness(m.Good.Mode) >= strictness(m.Mode)
}

// meanwhile says what becomes of the rules of a member that does not get what it asks for.
func meanwhile(w wish, one *port) string {
	switch m := w.listener.MutualAuth; {
	case m.Mode == model.MutualOff:
		return ""
	case m.Authorities != nil && m.Authorities.Problem != "":
		return "; until then clients are verified by the authorities that were good before"
	}
	return fmt.Sprintf("; unless clients show certificates on port %d already, its rules there answer 503 until then", one.number)
}

// mutualClaim is what a member asks for, or asked for when it was good, as far as AWS can do it.
func (b *builder) mutualClaim(w wish, one *port, crowded map[model.ARN]bool) (claim, *model.MutualAuth) {
	out := claim{at: mutualPlace(w)}
	m := w.listener.MutualAuth
	if _, problem := b.mutualProblem(m, one, crowded); problem != "" {
		if m = m.Good; m == nil {
			return out, nil
		}
		if _, problem = b.mutualProblem(m, one, crowded); problem != "" {
			return out, nil
		}
	}
	if m == nil || one.protocol != protocolHTTPS {
		return out, nil
	}
	found := b.usableMutual(m)
	out.value, out.asked = mutualValue(found), true
	for _, l := range w.before {
		out.standing = out.standing || l.MutualAuth != nil && mutualValue(b.usableMutual(l.MutualAuth)) == out.value
	}
	return out, found
}

func mutualValue(m *model.MutualAuth) string {
	return fmt.Sprintf("%s %s %t %s", m.Mode, m.TrustStore, m.IgnoreExpiry, m.AdvertiseNames)
}

// mutualProblem is why AWS cannot ask for certificates in a way, empty where it can; without a reason where its owner knows.
func (b *builder) mutualProblem(m *intent.MutualAuth, one *port, crowded map[model.ARN]bool) (reason, problem string) {
	switch {
	case m == nil, one.protocol != protocolHTTPS && m.Mode == model.MutualOff:
		return "", ""
	case one.protocol != protocolHTTPS:
		return "InvalidMutualAuthentication", fmt.Sprintf("port %d is HTTP, on which clients show no certificates: name an HTTPS port", one.number)
	case !slices.Contains([]string{model.MutualOff, model.MutualPassthrough, model.MutualVerify}, m.Mode):
		return "InvalidMutualAuthentication", fmt.Sprintf("the mode %q is not off, passthrough or verify", m.Mode)
	case b.unserved(m):
		return "", "its owner was told"
	case m.Mode != model.MutualVerify:
		return "", ""
	case m.Authorities != nil && m.Authorities.Problem != "":
		return m.Authorities.Reason, m.Authorities.Problem
	case m.Authorities != nil && !crowded[b.storeOf(m)]:
		return "", ""
	case m.Authorities != nil:
		return "TooManyTrustStores", fmt.Sprintf("the load balancer uses %d trust stores already, which is all that AWS takes: verify by the ConfigMaps "+
			"of one of these, in the same order", maxTrustStores)
	case m.TrustStore == "":
		return "InvalidMutualAuthentication", fmt.Sprintf("port %d verifies certificates of clients and names no trust store: name one", one.number)
	case b.facts.TrustStores[m.TrustStore] == "":
		return "TrustStoreNotFound", fmt.Sprintf("there is no trust store %q in this account and region: create it, or name one that is there", m.TrustStore)
	case crowded[b.storeOf(m)]:
		return "TooManyTrustStores", fmt.Sprintf(
			"the load balancer uses %d trust stores already, which is all that AWS takes: use one of these", maxTrustStores)
	}
	return "", ""
}

// usableMutual is what a member asks for in AWS's words.
func (b *builder) usableMutual(m *intent.MutualAuth) *model.MutualAuth {
	out := model.MutualAuth{
		Mode: m.Mode, TrustStore: b.storeOf(m), IgnoreExpiry: m.IgnoreExpiry, AdvertiseNames: m.AdvertiseNames,
	}.WithDefaults()
	return &out
}

// storeUse is a trust store that a port would use.
type storeUse struct {
	store    model.ARN
	standing bool
	// index of the fragment that asks for it.
	index int
}

// crowdedOut are the trust stores that AWS does not take, for the load balancer has all that it can have without them: of those who stood,
// then of those who come first. What does not count on its port takes no room.
func (b *builder) crowdedOut(p ports) map[model.ARN]bool {
	out := map[model.ARN]bool{}
	for {
		stores := b.storesUsed(p, out)
		if len(stores) <= maxTrustStores {
			return out
		}
		out[stores[maxTrustStores]] = true
	}
}

func (b *builder) storesUsed(p ports, without map[model.ARN]bool) []model.ARN {
	var uses []storeUse
	for _, n := range slices.Sorted(maps.Keys(p.by)) {
		one := p.by[n]
		claims := make([]claim, len(one.wishes))
		found := make([]*model.MutualAuth, len(one.wishes))
		for i, w := range one.wishes {
			claims[i], found[i] = b.mutualClaim(w, one, without)
		}
		if won := decide(claims, "", func(_, _ claim) {}); won >= 0 && found[won].TrustStore != "" {
			uses = append(uses, storeUse{found[won].TrustStore, claims[won].standing, one.wishes[won].index})
		}
	}
	slices.SortStableFunc(uses, func(x, y storeUse) int {
		if x.standing != y.standing {
			return map[bool]int{true: -1, false: 1}[x.standing]
		}
		return cmp.Compare(x.index, y.index)
	})
	var out []model.ARN
	for _, u := range uses {
		if !slices.Contains(out, u.store) {
			out = append(out, u.store)
		}
	}
	return out
}

// wantsClients tells whether somebody asks for certificates of clients, be it in a way that cannot be served.
func (one *port) wantsClients() bool {
	return slices.ContainsFunc(one.wishes, func(w wish) bool {
		return w.listener.MutualAuth != nil && w.listener.MutualAuth.Mode != model.MutualOff
	})
}

// closeUnguarded closes the port for the members whose clients are to show certificates and will not be asked for any. A member that
// loses to another one's trust store is served behind that.
func (one *port) closeUnguarded() {
	for _, w := range one.wishes {
		m := w.listener.MutualAuth
		if m == nil || strictness(one.shown()) >= strictness(m.Mode) {
			continue
		}
		one.closed[w.fragment] = true
		one.closedToAll = one.closedToAll || m.Whole
	}
}

// shown is the mode in which the port asks its clients for certificates: as it is settled, else as AWS holds it, which then stays.
func (one *port) shown() string {
	if one.protocol != protocolHTTPS {
		return model.MutualOff
	}
	if one.mutual != nil {
		return one.mutual.Mode
	}
	for _, w := range one.wishes {
		if m := w.listener.MutualAuth; m != nil && m.Observed != "" {
			return m.Observed
		}
	}
	return model.MutualOff
}

// strictness ranks modes by how many clients they turn away. What is not known may be meant to turn away most.
func strictness(mode string) int {
	known := []string{model.MutualOff, model.MutualPassthrough, model.MutualVerify}
	if i := slices.Index(known, mode); i >= 0 {
		return i
	}
	return len(known) - 1
}

// closedTo tells whether what a fragment serves on the port answers 503.
func (one *port) closedTo(f *intent.Fragment) bool { return one.closedToAll || one.closed[f] }
