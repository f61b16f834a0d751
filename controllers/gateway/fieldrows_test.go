package gateway

import (
	"reflect"
	"strings"

	awsgwv1 "github.com/headgate/headgate/apis/gateway/v1"
)

func configRows() []row {
	const warn, listener = "Warning LoadBalancerConfiguration spec.", "Warning LoadBalancerConfiguration spec.listenerConfigurations[0]."
	entry := func(more string) string {
		return `{listenerConfigurations: [{protocolPort: "HTTPS:443", ` + more + `}]}`
	}
	return []row{
		{path: "mergingMode", with: `{mergingMode: prefer-gateway}`, want: warn + "mergingMode"}, // of the Gateway; of the class see TestMergeConfigs
		{path: "loadBalancerName", with: `{loadBalancerName: x}`},
		{path: "scheme", with: `{scheme: internet-facing}`},
		{path: "ipAddressType", with: `{ipAddressType: dualstack}`},
		{path: "enforceSecurityGroupInboundRulesOnPrivateLinkTraffic", with: `{enforceSecurityGroupInboundRulesOnPrivateLinkTraffic: "on"}`,
			want: warn + "enforceSecurityGroupInboundRulesOnPrivateLinkTraffic"},
		{path: "customerOwnedIpv4Pool", with: `{customerOwnedIpv4Pool: x}`},
		{path: "ipv4IPAMPoolId", with: `{ipv4IPAMPoolId: x}`},
		{path: "loadBalancerSubnets[].identifier", with: `{loadBalancerSubnets: [{identifier: subnet-1}]}`},
		{path: "loadBalancerSubnets[].eipAllocation", with: `{loadBalancerSubnets: [{eipAllocation: x}]}`, want: warn + "loadBalancerSubnets[0].eipAllocation"},
		{path: "loadBalancerSubnets[].privateIPv4Allocation", with: `{loadBalancerSubnets: [{privateIPv4Allocation: x}]}`,
			want: warn + "loadBalancerSubnets[0].privateIPv4Allocation"},
		{path: "loadBalancerSubnets[].ipv6Allocation", with: `{loadBalancerSubnets: [{ipv6Allocation: x}]}`, want: warn + "loadBalancerSubnets[0].ipv6Allocation"},
		{path: "loadBalancerSubnets[].sourceNatIPv6Prefix", with: `{loadBalancerSubnets: [{sourceNatIPv6Prefix: x}]}`,
			want: warn + "loadBalancerSubnets[0].sourceNatIPv6Prefix"},
		{path: "loadBalancerSubnetsSelector", with: `{loadBalancerSubnetsSelector: {a: [b]}}`},
		{path: "loadBalancerSubnetsSelector", with: `{loadBalancerSubnets: [{identifier: subnet-1}], loadBalancerSubnetsSelector: {a: [b]}}`,
			want: warn + "loadBalancerSubnetsSelector"},
		{path: "listenerConfigurations[].protocolPort", with: entry(`sslPolicy: x`)},
		{path: "listenerConfigurations[].protocolPort", with: `{listenerConfigurations: [{protocolPort: "TLS:443"}]}`, want: listener + "protocolPort"},
		{path: "listenerConfigurations[].defaultCertificate", with: entry(`defaultCertificate: "arn:x"`)},
		{path: "listenerConfigurations[].defaultCertificate", with: `{listenerConfigurations: [{protocolPort: "HTTP:80", defaultCertificate: x}]}`,
			want: listener + "defaultCertificate"},
		{path: "listenerConfigurations[].certificates", with: entry(`certificates: ["arn:x"]`)},
		{path: "listenerConfigurations[].certificates", with: `{listenerConfigurations: [{protocolPort: "HTTP:80", certificates: [x]}]}`,
			want: listener + "certificates"},
		{path: "listenerConfigurations[].sslPolicy", with: entry(`sslPolicy: x`)},
		{path: "listenerConfigurations[].sslPolicy", with: `{listenerConfigurations: [{protocolPort: "HTTP:80", sslPolicy: x}]}`, want: listener + "sslPolicy"},
		{path: "listenerConfigurations[].alpnPolicy", with: entry(`alpnPolicy: HTTP2Only`), want: listener + "alpnPolicy"},
		{path: "listenerConfigurations[].mutualAuthentication.mode", with: entry(`mutualAuthentication: {mode: passthrough}`)},
		{path: "listenerConfigurations[].mutualAuthentication.trustStore", with: entry(`mutualAuthentication: {mode: verify, trustStore: x}`)},
		{path: "listenerConfigurations[].mutualAuthentication.ignoreClientCertificateExpiry",
			with: entry(`mutualAuthentication: {mode: verify, trustStore: x, ignoreClientCertificateExpiry: true}`)},
		{path: "listenerConfigurations[].mutualAuthentication.advertiseTrustStoreCaNames",
			with: entry(`mutualAuthentication: {mode: verify, trustStore: x, advertiseTrustStoreCaNames: "on"}`)},
		{path: "listenerConfigurations[].listenerAttributes[].key", with: entry(`listenerAttributes: [{key: k, value: v}]`)},
		{path: "listenerConfigurations[].listenerAttributes[].value", with: entry(`listenerAttributes: [{key: k, value: v}]`)},
		{path: "listenerConfigurations[].quicEnabled", with: entry(`quicEnabled: true`), want: listener + "quicEnabled"},
		{path: "listenerConfigurations[].targetGroupStickiness", with: entry(`targetGroupStickiness: true`), want: listener + "targetGroupStickiness"},
		{path: "securityGroups", with: `{securityGroups: [sg-1]}`},
		{path: "disableSecurityGroup", with: `{disableSecurityGroup: true}`, want: warn + "disableSecurityGroup"},
		{path: "securityGroupPrefixes", with: `{securityGroupPrefixes: [pl-1]}`},
		{path: "securityGroupPrefixes", with: `{securityGroups: [sg-1], securityGroupPrefixes: [pl-1]}`, want: warn + "securityGroupPrefixes"},
		{path: "sourceRanges", with: `{sourceRanges: [10.0.0.0/8]}`},
		{path: "sourceRanges", with: `{securityGroups: [sg-1], sourceRanges: [10.0.0.0/8]}`, want: warn + "sourceRanges"},
		{path: "enableICMP", with: `{enableICMP: true}`},
		{path: "enableICMP", with: `{securityGroups: [sg-1], enableICMP: true}`, want: warn + "enableICMP"},
		{path: "manageBackendSecurityGroupRules", with: `{securityGroups: [sg-1], manageBackendSecurityGroupRules: true}`},
		{path: "manageBackendSecurityGroupRules", with: `{manageBackendSecurityGroupRules: true}`, want: warn + "manageBackendSecurityGroupRules"},
		{path: "minimumLoadBalancerCapacity.capacityUnits", with: `{minimumLoadBalancerCapacity: {capacityUnits: 5}}`},
		{path: "loadBalancerAttributes[].key", with: `{loadBalancerAttributes: [{key: k, value: v}]}`},
		{path: "loadBalancerAttributes[].value", with: `{loadBalancerAttributes: [{key: k, value: v}]}`},
		{path: "tags", with: `{tags: {a: b}}`},
		{path: "wafV2.webACL", with: `{wafV2: {webACL: arn}}`},
		{path: "shieldConfiguration.enabled", with: `{shieldConfiguration: {enabled: true}}`},
		{path: "defaultTargetGroupConfiguration.name", with: `{defaultTargetGroupConfiguration: {name: d}}`},
		{path: "defaultTargetGroupConfiguration", with: `{defaultTargetGroupConfiguration: {name: absent}}`, want: warn + "defaultTargetGroupConfiguration"},
	}
}

