package config_test

import "strings"

func classParamsRows() []schemaRow {
	return []schemaRow{
		{why: "nothing set", spec: `{}`},
		{why: "every field", spec: `
  certificateArn: [arn:a]
  group: {name: g}
  inboundCIDRs: [10.0.0.0/8]
  ipAddressType: dualstack-without-public-ipv4
  ipamConfiguration: {ipv4IPAMPoolId: pool}
  listeners: [{protocol: HTTPS, port: 443, listenerAttributes: [{key: a, value: b}]}]
  loadBalancerAttributes: [{key: a, value: b}]
  loadBalancerName: web
  minimumLoadBalancerCapacity: {capacityUnits: 100}
  namespaceSelector: {matchLabels: {a: b}}
  prefixListsIDs: [pl-1]
  scheme: internet-facing
  sslPolicy: p
  sslRedirectPort: "443"
  subnets: {ids: [subnet-0a], tags: {a: [b]}}
  tags: [{key: a, value: b}]
  targetType: ip
  wafv2AclArn: arn:w
  wafv2AclName: w
`},
		{why: "the earlier spelling of prefix lists", spec: `{PrefixListsIDs: [pl-1]}`},
		{why: "not both spellings", spec: `{PrefixListsIDs: [a], prefixListsIDs: [b]}`, refusal: "not both"},
		{why: "a scheme that AWS has", spec: `{scheme: public}`, refusal: "spec.scheme"},
		{why: "an address type that AWS has", spec: `{ipAddressType: ipv6}`, refusal: "spec.ipAddressType"},
		{why: "a target type that is served", spec: `{targetType: lambda}`, refusal: "spec.targetType"},
		{why: "subnets by their IDs", spec: `{subnets: {ids: [public-a]}}`, refusal: "spec.subnets.ids"},
		{why: "a list of subnets names one", spec: `{subnets: {ids: []}}`, refusal: "spec.subnets.ids"},
		{why: "a group has a name", spec: `{group: {}}`, refusal: "spec.group.name"},
	}
}

func bindingRows() []schemaRow {
	const binding = `serviceRef: {name: a, port: 1}, targetGroupARN: arn:t`
	return []schemaRow{
		{why: "every field", spec: `
  assumeRoleExternalId: x
  iamRoleArnToAssume: arn:r
  ipAddressType: ipv6
  multiClusterTargetGroup: true
  networking:
    ingress:
    - from: [{ipBlock: {cidr: 10.0.0.0/8}}, {securityGroup: {groupID: sg-1}}]
      ports: [{port: 80, protocol: TCP}, {port: http}, {}]
  serviceRef: {name: a, port: 80}
  targetGroupARN: arn:t
  targetGroupName: t
  targetGroupProtocol: TCP_QUIC
  targetType: ip
  vpcID: vpc-1
`},
		{why: "targets that are nodes", spec: `{` + binding + `, targetType: instance, nodeSelector: {matchExpressions: [{key: a, operator: Exists}]}}`},
		{why: "a target group by its name", spec: `{serviceRef: {name: a, port: 1}, targetGroupName: t}`},
		{why: "a target group is needed", spec: `{serviceRef: {name: a, port: 1}}`, refusal: "targetGroupARN or targetGroupName is needed"},
		{why: "an empty one is none", spec: `{serviceRef: {name: a, port: 1}, targetGroupARN: ""}`, refusal: "targetGroupARN or targetGroupName is needed"},
		{why: "pods have no nodeSelector", spec: `{` + binding + `, targetType: ip, nodeSelector: {matchLabels: {a: b}}}`, refusal: "nodeSelector chooses among nodes"},
		{why: "nodes of another account", spec: `{` + binding + `, targetType: instance, iamRoleArnToAssume: arn:r}`, refusal: "iamRoleArnToAssume needs targets of the type ip"},
		{why: "QUIC to nodes", spec: `{` + binding + `, targetType: instance, targetGroupProtocol: TCP_QUIC}`, refusal: "QUIC needs targets of the type ip"},
		{why: "the form of a VPC's ID", spec: `{` + binding + `, vpcID: main}`, refusal: "vpc-0123abcd"},
		{why: "the Service is needed", spec: `{targetGroupARN: a}`, refusal: "spec.serviceRef"},
		{why: "the port is needed", spec: `{serviceRef: {name: a}}`, refusal: "spec.serviceRef.port"},
		{why: "the port may have a name", spec: `{serviceRef: {name: a, port: http}, targetGroupARN: arn:t}`},
		{why: "target type", spec: `{serviceRef: {name: a, port: 1}, targetType: alb}`, refusal: "spec.targetType"},
		{why: "protocol", spec: `{serviceRef: {name: a, port: 1}, targetGroupProtocol: GENEVE}`, refusal: "spec.targetGroupProtocol"},
		{why: "networking names who comes in", spec: `{serviceRef: {name: a, port: 1}, networking: {ingress: [{ports: []}]}}`,
			refusal: "spec.networking.ingress[0].from"},
		{why: "networking knows two transports", spec: `{serviceRef: {name: a, port: 1}, networking: {ingress: [{from: [], ports: [{protocol: ICMP}]}]}}`,
			refusal: "protocol"},
		{why: "a field that nobody knows is no mistake of the schema", spec: `{` + binding + `, foo: bar}`, strictness: lenient},
	}
}

