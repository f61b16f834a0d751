package ingress

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/headgate/headgate/controllers/annotations"
	"github.com/headgate/headgate/controllers/secret"
	"github.com/headgate/headgate/controllers/stack"
	"github.com/headgate/headgate/model"
)

const (
	pool = `{"userPoolARN":"arn:aws:cognito-idp:us-west-2:123456789012:userpool/p","userPoolClientID":"c","userPoolDomain":"d"}`
	oidc = `{"issuer":"https://i","authorizationEndpoint":"https://a","tokenEndpoint":"https://t","userInfoEndpoint":"https://u","secretName":"idp"}`
	jwt  = `{"jwksEndpoint":"https://k","issuer":"i"}`
)

func clientSecret(id, text string) *corev1.Secret {
	return &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "idp"},
		Data:       map[string][]byte{"clientID": []byte(id), "clientSecret": []byte(text)},
	}
}

// guardsOf are the guards of the fragment's rules, in a word each.
func guardsOf(req stack.Request) (out []string) {
	for _, r := range req.Intent.Fragments[0].Routes {
		switch {
		case r.Auth == nil && r.Forward == nil:
			out = append(out, "closed")
		case r.Auth == nil:
			out = append(out, "open")
		case r.Auth.OIDC != nil:
			out = append(out, "oidc "+r.Auth.OIDC.ClientID)
		default:
			out = append(out, r.Auth.Type)
		}
	}
	return out
}

func TestWhoIsLetThrough(t *testing.T) {
	const kind, byCognito, byOIDC = annotations.AuthType, annotations.AuthCognito, annotations.AuthOIDC
	rows := []struct {
		why            string
		pairs, service []string
		secret         client.Object
		want           string
		wrong          string
	}{
		{why: "everybody", want: "open"},
		{why: "who signs in with a pool", pairs: []string{kind, "cognito", byCognito, pool}, want: "authenticate-cognito"},
		{why: "who signs in with a provider", pairs: []string{kind, "oidc", byOIDC, oidc}, secret: clientSecret("web", "s"), want: "oidc web"},
		{why: "who has a token", pairs: []string{annotations.JWTValidation, jwt}, want: "jwt-validation"},
		{why: "the Service may ask", service: []string{kind, "cognito", byCognito, pool}, want: "authenticate-cognito"},
		{
			why: "the Service wins, and takes the rest from the Ingress", pairs: []string{kind, "oidc", byCognito, pool},
			service: []string{kind, "cognito"}, want: "authenticate-cognito",
		},
		{why: "the Service opens", pairs: []string{kind, "cognito", byCognito, pool}, service: []string{kind, "none"}, want: "open"},
		{why: "the Secret is missing", pairs: []string{kind, "oidc", byOIDC, oidc}, want: "closed", wrong: "there is no Secret shop/idp"},
		{
			why: "the Secret is no client", pairs: []string{kind, "oidc", byOIDC, oidc}, secret: clientSecret("web", "\n"), want: "closed",
			wrong: "clientSecret",
		},
		{why: "no provider", pairs: []string{kind, "oidc"}, want: "closed", wrong: "write the provider"},
		{why: "no pool", pairs: []string{kind, "cognito"}, want: "closed", wrong: "write the user pool"},
		{
			why: "one guard a rule", pairs: []string{kind, "cognito", byCognito, pool, annotations.JWTValidation, jwt}, want: "closed",
			wrong: "cannot be combined",
		},
		{why: "no kind that is known", pairs: []string{kind, "saml"}, want: "closed", wrong: "saml"},
	}
	for _, row := range rows {
		objects := []client.Object{newIngress(row.pairs...), newService("web", row.service...), newClass("alb", "")}
		if row.secret != nil {
			objects = append(objects, row.secret)
		}
		req := requestOf(t, objects...)
		if diff := cmp.Diff([]string{row.want}, guardsOf(req)); diff != "" {
			t.Errorf("%s: %s", row.why, diff)
		}
		var wrong []string
		for _, f := range req.Findings {
			if f.Severity == model.Wrong {
				wrong = append(wrong, f.Message)
			}
		}
		found := strings.Join(wrong, "; ")
		if !strings.Contains(found, row.wrong) || row.wrong == "" && found != "" {
			t.Errorf("%s: told %q, want %q", row.why, found, row.wrong)
		}
	}
}

// TestSecretsNeedTheLabelThatIsAskedFor: with --required-secrets-label no other Secret is used.
func TestSecretsNeedTheLabelThatIsAskedFor(t *testing.T) {
	labelled := clientSecret("web", "s")
	labelled.Labels = map[string]string{"team": "shop"}
	for want, object := range map[string]*corev1.Secret{"closed": clientSecret("web", "s"), "oidc web": labelled} {
		set := settingsIP()
		set.Secrets.Label = secret.Label{Key: "team", Value: "shop"}
		objects := []client.Object{
			newIngress(annotations.AuthType, "oidc", annotations.AuthOIDC, oidc), newService("web"), newClass("alb", ""), object,
		}
		g, err := Load(t.Context(), newClient(t, objects...), set, Implicit("shop", "web"))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{want}, guardsOf(Request(g, set))); diff != "" {
			t.Error(diff)
		}
	}
}

// TestWhoIsLetThroughNowCounts: what an Ingress says of it takes effect although something else of it is wrong.
func TestWhoIsLetThroughNowCounts(t *testing.T) {
	const kind, byCognito, byOIDC = annotations.AuthType, annotations.AuthCognito, annotations.AuthOIDC
	signs := []string{kind, "cognito", byCognito, pool}
	for _, row := range []struct {
		why         string
		before, now []string
		want        string
	}{
		{"as before", signs, signs, "authenticate-cognito"},
		{"asked for now", nil, signs, "authenticate-cognito"},
		{"asked for now, and it cannot be read", nil, []string{kind, "oidc"}, "closed"},
		{"asked for otherwise, and it cannot be read", signs, []string{kind, "oidc", byOIDC, oidc}, "authenticate-cognito"},
		{"not asked for any more: with the rest when it is right", signs, nil, "authenticate-cognito"},
	} {
		good := requestOf(t, newIngress(row.before...), newService("web"), newClass("alb", "")).Intent.Fragments[0]
		req := requestOf(t, broken(row.now...), newService("web"), newClass("alb", ""))
		req.Intent.Fragments[0] = req.Permit(good)
		if diff := cmp.Diff([]string{row.want}, guardsOf(req)); diff != "" {
			t.Errorf("%s: %s", row.why, diff)
		}
	}
}

// TestSecretsWakeTheGroupsThatNameThem: a renewed client is given on although nothing else changed, whoever names its Secret.
func TestSecretsWakeTheGroupsThatNameThem(t *testing.T) {
	signs := []string{annotations.AuthType, "oidc", annotations.AuthOIDC, oidc}
	for _, row := range []struct {
		why              string
		ingress, service []string
		want             int
	}{
		{"the Ingress names it", signs, nil, 1},
		{"the Service names it", nil, signs, 1},
		{"nobody names it", nil, nil, 0},
		{"it is named, and nobody signs in", []string{annotations.AuthOIDC, oidc}, nil, 0},
	} {
		c := newClient(t, newIngress(row.ingress...), newService("web", row.service...), newClass("alb", ""))
		r := New(c, nil, &told{}, settingsIP())
		if got := r.ofSecret(t.Context(), clientSecret("web", "renewed")); len(got) != row.want {
			t.Errorf("%s: %v is woken, want %d groups", row.why, got, row.want)
		}
	}
}