func groupRows() []row {
	const named = `targetReference: {name: web}`
	out := []row{
		{path: "targetReference.name", with: `{` + named + `, defaultConfiguration: {protocol: HTTPS}}`},
		{path: "targetReference.group", with: `{targetReference: {name: web, group: example.com}, defaultConfiguration: {protocol: HTTPS}}`},
		{path: "targetReference.kind", with: `{targetReference: {name: web, kind: Gateway}, defaultConfiguration: {protocol: HTTPS}}`},
	}
	for _, field := range []string{"kind: GRPCRoute", "namespace: other", "name: other"} {
		name, _, _ := strings.Cut(field, ":")
		out = append(out, row{path: "routeConfigurations[].routeIdentifier." + name,
			with: `{` + named + `, routeConfigurations: [{routeIdentifier: {` + field + `}, targetGroupProps: {protocol: HTTPS}}]}`})
	}
	for _, p := range []struct {
		field, value string
	}{
		{"targetGroupName", `x`}, {"ipAddressType", `ipv6`}, {"nodeSelector", `{matchLabels: {a: b}}`},
		{"targetControlPort", `3000`}, {"enableMultiCluster", `true`},
		{"targetType", `instance`}, {"protocol", `HTTPS`}, {"protocolVersion", `GRPC`}, {"tags", `{a: b}`},
		{"targetGroupAttributes[].key", `[{key: k, value: v}]`}, {"targetGroupAttributes[].value", `[{key: k, value: v}]`},
		{"healthCheckConfig.healthyThresholdCount", `{healthyThresholdCount: 4}`},
		{"healthCheckConfig.unhealthyThresholdCount", `{unhealthyThresholdCount: 4}`},
		{"healthCheckConfig.healthCheckInterval", `{healthCheckInterval: 20}`},
		{"healthCheckConfig.healthCheckTimeout", `{healthCheckTimeout: 4}`}, {"healthCheckConfig.healthCheckPath", `{healthCheckPath: /x}`},
		{"healthCheckConfig.healthCheckPort", `{healthCheckPort: "81"}`}, {"healthCheckConfig.healthCheckProtocol", `{healthCheckProtocol: HTTPS}`},
		{"healthCheckConfig.matcher.httpCode", `{matcher: {httpCode: "204"}}`}, {"healthCheckConfig.matcher.grpcCode", `{matcher: {grpcCode: "1"}}`},
	} {
		top, _, _ := strings.Cut(strings.TrimSuffix(p.field, "[]"), ".")
		props := `{` + strings.TrimSuffix(top, "[]") + `: ` + p.value + `}`
		one := row{path: "defaultConfiguration." + p.field, with: `{` + named + `, defaultConfiguration: ` + props + `}`}
		other := row{path: "routeConfigurations[].targetGroupProps." + p.field,
			with: `{` + named + `, routeConfigurations: [{routeIdentifier: {namespace: app}, targetGroupProps: ` + props + `}]}`}
		out = append(out, one, other)
	}
	return out
}