func oldBindingRows() []schemaRow {
	return []schemaRow{
		{why: "as it was written", spec: `{serviceRef: {name: a, port: 80}, targetGroupARN: a, targetType: ip, networking: {ingress: []}}`},
		{why: "a field that it does not have", spec: `{serviceRef: {name: a, port: 80}, vpcID: v}`, strictness: lenient},
		{why: "the Service is needed", spec: `{foo: bar}`, refusal: "spec.serviceRef", strictness: lenient},
	}
}

func loadBalancerRows() []schemaRow {
	listener := func(fields string) string {
		return `{listenerConfigurations: [{protocolPort: "HTTPS:443", ` + fields + `}]}`
	}
	return []schemaRow{
		{why: "every field", spec: `
  customerOwnedIpv4Pool: c
  defaultTargetGroupConfiguration: {name: d}
  disableSecurityGroup: false
  enableICMP: true
  enforceSecurityGroupInboundRulesOnPrivateLinkTraffic: "on"
  ipAddressType: dualstack
  ipv4IPAMPoolId: p
  listenerConfigurations:
  - protocolPort: TLS:443
    alpnPolicy: HTTP2Optional
    certificates: [arn:b]
    defaultCertificate: arn:a
    listenerAttributes: [{key: a, value: b}]
    mutualAuthentication: {mode: verify, trustStore: t, ignoreClientCertificateExpiry: true, advertiseTrustStoreCaNames: "on"}
    quicEnabled: true
    sslPolicy: p
    targetGroupStickiness: true
  loadBalancerAttributes: [{key: a, value: b}]
  loadBalancerName: web
  loadBalancerSubnets: [{identifier: s, eipAllocation: e, ipv6Allocation: i, privateIPv4Allocation: p, sourceNatIPv6Prefix: x}]
  loadBalancerSubnetsSelector: {a: [b]}
  manageBackendSecurityGroupRules: true
  mergingMode: prefer-gateway
  minimumLoadBalancerCapacity: {capacityUnits: 1}
  scheme: internal
  securityGroupPrefixes: [pl-1]
  securityGroups: [sg-1]
  shieldConfiguration: {enabled: true}
  sourceRanges: [10.0.0.0/8]
  tags: {a: b}
  wafV2: {webACL: arn:w}
`},
		{why: "a name", spec: `{loadBalancerName: ""}`, refusal: "spec.loadBalancerName"},
		{why: "a name that AWS takes", spec: `{loadBalancerName: ` + strings.Repeat("a", 33) + `}`, refusal: "spec.loadBalancerName"},
		{why: "merging mode", spec: `{mergingMode: both}`, refusal: "spec.mergingMode"},
		{why: "any protocol on a port", spec: `{listenerConfigurations: [{protocolPort: ":8080"}]}`},
		{why: "both transports on a port", spec: `{listenerConfigurations: [{protocolPort: "TCP_UDP:53"}]}`},
		{why: "a protocol that a listener has", spec: `{listenerConfigurations: [{protocolPort: "SCTP:80"}]}`, refusal: "protocolPort"},
		{why: "a port that there is", spec: `{listenerConfigurations: [{protocolPort: "HTTP:65536"}]}`, refusal: "protocolPort"},
		{why: "a listener is named", spec: `{listenerConfigurations: [{sslPolicy: p}]}`, refusal: "protocolPort"},
		{why: "ALPN policy", spec: listener(`alpnPolicy: HTTP3`), refusal: "alpnPolicy"},
		{why: "clients need not show themselves", spec: listener(`mutualAuthentication: {mode: "off"}`)},
		{why: "verifying needs a trust store", spec: listener(`mutualAuthentication: {mode: verify}`), refusal: "mode verify needs trustStore"},
		{why: "passing through needs none", spec: listener(`mutualAuthentication: {mode: passthrough, trustStore: t}`), refusal: "trustStore is only"},
		{why: "nor looks at expiry", spec: listener(`mutualAuthentication: {mode: passthrough, ignoreClientCertificateExpiry: false}`),
			refusal: "ignoreClientCertificateExpiry is only"},
		{why: "nor names authorities", spec: listener(`mutualAuthentication: {mode: "off", advertiseTrustStoreCaNames: "on"}`),
			refusal: "advertiseTrustStoreCaNames is only"},
		{why: "a web ACL is named", spec: `{wafV2: {}}`, refusal: "spec.wafV2.webACL"},
		{why: "capacity is a number", spec: `{minimumLoadBalancerCapacity: {}}`, refusal: "capacityUnits"},
	}
}

