package conformance_test

// skipped are the tests that an application load balancer cannot pass, and why.
func skipped() map[string]string {
	const nameless = "the certificate of the suite's Secret `certificate` names no host at all (common name `default`, no DNS name), and AWS puts none " +
		"on a listener that has no fully-qualified domain name (`UnsupportedCertificate`). The listener says so: InvalidCertificateRef. With a " +
		"certificate that names a host the same references are served"
	return map[string]string{
		"HTTPRouteRequestHeaderModifier":            "no action and no transform of a rule sets, adds or removes a header of the request",
		"GatewaySecretReferenceGrantAllInNamespace": nameless,
		"GatewaySecretReferenceGrantSpecific":       nameless,
		"ListenerSetReferenceGrant":                 nameless,
	}
}

// expression is how a feature is put into the words of AWS, and what is not certain about it.
type expression struct{ how, doubt string }

// expressed are the features that are claimed. "core" are those of the profile that every implementation has.
func expressed() map[string]expression {
	const sure = "none"
	return map[string]expression{
		"core: Gateway, HTTPRoute, ReferenceGrant": {
			"a load balancer for each Gateway, a listener for each port, rules in the order of the specification's precedence; 404 is the default " +
				"action, 500 a fixed response, weights a forward to several target groups, pods targets by their addresses; Secrets are imported into ACM",
			"the suite's certificates have the common name `default` and host names in their alternative names: that AWS takes one such name for " +
				"the fully-qualified one that it asks for is believed. That rules see the port of a Host header is the strict reading of " +
				"documents that differ ([ADR 5](../adr/0005-host-names-with-any-port.md)); on either reading our rules match. Values of headers count " +
				"without regard to case, also by `Exact`, which the suite does not try: of two matches that differ by nothing else the first takes " +
				"all requests, and the other one's route gets a warning",
		},
		"GatewayAddressEmpty": {"every load balancer gets a host name from AWS", "an address of type IPAddress gets a host name too: the specification leaves that open"},
		"GatewayFrontendClientCertificateValidation": {
			"`MutualAuthentication` in the mode `verify` on the listener, by a trust store of the stack's own; what the ConfigMaps hold goes to an object in " +
				"S3, of which it is made. Ports of one set of ConfigMaps share a trust store",
			"a load balancer takes two trust stores, which two ports may use up. That AWS needs the object only while the trust store is made or " +
				"modified is believed, and not relied on: it stays as long as the trust store",
		},
		"GatewayFrontendClientCertificateValidationInsecureFallback": {
			"`MutualAuthentication` in the mode `passthrough`: a certificate is asked for, not checked, and passed on in a header", sure,
		},
		"GatewayHTTPListenerIsolation":      {"a rule that answers 404 ends the rules of each listener whose host name lies within another one's", sure},
		"GatewayInfrastructure":             {"labels and annotations become tags, and go to a ServiceAccount beside the Gateway", "the suite looks at the ServiceAccount only, which nothing uses; the tags are what counts in AWS"},
		"ListenerSet":                       {"listeners of one load balancer; certificates side by side by SNI", sure},
		"HTTPRouteBackendProtocolWebSocket": {"an application load balancer passes WebSockets on", sure},
		"HTTPRouteDestinationPortMatching":  {"a listener for each port", sure},
		"HTTPRouteMethodMatching":           {"`http-request-method`", sure},
		"HTTPRouteNamedRouteRule":           {"names are for people; rules have none", sure},
		"HTTPRouteParentRefPort":            {"a listener for each port", sure},
		"HTTPRoutePortRedirect":             {"`redirect` with `Port`; always said, for the default would be the listener's", sure},
		"HTTPRoutePathRedirect": {"`redirect` with `Path`; a prefix by a `url-rewrite` transform beside it, of which the redirect is made",
			"AWS forbids transforms on default rules and two of a type, and says nothing of one beside a redirect (ALB guide, \"Transforms for listener rules\"; " +
				"API reference, RuleTransform). That the redirect is made of what the transform leaves is shown by the guide of the AWS Load Balancer Controller for " +
				"ALB Gateways (\"suffix preserved\"; its pull request 4457 quotes an ALB that answers such a rule with 301, as far as we read it " +
				"not with a suffix), and so is that AWS takes a redirect that keeps scheme, host, port " +
				"and `/#{path}` for a loop. Ours has then another path (`/n#{path}`, and a transform to `/ew…`), and a redirect must modify one of protocol, host, port " +
				"and path, which may contain `#{path}` (API reference, RedirectActionConfig): that AWS looks for loops there alone, and not behind the transform, is believed"},
		"HTTPRouteSchemeRedirect": {"`redirect` with `Protocol`", "a redirect from HTTPS to HTTP is refused by AWS and by us; the suite asks for it only beside GatewayPort8080, which is not claimed"},
	}
}

// head is what comes before the table. It wants the numbers of tests, passed and all, core then extended, and that of extended features.
const head = `# Conformance with the Gateway API

The official suite of version 1.6.3, unmodified and with its own time limits, run against the sandbox: a real API server, the operator as a
process, the simulated load balancer with its data plane, and pods that answer as the suite's own echo server does. **It is a run on a
simulator, not on AWS**: the report says so in its mode. The simulator refuses what AWS refuses, as far as that is documented or observed;
where it is neither, the column "doubt" says so.

` + "`make conformance` runs it and writes this directory anew. `make check` fails when the two differ." + `

GATEWAY-HTTP: **%d of %d core tests passed, %d of %d extended tests over %d features**. None failed.

The Gateways of the suite are of a class whose LoadBalancerConfiguration sets one attribute, ` + "`routing.http.preserve_host_header.enabled`" + `:
without it a load balancer takes the port off the Host header, or adds its own, and backends shall see what clients sent.

GATEWAY-GRPC is not run: each of its tests of GRPCRoutes makes calls in the clear to an HTTP listener on port 80, and an application load
balancer takes gRPC by HTTPS only. GRPCRoutes are served on HTTPS listeners, with service, method and header matches, weights and health checks by
gRPC (` + "`test/traffic`" + ` TestGRPCRoutes); their core filter RequestHeaderModifier is refused as that of HTTPRoutes is.

Three features are served and not claimed, for their tests ask for more: HTTPRouteQueryParamMatching (that case counts; a load balancer matches
keys and values of a query in any case), HTTPRouteHostRewrite and HTTPRoutePathRewrite (the same routes set and remove headers).

`