func ruleRows() []row {
	var out []row
	add := func(path, spec string) { out = append(out, row{path: path, with: spec}) }
	type config struct{ name, config, fields string }
	for _, c := range []config{
		{"authenticate-oidc", "authenticateOIDCConfig", `issuer: i, authorizationEndpoint: a, tokenEndpoint: t, userInfoEndpoint: u, secret: {name: idp},
			authenticationRequestExtraParams: {a: b}, onUnauthenticatedRequest: deny, scope: s, sessionCookieName: c, sessionTimeout: 1, useExistingClientSecret: true`},
		{"authenticate-cognito", "authenticateCognitoConfig", `userPoolArn: a, userPoolClientId: c, userPoolDomain: d,
			authenticationRequestExtraParams: {a: b}, onUnauthenticatedRequest: deny, scope: s, sessionCookieName: c, sessionTimeout: 1`},
		{"jwt-validation", "jwtValidationConfig", `issuer: i, jwksEndpoint: j, additionalClaims: [{format: f, name: scp, values: [v]}]`},
		{"fixed-response", "fixedResponseConfig", `statusCode: 418, contentType: text/html, messageBody: m`},
		{"redirect", "redirectConfig", `query: q`},
		{"forward", "forwardConfig", `targetGroupStickinessConfig: {enabled: true, durationSeconds: 60}`},
	} {
		spec := actions(`{type: ` + c.name + `, ` + c.config + `: {` + c.fields + `}}`)
		for _, path := range leaves("", reflect.TypeFor[awsgwv1.ListenerRuleConfigurationSpec]()) {
			if strings.HasPrefix(path, "actions[]."+c.config+".") {
				add(path, spec)
			}
		}
	}
	add("actions[].type", actions(fixedAction))
	source := `{conditions: [{field: source-ip, matchIndexes: [1], sourceIPConfig: {values: [10.0.0.0/8]}}]}`
	for _, path := range []string{"conditions[].field", "conditions[].matchIndexes", "conditions[].sourceIPConfig.values"} {
		add(path, source)
	}
	add("tags", `{tags: {a: b}}`)
	return out
}

