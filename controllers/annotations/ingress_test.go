package annotations

import (
	"strings"
	"testing"

	"github.com/headgate/headgate/model"
)

func TestEveryKeyOfIngresses(t *testing.T) {
	const arn = "arn:aws:acm:us-west-2:123456789012:certificate/1"
	rows := []struct {
		key       string
		good, bad []string
		why       string
	}{
		{GroupName, []string{"shop", "a.b-c", "7"}, []string{"", "Shop", "$vpc", "-a", "a.", strings.Repeat("a", 64)}, "names of groups are stacks and finalizers"},
		{GroupOrder, []string{"0", "-1000", "1000"}, []string{"1001", "-1001", "first", "", "1.5"}, "the incumbent's bounds"},
		{LoadBalancerName, []string{"shop", "a-B-9"}, []string{"", "internal-x", "-a", "a-", "a_b", strings.Repeat("a", 33)}, "AWS's rule for names"},
		{Scheme, []string{"internal", "internet-facing"}, []string{"", "public", "Internal"}, "two values"},
		{IPAddressType, []string{"ipv4", "dualstack", "dualstack-without-public-ipv4"}, []string{"ipv6", ""}, "three values"},
		{Subnets, []string{"subnet-1, subnet-2", "by-name"}, nil, "IDs and Name tags: anything can be a Name"},
		{SecurityGroups, []string{"sg-1,by name"}, nil, "IDs and Name tags"},
		{ManageBackendRules, []string{"true", "false", "1"}, []string{"yes", ""}, "strconv's booleans"},
		{LoadBalancerAttrs, []string{"a=b,c=d", `a=1\,2`}, []string{"a", "=b"}, "pairs"},
		{Tags, []string{"a=b", "a="}, []string{"a", "aws:x=1", "elbv2.k8s.aws/cluster=x", "ingress.k8s.aws/stack=y"}, "ownership is not for users"},
		{ListenPorts, []string{`[{"HTTP":80},{"HTTPS":443}]`, "[{\"HTTP\":\n 80}]"},
			[]string{"", "80", `[{"TCP":80}]`, `[{"HTTP":0}]`, `[{"HTTP":80},{"HTTPS":80}]`, "[]", `{"HTTP":80}`}, "a port has one protocol"},
		{SSLRedirect, []string{"443"}, []string{"0", "65536", "https"}, "a port"},
		{InboundCIDRs, []string{"10.0.0.0/8, 2001:db8::/32"}, []string{"10.0.0.1", "$CIDRS", "10.0.0.0/33"}, "blocks of both families"},
		{PrefixLists, []string{"pl-1,pl-2"}, []string{"sg-1", "pl-"}, "IDs"},
		{CertificateARN, []string{arn, arn + "," + arn, "arn:aws:iam::123456789012:server-certificate/x"},
			[]string{"$ARN", "arn:aws:acm:us-west-2:xxxxx:certificate/1", "arn:aws:s3:::bucket"}, "placeholders of examples are told"},
		{CreateCertificate, []string{"true", "false"}, []string{"yes please"}, "a boolean"},
		{CertificateAuthority, []string{"arn:aws:acm-pca:us-west-2:123456789012:certificate-authority/a"}, []string{"arn:aws:acm:us-west-2:123456789012:certificate/a", ""},
			"an authority is no certificate"},
		{SSLPolicy, []string{"ELBSecurityPolicy-TLS13-1-2-2021-06"}, []string{""}, "AWS knows the names"},
		{ListenerAttributes + ".HTTPS-443", []string{"a=b"}, []string{"a"}, "pairs"},
		{TargetType, []string{"ip", "instance"}, []string{"pod"}, "two values"},
		{BackendProtocol, []string{"HTTP", "HTTPS"}, []string{"http", "TCP"}, "two values"},
		{BackendVersion, []string{"HTTP1", "HTTP2", "GRPC"}, []string{"h2"}, "three values"},
		{TargetGroupAttrs, []string{"deregistration_delay.timeout_seconds=30"}, []string{"x"}, "pairs"},
		{TargetNodeLabels, []string{"a=b,example.com/role=web", "a="}, []string{"a", "a=b c", "-a=b"}, "labels as nodes have them"},
		{MultiCluster, []string{"true", "false"}, []string{"yes", ""}, "strconv's booleans"},
		{TargetControlPort + ".web.80", []string{"1", "65535"}, []string{"", "0", "65536", "http"}, "a port"},
		{HealthPort, []string{"traffic-port", "8080", "http"}, []string{""}, "names are looked up at the Service"},
		{HealthProtocol, []string{"HTTP", "HTTPS"}, []string{"GRPC"}, "two values"},
		{HealthPath, []string{"/", "/ready?x=1"}, []string{"ready", ""}, "a path"},
		{HealthInterval, []string{"5", "300", " 15 "}, []string{"4", "301", "15s"}, "AWS's bounds; white space of folded YAML is no mistake"},
		{HealthTimeout, []string{"2", "120"}, []string{"1", "121"}, "AWS's bounds"},
		{HealthyThreshold, []string{"2", "10"}, []string{"1", "11"}, "AWS's bounds"},
		{UnhealthyThreshold, []string{"2", "10"}, []string{"1", "11"}, "AWS's bounds"},
		{SuccessCodes, []string{"200", "200,302", "200-299", "0-99"}, []string{"", "2xx", "200-", "200, 302", "2000"}, "the matcher of AWS"},
		{Actions + ".x", []string{
			`{"type":"fixed-response","fixedResponseConfig":{"statusCode":"503"}}`,
			`{"Type":"redirect","RedirectConfig":{"Protocol":"HTTPS","Port":"443","StatusCode":"HTTP_301"}}`,
			`{"type":"forward","targetGroupARN":"arn:aws:elasticloadbalancing:us-west-2:123456789012:targetgroup/a/1"}`,
			`{"type":"forward","forwardConfig":{"targetGroups":[{"serviceName":"a","servicePort":80,"weight":1},{"serviceName":"b","servicePort":"http","weight":0}]}}`,
			`{"type":"forward","forwardConfig":{"targetGroups":[{"targetGroupName":"n"}],"targetGroupStickinessConfig":{"enabled":true,"durationSeconds":60}}}`,
		}, []string{
			"", "{", `[]`, `{"type":"authenticate"}`, `{"type":"forward"}`, `{"type":"redirect"}`, `{"type":"fixed-response"}`,
			`{"type":"fixed-response","fixedResponseConfig":{"statusCode":"303"}}`,
			`{"type":"fixed-response","fixedResponseConfig":{"statusCode":"200","contentType":"image/png"}}`,
			`{"type":"fixed-response","fixedResponseConfig":{"statusCode":"200","messageBody":"` + strings.Repeat("a", 1025) + `"}}`,
			`{"type":"redirect","redirectConfig":{"statusCode":"HTTP_301"}}`,
			`{"type":"redirect","redirectConfig":{"statusCode":"HTTP_301","query":"a=b"}}`,
			`{"type":"redirect","redirectConfig":{"statusCode":"301","port":"443"}}`,
			`{"type":"redirect","redirectConfig":{"statusCode":"HTTP_301","port":"x"}}`,
			`{"type":"redirect","redirectConfig":{"statusCode":"HTTP_301","protocol":"https"}}`,
			`{"type":"redirect","redirectConfig":{"statusCode":"HTTP_301","path":"x"}}`,
			`{"type":"redirect","redirectConfig":{"statusCode":"HTTP_301","query":"?a=b"}}`,
			`{"type":"forward","forwardConfig":{"targetGroups":[{"serviceName":"a"}]}}`,
			`{"type":"forward","forwardConfig":{"targetGroups":[{"serviceName":"a","servicePort":80},{"serviceName":"b","servicePort":80}]}}`,
			`{"type":"forward","forwardConfig":{"targetGroups":[{"serviceName":"a","servicePort":80,"targetGroupARN":"x"}]}}`,
			`{"type":"forward","forwardConfig":{"targetGroups":[{"serviceName":"a","servicePort":80,"weight":-1}]}}`,
			`{"type":"forward","forwardConfig":{"targetGroups":[{"serviceName":"a","servicePort":[]}]}}`,
			`{"type":"forward","forwardConfig":{"targetGroups":[{"targetGroupName":"n"}],"targetGroupStickinessConfig":{"enabled":true}}}`,
		}, "JSON keys are compared without case, and every part has its rule"},
		{Conditions + ".x", []string{
			`[{"Field":"http-header","HttpHeaderConfig":{"HttpHeaderName":"x","Values":["a"]}}]`,
			`[{"field":"host-header","hostHeaderConfig":{"regexValues":["^a$"]}},{"field":"path-pattern","pathPatternConfig":{"values":["/a*"]}}]`,
			`[{"field":"http-request-method","httpRequestMethodConfig":{"values":["GET"]}}]`,
			`[{"field":"query-string","queryStringConfig":{"values":[{"key":"a","value":"b"}]}}]`,
			`[{"field":"source-ip","sourceIPConfig":{"values":["192.0.2.0/24"]}}]`,
		}, []string{
			"", `{}`, `[{"field":"x"}]`, `[{"field":"host-header"}]`, `[{"field":"path-pattern"}]`, `[{"field":"http-header"}]`,
			`[{"field":"http-request-method"}]`, `[{"field":"query-string"}]`, `[{"field":"source-ip"}]`,
			`[{"field":"host-header","hostHeaderConfig":{"values":["a"],"regexValues":["b"]}}]`,
			`[{"field":"http-header","httpHeaderConfig":{"httpHeaderName":"x"}}]`,
			`[{"field":"source-ip","sourceIPConfig":{"values":["192.0.2.1"]}}]`,
			`[{"field":"source-ip","sourceIPConfig":{"values":["192.0.2.0/24"]}},{"field":"source-ip","sourceIPConfig":{"values":["192.0.2.0/24"]}}]`,
		}, "values and regexValues exclude each other; an ALB takes one condition of source and method"},
		{Transforms + ".x", []string{
			`[{"type":"url-rewrite","urlRewriteConfig":{"rewrites":[{"regex":"^/a","replace":"/b"}]}}]`,
			`[{"type":"host-header-rewrite","hostHeaderRewriteConfig":{"rewrites":[{"regex":"a","replace":"b"}]}}]`,
		}, []string{
			"", `[{"type":"x"}]`, `[{"type":"url-rewrite"}]`, `[{"type":"url-rewrite","urlRewriteConfig":{"rewrites":[{"replace":"/b"}]}}]`,
			`[{"type":"url-rewrite","urlRewriteConfig":{"rewrites":[{"regex":"a"}]}},{"type":"url-rewrite","urlRewriteConfig":{"rewrites":[{"regex":"a"}]}}]`,
		}, "one of each type, with one rewrite"},
		{UseRegexPathMatch, []string{"true", "false"}, []string{"on"}, "a boolean"},
		{AuthType, []string{"none", "oidc", "cognito"}, []string{"", "basic"}, "three values"},
		{AuthCognito, []string{
			`{"userPoolARN":"arn:aws:cognito-idp:us-west-2:123456789012:userpool/p","userPoolClientID":"c","userPoolDomain":"d"}`,
			`{"UserPoolArn":"arn:aws:cognito-idp:us-west-2:123456789012:userpool/p","userPoolClientId":"c","userPoolDomain":"d","authenticationRequestExtraParams":{"a":"b"}}`,
		}, []string{
			"", "{}", `{"userPoolARN":"pool","userPoolClientID":"c","userPoolDomain":"d"}`,
			`{"userPoolARN":"arn:aws:cognito-idp:us-west-2:123456789012:userpool/p","userPoolDomain":"d"}`,
			`{"userPoolARN":"arn:aws:cognito-idp:us-west-2:123456789012:userpool/p","userPoolClientID":"c"}`,
		}, "a pool, its client and its domain; JSON keys are compared without case"},
		{AuthOIDC, []string{
			`{"issuer":"https://i","authorizationEndpoint":"https://a","tokenEndpoint":"https://t","userInfoEndpoint":"https://u","secretName":"s"}`,
			`{"Issuer":"https://i","AuthorizationEndpoint":"https://a","TokenEndpoint":"https://t","UserInfoEndpoint":"https://u","SecretName":"s","AuthenticationRequestExtraParams":{"display":"page"}}`,
		}, []string{
			"", "{}", `{"issuer":"https://i","authorizationEndpoint":"https://a","tokenEndpoint":"https://t","userInfoEndpoint":"https://u"}`,
			`{"issuer":"i","authorizationEndpoint":"https://a","tokenEndpoint":"https://t","userInfoEndpoint":"https://u","secretName":"s"}`,
			`{"issuer":"https://i","authorizationEndpoint":"https://a","tokenEndpoint":"https://t","userInfoEndpoint":"https://u","secretName":"s","authenticationRequestExtraParams":{"1":"","2":"","3":"","4":"","5":"","6":"","7":"","8":"","9":"","10":"","11":""}}`,
		}, "endpoints that AWS calls, and where the client is"},
		{AuthOnUnauthenticated, []string{"authenticate", "allow", "deny"}, []string{"", "block"}, "three values"},
		{AuthScope, []string{"openid", "openid email"}, []string{""}, "the provider knows its scopes"},
		{AuthSessionCookie, []string{"my-cookie"}, []string{""}, "a name"},
		{AuthSessionTimeout, []string{"1", "604800"}, []string{"0", "604801", "1h"}, "AWS's bounds"},
		{JWTValidation, []string{
			`{"jwksEndpoint":"https://k","issuer":"i"}`,
			`{"JWKSEndpoint":"https://k","Issuer":"i","AdditionalClaims":[{"Name":"groups","Format":"string-array","Values":["a"]}]}`,
		}, []string{
			"", "{}", `{"jwksEndpoint":"http://k","issuer":"i"}`, `{"jwksEndpoint":"https://k"}`,
			`{"jwksEndpoint":"https://k","issuer":"i","additionalClaims":[{"name":"a","format":"csv","values":["b"]}]}`,
			`{"jwksEndpoint":"https://k","issuer":"i","additionalClaims":[{"name":"a","format":"single-string"}]}`,
		}, "keys, an issuer, and claims in AWS's formats"},
		{MutualAuthentication, []string{
			`[{"port":443,"mode":"off"}]`, `[{"port":443,"mode":"passthrough"}]`,
			`[{"Port":443,"Mode":"verify","TrustStore":"t","IgnoreClientCertificateExpiry":true,"AdvertiseTrustStoreCaNames":"on"}]`,
		}, []string{
			"", `[{"port":443}]`, `[{"port":0,"mode":"off"}]`, `[{"port":443,"mode":"verify"}]`, `[{"port":443,"mode":"off","trustStore":"t"}]`,
			`[{"port":443,"mode":"passthrough","ignoreClientCertificateExpiry":true}]`,
			`[{"port":443,"mode":"verify","trustStore":"t","advertiseTrustStoreCaNames":"yes"}]`,
			`[{"port":443,"mode":"off"},{"port":443,"mode":"passthrough"}]`,
		}, "modes of AWS; a trust store goes with verify"},
		{WAFv2ARN, []string{"none", "None", "", "arn:aws:wafv2:us-west-2:123456789012:regional/webacl/a/1"},
			[]string{"arn", "a", "arn:aws:wafv2:us-east-1:123456789012:global/webacl/a/1"}, "of this region"},
		{WAFv2Name, []string{"none", "front-door_1"}, []string{"a b", strings.Repeat("a", 129)}, "as AWS names them"},
		{WAFClassic, []string{"none", "0a1b-2c"}, []string{"a b"}, "an ID"},
		{WAFClassicDeprecated, []string{"none", "0a1b-2c"}, []string{"a b"}, "an ID"},
		{ShieldProtection, []string{"true", "false"}, []string{"", "on"}, "a boolean"},
		{MinimumCapacity, []string{"CapacityUnits=0", "CapacityUnits=1500"},
			[]string{"100", "CapacityUnits=-1", "CapacityUnits=x", "Units=5", "CapacityUnits=5,a=b"}, "one whole number"},
		{IPAMPool, []string{"ipam-pool-0a"}, []string{"", "pool", "ipam-pool-"}, "an ID"},
		{CustomerOwnedPool, []string{"ipv4pool-coip-0a"}, []string{"", "coip", "ipv4pool-coip-"}, "an ID"},
	}
	rows = append(rows, frontendRows()...)
	table := Ingress()
	seen := map[string]bool{}
	for _, row := range rows {
		spec, _, ok := table.Find(row.key)
		if !ok {
			t.Fatalf("%s is not in the table", row.key)
		}
		seen[spec.Key] = true
		for _, v := range row.good {
			if err := spec.Parse(strings.TrimSpace(v)); err != nil {
				t.Errorf("%s: %q is refused (%v): %s", row.key, v, err, row.why)
			}
		}
		for _, v := range row.bad {
			problems := table.Check(spec.On, map[string]string{IngressPrefix + row.key: v})
			if len(problems) != 1 || problems[0].Severity != model.Wrong || problems[0].Key != IngressPrefix+row.key {
				t.Errorf("%s: %q gives %v, want one Wrong: %s", row.key, v, problems, row.why)
			}
		}
	}
	for _, spec := range table.Specs() {
		if (spec.Status == Served || spec.Status == Closed) && !seen[spec.Key] {
			t.Errorf("%s has no row", spec.Key)
		}
	}
}

