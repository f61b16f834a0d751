package takeover

import (
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/headgate/headgate/test/incumbent"
)

const (
	groupName = "shop"
	tlsPolicy = "ELBSecurityPolicy-TLS13-1-2-2021-06"
	signIn    = `{"issuer":"https://id.example.com","authorizationEndpoint":"https://id.example.com/authorize",` +
		`"tokenEndpoint":"https://id.example.com/token","userInfoEndpoint":"https://id.example.com/userinfo","secretName":"sign-in"}`
	weighted = `{"type":"forward","forwardConfig":{"targetGroups":[` +
		`{"serviceName":"s3","servicePort":80,"weight":90},{"serviceName":"s4","servicePort":80,"weight":10}],` +
		`"targetGroupStickinessConfig":{"enabled":true,"durationSeconds":200}}}`
)

// member is an Ingress of the group, and what the incumbent makes of it.
type member struct {
	annotations map[string]string
	// backend is what the path "/" leads to: a Service, or an action with a "!" before it.
	backend string
	// path and match take the place of the path "/" and what is made of it.
	match []elbtypes.RuleCondition
	// adjust changes the target group of the member's Service.
	adjust func(*incumbent.TargetGroup)
	// actions of the rule; without, it forwards to the Service.
	actions func(groups map[string]string) []elbtypes.Action
}

// members of the group of ten, each with something of its own.
func members(certificates []string) []member {
	return []member{
		{backend: "s0", annotations: map[string]string{
			"certificate-arn": certificates[0] + "," + certificates[1], "ssl-policy": tlsPolicy, "tags": "team=shop",
			"load-balancer-attributes": "idle_timeout.timeout_seconds=120",
		}},
		{backend: "s1", annotations: map[string]string{
			"auth-type": "oidc", "auth-idp-oidc": signIn, "auth-scope": "email openid", "auth-session-timeout": "3600",
		}, actions: signedIn},
		{backend: "!maintenance", annotations: map[string]string{
			"actions.maintenance": `{"type":"fixed-response","fixedResponseConfig":{"contentType":"text/plain","statusCode":"503","messageBody":"back soon"}}`,
		}, actions: func(map[string]string) []elbtypes.Action {
			return []elbtypes.Action{incumbent.Fixed("503", "back soon")}
		}},
		{backend: "!weighted", annotations: map[string]string{"actions.weighted": weighted}, actions: split},
		{backend: "s4", annotations: map[string]string{
			"target-group-attributes": "stickiness.enabled=true,stickiness.lb_cookie.duration_seconds=60,deregistration_delay.timeout_seconds=30",
		}, adjust: func(g *incumbent.TargetGroup) {
			g.Attributes = map[string]string{
				"stickiness.enabled": "true", "stickiness.lb_cookie.duration_seconds": "60", "deregistration_delay.timeout_seconds": "30",
			}
		}},
		{backend: "s5", annotations: map[string]string{
			"healthcheck-path": "/ready", "healthcheck-port": "8081", "healthcheck-interval-seconds": "20", "success-codes": "200-299",
		}, adjust: func(g *incumbent.TargetGroup) {
			g.Health.Path, g.Health.Port, g.Health.Interval, g.Health.Matcher = "/ready", "8081", 20, "200-299"
		}},
		{backend: "s6", annotations: map[string]string{
			"conditions.s6": `[{"field":"http-header","httpHeaderConfig":{"httpHeaderName":"X-Beta","values":["yes"]}}]`,
		}, match: []elbtypes.RuleCondition{{
			Field: aws.String("http-header"), HttpHeaderConfig: &elbtypes.HttpHeaderConditionConfig{HttpHeaderName: aws.String("X-Beta"), Values: []string{"yes"}},
		}}},
		{backend: "s7", annotations: map[string]string{"backend-protocol": "HTTPS", "backend-protocol-version": "HTTP2"}, adjust: func(g *incumbent.TargetGroup) {
			g.Protocol, g.Version, g.Health.Protocol = elbtypes.ProtocolEnumHttps, "HTTP2", elbtypes.ProtocolEnumHttps
		}},
		{backend: "s8"},
		{backend: "!elsewhere", annotations: map[string]string{
			"actions.elsewhere": `{"type":"redirect","redirectConfig":{"host":"example.org","path":"/#{path}","statusCode":"HTTP_302"}}`,
		}, actions: elsewhere},
	}
}

func signedIn(groups map[string]string) []elbtypes.Action {
	return []elbtypes.Action{{
		Type: elbtypes.ActionTypeEnumAuthenticateOidc, AuthenticateOidcConfig: &elbtypes.AuthenticateOidcActionConfig{
			Issuer: aws.String("https://id.example.com"), AuthorizationEndpoint: aws.String("https://id.example.com/authorize"),
			TokenEndpoint: aws.String("https://id.example.com/token"), UserInfoEndpoint: aws.String("https://id.example.com/userinfo"),
			ClientId: aws.String("shop"), ClientSecret: aws.String("not to be seen"), Scope: aws.String("email openid"),
			SessionCookieName: aws.String("AWSELBAuthSessionCookie"), SessionTimeout: aws.Int64(3600),
			OnUnauthenticatedRequest: elbtypes.AuthenticateOidcActionConditionalBehaviorEnumAuthenticate,
		},
	}, incumbent.Forward(groups["s1"])}
}