func gatewayRows() []row {
	const warn, parameters = "Warning Gateway spec.", "TestParametersOfAGateway"
	listener := func(more string) string {
		return `{listeners: [{name: a, port: 80, protocol: HTTP, ` + more + `}]}`
	}
	secure := func(tls string) string {
		return `{listeners: [{name: a, port: 443, protocol: HTTPS, hostname: x.com, tls: ` + tls + `}]}`
	}
	return []row{
		{path: "gatewayClassName", where: "TestClassOfAGateway"},
		{path: "listeners[].name", with: `{listeners: [{name: a, port: 80, protocol: HTTP}]}`},
		{path: "listeners[].hostname", with: listener(`hostname: x.com, allowedRoutes: {namespaces: {from: All}}`)},
		{path: "listeners[].port", with: listener(`hostname: x.com`)},
		{path: "listeners[].protocol", with: listener(`hostname: x.com`)},
		{path: "listeners[].tls.mode", with: secure(`{mode: Passthrough}`)},
		{path: "listeners[].tls.certificateRefs", with: secure(`{certificateRefs: [{group: "", kind: Secret, name: x, namespace: y}]}`), want: "Answered Gateway spec.listeners[0].tls.certificateRefs[0]"},
		{path: "listeners[].tls.options", with: secure(`{options: {a: b}}`), want: warn + "listeners[0].tls.options"},
		{path: "listeners[].allowedRoutes.namespaces.from", with: listener(`allowedRoutes: {namespaces: {from: All}}`)},
		{path: "listeners[].allowedRoutes.namespaces.selector", with: listener(`allowedRoutes: {namespaces: {from: Selector, selector: {matchLabels: {team: a}}}}`)},
		{path: "listeners[].allowedRoutes.kinds[].group", with: listener(`allowedRoutes: {kinds: [{group: example.com, kind: HTTPRoute}]}`)},
		{path: "listeners[].allowedRoutes.kinds[].kind", with: listener(`allowedRoutes: {kinds: [{kind: HTTPRoute}]}`)},
		{path: "addresses", with: `{addresses: [{type: IPAddress, value: 192.0.2.1}]}`, want: "Wrong Gateway spec.addresses[0]"},
		{path: "infrastructure.labels", with: `{infrastructure: {labels: {a: b}}}`},
		{path: "infrastructure.annotations", with: `{infrastructure: {annotations: {a: b}}}`},
		{path: "infrastructure.parametersRef.group", where: parameters},
		{path: "infrastructure.parametersRef.kind", where: parameters},
		{path: "infrastructure.parametersRef.name", where: parameters},
		{path: "allowedListeners.namespaces.from", where: "TestListenerSetsOfAGateway"},
		{path: "allowedListeners.namespaces.selector", where: "TestListenerSetsOfAGateway"},
		{path: "tls.backend", with: `{tls: {backend: {clientCertificateRef: {name: x}}}}`, want: warn + "tls.backend"},
		{path: "tls.frontend", with: `{tls: {frontend: {default: {validation: {caCertificateRefs: [{group: "", kind: ConfigMap, name: x}]}}}}}`,
			want: "Answered Gateway spec.listeners[1]"},
		{path: "defaultScope", with: `{defaultScope: All}`, want: warn + "defaultScope"},
	}
}

