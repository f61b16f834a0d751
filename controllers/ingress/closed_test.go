package ingress

import (
	"net/http"
	"strings"
	"testing"

	elbv2v1beta1 "github.com/headgate/headgate/apis/elbv2/v1beta1"
	"github.com/headgate/headgate/controllers/annotations"
	"github.com/headgate/headgate/model"
)

func TestWhatRestrictsAccessCloses(t *testing.T) {
	rows := []struct {
		name          string
		pairs         []string
		service       []string
		class         elbv2v1beta1.IngressClassParamsSpec
		closed, field string
		why           string
	}{
		{name: "no auth", pairs: []string{annotations.AuthType, "none", annotations.AuthCognito, pool}, why: "login is off"},
		{name: "idp only", pairs: []string{annotations.AuthCognito, pool}, closed: "80 8443", field: "auth-idp-cognito", why: "who writes it expects login"},
		{
			name: "service opens", pairs: []string{annotations.AuthType, "cognito", annotations.AuthCognito, pool}, service: []string{annotations.AuthType, "none"},
			why: "the Service wins over the Ingress",
		},
		{name: "no waf", pairs: []string{annotations.WAFv2ARN, "none", annotations.WAFClassic, "none"}, why: "takes a firewall away"},
		{name: "mutual off", pairs: []string{annotations.MutualAuthentication, `[{"port":8443,"mode":"off"}]`}, why: "asks for nothing"},
		{name: "misspelled ranges", pairs: []string{"inbound-cidr", "10.0.0.0/8"}, closed: "80 8443", field: "inbound-cidr", why: "it was meant to restrict"},
		{name: "misspelled login", pairs: []string{"auth-typ", "oidc"}, closed: "80 8443", field: "auth-typ", why: "it was meant to restrict"},
		{name: "misspelled login of a service", service: []string{"auth-typ", "oidc"}, closed: "80 8443", field: "auth-typ", why: "the Service may ask too"},
		{name: "mutual broken", pairs: []string{annotations.MutualAuthentication, `{`}, closed: "80 8443", field: "mutual-authentication", why: "closed, not open"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			ing := newIngress(append(row.pairs, annotations.ListenPorts, `[{"HTTP":80},{"HTTPS":8443}]`, annotations.CertificateARN, certA)...)
			backend := backendTo("web", "80")
			ing.Spec.DefaultBackend = &backend
			f, findings := made(t, ing, newService("web", row.service...), newClass("alb", "p"), newParams(row.class))
			closed := map[int]bool{}
			for _, r := range f.Routes {
				for _, p := range r.Ports {
					closed[p] = r.Forward == nil && r.Fixed != nil && r.Fixed.StatusCode == http.StatusServiceUnavailable
				}
			}
			for i, port := range []int{80, 8443} {
				want := strings.Contains(" "+row.closed+" ", " "+[]string{"80", "8443"}[i]+" ")
				if closed[port] != want || (f.Listeners[i].Default.Forward == nil) != want {
					t.Errorf("port %d closed: %v (default %+v), want %v: %s", port, closed[port], f.Listeners[i].Default, want, row.why)
				}
			}
			if row.closed == "" {
				mustBeClean(t, findings)
				return
			}
			for _, one := range findings {
				if one.Severity == model.Closed && strings.HasSuffix(one.Field, row.field) {
					return
				}
			}
			t.Errorf("no Closed finding at %s in %v", row.field, findings)
		})
	}
}