func split(groups map[string]string) []elbtypes.Action {
	return []elbtypes.Action{{Type: elbtypes.ActionTypeEnumForward, ForwardConfig: &elbtypes.ForwardActionConfig{
		TargetGroups: []elbtypes.TargetGroupTuple{
			{TargetGroupArn: aws.String(groups["m3 s3"]), Weight: aws.Int32(90)}, {TargetGroupArn: aws.String(groups["m3 s4"]), Weight: aws.Int32(10)},
		},
		TargetGroupStickinessConfig: &elbtypes.TargetGroupStickinessConfig{Enabled: aws.Bool(true), DurationSeconds: aws.Int32(200)},
	}}}
}

func elsewhere(map[string]string) []elbtypes.Action {
	return []elbtypes.Action{{Type: elbtypes.ActionTypeEnumRedirect, RedirectConfig: &elbtypes.RedirectActionConfig{
		Host: aws.String("example.org"), Path: aws.String("/#{path}"), StatusCode: elbtypes.RedirectActionStatusCodeEnumHttp302,
	}}}
}

// ten is a group of ten Ingresses with TLS, redirects to it, and a sign-in.
func ten(s *scene) {
	certificates := []string{s.certificate("*.example.com"), s.certificate("shop.example.com")}
	s.create(&corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: s.Name, Name: "sign-in"},
		Data:       map[string][]byte{"clientID": []byte("shop"), "clientSecret": []byte("not to be seen")},
	})
	stack := &incumbent.Stack{
		Prefix: incumbent.PrefixIngress, Group: groupName, Balancer: s.balancer(), Tags: map[string]string{"team": "shop"},
	}
	stack.Balancer.Attributes = map[string]string{"idle_timeout.timeout_seconds": "120"}
	secure := incumbent.Listener{
		Port: 443, Protocol: elbtypes.ProtocolEnumHttps, Certificates: certificates, Policy: tlsPolicy, Default: notFound(),
	}
	for i, m := range members(certificates) {
		secure.Rules = append(secure.Rules, s.join(stack, i, m))
	}
	stack.Listeners = []incumbent.Listener{
		{Port: 80, Protocol: elbtypes.ProtocolEnumHttp, Default: []elbtypes.Action{incumbent.ToTLS("443")}}, secure,
	}
	s.make(stack)
	s.must(s.lbc.Admit(s.t.Context(), 8080, 8081))
}

// tenEdited takes the third member away and has the second ask for another scope: the secret of its client is not known, and stays.
func tenEdited(s *scene) {
	change(s, "m1", &networkingv1.Ingress{}, func(in *networkingv1.Ingress) {
		in.Annotations["alb.ingress.kubernetes.io/auth-scope"] = "openid"
	})
	s.must(s.World.Client.Delete(s.t.Context(), &networkingv1.Ingress{ObjectMeta: metav1.ObjectMeta{Namespace: s.Name, Name: "m2"}}))
	secure := &s.stacks[0].Listeners[1]
	secure.Rules[1].Actions[0].AuthenticateOidcConfig.Scope = aws.String("openid")
	secure.Rules = slices.Delete(secure.Rules, 2, 3)
}

// secretKept: nobody knows whether the Secret is still what the incumbent sent, so AWS keeps what it has.
func secretKept(s *scene) {
	s.t.Helper()
	for _, form := range s.meter.changes() {
		const config = "Actions.member.1.AuthenticateOidcConfig."
		if form.Get(config+"UseExistingClientSecret") != "true" || form.Has(config+"ClientSecret") {
			s.t.Errorf("a sign-in is changed with %d fields, and not with the secret that AWS has", len(form))
		}
	}
	if len(s.meter.changes()) == 0 {
		s.t.Error("no rule was changed")
	}
}

// join makes the Ingress of a member, its Services and target groups, and gives its rule.
func (s *scene) join(stack *incumbent.Stack, i int, m member) incumbent.Rule {
	s.t.Helper()
	name, host := "m"+strconv.Itoa(i), fmt.Sprintf("m%d.example.com", i)
	services := []string{m.backend}
	switch {
	case m.backend == "!weighted":
		services = []string{"s3", "s4"}
	case m.backend[0] == '!':
		services = nil
	}
	tags := map[string]string(nil)
	if i == 0 {
		tags = stack.Tags
	}
	ids := map[string]string{}
	for _, service := range services {
		group := s.backend(name, s.serve(service))
		group.Tags = tags
		if m.adjust != nil {
			m.adjust(&group)
		}
		stack.Groups = append(stack.Groups, group)
		ids[service], ids[name+" "+service] = group.ID, group.ID
	}
	annotations := map[string]string{
		"group.name": groupName, "group.order": strconv.Itoa(i), "listen-ports": `[{"HTTP":80},{"HTTPS":443}]`, "ssl-redirect": "443", "target-type": "ip",
	}
	maps.Copy(annotations, m.annotations)
	s.ingress(name, annotations, rule(host, "/", m.backend))
	actions := []elbtypes.Action{incumbent.Forward(ids[m.backend])}
	if m.actions != nil {
		actions = m.actions(ids)
	}
	return incumbent.Rule{
		Conditions: append(m.match, incumbent.Host(host), incumbent.Path("/*")), Actions: actions, Tags: tags,
	}
}