func routeRows() []row {
	const (
		wrong           = "Wrong HTTPRoute spec.rules[0]"
		filters         = "rules[].filters"
		refused, closed = wrong + ".filters[0]", "Closed HTTPRoute spec.rules[0].filters[0]"
		path            = "rules[].filters[].requestRedirect.path"
	)
	parent := func(more string) string { return `{parentRefs: [{name: gw, namespace: infra, ` + more + `}]}` }
	match := func(m string) string {
		return `{rules: [{matches: [` + m + `], backendRefs: [{name: web, port: 80}]}]}`
	}
	filter := func(f string) string { return `{rules: [{filters: [` + f + `]}]}` }
	redirect := func(r string) string { return filter(`{type: RequestRedirect, requestRedirect: ` + r + `}`) }
	backend := func(more string) string { return `{rules: [{backendRefs: [{name: web, port: 80, ` + more + `}]}]}` }
	return []row{
		{path: "parentRefs[].group", with: parent(`group: example.com`)},
		{path: "parentRefs[].kind", with: parent(`kind: Service`)},
		{path: "parentRefs[].namespace", with: parent(`port: 80`)},
		{path: "parentRefs[].name", with: parent(`port: 80`)},
		{path: "parentRefs[].sectionName", with: parent(`sectionName: b`)},
		{path: "parentRefs[].port", with: parent(`port: 80`)},
		{path: "useDefaultGateways", with: `{useDefaultGateways: All}`, want: "Warning HTTPRoute spec.useDefaultGateways"},
		{path: "hostnames", with: `{hostnames: [x.com]}`},
		{path: "rules[].name", where: "a name for others to refer to: there is nothing to serve"},
		{path: "rules[].matches[].path.type", with: match(`{path: {type: Exact, value: /x}}`)},
		{path: "rules[].matches[].path.value", with: match(`{path: {type: PathPrefix, value: /x}}`)},
		{path: "rules[].matches[].headers[].type", with: match(`{headers: [{type: RegularExpression, name: a, value: b}]}`)},
		{path: "rules[].matches[].headers[].name", with: match(`{headers: [{name: a, value: b}]}`)},
		{path: "rules[].matches[].headers[].value", with: match(`{headers: [{name: a, value: b}]}`)},
		{path: "rules[].matches[].queryParams[].type", with: match(`{queryParams: [{type: RegularExpression, name: a, value: b}]}`),
			want: wrong + ".matches[0].queryParams[0].type"},
		{path: "rules[].matches[].queryParams[].name", with: match(`{queryParams: [{name: a, value: b}]}`)},
		{path: "rules[].matches[].queryParams[].value", with: match(`{queryParams: [{name: a, value: b}]}`)},
		{path: "rules[].matches[].method", with: match(`{method: GET}`)},
		{path: "rules[].filters[].type", with: redirect(`{scheme: https}`)},
		{path: "rules[].filters[].requestHeaderModifier", with: filter(`{type: RequestHeaderModifier, requestHeaderModifier: {remove: [a]}}`), cut: filters, want: refused},
		{path: "rules[].filters[].responseHeaderModifier", with: filter(`{type: ResponseHeaderModifier, responseHeaderModifier: {remove: [a]}}`), cut: filters, want: refused},
		{path: "rules[].filters[].requestMirror", with: filter(`{type: RequestMirror, requestMirror: {backendRef: {name: web, port: 80}}}`), cut: filters, want: refused},
		{path: "rules[].filters[].urlRewrite.hostname", with: filter(`{type: URLRewrite, urlRewrite: {hostname: x.com}}`)},
		{path: "rules[].filters[].urlRewrite.path.type", where: "the API server admits just the one of the two fields below that it names"},
		{path: "rules[].filters[].urlRewrite.path.replaceFullPath", with: filter(`{type: URLRewrite, urlRewrite: {path: {type: ReplaceFullPath, replaceFullPath: /x}}}`)},
		{path: "rules[].filters[].urlRewrite.path.replacePrefixMatch", with: filter(`{type: URLRewrite, urlRewrite: {path: {type: ReplacePrefixMatch, replacePrefixMatch: /x}}}`)},
		{path: "rules[].filters[].cors", with: filter(`{type: CORS, cors: {allowOrigins: ["https://x.com"]}}`), cut: filters, want: refused},
		{path: "rules[].filters[].externalAuth", with: filter(external), cut: filters, want: closed},
		{path: "rules[].filters[].extensionRef", with: filter(extension), cut: filters, want: closed},
		{path: "rules[].filters[].requestRedirect.scheme", with: redirect(`{scheme: https}`)},
		{path: "rules[].filters[].requestRedirect.hostname", with: redirect(`{hostname: x.com}`)},
		{path: "rules[].filters[].requestRedirect.path.type", where: "the API server admits just the one of the two fields below that it names"},
		{path: "rules[].filters[].requestRedirect.path.replaceFullPath", with: redirect(`{path: {type: ReplaceFullPath, replaceFullPath: /x}}`)},
		{path: "rules[].filters[].requestRedirect.path.replacePrefixMatch", with: redirect(`{path: {type: ReplacePrefixMatch, replacePrefixMatch: /xyz}}`)},
		{path: "rules[].filters[].requestRedirect.port", with: redirect(`{port: 8443}`)},
		{path: "rules[].filters[].requestRedirect.statusCode", with: redirect(`{scheme: https, statusCode: 301}`)},
		{path: "rules[].backendRefs[].group", with: backend(`group: example.com`)},
		{path: "rules[].backendRefs[].kind", with: backend(`kind: Pod`)},
		{path: "rules[].backendRefs[].name", with: backend(`weight: 1`)},
		{path: "rules[].backendRefs[].namespace", with: backend(`namespace: infra`)},
		{path: "rules[].backendRefs[].port", with: backend(`weight: 1`)},
		{path: "rules[].backendRefs[].weight", with: backend(`weight: 5`)},
		{path: "rules[].backendRefs[].filters", with: backend(`filters: [{type: RequestHeaderModifier, requestHeaderModifier: {remove: [a]}}]`),
			want: wrong + ".backendRefs[0].filters"},
		{path: "rules[].timeouts", with: `{rules: [{timeouts: {request: 1s}}]}`, want: wrong + ".timeouts"},
		{path: "rules[].retry", with: `{rules: [{retry: {attempts: 2}}]}`, want: wrong + ".retry"},
		{path: "rules[].sessionPersistence", with: `{rules: [{sessionPersistence: {sessionName: x}}]}`, want: wrong + ".sessionPersistence"},
	}
}