func targetGroupRows() []schemaRow {
	const props = `{enableMultiCluster: true, healthCheckConfig: {healthCheckInterval: 15, healthCheckPath: /, healthCheckPort: traffic-port,
    healthCheckProtocol: HTTPS, healthCheckTimeout: 5, healthyThresholdCount: 3, matcher: {grpcCode: "12", httpCode: "200"}, unhealthyThresholdCount: 3},
    ipAddressType: ipv4, nodeSelector: {matchLabels: {a: b}}, protocol: TCP_UDP, protocolVersion: GRPC, tags: {a: b}, targetControlPort: 1,
    targetGroupAttributes: [{key: a, value: b}], targetGroupName: web, targetType: ip}`
	return []schemaRow{
		{why: "every field", spec: `
  targetReference: {group: "", kind: Service, name: a}
  defaultConfiguration: ` + props + `
  routeConfigurations: [{routeIdentifier: {kind: HTTPRoute, namespace: web, name: r}, targetGroupProps: ` + props + `}]
`},
		{why: "a default names no Service", spec: `{defaultConfiguration: {targetType: ip}}`},
		{why: "a reference has a name", spec: `{targetReference: {kind: Service}}`, refusal: "spec.targetReference.name"},
		{why: "protocol", spec: `{defaultConfiguration: {protocol: QUIC}}`, refusal: "spec.defaultConfiguration.protocol"},
		{why: "protocol version", spec: `{defaultConfiguration: {protocolVersion: HTTP3}}`, refusal: "protocolVersion"},
		{why: "checks by UDP", spec: `{defaultConfiguration: {healthCheckConfig: {healthCheckProtocol: UDP}}}`, refusal: "healthCheckProtocol"},
		{why: "address type", spec: `{defaultConfiguration: {ipAddressType: dualstack}}`, refusal: "ipAddressType"},
		{why: "the same limits by route", spec: `{routeConfigurations: [{routeIdentifier: {}, targetGroupProps: {targetType: alb}}]}`, refusal: "targetType"},
		{why: "which route", spec: `{routeConfigurations: [{targetGroupProps: {}}]}`, refusal: "routeIdentifier"},
	}
}

