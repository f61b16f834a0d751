package plan

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/headgate/headgate/model"
)

// mutualAuth is the name under which it is remembered that we set it on a listener.
const mutualAuth = "mutualAuthentication"

// renewedSecret tells whether the secret behind actions is known to be another one than the wanted. What is not known counts as equal.
func (p *planner) renewedSecret(key model.Key, want []model.Action) bool {
	known, digest := p.opts.Applied[key].Secret, model.SecretDigest(want)
	return known != "" && digest != "" && known != digest
}

// renewSecrets has the rules changed whose provider got another secret, which no observation shows.
func (p *planner) renewSecrets(e *edit) {
	for i, j := range e.match.haveOf {
		if j < 0 || !e.match.same[i] || model.GuardOf(e.want.Rules[i].Actions) == nil ||
			!p.renewedSecret(RuleKey(e.want.Port, e.have.Rules[j]), e.want.Rules[i].Actions) {
			continue
		}
		e.match.same[i] = false
		if !e.match.ordered {
			e.match.haveOf[i] = -1 // nothing is changed in place while the order changes
		}
	}
}

// keepSecrets says for wanted actions whether AWS keeps the secret that it has.
func (p *planner) keepSecrets(key model.Key, want, have []model.Action) []model.Action {
	guard, held := model.GuardOf(want), model.GuardOf(have)
	if guard == nil || guard.OIDC == nil || held == nil || held.OIDC == nil ||
		held.OIDC.Issuer != guard.OIDC.Issuer || held.OIDC.ClientID != guard.OIDC.ClientID || p.renewedSecret(key, want) {
		return want
	}
	out := slices.Clone(want)
	o := *guard.OIDC
	o.KeepSecret = true
	model.GuardOf(out).OIDC = &o
	return out
}

// secretField shows a new secret, by digests.
func (p *planner) secretField(f *fields, key model.Key, want []model.Action) {
	if p.renewedSecret(key, want) {
		f.text(fieldSecret, "digest "+p.opts.Applied[key].Secret, "digest "+model.SecretDigest(want))
	}
}

// compareMutual notes whether clients shall show certificates otherwise than they do. What we set and nobody asks for now is switched
// off.
func (p *planner) compareMutual(e *edit) {
	_, ours := p.opts.Applied[e.key].Attributes[mutualAuth]
	if e.want.MutualAuth == nil && !e.want.KeepMutualAuth && e.have.MutualAuth != nil && ours && tls(e.want) {
		e.want.MutualAuth = &model.MutualAuth{Mode: model.MutualOff}
	}
	if e.want.MutualAuth == nil {
		return
	}
	before := len(e.fields)
	e.fields.text(mutualAuth, p.mutualText(e.have.MutualAuth), p.mutualText(e.want.MutualAuth))
	e.guards = len(e.fields) > before
}

func (p *planner) mutualText(m *model.MutualAuth) string {
	if m == nil {
		return model.MutualOff
	}
	out := []string{m.Mode}
	if m.TrustStore != "" {
		out = append(out, p.storeText(m.TrustStore))
	}
	if m.IgnoreExpiry {
		out = append(out, "expired certificates too")
	}
	if m.AdvertiseNames == "on" {
		out = append(out, "advertising names")
	}
	return strings.Join(out, ", ")
}

// withMutual adds to the attributes that were set that mutual authentication was.
func withMutual(l model.Listener) map[string]string {
	if l.MutualAuth == nil {
		return l.Attributes
	}
	out := map[string]string{mutualAuth: ""}
	maps.Copy(out, l.Attributes)
	return out
}

// guardText is an action that lets only some requests through, in a line.
func guardText(a model.Action) string {
	switch {
	case a.OIDC != nil:
		return fmt.Sprintf("sign in at %s (%s, %s, %s) as %s%s",
			a.OIDC.Issuer, a.OIDC.AuthorizationEndpoint, a.OIDC.TokenEndpoint, a.OIDC.UserInfoEndpoint, a.OIDC.ClientID, sessionText(a.OIDC.Session))
	case a.Cognito != nil:
		c := a.Cognito
		return fmt.Sprintf("sign in at %s (%s) as %s%s", c.UserPoolARN, c.UserPoolDomain, c.UserPoolClientID, sessionText(c.Session))
	default:
		parts := []string{fmt.Sprintf("check tokens of %s by %s", a.JWT.Issuer, a.JWT.JWKSEndpoint)}
		for _, c := range a.JWT.Claims {
			parts = append(parts, fmt.Sprintf("%s %s of %s", c.Name, c.Format, strings.Join(c.Values, "|")))
		}
		return strings.Join(parts, ", ")
	}
}

// sessionText is what is not AWS's default of a session.
func sessionText(s model.Session) string {
	usual := model.Session{}.WithDefaults()
	out := []string{""}
	for _, part := range []struct{ name, value, usual string }{
		{"otherwise", s.OnUnauthenticated, usual.OnUnauthenticated}, {"scope", s.Scope, usual.Scope}, {"cookie", s.Cookie, usual.Cookie},
		{"seconds", digits(s.TimeoutSeconds), digits(usual.TimeoutSeconds)},
	} {
		if value := cmp.Or(part.value, part.usual); value != part.usual {
			out = append(out, part.name+" "+value)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(s.ExtraParams)) {
		out = append(out, key+"="+s.ExtraParams[key])
	}
	return strings.Join(out, ", ")
}

// putSecret notes the secret that actions are given.
func putSecret(out map[model.Key]Applied, key model.Key, actions []model.Action) {
	if digest := model.SecretDigest(actions); digest != "" {
		a := out[key]
		a.Secret = digest
		out[key] = a
	}
}
