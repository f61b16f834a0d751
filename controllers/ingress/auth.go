package ingress

import (
	"context"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/headgate/headgate/controllers/annotations"
	"github.com/headgate/headgate/controllers/secret"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/intent"
)

// demand is who a route may be served to, as its member says it now.
type demand struct {
	// guard lets only some through; nil lets all.
	guard *model.Action
	// field is where it was written.
	field string
	// problem says why the guard cannot be made, in words that follow the field; empty where it can, or where none is asked for. Reason goes
	// with it, and closed says that nobody is let through meanwhile although the member is not wrong.
	problem, reason string
	closed          bool
}

// unreadable tells whether somebody shall be kept away and it is not known whom.
func (q demand) unreadable() bool { return q.problem != "" }

func (q demand) wrong(reason, format string, args ...any) demand {
	q.reason, q.problem = reason, fmt.Sprintf(format, args...)
	return q
}

// demandOf says who a route may be served to. What its Services say of sign-in comes before what the member says.
func (d *draft) demandOf(r intent.Route) demand {
	signIn := d.behind(r)
	if signIn.closed || !d.read.Has(annotations.JWTValidation) {
		return signIn
	}
	return d.tokens(signIn)
}

// tokens says which tokens are let through. A rule has one guard.
func (d *draft) tokens(signIn demand) demand {
	out := demand{field: d.read.Field(annotations.JWTValidation)}
	check, ok := annotations.Decode[annotations.TokenCheck](d.read, annotations.JWTValidation)
	switch {
	case !ok:
		return out.wrong(ReasonInvalid, "says who is let through and cannot be read")
	case signIn.guard != nil || signIn.unreadable():
		return out.wrong(ReasonInvalid, "cannot be combined with auth-type: a rule of AWS signs users in or checks tokens, so leave one out")
	}
	jwt := &model.JWT{Issuer: check.Issuer, JWKSEndpoint: check.JWKSEndpoint}
	for _, c := range check.AdditionalClaims {
		jwt.Claims = append(jwt.Claims, model.Claim{Name: c.Name, Format: c.Format, Values: slices.Sorted(slices.Values(c.Values))})
	}
	out.guard = &model.Action{Type: model.ActionJWT, JWT: jwt}
	return out
}

// signIn says who must sign in.
func (d *draft) signIn(read annotations.Reader) demand {
	kind, ok := read.String(annotations.AuthType)
	switch {
	case !read.Has(annotations.AuthType):
		for _, key := range []string{annotations.AuthCognito, annotations.AuthOIDC} {
			if read.Has(key) {
				return demand{
					field: read.Field(key), reason: ReasonClosed, closed: true,
					problem: "names a provider, and auth-type is not written: the rules answer 503 until it is, or the provider is taken away",
				}
			}
		}
		return demand{}
	case !ok:
		return demand{field: read.Field(annotations.AuthType)}.wrong(ReasonInvalid, "says who is let through and cannot be read")
	case kind == annotations.AuthWithOIDC:
		return d.oidc(read)
	case kind == annotations.AuthWithCognito:
		return d.cognito(read)
	}
	return demand{}
}

func (d *draft) oidc(read annotations.Reader) demand {
	out := demand{field: read.Field(annotations.AuthOIDC)}
	provider, ok := annotations.Decode[annotations.OIDCProvider](read, annotations.AuthOIDC)
	if !ok {
		return out.wrong(ReasonInvalid, "is missing or cannot be read, and auth-type is oidc: write the provider there")
	}
	session, bad := session(read, provider.ExtraParams)
	if bad != "" {
		return demand{field: read.Field(bad)}.wrong(ReasonInvalid, "says who is let through and cannot be read")
	}
	ref := model.SecretRef{Namespace: d.member.Ingress.Namespace, Name: provider.SecretName}
	found := d.clients[ref]
	if found.Problem != "" {
		return out.wrong(found.Reason, "%s", found.Problem)
	}
	out.guard = &model.Action{Type: model.ActionOIDC, OIDC: &model.OIDC{
		Issuer: provider.Issuer, AuthorizationEndpoint: provider.AuthorizationEndpoint, TokenEndpoint: provider.TokenEndpoint,
		UserInfoEndpoint: provider.UserInfoEndpoint, Session: session, ClientID: found.ID, Secret: ref, Digest: found.Digest,
	}}
	return out
}