func listenerRuleRows() []schemaRow {
	const (
		oidc = `{type: authenticate-oidc, authenticateOIDCConfig: {issuer: i, authorizationEndpoint: a, tokenEndpoint: t, userInfoEndpoint: u, secret: {name: s}}}`
		jwt  = `{type: jwt-validation, jwtValidationConfig: {issuer: i, jwksEndpoint: j, additionalClaims: [{format: string-array, name: groups, values: [v]}]}}`
		ok   = `{type: fixed-response, fixedResponseConfig: {statusCode: 200}}`
	)
	actions := func(list ...string) string { return "{actions: [" + strings.Join(list, ", ") + "]}" }
	claim := func(fields string) string {
		return actions(`{type: jwt-validation, jwtValidationConfig: {issuer: i, jwksEndpoint: j, additionalClaims: [{` + fields + `}]}}`)
	}
	code := func(code string) string {
		return actions(`{type: fixed-response, fixedResponseConfig: {statusCode: ` + code + `}}`)
	}
	return []schemaRow{
		{why: "sign in, then answer", spec: actions(oidc, ok)},
		{why: "check a token", spec: actions(jwt)},
		{why: "only tags", spec: `{tags: {a: b}}`},
		{why: "a condition", spec: `{conditions: [{field: source-ip, matchIndexes: [0, 1], sourceIPConfig: {values: [10.0.0.0/8]}}]}`},
		{why: "no actions is no list", spec: `{actions: []}`, refusal: "spec.actions"},
		{why: "three actions", spec: actions(oidc, jwt, ok), refusal: "spec.actions"},
		{why: "one check", spec: actions(oidc, jwt), refusal: "at most one action of authenticate-oidc"},
		{why: "one answer", spec: actions(ok, ok), refusal: "at most one action of fixed-response"},
		{why: "a type that there is", spec: actions(`{type: weighted}`), refusal: "type"},
		{why: "forward has its settings", spec: actions(`{type: forward}`), refusal: "forwardConfig goes with"},
		{why: "redirect has its settings", spec: actions(`{type: redirect}`), refusal: "redirectConfig goes with"},
		{why: "a response has its settings", spec: actions(`{type: fixed-response}`), refusal: "fixedResponseConfig goes with"},
		{why: "Cognito has its settings", spec: actions(`{type: authenticate-cognito}`), refusal: "authenticateCognitoConfig goes with"},
		{why: "OIDC has its settings", spec: actions(`{type: authenticate-oidc}`), refusal: "authenticateOIDCConfig goes with"},
		{why: "tokens have their settings", spec: actions(`{type: jwt-validation}`), refusal: "jwtValidationConfig goes with"},
		{why: "no settings of another type", spec: actions(`{type: redirect, redirectConfig: {}, forwardConfig: {}}`), refusal: "forwardConfig goes with"},
		{why: "503 is an answer", spec: code("503")},
		{why: "a redirect is no fixed response", spec: code("301"), refusal: "statusCode is a 2xx, 4xx or 5xx code"},
		{why: "600 is no code", spec: code("600"), refusal: "statusCode is a 2xx, 4xx or 5xx code"},
		{why: "a media type that AWS takes", spec: actions(`{type: fixed-response, fixedResponseConfig: {statusCode: 200, contentType: text/xml}}`),
			refusal: "contentType"},
		{why: "a day of stickiness", spec: actions(`{type: forward, forwardConfig: {targetGroupStickinessConfig: {durationSeconds: 86400, enabled: true}}}`)},
		{why: "at most a week", spec: actions(`{type: forward, forwardConfig: {targetGroupStickinessConfig: {durationSeconds: 604801}}}`), refusal: "durationSeconds"},
		{why: "a claim has values", spec: claim(`format: single-string, name: groups, values: []`), refusal: "values"},
		{why: "a value of a claim is short", spec: claim(`format: single-string, name: groups, values: [` + strings.Repeat("v", 257) + `]`), refusal: "values"},
		{why: "a claim has a name", spec: claim(`format: single-string, name: "", values: [v]`), refusal: "name"},
		{why: "a claim has a format", spec: claim(`format: csv, name: groups, values: [v]`), refusal: "format"},
		{why: "conditions are of one kind", spec: `{conditions: [{field: host-header}]}`, refusal: "field"},
		{why: "a condition has its settings", spec: `{conditions: [{field: source-ip}]}`, refusal: "sourceIPConfig goes with"},
		{why: "no conditions is no list", spec: `{conditions: []}`, refusal: "spec.conditions"},
	}
}
