package annotations

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/headgate/headgate/model"
)

func prefixed(pairs ...string) map[string]string {
	out := map[string]string{}
	for i := 0; i < len(pairs); i += 2 {
		out[IngressPrefix+pairs[i]] = pairs[i+1]
	}
	return out
}

func TestReaderReadsWhatHasItsForm(t *testing.T) {
	r := Ingress().Reader(prefixed(
		Scheme, " internal ", SSLRedirect, "443", ManageBackendRules, "T", Subnets, "a,, b ,",
		LoadBalancerAttrs, `x=1\,2, y = 3 ,z=a=b`, GroupOrder, "many", UseRegexPathMatch, "on", Tags, "nopair",
		ListenPorts, `[{"HTTPS":443},{"HTTP":80,"HTTPS":8443}]`, InboundCIDRs, "",
	))
	if v, ok := r.String(Scheme); v != "internal" || !ok {
		t.Errorf("scheme is %q, %v", v, ok)
	}
	if v, ok := r.Int(SSLRedirect); v != 443 || !ok {
		t.Errorf("ssl-redirect is %d, %v", v, ok)
	}
	if v, ok := r.Bool(ManageBackendRules); !v || !ok {
		t.Errorf("manage-backend… is %v, %v", v, ok)
	}
	if diff := cmp.Diff([]string{"a", "b"}, r.List(Subnets)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(map[string]string{"x": "1,2", "y": "3", "z": "a=b"}, r.Map(LoadBalancerAttrs)); diff != "" {
		t.Error(diff)
	}
	ports, _ := Decode[Ports](r, ListenPorts)
	if diff := cmp.Diff([]Port{{"HTTP", 80}, {"HTTPS", 443}, {"HTTPS", 8443}}, ports.All()); diff != "" {
		t.Error(diff)
	}
	if _, ok := r.Int(GroupOrder); ok {
		t.Error("an order that is no number is read")
	}
	if _, ok := r.Bool(UseRegexPathMatch); ok {
		t.Error("a boolean that is none is read")
	}
	if r.Map(Tags) != nil || r.List(InboundCIDRs) != nil {
		t.Error("wrong tags or an empty list are read")
	}
	if _, ok := Decode[Action](r, Actions+".missing"); ok {
		t.Error("an action that is not there is read")
	}
}

func TestReaderOverPrefersTheFirst(t *testing.T) {
	service := Ingress().Reader(prefixed(HealthPath, "/service", BackendProtocol, "bad"))
	both := service.Over(Ingress().Reader(prefixed(HealthPath, "/ingress", HealthProtocol, "HTTPS", BackendProtocol, "HTTPS", Actions+".a", "{}")))
	if v, _ := both.String(HealthPath); v != "/service" {
		t.Errorf("the path is %q, want the Service's", v)
	}
	if v, _ := both.String(HealthProtocol); v != "HTTPS" {
		t.Errorf("the protocol is %q, want the Ingress's", v)
	}
	if v, ok := both.String(BackendProtocol); ok {
		t.Errorf("the backend protocol is %q: the Service's mistake must not be hidden by the Ingress", v)
	}
	if !both.Has(Actions+".a") || both.Has(Actions+".b") {
		t.Error("Has does not look at all layers")
	}
	if diff := cmp.Diff([]string{"a"}, both.Names(Actions)); diff != "" {
		t.Error(diff)
	}
}

func TestAsks(t *testing.T) {
	rows := []struct {
		key, value string
		want       bool
		why        string
	}{
		{AuthType, "none", false, "asks for no login"},
		{AuthType, "oidc", true, "asks for login"},
		{AuthType, "garbage", true, "what cannot be read asks: closed, not open"},
		{WAFv2ARN, "none", false, "asks for no firewall"},
		{WAFv2ARN, "NONE", false, "without case"},
		{WAFv2ARN, "arn:x", true, "asks for one"},
	}
	for _, row := range rows {
		if got := Ingress().Reader(prefixed(row.key, row.value)).Asks(row.key); got != row.want {
			t.Errorf("%s=%s asks %v: %s", row.key, row.value, got, row.why)
		}
	}
	if Ingress().Reader(nil).Asks(AuthType) {
		t.Error("a key that is not written asks")
	}
}

func TestDistance(t *testing.T) {
	for _, row := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"a", "", 1}, {"", "ab", 2}, {"scheme", "shceme", 2}, {"kitten", "sitting", 3}} {
		if got := distance(row.a, row.b); got != row.want {
			t.Errorf("distance of %q and %q is %d, want %d", row.a, row.b, got, row.want)
		}
	}
}

func TestServicePortIsNumberOrName(t *testing.T) {
	for raw, want := range map[string]ServicePort{"80": "80", `"80"`: "80", `"http"`: "http"} {
		a, err := decode[Action](`{"type":"forward","forwardConfig":{"targetGroups":[{"serviceName":"s","servicePort":` + raw + `}]}}`)
		if err != nil || a.Groups()[0].ServicePort != want {
			t.Errorf("%s is read as %v (%v)", raw, a.Groups(), err)
		}
	}
}

func FuzzCheck(f *testing.F) {
	for _, seed := range [][2]string{
		{"listen-ports", `[{"HTTP":80},{"HTTPS":443}]`},
		{"actions.a", `{"type":"forward","forwardConfig":{"targetGroups":[{"serviceName":"a","servicePort":"80","weight":1}]}}`},
		{"conditions.a", `[{"field":"query-string","queryStringConfig":{"values":[{"key":"a","value":"b"}]}}]`},
		{"transforms.a", `[{"type":"url-rewrite","urlRewriteConfig":{"rewrites":[{"regex":"^/a","replace":"/b"}]}}]`},
		{"mutual-authentication", `[{"port":443,"mode":"verify"}]`},
		{"tags", `a=b,c=d\,e`}, {"success-codes", "200-299,302"}, {"inbound-cidrs", "10.0.0.0/8"}, {"group.order", "-1"},
		{"certificate-arn", "arn:aws:acm:us-west-2:123456789012:certificate/1"}, {"", ""}, {".", "null"}, {"listen-ports", "null"},
		{"actions.x", `{"type":"redirect","redirectConfig":null}`}, {"conditions.x", "[null]"},
	} {
		f.Add(seed[0], seed[1])
	}
	table := Ingress()
	f.Fuzz(func(t *testing.T, key, value string) {
		values := prefixed(key, value)
		wrong := false
		for _, place := range []Place{OnIngress, OnService} {
			for _, p := range table.Check(place, values) {
				wrong = wrong || p.Severity == model.Wrong
				if p.Message == "" || p.Reason == "" {
					t.Errorf("%q=%q gives a problem without words", key, value)
				}
			}
		}
		r := table.Reader(values)
		_, ok := r.String(key)
		if spec, _, known := table.Find(key); known && spec.Status == Served && ok == wrong {
			t.Errorf("%q=%q is read %v although wrong is %v", key, value, ok, wrong)
		}
	})
}