func TestCheckTellsOfEveryKey(t *testing.T) {
	rows := []struct {
		key, value string
		place      Place
		severity   model.Severity
		reason     string
		says       string
		why        string
	}{
		{"shceme", "internal", OnIngress, model.Warning, ReasonUnknown, "alb.ingress.kubernetes.io/scheme?", "a near spelling is suggested"},
		{"conditons.web", "[]", OnIngress, model.Warning, ReasonUnknown, "conditions.web?", "of a named key too: a condition may restrict access"},
		{"inbound-cidr", "10.0.0.0/8", OnIngress, model.Closed, ReasonUnknown, "inbound-cidrs? That restricts access", "closed, not open"},
		{"inbound-cidr", " ", OnIngress, model.Warning, ReasonUnknown, "inbound-cidrs?", "the right key would admit everybody too"},
		{"security-group", "sg-1", OnIngress, model.Closed, ReasonUnknown, "security-groups?", "who may connect"},
		{"securitygroup-prefix-lists", "pl-1", OnIngress, model.Closed, ReasonUnknown, "security-group-prefix-lists?", "who may connect"},
		{"auth-typ", "oidc", OnIngress, model.Closed, ReasonUnknown, "auth-type?", "login"},
		{"auth-typ", "oidc", OnService, model.Closed, ReasonUnknown, "auth-type?", "Services may ask for login"},
		{"auth-typ", "none", OnIngress, model.Warning, ReasonUnknown, "auth-type?", "the right key would ask for nothing"},
		{"auth-idp-odic", "{}", OnIngress, model.Closed, ReasonUnknown, "auth-idp-oidc?", "login"},
		{"wafv2-acl-arm", "arn", OnIngress, model.Closed, ReasonUnknown, "wafv2-acl-arn?", "a firewall"},
		{"wafv2-acl-arm", "arn", OnService, model.Warning, ReasonUnknown, "wafv2-acl-arn?", "a Service cannot ask for one"},
		{"mutual-authentification", "[]", OnIngress, model.Closed, ReasonUnknown, "mutual-authentication?", "certificates of clients"},
		{"jwt-validator", "{}", OnIngress, model.Closed, ReasonUnknown, "jwt-validation?", "tokens"},
		{"condition.web", `[{"field":"source-IP"}]`, OnIngress, model.Closed, ReasonUnknown, "conditions.web?", "who asks"},
		{"wholly-other-thing", "x", OnIngress, model.Warning, ReasonUnknown, "leave it out", "nothing is near"},
		{"group", "x", OnIngress, model.Warning, ReasonUnknown, "leave it out", "group is no key of its own"},
		{"actions.", "{}", OnIngress, model.Warning, ReasonUnknown, "", "a name is missing"},
		{"scheme", "internal", OnService, model.Warning, ReasonMisplaced, "Ingress", "a Service has no scheme"},
		{"waf-acl-i", "x", OnIngress, model.Closed, ReasonUnknown, "waf-acl-id?", "a firewall"},
		{"target-control-port.web.80", "none", OnIngress, model.Wrong, ReasonInvalid, "whole number", "a name with dots"},
		{"inbound-cidrs", "", OnIngress, model.Warning, ReasonInvalid, "empty", "open, as with the incumbent, but told"},
		{"inbound-cidrs", "10.1.2.3/8, 192.0.2.0/24", OnIngress, model.Warning, ReasonInvalid, "10.0.0.0/8", "host bits: AWS masks them"},
		{"conditions.x", `[{"field":"source-ip","sourceIPConfig":{"values":["2001:db8::1/32"]}}]`, OnIngress, model.Warning, ReasonInvalid, "2001:db8::/32", "so does the rule"},
		{"actions.x", `{"type":"forward","targetGroupARN":"arn:aws:elasticloadbalancing:us-west-2:123456789012:targetgroup/a/1","weight":1}`, OnIngress, model.Warning, ReasonInvalid, "weight", "an unknown field"},
		{"create-acm-cert", "false", OnIngress, "", "", "", "asks for nothing"},
		{"dry-run-plan", "{}", OnIngress, "", "", "", "an operator wrote it"},
		{"tags", "a=b", OnService, "", "", "", "Services have tags"},
		{"auth-type", "oidc", OnIngress, "", "", "", "served"},
	}
	for _, row := range rows {
		got := Ingress().Check(row.place, map[string]string{IngressPrefix + row.key: row.value, "other/key": "x"})
		if row.severity == "" {
			if len(got) != 0 {
				t.Errorf("%s: got %v: %s", row.key, got, row.why)
			}
			continue
		}
		if len(got) != 1 || got[0].Severity != row.severity || got[0].Reason != row.reason || !strings.Contains(got[0].Message, row.says) {
			t.Errorf("%s: got %v: %s", row.key, got, row.why)
		}
	}
}

func TestMisspelledKeyBesideTheRightOneClosesNothing(t *testing.T) {
	got := Ingress().Check(OnIngress, map[string]string{IngressPrefix + "inbound-cidr": "10.0.0.0/8", IngressPrefix + InboundCIDRs: "10.1.0.0/16"})
	if len(got) != 1 || got[0].Severity != model.Warning {
		t.Errorf("got %v, want a warning: what is spelled right restricts access", got)
	}
}

func TestMessagesKeepTokensToThemselves(t *testing.T) {
	const token = "s3cr3t-token"
	for _, value := range []string{
		`[{"field":"http-header","httpHeaderConfig":{"httpHeaderName":"x-api-key","values":["` + token + `"]}`,
		`[{"field":"http-header","httpHeaderConfig":{"httpHeaderName":"x-api-key","values":"` + token + `"}}]`,
		`[{"field":"http-header","httpHeaderConfig":{"values":["` + token + `"]}}]`,
	} {
		problems := Ingress().Check(OnIngress, map[string]string{IngressPrefix + "conditions.web": value})
		if len(problems) != 1 || strings.Contains(problems[0].Message, token) {
			t.Errorf("got %v, want one problem without the token", problems)
		}
	}
}