func (d *draft) cognito(read annotations.Reader) demand {
	out := demand{field: read.Field(annotations.AuthCognito)}
	pool, ok := annotations.Decode[annotations.CognitoProvider](read, annotations.AuthCognito)
	if !ok {
		return out.wrong(ReasonInvalid, "is missing or cannot be read, and auth-type is cognito: write the user pool there")
	}
	session, bad := session(read, pool.ExtraParams)
	if bad != "" {
		return demand{field: read.Field(bad)}.wrong(ReasonInvalid, "says who is let through and cannot be read")
	}
	out.guard = &model.Action{Type: model.ActionCognito, Cognito: &model.Cognito{
		UserPoolARN: model.ARN(pool.UserPoolARN), UserPoolClientID: pool.UserPoolClientID, UserPoolDomain: pool.UserPoolDomain, Session: session,
	}}
	return out
}

// session is how users stay signed in; bad is the key that cannot be read.
func session(read annotations.Reader, params map[string]string) (out model.Session, bad string) {
	out.ExtraParams = orNil(params)
	for key, to := range map[string]*string{
		annotations.AuthOnUnauthenticated: &out.OnUnauthenticated, annotations.AuthScope: &out.Scope, annotations.AuthSessionCookie: &out.Cookie,
	} {
		*to, _ = read.String(key)
	}
	out.TimeoutSeconds, _ = read.Int(annotations.AuthSessionTimeout)
	for _, key := range []string{
		annotations.AuthOnUnauthenticated, annotations.AuthScope, annotations.AuthSessionCookie, annotations.AuthSessionTimeout,
	} {
		if _, ok := read.String(key); read.Has(key) && !ok {
			return out, key
		}
	}
	return out, ""
}

// guard puts before each route what lets only some through, after their owner was told why that cannot be done for some.
func (d *draft) guard(routes []intent.Route) []intent.Route {
	out := slices.Clone(routes)
	for i, r := range out {
		q := d.demandOf(r)
		switch {
		case q.closed:
			d.note(model.Closed, q.reason, q.field, q.problem)
		case q.unreadable():
			if !d.isTold(q.field) {
				d.wrong(q.reason, q.field, q.problem)
			}
			out[i] = shut(r)
		case q.guard != nil:
			out[i].Auth, out[i].AuthField = q.guard, q.field
		}
		d.signs = d.signs || q.unreadable() || q.guard != nil && q.guard.JWT == nil
	}
	return out
}

// checkSession finds what says how users stay signed in where nobody signs in.
func (d *draft) checkSession() {
	for _, key := range []string{
		annotations.AuthOnUnauthenticated, annotations.AuthScope, annotations.AuthSessionCookie, annotations.AuthSessionTimeout,
	} {
		if d.read.Has(key) && !d.signs {
			d.note(model.Warning, ReasonUnused, d.read.Field(key), "has no effect, for nobody signs in: write auth-type, or leave it out")
		}
	}
}

// isTold tells whether the owner knows already that a field is wrong.
func (d *draft) isTold(field string) bool {
	return slices.ContainsFunc(d.notes.list, func(f model.Finding) bool {
		return f.Severity == model.Wrong && f.Field == field && f.Object.Same(d.object)
	})
}

// reguard puts before routes that were good once what their member says now of who is let through. While that cannot be read, what was
// said before holds, and where nothing was, nobody is let through.
func (d *draft) reguard(routes []intent.Route) []intent.Route {
	out := make([]intent.Route, 0, len(routes))
	for _, r := range routes {
		q := d.demandOf(r)
		switch {
		case q.guard != nil:
			r.Auth, r.AuthField = q.guard, q.field
		case q.unreadable() && r.Auth == nil:
			r = shut(r)
		}
		out = append(out, d.moved(r)...)
	}
	return out
}

// moved closes a route on ports that the member does not name any more, while clients of some port shall show certificates: what was
// served there may be what they are to protect.
func (d *draft) moved(r intent.Route) []intent.Route {
	list, _ := annotations.Decode[annotations.MutualAuthList](d.read, annotations.MutualAuthentication)
	if !slices.ContainsFunc(list, func(m annotations.MutualAuth) bool { return m.Mode != model.MutualOff }) {
		return []intent.Route{r}
	}
	return closeBut(r, func(port int) bool { return slices.Contains(d.numbers(), port) })
}

// closeBut is a route that answers 503 on all its ports but some.
func closeBut(r intent.Route, stays func(port int) bool) []intent.Route {
	open, closed := r, shut(r)
	open.Ports, closed.Ports = nil, nil
	for _, p := range r.Ports {
		if stays(p) {
			open.Ports = append(open.Ports, p)
		} else {
			closed.Ports = append(closed.Ports, p)
		}
	}
	return slices.DeleteFunc([]intent.Route{open, closed}, func(r intent.Route) bool { return len(r.Ports) == 0 })
}

// mutual is how the clients of a port show certificates; nil where the member says nothing of it.
func (d *draft) mutual(port int) *intent.MutualAuth {
	list, _ := annotations.Decode[annotations.MutualAuthList](d.read, annotations.MutualAuthentication)
	for _, m := range list {
		if m.Port == port {
			return &intent.MutualAuth{
				Mode: m.Mode, TrustStore: m.TrustStore, IgnoreExpiry: m.IgnoreExpiry != nil && *m.IgnoreExpiry, AdvertiseNames: m.Advertise,
				Field: d.read.Field(annotations.MutualAuthentication),
			}
		}
	}
	return nil
}

// checkMutual finds ports of mutual authentication that the member does not have: one that it has may be meant.
func (d *draft) checkMutual() {
	list, _ := annotations.Decode[annotations.MutualAuthList](d.read, annotations.MutualAuthentication)
	_, listed := annotations.Decode[annotations.Ports](d.read, annotations.ListenPorts)
	readable := listed || !d.read.Has(annotations.ListenPorts)
	for _, m := range list {
		if slices.Contains(d.numbers(), m.Port) {
			continue
		}
		d.wrong(ReasonInvalid, d.read.Field(annotations.MutualAuthentication), fmt.Sprintf(
			"names port %d, which is none of this Ingress's: list it in listen-ports, or name one that is", m.Port))
		d.blind = d.blind || readable && m.Mode != model.MutualOff
	}
}

// clientsOf are the Secrets that an Ingress, or a Service behind it, names for sign-in.
func clientsOf(ing *networkingv1.Ingress, services map[types.NamespacedName]*corev1.Service) []model.SecretRef {
	var out []model.SecretRef
	own := annotations.Ingress().Reader(ing.Annotations)
	readers := []annotations.Reader{own}
	for _, name := range servicesOf(ing) {
		if s := services[types.NamespacedName{Namespace: ing.Namespace, Name: name}]; s != nil {
			readers = append(readers, annotations.Ingress().Reader(s.Annotations).Over(own))
		}
	}
	for _, read := range readers {
		kind, _ := read.String(annotations.AuthType)
		provider, ok := annotations.Decode[annotations.OIDCProvider](read, annotations.AuthOIDC)
		if ok && kind == annotations.AuthWithOIDC {
			out = append(out, model.SecretRef{Namespace: ing.Namespace, Name: provider.SecretName})
		}
	}
	slices.SortFunc(out, func(a, b model.SecretRef) int { return strings.Compare(a.String(), b.String()) })
	return slices.Compact(out)
}

// loadClients reads the clients that members sign users in with.
func loadClients(ctx context.Context, r client.Reader, set Settings, g *Group) error {
	var refs []model.SecretRef
	for _, m := range g.Members {
		refs = append(refs, clientsOf(m.Ingress, g.Services)...)
	}
	g.Clients = map[model.SecretRef]secret.Client{}
	for _, ref := range refs {
		if _, ok := g.Clients[ref]; ok {
			continue
		}
		found, err := set.Secrets.Client(ctx, r, ref, set.ClusterName)
		if err != nil {
			return fmt.Errorf("loading a client: %w", err)
		}
		g.Clients[ref] = found
	}
	return nil
}
